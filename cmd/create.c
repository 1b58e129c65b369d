/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon create`, and `cordon run` with -d, or with -it and --name: a sandbox that is kept. */
#include "cmd/create.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "cmd/attached.h"
#include "cmd/kept.h"
#include "cmd/print.h"
#include "cmd/volumes_from.h"

static int check_words(struct options *o, bool is_run, struct err *err)
{
	int r = kept_check_flags(o, err);

	if (r == 0 && !is_run)
		r = options_check_command(o, OPTION_CREATE, "create", err);
	/* run has taken it already. */
	return r < 0 || is_run ? r : options_take_image(o, err);
}

/* A tmpfs is of one run: what was written is gone with it. */
static void note_lost_layer(const struct decision *decision, const struct options *o)
{
	if (!o->quiet && !o->rm && decision->writable == WRITABLE_TMPFS)
		print_note("what is written to its root is memory, and gone when it stops; %s",
			   decision->facts.host_euid == 0
				   ? "to keep it: --storage-opt size=1g"
				   : "what is to stay goes where --rw shows a directory");
}

/* Decides and makes; what is wrong has been said. Returns the exit code. */
static int make(const struct cmd_context *context, struct verdict *verdict, struct records *records,
		struct record *record)
{
	struct run_request request;

	kept_request(verdict, context, &request);
	if (kept_decide(verdict, &request) < 0 || verdict_check_program(verdict, "create") < 0) {
		verdict_print_refusal(verdict);
		return err_exit_code(&verdict->err);
	}
	if (kept_open(context, true, records) < 0)
		return EXIT_CORDON;
	if (kept_create(records, verdict, &request, record, &verdict->err) < 0) {
		print_err(&verdict->err);
		kept_close(records);
		return err_exit_code(&verdict->err);
	}
	verdict_print_notes(verdict);
	note_lost_layer(&verdict->decision, &verdict->options);
	return 0;
}

int cmd_create(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct records records;
	struct record record;
	int exit_code;

	(void)argc;
	if (verdict == NULL)
		return EXIT_CORDON;
	if (options_parse_for(OPTION_CREATE, argv + 1, &verdict->options, &verdict->err) < 0 ||
	    (!verdict->options.help && check_words(&verdict->options, false, &verdict->err) < 0)) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	if (verdict->options.help)
		return command_print_help_of("create");
	if (volumes_from_take(context, verdict) < 0) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	exit_code = make(context, verdict, &records, &record);
	if (exit_code != 0)
		return exit_code;
	print_out("%s\n", record.id);
	kept_free_record(&record);
	kept_close(&records);
	return 0;
}

/* ---- run -d, run -it --name ---- */

struct started {
	struct records records;
	struct record record;
	struct sandbox sandbox;
	struct attached *attached; /* NULL: it goes on without this client */
};

static int attach_first(const struct options *o, struct started *started, struct err *err)
{
	const struct attached_how how = {.detach_keys = o->detach_keys,
					 .reads_stdin = true,
					 .is_quiet = o->quiet,
					 .is_starting = true};

	return o->detach ? 0
			 : attached_open(&how, &started->records, &started->sandbox,
					 &started->attached, err);
}

static int start(const struct cmd_context *context, struct verdict *verdict,
		 struct started *started)
{
	const struct records *records = &started->records;
	struct sandbox *sandbox = &started->sandbox;
	struct run_request roots;
	struct err err;
	pid_t pid;
	int r = sandbox_lock(records, sandbox, &verdict->err);

	kept_roots(context, &roots);
	/* Somebody has seen it, and removed it again. */
	if (r < 0)
		return r;
	/* Somebody has seen it, and started it. */
	if (records_is_running(sandbox))
		return 0;
	r = attach_first(&verdict->options, started, &verdict->err);
	if (r == 0)
		r = status_want(sandbox, true, &verdict->err);
	if (r == 0)
		r = keeper_start(&roots, &started->record, sandbox, &verdict->decision, &pid,
				 &verdict->err);
	/* Nobody has its id. One with --rm has removed itself. */
	if (r < 0 && records_wait_ended(sandbox) && records_remove(records, sandbox, &err) < 0 &&
	    !verdict->options.rm)
		print_err(&err);
	return r;
}

static int go(struct started *started)
{
	if (started->attached == NULL) {
		print_out("%s\n", started->record.id);
		return 0;
	}
	/* Others may stop it. */
	sandbox_unlock(&started->sandbox);
	return attached_go(started->attached, &started->records);
}

int create_and_start(const struct cmd_context *context, struct verdict *verdict)
{
	struct started started = {.sandbox = {.dir_fd = -EBADF}};
	int exit_code;
	int r;

	if (check_words(&verdict->options, true, &verdict->err) < 0) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	exit_code = make(context, verdict, &started.records, &started.record);
	if (exit_code != 0)
		return exit_code;
	r = records_open_id(&started.records, started.record.id, &started.sandbox);
	if (r < 0)
		err_set(&verdict->err, ERR_SETUP, -r, "sandbox %s", started.record.id);
	else
		r = start(context, verdict, &started);
	if (r == 0) {
		exit_code = go(&started);
	} else {
		print_err(&verdict->err);
		exit_code = err_exit_code(&verdict->err);
	}
	attached_free(started.attached);
	sandbox_release(&started.sandbox);
	kept_free_record(&started.record);
	kept_close(&started.records);
	return exit_code;
}

/* ---- run --name ---- */

/* As cmd_run has it: where keep_begin fails nothing is left. */
static int begin_named(struct verdict *verdict, struct named_run *named)
{
	int r = records_open_id(&named->records, named->record.id, &named->sandbox);
	struct err err;

	if (r < 0)
		return err_set(&verdict->err, ERR_SETUP, -r, "sandbox %s", named->record.id);
	r = sandbox_lock(&named->records, &named->sandbox, &verdict->err);
	if (r < 0)
		return r;
	r = keep_begin(&named->records, &named->record, &named->sandbox, &named->keep,
		       &verdict->err);
	/* Where somebody else has just started it, it is theirs. */
	if (r < 0 && !records_is_running(&named->sandbox) &&
	    records_remove(&named->records, &named->sandbox, &err) < 0)
		print_err(&err);
	sandbox_unlock(&named->sandbox);
	return r;
}

int create_named(const struct cmd_context *context, struct verdict *verdict, struct named_run *ret)
{
	struct run_request request;
	int r;

	ret->sandbox.dir_fd = -EBADF;
	kept_request(verdict, context, &request);
	if (kept_open(context, true, &ret->records) < 0)
		return -EINVAL;
	r = kept_create(&ret->records, verdict, &request, &ret->record, &verdict->err);
	if (r == 0) {
		r = begin_named(verdict, ret);
		if (r < 0)
			kept_free_record(&ret->record);
	}
	if (r == 0)
		return 0;
	print_err(&verdict->err);
	sandbox_release(&ret->sandbox);
	kept_close(&ret->records);
	return r;
}

int create_named_end(struct named_run *named, const struct run_result *result,
		     const char *result_json, const struct err *failure, int exit_code)
{
	struct err err = {0};
	bool has_run = named->keep.live.workload.pid > 0; /* keep_started */
	int r = 0;

	if (result != NULL || has_run || named->record.removes_itself)
		r = keep_end(&named->keep, result, result_json, failure, &err);
	/* While nobody else can start it. */
	if (result == NULL && !has_run && !named->record.removes_itself)
		r = records_remove(&named->records, &named->sandbox, &err);
	keep_release(&named->keep);
	if (r < 0)
		print_err(&err);
	sandbox_release(&named->sandbox);
	kept_free_record(&named->record);
	kept_close(&named->records);
	return r < 0 ? EXIT_CORDON : exit_code;
}
