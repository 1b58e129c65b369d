/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon cp`: files out of a sandbox, or into one. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/copy_rules.h"
#include "cmd/inside.h"
#include "cmd/print.h"
#include "cmd/transfer.h"
#include "cmd/words.h"

struct copy {
	struct copy_place source, sink;
	bool keeps_owners, follows, is_quiet;
	const char *words[2]; /* as they were typed */
	int exit_code;
};

/* ---- both ends ---- */

static int find(const struct copy_place *place, const struct visit_request *request,
		const struct inside *inside, struct visit_found *ret, struct err *err)
{
	int r = place->sandbox[0] != '\0' ? visit_sandbox(inside->target, request, ret, err)
					  : visit_host(request, ret, err);

	if (r < 0 && place->sandbox[0] != '\0')
		return err_wrap(err, "%s", place->sandbox);
	return r;
}

static int find_source(const struct copy *copy, const struct inside *inside,
		       struct visit_found *ret, struct err *err)
{
	const struct copy_place *place = &copy->source;
	const struct visit_request request = {.path = place->path,
					      .follows = copy->follows || place->wants_directory};

	*ret = (struct visit_found){.type = VISIT_FILE, .fd = STDIN_FILENO};
	if (place->is_stream)
		return isatty(STDIN_FILENO) == 1
			       ? err_set(err, ERR_USAGE, 0, "stdin is a terminal, and no tar")
			       : 0;
	return find(place, &request, inside, ret, err);
}

static int find_sink(const struct copy *copy, const struct inside *inside, struct visit_found *ret,
		     struct err *err)
{
	const struct copy_place *place = &copy->sink;
	const struct visit_request request = {.path = place->path, .is_sink = true};

	*ret = (struct visit_found){.type = VISIT_DIRECTORY, .fd = STDOUT_FILENO};
	if (place->is_stream)
		return isatty(STDOUT_FILENO) == 1
			       ? err_set(err, ERR_USAGE, 0, "a tar is not for a terminal")
			       : 0;
	return find(place, &request, inside, ret, err);
}

/* ---- the copy ---- */

static int copy_between(struct copy *copy, const struct inside *inside,
			const struct visit_found *from, const struct visit_found *to,
			struct err *err)
{
	struct transfer transfer = {.from = from->fd,
				    .to = to->fd,
				    .is_archive = copy->source.is_stream,
				    .is_output = copy->sink.is_stream,
				    .from_inside = copy->source.sandbox[0] != '\0',
				    .to_inside = copy->sink.sandbox[0] != '\0',
				    .keeps_owners = copy->keeps_owners,
				    .is_quiet = copy->is_quiet,
				    .shown = copy->words[0],
				    .target = inside->target};
	const char *why = copy_plan(&copy->source, from->type, &copy->sink, to, &transfer.as);
	int r;

	if (why != NULL)
		return err_set(err, ERR_USAGE, 0, "%s to %s: %s", copy->words[0], copy->words[1],
			       why);
	r = transfer_run(&transfer, err);
	if (r == 0 && !copy->is_quiet)
		print_note("copied %s to %s", copy->words[0], copy->words[1]);
	copy->exit_code = r > 0 ? r : 0;
	return r < 0 ? r : 0;
}

static void close_found(struct visit_found *found)
{
	if (found->fd > STDERR_FILENO)
		close_fd(&found->fd);
}

static int run(void *ctx, const struct inside *inside, struct err *err)
{
	struct copy *copy = ctx;
	struct visit_found from = {.fd = -EBADF}, to = {.fd = -EBADF};
	int r = find_source(copy, inside, &from, err);

	if (r == 0)
		r = find_sink(copy, inside, &to, err);
	if (r == 0)
		r = copy_between(copy, inside, &from, &to, err);
	close_found(&from);
	close_found(&to);
	return r;
}

/* ---- the command ---- */

static int refuse(const char *text, const char *hint)
{
	print_note("%s", text);
	print_note("  hint: %s", hint);
	return EXIT_CORDON;
}

int cmd_cp(const struct cmd_context *context, int argc, char **argv)
{
	struct copy copy = {.exit_code = 0};
	struct inside_work work = {.run = run, .ctx = &copy};
	struct words words;
	int exit_code;
	int n = command_parse("cp", argv + 1, &words, &exit_code);

	(void)argc;
	if (n < 0)
		return exit_code;
	if (n != 2)
		return refuse("cp wants a source and a destination",
			      "cordon cp SANDBOX:PATH DEST, or cordon cp SOURCE SANDBOX:PATH");
	for (int i = 0; i < 2; i++) {
		copy.words[i] = argv[1 + i];
		if (copy_parse(argv[1 + i], i == 0 ? &copy.source : &copy.sink) < 0)
			return refuse("cp: a path is too long", "4095 bytes are taken.");
	}
	if ((copy.source.sandbox[0] != '\0') == (copy.sink.sandbox[0] != '\0'))
		return refuse(copy.source.sandbox[0] != '\0'
				      ? "cp between two sandboxes is not done at once"
				      : "cp: neither of the two is in a sandbox",
			      copy.source.sandbox[0] != '\0'
				      ? "By a tar: cordon cp A:PATH - | cordon cp - B:DIRECTORY"
				      : "SANDBOX:PATH names a place inside.");
	copy.keeps_owners = words_has(&words, "--archive");
	copy.follows = words_has(&words, "--follow-link");
	copy.is_quiet = words_has(&words, "--quiet");
	work.use = copy.sink.sandbox[0] != '\0' ? TARGET_JOIN : TARGET_READ;
	work.ref = copy.sink.sandbox[0] != '\0' ? copy.sink.sandbox : copy.source.sandbox;
	exit_code = inside_do(context, &work);
	return exit_code != 0 ? exit_code : copy.exit_code;
}
