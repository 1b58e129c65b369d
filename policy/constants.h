/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words that stand for numbers in a policy: errno, signals, arguments of system calls. */
#ifndef CORDON_POLICY_CONSTANTS_H
#define CORDON_POLICY_CONSTANTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* "AF_UNIX", "CLONE_NEWNS|CLONE_NEWPID", "0x5412", "12". -EINVAL: none of these. */
int must_check constants_argument(const char *text, uint64_t *ret_value);

/* "EPERM" or a number from 1 to 4095. -EINVAL otherwise. */
int must_check constants_errno(const char *text, uint32_t *ret_value);

/* "TERM", "SIGTERM", "RTMIN+3", "RTMAX-1" or a number from 1 to 64. -EINVAL otherwise. */
int must_check constants_signal(const char *text, uint32_t *ret_value);

/* The known constant nearest to word, or NULL. */
const char *constants_nearest_argument(const char *word);
const char *constants_nearest_errno(const char *word);

/* The name of an errno value or of an address family and the like is for people only: "EPERM", or
 * NULL where there is none. */
const char *constants_errno_name(uint32_t value);

/* The known constant of that value whose name begins with prefix ("AF_"), or NULL. */
const char *constants_name(const char *prefix, uint64_t value);

#endif
