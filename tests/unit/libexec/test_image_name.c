/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libexec/image/name.c: names of entries as text, and as words of a layer's books. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libexec/image/name.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void cleans(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{"", ""},
		{".", ""},
		{"/", ""},
		{"./", ""},
		{"a", "a"},
		{"/a", "a"},
		{"./a/b/", "a/b"},
		{"//a///b", "a/b"},
		{"a/./b", "a/b"},
		{"...", "..."},
		{"..a/b..", "..a/b.."},
		{"a/.b", "a/.b"},
		{" /\n", " /\n"},
	};
	static const char *const out[] = {"..",  "../a", "a/..",     "a/../b",
					  "/..", "./..", "a/../../b"};
	char buf[NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(name_clean(rows[i].name, buf), strlen(rows[i].want));
		assert_string_equal(buf, rows[i].want);
	}
	for (size_t i = 0; i < N(out); i++)
		assert_int_equal(name_clean(out[i], buf), -EXDEV);
}

static void bounds(void **state)
{
	char name[2 * NAME_SIZE], buf[NAME_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[NAME_PART_MAX] = '\0';
	assert_int_equal(name_clean(name, buf), NAME_PART_MAX);
	name[NAME_PART_MAX] = 'x';
	name[NAME_PART_MAX + 1] = '\0';
	assert_int_equal(name_clean(name, buf), -ENAMETOOLONG);
	for (size_t i = 0; i < NAME_DEPTH_MAX; i++)
		memcpy(name + 2 * i, "d/", 3);
	assert_int_equal(name_clean(name, buf), 2 * NAME_DEPTH_MAX - 1);
	memcpy(name + (size_t)2 * NAME_DEPTH_MAX, "d", 2);
	assert_int_equal(name_clean(name, buf), -ENAMETOOLONG);
	/* Short parts, in all more than a path of the kernel's. */
	for (size_t i = 0; i + 101 < sizeof(name); i += 100) {
		memset(name + i, 'y', 99);
		memcpy(name + i + 99, "/", 2);
	}
	assert_int_equal(name_clean(name, buf), -ENAMETOOLONG);
}

static void words(void **state)
{
	static const struct {
		const char *name, *word;
	} rows[] = {
		{"a/b", "a/b"},      {"a b", "a\\040b"},         {"a\\b", "a\\134b"},
		{"a\nb", "a\\012b"}, {"\xc3\xa9", "\\303\\251"}, {"\x7f", "\\177"},
	};
	static const char *const bad[] = {"a b",   "\\",    "\\0",   "\\04", "\\400",
					  "\\089", "\\000", "\\141", "\n"};
	char buf[NAME_ESCAPED];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		name_escape(rows[i].name, buf, sizeof(buf));
		assert_string_equal(buf, rows[i].word);
		assert_int_equal(name_unescape(rows[i].word, strlen(rows[i].word), buf), 0);
		assert_string_equal(buf, rows[i].name);
	}
	for (size_t i = 0; i < N(bad); i++)
		assert_int_equal(name_unescape(bad[i], strlen(bad[i]), buf), -EINVAL);
}

/* What stands for the absence of the longest name there is. */
static void absences(void **state)
{
	char name[NAME_PART_MAX + 16] = "d/.wh.", buf[NAME_SIZE];

	(void)state;
	memset(name + 6, 'x', NAME_PART_MAX);
	name[6 + NAME_PART_MAX] = '\0';
	assert_int_equal(name_clean(name, buf), 6 + NAME_PART_MAX);
	memset(name + 6 + NAME_PART_MAX, 'x', 1);
	name[7 + NAME_PART_MAX] = '\0';
	assert_int_equal(name_clean(name, buf), -ENAMETOOLONG);
}

static void attributes(void **state)
{
	static const struct {
		const char *key, *name;
	} rows[] = {
		{"user.a", "user.a"},
		{"user.a%3Db%3D", "user.a=b="},
		{"user.%20%C3%A9%7F", "user. \xc3\xa9\x7f"},
		{"user.%253D", "user.%3D"},
		/* Nothing that is written so. */
		{"user.%", "user.%"},
		{"user.%%3D", "user.%="},
		{"user.%41%3d%00%4", "user.%41%3d%00%4"},
	};
	char buf[NAME_PART_MAX + 1], key[3 * NAME_PART_MAX + 2];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(name_attribute_decode(rows[i].key, buf), 0);
		assert_string_equal(buf, rows[i].name);
	}
	/* The longest one, and one that is longer. */
	for (size_t i = 0; i < NAME_PART_MAX; i++)
		memcpy(key + 3 * i, "%3D", 4);
	assert_int_equal(name_attribute_decode(key, buf), 0);
	assert_int_equal(strlen(buf), NAME_PART_MAX);
	memcpy(key + (size_t)3 * NAME_PART_MAX, "x", 2);
	assert_int_equal(name_attribute_decode(key, buf), -ENAMETOOLONG);
}

static void single_words(void **state)
{
	char text[] = "a b\n\x7f"
		      "c";

	(void)state;
	name_make_word(text);
	assert_string_equal(text, "a?b??c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans),     cmocka_unit_test(bounds),
		cmocka_unit_test(words),      cmocka_unit_test(absences),
		cmocka_unit_test(attributes), cmocka_unit_test(single_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
