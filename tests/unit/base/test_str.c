/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/str.c: formatting into a buffer, and the nearest name for a slip of the keyboard. */
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* str_format and snprintf(3) agree wherever both know the conversion and the text fits. */
#define assert_as_printf(fmt, ...)                                               \
	do {                                                                     \
		char ours_[256], theirs_[256];                                   \
		int len_ = snprintf(theirs_, sizeof(theirs_), fmt, __VA_ARGS__); \
		size_t n_ = str_format(ours_, sizeof(ours_), fmt, __VA_ARGS__);  \
                                                                                 \
		assert_string_equal(ours_, theirs_);                             \
		assert_int_equal(n_, len_);                                      \
	} while (0)

static void formats_as_printf(void **state)
{
	(void)state;
	assert_as_printf("%s and %s", "one", "");
	assert_as_printf("%.*s|%.*s|%.*s", 2, "abc", 0, "abc", 9, "abc");
	assert_as_printf("%c%c", 'x', '%');
	assert_as_printf("%d %i %d %d", 0, -1, INT_MAX, INT_MIN);
	assert_as_printf("%u %x %o", UINT_MAX, 0xbeefU, 0755U);
	assert_as_printf("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	assert_as_printf("%lld %llu %llo", LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
	assert_as_printf("%zu %zd %zx", SIZE_MAX, (ssize_t)-1, SIZE_MAX);
	assert_as_printf("100%% of %d", 7);
}

static void formats_null(void **state)
{
	const char *volatile none = NULL; /* the compiler would warn of what is tested here */
	char buf[32];

	(void)state;
	str_format(buf, sizeof(buf), "<%s>", none);
	assert_string_equal(buf, "<(none)>");
}

/* Whatever the size, the text is cut, ended, and nothing behind the buffer is touched. */
static void cuts(void **state)
{
	static const char whole[] = "number 12345 and a word";

	(void)state;
	for (size_t size = 1; size <= sizeof(whole) + 1; size++) {
		size_t want = size - 1 < strlen(whole) ? size - 1 : strlen(whole);
		char buf[64];

		memset(buf, '#', sizeof(buf));
		assert_int_equal(str_format(buf, size, "number %d and a %s", 12345, "word"), want);
		assert_memory_equal(buf, whole, want);
		assert_int_equal(buf[want], '\0');
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
}

static void leaves_no_room_alone(void **state)
{
	char byte = '#';

	(void)state;
	assert_int_equal(str_format(&byte, 0, "%s", "text"), 0);
	assert_int_equal(byte, '#');
}

static void chains(void **state)
{
	char buf[8];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		len += str_format(buf + len, sizeof(buf) - len, "%d,", 10 + i);
	assert_string_equal(buf, "10,11,1");
	assert_int_equal(len, strlen(buf));
}

static void compares(void **state)
{
	(void)state;
	assert_true(str_equal("", ""));
	assert_true(str_equal("pids", "pids"));
	assert_false(str_equal("pids", "pid"));
	assert_false(str_equal("pid", "pids"));
	assert_false(str_equal("pids", "Pids"));
	assert_true(str_has_prefix("/proc/self", "/proc"));
	assert_true(str_has_prefix("/proc", "/proc"));
	assert_true(str_has_prefix("anything", ""));
	assert_false(str_has_prefix("/pro", "/proc"));
	assert_false(str_has_prefix("", "/"));
}

static void finds_nearest(void **state)
{
	static const char *const keys[] = {"memory",    NULL,       "pids",
					   "wall_time", "cpu_time", "nproc"};
	static const struct {
		const char *word, *found;
	} rows[] = {
		{"memory", "memory"}, {"memroy", "memory"},      {"memor", "memory"},
		{"pid", "pids"},      {"walltime", "wall_time"}, {"cputime", "cpu_time"},
		{"npoc", "nproc"},    {"frobnicate", NULL},      {"", NULL},
		{"xylophone", NULL},
	};
	char long_word[4096];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const char *found = str_nearest(rows[i].word, keys, N(keys));

		if (rows[i].found == NULL)
			assert_null(found);
		else
			assert_string_equal(found, rows[i].found);
	}
	memset(long_word, 'm', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(str_nearest(long_word, keys, N(keys)));
	assert_null(str_nearest("memory", keys, 0));
}

static void makes_harmless(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", ""},
		{"plain ~ text", "plain ~ text"},
		{"a\tb", "a\tb"},
		{"a\nb\n", "a?b?"},
		{"\x1b[2J\r\x01\x1f\x7f", "?[2J????"},
		/* C1, encoded: U+007F, U+0080, U+009B (CSI), U+009F; U+00A0 is none. */
		{"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "???\xc2\xa0"},
		/* And raw, as a terminal of 8 bits takes it. */
		{"\x80\x9b"
		 "31m\x9f",
		 "??31m?"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
		/* Continuation bytes of a letter are no C1: U+015B. */
		{"\xc5\x9b", "\xc5\x9b"},
		/* Not UTF-8: cut, overlong (a newline), a surrogate, beyond the end. */
		{"a\xc3", "a?"},
		{"\xe2\x82x", "??x"},
		{"\xc0\x8a", "??"},
		{"\xed\xa0\x80", "???"},
		{"\xf4\x90\x80\x80", "????"},
		{"\xff\xfe", "??"},
		/* U+200D joins, E and F are marks. */
		{"\xe2\x80\x8d|\xe2\x80\x8e|\xe2\x80\x8f", "\xe2\x80\x8d|?|?"},
		/* NOLINTBEGIN(misc-misleading-bidirectional): they are what is tested. */
		/* U+2027 to U+202F: ends of lines, and what turns the direction. */
		{"\xe2\x80\xa7", "\xe2\x80\xa7"},
		{"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80"
		 "\xae",
		 "???????"},
		{"\xe2\x80\xaf", "\xe2\x80\xaf"},
		/* U+2065 to U+206A. */
		{"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9\xe2\x81\xaa",
		 "\xe2\x81\xa5????\xe2\x81\xaa"},
		/* NOLINTEND(misc-misleading-bidirectional) */
		{"\xd8\x9b|\xd8\x9c", "\xd8\x9b|?"},
	};
	char cut[] = "a\xc3\xa4";

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		char text[64];
		size_t len = strlen(rows[i].text);

		memcpy(text, rows[i].text, len);
		len = str_make_harmless(text, len);
		text[len] = '\0';
		if (strcmp(text, rows[i].want) != 0)
			fail_msg("row %zu: '%s'", i, text);
	}
	/* Nothing behind the length is read or written. */
	assert_int_equal(str_make_harmless(cut, 2), 2);
	assert_memory_equal(cut, "a?\xa4", 4);
	assert_int_equal(str_make_harmless(cut, 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_as_printf),
		cmocka_unit_test(formats_null),
		cmocka_unit_test(cuts),
		cmocka_unit_test(chains),
		cmocka_unit_test(leaves_no_room_alone),
		cmocka_unit_test(compares),
		cmocka_unit_test(finds_nearest),
		cmocka_unit_test(makes_harmless),
	};

	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
