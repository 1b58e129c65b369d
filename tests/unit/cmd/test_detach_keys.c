/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/detach_keys.c: what is typed passes through, all but the keys. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/detach_keys.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void keys_are_read(void **state)
{
	static const struct {
		const char *text;
		const char *keys; /* NULL: refused */
	} rows[] = {
		{"ctrl-p,ctrl-q", "\x10\x11"},
		{"x", "x"},
		{"ctrl-a,d", "\x01"
			     "d"},
		{"ctrl-[", "\x1b"},
		{"ctrl-_", "\x1f"},
		{"", NULL},
		{",", NULL},
		{"a,", NULL},
		{"ctrl-", NULL},
		{"ctrl-1", NULL},
		{"ctrl-P", NULL},
		{"ctrl-aa", NULL},
		{"alt-a", NULL},
		{"a,b,c,d,e,f,g,h,i", NULL},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct detach_keys keys;
		int r = detach_keys_parse(rows[i].text, &keys);

		if (rows[i].keys == NULL) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(keys.n, strlen(rows[i].keys));
		assert_memory_equal(keys.keys, rows[i].keys, keys.n);
	}
}

/* In one piece and byte by byte: the same. */
static void check(const char *text, const char *typed, const char *passed, bool is_detached)
{
	for (size_t step = 1; step <= strlen(typed); step += strlen(typed)) {
		struct detach_keys keys;
		char out[64], all[256];
		size_t len = 0;
		bool detached = false;

		assert_int_equal(detach_keys_parse(text, &keys), 0);
		for (size_t at = 0; at < strlen(typed) && !detached; at += step) {
			size_t n = detach_keys_take(&keys, typed + at,
						    step < strlen(typed) ? step : strlen(typed),
						    out, &detached);

			memcpy(all + len, out, n);
			len += n;
		}
		assert_int_equal(len, strlen(passed));
		assert_memory_equal(all, passed, len);
		assert_int_equal(detached, is_detached);
		if (step == 1 && strlen(typed) == 1)
			break;
	}
}

static void what_is_typed_passes(void **state)
{
	(void)state;
	check("a,b", "hello", "hello", false);
	check("a,b", "xab", "x", true);
	check("a,b", "xaab", "xa", true);
	check("a,b", "xacy", "xacy", false);
	check("a,b", "xa", "x", false); /* held back */
	check("a,a,b", "aaab", "a", true);
	check("a,b,a,c", "ababac", "ab", true);
	check("a,b,a,c", "abax", "abax", false);
	check("x", "x", "", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_read),
		cmocka_unit_test(what_is_typed_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
