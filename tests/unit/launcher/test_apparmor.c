/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/preflight_lsm.c and plan.c on AppArmor, from made-up facts: loaded, or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/cordon.h"
#include "launcher/preflight.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text; /* of the miss; "" where none */
	const char *hint;
	enum apparmor_profile_state profile;
	bool is_auto;
	bool kernel;
	bool is_applied;
} rows[] = {
	/* auto: nothing where the kernel has no AppArmor, else loaded or refused. */
	{"", "", APPARMOR_FORBIDDEN, true, false, false},
	{"", "", APPARMOR_LOADED, true, true, true},
	{"apparmor: the profile cordon-workload is not loaded", "cordon doctor",
	 APPARMOR_NOT_LOADED, true, true, false},
	{"apparmor: the profile that cordon itself is under does not let it use cordon-workload",
	 "change_profile -> &cordon-workload,", APPARMOR_FORBIDDEN, true, true, false},
	/* A name: that one or no start. */
	{"apparmor: this kernel runs without AppArmor: no profile mine", "apparmor: auto",
	 APPARMOR_FORBIDDEN, false, false, false},
	{"", "", APPARMOR_LOADED, false, true, true},
	{"apparmor: the profile mine is not loaded", "apparmor_parser -r", APPARMOR_NOT_LOADED,
	 false, true, false},
	{"apparmor: the profile that cordon itself is under does not let it use mine",
	 "change_profile -> &mine,", APPARMOR_FORBIDDEN, false, true, false},
};

static void decide(struct decision *d, size_t i, enum spec_demand demand, struct misses *misses)
{
	decision_as_user(d);
	d->spec.apparmor = (struct spec_apparmor){
		.demand = demand,
		.is_auto = rows[i].is_auto,
		.profile = rows[i].is_auto ? APPARMOR_OWN_PROFILE : "mine",
		.origin = {.file = "p.yaml", .line = 7},
	};
	d->facts.apparmor = rows[i].kernel;
	d->facts.apparmor_profile = rows[i].profile;
	memset(misses, 0, sizeof(*misses));
	preflight_lsm(d, misses);
	plan_make(d);
}

static void required(void **state)
{
	static struct misses misses;
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		bool is_refused = rows[i].text[0] != '\0';

		decide(&d, i, DEMAND_REQUIRED, &misses);
		assert_int_equal(misses.n, is_refused ? 1 : 0);
		assert_int_equal(d.n_not_enforced, 0);
		assert_int_equal(d.plan.child_wanted[CHILD_APPARMOR], rows[i].is_applied);
		if (!is_refused)
			continue;
		assert_string_equal(misses.list[0].text, rows[i].text);
		assert_string_equal(misses.list[0].key, "apparmor");
		assert_int_equal(misses.list[0].origin.line, 7);
		assert_non_null(strstr(misses.list[0].hint, rows[i].hint));
		assert_int_equal(misses.list[0].hint[strlen(misses.list[0].hint) - 1], '.');
	}
}

static void wished_for(void **state)
{
	static struct misses misses;
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		decide(&d, i, DEMAND_WHEN_POSSIBLE, &misses);
		assert_int_equal(misses.n, 0);
		assert_int_equal(d.n_not_enforced, rows[i].text[0] != '\0' ? 1 : 0);
		if (d.n_not_enforced > 0)
			assert_string_equal(d.not_enforced[0], "apparmor");
		assert_int_equal(d.plan.child_wanted[CHILD_APPARMOR], rows[i].is_applied);
	}
}

static void not_asked_for(void **state)
{
	static struct misses misses;
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		decide(&d, i, DEMAND_NONE, &misses);
		assert_int_equal(misses.n + d.n_not_enforced, 0);
		assert_false(d.plan.child_wanted[CHILD_APPARMOR]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(required),
		cmocka_unit_test(wished_for),
		cmocka_unit_test(not_asked_for),
	};

	return cmocka_run_group_tests_name("launcher/apparmor", tests, NULL, NULL);
}
