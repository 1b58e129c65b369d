/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of limits and files; see table.h. */
#include "cgroup/table.h"

#include <unistd.h>

#include "base/str.h"

enum { PERIOD_US = 100000, USUAL_SHARES = 1024, LEAST_SHARES = 2 };

static const struct {
	const char *v1;
	const char *v2;
} names[CGROUP_CONTROLLERS] = {
	[CGROUP_PIDS] = {"pids", "pids"},
	[CGROUP_MEMORY] = {"memory", "memory"},
	[CGROUP_CPU] = {"cpu", "cpu"},
	[CGROUP_CPUACCT] = {"cpuacct", NULL}, /* every group of v2 has cpu.stat */
	[CGROUP_CPUSET] = {"cpuset", "cpuset"},
	[CGROUP_IO] = {"blkio", "io"},
	[CGROUP_FREEZER] = {"freezer", NULL}, /* every group of v2 has cgroup.freeze */
};

const char *const cgroup_controller_names[CGROUP_CONTROLLERS] = {
	"pids", "memory", "cpu", "cpuacct", "cpuset", "io", "freezer",
};

const char *cgroup_controller_name(enum cgroup_controller controller, enum cgroup_version version)
{
	return version == CGROUP_V1 ? names[controller].v1 : names[controller].v2;
}

enum cgroup_controller cgroup_controller_of(enum spec_limit limit)
{
	static const enum cgroup_controller of[SPEC_LIMITS] = {
		[LIMIT_PIDS] = CGROUP_PIDS,          [LIMIT_MEMORY] = CGROUP_MEMORY,
		[LIMIT_SWAP] = CGROUP_MEMORY,        [LIMIT_CPUS] = CGROUP_CPU,
		[LIMIT_CPU_WEIGHT] = CGROUP_CPU,     [LIMIT_CPUSET] = CGROUP_CPUSET,
		[LIMIT_IO_READ] = CGROUP_IO,         [LIMIT_IO_WRITE] = CGROUP_IO,
		[LIMIT_CPU_TIME] = CGROUP_CPUACCT,   [LIMIT_IDLE_TIME] = CGROUP_CPUACCT,
		[LIMIT_OUTPUT] = CGROUP_CONTROLLERS,
	};

	return of[limit];
}

/* ---- forms ---- */

static void put_number(uint64_t value, char *buf, size_t size)
{
	str_format(buf, size, "%llu", (unsigned long long)value);
}

static void format_pids(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			size_t size)
{
	put_number(spec->total[LIMIT_PIDS].value + extra_tasks, buf, size);
}

static void format_memory(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			  size_t size)
{
	(void)extra_tasks;
	put_number(spec->total[LIMIT_MEMORY].value, buf, size);
}

/* v1 counts memory and swap together. */
static void format_memory_and_swap(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
				   size_t size)
{
	uint64_t sum;

	(void)extra_tasks;
	if (__builtin_add_overflow(spec->total[LIMIT_MEMORY].value, spec->total[LIMIT_SWAP].value,
				   &sum) ||
	    sum > INT64_MAX)
		sum = INT64_MAX;
	put_number(sum, buf, size);
}

static void format_swap(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			size_t size)
{
	(void)extra_tasks;
	put_number(spec->total[LIMIT_SWAP].value, buf, size);
}

static uint64_t quota_us(const struct spec_limits *spec)
{
	return spec->total[LIMIT_CPUS].value / (1000000 / PERIOD_US);
}

static void format_quota(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			 size_t size)
{
	(void)extra_tasks;
	put_number(quota_us(spec), buf, size);
}

static void format_period(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			  size_t size)
{
	(void)spec;
	(void)extra_tasks;
	put_number(PERIOD_US, buf, size);
}

static void format_max(const struct spec_limits *spec, uint32_t extra_tasks, char *buf, size_t size)
{
	(void)extra_tasks;
	str_format(buf, size, "%llu %d", (unsigned long long)quota_us(spec), PERIOD_US);
}

static void format_weight(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			  size_t size)
{
	(void)extra_tasks;
	put_number(spec->total[LIMIT_CPU_WEIGHT].value, buf, size);
}

static void format_shares(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			  size_t size)
{
	uint64_t shares = spec->total[LIMIT_CPU_WEIGHT].value * USUAL_SHARES / SPEC_USUAL_WEIGHT;

	(void)extra_tasks;
	put_number(shares < LEAST_SHARES ? LEAST_SHARES : shares, buf, size);
}

void cgroup_format_cpuset(const struct spec_limits *spec, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < SPEC_CPUS_MAX; i++) {
		size_t last = i;

		if ((spec->cpuset[i / 64] >> (i % 64) & 1) == 0)
			continue;
		while (last + 1 < SPEC_CPUS_MAX &&
		       (spec->cpuset[(last + 1) / 64] >> ((last + 1) % 64) & 1) != 0)
			last++;
		len += str_format(buf + len, size - len, "%s%zu", len > 0 ? "," : "", i);
		if (last > i)
			len += str_format(buf + len, size - len, "-%zu", last);
		i = last;
	}
}

static void format_cpuset(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
			  size_t size)
{
	(void)extra_tasks;
	cgroup_format_cpuset(spec, buf, size);
}

/* ---- the table: in the order of writing ---- */

const struct cgroup_limit_row cgroup_limit_rows[] = {
	{LIMIT_PIDS, CGROUP_V1, "pids.max", format_pids, false},
	{LIMIT_PIDS, CGROUP_V2, "pids.max", format_pids, false},
	{LIMIT_MEMORY, CGROUP_V1, "memory.limit_in_bytes", format_memory, true},
	/* Buffers of sockets have a count of their own there, which is none without a limit
	 * (cgroup-v1/memory.rst, 2.7.2). */
	{LIMIT_MEMORY, CGROUP_V1, "memory.kmem.tcp.limit_in_bytes", format_memory, true},
	{LIMIT_MEMORY, CGROUP_V2, "memory.max", format_memory, true},
	/* Not below the limit of memory alone, so behind it. */
	{LIMIT_SWAP, CGROUP_V1, "memory.memsw.limit_in_bytes", format_memory_and_swap, true},
	{LIMIT_SWAP, CGROUP_V2, "memory.swap.max", format_swap, true},
	{LIMIT_CPUS, CGROUP_V1, "cpu.cfs_period_us", format_period, false},
	{LIMIT_CPUS, CGROUP_V1, "cpu.cfs_quota_us", format_quota, false},
	{LIMIT_CPUS, CGROUP_V2, "cpu.max", format_max, false},
	{LIMIT_CPU_WEIGHT, CGROUP_V1, "cpu.shares", format_shares, false},
	{LIMIT_CPU_WEIGHT, CGROUP_V2, "cpu.weight", format_weight, false},
	{LIMIT_CPUSET, CGROUP_V1, "cpuset.cpus", format_cpuset, false},
	{LIMIT_CPUSET, CGROUP_V2, "cpuset.cpus", format_cpuset, false},
	{LIMIT_IO_READ, CGROUP_V1, "blkio.throttle.read_bps_device", NULL, false},
	{LIMIT_IO_WRITE, CGROUP_V1, "blkio.throttle.write_bps_device", NULL, false},
	{LIMIT_IO_READ, CGROUP_V2, "io.max", NULL, false},
	{LIMIT_IO_WRITE, CGROUP_V2, "io.max", NULL, false},
};

const size_t cgroup_n_limit_rows = sizeof(cgroup_limit_rows) / sizeof(cgroup_limit_rows[0]);
