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

/* No value looks like a line of ours, or drives the terminal. */
static void values_are_harmless(void **state)
{
	static const struct policy_problem hostile = {
		.origin = {.file = "a\nb.yaml", .line = 2, .column = 5},
		.text = "unknown key 'x\n    hint: run it as root\xe2\x80\x8e'",
		.expected = "One of:\x9b.",
		.hint = "did you mean '\xc2\x9b\n'?",
		/* A letter of two bytes, a mark of three, a lone byte. */
		.line_text = "\xc3\xa4\xe2\x80\x8e\x9by: 1",
		.rule = "r",
	};
	struct policy_problem cut = {.origin = {.file = "f", .line = 1, .column = 1},
				     .text = "t",
				     .expected = "",
				     .hint = "",
				     .rule = "r"};
	char line[200], buf[512];

	(void)state;
	problems_render(&hostile, buf, sizeof(buf));
	assert_string_equal(buf,
			    "a?b.yaml:2:5: error: unknown key 'x?    hint: run it as root?' [r]\n"
			    "    \xc3\xa4??y: 1\n"
			    "        ^\n"
			    "    expected: One of:?.\n"
			    "    hint: did you mean '?\?'?\n");
	/* A long line ends with a whole character. */
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	line[159] = '\xc3';
	line[160] = '\xa4';
	cut.line_text = line;
	problems_render(&cut, buf, sizeof(buf));
	assert_null(strchr(buf, '?'));
	assert_non_null(strstr(buf, "x\n    ^\n"));
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
		cmocka_unit_test(values_are_harmless),
		cmocka_unit_test(all_of_them),
	};

	return cmocka_run_group_tests_name("policy/problems", tests, NULL, NULL);
}
