/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon gc`: finishes what killed runs could not undo. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/print.h"
#include "storage/store.h"

/* What ended commands left in the store of images. Without a place for one there is none. */
static int collect_images(const struct cmd_context *context, struct err *err)
{
	char path[PATH_MAX];
	uint32_t removed = 0;
	int r = cmd_image_store(context, path, err) < 0 ? 0 : store_gc(path, &removed, err);

	if (r == 0 && removed > 0)
		print_out("%u half-made images removed\n", removed);
	return r;
}

int cmd_gc(const struct cmd_context *context, int argc, char **argv)
{
	struct run_request request;
	struct gc_report report;
	struct err err = {0};

	bool is_json;
	int exit_code;

	(void)argc;
	if (command_no_words("gc", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	cmd_request_init(context, &request);
	if (cordon_gc(request.root_dir, request.runtime_dir, &report, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	print_out("%u dead runs removed, %u id blocks freed, %u runs alive\n",
		  report.n_runs_removed, report.n_blocks_freed, report.n_runs_alive);
	if (collect_images(context, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	return 0;
}
