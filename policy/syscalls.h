/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names, numbers and argument widths of system calls: of the native architecture, and of the second
 * one whose programs the machine runs as well (policy/arch.h): x86 on x86-64, arm on aarch64.
 */
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

enum syscalls_abi { ABI_NATIVE, ABI_SECOND };

/*
 * Calls are kept by place, from 0 to SYSCALLS_END. A call's place is its number but for these of
 * the second architecture: ARM's own calls (0xf0001, breakpoint, and on) stand from
 * SYSCALLS_PRIVATE on, and what x86 has only as parts of socketcall and ipc (accept, semop) from
 * SYSCALLS_PARTS on. Numbers that high will not be given to calls soon: 6.18 ends at 469.
 */
enum { SYSCALLS_PRIVATE = 496, SYSCALLS_PARTS = 504, SYSCALLS_PRIVATE_NUMBER = 0x0f0000 };

/* The place of a name; SYSCALLS_FOREIGN; or -ENOENT for a name that is no call's. */
int32_t syscalls_number_on(enum syscalls_abi abi, const char *name);
/* The name of a place, of static storage. NULL: no such call is known. */
const char *syscalls_name_on(enum syscalls_abi abi, int32_t place);
/* The number by which the kernel is asked for it; -1: there is none (a part). */
int32_t syscalls_kernel_number(enum syscalls_abi abi, int32_t place);
/* The place of such a number, whether or not a known call has it; -1: there is none. */
int32_t syscalls_place(enum syscalls_abi abi, int32_t number);

/* The same on the native architecture, where place and number are one. */
int32_t syscalls_number(const char *name);
const char *syscalls_name(int32_t number);
bool syscalls_is_known(int32_t number);

/*
 * Whether the kernel takes argument arg (0 to 5) of a call as 32 bits. -ENOENT where the table does
 * not know: then no condition may be made on it, since comparing too many bits lets a hostile
 * caller dodge a refusal, and comparing too few lets it into a permission.
 */
int must_check syscalls_argument_width(const char *name, uint32_t arg, bool *ret_is_32bit);

#endif
