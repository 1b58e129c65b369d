/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon profile`: its commands, and of them ls, show and check. */
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/document.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/verdict.h"
#include "policy/ctx.h"
#include "policy/yaml.h"

enum { ARENA_SIZE = 8 << 20, NAME_WIDTH = 12, PATH_WIDTH = 12 };

/* ---- ls ---- */

struct listing {
	const struct cmd_context *context;
	struct document *document; /* NULL: text */
};

/*
 * The description that the profile itself says, NULL where it says none: what it inherits describes
 * its parent. Its text is read and not resolved, since a profile may be refused for where cordon is
 * started (${cwd}) and still be one. False where it cannot be read.
 */
static bool read_description(const struct cmd_context *context, const char *name,
			     struct arena *arena, const char **ret_description)
{
	struct policy_source source = {.path = name, .dir = "", .text = "", .digest = ""};
	struct policy_problems problems = {.n = 0};
	struct policy_ctx ctx = {.arena = arena, .problems = &problems};
	const struct policy_node *root, *description;
	struct run_request request;
	struct err err;

	cmd_request_init(context, &request);
	if (cordon_profile_load(&request, name, arena, &source.text, &source.len, &err) < 0)
		return false;
	root = yaml_parse(&ctx, &source, source.text, source.len);
	description = doc_get(root, "description");
	*ret_description = description != NULL ? description->text : NULL;
	return root != NULL && problems.n == 0;
}

static void list_profile(void *ctx, const char *name, const char *path)
{
	struct listing *listing = ctx;
	struct arena arena = {0};
	const char *description = NULL;
	bool is_good = arena_init(&arena, ARENA_SIZE, NULL) == 0 &&
		       read_description(listing->context, name, &arena, &description);
	char left[512];
	char padded[64];

	if (listing->document != NULL) {
		struct json *json = &listing->document->json;

		json_open(json, NULL, '{');
		json_text(json, "name", name);
		json_text(json, "path", path[0] != '\0' ? path : NULL);
		json_text(json, "description", description);
		json_truth(json, "ok", is_good);
		json_close(json, '}');
		arena_release(&arena);
		return;
	}
	str_format(padded, sizeof(padded), "%.*s", NAME_WIDTH, "                    ");
	str_format(left, sizeof(left), "%s%s %s", name,
		   strlen(name) < NAME_WIDTH ? padded + strlen(name) : "",
		   path[0] != '\0' ? path : "(shipped)");
	table_row(table_columns(), NAME_WIDTH + PATH_WIDTH, left,
		  is_good ? description != NULL ? description : ""
			  : "cannot be read: cordon profile check says why");
	arena_release(&arena);
}

int cmd_profile_ls(const struct cmd_context *context, int argc, char **argv)
{
	struct listing listing = {.context = context};
	struct run_request request;
	struct document document;
	bool is_json;
	int exit_code;

	(void)argc;
	if (command_no_words("profile ls", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	if (is_json && document_begin(&document, "cordon.profile-list/1") < 0)
		return EXIT_CORDON;
	if (is_json) {
		listing.document = &document;
		json_open(&document.json, "profiles", '[');
	}
	cmd_request_init(context, &request);
	cordon_profile_list(&request, list_profile, &listing);
	if (!is_json)
		return 0;
	json_close(&document.json, ']');
	return document_end(&document, 0);
}

/* ---- show ---- */

static int show_document(const char *name, const char *text, const struct verdict *verdict)
{
	struct document document;

	if (document_begin(&document, "cordon.profile/1") < 0)
		return EXIT_CORDON;
	json_text(&document.json, "profile", name);
	json_text(&document.json, "text", text);
	document_refusal(&document.json, verdict, name);
	return document_end(&document, text != NULL ? 0 : EXIT_CORDON);
}

int cmd_profile_show(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct run_request request;
	struct arena arena = {0};
	const char *text = NULL;
	bool is_json;
	size_t len = 0;
	int exit_code;
	int n = command_words("profile show", argv + 1, &is_json, &exit_code);
	int r;

	(void)argc;
	if (n < 0 || verdict == NULL)
		return exit_code;
	if (n != 1) {
		print_note("usage: cordon profile show NAME");
		return EXIT_CORDON;
	}
	r = arena_init(&arena, ARENA_SIZE, &verdict->err);
	cmd_request_init(context, &request);
	if (r == 0)
		r = cordon_profile_load(&request, argv[1], &arena, &text, &len, &verdict->err);
	if (r == 0 && is_json)
		text = arena_copy(&arena, text, len);
	exit_code = r < 0 ? EXIT_CORDON : 0;
	if (is_json)
		exit_code = show_document(argv[1], r < 0 ? NULL : text, verdict);
	else if (r < 0)
		print_err(&verdict->err);
	else
		ignore_result(io_write_all(STDOUT_FILENO, text, len), "a reader that left");
	arena_release(&arena);
	return exit_code;
}

/* ---- check ---- */

/* Whether the policy itself is right. What this host cannot enforce is `explain`'s and `doctor`'s
 * business. */
static int check_one(const struct cmd_context *context, const char *file, struct json *json)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	char as_path[4096];
	int r;

	if (verdict == NULL)
		return EXIT_CORDON;
	/* A file may be named without a slash here: it is files that are checked. */
	str_format(as_path, sizeof(as_path), strchr(file, '/') != NULL ? "%s" : "./%s", file);
	r = verdict_read_profile(verdict, context, as_path);
	if (json != NULL) {
		json_open(json, NULL, '{');
		json_text(json, "file", file);
		json_truth(json, "ok", r == 0);
		document_refusal(json, verdict, as_path);
		json_close(json, '}');
	} else if (r < 0) {
		verdict_print_refusal(verdict);
	} else {
		print_warnings(&verdict->decision.spec.provenance);
		print_out("%s: ok\n", file);
	}
	return r < 0 ? EXIT_CORDON : 0;
}

int cmd_profile_check(const struct cmd_context *context, int argc, char **argv)
{
	struct document document;
	bool is_json;
	int exit_code;
	int n = command_words("profile check", argv + 1, &is_json, &exit_code);

	(void)argc;
	if (n < 0)
		return exit_code;
	if (n == 0) {
		print_note("usage: cordon profile check FILE...");
		return EXIT_CORDON;
	}
	if (is_json && document_begin(&document, "cordon.profile-check/1") < 0)
		return EXIT_CORDON;
	if (is_json)
		json_open(&document.json, "files", '[');
	exit_code = 0;
	for (int i = 1; i <= n; i++)
		if (check_one(context, argv[i], is_json ? &document.json : NULL) != 0)
			exit_code = EXIT_CORDON;
	if (!is_json)
		return exit_code;
	json_close(&document.json, ']');
	return document_end(&document, exit_code);
}

/* ---- the commands ---- */

int cmd_profile(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *profile = command_find(commands, "profile");
	const struct subcommand *command;

	if (argc < 2) {
		ignore_result(command_print_help_of("profile"), "the exit code is the mistake's");
		return EXIT_CORDON;
	}
	if (str_equal(argv[1], "--help") || str_equal(argv[1], "-h"))
		return command_print_help_of("profile");
	command = command_find(profile->below, argv[1]);
	return command != NULL ? command->main(context, argc - 1, argv + 1)
			       : command_refuse(profile->below, "profile", argv[1]);
}
