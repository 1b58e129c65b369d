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

static const struct subcommand subcommands[] = {
	{"run", "[FLAGS] -- CMD...", "run a program in a sandbox of its own", cmd_run},
	{"explain", "[FLAGS] [-- CMD...]",
	 "print the plan of a run, with where each value comes from; change nothing", cmd_explain},
	{"doctor", "", "what this host can enforce, and how to fix what it cannot", cmd_doctor},
	{"profile", "ls | show NAME | check FILE...", "list, print and check policy profiles",
	 cmd_profile},
	{"gc", "", "finish what killed runs could not undo", cmd_gc},
};
enum { N_SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static int print_usage(void)
{
	print_out("Usage: cordon [--root DIR] COMMAND\n\n"
		  "Runs code that nobody trusts: no setuid, no daemon, safe by default.\n\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		char left[96];

		str_format(left, sizeof(left), "  cordon %s %s", subcommands[i].name,
			   subcommands[i].usage);
		print_padded(left, 48);
		print_out("%s\n", subcommands[i].help);
	}
	print_out("\n  --root DIR    keep all state below DIR\n"
		  "  --version     print the version\n\n"
		  "Try: cordon run -- python3 -c 'print(1)'\n");
	return 0;
}

static int refuse_command(const char *name)
{
	const char *names[N_SUBCOMMANDS];
	const char *nearest;

	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		names[i] = subcommands[i].name;
	nearest = str_nearest(name, names, N_SUBCOMMANDS);
	print_note("unknown command '%s'", name);
	if (nearest != NULL)
		print_note("  hint: Did you mean `cordon %s`?", nearest);
	else
		print_note("  hint: `cordon --help` lists the commands; a program is run with "
			   "`cordon run -- %s`.",
			   name);
	return EXIT_CORDON;
}

static int dispatch(const struct cmd_context *context, int argc, char **argv)
{
	for (size_t i = 0; i < N_SUBCOMMANDS; i++)
		if (str_equal(argv[0], subcommands[i].name))
			return subcommands[i].main(context, argc, argv);
	return refuse_command(argv[0]);
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
			return print_usage();
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
		print_usage();
		return EXIT_CORDON;
	}
	return dispatch(&context, argc - i, argv + i);
}
