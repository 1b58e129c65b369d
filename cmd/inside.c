/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See inside.h. */
#include "cmd/inside.h"

#include "base/cleanup.h"
#include "cmd/kept.h"
#include "cmd/print.h"

static int do_running(const struct inside_work *work, const struct inside *found,
		      const struct sandbox_status *status, struct err *err)
{
	struct inside inside = *found;
	struct run_target target;
	int r = target_open(&(struct target_request){.record = found->record,
						     .status = status,
						     .ref = work->ref,
						     .use = work->use},
			    &target, err);

	if (r < 0)
		return r;
	inside.target = &target;
	r = work->run(work->ctx, &inside, err);
	target_release(&target);
	return r;
}

int inside_do(const struct cmd_context *context, const struct inside_work *work)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct sandbox_status status = {.last = {.result = NULL}};
	struct records records;
	struct record record = {0};
	struct err err = {0};
	struct inside inside = {.context = context,
				.records = &records,
				.sandbox = &sandbox,
				.record = &record,
				.ref = work->ref};
	int r;

	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	r = records_find(&records, work->ref, &sandbox, &err);
	if (r == 0)
		r = record_read(&records, &sandbox, &record, &err);
	if (r == 0)
		r = status_read(&records, &sandbox, &status, &err);
	if (r == 0)
		r = status.state == SANDBOX_CREATED || status.state == SANDBOX_EXITED
			    ? inside_do_stopped(work, &inside, &err)
			    : do_running(work, &inside, &status, &err);
	if (r < 0)
		print_err(&err);
	status_release(&status);
	record_free(&record);
	sandbox_release(&sandbox);
	kept_close(&records);
	return r < 0 ? err_exit_code(&err) : 0;
}
