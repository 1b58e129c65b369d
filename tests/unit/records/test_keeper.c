/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/keeper.c: which ends are followed by another start, and after how long. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "records/keeper.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void policies(void **state)
{
	static const struct {
		enum spec_restart restart;
		uint32_t max;
		int64_t exit_code;
		int64_t restarts;
		bool starts;
	} rows[] = {
		{RESTART_NO, 0, 0, 0, false},
		{RESTART_NO, 0, 1, 0, false},
		{RESTART_ON_FAILURE, 0, 0, 0, false},
		{RESTART_ON_FAILURE, 0, 1, 0, true},
		{RESTART_ON_FAILURE, 0, 137, 1000, true},
		{RESTART_ON_FAILURE, 3, 1, 2, true},
		{RESTART_ON_FAILURE, 3, 1, 3, false},
		{RESTART_ON_FAILURE, 3, 0, 0, false},
		{RESTART_ALWAYS, 0, 0, 0, true},
		{RESTART_ALWAYS, 0, 125, 1000, true},
		{RESTART_UNLESS_STOPPED, 0, 0, 0, true},
		{RESTART_UNLESS_STOPPED, 0, 1, 1000, true},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const struct spec_supervision policy = {.restart = rows[i].restart,
							.restart_max = rows[i].max};

		assert_int_equal(keeper_restarts(&policy, rows[i].exit_code, rows[i].restarts),
				 rows[i].starts);
	}
}

static void back_off(void **state)
{
	(void)state;
	assert_int_equal(keeper_pause_ms(0), 100);
	assert_int_equal(keeper_pause_ms(1), 200);
	assert_int_equal(keeper_pause_ms(2), 400);
	assert_int_equal(keeper_pause_ms(9), 51200);
	/* A minute, and no more, however often. */
	assert_int_equal(keeper_pause_ms(10), 60000);
	assert_int_equal(keeper_pause_ms(1000), 60000);
	assert_int_equal(keeper_pause_ms(INT64_MAX), 60000);
}

static void failures_in_a_row(void **state)
{
	(void)state;
	assert_int_equal(keeper_failures(0, 0), 1);
	assert_int_equal(keeper_failures(4, 9999), 5);
	/* One that has run well begins anew. */
	assert_int_equal(keeper_failures(4, 10000), 0);
	assert_int_equal(keeper_failures(0, INT64_MAX), 0);
	/* A clock that was set back. */
	assert_int_equal(keeper_failures(4, -1), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies),
		cmocka_unit_test(back_off),
		cmocka_unit_test(failures_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
