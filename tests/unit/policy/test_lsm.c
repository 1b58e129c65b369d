/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/resolve_landlock.c and resolve_apparmor.c: layers that may only tighten. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

/* Resolves a child of a profile `parent`, each with the given lines. */
static int resolve(struct policy_fixture *fixture, const char *parent, const char *child)
{
	char texts[2][512];

	fixture_init(fixture);
	str_format(texts[0], sizeof(texts[0]), "cordon: 1\nextends: default\n%s\n", parent);
	str_format(texts[1], sizeof(texts[1]), "cordon: 1\nextends: parent\n%s\n", child);
	fixture_profile(fixture, "parent", texts[0]);
	return fixture_resolve(fixture, texts[1]);
}

static void landlock_demands(void **state)
{
	static const struct {
		const char *parent, *child;
		enum spec_demand demand;
		size_t n_lists;
	} rows[] = {
		{"", "", DEMAND_NONE, 0},
		{"", "landlock: auto", DEMAND_REQUIRED, 0},
		{"landlock: auto", "", DEMAND_REQUIRED, 0},
		{"", "when_possible: {landlock: auto}", DEMAND_WHEN_POSSIBLE, 0},
		{"landlock: auto", "when_possible: {landlock: auto}", DEMAND_REQUIRED, 0},
		{"when_possible: {landlock: auto}", "landlock: auto", DEMAND_REQUIRED, 0},
		{"landlock: {read: [/a]}", "landlock: auto", DEMAND_REQUIRED, 1},
		{"landlock: {read: [/a]}", "landlock: {read: [/a, /b], write: []}", DEMAND_REQUIRED,
		 3},
		{"landlock: {read: [/a]}", "when_possible: {landlock: {write: [/b]}}",
		 DEMAND_REQUIRED, 2},
		{"landlock: {read: [/a]}", "waive: {landlock: why}", DEMAND_NONE, 0},
		{"landlock: auto\nwaive: {landlock: why}", "landlock: auto", DEMAND_REQUIRED, 0},
		{"when_possible: {landlock: auto}", "waive: {landlock: why}", DEMAND_NONE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		print_message("%s | %s\n", rows[i].parent, rows[i].child);
		assert_int_equal(resolve(&fixture, rows[i].parent, rows[i].child), 0);
		assert_int_equal(fixture.spec.landlock.demand, rows[i].demand);
		assert_int_equal(fixture.spec.landlock.n_lists, rows[i].n_lists);
		fixture_release(&fixture);
	}
}

static void landlock_lists(void **state)
{
	struct policy_fixture fixture;
	const struct spec_landlock *landlock = &fixture.spec.landlock;

	(void)state;
	assert_int_equal(resolve(&fixture,
				 "landlock: {connect_tcp: [80, 443], bind_tcp: [0, 8080]}",
				 "landlock: {write: [/b/../c/, '${cwd}/out'], execute: [], "
				 "connect_tcp: [443, 22]}"),
			 0);
	assert_int_equal(landlock->n_lists, 2);
	assert_int_equal(landlock->lists[0].right, PATH_WRITE);
	assert_int_equal(landlock->lists[0].n_paths, 2);
	assert_string_equal(landlock->lists[0].paths[0], "/c");
	assert_string_equal(landlock->lists[0].paths[1], "/ward/project/out");
	assert_int_equal(landlock->lists[0].origin.line, 3);
	assert_int_equal(landlock->lists[1].right, PATH_EXECUTE);
	assert_int_equal(landlock->lists[1].n_paths, 0);
	/* Of the child's ports those that the parent has. */
	assert_true(landlock->connect_tcp.is_limited);
	assert_int_equal(landlock->connect_tcp.n_ports, 1);
	assert_int_equal(landlock->connect_tcp.ports[0], 443);
	assert_int_equal(landlock->bind_tcp.n_ports, 2);
	fixture_release(&fixture);
}

static void landlock_mistakes(void **state)
{
	static const struct {
		const char *text;
		const char *rule;
	} rows[] = {
		{"landlock: off", "bad-value"},
		{"landlock: []", "bad-type"},
		{"landlock: {reed: [/a]}", "unknown-key"},
		{"landlock: {read: /a}", "bad-type"},
		{"landlock: {read: [a]}", "bad-path"},
		{"landlock: {+read: [/a]}", "append"},
		{"landlock: {bind_tcp: [65536]}", "bad-value"},
		{"landlock: {connect_tcp: [0]}", "bad-value"},
		{"landlock: {connect_tcp: [http]}", "bad-value"},
		{"when_possible: auto", "bad-type"},
		{"when_possible: {landlok: auto}", "unknown-key"},
		{"when_possible: {landlock: on}", "bad-value"},
		{"when_possible: {seccomp: {}}", "not-enforced"},
		{"when_possible: {limits: {memory: 1}}", "bad-value"},
		{"when_possible: {limits: {nproc: 1}}", "when-possible"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		print_message("%s\n", rows[i].text);
		assert_int_equal(resolve(&fixture, "", rows[i].text), -EINVAL);
		assert_int_equal(fixture.problems.n, 1);
		assert_string_equal(fixture.problems.list[0].rule, rows[i].rule);
		fixture_release(&fixture);
	}
}

static void apparmor_layers(void **state)
{
	static const struct {
		const char *parent, *child;
		enum spec_demand demand;
		const char *profile;
	} rows[] = {
		{"", "", DEMAND_NONE, ""},
		{"", "apparmor: auto", DEMAND_REQUIRED, "cordon-workload"},
		{"", "apparmor: mine", DEMAND_REQUIRED, "mine"},
		{"", "when_possible: {apparmor: auto}", DEMAND_WHEN_POSSIBLE, "cordon-workload"},
		{"apparmor: mine", "", DEMAND_REQUIRED, "mine"},
		{"apparmor: mine", "apparmor: mine", DEMAND_REQUIRED, "mine"},
		{"apparmor: auto", "when_possible: {apparmor: auto}", DEMAND_REQUIRED,
		 "cordon-workload"},
		{"when_possible: {apparmor: auto}", "apparmor: auto", DEMAND_REQUIRED,
		 "cordon-workload"},
		{"apparmor: auto", "waive: {apparmor: why}", DEMAND_NONE, ""},
		{"apparmor: mine", "waive: {apparmor: why}", DEMAND_NONE, ""},
		{"apparmor: auto", "apparmor: mine\nwaive: {apparmor: why}", DEMAND_REQUIRED,
		 "mine"},
		{"apparmor: mine", "apparmor: unconfined\nwaive: {apparmor: why}", DEMAND_NONE, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		print_message("%s | %s\n", rows[i].parent, rows[i].child);
		assert_int_equal(resolve(&fixture, rows[i].parent, rows[i].child), 0);
		assert_int_equal(fixture.spec.apparmor.demand, rows[i].demand);
		assert_string_equal(fixture.spec.apparmor.profile, rows[i].profile);
		assert_int_equal(fixture.spec.apparmor.is_auto,
				 str_equal(rows[i].profile, "cordon-workload"));
		fixture_release(&fixture);
	}
}

static void apparmor_mistakes(void **state)
{
	static const struct {
		const char *parent, *child;
		const char *rule;
	} rows[] = {
		{"", "apparmor: unconfined", "needs-waiver"},
		{"apparmor: auto", "apparmor: unconfined", "needs-waiver"},
		{"apparmor: auto", "apparmor: mine", "needs-waiver"},
		{"apparmor: mine", "apparmor: auto", "needs-waiver"},
		{"apparmor: mine", "when_possible: {apparmor: auto}", "needs-waiver"},
		/* A waiver is for the layer that gives it. */
		{"apparmor: mine\nwaive: {apparmor: why}", "apparmor: auto", "needs-waiver"},
		{"", "apparmor: 'a b'", "bad-value"},
		{"", "apparmor: '&a'", "bad-value"},
		{"", "apparmor: a//&b", "bad-value"},
		{"", "apparmor: ':ns:a'", "bad-value"},
		{"", "apparmor: ''", "bad-value"},
		{"", "apparmor: [auto]", "bad-type"},
		{"", "when_possible: {apparmor: unconfined}", "needs-waiver"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		print_message("%s | %s\n", rows[i].parent, rows[i].child);
		assert_int_equal(resolve(&fixture, rows[i].parent, rows[i].child), -EINVAL);
		assert_int_equal(fixture.problems.n, 1);
		assert_string_equal(fixture.problems.list[0].rule, rows[i].rule);
		fixture_release(&fixture);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(landlock_demands),  cmocka_unit_test(landlock_lists),
		cmocka_unit_test(landlock_mistakes), cmocka_unit_test(apparmor_layers),
		cmocka_unit_test(apparmor_mistakes),
	};

	return cmocka_run_group_tests_name("policy/lsm", tests, NULL, NULL);
}
