/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon gc`: finishes what killed runs could not undo. */
#include "cmd/cmd.h"
#include "cmd/print.h"
#include "records/store.h"

int cmd_gc(const struct cmd_context *context, int argc, char **argv)
{
	struct run_request request;
	struct records_report kept;
	struct gc_report report;
	struct records records;
	struct err err = {0};

	bool is_json;
	int exit_code;
	int r;

	(void)argc;
	if (command_no_words("gc", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	cmd_request_init(context, &request);
	if (cordon_gc(request.root_dir, request.runtime_dir, &report, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	if (records_open(&request, false, &records, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	r = records_gc(&records, &kept, &err);
	records_release(&records);
	if (r < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	print_out("%u dead runs removed, %u id blocks freed, %u runs alive\n",
		  report.n_runs_removed, report.n_blocks_freed, report.n_runs_alive);
	if (kept.n_settled > 0)
		print_out("%u sandboxes had lost their keeper: `cordon ps -a` says why\n",
			  kept.n_settled);
	if (kept.n_removed > 0)
		print_out("%u remains of kept sandboxes removed\n", kept.n_removed);
	return 0;
}
