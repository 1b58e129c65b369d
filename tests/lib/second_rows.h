/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policies that list the second architecture, compiled, and tables of its calls that are put to the
 * simulator. In a header, since the tests that include it are built for both machines.
 */
#ifndef CORDON_TESTS_LIB_SECOND_ROWS_H
#define CORDON_TESTS_LIB_SECOND_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "policy/arch.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"

#define ALLOW    SECCOMP_RET_ALLOW
#define KILL     SECCOMP_RET_KILL_PROCESS
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define BOTH     "[native, " POLICY_SECOND_NAME "]"
#define WAIVED   "waive: {\"seccomp.architecture:" POLICY_SECOND_NAME "\": why}\n"
#define N(array) (sizeof(array) / sizeof((array)[0]))

#define BASE_TEXT "cordon: 1\nextends: default\n" WAIVED "seccomp: {architectures: " BOTH "}\n"

struct row {
	const char *call;
	uint32_t args[4]; /* of 32 bits, as the registers are */
	uint32_t verdict;
};

struct program {
	struct policy_fixture fixture;
	void *filter;
	size_t n;
};

static inline void program_make(struct program *program, const char *text)
{
	struct policy_fixture *fixture = &program->fixture;

	if (fixture_resolve(fixture, text) != 0)
		fail_msg("%s", fixture->err.text);
	if (policy_seccomp_compile(&fixture->spec.seccomp, &program->filter, &program->n,
				   &fixture->err) != 0)
		fail_msg("%s", fixture->err.text);
}

static inline void program_init(struct program *program, const char *text)
{
	fixture_init(&program->fixture);
	program_make(program, text);
}

static inline void program_release(struct program *program)
{
	free(program->filter);
	fixture_release(&program->fixture);
}

static inline uint32_t verdict_of(const struct program *program, uint32_t arch, int number,
				  const uint32_t *args)
{
	struct seccomp_data data = {.arch = arch, .nr = number};

	for (size_t i = 0; args != NULL && i < 4; i++)
		data.args[i] = args[i];
	return bpf_sim_run(program->filter, program->n, &data);
}

static inline int second_number(const char *name)
{
	int32_t place = syscalls_number_on(ABI_SECOND, name);

	if (place < 0)
		fail_msg("%s is no call of " POLICY_SECOND_NAME, name);
	return syscalls_kernel_number(ABI_SECOND, place);
}

static inline void check_rows(const struct program *program, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t got = verdict_of(program, POLICY_SECOND_AUDIT_ARCH,
					  second_number(rows[i].call), rows[i].args);

		if (got != rows[i].verdict)
			fail_msg("row %zu, %s: %x instead of %x", i, rows[i].call, got,
				 rows[i].verdict);
	}
}

#define CHECK(program, rows) check_rows(program, rows, N(rows))

/* Resolves and compiles the text, and runs the rows. */
static inline void check_policy(const char *text, const struct row *rows, size_t n)
{
	struct program program;

	program_init(&program, text);
	check_rows(&program, rows, n);
	program_release(&program);
}

#define POLICY(text, ...)                                        \
	do {                                                     \
		static const struct row rows_[] = {__VA_ARGS__}; \
		check_policy(text, rows_, N(rows_));             \
	} while (0)

/* The shipped profile with refusals. */
#define DENY(entries)                                                           \
	"cordon: 1\nextends: default\n" WAIVED "seccomp: {architectures: " BOTH \
	", deny: [" entries "]}\n"

#endif
