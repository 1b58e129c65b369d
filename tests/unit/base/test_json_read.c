/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/json_read.c: what is JSON and what is not, members of an object, texts without escapes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

static void knows_json(void **state)
{
	static const char *const good[] = {
		"0",
		"-1.5e+10",
		"true",
		"null",
		"\"\"",
		"[]",
		"{}",
		" [1, 2 ]\n",
		"\"\\u00e4\\n\"",
		"{\"a\":{\"b\":[[],{}]},\"c\":false}",
	};
	static const char *const bad[] = {
		"",         " ",          "01",
		"-",        "1.",         "1e",
		"tru",      "nul",        "\"",
		"\"\\x\"",  "\"\\u12\"",  "\"\n\"",
		"\"\xff\"", "[1,]",       "[,1]",
		"[1 2]",    "{\"a\"}",    "{\"a\":}",
		"{a:1}",    "{\"a\":1,}", "[}",
		"{]",       "]",          "[",
		"{\"a\":1", "1 2",        "{\"limit\": \"x\"}, \"evil\": 1",
		"{1:2}",    ",",          ":",
	};
	struct json_slice value;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(json_read(good[i], strlen(good[i]), &value), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(json_read(bad[i], strlen(bad[i]), &value), -EBADMSG);
}

static void has_a_greatest_depth(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];
	struct json_slice value;

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(json_read(text, (size_t)2 * JSON_DEPTH_MAX, &value), 0);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(json_read(text, (size_t)2 * JSON_DEPTH_MAX + 2, &value), -EBADMSG);
}

static void is_cut_off_anywhere(void **state)
{
	static const char whole[] = "{\"a\":[1,{\"b\":\"\\u00e4\"}],\"c\":null}";
	struct json_slice value;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(json_read(whole, len, &value), -EBADMSG);
	assert_int_equal(json_read(whole, sizeof(whole) - 1, &value), 0);
}

static void finds_members(void **state)
{
	static const char text[] = " { \"a\" : {\"x\":1} , \"bb\":[\"a\",2],\"c\":\"}\" } ";
	struct json_slice whole, name, member;
	size_t at = 0, n = 0;

	(void)state;
	assert_int_equal(json_read(text, strlen(text), &whole), 0);
	while (json_next(whole, &at, &name, &member) > 0)
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(json_find(whole, "bb", 2, &member), 0);
	assert_int_equal(member.len, strlen("[\"a\",2]"));
	assert_int_equal(json_find(whole, "c", 1, &member), 0);
	assert_memory_equal(member.text, "\"}\"", 3);
	assert_int_equal(json_find(whole, "x", 1, &member), -ENOENT);
	assert_int_equal(json_find(whole, "b", 1, &member), -ENOENT);
	assert_int_equal(json_find(whole, "a", 1, &member), 0);
	assert_int_equal(json_find(member, "x", 1, &member), 0);
	assert_memory_equal(member.text, "1", member.len);
	assert_int_equal(json_find(member, "x", 1, &member), -ENOENT);
}

static void copies_texts(void **state)
{
	static const struct {
		const char *json, *want;
	} rows[] = {
		{"\"\"", ""},
		{"\"a\\\"\\\\\\/\\n\\tb\"", "a\"\\/\n\tb"},
		{"\"\\u00e4\\u20AC\\ud83d\\ude00\"", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
		/* Half a pair, and NUL. */
		{"\"\\ud83dx\\u0000\"", "\xef\xbf\xbdx\xef\xbf\xbd"},
		{"\"\xc3\xa4\"", "\xc3\xa4"},
		{"12", "12"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_slice value = {.text = rows[i].json, .len = strlen(rows[i].json)};

		assert_int_equal(json_copy_text(value, buf, sizeof(buf)), strlen(rows[i].want));
		assert_string_equal(buf, rows[i].want);
	}
	/* No part of a character. */
	assert_int_equal(json_copy_text((struct json_slice){"\"a\\u00e4\"", 9}, buf, 3), 1);
	assert_string_equal(buf, "a");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_json),          cmocka_unit_test(has_a_greatest_depth),
		cmocka_unit_test(is_cut_off_anywhere), cmocka_unit_test(finds_members),
		cmocka_unit_test(copies_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
