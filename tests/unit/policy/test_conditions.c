/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ranges in conditions on arguments: verdicts at both ends, on arguments that the kernel takes as
 * 32 and as 64 bits, and their opposites, which a permission with conditions is turned into.
 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"
#include "tests/lib/verdict_rows.h"

#define ALLOW SECCOMP_RET_ALLOW
#define KILL  SECCOMP_RET_KILL_PROCESS
#define HIGH  0x100000000ULL
#define TOP   0xffffffff00000000ULL

static void check(const char *policy, const struct row *rows, size_t n)
{
	struct policy_fixture fixture;
	void *program;
	size_t length;

	fixture_init(&fixture);
	if (fixture_resolve(&fixture, policy) != 0)
		fail_msg("%s", fixture.err.text);
	assert_int_equal(policy_seccomp_compile(&fixture.spec.seccomp, &program, &length,
						&fixture.err),
			 0);
	for (size_t i = 0; i < n; i++) {
		struct seccomp_data data = {.arch = NATIVE, .nr = syscalls_number(rows[i].call)};
		uint32_t got;

		memcpy(data.args, rows[i].args, sizeof(data.args));
		got = bpf_sim_run(program, length, &data);
		if (got != rows[i].verdict)
			fail_msg("row %zu, %s: %x instead of %x", i, rows[i].call, got,
				 rows[i].verdict);
	}
	free(program);
	fixture_release(&fixture);
}

#define CHECK(policy, rows) check(policy, rows, sizeof(rows) / sizeof((rows)[0]))

static const char refused[] =
	"cordon: 1\nseccomp:\n  default: errno(EPERM)\n  allow: [kill, tkill, mprotect, mmap,"
	" mremap, madvise, lseek, flock, mlockall]\n  deny:\n"
	"  - {call: kill, args: {1: {range: [9, 15]}}, action: kill}\n"
	"  - {call: tkill, args: {1: {range: [0, 0xffffffff]}}, action: kill}\n"
	"  - {call: flock, args: {1: {below: 4}}, action: kill}\n"
	"  - {call: mlockall, args: {0: {above: 4}}, action: kill}\n"
	"  - {call: mprotect, args: {2: {range: [0x100000005, 0x300000002]}}, action: kill}\n"
	"  - {call: mmap, args: {2: {range: [0x100000005, 0x100000009]}}, action: kill}\n"
	"  - {call: mremap, args: {3: {below: 0x200000000}}, action: kill}\n"
	"  - {call: madvise, args: {0: {above: 0xffffffff}}, action: kill}\n"
	"  - {call: lseek, args: {1: {range: [7, 7]}}, action: kill}\n";

static void refusals(void **state)
{
	static const struct row rows[] = {
		/* 32 bits: high ones do not count. */
		{"kill", {0, 8}, ALLOW},
		{"kill", {0, 9}, KILL},
		{"kill", {0, 12}, KILL},
		{"kill", {0, 15}, KILL},
		{"kill", {0, 16}, ALLOW},
		{"kill", {0, HIGH | 9}, KILL},
		{"kill", {0, TOP | 15}, KILL},
		{"kill", {0, TOP | 16}, ALLOW},
		{"kill", {0, 0x80000009}, ALLOW},
		{"kill", {0, UINT32_MAX}, ALLOW},
		{"tkill", {0, 0}, KILL},
		{"tkill", {0, UINT64_MAX}, KILL},
		{"flock", {0, 0}, KILL},
		{"flock", {0, 3}, KILL},
		{"flock", {0, 4}, ALLOW},
		{"flock", {0, HIGH | 3}, KILL},
		{"flock", {0, UINT32_MAX}, ALLOW},
		{"mlockall", {4}, ALLOW},
		{"mlockall", {5}, KILL},
		{"mlockall", {UINT32_MAX}, KILL},
		{"mlockall", {HIGH | 4}, ALLOW},
		/* 64 bits, with ends in different and in one upper half. */
		{"mprotect", {0, 0, 0}, ALLOW},
		{"mprotect", {0, 0, 6}, ALLOW},
		{"mprotect", {0, 0, HIGH | 4}, ALLOW},
		{"mprotect", {0, 0, HIGH | 5}, KILL},
		{"mprotect", {0, 0, HIGH | UINT32_MAX}, KILL},
		{"mprotect", {0, 0, 2 * HIGH}, KILL},
		{"mprotect", {0, 0, 3 * HIGH + 2}, KILL},
		{"mprotect", {0, 0, 3 * HIGH + 3}, ALLOW},
		{"mprotect", {0, 0, 4 * HIGH}, ALLOW},
		{"mprotect", {0, 0, UINT64_MAX}, ALLOW},
		{"mmap", {0, 0, 7}, ALLOW},
		{"mmap", {0, 0, HIGH + 4}, ALLOW},
		{"mmap", {0, 0, HIGH + 5}, KILL},
		{"mmap", {0, 0, HIGH + 9}, KILL},
		{"mmap", {0, 0, HIGH + 10}, ALLOW},
		{"mmap", {0, 0, 2 * HIGH + 7}, ALLOW},
		{"mremap", {0, 0, 0, 0}, KILL},
		{"mremap", {0, 0, 0, HIGH | UINT32_MAX}, KILL},
		{"mremap", {0, 0, 0, 2 * HIGH}, ALLOW},
		{"mremap", {0, 0, 0, UINT64_MAX}, ALLOW},
		{"madvise", {0}, ALLOW},
		{"madvise", {UINT32_MAX}, ALLOW},
		{"madvise", {HIGH}, KILL},
		{"madvise", {UINT64_MAX}, KILL},
		{"lseek", {0, 7}, KILL},
		{"lseek", {0, HIGH | 7}, ALLOW},
		{"lseek", {0, 6}, ALLOW},
		{"lseek", {0, 8}, ALLOW},
	};

	(void)state;
	CHECK(refused, rows);
}

/* What is permitted in a range only is refused outside it. */
static void permissions(void **state)
{
	static const char policy[] =
		"cordon: 1\nseccomp:\n  default: kill\n  allow:\n"
		"  - {call: kill, args: {1: {range: [9, 15]}}}\n"
		"  - {call: mmap, args: {2: {range: [0x100000005, 0x300000002]}}}\n"
		"  - {call: flock, args: {1: {below: 4}}}\n"
		"  - {call: flock, args: {1: {above: 7}}}\n";
	static const struct row rows[] = {
		{"kill", {0, 8}, KILL},
		{"kill", {0, 9}, ALLOW},
		{"kill", {0, TOP | 15}, ALLOW},
		{"kill", {0, 16}, KILL},
		{"mmap", {0, 0, HIGH | 4}, KILL},
		{"mmap", {0, 0, HIGH | 5}, ALLOW},
		{"mmap", {0, 0, 2 * HIGH}, ALLOW},
		{"mmap", {0, 0, 3 * HIGH + 2}, ALLOW},
		{"mmap", {0, 0, 3 * HIGH + 3}, KILL},
		{"mmap", {0, 0, 6}, KILL},
		{"flock", {0, 3}, ALLOW},
		{"flock", {0, 4}, KILL},
		{"flock", {0, 7}, KILL},
		{"flock", {0, 8}, ALLOW},
	};

	(void)state;
	CHECK(policy, rows);
}

/* A permission that is noted in the kernel's log. */
static void logged(void **state)
{
	static const char policy[] = "cordon: 1\nseccomp:\n  default: kill\n  allow:\n"
				     "  - {call: getpid, action: log}\n"
				     "  - {call: getuid, action: allow}\n"
				     "  - {call: '@basic-io', action: log}\n"
				     "  - {call: kill, args: {1: {eq: 9}}, action: log}\n";
	static const char child[] =
		"cordon: 1\nextends: default\nseccomp:\n  +allow: [{call: getpid, action: log}]\n";
	static const struct row rows[] = {
		{"getpid", {0}, SECCOMP_RET_LOG},  {"getuid", {0}, ALLOW},
		{"read", {0}, SECCOMP_RET_LOG},    {"write", {0}, ALLOW}, /* cordon's own */
		{"kill", {0, 9}, SECCOMP_RET_LOG}, {"kill", {0, 10}, KILL},
	};
	static const struct row child_rows[] = {{"getpid", {0}, SECCOMP_RET_LOG},
						{"getuid", {0}, ALLOW}};

	(void)state;
	CHECK(policy, rows);
	CHECK(child, child_rows);
}

static void unfit_actions(void **state)
{
	static const struct {
		const char *text;
		const char *rule;
	} rows[] = {
		{"+allow: [{call: read, action: kill}]", "bad-value"},
		{"+allow: [{call: read, action: errno(EPERM)}]", "bad-value"},
		{"+allow: [{call: read, action: notify}]", "not-enforced"},
		{"+allow: [{call: execve, action: log}]", "own-call"},
		{"deny: [{call: read, action: log}]", "bad-value"},
		{"deny: [{call: read, action: allow}]", "bad-value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		char policy[256];

		snprintf(policy, sizeof(policy), "cordon: 1\nextends: default\nseccomp: {%s}\n",
			 rows[i].text);
		fixture_init(&fixture);
		assert_int_equal(fixture_resolve(&fixture, policy), -EINVAL);
		if (fixture.problems.n != 1 || fixture_problem(&fixture, rows[i].rule) == NULL)
			fail_msg("%s: %s", rows[i].text, fixture.err.text);
		fixture_release(&fixture);
	}
}

static void mistakes(void **state)
{
	static const struct {
		const char *condition;
		const char *rule;
	} rows[] = {
		{"{range: [9]}", "bad-value"},
		{"{range: [9, 10, 11]}", "bad-value"},
		{"{range: []}", "bad-value"},
		{"{range: 9}", "bad-value"},
		{"{range: [10, 9]}", "impossible"},
		{"{range: [9, 0x100000000]}", "bad-value"}, /* the kernel takes 32 bits */
		{"{range: [9, NO_SUCH]}", "bad-value"},
		{"{below: 0}", "impossible"},
		{"{above: 0xffffffff}", "impossible"},
		{"{below: [3]}", "bad-value"},
		{"{below: 3, above: 1}", "bad-value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		char policy[256];

		snprintf(policy, sizeof(policy),
			 "cordon: 1\nextends: default\nseccomp:\n  deny:\n"
			 "  - {call: kill, args: {1: %s}}\n",
			 rows[i].condition);
		fixture_init(&fixture);
		assert_int_equal(fixture_resolve(&fixture, policy), -EINVAL);
		if (fixture.problems.n != 1 || fixture_problem(&fixture, rows[i].rule) == NULL)
			fail_msg("%s: %s", rows[i].condition, fixture.err.text);
		fixture_release(&fixture);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals), cmocka_unit_test(permissions),
		cmocka_unit_test(logged),   cmocka_unit_test(unfit_actions),
		cmocka_unit_test(mistakes),
	};

	return cmocka_run_group_tests_name("policy/conditions", tests, NULL, NULL);
}
