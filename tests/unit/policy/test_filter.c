/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/filter.c: a child only narrows its parent's filter, and a waiver lifts that for one call.
 * Each weakening stands beside the same text with the waiver, or in a profile of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"

#include <linux/audit.h>

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define ALLOW    SECCOMP_RET_ALLOW
#define KILL     SECCOMP_RET_KILL_PROCESS
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))

static const char parent_text[] =
	"cordon: 1\nseccomp:\n  default: errno(EPERM)\n  unknown: errno(ENOSYS)\n"
	"  allow: [read, getpid, getuid, socket, kill,\n"
	"          {call: prctl, args: {0: {in: [1, 2, 3]}}}]\n"
	"  deny:\n"
	"  - {call: socket, args: {0: {not_in: [AF_UNIX, AF_INET]}}, action: errno(EAFNOSUPPORT)}\n"
	"  - {call: kill, args: {1: {eq: 9}}, action: kill}\n"
	"  - getuid\n";

/* What the filter of a child of parent_text answers to one call with two arguments. */
static uint32_t answer(const struct policy_fixture *fixture, const char *call, uint64_t arg0,
		       uint64_t arg1)
{
	struct seccomp_data data = {.arch = NATIVE,
				    .nr = syscalls_number(call),
				    .args = {arg0, arg1}};
	struct err err;
	void *program;
	uint32_t verdict;
	size_t n;

	assert_int_equal(policy_seccomp_compile(&fixture->spec.seccomp, &program, &n, &err), 0);
	verdict = bpf_sim_run(program, n, &data);
	free(program);
	return verdict;
}

static int resolve_child(struct policy_fixture *fixture, const char *text)
{
	static char whole[2048];

	fixture_init(fixture);
	fixture_profile(fixture, "/ward/project/parent.yaml", parent_text);
	str_format(whole, sizeof(whole), "cordon: 1\nextends: ./parent.yaml\n%s\n", text);
	return fixture_resolve(fixture, whole);
}

struct refusal {
	const char *text;
	uint32_t column; /* in line 3 */
	const char *hint;
};

static void weakenings(void **state)
{
	static const struct refusal rows[] = {
		{"seccomp: {allow: [read, write, ptrace]}", 32, "seccomp.call:ptrace"},
		{"seccomp: {+allow: [ptrace]}", 20, "seccomp.call:ptrace"},
		{"seccomp: {+allow: [getuid]}", 20, "seccomp.call:getuid"},
		{"seccomp: {allow: ['@sandbox-default']}", 19, "seccomp.call:"},
		{"seccomp: {+allow: [{call: ptrace, args: {0: {eq: 0}}}]}", 20,
		 "seccomp.call:ptrace"},
		{"seccomp: {default: allow}", 20, NULL},
		{"seccomp: {default: log}", 20, NULL},
		{"seccomp: {unknown: allow}", 20, NULL},
		{"seccomp: {unknown: log}", 20, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		if (resolve_child(&fixture, rows[i].text) != -EINVAL)
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(fixture.problems.n, 1);
		assert_string_equal(fixture.problems.list[0].rule, "weaker");
		assert_int_equal(fixture.problems.list[0].origin.line, 3);
		assert_int_equal(fixture.problems.list[0].origin.column, rows[i].column);
		if (rows[i].hint != NULL)
			assert_non_null(strstr(fixture.problems.list[0].hint, rows[i].hint));
		fixture_release(&fixture);
	}
}

struct row {
	const char *text;
	const char *call;
	uint64_t args[2];
	uint32_t verdict;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct policy_fixture fixture;
		uint32_t got;

		if (resolve_child(&fixture, rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].text, fixture.err.text);
		got = answer(&fixture, rows[i].call, rows[i].args[0], rows[i].args[1]);
		if (got != rows[i].verdict)
			fail_msg("%s: %s(%u) is %x", rows[i].text, rows[i].call,
				 (unsigned)rows[i].args[0], got);
		fixture_release(&fixture);
	}
}

static void narrowing(void **state)
{
	static const struct row rows[] = {
		/* Nothing said: the parent's answers. */
		{"", "read", {0}, ALLOW},
		{"", "getuid", {0}, ERRNO(EPERM)},
		{"", "prctl", {3}, ALLOW},
		{"", "prctl", {4}, ERRNO(EPERM)},
		{"", "kill", {1, 9}, KILL},
		{"", "socket", {16}, ERRNO(EAFNOSUPPORT)},
		/* A list replaces and narrows; what the parent refuses stays refused. */
		{"seccomp: {allow: [read, socket]}", "read", {0}, ALLOW},
		{"seccomp: {allow: [read, socket]}", "getpid", {0}, ERRNO(EPERM)},
		{"seccomp: {allow: [read, socket]}", "socket", {16}, ERRNO(EAFNOSUPPORT)},
		{"seccomp: {allow: [read, socket]}", "socket", {1}, ALLOW},
		{"seccomp: {allow: []}", "read", {0}, ERRNO(EPERM)},
		{"seccomp: {+allow: [read]}", "getpid", {0}, ALLOW},
		/* Naming a call outright does not free it from the parent's conditions. */
		{"seccomp: {allow: [prctl]}", "prctl", {4}, ERRNO(EPERM)},
		{"seccomp: {allow: [prctl]}", "prctl", {3}, ALLOW},
		/* Both permissions must hold. */
		{"seccomp: {allow: [{call: prctl, args: {0: {in: [3, 4]}}}]}",
		 "prctl",
		 {2},
		 ERRNO(EPERM)},
		{"seccomp: {allow: [{call: prctl, args: {0: {in: [3, 4]}}}]}", "prctl", {3}, ALLOW},
		{"seccomp: {allow: [{call: prctl, args: {0: {in: [3, 4]}}}]}",
		 "prctl",
		 {4},
		 ERRNO(EPERM)},
		/* Denials add up, in whatever list form. */
		{"seccomp: {deny: [read]}", "read", {0}, ERRNO(EPERM)},
		{"seccomp: {deny: [read]}", "getuid", {0}, ERRNO(EPERM)},
		{"seccomp: {deny: [read]}", "kill", {1, 9}, KILL},
		{"seccomp: {deny: []}", "getuid", {0}, ERRNO(EPERM)},
		/* A deny wins over an allow of the same file. */
		{"seccomp: {allow: [read], deny: [read]}", "read", {0}, ERRNO(EPERM)},
		/* Neither by order nor by action can a child soften. */
		{"seccomp: {deny: [{call: kill, args: {1: {eq: 9}}, action: errno(EINVAL)}]}",
		 "kill",
		 {1, 9},
		 KILL},
		{"seccomp: {deny: [{call: kill, action: errno(EINVAL)}]}", "kill", {1, 9}, KILL},
		{"seccomp: {deny: [{call: kill, action: errno(EINVAL)}]}",
		 "kill",
		 {1, 1},
		 ERRNO(EINVAL)},
		{"seccomp: {deny: [{call: socket, args: {0: {not_in: [AF_UNIX]}}, action: kill}]}",
		 "socket",
		 {16},
		 KILL},
		{"seccomp: {default: kill}", "ptrace", {0}, KILL},
		{"seccomp: {default: kill}", "prctl", {4}, KILL},
		{"seccomp: {default: kill}", "getuid", {0}, ERRNO(EPERM)},
		{"seccomp: {default: kill, allow: [read]}", "getpid", {0}, KILL},
		{"seccomp: {default: kill, allow: [read]}", "getuid", {0}, KILL},
	};

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void waivers(void **state)
{
	static const struct row rows[] = {
		{"waive: {\"seccomp.call:ptrace\": debugger}", "ptrace", {0}, ALLOW},
		{"waive: {\"seccomp.call:ptrace\": debugger}", "bpf", {0}, ERRNO(EPERM)},
		{"waive: {\"seccomp.call:getuid\": x}", "getuid", {0}, ALLOW},
		{"waive: {\"seccomp.call:socket\": x}", "socket", {16}, ALLOW},
		{"waive: {\"seccomp.call:kill\": x}", "kill", {1, 9}, ALLOW},
		{"waive: {\"seccomp.call:ptrace\": x}\nseccomp: {+allow: [ptrace]}",
		 "ptrace",
		 {0},
		 ALLOW},
		{"waive: {\"seccomp.call:ptrace\": x}\nseccomp: {allow: [read, ptrace]}",
		 "ptrace",
		 {0},
		 ALLOW},
		/* The waiving file's own rules apply to the call. */
		{"waive: {\"seccomp.call:socket\": x}\n"
		 "seccomp: {deny: [{call: socket, args: {0: {in: [16]}}}]}",
		 "socket",
		 {16},
		 ERRNO(EPERM)},
		{"waive: {\"seccomp.call:socket\": x}\n"
		 "seccomp: {deny: [{call: socket, args: {0: {in: [16]}}}]}",
		 "socket",
		 {40},
		 ALLOW},
		{"waive: {\"seccomp.call:prctl\": x}\n"
		 "seccomp: {+allow: [{call: prctl, args: {0: {eq: 4}}}]}",
		 "prctl",
		 {4},
		 ALLOW},
		{"waive: {\"seccomp.call:prctl\": x}\n"
		 "seccomp: {+allow: [{call: prctl, args: {0: {eq: 4}}}]}",
		 "prctl",
		 {3},
		 ERRNO(EPERM)},
	};
	struct policy_fixture fixture;

	(void)state;
	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
	assert_int_equal(resolve_child(&fixture, "waive: {\"seccomp.call:ptrace\": debugger}"), 0);
	assert_int_equal(fixture.spec.provenance.n_waivers, 1);
	assert_string_equal(fixture.spec.provenance.waivers[0].name, "seccomp.call:ptrace");
	assert_string_equal(fixture.spec.provenance.waivers[0].reason, "debugger");
	assert_int_equal(fixture.spec.provenance.waivers[0].origin.line, 3);
	fixture_release(&fixture);
}

/* A refusal that comes after an ancestor's waiver holds. */
static void waiver_is_not_for_ever(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/parent.yaml", parent_text);
	fixture_profile(&fixture, "/ward/project/waives.yaml",
			"cordon: 1\nextends: ./parent.yaml\nwaive: {\"seccomp.call:ptrace\": x}\n");
	fixture_flag(&fixture, FLAG_HOSTNAME, "a");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./waives.yaml\n"
						   "seccomp: {deny: [ptrace]}\n"),
			 0);
	assert_int_equal(answer(&fixture, "ptrace", 0, 0), ERRNO(EPERM));
	fixture_release(&fixture);
}

/* The command line is a child like any other. */
static void flags_are_a_child(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_SET, "seccomp.+allow=[ptrace]");
	assert_int_equal(fixture_resolve(&fixture, NULL), -EINVAL);
	assert_string_equal(fixture.problems.list[0].rule, "weaker");
	assert_string_equal(fixture.problems.list[0].origin.file, "command line");
	fixture_release(&fixture);

	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_SET, "seccomp.+allow=[ptrace]");
	fixture_flag(&fixture, FLAG_WAIVE, "seccomp.call:ptrace=strace");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(answer(&fixture, "ptrace", 0, 0), ALLOW);
	fixture_release(&fixture);
}

struct mistake {
	const char *entry;
	const char *rule;
};

static void entries(void **state)
{
	static const struct mistake rows[] = {
		{"{call: socket, args: {6: {eq: 1}}}", "bad-value"},
		{"{call: socket, args: {0: {eq: AF_UNX}}}", "bad-value"},
		{"{call: socket, args: {0: {eq: 0x100000000}}}", "bad-value"},
		{"{call: socket, args: {0: {eq: 010}}}", "bad-value"},
		{"{call: socket, args: {0: {in: []}}}", "no-value"},
		{"{call: socket, args: {0: {is: 1}}}", "bad-value"},
		{"{call: socket, args: {0: {eq: 1, in: [2]}}}", "bad-value"},
		{"{call: socket, args: {0: 1}}", "bad-value"},
		{"{call: socket, args: {}}", "bad-type"},
		{"{call: socket, args: {0: {masked: {mask: 1}}}}", "bad-value"},
		{"{call: socket, args: {0: {masked: {mask: 1, eq: 1, ne: 0}}}}", "bad-value"},
		{"{call: socket, args: {0: {masked: {mask: 1, eq: 2}}}}", "impossible"},
		{"{call: execveat, args: {1: {eq: 1}}}", "argument-width"},
		{"{call: '@basic-io', args: {0: {eq: 1}}}", "bad-type"},
		{"{call: socket, action: allow}", "bad-value"},
		{"{call: socket, action: log}", "bad-value"},
		{"{call: socket, action: errno(EPRM)}", "bad-value"},
		{"{call: socket, action: errno(0)}", "bad-value"},
		{"{call: socket, action: errno(4096)}", "bad-value"},
		{"{call: socket, action: die}", "bad-value"},
		{"{call: socket, action: notify}", "not-enforced"},
		{"{action: kill}", "missing-key"},
		{"sockt", "unknown-call"},
		{"'@basic-oi'", "unknown-group"},
		{"write", "own-call"},
		{"{call: execve, action: kill}", "own-call"},
		{"{call: exit_group, action: kill}", "own-call"},
		{"'@default'", "own-call"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		char text[256];

		str_format(text, sizeof(text), "seccomp: {deny: [%s]}", rows[i].entry);
		if (resolve_child(&fixture, text) != -EINVAL)
			fail_msg("accepted: %s", rows[i].entry);
		if (fixture_problem(&fixture, rows[i].rule) == NULL)
			fail_msg("%s: %s", rows[i].entry, fixture.err.text);
		fixture_release(&fixture);
	}
}

/* A profile of its own: nothing is inherited, everything must be said. */
static void without_a_parent(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\n"), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "no-seccomp"));
	fixture_release(&fixture);

	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nseccomp: {default: allow, deny: [mount]}\n"),
			 0);
	assert_int_equal(answer(&fixture, "ptrace", 0, 0), ALLOW);
	assert_int_equal(answer(&fixture, "mount", 0, 0), ERRNO(EPERM));
	fixture_release(&fixture);

	/* A list that looks as if it confined. */
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nseccomp: {default: allow, allow: [read]}\n"),
			 -EINVAL);
	assert_non_null(fixture_problem(&fixture, "impossible"));
	fixture_release(&fixture);

	/* @sandbox-default refuses by itself; a call that is named outright is not bound by it. */
	fixture_init(&fixture);
	assert_int_equal(
		fixture_resolve(&fixture,
				"cordon: 1\nseccomp: {allow: ['@sandbox-default', clone3]}\n"),
		0);
	assert_int_equal(answer(&fixture, "clone", 0x10000000, 0), ERRNO(EPERM));
	assert_int_equal(answer(&fixture, "clone3", 0, 0), ALLOW);
	assert_int_equal(answer(&fixture, "personality", 8, 0), ERRNO(EPERM));
	fixture_release(&fixture);

	/* Two conditional entries of one call: either suffices. */
	fixture_init(&fixture);
	assert_int_equal(
		fixture_resolve(
			&fixture,
			"cordon: 1\nseccomp: {allow: [{call: kill, args: {0: {eq: 1}, 1: {eq: "
			"2}}}, {call: kill, args: {0: {eq: 5}}}]}\n"),
		0);
	assert_int_equal(answer(&fixture, "kill", 1, 2), ALLOW);
	assert_int_equal(answer(&fixture, "kill", 5, 9), ALLOW);
	assert_int_equal(answer(&fixture, "kill", 1, 3), ERRNO(EPERM));
	assert_int_equal(answer(&fixture, "kill", 2, 2), ERRNO(EPERM));
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(weakenings),        cmocka_unit_test(narrowing),
		cmocka_unit_test(waivers),           cmocka_unit_test(waiver_is_not_for_ever),
		cmocka_unit_test(flags_are_a_child), cmocka_unit_test(entries),
		cmocka_unit_test(without_a_parent),
	};

	return cmocka_run_group_tests_name("policy/filter", tests, NULL, NULL);
}
