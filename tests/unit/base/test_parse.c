/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/parse.c: what each reader takes, and what it refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parse.h"

struct row {
	const char *text;
	int result;
	uint64_t value;
};

static void sizes(void **state)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"64MiB", 0, 64ULL << 20},
		{"1.5GiB", 0, 3ULL << 29},
		{"4096", 0, 4096},
		{"10k", 0, 10240},
		{"1kB", 0, 1000},
		{"0.3", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 MiB", -EINVAL, 0},
		{"1Mib", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999TiB", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 7;

		assert_int_equal(parse_size(rows[i].text, &value), rows[i].result);
		assert_int_equal(value, rows[i].result == 0 ? rows[i].value : 7);
	}
}

static void bit_rates(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{"8000bit", 0, 8000},
		{"64kbit", 0, 64000},
		{"10mbit", 0, 10000000},
		{"1.5Gbit", 0, 1500000000},
		{"0.0000001mbit", -EINVAL, 0},
		{"10", -EINVAL, 0},
		{"10m", -EINVAL, 0},
		{"10mbps", -EINVAL, 0},
		{"10mbit ", -EINVAL, 0},
		{"-1mbit", -EINVAL, 0},
		{"99999999999999gbit", -ERANGE, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(parse_bit_rate(rows[i].text, &value), rows[i].result);
		assert_int_equal(value, rows[i].value);
	}
}

static void durations(void **state)
{
	static const struct row rows[] = {
		{"0", 0, 0},          {"2s", 0, 2000},
		{"1.5s", 0, 1500},    {"500ms", 0, 500},
		{"1m30s", 0, 90000},  {"1h", 0, 3600000},
		{"5", -EINVAL, 0},    {"30s1m", -EINVAL, 0},
		{"1s1s", -EINVAL, 0}, {"1.0001s", -EINVAL, 0},
		{"s", -EINVAL, 0},    {"1sec", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 7;

		assert_int_equal(parse_duration(rows[i].text, &value), rows[i].result);
		assert_int_equal(value, rows[i].result == 0 ? rows[i].value : 7);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(bit_rates),
		cmocka_unit_test(durations),
	};

	return cmocka_run_group_tests_name("base/parse", tests, NULL, NULL);
}
