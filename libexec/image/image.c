/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cordon-image: keeps images, and reads and writes archives of volumes.
 *
 *	cordon-image STORE VERB [FLAGS] [--] WORD...
 *
 * Executed by `cordon image` in its own place, with the words of the command line after they were
 * counted there; and by `cordon volume` as its child, for what archives of volumes need (volume.c):
 * STORE is the state root then. A program of its own, so that cordon is linked with no reader of
 *archives, no OpenSSL and no JSON library. Runs as the caller; which of its processes reads what is
 *in worker.h. Prints cordon's answers and errors itself. Exit code: 0, or 125.
 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "libexec/image/importer.h"
#include "libexec/image/patient.h"

enum { EXIT_CORDON = 125, MAX_ENTRIES = 2000000 };

#define MAX_BYTES (32ULL << 30)

static const struct verb {
	const char *name;
	size_t least;
	size_t most;
	/* Said where there is another number of words; NULL: a verb of cordon's own. */
	const char *wants;
	const char *example;
	bool is_of_volumes;
	int (*run)(const struct command *command, struct err *err);
} verbs[] = {
	{"import", 2, 2, "a SOURCE and a NAME", "cordon image import rootfs.tar.xz debian:12",
	 false, command_import},
	{"load", 1, 2, "a FILE or -, and perhaps a NAME", "cordon image load app.tar", false,
	 command_load},
	{"pull", 1, 2, "a registry's image, and perhaps a NAME", "cordon image pull debian:12",
	 false, command_pull},
	{"save", 2, 2, "a NAME, and a FILE or -", "cordon image save debian:12 debian.tar", false,
	 command_save},
	{"ls", 0, 0, "no words", "cordon image ls --filter 'reference=debian*'", false, command_ls},
	{"inspect", 1, 1, "one image", "cordon image inspect debian:12", false, command_inspect},
	{"rm", 1, (size_t)-1, "names of images", "cordon image rm debian:12", false, command_rm},
	{"prune", 0, 0, "no words", "cordon image prune --filter until=24h", false, command_prune},
	{"volume-backup", 2, 2, NULL, NULL, true, command_volume_backup},
	{"volume-restore", 2, 2, NULL, NULL, true, command_volume_restore},
	{"volume-clone", 2, 2, NULL, NULL, true, command_volume_clone},
	{"transfer", 1, 16, NULL, NULL, false, command_transfer},
	{"changes", 1, 16, NULL, NULL, false, command_changes},
	{"commit", 1, 16, NULL, NULL, false, command_commit},
};

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (str_equal(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

static int take_flag(struct command *command, const char *flag, const char *value, struct err *err)
{
	uint32_t fd;

	if (value == NULL)
		return err_set(err, ERR_USAGE, 0, "%s wants a value", flag);
	if (str_equal(flag, "--filter")) {
		command->filter = value;
		if (command->n_filters == COMMAND_FILTERS_MAX)
			return err_set(err, ERR_USAGE, 0, "more than %d filters",
				       COMMAND_FILTERS_MAX);
		command->filters[command->n_filters++] = value;
		return 0;
	}
	if (str_equal(flag, "--max-size") && parse_size(value, &command->limits.max_bytes) == 0)
		return 0;
	if (str_equal(flag, "--max-entries") && parse_u64(value, &command->limits.max_entries) == 0)
		return 0;
	if (str_equal(flag, "--run")) {
		command->run = value;
		return 0;
	}
	if (str_equal(flag, "--fields") && parse_u32(value, &fd) == 0 && fd <= INT32_MAX) {
		command->fields_fd = (int)fd;
		return 0;
	}
	if (str_equal(flag, "--marks") && parse_u64(value, &command->n_marks) == 0)
		return 0;
	err_set(err, ERR_USAGE, 0, "%s %s: not of that form", flag, value);
	return err_hint(err, str_equal(flag, "--max-size") ? "Write it with its unit: 64GiB."
							   : "A plain number: 5000000.");
}

static bool take_switch(struct command *command, const char *flag)
{
	const struct {
		const char *name;
		bool *value;
	} switches[] = {
		{"--json", &command->is_json},      {"--quiet", &command->is_quiet},
		{"--force", &command->is_forced},   {"--live", &command->is_live},
		{"--replace", &command->replaces},  {"--no-verify", &command->is_unverified},
		{"--no-trunc", &command->is_whole}, {"--all", &command->is_all},
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (!str_equal(switches[i].name, flag))
			continue;
		*switches[i].value = true;
		return true;
	}
	return false;
}

/* Flags stand in front. */
static int read_words(struct command *command, char **argv, struct err *err)
{
	for (; *argv != NULL && (*argv)[0] == '-' && (*argv)[1] != '\0'; argv++) {
		int r;

		if (str_equal(*argv, "--")) {
			argv++;
			break;
		}
		if (!take_switch(command, *argv)) {
			r = take_flag(command, argv[0], argv[1], err);
			if (r < 0)
				return r;
			argv++;
		}
	}
	command->words = argv;
	while (argv[command->n_words] != NULL)
		command->n_words++;
	return 0;
}

static int run(int argc, char **argv, struct err *err)
{
	struct command command = {
		.fields_fd = -EBADF,
		.limits = {.max_bytes = MAX_BYTES, .max_entries = MAX_ENTRIES},
	};
	const struct verb *verb = argc >= 3 ? find_verb(argv[2]) : NULL;
	int r;

	if (verb == NULL)
		return err_set(err, ERR_USAGE, 0, "usage: cordon-image STORE VERB [FLAGS] WORD...");
	command.state = argv[1];
	/* What is in a volume is as large as it is. */
	if (verb->is_of_volumes)
		command.limits =
			(struct image_limits){.max_bytes = INT64_MAX, .max_entries = INT64_MAX};
	r = read_words(&command, argv + 3, err);
	if (r < 0)
		return r;
	if (command.n_words < verb->least || command.n_words > verb->most) {
		if (verb->wants == NULL)
			return err_set(err, ERR_BUG, EINVAL, "%s: words", verb->name);
		err_set(err, ERR_USAGE, 0, "image %s wants %s", verb->name, verb->wants);
		return err_hint(err, "For example: %s", verb->example);
	}
	return verb->run(&command, err);
}

int main(int argc, char **argv)
{
	struct err err = {0};
	sigset_t ends;
	int r;

	/* Looked at between two blocks (importer_is_interrupted), and taken at the end. */
	patient_signals(&ends);
	signal(SIGPIPE, SIG_IGN);
	/* Of names in pax headers. Here, for it may be read from a file. */
	if (sigprocmask(SIG_BLOCK, &ends, NULL) != 0 || setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return EXIT_CORDON;
	r = run(argc, argv, &err);
	if (r == 0 && fflush(stdout) != 0)
		r = err_set(&err, ERR_SETUP, errno, "standard output");
	if (r < 0 && !importer_is_interrupted())
		say_err(&err);
	sigprocmask(SIG_UNBLOCK, &ends, NULL);
	return r < 0 ? EXIT_CORDON : 0;
}
