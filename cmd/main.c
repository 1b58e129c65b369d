/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cordon: the command line. Finds the subcommand in one table and hands over.
 *
 * First of all descriptors 0 to 2 are guarded: where one is closed, the next open would land there
 * and be passed on.
 */
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/print.h"

extern char **environ;

static int dispatch(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *command = command_find(commands, argv[0]);

	return command != NULL ? command->main(context, argc, argv)
			       : command_refuse(commands, "", argv[0]);
}

static const char *variable(const char *const *environment, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; environment[i] != NULL; i++)
		if (strncmp(environment[i], name, len) == 0 && environment[i][len] == '=')
			return environment[i] + len + 1;
	return NULL;
}

void cmd_request_init(const struct cmd_context *context, struct run_request *ret_request)
{
	*ret_request = (struct run_request){
		.root_dir = context->root_dir,
		.runtime_dir = variable(context->environment, "XDG_RUNTIME_DIR"),
		.environment = context->environment,
		.home = variable(context->environment, "HOME"),
	};
	memcpy(ret_request->fds_closed, context->fds_closed, sizeof(context->fds_closed));
}

int main(int argc, char **argv)
{
	struct cmd_context context = {.environment = (const char *const *)environ};
	int i = 1;

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
	return dispatch(&context, argc - i, argv + i);
}
