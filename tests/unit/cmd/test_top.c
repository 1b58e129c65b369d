/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/top.c: the line's text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/top.h"

static struct sandbox_spec spec;

static int clear_spec(void **state)
{
	(void)state;
	memset(&spec, 0, sizeof(spec));
	return 0;
}

static void limit_to(enum spec_limit limit, uint64_t value)
{
	spec.limits.total[limit] = (struct spec_total){.demand = DEMAND_REQUIRED, .value = value};
}

static const struct run_sample sample = {
	.wall_ms = 3250,
	.memory_bytes = (12 << 20) + (300 << 10),
	.swap_bytes = 0,
	.pids = 3,
	.cpu_us = 1500000,
	.io_read_bytes = RESULT_NONE,
	.io_write_bytes = RESULT_NONE,
};

static void says_what_is_used(void **state)
{
	char text[TOP_LINE_MAX];

	(void)state;
	top_text(&sample, NULL, &spec, text, sizeof(text));
	assert_string_equal(text, "3.2 s | memory 12.2 MiB | tasks 3 | cpu 0.46 | 1.5 s");
}

static void says_of_how_much(void **state)
{
	struct run_sample with_io = sample;
	char text[TOP_LINE_MAX];

	(void)state;
	limit_to(LIMIT_MEMORY, 64 << 20);
	limit_to(LIMIT_PIDS, 16);
	limit_to(LIMIT_CPUS, 500000);
	limit_to(LIMIT_CPU_TIME, 2000);
	with_io.io_read_bytes = 1023;
	with_io.io_write_bytes = 5LL << 40;
	top_text(&with_io, NULL, &spec, text, sizeof(text));
	assert_string_equal(text, "3.2 s | memory 12.2 MiB/64 MiB | tasks 3/16 | cpu 0.46/0.50 | "
				  "1.5/2.0 s | read 1023 B, written 5 TiB");
}

/* With the limits of the profile judge, at most: nothing of it is cut. */
static void fits_in_80_columns(void **state)
{
	struct run_sample last = sample, most = sample;
	char text[TOP_LINE_MAX];

	(void)state;
	limit_to(LIMIT_MEMORY, 256 << 20);
	limit_to(LIMIT_PIDS, 16);
	limit_to(LIMIT_CPUS, 1000000);
	limit_to(LIMIT_CPU_TIME, 2000);
	last.wall_ms = 10000;
	last.cpu_us = 0;
	most.wall_ms = 12000;
	most.memory_bytes = 1023 << 10 | 1 << 9;
	most.pids = 16;
	most.cpu_us = 2000000;
	assert_true(top_text(&most, &last, &spec, text, sizeof(text)) < 80);
	assert_string_equal(text, "12.0 s | memory 1023.5 KiB/256 MiB | tasks 16/16 | "
				  "cpu 1.00/1.00 | 2.0/2.0 s");
}

static void compares_with_the_sample_before(void **state)
{
	struct run_sample before = sample;
	char text[TOP_LINE_MAX];

	(void)state;
	before.wall_ms = 3000;
	before.cpu_us = 1000000;
	top_text(&sample, &before, &spec, text, sizeof(text));
	assert_non_null(strstr(text, "| cpu 2.00 |"));
	/* Twice in one millisecond. */
	top_text(&sample, &sample, &spec, text, sizeof(text));
	assert_non_null(strstr(text, "| cpu 0.00 |"));
}

static void leaves_out_what_is_not_measured(void **state)
{
	const struct run_sample nothing = {.wall_ms = 100,
					   .memory_bytes = RESULT_NONE,
					   .swap_bytes = RESULT_NONE,
					   .pids = RESULT_NONE,
					   .cpu_us = RESULT_NONE,
					   .io_read_bytes = RESULT_NONE,
					   .io_write_bytes = RESULT_NONE};
	char text[TOP_LINE_MAX];

	(void)state;
	top_text(&nothing, NULL, &spec, text, sizeof(text));
	assert_string_equal(text, "0.1 s");
	/* However short the buffer: whole, and ended. */
	assert_true(top_text(&sample, NULL, &spec, text, 10) <= 9);
	assert_int_equal(strlen(text), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(says_what_is_used, clear_spec),
		cmocka_unit_test_setup(says_of_how_much, clear_spec),
		cmocka_unit_test_setup(fits_in_80_columns, clear_spec),
		cmocka_unit_test_setup(compares_with_the_sample_before, clear_spec),
		cmocka_unit_test_setup(leaves_out_what_is_not_measured, clear_spec),
	};

	return cmocka_run_group_tests_name("cmd/top", tests, NULL, NULL);
}
