/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, numbers and argument widths of the native architecture's system calls. */
#ifndef CORDON_POLICY_SYSCALLS_H
#define CORDON_POLICY_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* No call of x86-64 or aarch64 has this number or a higher one; x32 has its own bit above. */
enum { SYSCALLS_END = 512 };

/* Returned by syscalls_number for a call that only other architectures have; no errno. */
enum { SYSCALLS_FOREIGN = -4096 };

/* The native number; SYSCALLS_FOREIGN; or -ENOENT for a name that is no call's. */
int32_t syscalls_number(const char *name);

/* The name of a native number, of static storage. NULL: no such call is known. */
const char *syscalls_name(int32_t number);
bool syscalls_is_known(int32_t number);

/*
 * Whether the kernel takes argument arg (0 to 5) of a call as 32 bits. -ENOENT where the table does
 * not know: then no condition may be made on it, since comparing too many bits lets a hostile
 * caller dodge a refusal, and comparing too few lets it into a permission.
 */
int must_check syscalls_argument_width(const char *name, uint32_t arg, bool *ret_is_32bit);

#endif
