/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/logs_lines.c: moments as they are typed and printed, and which lines are shown. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/str.h"
#include "cmd/logs.h"

#define N(array)  (sizeof(array) / sizeof((array)[0]))
#define SECOND    INT64_C(1000000000)
#define SOME_TIME (INT64_C(1769853600) * SECOND) /* 2026-01-31T10:00:00Z */

static void moments_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} rows[] = {
		{"1769853600", SOME_TIME},
		{"1769853600.5", SOME_TIME + SECOND / 2},
		{"2026-01-31T10:00:00Z", SOME_TIME},
		{"2026-01-31T10:00:00.000000001Z", SOME_TIME + 1},
		{"2026-01-31T12:00:00+02:00", SOME_TIME},
		{"2026-01-31T08:30:00-01:30", SOME_TIME},
		{"2026-01-31T10:00Z", SOME_TIME},
		{"2026-01-31", SOME_TIME - 10LL * 3600 * SECOND}, /* TZ=UTC0 */
		{"2026-01-31T10:00:00", SOME_TIME},
		{"10s", SOME_TIME - 10 * SECOND},
		{"1h30m", SOME_TIME - 5400 * SECOND},
		{"0", 0},
		{"", -1},
		{"yesterday", -1},
		{"10", 10 * SECOND},
		{"10x", -1},
		{"-5m", -1},
		{"10.", -1},
		{"2026-13-01", -1},
		{"2026-01-31T25:00:00Z", -1},
		{"2026-01-31T10:00:00Q", -1},
		{"2026-01-31T10:00:00Zx", -1},
		{"1969-01-31", -1},
		{"99999999999999999999", -1},
		{"9223372036854775807", -1},
		{"9999999h", -1},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		int64_t ns = -1;
		int r = logs_parse_time(rows[i].text, SOME_TIME, &ns);

		if (r != (rows[i].ns < 0 ? -EINVAL : 0) || ns != rows[i].ns)
			fail_msg("%s: %d, %lld", rows[i].text, r, (long long)ns);
	}
}

static void moments_are_printed(void **state)
{
	char buf[LOGS_TIME_MAX];
	size_t len = logs_format_time(SOME_TIME + 7000, buf);
	int64_t back;

	(void)state;
	assert_int_equal(len, strlen(buf));
	assert_string_equal(buf, "2026-01-31T10:00:00.000007000Z");
	assert_int_equal(logs_parse_time(buf, 0, &back), 0);
	assert_true(back == SOME_TIME + 7000);
}

struct shown {
	char text[512];
	size_t len;
};

static int show(void *ctx, enum log_stream stream, const char *bytes, size_t len)
{
	struct shown *shown = ctx;

	shown->len += str_format(shown->text + shown->len, sizeof(shown->text) - shown->len,
				 "%d:%.*s", (int)stream, (int)len, bytes);
	return 0;
}

static void pass(struct logs_filter *filter, struct shown *shown, enum log_stream stream,
		 int64_t time_ns, const char *text)
{
	struct log_piece piece = {stream, time_ns, text, strlen(text)};

	assert_int_equal(logs_filter_piece(filter, &piece, show, shown), 0);
}

static void pass_all(struct logs_filter *filter, struct shown *shown)
{
	shown->len = 0;
	shown->text[0] = '\0';
	pass(filter, shown, LOG_STDOUT, 1, "a\nb");
	pass(filter, shown, LOG_STDERR, 2, "x\n");
	pass(filter, shown, LOG_STDOUT, 3, "B\nc\n");
}

static void lines_are_those_of_one_stream(void **state)
{
	struct logs_filter filter;
	struct shown shown;

	(void)state;
	logs_filter_init(&filter);
	pass_all(&filter, &shown);
	assert_string_equal(shown.text, "1:a\n1:b2:x\n1:B\n1:c\n");
	assert_int_equal(filter.n_lines, 4);

	/* The last two: b began before x. */
	logs_filter_init(&filter);
	filter.skip = 2;
	pass_all(&filter, &shown);
	assert_string_equal(shown.text, "2:x\n1:c\n");

	/* A line is of the moment of its first byte. */
	logs_filter_init(&filter);
	filter.since_ns = 2;
	pass_all(&filter, &shown);
	assert_string_equal(shown.text, "2:x\n1:c\n");
	logs_filter_init(&filter);
	filter.until_ns = 2;
	pass_all(&filter, &shown);
	assert_string_equal(shown.text, "1:a\n1:b1:B\n");

	logs_filter_init(&filter);
	filter.streams[LOG_STDOUT] = false;
	pass_all(&filter, &shown);
	assert_string_equal(shown.text, "2:x\n");
}

static void one_moment_stands_before_each_line(void **state)
{
	struct logs_filter filter;
	struct shown shown = {.len = 0};

	(void)state;
	logs_filter_init(&filter);
	filter.timestamps = true;
	pass(&filter, &shown, LOG_STDERR, SOME_TIME, "half");
	pass(&filter, &shown, LOG_STDERR, SOME_TIME + 1, " whole\n");
	assert_string_equal(shown.text, "2:2026-01-31T10:00:00.000000000Z 2:half2: whole\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_are_read),
		cmocka_unit_test(moments_are_printed),
		cmocka_unit_test(lines_are_those_of_one_stream),
		cmocka_unit_test(one_moment_stands_before_each_line),
	};

	if (setenv("TZ", "UTC0", 1) != 0)
		return 1;
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
