/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/problems.c: how mistakes look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/problems.h"

static void rendered(void **state)
{
	static const struct policy_problem whole = {
		.origin = {.file = "judge.yaml", .line = 12, .column = 3},
		.text = "unknown key 'memroy' in limits",
		.expected = "Keys here are: memory.",
		.hint = "did you mean 'memory'?",
		.line_text = "  memroy: 5",
		.rule = "unknown-key",
	};
	static const struct policy_problem flag = {
		.origin = {.file = "command line", .line = 0, .column = 7},
		.text = "bad",
		.expected = "",
		.hint = "",
		.line_text = "--set x=1",
		.rule = "bad-flag",
	};
	static const struct policy_problem odd = {
		.origin = {.file = "f", .line = 1, .column = 4},
		.text = "t",
		.expected = "",
		.hint = "",
		/* A tab, a letter of two bytes, an escape character. */
		.line_text = "\t\xc3\xa4\x1bx",
		.rule = "r",
	};
	char buf[512];

	(void)state;
	problems_render(&whole, buf, sizeof(buf));
	assert_string_equal(buf, "judge.yaml:12:3: error: unknown key 'memroy' in limits "
				 "[unknown-key]\n"
				 "      memroy: 5\n"
				 "      ^\n"
				 "    expected: Keys here are: memory.\n"
				 "    hint: did you mean 'memory'?\n");
	problems_render(&flag, buf, sizeof(buf));
	assert_string_equal(buf, "command line: error: bad [bad-flag]\n"
				 "    --set x=1\n"
				 "          ^\n");
	problems_render(&odd, buf, sizeof(buf));
	assert_string_equal(buf, "f:1:4: error: t [r]\n"
				 "    \t\xc3\xa4?x\n"
				 "    \t  ^\n");
	assert_int_equal(problems_render(&whole, buf, 10), 9);
	assert_string_equal(buf, "judge.yam");
	assert_int_equal(problems_render(&whole, buf, 0), 0);
}

static void count(void *ctx, const char *text, size_t len)
{
	size_t *n = ctx;

	assert_int_equal(strlen(text), len);
	(*n)++;
}

static void all_of_them(void **state)
{
	static const struct policy_problem one = {.origin = {.file = "f"},
						  .text = "",
						  .expected = "",
						  .hint = "",
						  .line_text = "",
						  .rule = ""};
	static struct policy_problems problems;
	size_t n = 0;

	(void)state;
	problems.list[0] = problems.list[1] = one;
	problems.n = 2;
	problems_render_all(&problems, count, &n);
	assert_int_equal(n, 2);
	problems.n_dropped = 5;
	problems_render_all(&problems, count, &n);
	assert_int_equal(n, 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rendered),
		cmocka_unit_test(all_of_them),
	};

	return cmocka_run_group_tests_name("policy/problems", tests, NULL, NULL);
}
