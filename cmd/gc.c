/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon gc`: finishes what killed runs and commands could not undo. */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/kept.h"
#include "cmd/print.h"
#include "records/store.h"
#include "storage/store.h"

/* What ended commands left in the store of images. Without a place for one there is none. */
static int gc_images(const struct cmd_context *context, uint32_t *ret_removed)
{
	char path[PATH_MAX];
	struct err err = {0};
	int r;

	*ret_removed = 0;
	if (cmd_image_store(context, path, &err) < 0)
		return 0;
	r = store_gc(path, ret_removed, &err);
	if (r < 0)
		print_err(&err);
	return r;
}

static int gc_kept(const struct run_request *request, struct records_report *ret)
{
	struct records records;
	struct err err = {0};
	int r;

	*ret = (struct records_report){0};
	r = records_open(request, false, &records, &err);
	if (r == 0) {
		r = records_gc(&records, ret, &err);
		records_release(&records);
	}
	if (r < 0)
		print_err(&err);
	return r;
}

int cmd_gc(const struct cmd_context *context, int argc, char **argv)
{
	struct run_request request;
	struct records_report kept;
	struct gc_report report;
	struct err err = {0};
	uint32_t n_images;
	bool is_json;
	int exit_code;
	int r;

	(void)argc;
	if (command_no_words("gc", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	cmd_request_init(context, &request);
	exit_code = 0;
	/* What went wrong with one does not keep the others from being undone, nor from being told.
	 */
	r = cordon_gc(request.root_dir, request.runtime_dir, &report, &err);
	if (r < 0) {
		print_err(&err);
		exit_code = EXIT_CORDON;
	}
	if (gc_kept(&request, &kept) < 0)
		exit_code = EXIT_CORDON;
	if (gc_images(context, &n_images) < 0)
		exit_code = EXIT_CORDON;
	print_out("%u dead runs removed, %u id blocks freed, %u runs alive\n",
		  report.n_runs_removed, report.n_blocks_freed, report.n_runs_alive);
	if (kept.n_settled > 0)
		print_out("%u sandboxes had lost their keeper: `cordon ps -a` says why\n",
			  kept.n_settled);
	if (kept.n_removed > 0)
		print_out("%u remains of kept sandboxes removed\n", kept.n_removed);
	if (n_images > 0)
		print_out("%u half-made images removed\n", n_images);
	return exit_code;
}
