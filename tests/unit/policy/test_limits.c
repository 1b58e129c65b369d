/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/resolve_limits.c: limits of the whole sandbox, required and wished for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static int resolve(struct policy_fixture *fixture, const char *text)
{
	char policy[1024];

	fixture_init(fixture);
	str_format(policy, sizeof(policy), "cordon: 1\nextends: default\n%s\n", text);
	return fixture_resolve(fixture, policy);
}

static void values(void **state)
{
	static const struct {
		const char *text;
		enum spec_limit limit;
		enum spec_demand demand;
		uint64_t value;
	} rows[] = {
		{"limits: {pids: 1}", LIMIT_PIDS, DEMAND_REQUIRED, 1},
		{"limits: {pids: 4194302}", LIMIT_PIDS, DEMAND_REQUIRED, 4194302},
		{"limits: {pids: unlimited}", LIMIT_PIDS, DEMAND_NONE, 0},
		{"limits: {memory: 1MiB}", LIMIT_MEMORY, DEMAND_REQUIRED, 1 << 20},
		{"limits: {memory: 1GiB, swap: 1k}", LIMIT_SWAP, DEMAND_REQUIRED, 1024},
		{"limits: {cpus: 0.01}", LIMIT_CPUS, DEMAND_REQUIRED, 10000},
		{"limits: {cpus: 1.5}", LIMIT_CPUS, DEMAND_REQUIRED, 1500000},
		{"limits: {cpus: 1024}", LIMIT_CPUS, DEMAND_REQUIRED, 1024000000},
		{"limits: {cpu_weight: 10000}", LIMIT_CPU_WEIGHT, DEMAND_REQUIRED, 10000},
		{"limits: {cpu_time: 1m30s}", LIMIT_CPU_TIME, DEMAND_REQUIRED, 90000},
		{"limits: {io: {read: 50MiB/s}}", LIMIT_IO_READ, DEMAND_REQUIRED, 50 << 20},
		{"limits: {io: {write: 1B/s}}", LIMIT_IO_WRITE, DEMAND_REQUIRED, 1},
		{"when_possible: {limits: {memory: 2MiB}}", LIMIT_MEMORY, DEMAND_WHEN_POSSIBLE,
		 2 << 20},
		{"when_possible: {limits: {io: {write: 9k/s}}}", LIMIT_IO_WRITE,
		 DEMAND_WHEN_POSSIBLE, 9 << 10},
		/* What is required in the same layer holds. */
		{"limits: {memory: 3MiB}\nwhen_possible: {limits: {memory: 2MiB}}", LIMIT_MEMORY,
		 DEMAND_REQUIRED, 3 << 20},
		{"limits: {memory: unlimited}\nwhen_possible: {limits: {memory: 2MiB}}",
		 LIMIT_MEMORY, DEMAND_WHEN_POSSIBLE, 2 << 20},
		{"limits: {memory: 3MiB}\nwhen_possible: {limits: {memory: unlimited}}",
		 LIMIT_MEMORY, DEMAND_REQUIRED, 3 << 20},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct policy_fixture fixture;
		const struct spec_total *total;

		print_message("%s\n", rows[i].text);
		assert_int_equal(resolve(&fixture, rows[i].text), 0);
		total = &fixture.spec.limits.total[rows[i].limit];
		assert_int_equal(total->demand, rows[i].demand);
		if (total->demand != DEMAND_NONE) {
			assert_int_equal(total->value, rows[i].value);
			assert_true(total->origin.line >= 3);
		}
		fixture_release(&fixture);
	}
}

static void processors(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	assert_int_equal(resolve(&fixture, "limits: {cpuset: \"0-1,64\"}"), 0);
	assert_int_equal(fixture.spec.limits.total[LIMIT_CPUSET].demand, DEMAND_REQUIRED);
	assert_int_equal(fixture.spec.limits.cpuset[0], 3);
	assert_int_equal(fixture.spec.limits.cpuset[1], 1);
	fixture_release(&fixture);
}

static void mistakes(void **state)
{
	static const struct {
		const char *text;
		const char *rule;
	} rows[] = {
		{"limits: {pids: 0}", "bad-value"},
		{"limits: {pids: 4194303}", "bad-value"},
		{"limits: {pids: 1.5}", "bad-value"},
		{"limits: {memory: 1048575}", "bad-value"},
		{"limits: {memory: 0}", "bad-value"},
		{"limits: {memory: 16384PiB}", "bad-value"},
		{"limits: {memory: -1}", "bad-value"},
		{"limits: {memory: max}", "bad-value"},
		{"limits: {swap: 0}", "swap-alone"},
		{"when_possible: {limits: {swap: 0}}", "swap-alone"},
		{"limits: {cpus: 0}", "bad-value"},
		{"limits: {cpus: 0.009}", "bad-value"},
		{"limits: {cpus: 1024.1}", "bad-value"},
		{"limits: {cpus: 1e3}", "bad-value"},
		{"limits: {cpus: 0.0000001}", "bad-value"},
		{"limits: {cpu_weight: 0}", "bad-value"},
		{"limits: {cpu_weight: 10001}", "bad-value"},
		{"limits: {cpuset: \"\"}", "bad-value"},
		{"limits: {cpuset: 1-0}", "bad-value"},
		{"limits: {cpuset: 0-1024}", "bad-value"},
		{"limits: {cpuset: \"0,\"}", "bad-value"},
		{"limits: {cpuset: \"0\\n1\"}", "bad-value"},
		{"limits: {cpuset: \"0 1\"}", "bad-value"},
		{"limits: {cpu_time: 0}", "bad-value"},
		{"limits: {cpu_time: 5}", "bad-value"},
		{"limits: {io: {read: 5MiB}}", "bad-value"},
		{"limits: {io: {write: 0/s}}", "bad-value"},
		{"limits: {io: 5MiB/s}", "bad-type"},
		{"limits: {io: {reed: 5MiB/s}}", "unknown-key"},
		{"when_possible: {limits: {nproc: 5}}", "when-possible"},
		{"when_possible: {limits: {wall_time: 5s}}", "when-possible"},
		{"when_possible: {limits: {ulimits: {nofile: 5}}}", "when-possible"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct policy_fixture fixture;

		print_message("%s\n", rows[i].text);
		assert_int_equal(resolve(&fixture, rows[i].text), -EINVAL);
		assert_int_equal(fixture.problems.n, 1);
		assert_string_equal(fixture.problems.list[0].rule, rows[i].rule);
		assert_int_equal(fixture.problems.list[0].origin.line, 3);
		fixture_release(&fixture);
	}
}

/* A limit of memory alone would only move what is too much to swap. */
static void swap_goes_with_memory(void **state)
{
	static const struct {
		const char *text;
		enum spec_demand demand;
		uint64_t value;
	} rows[] = {
		{"limits: {memory: 2MiB}", DEMAND_REQUIRED, 0},
		{"when_possible: {limits: {memory: 2MiB}}", DEMAND_WHEN_POSSIBLE, 0},
		{"limits: {memory: 2MiB, swap: unlimited}", DEMAND_NONE, 0},
		{"limits: {memory: 2MiB}\nwhen_possible: {limits: {swap: unlimited}}", DEMAND_NONE,
		 0},
		{"limits: {memory: 2MiB}\nwhen_possible: {limits: {swap: 4k}}",
		 DEMAND_WHEN_POSSIBLE, 4096},
		/* Not more than memory itself. */
		{"limits: {swap: 4k}\nwhen_possible: {limits: {memory: 2MiB}}",
		 DEMAND_WHEN_POSSIBLE, 4096},
		{"limits: {memory: unlimited}", DEMAND_NONE, 0},
		{"limits: {nproc: 5}", DEMAND_NONE, 0},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct policy_fixture fixture;
		const struct spec_total *swap;

		print_message("%s\n", rows[i].text);
		assert_int_equal(resolve(&fixture, rows[i].text), 0);
		swap = &fixture.spec.limits.total[LIMIT_SWAP];
		assert_int_equal(swap->demand, rows[i].demand);
		if (swap->demand != DEMAND_NONE) {
			assert_int_equal(swap->value, rows[i].value);
			assert_int_equal(swap->origin.line, i == 4 ? 4 : 3);
		}
		fixture_release(&fixture);
	}
}

static void swap_is_explained(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture.request.wants_values = true;
	fixture_flag(&fixture, FLAG_SET, "limits.memory=2MiB");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_string_equal(fixture_value(&fixture, "limits.memory"), "2MiB");
	assert_non_null(strstr(fixture_value(&fixture, "limits.swap"), "0 (beside"));
	fixture_release(&fixture);
}

/* A child cannot turn what its parent requires into a wish without saying so. */
static void wishes_of_a_child(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/mid.yaml",
			"cordon: 1\nextends: default\nlimits: {memory: 2MiB}\n");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./mid.yaml\n"
						   "when_possible: {limits: {memory: 9MiB}}\n"),
			 -EINVAL);
	assert_string_equal(fixture.problems.list[0].rule, "when-possible");
	assert_non_null(strstr(fixture.problems.list[0].hint, "memory: unlimited"));
	fixture_release(&fixture);

	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/mid.yaml",
			"cordon: 1\nextends: default\nlimits: {memory: 2MiB}\n");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./mid.yaml\n"
						   "limits: {memory: unlimited}\n"
						   "when_possible: {limits: {memory: 9MiB}}\n"),
			 0);
	assert_int_equal(fixture.spec.limits.total[LIMIT_MEMORY].demand, DEMAND_WHEN_POSSIBLE);
	assert_int_equal(fixture.spec.limits.total[LIMIT_SWAP].demand, DEMAND_WHEN_POSSIBLE);
	fixture_release(&fixture);

	/* The other way round: what a parent wishes for, a child may require. */
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/mid.yaml",
			"cordon: 1\nextends: default\nwhen_possible: {limits: {memory: 9MiB}}\n");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./mid.yaml\n"
						   "limits: {memory: 2MiB}\n"),
			 0);
	assert_int_equal(fixture.spec.limits.total[LIMIT_MEMORY].demand, DEMAND_REQUIRED);
	assert_int_equal(fixture.spec.limits.total[LIMIT_MEMORY].value, 2 << 20);
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(processors),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(swap_goes_with_memory),
		cmocka_unit_test(swap_is_explained),
		cmocka_unit_test(wishes_of_a_child),
	};

	return cmocka_run_group_tests_name("policy/limits", tests, NULL, NULL);
}
