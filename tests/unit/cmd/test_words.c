/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/words.c: flags of the small commands in all their spellings, and what is said of wrong ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cmd/words.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { WORDS_MAX = 8 };

static char *argv[WORDS_MAX + 1];

static int parse(const char *command, const char *const *texts, struct words *ret, struct err *err)
{
	size_t n = 0;

	for (; texts[n] != NULL; n++)
		argv[n] = (char *)texts[n];
	argv[n] = NULL;
	memset(err, 0, sizeof(*err));
	return words_parse(command, str_equal(command, "ls"), argv, ret, err);
}

static void spellings(void **state)
{
	static const char *const rows[][WORDS_MAX] = {
		{"--timeout", "3", "a"}, {"--timeout=3", "a"}, {"-t", "3", "a"},  {"-t3", "a"},
		{"-t=3", "a"},           {"--time", "3", "a"}, {"--time=3", "a"}, {"a", "-t", "3"},
		{"-t", "9", "a", "-t3"}, {"-t3", "--", "a"},
	};
	struct words words;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse("stop", rows[i], &words, &err), 0);
		assert_int_equal(words.n, 1);
		assert_string_equal(argv[0], "a");
		assert_null(argv[1]);
		assert_true(words_has(&words, "--timeout"));
		assert_string_equal(words_value(&words, "--timeout"), "3");
		assert_null(words_value(&words, "--signal"));
	}
}

static void together(void **state)
{
	static const char *const rows[][WORDS_MAX] = {
		{"-fv"}, {"-vf"}, {"-f", "-v"}, {"--force", "--volumes"}, {"-ff", "-v"},
	};
	static const char *const words_alone[] = {"-", "--", "-f", "--nothing", NULL};
	struct words words;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse("rm", rows[i], &words, &err), 0);
		assert_int_equal(words.n, 0);
		assert_true(words_has(&words, "--force") && words_has(&words, "--volumes"));
	}
	assert_int_equal(parse("rm", words_alone, &words, &err), 0);
	assert_int_equal(words.n, 3);
	assert_string_equal(argv[0], "-");
	assert_string_equal(argv[1], "-f");
	assert_int_equal(words.n_flags, 0);
}

/* The last one counts; what was said with =false was said. */
static void truths(void **state)
{
	static const struct {
		const char *const words[WORDS_MAX];
		bool has, said;
	} rows[] = {
		{{"a"}, false, false},
		{{"--force=true"}, true, true},
		{{"--force=false"}, false, true},
		{{"-f=false"}, false, true},
		{{"-f", "--force=false"}, false, true},
		{{"--force=false", "-f"}, true, true},
	};
	struct words words;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse("rm", rows[i].words, &words, &err), 0);
		assert_int_equal(words_has(&words, "--force"), rows[i].has);
		assert_int_equal(words_said(&words, "--force"), rows[i].said);
		assert_false(words_said(&words, "--volumes"));
	}
}

static void mistakes(void **state)
{
	static const struct {
		const char *command;
		const char *const words[WORDS_MAX];
		const char *text, *hint;
	} rows[] = {
		{"stop", {"--tiemout", "3"}, "unknown flag --tiemout of stop", "mean --timeout?"},
		{"stop", {"--force"}, "unknown flag --force of stop", "help stop"},
		{"stop", {"-f"}, "unknown flag -f of stop", "help stop"},
		{"rm", {"-fx"}, "unknown flag -fx of rm", "help rm"},
		{"rm", {"--hepl"}, "unknown flag --hepl of rm", "mean --help?"},
		{"ls", {"--jsn"}, "unknown flag --jsn of ls", "mean --json?"},
		{"rm", {"--json"}, "unknown flag --json of rm", "help rm"},
		{"stop", {"-t"}, "--timeout wants a value", "--timeout SECONDS"},
		{"stop", {"--timeout"}, "--timeout wants a value", "--timeout SECONDS"},
		{"rm", {"--force=1"}, "--force takes no value, but was given 1", "Leave it out"},
		{"rm", {"-f=1"}, "--force takes no value, but was given 1", "Leave it out"},
		{"start", {"--checkpoint", "x"}, "--checkpoint of start: not enforced", "Leave"},
		{"start", {"--sig-proxy=no"}, "--sig-proxy takes no value, but was given no", ""},
		{"start", {"--detach-keys"}, "--detach-keys wants a value", "KEYS"},
		{"rm", {"-fl"}, "--link of rm: not enforced by this build", "Leave"},
		/* What the table has for another command. */
		{"wait", {"-t3"}, "unknown flag -t3 of wait", "help wait"},
	};
	struct words words;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_true(parse(rows[i].command, rows[i].words, &words, &err) < 0);
		assert_int_equal(err.kind, ERR_USAGE);
		if (strstr(err.text, rows[i].text) == NULL ||
		    strstr(err.hint, rows[i].hint) == NULL)
			fail_msg("%s: %s (%s)", rows[i].text, err.text, err.hint);
	}
}

static void help_and_json(void **state)
{
	static const char *const help[] = {"a", "--help", "--nothing", NULL};
	static const char *const json[] = {"a", "--json", NULL};
	struct words words;
	struct err err;

	(void)state;
	assert_int_equal(parse("rm", help, &words, &err), 0);
	assert_true(words.wants_help);
	assert_int_equal(parse("ls", json, &words, &err), 0);
	assert_true(words.wants_json && !words.wants_help);
	assert_int_equal(words.n, 1);
}

/* Other spellings, and what comes later, are not shown. */
static void listed(void **state)
{
	struct words_view flag;
	size_t n = 0;

	(void)state;
	for (; (flag = words_view("stop", n)).name != NULL; n++)
		assert_true(flag.help[0] != '\0' && !str_equal(flag.name, "--time"));
	assert_int_equal(n, 3);
	assert_string_equal(words_view("start", 0).name, "--all");
	assert_string_equal(words_view("start", 4).name, "--sig-proxy");
	assert_null(words_view("start", 5).name);
	assert_null(words_view("nothing", 0).name);
}

static void many(void **state)
{
	char *list[WORDS_FLAGS_MAX + 2];
	struct words words;
	struct err err = {0};

	(void)state;
	for (size_t i = 0; i <= WORDS_FLAGS_MAX; i++)
		list[i] = (char *)"-f";
	list[WORDS_FLAGS_MAX + 1] = NULL;
	assert_true(words_parse("rm", false, list, &words, &err) < 0);
	list[WORDS_FLAGS_MAX] = NULL;
	assert_int_equal(words_parse("rm", false, list, &words, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings), cmocka_unit_test(together),
		cmocka_unit_test(mistakes),  cmocka_unit_test(help_and_json),
		cmocka_unit_test(listed),    cmocka_unit_test(many),
		cmocka_unit_test(truths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
