/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image ...`: hands over to cordon-image (libexec/image/), which takes this process's
 * place. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/program.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/docker.h"
#include "cmd/image.h"
#include "cmd/life.h"
#include "cmd/moment.h"
#include "cmd/print.h"
#include "cmd/words.h"
#include "storage/store.h"

enum { WORDS_MAX = 512, UNTIL_SIZE = 40 };

static const char program_name[] = "cordon-image";

int cmd_image_store(const struct cmd_context *context, char *buf, struct err *err)
{
	const struct store_place place = {
		.root_dir = context->root_dir,
		.data_home = cmd_variable(context, "XDG_DATA_HOME"),
		.home = cmd_variable(context, "HOME"),
	};

	return store_path(&place, geteuid(), buf, err);
}

/* What the program is called with: flags in front, `--`, words. */
struct handing {
	char *argv[WORDS_MAX + 10 + 2 * WORDS_FLAGS_MAX];
	size_t n;
};

static void hand(struct handing *h, const char *word)
{
	h->argv[h->n++] = (char *)word;
}

static int hand_over(const struct cmd_context *context, const char *verb, struct handing *h,
		     struct err *err)
{
	char *none[] = {NULL};
	/* Only skopeo has a use for it: proxies, and where its credentials are. */
	bool needs_environment = str_equal(verb, "pull");
	char *const *environment = needs_environment ? (char *const *)context->environment : none;
	_cleanup_fd_ int program = program_open(program_name);
	int r;

#ifdef CORDON_FAULTS
	environment = (char *const *)context->environment;
#endif
	r = program < 0 ? program : program_exec(program, h->argv, environment);
	err_set(err, ERR_SETUP, -r, "%s", program_name);
	return err_hint(err, "It is built with libarchive-dev, libssl-dev and libjson-c-dev, and "
			     "lies beside cordon or in libexec/cordon, writable for nobody else.");
}

/* What Docker says by a flag, and is a word here: the first one of load, the last one of save. */
static bool is_word(const char *flag)
{
	return str_equal(flag, "--input") || str_equal(flag, "--output");
}

/* Returns only on failure. words: argv, as command_parse left it. */
static int execute(const struct cmd_context *context, const char *verb, const struct words *words,
		   char **argv, struct err *err)
{
	struct handing h = {.n = 0};
	char path[PATH_MAX], run[PATH_MAX];
	int r = cmd_image_store(context, path, err);

	/* Where sandboxes are that remove themselves: they hold images as well. */
	if (r == 0)
		r = state_root_path(context->root_dir, geteuid(),
				    cmd_variable(context, "XDG_RUNTIME_DIR"), run, sizeof(run),
				    err);
	if (r < 0)
		return r;
	if (words->n > WORDS_MAX)
		return err_set(err, ERR_USAGE, 0, "image %s: more than %d words", verb, WORDS_MAX);
	hand(&h, program_name);
	hand(&h, path);
	hand(&h, verb);
	hand(&h, "--run");
	hand(&h, run);
	if (words->wants_json)
		hand(&h, "--json");
	for (size_t i = 0; i < words->n_flags; i++) {
		if (is_word(words->flags[i].name))
			continue;
		hand(&h, words->flags[i].name);
		if (words->flags[i].value != NULL)
			hand(&h, words->flags[i].value);
	}
	hand(&h, "--");
	if (words_value(words, "--input") != NULL)
		hand(&h, words_value(words, "--input"));
	for (; *argv != NULL; argv++)
		hand(&h, *argv);
	if (words_value(words, "--output") != NULL)
		hand(&h, words_value(words, "--output"));
	return hand_over(context, verb, &h, err);
}

/* A moment as cordon-image takes it: a number. text: where it is put. */
static int read_until(const char *value, char *text, size_t size, struct err *err)
{
	int64_t ns;

	if (moment_read(value, moment_now_ns(), &ns) < 0 || ns < 0) {
		err_set(err, ERR_USAGE, 0, "--filter until=%s: is no time", value);
		return err_hint(err, "until=24h, until=2026-01-31T12:00:00.");
	}
	str_format(text, size, "until=%llu", (unsigned long long)ns / 1000000000);
	return 0;
}

/* 1: it may begin; 0: it was not wanted. until: "" before. */
static int prepare_prune(struct words *words, char until[UNTIL_SIZE], struct err *err)
{
	static const char key[] = "until=";

	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = words->flags[i].value;
		int r;

		if (!str_equal(words->flags[i].name, "--filter") || !str_has_prefix(value, key))
			continue;
		if (until[0] != '\0')
			return err_set(err, ERR_USAGE, 0, "--filter until= is said twice");
		r = read_until(value + strlen(key), until, UNTIL_SIZE, err);
		if (r < 0)
			return r;
		words->flags[i].value = until;
	}
	return !words_has(words, "--all") || words_has(words, "--force")
		       ? 1
		       : life_ask("image prune -a", "WARNING! This will remove all images that no "
						    "sandbox is of.\n");
}

int cmd_image_prune(const struct cmd_context *context, int argc, char **argv)
{
	char until[UNTIL_SIZE] = "";
	struct words words;
	struct err err = {0};
	int exit_code, r;

	(void)argc;
	if (command_parse("image prune", argv + 1, &words, &exit_code) < 0)
		return exit_code;
	r = prepare_prune(&words, until, &err);
	if (r == 0)
		return 0;
	if (r > 0)
		ignore_result(execute(context, "prune", &words, argv + 1, &err),
			      "it returns only with an error");
	if (err.kind != ERR_NONE)
		print_err(&err);
	return EXIT_CORDON;
}

int cmd_image_verb(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *image = command_find(commands, "image");
	const char *verb = command_find(image->below, argv[0])->name;
	struct words words;
	struct err err = {0};
	char name[32];
	int exit_code;

	(void)argc;
	str_format(name, sizeof(name), "image %s", verb);
	if (command_parse(name, argv + 1, &words, &exit_code) < 0)
		return exit_code;
	if (str_equal(verb, "ls") && words_value(&words, "--format") != NULL) {
		int r = image_list(context, &words, &err);

		if (r >= 0)
			return r;
	} else {
		ignore_result(execute(context, verb, &words, argv + 1, &err),
			      "it returns only with an error");
	}
	print_err(&err);
	return EXIT_CORDON;
}

int cmd_image(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *image = command_find(commands, "image");
	const struct subcommand *command;

	if (argc < 2) {
		ignore_result(command_print_help_of("image"), "the exit code is the mistake's");
		return EXIT_CORDON;
	}
	if (str_equal(argv[1], "--help") || str_equal(argv[1], "-h"))
		return command_print_help_of("image");
	command = command_find(image->below, argv[1]);
	if (command != NULL)
		return command->main(context, argc - 1, argv + 1);
	return docker_refuse(argv, (size_t)argc) ? EXIT_CORDON
						 : command_refuse(image->below, "image", argv[1]);
}
