/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon profile ls | show NAME | check FILE...` */
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "cmd/verdict.h"

enum { ARENA_SIZE = 8 << 20 };

static void print_name(void *ctx, const char *name, const char *path)
{
	(void)ctx;
	print_padded(name, 20);
	print_out("%s\n", path[0] != '\0' ? path : "(shipped)");
}

static int profile_ls(const struct cmd_context *context)
{
	struct run_request request;

	cmd_request_init(context, &request);
	cordon_profile_list(&request, print_name, NULL);
	return 0;
}

static int profile_show(const struct cmd_context *context, const char *name)
{
	struct run_request request;
	struct arena arena = {0};
	const char *text = "";
	struct err err = {0};
	size_t len = 0;
	int r = arena_init(&arena, ARENA_SIZE, &err);

	cmd_request_init(context, &request);
	if (r == 0)
		r = cordon_profile_load(&request, name, &arena, &text, &len, &err);
	if (r < 0)
		print_err(&err);
	else
		ignore_result(io_write_all(STDOUT_FILENO, text, len), "a reader that left");
	arena_release(&arena);
	return r < 0 ? EXIT_CORDON : 0;
}

/* Whether the policy itself is right. What this host cannot enforce is `explain`'s and `doctor`'s
 * business. */
static int check_one(const struct cmd_context *context, const char *file)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	static const char *const no_command[] = {NULL};
	char as_path[4096];
	int r;

	if (verdict == NULL)
		return EXIT_CORDON;
	/* A file may be named without a slash here: it is files that are checked. */
	str_format(as_path, sizeof(as_path), strchr(file, '/') != NULL ? "%s" : "./%s", file);
	r = verdict_decide(verdict, context,
			   &(struct policy_request){.profile = as_path, .argv = no_command});
	if (r < 0 && verdict->err.kind != ERR_PREFLIGHT) {
		verdict_print_refusal(verdict);
		return EXIT_CORDON;
	}
	print_out("%s: ok\n", file);
	return 0;
}

int cmd_profile(const struct cmd_context *context, int argc, char **argv)
{
	int exit_code = 0;

	if (argc == 2 && (str_equal(argv[1], "ls") || str_equal(argv[1], "list")))
		return profile_ls(context);
	if (argc == 3 && str_equal(argv[1], "show"))
		return profile_show(context, argv[2]);
	if (argc < 3 || !str_equal(argv[1], "check")) {
		print_note("usage: cordon profile ls | show NAME | check FILE...");
		return EXIT_CORDON;
	}
	for (int i = 2; i < argc; i++)
		if (check_one(context, argv[i]) != 0)
			exit_code = EXIT_CORDON;
	return exit_code;
}
