/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image ...`: hands over to cordon-image (libexec/image/), which takes this process's
 * place. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/program.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/print.h"
#include "storage/store.h"

enum { WORDS_MAX = 512 };

static const char program_name[] = "cordon-image";

static const char *variable(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment[i] != NULL; i++)
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

int cmd_image_store(const struct cmd_context *context, char *buf, struct err *err)
{
	const struct store_place place = {
		.root_dir = context->root_dir,
		.data_home = variable(context->environment, "XDG_DATA_HOME"),
		.home = variable(context->environment, "HOME"),
	};

	return store_path(&place, geteuid(), buf, err);
}

/* The flags of the row's in front, and then its words; both as the program wants them. */
struct handing {
	const struct subcommand *row;
	char *flags[WORDS_MAX];
	size_t n_flags;
	char *words[WORDS_MAX];
	size_t n_words;
};

static bool is_flag_of(const struct subcommand *row, const char *word, bool *ret_has_value)
{
	if (str_equal(word, "--json")) {
		*ret_has_value = false;
		return row->flags & COMMAND_JSON;
	}
	for (size_t i = 0; options_view(i).name != NULL; i++) {
		struct option_view option = options_view(i);

		if (str_equal(word, option.name) && (option.of & command_options(row))) {
			*ret_has_value = option.value != NULL;
			return true;
		}
	}
	return false;
}

static int take_flag(struct handing *h, char **argv)
{
	bool has_value = false;

	if (!is_flag_of(h->row, argv[0], &has_value)) {
		print_note("unknown flag %s of image %s", argv[0], h->row->name);
		print_note("  hint: `cordon help image %s` lists its flags.", h->row->name);
		return -1;
	}
	h->flags[h->n_flags++] = argv[0];
	if (!has_value)
		return 0;
	if (argv[1] == NULL) {
		print_note("%s wants a value", argv[0]);
		return -1;
	}
	h->flags[h->n_flags++] = argv[1];
	return 1;
}

/* Returns 0, or -1 with *ret_exit. */
static int read_words(struct handing *h, int argc, char **argv, int *ret_exit)
{
	bool only_words = false;

	*ret_exit = EXIT_CORDON;
	if (argc >= WORDS_MAX - 8) {
		print_note("image %s: more than %d words", h->row->name, WORDS_MAX - 8);
		return -1;
	}
	for (char **word = argv; *word != NULL; word++) {
		int r = 0;

		if (only_words || (*word)[0] != '-' || str_equal(*word, "-")) {
			h->words[h->n_words++] = *word;
		} else if (str_equal(*word, "--")) {
			only_words = true;
		} else if (str_equal(*word, "--help") || str_equal(*word, "-h")) {
			char name[32];

			str_format(name, sizeof(name), "image %s", h->row->name);
			*ret_exit = command_print_help_of(name);
			return -1;
		} else {
			r = take_flag(h, word);
		}
		if (r < 0)
			return -1;
		word += r;
	}
	return 0;
}

static int hand_over(const struct cmd_context *context, struct handing *h, struct err *err)
{
	char path[PATH_MAX];
	char *argv[2 * WORDS_MAX] = {(char *)program_name, path, (char *)h->row->name};
	char *none[] = {NULL};
	/* Only skopeo has a use for it: proxies, and where its credentials are. */
	bool needs_environment = str_equal(h->row->name, "pull");
	char *const *environment = needs_environment ? (char *const *)context->environment : none;
	_cleanup_fd_ int program = program_open(program_name);
	size_t n = 3;
	int r = cmd_image_store(context, path, err);

#ifdef CORDON_FAULTS
	environment = (char *const *)context->environment;
#endif
	if (r < 0)
		return r;
	for (size_t i = 0; i < h->n_flags; i++)
		argv[n++] = h->flags[i];
	argv[n++] = (char *)"--";
	for (size_t i = 0; i < h->n_words; i++)
		argv[n++] = h->words[i];
	r = program < 0 ? program : program_exec(program, argv, environment);
	err_set(err, ERR_SETUP, -r, "%s", program_name);
	return err_hint(err, "It is built with libarchive-dev, libssl-dev and libjson-c-dev, and "
			     "lies beside cordon or in libexec/cordon, writable for nobody else.");
}

int cmd_image_verb(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *table = command_find(commands, "image");
	struct handing h = {.row = command_find(table->below, argv[0])};
	struct err err = {0};
	int exit_code;

	if (read_words(&h, argc, argv + 1, &exit_code) < 0)
		return exit_code;
	ignore_result(hand_over(context, &h, &err), "it returns only with an error");
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
	return command != NULL ? command->main(context, argc - 1, argv + 1)
			       : command_refuse(image->below, "image", argv[1]);
}
