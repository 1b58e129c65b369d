/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/options.c: flags in all their spellings, and what is said of those that are wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "cmd/options.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { WORDS_MAX = 12 };

/* Parses words, NULL-terminated. */
static int parse(const char *const *words, struct options *ret, struct err *err)
{
	static char *argv[WORDS_MAX + 1];
	size_t n = 0;

	for (; words[n] != NULL; n++)
		argv[n] = (char *)words[n];
	argv[n] = NULL;
	memset(err, 0, sizeof(*err));
	return options_parse(argv, ret, err);
}

/* Both spellings of each flag with a value, and what becomes of it. */
static void hands_flags_to_the_policy(void **state)
{
	static const struct {
		const char *name, *joined, *value;
		int kind;
	} rows[] = {
		{"--set", "--set=limits.nproc=16", "limits.nproc=16", FLAG_SET},
		{"--waive", "--waive=name=a reason", "name=a reason", FLAG_WAIVE},
		{"--ro", "--ro=.", ".", FLAG_RO},
		{"--rw", "--rw=/a=b", "/a=b", FLAG_RW},
		{"--hostname", "--hostname=", "", FLAG_HOSTNAME},
		{"--timeout", "--timeout=10s", "10s", FLAG_TIMEOUT},
		{"-e", NULL, "A=B=C", FLAG_ENV},
		{"-w", NULL, "/tmp", FLAG_WORKING_DIR},
		{"-u", NULL, "1:2", FLAG_USER},
		{"-e", "-eA=B", "A=B", FLAG_ENV},
		{"-e", "-e=A=B", "A=B", FLAG_ENV},
		{"--env", "--env=A", "A", FLAG_ENV},
		{"-h", "-hname", "name", FLAG_HOSTNAME},
		{"-m", "-m64m", "64m", FLAG_MEMORY},
		{"--workdir", "-w=/x", "/x", FLAG_WORKING_DIR},
		{"--net", "--net=none", "none", FLAG_NETWORK},
		{"--ulimit", "--ulimit=nproc=3", "nproc=3", FLAG_ULIMIT},
		{"-l", "-qla", "a", FLAG_LABEL},
		/* A value may look like a flag. */
		{"--set", NULL, "--set", FLAG_SET},
		{"--ro", NULL, "", FLAG_RO},
	};
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const char *const apart[] = {rows[i].name, rows[i].value, "cmd", NULL};
		const char *const joined[] = {rows[i].joined, "cmd", NULL};

		for (int way = 0; way < (rows[i].joined != NULL ? 2 : 1); way++) {
			assert_int_equal(parse(way == 0 ? apart : joined, &o, &err), 0);
			assert_int_equal(o.n_flags, 1);
			assert_int_equal((int)o.flags[0].kind, rows[i].kind);
			assert_string_equal(o.flags[0].text, rows[i].value);
			assert_string_equal(o.rest[0], "cmd");
			assert_null(o.rest[1]);
			assert_false(o.saw_separator);
			assert_int_equal(o.status_fd, -EBADF);
		}
	}
}

static void keeps_their_order(void **state)
{
	static const char *const words[] = {"--ro",  "/a",  "--rw=/b", "-e", "X",
					    "--set", "k=v", "--",      NULL};
	static const char *const want[] = {"/a", "/b", "X", "k=v"};
	static struct options o;
	struct err err;

	(void)state;
	assert_int_equal(parse(words, &o, &err), 0);
	assert_int_equal(o.n_flags, N(want));
	for (size_t i = 0; i < N(want); i++)
		assert_string_equal(o.flags[i].text, want[i]);
	assert_null(o.rest[0]);
}

static void takes_the_flags_of_its_own(void **state)
{
	static const char *const words[] = {"--profile", "first",  "--profile=./p.yaml", "-q",
					    "--report",  "r.json", "--status-fd=9",      "--help",
					    NULL};
	static struct options o;
	struct err err;

	(void)state;
	assert_int_equal(dup2(2, 9), 9);
	assert_int_equal(parse(words, &o, &err), 0);
	close(9);
	assert_string_equal(o.profile, "./p.yaml");
	assert_string_equal(o.report, "r.json");
	assert_int_equal(o.status_fd, 9);
	assert_true(o.quiet);
	assert_true(o.help);
	assert_int_equal(o.n_flags, 0);
}

static void stops_where_the_program_begins(void **state)
{
	static const struct {
		const char *words[6];
		int rest; /* index of the first word that is left */
		bool separator;
	} rows[] = {
		{{NULL}, 0, false},
		{{"--", NULL}, 1, true},
		{{"--", "-q", NULL}, 1, true},
		{{"--", "--", "x", NULL}, 1, true},
		{{"-q", "--", "cmd", "--help", NULL}, 2, true},
		{{"cmd", "-q", NULL}, 0, false},
		{{"cmd", "--", NULL}, 0, false},
		{{"-q", "cmd", "--nonsense", NULL}, 1, false},
		{{"-", "-q", NULL}, 0, false},
		{{"", "-q", NULL}, 0, false},
	};
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		int rest = rows[i].rest;

		assert_int_equal(parse(rows[i].words, &o, &err), 0);
		assert_int_equal(o.saw_separator, rows[i].separator);
		for (; rows[i].words[rest] != NULL; rest++)
			assert_string_equal(o.rest[rest - rows[i].rest], rows[i].words[rest]);
		assert_null(o.rest[rest - rows[i].rest]);
		assert_false(o.help);
	}
}

static const struct {
	const char *words[4];
	const char *text;
	const char *hint; /* a part of it, "" for none */
} refused[] = {
	{{"--nonsense", NULL}, "unknown flag --nonsense", "stands behind `--`"},
	{{"--profle", "x", NULL}, "unknown flag --profle", "Did you mean --profile?"},
	{{"--timout", "1s", NULL}, "unknown flag --timout", "Did you mean --timeout?"},
	{{"--timout=a-value-longer-than-the-flag", NULL},
	 "unknown flag --timout=a-value-longer-than-the-flag",
	 "Did you mean --timeout?"},
	{{"--profiles", NULL}, "unknown flag --profiles", "Did you mean --profile?"},
	{{"--hepl", NULL}, "unknown flag --hepl", "Did you mean --help?"},
	{{"-x", NULL}, "unknown flag -x", "stands behind `--`"},
	{{"-x=A", NULL}, "unknown flag -x=A", "stands behind `--`"},
	{{"-qix", NULL}, "unknown flag -x in -qix", "stands behind `--`"},
	{{"-qe", NULL}, "-e wants a value: -e NAME[=VALUE]", ""},
	{{"-h", NULL}, "-h wants a value: -h NAME", "cordon run --help"},
	{{"-it=yes", NULL}, "-t takes no value but =true or =false", ""},
	{{"--rm=1", NULL}, "--rm takes no value but =true or =false", ""},
	{{"--init=", NULL}, "--init takes no value but =true or =false", ""},
	{{"--name", "a b", NULL}, "--name a b: not a name", "1 to 64"},
	{{"--name", "-ab", NULL}, "--name -ab: not a name", "1 to 64"},
	{{"--name=a/b", NULL}, "--name a/b: not a name", "1 to 64"},
	{{"--name=", NULL}, "--name : not a name", "1 to 64"},
	{{"--rm", "--restart=always", NULL},
	 "--rm and --restart contradict each other",
	 "cannot be started again"},
	{{"--privileged", NULL},
	 "--privileged is Docker's: cordon has no such flag",
	 "Say what is needed"},
	{{"-qa", "stdin", NULL}, "-a (--attach) is not enforced by this build", "Without -d"},
	{{"--voluem", NULL}, "unknown flag --voluem", "Did you mean --volume?"},
	{{"--memroy", "64m", NULL}, "unknown flag --memroy", "Did you mean --memory?"},
	{{"---", NULL}, "unknown flag ---", "lists all"},
	{{"--=x", NULL}, "unknown flag --=x", "lists all"},
	{{"--set", NULL}, "--set wants a value: --set KEY=VALUE", ""},
	{{"-q", "-w", NULL}, "-w wants a value: -w DIR", ""},
	{{"--status-fd", "--", NULL}, "--status-fd wants a value: --status-fd N", ""},
	{{"--help=yes", NULL}, "--help takes no value but =true or =false", ""},
	{{"--help=", NULL}, "--help takes no value but =true or =false", ""},
	{{"--status-fd=", NULL}, "--status-fd : not an open descriptor", "Open it first"},
	{{"--status-fd", "-1", NULL}, "--status-fd -1: not an open descriptor", "Open it first"},
	{{"--status-fd", "987654", NULL},
	 "--status-fd 987654: not an open descriptor",
	 "Open it first"},
	{{"--status-fd=4294967297", NULL},
	 "--status-fd 4294967297: not an open descriptor",
	 "Open it first"},
	{{"--status-fd=1x", NULL}, "--status-fd 1x: not an open descriptor", "Open it first"},
	{{"--status-fd=0", NULL},
	 "--status-fd 0: descriptors 0 to 2 are the program's",
	 "Take another"},
	{{"--status-fd=1", NULL},
	 "--status-fd 1: descriptors 0 to 2 are the program's",
	 "Take another"},
	{{"--status-fd", "2", NULL},
	 "--status-fd 2: descriptors 0 to 2 are the program's",
	 "Take another"},
};

static void refuses(void **state)
{
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(refused); i++) {
		assert_int_equal(parse(refused[i].words, &o, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_string_equal(err.text, refused[i].text);
		if (refused[i].hint[0] == '\0')
			assert_string_equal(err.hint, "");
		else if (strstr(err.hint, refused[i].hint) == NULL)
			fail_msg("'%s' does not say '%s'", err.hint, refused[i].hint);
	}
}

static void refuses_parents(void **state)
{
	static const char *const wrong[] = {"", "/", "//", ".", "..", "../a", "a/..", "a/./b"};
	static const char *const right[] = {"a", "/a", "a/b", "a/..b", "a/b/", ".a"};
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(wrong); i++) {
		const char *const words[] = {"--cgroup-parent", wrong[i], NULL};

		assert_int_equal(parse(words, &o, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "not the path of a control group"));
	}
	for (size_t i = 0; i < N(right); i++) {
		const char *const words[] = {"--cgroup-parent", right[i], NULL};

		assert_int_equal(parse(words, &o, &err), 0);
		assert_string_equal(o.cgroup_parent, right[i]);
	}
}

/* One letter is too little to tell what was meant. */
static void suggests_no_short_flag(void **state)
{
	static const char *const words[] = {"-x", NULL};
	static struct options o;
	struct err err;

	(void)state;
	assert_int_equal(parse(words, &o, &err), -EINVAL);
	assert_null(strstr(err.hint, "Did you mean"));
}

static void counts_flags(void **state)
{
	static struct options o;
	static char *argv[OPTIONS_FLAGS_MAX + 3];
	struct err err;

	(void)state;
	for (size_t i = 0; i < OPTIONS_FLAGS_MAX; i++)
		argv[i] = "--ro=/x";
	argv[OPTIONS_FLAGS_MAX] = "cmd";
	argv[OPTIONS_FLAGS_MAX + 1] = NULL;
	assert_int_equal(options_parse(argv, &o, &err), 0);
	assert_int_equal(o.n_flags, OPTIONS_FLAGS_MAX);
	argv[OPTIONS_FLAGS_MAX] = "--ro=/y";
	assert_int_equal(options_parse(argv, &o, &err), -EINVAL);
	assert_string_equal(err.text, "more than 256 flags");
}

/* Letters together, =true and =false; what a flag was typed as is kept for messages. */
static void takes_letters(void **state)
{
	static const struct {
		const char *words[4];
		bool detach, interactive, tty, rm;
	} rows[] = {
		{{"-dit", NULL}, true, true, true, false},
		{{"-it", "--rm", NULL}, false, true, true, true},
		{{"-ti", NULL}, false, true, true, false},
		{{"-di", "-d=false", NULL}, false, true, false, false},
		{{"-it=false", NULL}, false, true, false, false},
		{{"--tty=true", "--rm=false", NULL}, false, false, true, false},
		{{"--rm", "--rm=false", "--detach", NULL}, true, false, false, false},
		{{"--interactive", NULL}, false, true, false, false},
	};
	static const char *const typed[] = {"-item", "A=1", NULL};
	static const char *const switches[] = {"--read-only", "--init=false", NULL};
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		assert_int_equal(parse(rows[i].words, &o, &err), 0);
		assert_int_equal(o.detach, rows[i].detach);
		assert_int_equal(o.interactive, rows[i].interactive);
		assert_int_equal(o.tty, rows[i].tty);
		assert_int_equal(o.rm, rows[i].rm);
		assert_null(o.rest[0]);
	}
	assert_int_equal(parse(typed, &o, &err), 0);
	assert_string_equal(o.flags[0].name, "-e");
	assert_string_equal(o.flags[0].text, "m");
	assert_string_equal(o.rest[0], "A=1");
	assert_int_equal(parse(switches, &o, &err), 0);
	assert_string_equal(o.flags[0].name, "--read-only");
	assert_string_equal(o.flags[0].text, "true");
	assert_string_equal(o.flags[1].text, "false");
}

static void takes_names(void **state)
{
	static char longest[OPTIONS_NAME_MAX + 2];
	static const char *const names[] = {"ab", "a_", "0.", "Web-1.x_y"};
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(names); i++) {
		const char *const words[] = {"--name", names[i], NULL};

		assert_int_equal(parse(words, &o, &err), 0);
		assert_string_equal(o.name, names[i]);
	}
	memset(longest, 'x', OPTIONS_NAME_MAX);
	assert_int_equal(options_check_name(longest, &err), 0);
	longest[OPTIONS_NAME_MAX] = 'x';
	assert_int_equal(options_check_name(longest, &err), -EINVAL);
}

/* Create takes what decides something, and nothing that only a run can use. */
static void knows_whose_a_flag_is(void **state)
{
	static const struct {
		const char *word;
		bool is_of_create;
	} rows[] = {{"--name=ab", true},    {"--memory=1g", true}, {"--rm", true},
		    {"-it", true},          {"--top", false},      {"-d", false},
		    {"--report=x", false},  {"--json", false},     {"--calls", false},
		    {"--profile=p", true},  {"--label=a", true},   {"--set=a=b", true},
		    {"--sample=1s", false}, {"-q", true},          {"--help", true}};
	static struct options o;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		const char *const words[] = {rows[i].word, NULL};
		int r = parse(words, &o, &err);

		/* --sample alone is refused, but has been read. */
		if (r != 0 && !str_has_prefix(rows[i].word, "--sample"))
			fail_msg("%s: %s", rows[i].word, err.text);
		r = options_check_command(&o, OPTION_CREATE, "create", &err);
		if ((r == 0) != rows[i].is_of_create)
			fail_msg("%s: %d", rows[i].word, r);
		if (r != 0)
			assert_non_null(strstr(err.text, "is not a flag of create"));
	}
}

/* Those of logs and attach are no other command's, and their letters come first there. */
static void keeps_own_flags_apart(void **state)
{
	static char word_f[] = "-f", word_t[] = "-t", word_n[] = "-n5", word_tail[] = "--tail=5",
		    word_keys[] = "--detach-keys=x", word_proxy[] = "--sig-proxy=false";
	char *of_logs[] = {word_f, word_t, word_n, NULL};
	char *of_attach[] = {word_keys, word_proxy, NULL};
	char *of_run[] = {word_keys, NULL};
	char *const others[] = {word_f, word_n, word_tail, word_proxy};
	static struct options o;
	struct err err;

	(void)state;
	assert_int_equal(options_parse_for(OPTION_LOGS, of_logs, &o, &err), 0);
	assert_true(o.follow && o.timestamps && !o.tty);
	assert_string_equal(o.tail, "5");
	assert_int_equal(options_check_command(&o, OPTION_LOGS, "logs", &err), 0);
	assert_int_equal(options_parse_for(OPTION_ATTACH, of_attach, &o, &err), 0);
	assert_string_equal(o.detach_keys, "x");
	assert_true(o.no_sig_proxy);
	assert_int_equal(options_check_command(&o, OPTION_ATTACH, "attach", &err), 0);
	/* Run has a row of its own with that name. */
	assert_int_equal(options_parse(of_run, &o, &err), 0);
	assert_string_equal(o.detach_keys, "x");
	assert_true(options_check_command(&o, OPTION_ATTACH, "attach", &err) < 0);
	assert_int_equal(options_check_command(&o, OPTION_RUN, "run", &err), 0);
	for (size_t i = 0; i < N(others); i++) {
		char *words[] = {others[i], NULL};

		if (options_parse(words, &o, &err) == 0)
			fail_msg("%s is one of run's", others[i]);
	}
}

/* Of each flag of Docker's there is one row, in one of the two tables, and no letter is twice. */
static void has_each_flag_once(void **state)
{
	/* Those of the listings are a table of their own. */
	const unsigned launches = OPTION_RUN | OPTION_CREATE | OPTION_EXPLAIN | OPTION_EXEC |
				  OPTION_DOCTOR | OPTION_DOCKER;
	unsigned char letters[128] = {0};

	(void)state;
	for (size_t i = 0; options_view(i).name != NULL; i++) {
		struct option_view flag = options_view(i);
		size_t n = 0;

		if ((flag.of & launches) == 0)
			continue;
		for (size_t k = 0; options_view(k).name != NULL; k++)
			n += (options_view(k).of & launches) != 0 &&
			     str_equal(options_view(k).name, flag.name);
		for (size_t k = 0; options_later[k].name != NULL; k++)
			n += str_equal(options_later[k].name, flag.name);
		if (n != 1 || letters[(int)flag.letter] != 0)
			fail_msg("%s: %zu", flag.name, n);
		letters[(int)flag.letter] = flag.letter != 0;
	}
	for (size_t i = 0; options_later[i].name != NULL; i++) {
		const struct option_later *later = &options_later[i];

		if (letters[(int)later->letter] != 0 || later->instead[0] == '\0')
			fail_msg("%s", later->name);
		letters[(int)later->letter] = later->letter != 0;
	}
}

static void takes_descriptors(void **state)
{
	static struct options o;
	struct err err;
	char low[16], high[16];
	const char *const good[] = {"--fd", low, "--fd", high, NULL};
	const char *const twice[] = {"--fd", low, "--fd", low, NULL};
	const char *const both[] = {"--fd", low, "--status-fd", low, NULL};
	const char *const also[] = {"--status-fd", low, "--fd", low, NULL};
	const char *const taken[] = {"--fd", "2", NULL};
	const char *const closed[] = {"--fd", "1000000", NULL};
	const char *const word[] = {"--fd", "three", NULL};
	const char *const *const bad[] = {twice, both, also, taken, closed, word};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	str_format(low, sizeof(low), "%d", fds[0]);
	str_format(high, sizeof(high), "%d", fds[1]);
	assert_int_equal(parse(good, &o, &err), 0);
	assert_int_equal(o.n_fds, 2);
	assert_int_equal(o.fds[0], fds[0]);
	assert_int_equal(o.fds[1], fds[1]);
	for (size_t i = 0; i < N(bad); i++) {
		assert_int_equal(parse(bad[i], &o, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "--fd"));
	}
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_descriptors),
		cmocka_unit_test(takes_letters),
		cmocka_unit_test(takes_names),
		cmocka_unit_test(knows_whose_a_flag_is),
		cmocka_unit_test(keeps_own_flags_apart),
		cmocka_unit_test(has_each_flag_once),
		cmocka_unit_test(hands_flags_to_the_policy),
		cmocka_unit_test(keeps_their_order),
		cmocka_unit_test(takes_the_flags_of_its_own),
		cmocka_unit_test(stops_where_the_program_begins),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_parents),
		cmocka_unit_test(suggests_no_short_flag),
		cmocka_unit_test(counts_flags),
	};

	return cmocka_run_group_tests_name("cmd/options", tests, NULL, NULL);
}
