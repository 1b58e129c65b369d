/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/preflight_limits.c, limits_text.c and limits.c: which limits are held, by what, what is
 * said where one cannot be, and which of them ended a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/str.h"
#include "launcher/limits.h"
#include "launcher/limits_text.h"
#include "tests/lib/decision_fixture.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct decision d;
static struct misses misses;

/* A user on a host of v1 (or v2) where groups can be made. */
static void host(enum cgroup_version version)
{
	struct cgroup_facts *facts;

	decision_as_user(&d);
	facts = &d.facts.cgroup;
	facts->n_hierarchies = 1;
	facts->n_cpus = 2;
	facts->hierarchies[0] = (struct cgroup_hierarchy){.version = version,
							  .controllers = 0x3f,
							  .present = 0x3f,
							  .top = "/c",
							  .parent = "/c/own",
							  .parent_path = "/own"};
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		facts->obstacle[c] = CGROUP_USABLE;
		facts->version[c] = version;
	}
}

static void ask(enum spec_limit limit, enum spec_demand demand, uint64_t value)
{
	d.spec.limits.total[limit] =
		(struct spec_total){.demand = demand,
				    .value = value,
				    .origin = {.file = "p.yaml", .line = 10 + limit}};
}

static void decide(void)
{
	memset(&misses, 0, sizeof(misses));
	preflight_limits(&d, &misses);
}

static void each_limit_has_its_controller(void **state)
{
	static const struct {
		enum spec_limit limit;
		enum cgroup_controller controller;
	} rows[] = {
		{LIMIT_PIDS, CGROUP_PIDS},        {LIMIT_MEMORY, CGROUP_MEMORY},
		{LIMIT_CPUS, CGROUP_CPU},         {LIMIT_CPU_WEIGHT, CGROUP_CPU},
		{LIMIT_CPUSET, CGROUP_CPUSET},    {LIMIT_IO_READ, CGROUP_IO},
		{LIMIT_CPU_TIME, CGROUP_CPUACCT},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
			host(v);
			ask(rows[i].limit, DEMAND_REQUIRED, 1);
			assert_true(limits_want_group(&d));
			decide();
			assert_int_equal(misses.n, 0);
			assert_int_equal(d.limits.enforced, 1U << rows[i].limit);
			assert_int_equal(d.limits.controllers, 1U << rows[i].controller);
			assert_true(limits_has_group(&d));
			assert_int_equal(limits_has_v1_group(&d), v == CGROUP_V1);
		}
	host(CGROUP_V1);
	assert_false(limits_want_group(&d));
	decide();
	assert_false(limits_has_group(&d));
}

/* Facts that nobody has probed are no promise. */
static void nothing_is_enforced_unseen(void **state)
{
	(void)state;
	decision_as_user(&d);
	ask(LIMIT_MEMORY, DEMAND_REQUIRED, 1 << 20);
	decide();
	assert_int_equal(misses.n, 1);
	assert_int_equal(d.limits.enforced, 0);
}

static void obstacles(void **state)
{
	static const struct {
		enum cgroup_obstacle obstacle;
		enum cgroup_version version;
		bool has_systemd;
		const char *text;
		const char *hint;
	} rows[] = {
		{CGROUP_ABSENT, 0, false, "no such control group", "mount -t cgroup2"},
		{CGROUP_NOT_SHOWN, CGROUP_V1, false, "not shown here", "Mount the control groups"},
		{CGROUP_NO_PARENT, CGROUP_V1, false, "--cgroup-parent gives",
		 "mkdir -p $d/own && chown 1000"},
		{CGROUP_NO_PARENT, CGROUP_V2, false, "--cgroup-parent gives",
		 "Make it: mkdir -p /c/own"},
		{CGROUP_READ_ONLY, CGROUP_V1, false, "read-only",
		 "writable): mount -o remount,bind,rw /c"},
		{CGROUP_NOT_DELEGATED, CGROUP_V1, false, "may not make",
		 "for d in /c; do mkdir -p $d/cordon-1000 && chown 1000 $d/cordon-1000 "
		 "$d/cordon-1000/cgroup.procs; done"},
		{CGROUP_NOT_DELEGATED, CGROUP_V2, true, "may not make", "systemd-run --user"},
		{CGROUP_NOT_DELEGATED, CGROUP_V2, false, "may not make",
		 "echo +memory >/c/cgroup.subtree_control; D=/c/cordon-1000; mkdir -p $D/caller; "
		 "chown 1000 $D "},
		{CGROUP_NOT_ENABLED, CGROUP_V2, false, "not got this controller",
		 "echo +memory >cgroup.subtree_control"},
		{CGROUP_BUSY, CGROUP_V2, false, "processes of its own", "no internal processes"},
	};

	char remedy[2048];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		host(rows[i].version != 0 ? rows[i].version : CGROUP_V1);
		d.facts.has_systemd = rows[i].has_systemd;
		d.facts.cgroup.obstacle[CGROUP_MEMORY] = rows[i].obstacle;
		d.facts.cgroup.version[CGROUP_MEMORY] = rows[i].version;
		ask(LIMIT_MEMORY, DEMAND_REQUIRED, 1 << 20);
		decide();
		assert_int_equal(misses.n, 1);
		snprintf(remedy, sizeof(remedy), "%s %s", misses.list[0].hint,
			 misses.list[0].command);
		print_message("%s / %s\n", misses.list[0].text, remedy);
		assert_string_equal(misses.list[0].key, "limits.memory");
		assert_int_equal(misses.list[0].origin.line, 10 + LIMIT_MEMORY);
		assert_non_null(strstr(misses.list[0].text, rows[i].text));
		assert_non_null(strstr(remedy, rows[i].hint));
		assert_int_equal(d.limits.enforced, 0);
		assert_int_equal(d.limits.controllers, 0);
		/* A wish is left out and written down. */
		ask(LIMIT_MEMORY, DEMAND_WHEN_POSSIBLE, 1 << 20);
		d.n_not_enforced = 0;
		decide();
		assert_int_equal(misses.n, 0);
		assert_int_equal(d.n_not_enforced, 1);
		assert_string_equal(d.not_enforced[0], "limits.memory");
		assert_int_equal(d.limits.controllers, 0);
	}
}

static void swap(void **state)
{
	(void)state;
	for (int has_swap = 0; has_swap < 2; has_swap++)
		for (int counts = 0; counts < 2; counts++) {
			char by[LIMITS_TEXT_MAX];
			bool holds = counts || !has_swap;

			host(CGROUP_V1);
			d.facts.cgroup.has_uncounted_swap = has_swap && !counts;
			d.facts.cgroup.counts_swap = counts;
			ask(LIMIT_MEMORY, DEMAND_REQUIRED, 1 << 20);
			ask(LIMIT_SWAP, DEMAND_REQUIRED, 0);
			decide();
			assert_int_equal(misses.n, holds ? 0 : 1);
			assert_int_equal((d.limits.enforced & 1U << LIMIT_SWAP) != 0, counts);
			assert_int_equal(limits_text_carrier(&d, LIMIT_SWAP, by, sizeof(by)),
					 holds);
			if (!holds)
				assert_non_null(strstr(misses.list[0].hint, "swapoff -a"));
			ask(LIMIT_SWAP, DEMAND_WHEN_POSSIBLE, 0);
			d.n_not_enforced = 0;
			decide();
			assert_int_equal(misses.n, 0);
			assert_int_equal(d.n_not_enforced, holds ? 0 : 1);
		}
	/* One line for both where neither can be had. */
	host(CGROUP_V1);
	d.facts.cgroup.obstacle[CGROUP_MEMORY] = CGROUP_NOT_DELEGATED;
	ask(LIMIT_MEMORY, DEMAND_REQUIRED, 1 << 20);
	ask(LIMIT_SWAP, DEMAND_REQUIRED, 0);
	d.spec.limits.total[LIMIT_SWAP].origin = d.spec.limits.total[LIMIT_MEMORY].origin;
	decide();
	assert_int_equal(misses.n, 1);
}

static void a_named_group(void **state)
{
	(void)state;
	/* Without a limit the sandbox is in it all the same; nothing has to be switched on for
	 * that. */
	for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
		host(v);
		decide();
		assert_int_equal(d.limits.controllers, 0);
		d.names_group = true;
		assert_true(limits_want_group(&d));
		decide();
		assert_int_equal(d.limits.controllers, 1U << CGROUP_CPUACCT);
		ask(LIMIT_PIDS, DEMAND_REQUIRED, 7);
		decide();
		assert_int_equal(d.limits.controllers, 1U << CGROUP_PIDS);
		assert_int_equal(misses.n, 0);
	}
	/* In each hierarchy that has it; that others do not is no miss. */
	host(CGROUP_V1);
	d.names_group = true;
	d.facts.cgroup.n_hierarchies = 2;
	d.facts.cgroup.hierarchies[1] = d.facts.cgroup.hierarchies[0];
	d.facts.cgroup.hierarchies[0].controllers = 1U << CGROUP_PIDS;
	d.facts.cgroup.hierarchies[1].controllers = 1U << CGROUP_CPU | 1U << CGROUP_MEMORY;
	d.facts.cgroup.obstacle[CGROUP_IO] = CGROUP_NO_PARENT;
	decide();
	assert_int_equal(d.limits.controllers, 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY);
	assert_int_equal(misses.n, 0);
	/* Where it is but may not be used; and nowhere at all. */
	d.facts.cgroup.obstacle[CGROUP_CPUSET] = CGROUP_NOT_DELEGATED;
	decide();
	assert_int_equal(misses.n, 1);
	assert_non_null(strstr(misses.list[0].text, "may not make a control group here (cpuset)"));
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		d.facts.cgroup.obstacle[c] = CGROUP_NO_PARENT;
	decide();
	assert_int_equal(misses.n, 1);
	assert_non_null(strstr(misses.list[0].text, "--cgroup-parent: there is no control group"));
	assert_non_null(strstr(misses.list[0].command, "mkdir -p $d/own"));
	/* Also where a limit is held by other means, or is only wished for. */
	ask(LIMIT_PIDS, DEMAND_REQUIRED, 7);
	ask(LIMIT_MEMORY, DEMAND_WHEN_POSSIBLE, 1 << 20);
	decide();
	assert_int_equal(misses.n, 1);
}

static void write_rates(void **state)
{
	(void)state;
	host(CGROUP_V1);
	ask(LIMIT_IO_WRITE, DEMAND_REQUIRED, 1);
	decide();
	assert_int_equal(misses.n, 1);
	assert_int_equal(d.limits.enforced, 0);
	ask(LIMIT_IO_WRITE, DEMAND_WHEN_POSSIBLE, 1);
	decide();
	assert_int_equal(d.n_not_enforced, 1);
	/* v2 counts it where memory is counted beside it. */
	host(CGROUP_V2);
	ask(LIMIT_IO_WRITE, DEMAND_REQUIRED, 1);
	decide();
	assert_int_equal(misses.n, 0);
	assert_int_equal(d.limits.controllers, 1U << CGROUP_IO | 1U << CGROUP_MEMORY);
	d.facts.cgroup.obstacle[CGROUP_MEMORY] = CGROUP_NOT_ENABLED;
	decide();
	assert_int_equal(misses.n, 1);
}

static void pids_without_a_group(void **state)
{
	char by[LIMITS_TEXT_MAX];

	(void)state;
	host(CGROUP_V1);
	d.facts.cgroup.obstacle[CGROUP_PIDS] = CGROUP_NOT_DELEGATED;
	ask(LIMIT_PIDS, DEMAND_REQUIRED, 7);
	decide();
	assert_int_equal(misses.n, 0);
	assert_true(d.limits.pids_by_nproc);
	assert_int_equal(d.limits.controllers, 0);
	assert_true(limits_text_carrier(&d, LIMIT_PIDS, by, sizeof(by)));
	assert_non_null(strstr(by, "RLIMIT_NPROC"));
	plan_make(&d);
	assert_int_equal(d.plan.nproc_limit, 8); /* and init */
	d.spec.limits.nproc = 3;
	plan_make(&d);
	assert_int_equal(d.plan.nproc_limit, 4);
	/* With a capability the workload could become a second user, with a count of its own. */
	d.spec.capabilities = 1;
	decide();
	assert_int_equal(misses.n, 1);
	assert_false(d.limits.pids_by_nproc);
	/* More than the caller's own hard limit. */
	d.spec.capabilities = 0;
	d.facts.rlimit_hard[RLIMIT_NPROC] = 7;
	decide();
	assert_int_equal(misses.n, 1);
}

/* ---- the end of a run ---- */

static struct scratch dir;
static struct launch launch;

static struct run_result collect(enum cgroup_version version, enum run_kind kind, int64_t exit_code)
{
	struct run_result result = {.kind = kind,
				    .exit_code = exit_code,
				    .signal = RESULT_NONE,
				    RESULT_UNMEASURED};

	launch.decision = &d;
	launch.spec = &d.spec;
	launch.cgroup.n = 1;
	launch.cgroup.places[0].version = version;
	launch.cgroup.places[0].controllers = d.limits.controllers;
	launch.cgroup.places[0].dir_fd = dir.fd;
	limits_collect(&launch, &result);
	return result;
}

static void whose_memory_it_was(void **state)
{
	static const struct {
		enum cgroup_version version;
		const char *peak, *oom;
		bool is_ours;
	} rows[] = {
		{CGROUP_V1, "16777216", "oom_kill 1\n", true},
		{CGROUP_V1, "16600000", "oom_kill 1\n", true},
		{CGROUP_V1, "9000000", "oom_kill 1\n", false},
		{CGROUP_V2, "9000000", "oom 1\noom_kill 1\n", true},
		{CGROUP_V2, "16777216", "oom 0\noom_kill 1\n", false},
	};
	struct run_result result;

	(void)state;
	scratch_make(&dir);
	for (size_t i = 0; i < N(rows); i++) {
		bool is_v1 = rows[i].version == CGROUP_V1;

		host(rows[i].version);
		ask(LIMIT_MEMORY, DEMAND_REQUIRED, 16 << 20);
		decide();
		scratch_file(&dir, is_v1 ? "memory.max_usage_in_bytes" : "memory.peak", 0644,
			     rows[i].peak);
		scratch_file(&dir, is_v1 ? "memory.oom_control" : "memory.events", 0644,
			     rows[i].oom);
		result = collect(rows[i].version, RUN_EXITED, 0);
		assert_int_equal(result.kind, RUN_OOM);
		assert_int_equal(result.signal, 9);
		assert_int_equal(result.exit_code, RESULT_NONE);
		assert_int_equal(result.oom_kills, 1);
		if (rows[i].is_ours)
			assert_string_equal(result.limit, "limits.memory");
		else
			assert_null(result.limit);
	}
	scratch_file(&dir, "memory.events", 0644, "oom 0\noom_kill 0\n");
	result = collect(CGROUP_V2, RUN_EXITED, 0);
	assert_int_equal(result.kind, RUN_EXITED);
	scratch_remove(&dir);
}

static void refused_forks(void **state)
{
	static const struct {
		const char *peak, *refused;
		int64_t exit_code;
		enum run_kind kind;
	} rows[] = {
		{"8", "max 1\n", 1, RUN_PIDS},
		{"8", "max 1\n", 0, RUN_EXITED}, /* it went well all the same */
		{"8", "max 0\n", 1, RUN_EXITED},
		{"5", "max 1\n", 1, RUN_EXITED}, /* a group above */
		{"", "max 1\n", 1, RUN_PIDS},    /* Linux 6.1 has no peak */
	};

	(void)state;
	scratch_make(&dir);
	for (size_t i = 0; i < N(rows); i++) {
		struct run_result result;

		host(CGROUP_V2);
		ask(LIMIT_PIDS, DEMAND_REQUIRED, 7);
		decide();
		scratch_file(&dir, "pids.peak", 0644, rows[i].peak);
		scratch_file(&dir, "pids.events", 0644, rows[i].refused);
		result = collect(CGROUP_V2, RUN_EXITED, rows[i].exit_code);
		assert_int_equal(result.kind, rows[i].kind);
		assert_int_equal(result.exit_code, rows[i].exit_code);
		assert_int_equal(result.limit != NULL, rows[i].kind == RUN_PIDS);
	}
	scratch_remove(&dir);
}

static void processor_time(void **state)
{
	struct run_result result;
	struct limits_watch watch;

	(void)state;
	scratch_make(&dir);
	host(CGROUP_V2);
	ask(LIMIT_CPU_TIME, DEMAND_REQUIRED, 1000);
	decide();
	scratch_file(&dir, "cpu.stat", 0644,
		     "usage_usec 400000\nuser_usec 1000\nsystem_usec 2000\n");
	result = collect(CGROUP_V2, RUN_EXITED, 0);
	assert_int_equal(result.kind, RUN_EXITED);
	assert_int_equal(result.cpu_ms, 400);
	assert_int_equal(result.cpu_user_ms, 1);
	assert_int_equal(result.cpu_system_ms, 2);
	/* Two processors: 600 ms cannot have been used up in less than 300. */
	limits_watch_init(&launch, 5000, &watch);
	assert_int_equal(limits_patience(&watch, 5000), 0);
	assert_int_equal(limits_check(&launch, &watch, 5000), SPEC_LIMITS);
	assert_int_equal(limits_patience(&watch, 5000), 300);
	scratch_file(&dir, "cpu.stat", 0644, "usage_usec 1000000\n");
	assert_int_equal(limits_check(&launch, &watch, 5299), SPEC_LIMITS);
	assert_int_equal(limits_check(&launch, &watch, 5300), LIMIT_CPU_TIME);
	/* What cannot be read any more is not promised any more. */
	scratch_file(&dir, "cpu.stat", 0644, "");
	assert_int_equal(limits_check(&launch, &watch, 5300), LIMIT_CPU_TIME);
	scratch_file(&dir, "cpu.stat", 0644, "usage_usec 1000000\n");
	result = collect(CGROUP_V2, RUN_EXITED, 0);
	assert_int_equal(result.kind, RUN_CPU_TIME);
	assert_int_equal(result.signal, 9);
	assert_string_equal(result.limit, "limits.cpu_time");
	/* Without the limit nobody looks. */
	host(CGROUP_V2);
	decide();
	limits_watch_init(&launch, 5000, &watch);
	assert_int_equal(limits_patience(&watch, 5000), -1);
	scratch_remove(&dir);
}

static void values_as_text(void **state)
{
	static const struct {
		enum spec_limit limit;
		uint64_t value;
		const char *text;
	} rows[] = {
		{LIMIT_PIDS, 7, "7"},
		{LIMIT_MEMORY, 64 << 20, "64MiB"},
		{LIMIT_MEMORY, 1ULL << 31, "2GiB"},
		{LIMIT_MEMORY, (1 << 20) + 1, "1048577B"},
		{LIMIT_SWAP, 0, "0"},
		{LIMIT_CPUS, 500000, "0.50"},
		{LIMIT_CPUS, 1250000, "1.25"},
		{LIMIT_CPUS, 10000, "0.01"},
		{LIMIT_IO_READ, 3 << 10, "3KiB/s"},
		{LIMIT_CPU_TIME, 1500, "1500ms"},
		{LIMIT_CPU_TIME, 2000, "2s"},
		{LIMIT_IDLE_TIME, 600000, "600s"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		char text[256];

		host(CGROUP_V1);
		ask(rows[i].limit, DEMAND_REQUIRED, rows[i].value);
		limits_text_value(&d.spec.limits, rows[i].limit, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++) {
		assert_true(str_has_prefix(limits_key(limit), "limits."));
		assert_string_equal(limits_key(limit) + 7, spec_limit_names[limit]);
	}
	assert_null(limits_key(SPEC_LIMITS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_has_its_controller),
		cmocka_unit_test(nothing_is_enforced_unseen),
		cmocka_unit_test(obstacles),
		cmocka_unit_test(swap),
		cmocka_unit_test(a_named_group),
		cmocka_unit_test(write_rates),
		cmocka_unit_test(pids_without_a_group),
		cmocka_unit_test(whose_memory_it_was),
		cmocka_unit_test(refused_forks),
		cmocka_unit_test(processor_time),
		cmocka_unit_test(values_as_text),
	};

	return cmocka_run_group_tests_name("launcher/limits", tests, NULL, NULL);
}
