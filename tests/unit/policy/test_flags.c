/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/flags.c: the command line as the last layer, and how its mistakes are named. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

struct row {
	int kind;
	const char *text;
	const char *key;
	const char *value;
};

static void values(void **state)
{
	static const struct row rows[] = {
		{FLAG_SET, "limits.nproc=16", "limits.nproc", "16"},
		{FLAG_SET, "limits.ulimits={nofile: 5}", "limits.ulimits.nofile", "5"},
		{FLAG_SET, "rootfs.writable.store=tmpfs", "rootfs.writable.store", "tmpfs"},
		{FLAG_SET, "process.environment.A.B=x", "process.environment.A.B", "x"},
		{FLAG_SET, "volumes=[./a:/b]", "volumes[0]", "./a:/b"},
		{FLAG_SET, "+volumes=[./a:/b]", "volumes[1]", "./a:/b"},
		{FLAG_SET, "waive.seccomp.call:ptrace=x", "waive.seccomp.call:ptrace", "x"},
		{FLAG_ENV, "A=b=c d: [", "process.environment.A", "b=c d: ["},
		{FLAG_ENV, "A=", "process.environment.A", "\"\""},
		{FLAG_ENV, "TERM", "process.environment.TERM", "(the caller's)"},
		{FLAG_WORKING_DIR, "/x/../y", "process.working_dir", "/x/../y"},
		{FLAG_USER, "web", "process.user", "web"},
		{FLAG_HOSTNAME, "h", "process.hostname", "h"},
		{FLAG_TIMEOUT, "1m30s", "limits.wall_time", "1m30s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		fixture_init(&fixture);
		fixture_flag(&fixture, rows[i].kind, rows[i].text);
		if (fixture_resolve(&fixture, NULL) != 0)
			fail_msg("%s: %s", rows[i].text, fixture.err.text);
		if (!str_equal(fixture_value(&fixture, rows[i].key), rows[i].value))
			fail_msg("%s: '%s'", rows[i].text, fixture_value(&fixture, rows[i].key));
		fixture_release(&fixture);
	}
}

struct mistake {
	int kind;
	uint32_t column;
	const char *text;
	const char *rule;
	const char *line_text;
};

static void mistakes(void **state)
{
	static const struct mistake rows[] = {
		{FLAG_SET, 20, "limits.nproc=abc", "bad-value", "--set limits.nproc=abc"},
		{FLAG_SET, 7, "limits.nprc=1", "unknown-key", "--set limits.nprc=1"},
		{FLAG_SET, 7, "logging={}", "not-enforced", "--set logging={}"},
		{FLAG_SET, 15, "restart=sometimes", "bad-value", "--set restart=sometimes"},
		{FLAG_SET, 7, "limits.nproc=", "bad-value", "--set limits.nproc="},
		{FLAG_SET, 7, "limits.nproc", "bad-flag", "--set limits.nproc"},
		{FLAG_SET, 7, "=1", "bad-flag", "--set =1"},
		{FLAG_SET, 7, "extends=base", "bad-flag", "--set extends=base"},
		{FLAG_SET, 22, "limits.nproc=[1", "yaml-syntax", "--set limits.nproc=[1"},
		{FLAG_SET, 20, "limits.nproc=&a 1", "yaml-anchor", "--set limits.nproc=&a 1"},
		{FLAG_SET, 16, "volumes=[x:/y]", "not-enforced", "--set volumes=[x:/y]"},
		{FLAG_SET, 19, "rootfs.from=dir:a\nb: c", "yaml-syntax", NULL},
		{FLAG_WAIVE, 9, "seccomp.call:ptrace", "bad-flag", "--waive seccomp.call:ptrace"},
		{FLAG_WAIVE, 9, "seccomp.call:ptrace=", "no-reason",
		 "--waive seccomp.call:ptrace="},
		{FLAG_WAIVE, 9, "seccomp.cll:ptrace=x", "unknown-waiver", NULL},
		{FLAG_RO, 6, "", "bad-flag", "--ro "},
		{FLAG_RO, 6, "/proc", "bad-target", "--ro /proc"},
		{FLAG_RW, 6, "/", "bad-target", "--rw /"},
		{FLAG_ENV, 4, "=x", "bad-flag", "-e =x"},
		{FLAG_WORKING_DIR, 4, "x", "bad-value", "-w x"},
		{FLAG_USER, 4, "nobody", "no-user", "-u nobody"},
		{FLAG_HOSTNAME, 12, "a b", "bad-value", "--hostname a b"},
		{FLAG_TIMEOUT, 11, "5", "bad-value", "--timeout 5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		const struct policy_problem *problem;

		fixture_init(&fixture);
		fixture_flag(&fixture, rows[i].kind, rows[i].text);
		if (fixture_resolve(&fixture, NULL) != -EINVAL)
			fail_msg("accepted: %s", rows[i].text);
		problem = fixture_problem(&fixture, rows[i].rule);
		if (problem == NULL) {
			fail_msg("%s: %s", rows[i].text, fixture.err.text);
			return;
		}
		assert_string_equal(problem->origin.file, "command line");
		assert_int_equal(problem->origin.line, 0);
		if (rows[i].line_text != NULL) {
			if (problem->origin.column != rows[i].column)
				fail_msg("%s: column %u", rows[i].text, problem->origin.column);
			assert_string_equal(problem->line_text, rows[i].line_text);
		}
		fixture_release(&fixture);
	}
}

static void last_one_wins(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_SET, "limits.nproc=16");
	fixture_flag(&fixture, FLAG_SET, "limits.nproc=17");
	fixture_flag(&fixture, FLAG_ENV, "A=1");
	fixture_flag(&fixture, FLAG_ENV, "B=2");
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nextends: default\nlimits: {nproc: 3}\n"),
			 0);
	assert_int_equal(fixture.spec.limits.nproc, 17);
	assert_string_equal(fixture.spec.limits.nproc_origin.file, "command line");
	assert_int_equal(fixture.spec.limits.nproc_origin.line, 0);
	assert_string_equal(fixture_value(&fixture, "process.environment.A"), "1");
	assert_string_equal(fixture_value(&fixture, "process.environment.B"), "2");
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(last_one_wins),
	};

	return cmocka_run_group_tests_name("policy/flags", tests, NULL, NULL);
}
