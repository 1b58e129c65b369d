/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/print.c: what is printed of values that may be anything. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/print.h"
#include "cmd/table.h"

/* What stands at a descriptor while something is printed there. */
struct capture {
	int fd;
	int kept;
	int file;
	char text[8192];
};

static void capture_begin(struct capture *c, int fd)
{
	fflush(NULL);
	c->fd = fd;
	c->kept = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	c->file = memfd_create("captured", MFD_CLOEXEC);
	assert_true(c->kept >= 0 && c->file >= 0 && dup2(c->file, fd) == fd);
}

static const char *capture_end(struct capture *c)
{
	ssize_t n = pread(c->file, c->text, sizeof(c->text) - 1, 0);

	assert_true(n >= 0 && dup2(c->kept, c->fd) == c->fd);
	c->text[n] = '\0';
	close(c->kept);
	close(c->file);
	return c->text;
}

#define assert_prints(FD, want, ...)                                  \
	do {                                                          \
		struct capture own_capture;                           \
		capture_begin(&own_capture, FD);                      \
		__VA_ARGS__;                                          \
		assert_string_equal(capture_end(&own_capture), want); \
	} while (0)

#define HOSTILE                   \
	"a\ncordon: b\x1b[2J\x9b" \
	"1m\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xc3\xa4\tz"
#define SHOWN "a?cordon: b?[2J?1m???\xc3\xa4\tz"

static void notes_are_one_line(void **state)
{
	(void)state;
	assert_prints(2, "cordon: no " SHOWN "\n", print_note("no %s", HOSTILE));
	assert_prints(2, "cordon: ?\n", print_note("%s", "\n"));
	assert_prints(2, "cordon: \n", print_note("%s", ""));
}

static void long_notes_end_with_a_newline(void **state)
{
	struct capture captured;
	char text[9000];
	size_t len;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	capture_begin(&captured, 2);
	print_note("%s", text);
	len = strlen(capture_end(&captured));
	assert_true(len > 4000 && len < 4200);
	assert_int_equal(captured.text[len - 1], '\n');
	capture_begin(&captured, 1);
	print_out("%s\n\n", text);
	len = strlen(capture_end(&captured));
	assert_true(len > 4000 && len < 4200);
	assert_string_equal(captured.text + len - 3, "x\n\n");
}

static void answers_keep_their_own_newlines(void **state)
{
	(void)state;
	assert_prints(1, "\n\n" SHOWN " is\n", print_out("\n\n%s is\n", HOSTILE));
	assert_prints(1, SHOWN, print_out("%s", HOSTILE));
	assert_prints(1, "??\n", print_out("%s\n", "\n\n"));
	assert_prints(1, "a?1", print_out("a\n%d", 1));
	assert_prints(1, "two\nlines\n", print_out("two\nlines\n"));
	assert_prints(1, "\n", print_out("\n"));
	assert_prints(1, "", print_out("%s", ""));
	assert_prints(1, "lines\nof ours %s\n", print_lines("lines\nof ours %s\n"));
}

static void errors_keep_to_their_lines(void **state)
{
	struct err err = {0};

	(void)state;
	snprintf(err.text, sizeof(err.text), "%s", HOSTILE);
	snprintf(err.hint, sizeof(err.hint), "x\ny");
	assert_prints(2, "cordon: " SHOWN "\ncordon:   hint: x?y\n", print_err(&err));
}

static void problems_and_misses_too(void **state)
{
	static struct policy_problems problems, none;
	static struct misses misses;
	static char text[20000];
	struct err err = {0};
	struct capture captured;
	size_t len;

	(void)state;
	problems.n = 1;
	problems.list[0] = (struct policy_problem){.origin = {.file = "f"},
						   .text = HOSTILE,
						   .expected = "",
						   .hint = "",
						   .line_text = "",
						   .rule = "r"};
	assert_prints(2, "f: error: " SHOWN " [r]\n", print_refusal(&problems, &misses, &err));
	misses.n = 1;
	snprintf(misses.list[0].text, sizeof(misses.list[0].text), "%s", HOSTILE);
	assert_prints(2, "cordon: " SHOWN "\n", print_refusal(&none, &misses, &err));
	/* One remedy for several is said once, behind the last of them. */
	misses.n = 4;
	for (size_t i = 0; i < misses.n; i++) {
		snprintf(misses.list[i].text, sizeof(misses.list[i].text), "%zu", i);
		snprintf(misses.list[i].hint, sizeof(misses.list[i].hint), "%s",
			 i == 1 ? "y" : "x");
	}
	misses.list[3].hint[0] = '\0';
	assert_prints(2,
		      "cordon: 0\ncordon: 1\ncordon:   hint: y\ncordon: 2\ncordon:   hint: x\n"
		      "cordon: 3\n",
		      print_refusal(&none, &misses, &err));
	memset(text, 'x', sizeof(text) - 1);
	problems.list[0].text = text;
	capture_begin(&captured, 2);
	print_refusal(&problems, &misses, &err);
	len = strlen(capture_end(&captured));
	assert_true(len > 4000);
}

static void rows_are_one_line_in_a_pipe(void **state)
{
	(void)state;
	assert_prints(1, "ab  text\n", table_row(0, 4, "ab", "text"));
	assert_prints(1, "ab  text\n", table_row(0, 4, "ab   ", "text"));
	assert_prints(1, "abcd text\n", table_row(0, 4, "abcd", "text"));
	assert_prints(1, "ab\n", table_row(0, 4, "ab  ", ""));
	assert_prints(1, "    text\n", table_row(0, 4, "", "text"));
	assert_prints(1, "a?  " SHOWN "\n", table_row(0, 4, "a\n", HOSTILE));
	assert_int_equal(table_columns(), 0);
}

static void rows_go_on_below_themselves(void **state)
{
	(void)state;
	assert_prints(1, "ab  eight words, of which 20\n    fit in one line\n",
		      table_row(30, 4, "ab", "eight words, of which 20 fit in one line"));
	/* The last column is filled, and no empty line follows. */
	assert_prints(1, "ab  aaaa bbbb cccc dddd eeee f\n",
		      table_row(30, 4, "ab", "aaaa bbbb cccc dddd eeee f"));
	assert_prints(1, "ab  aaaa bbbb cccc dddd eeee\n    ff\n",
		      table_row(30, 4, "ab", "aaaa bbbb cccc dddd eeee ff"));
	assert_prints(1, "ab  aaaaaaaaaaaaaaaaaaaaaaaaaa\n    aaaa b\n",
		      table_row(30, 4, "ab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b"));
	assert_prints(1, "abcd\n    text\n", table_row(30, 4, "abcd", "text"));
	/* However narrow: room for something is left. */
	assert_prints(1, "ab  aaaa bbbb cccc dddd\n    eeee\n",
		      table_row(5, 4, "ab", "aaaa bbbb cccc dddd eeee"));
}

static void cuts_to_columns(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", ""},
		{"abcde", "abcde"},
		{"abcdef", "abcd\xe2\x80\xa6"},
		{"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"},
		{"a\xe4\xbd\xa0\xe4\xbd\xa0", "a\xe4\xbd\xa0\xe4\xbd\xa0"},
		{"ab\xe4\xbd\xa0\xe4\xbd\xa0", "ab\xe4\xbd\xa0\xe2\x80\xa6"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(table_cut(rows[i].text, 5, buf, sizeof(buf)),
				 strlen(rows[i].want));
		assert_string_equal(buf, rows[i].want);
	}
	/* Where the buffer is shorter than the columns it is cut as well, and never within one. */
	assert_true(table_cut("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 80, buf, 13) <
		    13);
	assert_non_null(strstr(buf, "\xc3\xa4\xe2\x80\xa6"));
}

static void widths_are_characters(void **state)
{
	(void)state;
	assert_int_equal(table_width(""), 0);
	assert_int_equal(table_width("abc"), 3);
	assert_int_equal(table_width("\xc3\xa4\xc3\xa4"), 2);
	assert_int_equal(table_width("\xe4\xbd\xa0"), 2);
	assert_int_equal(table_width("\xf0\x9f\x98\x80"), 2);
	assert_int_equal(table_width("\xff\xc3"), 2);
	/* The dots of what was cut, and what else takes three bytes and one column. */
	assert_int_equal(table_width("ab\xe2\x80\xa6"), 3);
	assert_int_equal(table_width("\xe2\x80\x93\xe2\x94\x82"), 2);
	/* A character is never cut. */
	assert_prints(1,
		      "ab  \xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
		      "\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\n"
		      "    \xe4\xbd\xa0\n",
		      table_row(5, 4, "ab",
				"\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
				"\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"
				"\xe4\xbd\xa0"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_are_one_line),
		cmocka_unit_test(long_notes_end_with_a_newline),
		cmocka_unit_test(answers_keep_their_own_newlines),
		cmocka_unit_test(errors_keep_to_their_lines),
		cmocka_unit_test(problems_and_misses_too),
		cmocka_unit_test(rows_are_one_line_in_a_pipe),
		cmocka_unit_test(rows_go_on_below_themselves),
		cmocka_unit_test(widths_are_characters),
		cmocka_unit_test(cuts_to_columns),
	};

	return cmocka_run_group_tests_name("cmd/print", tests, NULL, NULL);
}
