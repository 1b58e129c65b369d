/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/copy_rules.c: docker cp's rules, as text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/copy_rules.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void words_are_read(void **state)
{
	static const struct {
		const char *word, *sandbox, *path, *base;
		bool wants_directory, is_content;
	} rows[] = {
		{"box:/a/b", "box", "/a/b", "b", false, false},
		{"box:a", "box", "a", "a", false, false},
		{"box:/a/b/", "box", "/a/b", "b", true, false},
		{"box:/a/b/.", "box", "/a/b", "b", true, true},
		{"box:/a/b/./", "box", "/a/b", "b", true, true},
		{"box:/", "box", "/", "", true, true},
		{"box:", "box", "/", "", false, true},
		{"box:/a/..", "box", "/a/..", "", false, true},
		{"box:/a:b", "box", "/a:b", "a:b", false, false},
		{"box:/.a", "box", "/.a", ".a", false, false},
		{"/a:b", "", "/a:b", "a:b", false, false},
		{"./a:b", "", "./a:b", "a:b", false, false},
		{"a", "", "a", "a", false, false},
		{".", "", ".", "", true, true},
		{"..", "", "..", "", false, true},
		{"/", "", "/", "", true, true},
		{":a", "", ":a", ":a", false, false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct copy_place place;

		assert_int_equal(copy_parse(rows[i].word, &place), 0);
		assert_string_equal(place.sandbox, rows[i].sandbox);
		assert_string_equal(place.path, rows[i].path);
		assert_string_equal(place.base, rows[i].base);
		assert_int_equal(place.wants_directory, rows[i].wants_directory);
		assert_int_equal(place.is_content, rows[i].is_content);
		assert_false(place.is_stream);
	}
}

static void too_long_is_refused(void **state)
{
	char word[2 * PATH_MAX];
	struct copy_place place;

	(void)state;
	memset(word, 'a', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(copy_parse(word, &place), -ENAMETOOLONG);
	word[NAME_MAX + 1] = '\0';
	assert_int_equal(copy_parse(word, &place), -ENAMETOOLONG);
	word[NAME_MAX] = '\0';
	assert_int_equal(copy_parse(word, &place), 0);
	word[0] = ':';
	assert_int_equal(copy_parse("-", &place), 0);
	assert_true(place.is_stream);
}

static void copies_are_named(void **state)
{
	static const struct {
		const char *source, *sink;
		enum visit_type from, to;
		const char *as; /* NULL: refused */
	} rows[] = {
		{"b:/d", "x", VISIT_DIRECTORY, VISIT_DIRECTORY, "d"},
		{"b:/d/.", "x", VISIT_DIRECTORY, VISIT_DIRECTORY, ""},
		{"b:/d", "x", VISIT_DIRECTORY, VISIT_NOTHING, "found"},
		{"b:/d/.", "x", VISIT_DIRECTORY, VISIT_NOTHING, "found"},
		{"b:/d", "x/", VISIT_DIRECTORY, VISIT_NOTHING, "found"},
		{"b:/d", "x", VISIT_DIRECTORY, VISIT_FILE, NULL},
		{"b:/f", "x", VISIT_FILE, VISIT_DIRECTORY, "f"},
		{"b:/f", "x", VISIT_FILE, VISIT_NOTHING, "found"},
		{"b:/f", "x/", VISIT_FILE, VISIT_NOTHING, NULL},
		{"b:/f", "x", VISIT_FILE, VISIT_FILE, "found"},
		{"b:/f", "x/", VISIT_FILE, VISIT_FILE, NULL},
		{"b:/f/", "x", VISIT_FILE, VISIT_NOTHING, NULL},
		{"b:/f/.", "x", VISIT_FILE, VISIT_DIRECTORY, NULL},
		{"b:/l", "x", VISIT_LINK, VISIT_NOTHING, "found"},
		{"-", "b:/d", VISIT_FILE, VISIT_DIRECTORY, ""},
		{"-", "b:/d", VISIT_FILE, VISIT_NOTHING, NULL},
		{"-", "b:/d", VISIT_FILE, VISIT_FILE, NULL},
		{"b:/", "x", VISIT_DIRECTORY, VISIT_DIRECTORY, ""},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct copy_place source, sink;
		const struct visit_found found = {.type = rows[i].to, .base = "found"};
		const char *as = NULL, *why;

		assert_int_equal(copy_parse(rows[i].source, &source), 0);
		assert_int_equal(copy_parse(rows[i].sink, &sink), 0);
		why = copy_plan(&source, rows[i].from, &sink, &found, &as);
		assert_int_equal(why == NULL, rows[i].as != NULL);
		if (rows[i].as != NULL)
			assert_string_equal(as, rows[i].as);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read),
		cmocka_unit_test(too_long_is_refused),
		cmocka_unit_test(copies_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
