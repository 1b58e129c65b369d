/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon export`: the root of a sandbox as a tar. */
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/whole_file.h"
#include "cmd/inside.h"
#include "cmd/print.h"
#include "cmd/transfer.h"
#include "cmd/words.h"

struct export
{
	const char *path; /* NULL: standard output */
	int exit_code;
};

/* A file that is there is left alone, and one is there when it is whole. */
static int open_output(const char *path, struct whole_file *ret, struct err *err)
{
	if (path != NULL)
		return whole_file_open(path, 0644, ret, err);
	if (isatty(STDOUT_FILENO) == 1) {
		err_set(err, ERR_USAGE, 0, "a tar is not for a terminal");
		return err_hint(err, "cordon export -o FILE SANDBOX");
	}
	return 0;
}

static int run(void *ctx, const struct inside *inside, struct err *err)
{
	struct export *export = ctx;
	const struct visit_request request = {.path = "/"};
	struct visit_found root = {.fd = -EBADF};
	struct transfer transfer = {.is_output = true,
				    .from_inside = true,
				    .only_root = true,
				    .is_quiet = true,
				    .as = "",
				    .shown = inside->ref,
				    .target = inside->target};
	struct whole_file output = WHOLE_FILE_NONE;
	int r = open_output(export->path, &output, err);

	if (r == 0)
		r = visit_sandbox(inside->target, &request, &root, err);
	transfer.from = root.fd;
	transfer.to = export->path != NULL ? output.fd : STDOUT_FILENO;
	if (r == 0)
		r = transfer_run(&transfer, err);
	close_fd(&root.fd);
	if (r == 0 && export->path != NULL)
		r = whole_file_name(&output, err);
	whole_file_close(&output);
	export->exit_code = r > 0 ? r : 0;
	return r < 0 ? r : 0;
}

int cmd_export(const struct cmd_context *context, int argc, char **argv)
{
	struct export export = {.exit_code = 0};
	struct inside_work work = {.use = TARGET_READ, .run = run, .ctx = &export};
	struct words words;
	int exit_code;
	int n = command_parse("export", argv + 1, &words, &exit_code);

	(void)argc;
	if (n < 0)
		return exit_code;
	if (n != 1) {
		print_note("export wants one sandbox");
		print_note("  hint: cordon export -o FILE SANDBOX");
		return EXIT_CORDON;
	}
	export.path = words_value(&words, "--output");
	work.ref = argv[1];
	exit_code = inside_do(context, &work);
	return exit_code != 0 ? exit_code : export.exit_code;
}
