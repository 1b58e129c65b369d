/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of calls and what a seccomp program answers them, put to the simulator. For cmocka. */
#ifndef CORDON_TESTS_LIB_VERDICT_ROWS_H
#define CORDON_TESTS_LIB_VERDICT_ROWS_H

#include <linux/audit.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#define NATIVE  AUDIT_ARCH_X86_64
#define FOREIGN AUDIT_ARCH_I386
#else
#define NATIVE  AUDIT_ARCH_AARCH64
#define FOREIGN AUDIT_ARCH_ARM
#endif

struct row {
	const char *call;
	uint64_t args[6];
	uint32_t verdict;
};

/* Fails the test at the first row that is answered otherwise; a call that this architecture has not
 * got is passed over. */
void verdict_rows_check(const void *filter, size_t n, const struct row *rows, size_t n_rows);

#endif
