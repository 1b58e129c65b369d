/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon run`: flags in, exit code out. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "cmd/advice.h"
#include "cmd/cmd.h"
#include "cmd/create.h"
#include "cmd/denials.h"
#include "cmd/ending.h"
#include "cmd/kept.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "cmd/report.h"
#include "cmd/top.h"
#include "cmd/verdict.h"
#include "cmd/visible.h"
#include "cmd/volumes_from.h"
#include "records/links.h"
#include "records/target.h"

/* A run that can be left is one in the background, to which this client is attached. */
static int check_detach_keys(const struct options *o, struct err *err)
{
	if (o->detach_keys == NULL)
		return 0;
	if (o->detach) {
		err_set(err, ERR_USAGE, 0, "--detach-keys and -d contradict each other");
		return err_hint(err, "Say them when you come back: cordon attach --detach-keys %s.",
				o->detach_keys);
	}
	if (o->name != NULL && o->interactive && o->tty)
		return 0;
	err_set(err, ERR_USAGE, 0,
		"--detach-keys is for a sandbox at a terminal that has a name to come back by");
	return err_hint(err, "cordon run -it --name NAME --detach-keys %s ...", o->detach_keys);
}

/* A name to come back by, and nothing but a terminal to pass on: what is asked of a run in the
 * foreground, or redirected, keeps it there. */
static bool is_left_by_keys(const struct options *o)
{
	struct err why;

	if (o->detach_keys != NULL)
		return true;
	return o->name != NULL && o->interactive && o->tty && isatty(STDIN_FILENO) == 1 &&
	       isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1 &&
	       kept_check_flags(o, &why) == 0;
}

static int check_command(struct options *o, struct err *err)
{
	if (check_detach_keys(o, err) < 0)
		return -EINVAL;
	if (o->calls) {
		err_set(err, ERR_USAGE, 0, "--calls is a flag of explain");
		return err_hint(err, "cordon explain --calls lists the answer to each call.");
	}
	if (o->json) {
		err_set(err, ERR_USAGE, 0, "--json is not a flag of run, whose output is CMD's");
		return err_hint(err, "The result as JSON: --report FILE, or --status-fd N.");
	}
	if (options_take_image(o, err) < 0)
		return -EINVAL;
	if (o->tty && !o->detach && isatty(STDIN_FILENO) != 1) {
		err_set(err, ERR_USAGE, 0,
			"stdin (descriptor 0) is not a terminal, and -t insists on one");
		return err_hint(err, "Leave -t out: what is a terminal here is one inside, too.");
	}
	return o->top ? top_check(STDERR_FILENO, err) : 0;
}

/* What a profile says of restarts is for sandboxes that start in the background; a flag is said for
 * this one. */
static int check_restart(struct verdict *verdict)
{
	const struct spec_supervision *supervision = &verdict->decision.spec.supervision;

	if (supervision->restart == RESTART_NO || supervision->origin.line > 0)
		return 0;
	err_set(&verdict->err, ERR_USAGE, 0,
		"--restart: a run in the foreground is not started again");
	return err_hint(&verdict->err,
			"Leave it out, or start it in the background: cordon run -d.");
}

/* One line for each end that was cordon's doing: the key, its value, and who set it. */
static void print_end(const struct run_result *result, const struct spec_rlimit *cpu_limit,
		      const struct sandbox_spec *spec)
{
	char text[ENDING_TEXT_MAX];

	ending_text(result, cpu_limit, spec, text, sizeof(text));
	if (text[0] != '\0')
		print_note("%s", text);
}

/* What a run tells while it goes on. */
struct watcher {
	struct report *report;
	struct top top;
	const struct sandbox_spec *spec;
	const struct options *options;
	struct keep *keep; /* NULL: nothing is kept */
	int64_t next_line_ms;
};

static void on_helper_lost(void *ctx, const char *helper)
{
	const struct watcher *watcher = ctx;

	if (watcher->keep != NULL)
		keep_helper_lost(watcher->keep, helper);
	if (!watcher->options->quiet)
		print_note("its %s was killed: %s until its next start", helper,
			   str_equal(helper, "resolver")
				   ? "no names are answered inside"
				   : "its published ports are closed on the host's loopback");
}

static void on_started(void *ctx, const struct run_started *started)
{
	const struct watcher *watcher = ctx;

	if (watcher->keep != NULL)
		keep_started(watcher->keep, started);
	report_started(watcher->report, started->workload_pid);
	network_say_lent(started->lent_links);
}

static void on_sample(void *ctx, const struct run_sample *sample)
{
	struct watcher *watcher = ctx;

	if (watcher->options->sample_ms > 0)
		report_sample(watcher->report, sample);
	if (!watcher->options->top || sample->wall_ms < watcher->next_line_ms)
		return;
	watcher->next_line_ms = sample->wall_ms + TOP_EVERY_MS;
	top_draw(&watcher->top, sample, watcher->spec);
}

static void watch(struct watcher *watcher, struct run_options *run)
{
	const struct options *o = watcher->options;

	if (o->top)
		top_start(&watcher->top, STDERR_FILENO);
	if (!o->top && o->sample_ms == 0)
		return;
	run->sampled = on_sample;
	run->sample_ms = o->sample_ms > 0 ? o->sample_ms : TOP_EVERY_MS;
}

static int finish(struct verdict *verdict, struct report *report, const struct run_result *result,
		  const char *setup_error, int exit_code)
{
	/* Without a result there is no spec either: nothing was decided. */
	const struct sandbox_spec *spec = result != NULL ? &verdict->decision.spec : NULL;
	struct err err;
	ssize_t len;

	if (!report_is_wanted(report))
		return exit_code;
	len = result_to_json(result, spec, setup_error, exit_code, verdict->json,
			     sizeof(verdict->json));
	if (len < 0) {
		print_note("the result does not fit %d bytes: no report", VERDICT_JSON_MAX);
		return EXIT_CORDON;
	}
	if (report_finish(report, verdict->json, (size_t)len, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	return exit_code;
}

/* What of the policy an argument of the program's runs into, "" for none. */
static void find_likely_rule(const struct decision *decision, const struct run_result *result,
			     char *buf, size_t size)
{
	buf[0] = '\0';
	if (result->kind == RUN_EXITED && result_exit_code(result) != 0)
		visible_find_rule(decision, decision->spec.process.argv + 1,
				  result->denials != NULL, buf, size);
}

/* At most one line: what the program is known to lack, else the file that it may have missed, which
 * with a list of denials stands there. */
static void print_hint(const struct decision *decision, const struct run_result *result,
		       const char *likely)
{
	bool failed = result_exit_code(result) != 0;
	char text[512];

	if (result->kind != RUN_EXITED && result->kind != RUN_SIGNALLED)
		return;
	if (advice_text(&decision->spec, decision->spec.process.argv, failed, text, sizeof(text)))
		print_note("%s", text);
	else if (likely[0] != '\0' && result->denials == NULL)
		print_note("%s", likely);
}

/* Its record gets what there is to know, asked for or not. */
static int end_named(struct verdict *verdict, struct named_run *named,
		     const struct run_result *result, const struct err *failure, int exit_code)
{
	ssize_t len = result == NULL
			      ? -1
			      : result_to_json(result, &verdict->decision.spec, NULL, exit_code,
					       verdict->json, sizeof(verdict->json));

	if (named == NULL)
		return exit_code;
	return create_named_end(named, result, len > 0 ? verdict->json : NULL, failure, exit_code);
}

static int failed_to_start(struct verdict *verdict, struct report *report, struct err *err)
{
	const struct run_result result = {.kind = RUN_SETUP_FAILED};
	const struct options *o = &verdict->options;
	char likely[VISIBLE_TEXT_MAX];

	print_err(err);
	if (err->kind == ERR_EXEC && !o->quiet &&
	    visible_find_rule(&verdict->decision, verdict->decision.spec.process.argv, false,
			      likely, sizeof(likely)))
		print_note("%s", likely);
	return finish(verdict, report, &result, err->text, err_exit_code(err));
}

struct networking {
	const struct cmd_context *context;
	const struct named_run *named;
	char holder[RECORDS_PATH_MAX];
	int network_fd;
	struct run_links links;
};

static int look_up(struct networking *ret, const struct records *records,
		   const struct spec_network *network, struct err *err)
{
	int r = target_open_network(records, network, &ret->network_fd, err);

	return r == 0 ? links_find(records, network, &ret->links, err) : r;
}

/* Whose its addresses are, whose network it is in, and whom it is linked to. */
static int find_network(struct networking *ret, const struct decision *decision, struct err *err)
{
	const struct named_run *named = ret->named;
	const struct spec_network *network = &decision->spec.network;
	struct records records;
	int r;

	if (named != NULL)
		records_path(named->keep.records, named->sandbox.id, named->sandbox.is_kept,
			     ret->holder, sizeof(ret->holder));
	if (network->kind != NETWORK_OF_A_SANDBOX && !cordon_has_links(network))
		return 0;
	if (named != NULL)
		return look_up(ret, named->keep.records, network, err);
	if (kept_open(ret->context, false, &records) < 0)
		return err_set(err, ERR_SETUP, 0, "the records of sandboxes");
	r = look_up(ret, &records, network, err);
	kept_close(&records);
	return r;
}

static int run_in(struct networking *networking, const struct decision *decision,
		  struct run_options *run, struct run_result *result, struct err *err)
{
	const struct named_run *named = networking->named;
	int r = find_network(networking, decision, err);

	if (named != NULL && named->sandbox.is_kept)
		run->network_holder = networking->holder;
	run->sandbox_name = named != NULL ? named->record.name : NULL;
	run->shared_network_fd = &networking->network_fd;
	run->links = &networking->links;
	if (r == 0)
		r = cordon_run(decision, run, result, err);
	close_fd(&networking->network_fd);
	return r;
}

/* The sandbox ran, or failed to start: says so, and chooses the exit code. named NULL: nothing is
 * kept. */
static int run_decision(const struct cmd_context *context, struct verdict *verdict,
			struct report *report, struct named_run *named)
{
	const struct decision *decision = &verdict->decision;
	const struct options *o = &verdict->options;
	struct watcher watcher = {.report = report,
				  .top = {.fd = -EBADF},
				  .spec = &decision->spec,
				  .keep = named != NULL ? &named->keep : NULL,
				  .options = o};
	struct run_options run = {.started = on_started,
				  .helper_lost = on_helper_lost,
				  .ctx = &watcher,
				  .denials = &verdict->denials,
				  .access = &verdict->access,
				  .reach = &verdict->reach,
				  .stops_by_command = named != NULL,
				  .id_block = named != NULL ? named->record.id_block : 0,
				  .layer_dir_fd = named != NULL && named->sandbox.is_kept
							  ? &named->sandbox.dir_fd
							  : NULL,
				  .sandbox_id = named != NULL ? named->sandbox.id : NULL,
				  .keeps_volumes = named != NULL && named->sandbox.is_kept,
				  .keeps_file_rights = o->report != NULL};
	struct networking networking = {.context = context, .named = named, .network_fd = -EBADF};
	struct run_result result = {.kind = RUN_SETUP_FAILED};
	const struct spec_rlimit *cpu_limit;
	struct err err = {0};
	char likely[VISIBLE_TEXT_MAX];
	int exit_code;
	int r;

	verdict_print_notes(verdict);
	watch(&watcher, &run);
	r = run_in(&networking, decision, &run, &result, &err);
	top_stop(&watcher.top);
	if (r < 0)
		return end_named(verdict, named, NULL, &err,
				 failed_to_start(verdict, report, &err));
	exit_code = result_exit_code(&result);
	cpu_limit = result_find_cpu_limit(&result, &decision->spec.limits);
	if (!o->quiet) {
		print_end(&result, cpu_limit, &decision->spec);
		find_likely_rule(decision, &result, likely, sizeof(likely));
		print_hint(decision, &result, likely);
		if (result.denials != NULL)
			denials_print(decision, &result, likely);
	}
	exit_code = finish(verdict, report, &result, NULL, exit_code);
	return end_named(verdict, named, &result, NULL, exit_code);
}

static int run_named(const struct cmd_context *context, struct verdict *verdict,
		     struct report *report)
{
	struct named_run named;

	if (create_named(context, verdict, &named) < 0)
		return finish(verdict, report, NULL, verdict->err.text, EXIT_CORDON);
	return run_decision(context, verdict, report, &named);
}

static int decide_and_run(struct verdict *verdict, const struct cmd_context *context,
			  struct report *report)
{
	const struct options *o = &verdict->options;
	struct policy_request policy = {.profile = o->profile,
					.flags = o->flags,
					.n_flags = o->n_flags,
					.fds = o->fds,
					.n_fds = o->n_fds,
					.argv = (const char *const *)o->rest,
					.entrypoint = o->entrypoint};

	int r = verdict_decide(verdict, context, &policy);

	if (r == 0)
		r = verdict_check_program(verdict, "run");
	if (r == 0)
		r = check_restart(verdict);
	if (r == 0)
		return o->name != NULL ? run_named(context, verdict, report)
				       : run_decision(context, verdict, report, NULL);
	verdict_print_refusal(verdict);
	return finish(verdict, report, NULL, verdict->err.text, err_exit_code(&verdict->err));
}

int cmd_run(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct report report;
	int exit_code;
	int r;

	(void)argc;
	if (verdict == NULL)
		return EXIT_CORDON;
	r = options_parse(argv + 1, &verdict->options, &verdict->err);
	if (r == 0 && verdict->options.help)
		return command_print_help_of("run");
	if (r == 0)
		r = check_command(&verdict->options, &verdict->err);
	if (r == 0)
		r = volumes_from_take(context, verdict);
	if (r < 0)
		print_err(&verdict->err);
	/* A mistake is reported, too, where --report or --status-fd stands before it: nobody shall
	 * take an older file for this run's. */
	if (report_open(&report, verdict->options.status_fd, verdict->options.report,
			&verdict->err) < 0) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	if (r == 0 && (verdict->options.detach || is_left_by_keys(&verdict->options)))
		return create_and_start(context, verdict);
	exit_code = r < 0 ? finish(verdict, &report, NULL, verdict->err.text, EXIT_CORDON)
			  : decide_and_run(verdict, context, &report);
	report_release(&report);
	return exit_code;
}
