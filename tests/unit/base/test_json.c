/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/json.c: what is written is JSON whatever the values hold, or it is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <json-c/json.h>

#include <cmocka.h>

#include "base/json.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void texts(void **state)
{
	/* Not as a string: it would turn the direction of this file. */
	static const char right_to_left[] = {(char)0xe2, (char)0x80, (char)0xae, 0};
	static const struct {
		const char *value, *want;
	} rows[] = {
		{NULL, "null"},
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"a\"b\\c/", "\"a\\\"b\\\\c/\""},
		{"\n\t\r\x01\x1f\x7f", "\"\\u000a\\u0009\\u000d\\u0001\\u001f\\u007f\""},
		/* Well-formed sequences at the edges of Unicode, table 3-7. */
		{"\xc2\xa0\xdf\xbf", "\"\xc2\xa0\xdf\xbf\""},
		{"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80",
		 "\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\""},
		{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
		/* What drives a terminal: C1, a line separator, a change of direction. */
		{"\xc2\x80\xc2\x9b"
		 "1m",
		 "\"\\u0080\\u009b1m\""},
		{"\xe2\x80\xa8", "\"\\u2028\""},
		{right_to_left, "\"\\u202e\""},
		/* Not well-formed: alone, cut off, overlong, surrogates, beyond the last. */
		{"\x80", "\"" BAD "\""},
		{"\xff\xfe", "\"" BAD BAD "\""},
		{"\xc3", "\"" BAD "\""},
		{"\xe2\x82", "\"" BAD BAD "\""},
		{"\xf0\x9f\x98", "\"" BAD BAD BAD "\""},
		{"\xc0\x80", "\"" BAD BAD "\""},
		{"\xc1\xbf", "\"" BAD BAD "\""},
		{"\xe0\x9f\xbf", "\"" BAD BAD BAD "\""},
		{"\xf0\x8f\xbf\xbf", "\"" BAD BAD BAD BAD "\""},
		{"\xed\xa0\x80", "\"" BAD BAD BAD "\""},
		{"\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""},
		{"\xf5\x80\x80\x80", "\"" BAD BAD BAD BAD "\""},
		/* A quote must not be taken for the rest of a sequence. */
		{"\xc3\"", "\"" BAD "\\\"\""},
		{"\xf0\x9f\"\\", "\"" BAD BAD "\\\"\\\\\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[128];
		struct json json;

		json_init(&json, buf, sizeof(buf));
		json_text(&json, NULL, rows[i].value);
		assert_int_equal(json_finish(&json), strlen(rows[i].want));
		assert_string_equal(buf, rows[i].want);
	}
}

static void numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *want;
	} rows[] = {
		{0, "0"},
		{-1, "-1"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[32];
		struct json json;

		json_init(&json, buf, sizeof(buf));
		json_number(&json, NULL, rows[i].value);
		assert_true(json_finish(&json) > 0);
		assert_string_equal(buf, rows[i].want);
	}
}

static ssize_t write_nested(char *buf, size_t size)
{
	struct json json;

	json_init(&json, buf, size);
	json_open(&json, NULL, '{');
	json_text(&json, "text", "a");
	json_open(&json, "empty", '[');
	json_close(&json, ']');
	json_open(&json, "list", '[');
	json_number(&json, NULL, 1);
	json_open(&json, NULL, '{');
	json_null(&json, "none");
	json_truth(&json, "yes", true);
	json_truth(&json, "no", false);
	json_close(&json, '}');
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_close(&json, ']');
	json_number(&json, "n\"ame", -2);
	json_close(&json, '}');
	return json_finish(&json);
}

static const char nested[] = "{\"text\":\"a\",\"empty\":[],\"list\":[1,{\"none\":null,\"yes\":true,"
			     "\"no\":false},{}],\"n\\\"ame\":-2}";

static void nests(void **state)
{
	char buf[128];

	(void)state;
	assert_int_equal(write_nested(buf, sizeof(buf)), strlen(nested));
	assert_string_equal(buf, nested);
}

/* At every size the answer is the whole text or -ENOSPC, and nothing is written behind the buffer;
 * half a document is never reported as one. */
static void overflows(void **state)
{
	(void)state;
	for (size_t size = 0; size <= sizeof(nested) + 1; size++) {
		char buf[128];

		memset(buf, '#', sizeof(buf));
		assert_int_equal(write_nested(buf, size),
				 size < sizeof(nested) ? -ENOSPC : (int)strlen(nested));
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
}

/* Every two bytes, as another program reads them: strictly parsed, and where the bytes were UTF-8
 * they come back as they were. */
static void another_reader_agrees(void **state)
{
	(void)state;
	for (int a = 1; a < 256; a++)
		for (int b = 1; b < 256; b++) {
			struct json_tokener *tokener = json_tokener_new();
			char value[] = {(char)a, (char)b, '\0'}, buf[64];
			struct json_object *object;
			struct json json;
			ssize_t len;

			json_init(&json, buf, sizeof(buf));
			json_open(&json, NULL, '[');
			json_text(&json, NULL, value);
			json_close(&json, ']');
			len = json_finish(&json);
			assert_true(len > 0);
			json_tokener_set_flags(tokener,
					       JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
			object = json_tokener_parse_ex(tokener, buf, (int)len);
			assert_non_null(object);
			assert_int_equal(json_object_array_length(object), 1);
			if (a < 128 && b < 128)
				assert_string_equal(json_object_get_string(
							    json_object_array_get_idx(object, 0)),
						    value);
			json_object_put(object);
			json_tokener_free(tokener);
		}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(numbers),
		cmocka_unit_test(nests),
		cmocka_unit_test(overflows),
		cmocka_unit_test(another_reader_agrees),
	};

	return cmocka_run_group_tests_name("base/json", tests, NULL, NULL);
}
