/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/result.c: whether it was limits.ulimits.cpu that a death came from. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "launcher/result.h"

/* A death is the limit's only where the limit is set, the signal is its own, and the time fits. */
static void cpu_limit(void **state)
{
	static const struct {
		int kind, signal;
		int64_t user_ms;
		bool is_limits;
	} rows[] = {
		{RUN_SIGNALLED, SIGKILL, 1900, true},
		{RUN_SIGNALLED, SIGKILL, 2000, true},
		{RUN_SIGNALLED, SIGXCPU, 2000, true},
		{RUN_SIGNALLED, SIGKILL, 500, false},
		{RUN_SIGNALLED, SIGTERM, 2000, false},
		{RUN_EXITED, 0, 2000, false},
		{RUN_WALL_TIME, SIGKILL, 2000, false},
		{RUN_SIGNALLED, SIGKILL, RESULT_NONE, false},
		{RUN_POLICY_KILL, SIGSYS, 2000, false},
	};
	struct spec_limits limits = {.n_rlimits = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run_result result = {.kind = (enum run_kind)rows[i].kind,
					    .signal = rows[i].signal,
					    .cpu_user_ms = rows[i].user_ms};

		limits.rlimits[0] =
			(struct spec_rlimit){.name = "cpu", .resource = RLIMIT_CPU, .value = 2};
		assert_int_equal(result_find_cpu_limit(&result, &limits) != NULL,
				 rows[i].is_limits);
		assert_int_equal(result.limit != NULL, rows[i].is_limits);
		result.limit = NULL;
		limits.rlimits[0].value = SPEC_UNLIMITED;
		assert_null(result_find_cpu_limit(&result, &limits));
		limits.rlimits[0] = (struct spec_rlimit){.name = "nofile",
							 .resource = RLIMIT_NOFILE,
							 .value = 2};
		assert_null(result_find_cpu_limit(&result, &limits));
		assert_null(result.limit);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_limit),
	};

	return cmocka_run_group_tests_name("launcher/reason", tests, NULL, NULL);
}
