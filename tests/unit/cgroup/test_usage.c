/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/usage.c: files as the kernel writes them, and ones that are missing or are no numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cgroup/cgroup.h"
#include "tests/lib/scratch.h"

enum { ALL = (1 << CGROUP_CONTROLLERS) - 1 };

static struct scratch dir;

static int set_up(void **state)
{
	(void)state;
	scratch_make(&dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(&dir);
	return 0;
}

static struct cgroup_usage read_as(enum cgroup_version version, uint32_t controllers)
{
	struct cgroup group = {.n = 1, .oom_event_fd = -1};
	struct cgroup_usage usage;

	group.places[0].version = version;
	group.places[0].controllers = controllers;
	group.places[0].dir_fd = dir.fd;
	cgroup_read_usage(&group, CGROUP_NOW | CGROUP_TOTALS, &usage);
	return usage;
}

static void version_1(void **state)
{
	struct cgroup_usage usage;

	(void)state;
	scratch_file(&dir, "memory.usage_in_bytes", 0644, "4096\n");
	scratch_file(&dir, "memory.max_usage_in_bytes", 0644, "25165824\n");
	scratch_file(&dir, "memory.stat", 0644, "cache 1\nswap 77\ntotal_swap 78\n");
	scratch_file(&dir, "memory.oom_control", 0644,
		     "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n");
	scratch_file(&dir, "pids.current", 0644, "2\n");
	scratch_file(&dir, "pids.peak", 0644, "5\n");
	scratch_file(&dir, "pids.events", 0644, "max 4\n");
	scratch_file(&dir, "cpuacct.usage", 0644, "1234567\n");
	scratch_file(&dir, "cpuacct.usage_user", 0644, "1000000\n");
	scratch_file(&dir, "cpuacct.usage_sys", 0644, "234567\n");
	scratch_file(&dir, "blkio.throttle.io_service_bytes", 0644,
		     "254:0 Read 8192\n254:0 Write 100\n254:0 Sync 1\n7:0 Read 8\n7:0 Write 1\n"
		     "Total 8301\n");
	usage = read_as(CGROUP_V1, ALL);
	assert_int_equal(usage.memory_bytes, 4096);
	assert_int_equal(usage.memory_peak_bytes, 25165824);
	assert_int_equal(usage.swap_bytes, 77);
	assert_int_equal(usage.oom_kills, 3);
	assert_int_equal(usage.memory_limit_hits, CGROUP_UNKNOWN);
	assert_int_equal(usage.pids, 2);
	assert_int_equal(usage.pids_peak, 5);
	assert_int_equal(usage.pids_refused, 4);
	assert_int_equal(usage.cpu_us, 1234);
	assert_int_equal(usage.cpu_user_us, 1000);
	assert_int_equal(usage.cpu_system_us, 234);
	assert_int_equal(usage.io_read_bytes, 8200);
	assert_int_equal(usage.io_write_bytes, 101);
	/* What the group has no controller for is not measured, whatever files there are. */
	usage = read_as(CGROUP_V1, 1U << CGROUP_PIDS);
	assert_int_equal(usage.pids, 2);
	assert_int_equal(usage.memory_bytes, CGROUP_UNKNOWN);
	assert_int_equal(usage.cpu_us, CGROUP_UNKNOWN);
	assert_int_equal(usage.io_read_bytes, CGROUP_UNKNOWN);
}

static void version_2(void **state)
{
	struct cgroup_usage usage;

	(void)state;
	scratch_file(&dir, "memory.current", 0644, "1\n");
	scratch_file(&dir, "memory.peak", 0644, "2\n");
	scratch_file(&dir, "memory.swap.current", 0644, "3\n");
	scratch_file(&dir, "memory.events", 0644,
		     "low 0\nhigh 0\nmax 9\noom 1\noom_kill 2\noom_group_kill 1\n");
	scratch_file(&dir, "cpu.stat", 0644, "usage_usec 30\nuser_usec 20\nsystem_usec 10\n");
	scratch_file(&dir, "io.stat", 0644,
		     "254:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n"
		     "7:0 rbytes=1 wbytes=2 rios=1 wios=1\n");
	usage = read_as(CGROUP_V2, ALL);
	assert_int_equal(usage.memory_bytes, 1);
	assert_int_equal(usage.memory_peak_bytes, 2);
	assert_int_equal(usage.swap_bytes, 3);
	assert_int_equal(usage.oom_kills, 2);
	assert_int_equal(usage.memory_limit_hits, 1);
	assert_int_equal(usage.pids_peak, CGROUP_UNKNOWN); /* as on Linux 6.1 */
	assert_int_equal(usage.cpu_us, 30);
	assert_int_equal(usage.cpu_user_us, 20);
	assert_int_equal(usage.cpu_system_us, 10);
	assert_int_equal(usage.io_read_bytes, 11);
	assert_int_equal(usage.io_write_bytes, 22);
}

/* What was not asked for is unknown, whatever files there are. */
static void parts(void **state)
{
	struct cgroup group = {.n = 1, .oom_event_fd = -1};
	struct cgroup_usage now, totals;

	(void)state;
	scratch_file(&dir, "memory.current", 0644, "1\n");
	scratch_file(&dir, "memory.peak", 0644, "2\n");
	scratch_file(&dir, "memory.events", 0644, "oom 1\noom_kill 2\n");
	scratch_file(&dir, "cpu.stat", 0644, "usage_usec 30\nuser_usec 20\nsystem_usec 10\n");
	group.places[0].version = CGROUP_V2;
	group.places[0].controllers = ALL;
	group.places[0].dir_fd = dir.fd;
	cgroup_read_usage(&group, CGROUP_NOW, &now);
	cgroup_read_usage(&group, CGROUP_TOTALS, &totals);
	assert_int_equal(now.memory_bytes, 1);
	assert_int_equal(totals.memory_bytes, CGROUP_UNKNOWN);
	assert_int_equal(now.memory_peak_bytes, CGROUP_UNKNOWN);
	assert_int_equal(totals.memory_peak_bytes, 2);
	assert_int_equal(now.oom_kills, CGROUP_UNKNOWN);
	assert_int_equal(totals.oom_kills, 2);
	assert_int_equal(totals.memory_limit_hits, 1);
	assert_int_equal(now.cpu_us, 30);
	assert_int_equal(totals.cpu_us, 30);
	assert_int_equal(now.cpu_user_us, CGROUP_UNKNOWN);
	assert_int_equal(totals.cpu_system_us, 10);
}

/* Never 0 for what could not be read. */
static void not_measured(void **state)
{
	static const char *const texts[] = {"",    "\n", "max\n", "-\n", "99999999999999999999\n",
					    "-1\n"};
	struct cgroup none = {.n = 0};
	struct cgroup_usage usage = read_as(CGROUP_V1, ALL);

	(void)state;
	assert_int_equal(usage.memory_bytes, CGROUP_UNKNOWN);
	assert_int_equal(usage.cpu_us, CGROUP_UNKNOWN);
	assert_int_equal(usage.io_write_bytes, CGROUP_UNKNOWN);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		scratch_file(&dir, "memory.usage_in_bytes", 0644, texts[i]);
		scratch_file(&dir, "memory.oom_control", 0644, texts[i]);
		usage = read_as(CGROUP_V1, ALL);
		assert_int_equal(usage.memory_bytes, CGROUP_UNKNOWN);
		assert_int_equal(usage.oom_kills, CGROUP_UNKNOWN);
	}
	assert_int_equal(cgroup_read_cpu_us(&none), CGROUP_UNKNOWN);
}

/* The place with the controller, not the first. */
static void time_alone(void **state)
{
	struct cgroup group = {.n = 2, .oom_event_fd = -1};

	(void)state;
	scratch_file(&dir, "cpuacct.usage", 0644, "7000\n");
	for (size_t i = 0; i < 2; i++) {
		group.places[i].version = CGROUP_V1;
		group.places[i].dir_fd = i == 0 ? -1 : dir.fd;
		group.places[i].controllers = 1U << (i == 0 ? CGROUP_PIDS : CGROUP_CPUACCT);
	}
	assert_int_equal(cgroup_read_cpu_us(&group), 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(version_1, set_up, tear_down),
		cmocka_unit_test_setup_teardown(version_2, set_up, tear_down),
		cmocka_unit_test_setup_teardown(parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(not_measured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(time_alone, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cgroup/usage", tests, NULL, NULL);
}
