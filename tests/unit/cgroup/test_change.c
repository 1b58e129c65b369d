/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/change.c, in ordinary files: what counts as more than before, and what a change that was
 * cut off has left. That the kernel's files are changed is in tests/life/update.bats and
 * tests/crash/update.bats. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "cgroup/cgroup.h"
#include "tests/lib/scratch.h"

enum { ALL = (1 << CGROUP_CONTROLLERS) - 1, MEBI = 1 << 20 };

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

static struct cgroup group_of(enum cgroup_version version)
{
	struct cgroup group = {.n = 1, .oom_event_fd = -1};

	group.places[0].version = version;
	group.places[0].controllers = ALL;
	group.places[0].dir_fd = dir.fd;
	return group;
}

static void demand(struct spec_limits *limits, enum spec_limit limit, uint64_t value)
{
	limits->total[limit].demand = DEMAND_REQUIRED;
	limits->total[limit].value = value;
}

/* One limit alone, 0 for none, against the group as it is. */
static bool loosens(enum cgroup_version version, enum spec_limit limit, uint64_t value)
{
	struct cgroup group = group_of(version);
	struct spec_limits limits = {.n_rlimits = 0};

	if (value != 0)
		demand(&limits, limit, value);
	return cgroup_would_loosen(&group, &limits, limit, 1);
}

static bool loosens_memory(enum cgroup_version version, uint64_t memory, uint64_t swap)
{
	struct cgroup group = group_of(version);
	struct spec_limits limits = {.n_rlimits = 0};
	bool result;

	demand(&limits, LIMIT_MEMORY, memory);
	demand(&limits, LIMIT_SWAP, swap);
	result = cgroup_would_loosen(&group, &limits, LIMIT_MEMORY, 1);
	/* The two go together. */
	assert_int_equal(cgroup_would_loosen(&group, &limits, LIMIT_SWAP, 1), result);
	return result;
}

static bool loosens_cpuset(enum cgroup_version version, uint64_t processors)
{
	struct cgroup group = group_of(version);
	struct spec_limits limits = {.n_rlimits = 0};

	demand(&limits, LIMIT_CPUSET, 1);
	limits.cpuset[0] = processors;
	return cgroup_would_loosen(&group, &limits, LIMIT_CPUSET, 1);
}

static void numbers(void **state)
{
	(void)state;
	scratch_file(&dir, "pids.max", 0644, "21\n");
	scratch_file(&dir, "cpu.cfs_period_us", 0644, "100000\n");
	scratch_file(&dir, "cpu.cfs_quota_us", 0644, "50000\n");
	scratch_file(&dir, "cpu.shares", 0644, "1024\n");
	scratch_file(&dir, "cpu.max", 0644, "50000 100000\n");
	scratch_file(&dir, "cpu.weight", 0644, "100\n");
	for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
		/* One task is ours. */
		assert_false(loosens(v, LIMIT_PIDS, 19));
		assert_false(loosens(v, LIMIT_PIDS, 20));
		assert_true(loosens(v, LIMIT_PIDS, 21));
		assert_true(loosens(v, LIMIT_PIDS, 0));
		assert_false(loosens(v, LIMIT_CPUS, 500000));
		assert_true(loosens(v, LIMIT_CPUS, 600000));
		assert_true(loosens(v, LIMIT_CPUS, 0));
		assert_false(loosens(v, LIMIT_CPU_WEIGHT, 100));
		assert_true(loosens(v, LIMIT_CPU_WEIGHT, 200));
		assert_false(loosens(v, LIMIT_CPU_WEIGHT, 0)); /* the usual one */
	}
	scratch_file(&dir, "pids.max", 0644, "max\n");
	scratch_file(&dir, "cpu.cfs_quota_us", 0644, "-1\n");
	scratch_file(&dir, "cpu.max", 0644, "max 100000\n");
	for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
		assert_false(loosens(v, LIMIT_PIDS, 1000));
		assert_false(loosens(v, LIMIT_CPUS, 600000));
	}
}

static void memory(void **state)
{
	(void)state;
	scratch_file(&dir, "memory.limit_in_bytes", 0644, "67108864\n");
	scratch_file(&dir, "memory.kmem.tcp.limit_in_bytes", 0644, "67108864\n");
	scratch_file(&dir, "memory.memsw.limit_in_bytes", 0644, "100663296\n");
	scratch_file(&dir, "memory.max", 0644, "67108864\n");
	scratch_file(&dir, "memory.swap.max", 0644, "33554432\n");
	for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
		assert_false(loosens_memory(v, 64 * MEBI, 32 * MEBI));
		assert_true(loosens_memory(v, 65 * MEBI, 32 * MEBI));
		assert_false(loosens_memory(v, 63 * MEBI, 32 * MEBI));
		/* Swap alone. */
		assert_true(loosens_memory(v, 64 * MEBI, 33 * MEBI));
		assert_false(loosens_memory(v, 64 * MEBI, 0));
	}
}

static void processors(void **state)
{
	(void)state;
	scratch_file(&dir, "cpuset.cpus", 0644, "0-1,4\n");
	for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
		assert_false(loosens_cpuset(v, 0x13));
		assert_false(loosens_cpuset(v, 0x01));
		assert_true(loosens_cpuset(v, 0x04));
		assert_true(loosens_cpuset(v, 0x17));
		assert_true(loosens(v, LIMIT_CPUSET, 0));
	}
	/* Those of the group above. */
	scratch_file(&dir, "cpuset.cpus", 0644, "\n");
	assert_false(loosens_cpuset(CGROUP_V2, 0x04));
}

static void devices(void **state)
{
	(void)state;
	scratch_file(&dir, "blkio.throttle.read_bps_device", 0644, "8:0 2000\n8:16 1000\n");
	scratch_file(&dir, "io.max", 0644,
		     "8:0 rbps=2000 wbps=500 riops=max wiops=max\n"
		     "8:16 rbps=1000 wbps=max riops=max wiops=max\n");
	for (enum cgroup_version v = CGROUP_V1; v <= CGROUP_V2; v++) {
		assert_false(loosens(v, LIMIT_IO_READ, 1000));
		assert_true(loosens(v, LIMIT_IO_READ, 1001));
		assert_true(loosens(v, LIMIT_IO_READ, 0));
	}
	assert_false(loosens(CGROUP_V2, LIMIT_IO_WRITE, 500));
	assert_true(loosens(CGROUP_V2, LIMIT_IO_WRITE, 501));
	scratch_file(&dir, "io.max", 0644, "");
	assert_false(loosens(CGROUP_V2, LIMIT_IO_READ, 5000));
}

/* Whoever is killed while memory is freed leaves memory.high. */
static void freed(void **state)
{
	struct cgroup group = group_of(CGROUP_V2);
	struct spec_limits limits = {.n_rlimits = 0};
	struct err err = {0};
	char text[64];

	(void)state;
	scratch_file(&dir, "memory.current", 0644, "4096\n");
	scratch_file(&dir, "memory.max", 0644, "33554432");
	scratch_file(&dir, "memory.high", 0644, "max");
	unlinkat(dir.fd, "memory.swap.max", 0);
	/* As long as what it overwrites: these are files that keep what is behind. */
	scratch_file(&dir, "memory.high", 0644, "123");
	demand(&limits, LIMIT_MEMORY, 64 * MEBI);
	demand(&limits, LIMIT_SWAP, 0);
	group.places[0].controllers = 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY;
	assert_int_equal(cgroup_change(&group, &limits, 1U << LIMIT_MEMORY, 1, &err), 0);
	assert_true(io_read_text(dir.fd, "memory.high", text, sizeof(text)) > 0);
	assert_string_equal(text, "max");
	assert_true(io_read_text(dir.fd, "memory.max", text, sizeof(text)) > 0);
	assert_string_equal(text, "67108864");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(memory), cmocka_unit_test(processors),
		cmocka_unit_test(devices), cmocka_unit_test(freed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
