/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The architecture that filters are made for: the program's own, and the second one, whose programs
 * its processors run as well (seccomp.architectures). Tests build policy/ a second time for the
 * other machine (POLICY_FOR_X86_64, POLICY_FOR_AARCH64), so that the verdict tables of the shipped
 * profiles hold for both wherever they run.
 */
#ifndef CORDON_POLICY_ARCH_H
#define CORDON_POLICY_ARCH_H

#include <linux/audit.h>
#include <sys/syscall.h>

#if defined(POLICY_FOR_X86_64) || (defined(__x86_64__) && !defined(POLICY_FOR_AARCH64))
#define POLICY_IS_X86_64         1
#define POLICY_AUDIT_ARCH        AUDIT_ARCH_X86_64
#define POLICY_GO_NAME           "amd64" /* in Docker's files */
#define POLICY_SECOND_AUDIT_ARCH AUDIT_ARCH_I386
#define POLICY_NATIVE_NAME       "x86-64"
#define POLICY_SECOND_NAME       "x86"
enum { POLICY_EXECVE = 59, POLICY_WRITE = 1, POLICY_EXIT_GROUP = 231 };
#elif defined(POLICY_FOR_AARCH64) || defined(__aarch64__)
#define POLICY_IS_X86_64         0
#define POLICY_AUDIT_ARCH        AUDIT_ARCH_AARCH64
#define POLICY_GO_NAME           "arm64"
#define POLICY_SECOND_AUDIT_ARCH AUDIT_ARCH_ARM
#define POLICY_NATIVE_NAME       "aarch64"
#define POLICY_SECOND_NAME       "arm"
enum { POLICY_EXECVE = 221, POLICY_WRITE = 64, POLICY_EXIT_GROUP = 94 };
#else
#error "cordon runs on x86-64 and aarch64"
#endif

#if !defined(POLICY_FOR_X86_64) && !defined(POLICY_FOR_AARCH64)
_Static_assert(POLICY_EXECVE == SYS_execve && POLICY_WRITE == SYS_write &&
		       POLICY_EXIT_GROUP == SYS_exit_group,
	       "unistd.h of the architecture");
#endif

#endif
