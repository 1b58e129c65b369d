/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cordon: the command line. Finds the subcommand in one table and hands over.
 *
 * First of all descriptors 0 to 2 are guarded: where one is closed, the next open would land there
 * and be passed on.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/docker.h"
#include "cmd/print.h"

extern char **environ;

static int dispatch(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *command = command_find(commands, argv[0]);

	if (command != NULL)
		return command->main(context, argc, argv);
	return docker_refuse(argv, (size_t)argc) ? EXIT_CORDON
						 : command_refuse(commands, "", argv[0]);
}

/* Commands change their directory: from here on it means the same place everywhere. */
static int make_absolute(struct cmd_context *context, char *buf, size_t size)
{
	char cwd[PATH_MAX];

	if (context->root_dir == NULL || context->root_dir[0] == '/')
		return 0;
	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    path_normalize(buf, size, cwd, context->root_dir) < 0) {
		print_note("--root %s: not a usable path", context->root_dir);
		return -1;
	}
	context->root_dir = buf;
	return 0;
}

/* The kernel lays them down one behind the other (create_elf_tables in fs/binfmt_elf.c). */
static size_t size_of_words(char *const *argv, int argc)
{
	const char *last = argv[argc - 1];

	return (size_t)(last - argv[0]) + strlen(last) + 1;
}

int main(int argc, char **argv)
{
	struct cmd_context context = {.environment = (const char *const *)environ,
				      .command_line = argc > 0 ? argv[0] : NULL};
	char root_dir[PATH_MAX];
	int i = 1;

	if (argc > 0)
		context.command_line_size = size_of_words(argv, argc);
	/* Without descriptors nothing can be said: the exit code is all there is. */
	if (facts_guard_stdio(context.fds_closed) < 0)
		return EXIT_CORDON;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (str_equal(argv[i], "--help") || str_equal(argv[i], "-h"))
			return command_print_overview();
		if (str_equal(argv[i], "--version")) {
			print_out("cordon " CORDON_VERSION "\n");
			return 0;
		}
		if (str_equal(argv[i], "--root") && i + 1 < argc) {
			context.root_dir = argv[++i];
			continue;
		}
		if (str_has_prefix(argv[i], "--root=")) {
			context.root_dir = argv[i] + strlen("--root=");
			continue;
		}
		if (str_equal(argv[i], "--root")) {
			print_note("--root wants a value: --root DIR");
			return EXIT_CORDON;
		}
		print_note("unknown flag %s in front of the command", argv[i]);
		print_note("  hint: Flags of a command stand behind it: cordon run %s ...",
			   argv[i]);
		return EXIT_CORDON;
	}
	if (i == argc) {
		ignore_result(command_print_overview(), "the exit code is the mistake's");
		return EXIT_CORDON;
	}
	if (make_absolute(&context, root_dir, sizeof(root_dir)) < 0)
		return EXIT_CORDON;
	return dispatch(&context, argc - i, argv + i);
}
