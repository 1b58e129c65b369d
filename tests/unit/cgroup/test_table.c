/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/table.c: what is written for each limit, and what counts as the same when read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cgroup/table.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void forms(void **state)
{
	static const struct {
		enum spec_limit limit;
		enum cgroup_version version;
		const char *file;
		uint64_t value;
		const char *text;
	} rows[] = {
		{LIMIT_PIDS, CGROUP_V1, "pids.max", 16, "17"},
		{LIMIT_PIDS, CGROUP_V2, "pids.max", 1, "2"},
		{LIMIT_MEMORY, CGROUP_V1, "memory.limit_in_bytes", 1 << 28, "268435456"},
		{LIMIT_MEMORY, CGROUP_V1, "memory.kmem.tcp.limit_in_bytes", 1 << 28, "268435456"},
		{LIMIT_MEMORY, CGROUP_V2, "memory.max", INT64_MAX, "9223372036854775807"},
		/* Together with memory, which is 100 here. */
		{LIMIT_SWAP, CGROUP_V1, "memory.memsw.limit_in_bytes", 0, "100"},
		{LIMIT_SWAP, CGROUP_V1, "memory.memsw.limit_in_bytes", 5, "105"},
		{LIMIT_SWAP, CGROUP_V1, "memory.memsw.limit_in_bytes", INT64_MAX,
		 "9223372036854775807"},
		{LIMIT_SWAP, CGROUP_V1, "memory.memsw.limit_in_bytes", UINT64_MAX,
		 "9223372036854775807"},
		{LIMIT_SWAP, CGROUP_V2, "memory.swap.max", 0, "0"},
		{LIMIT_CPUS, CGROUP_V1, "cpu.cfs_period_us", 500000, "100000"},
		{LIMIT_CPUS, CGROUP_V1, "cpu.cfs_quota_us", 500000, "50000"},
		{LIMIT_CPUS, CGROUP_V1, "cpu.cfs_quota_us", 10000, "1000"},
		{LIMIT_CPUS, CGROUP_V2, "cpu.max", 2500000, "250000 100000"},
		{LIMIT_CPU_WEIGHT, CGROUP_V1, "cpu.shares", 100, "1024"},
		{LIMIT_CPU_WEIGHT, CGROUP_V1, "cpu.shares", 1, "10"},
		{LIMIT_CPU_WEIGHT, CGROUP_V1, "cpu.shares", 10000, "102400"},
		{LIMIT_CPU_WEIGHT, CGROUP_V2, "cpu.weight", 50, "50"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct spec_limits spec = {.n_rlimits = 0};
		bool found = false;

		spec.total[LIMIT_MEMORY].value = 100;
		spec.total[rows[i].limit].value = rows[i].value;
		for (size_t k = 0; k < cgroup_n_limit_rows; k++) {
			const struct cgroup_limit_row *row = &cgroup_limit_rows[k];
			char text[CGROUP_VALUE_MAX];

			if (row->limit != rows[i].limit || row->version != rows[i].version ||
			    !str_equal(row->file, rows[i].file))
				continue;
			found = true;
			row->format(&spec, 1, text, sizeof(text));
			assert_string_equal(text, rows[i].text);
		}
		assert_true(found);
	}
}

/* Each limit of a group has a file in both versions. Swap stands behind memory: v1 refuses a sum
 * that is smaller than its part. */
static void every_limit_has_rows(void **state)
{
	size_t memory = 0, swap = 0;

	(void)state;
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++) {
		enum cgroup_controller c = cgroup_controller_of(limit);
		unsigned versions = 0;

		for (size_t k = 0; k < cgroup_n_limit_rows; k++)
			if (cgroup_limit_rows[k].limit == limit)
				versions |= cgroup_limit_rows[k].version;
		/* Looked at by the keeper, not set. */
		if (c == CGROUP_CONTROLLERS || c == CGROUP_CPUACCT)
			assert_int_equal(versions, 0);
		else
			assert_int_equal(versions, CGROUP_V1 | CGROUP_V2);
	}
	for (size_t k = 0; k < cgroup_n_limit_rows; k++) {
		if (cgroup_limit_rows[k].limit == LIMIT_MEMORY)
			memory = k;
		if (cgroup_limit_rows[k].limit == LIMIT_SWAP && swap == 0)
			swap = k;
	}
	assert_true(memory < swap);
}

static void processors(void **state)
{
	static const struct {
		uint64_t first, second, last;
		const char *text;
	} rows[] = {
		{1, 0, 0, "0"},
		{3, 0, 0, "0-1"},
		{0x13, 0, 0, "0-1,4"},
		{1ULL << 63, 1, 0, "63-64"},
		{0, 0, 1ULL << 63, "1023"},
		{UINT64_MAX, 2, 0, "0-63,65"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct spec_limits spec = {.n_rlimits = 0};
		char text[CGROUP_VALUE_MAX];

		spec.cpuset[0] = rows[i].first;
		spec.cpuset[1] = rows[i].second;
		spec.cpuset[SPEC_CPUS_MAX / 64 - 1] = rows[i].last;
		cgroup_format_cpuset(&spec, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void reading_back(void **state)
{
	static const struct {
		const char *wanted, *found;
		bool in_pages, same;
	} rows[] = {
		{"17", "17", false, true},
		{"17", "18", false, false},
		{"17", "", false, false},
		{"17", "max", false, false},
		{"5000", "4096", false, false},
		{"5000", "4096", true, true},
		{"4096", "8192", true, false},
		{"4096", "0", true, false},
		{"4096", "max", true, false},
		{"9223372036854775807", "9223372036854771712", true, true},
		{"9223372036854775807", "max", true, true},
		{"1000000000000", "max", true, false},
		{"50000 100000", "50000 100000", false, true},
		{"50000 100000", "max 100000", false, false},
		{"x", "y", true, false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		print_message("%s, %s\n", rows[i].wanted, rows[i].found);
		assert_int_equal(cgroup_reads_back(rows[i].wanted, rows[i].found, rows[i].in_pages),
				 rows[i].same);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(every_limit_has_rows),
		cmocka_unit_test(processors),
		cmocka_unit_test(reading_back),
	};

	return cmocka_run_group_tests_name("cgroup/table", tests, NULL, NULL);
}
