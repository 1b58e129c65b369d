/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/moment.c and fill.c: times and formats of listings. */
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
#include "cmd/fill.h"
#include "cmd/moment.h"

#define S INT64_C(1000000000)

static int in_zone(void **state)
{
	(void)state;
	setenv("TZ", "XST-2", 1); /* two hours east */
	tzset();
	return 0;
}

static void test_moments(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} rows[] = {
		{"0", 0},
		{"1795952324", 1795952324 * S},
		{"1795952324.5", 1795952324 * S + S / 2},
		{"1795952324.000000001", 1795952324 * S + 1},
		{"10s", 90 * S},
		{"1m30s", 10 * S},
		{"1970-01-02", 22LL * 3600 * S},
		{"1970-01-01T03:00:00", 3600 * S},
		{"1970-01-01T03:00:00Z", 3LL * 3600 * S},
		{"1970-01-01T03:00:00.25Z", 3LL * 3600 * S + S / 4},
		{"1970-01-01T03:00:00+01:30", 5400 * S},
		{"", -1},
		{"x", -1},
		{"1.", -1},
		{"-5", -1},
		{"1.0000000001", -1},
		{"99999999999999999999", -1},
		{"1970-01-01T03:00:00+1", -1},
		{"1970-01-01T03:00:00Zz", -1},
		{"1970-13-01", -1},
		{"1960-01-01", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ns = -1;
		int r = moment_read(rows[i].text, 100 * S, &ns);

		assert_int_equal(r, rows[i].ns < 0 ? -EINVAL : 0);
		assert_int_equal(ns, rows[i].ns);
	}
}

static void test_text_reads_back(void **state)
{
	int64_t ns = 1795952324 * S + 5, found = 0;
	char text[64];

	(void)state;
	moment_text(ns, text, sizeof(text));
	assert_string_equal(text, "2026-11-29T13:38:44.000000005+02:00");
	assert_int_equal(moment_read(text, 0, &found), 0);
	assert_int_equal(found, ns);
}

static const char *look_up(void *ctx, const char *field)
{
	(void)ctx;
	if (str_equal(field, "Name"))
		return "web";
	return str_equal(field, "Evil") ? "a\nb\x1b[1m" : NULL;
}

static const struct fill_fields fields = {look_up, NULL};

static void test_fill(void **state)
{
	struct err err = {0};
	char text[64];

	(void)state;
	assert_int_equal(fill("<{{.Name}}>\\t{{ .Name }}", &fields, text, sizeof(text), &err), 10);
	assert_string_equal(text, "<web>\tweb\n");
	assert_true(fill("{{.Evil}}", &fields, text, sizeof(text), &err) > 0);
	assert_string_equal(text, "a?b?[1m\n");
	assert_true(fill("{{.Nme}}", &fields, text, sizeof(text), &err) < 0);
	assert_string_equal(err.text, "--format: there is no field .Nme");
	assert_true(fill("{{if .Name}}", &fields, text, sizeof(text), &err) < 0);
	assert_true(fill("{{.Name", &fields, text, sizeof(text), &err) < 0);
	assert_true(fill_is_json("{{json .}}"));
	assert_false(fill_is_json("{{.Name}}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_text_reads_back),
		cmocka_unit_test(test_fill),
	};

	return cmocka_run_group_tests(tests, in_zone, NULL);
}
