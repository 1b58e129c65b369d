/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon exec`: another program in a sandbox that runs, confined as the sandbox's own is. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/ending.h"
#include "cmd/kept.h"
#include "cmd/print.h"
#include "records/events.h"
#include "records/target.h"

enum { ENDING_MS = 300, SAVED_FROM = 10 };

static int check_flags(const struct options *o, struct err *err)
{
	int r = options_check_command(o, OPTION_EXEC, "exec", err);

	if (r < 0)
		return r;
	if (o->rest[0] == NULL || o->rest[1] == NULL) {
		err_set(err, ERR_USAGE, 0, "exec wants a sandbox and a program");
		return err_hint(err, "cordon exec SANDBOX CMD...");
	}
	if (o->detach && (o->tty || o->interactive)) {
		err_set(err, ERR_USAGE, 0, "-d has no terminal and no stdin");
		return err_hint(err, "Leave -i and -t out, or -d.");
	}
	if (o->tty && isatty(STDIN_FILENO) != 1)
		return err_set(err, ERR_USAGE, 0,
			       "stdin (descriptor 0) is not a terminal, and -t insists on one");
	return 0;
}

/* ---- in the background ---- */

/* `-d`: the client goes on as a process of its own session, with nothing at 0 to 2 that is the
 * caller's; who has called waits until the program runs, or until it is said why it does not. */
struct background {
	int stderr_fd; /* for what is said until the program runs; -EBADF: in the foreground */
	int report_fd; /* one byte: the caller's exit code */
};

static void report(struct background *background, int exit_code)
{
	unsigned char byte = (unsigned char)exit_code;

	if (background->report_fd >= 0)
		ignore_result(write(background->report_fd, &byte, 1) != 1, "the caller is gone");
	close_fd(&background->report_fd);
	close_fd(&background->stderr_fd);
}

static void on_started(void *ctx, const struct run_started *started)
{
	struct background *background = (struct background *)ctx;

	(void)started;
	report(background, 0);
}

static void say_to_caller(const struct background *background)
{
	if (background->stderr_fd >= 0)
		ignore_result(dup2(background->stderr_fd, STDERR_FILENO) < 0, "nowhere to say it");
}

static int wait_for_report(int fd)
{
	unsigned char exit_code;

	return read(fd, &exit_code, 1) == 1 ? exit_code : EXIT_CORDON;
}

static int leave_caller(struct background *ret, struct err *err)
{
	_cleanup_fd_ int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);

	ret->stderr_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, SAVED_FROM);
	if (null < 0 || ret->stderr_fd < 0 || setsid() < 0)
		return err_set(err, ERR_SETUP, errno, "go into the background");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return err_set(err, ERR_SETUP, errno, "descriptor %d", fd);
	return 0;
}

/* Returns 0 in the process that goes on; 1 in the caller's, with its exit code; or an error. */
static int detach(struct background *ret, int *ret_exit, struct err *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "pipe");
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork");
	close_fd(&ends[pid == 0 ? 0 : 1]);
	if (pid == 0) {
		ret->report_fd = ends[1];
		return leave_caller(ret, err);
	}
	*ret_exit = wait_for_report(ends[0]);
	close_fd(&ends[0]);
	return 1;
}

/* ---- deciding ---- */

/* `-e NAME` is the value that the caller has now, not the one of when the sandbox was made. */
static const char *with_value(const char *text, const char *const *environment)
{
	size_t len = strlen(text);

	if (strchr(text, '=') != NULL)
		return text;
	for (; *environment != NULL; environment++)
		if (strncmp(*environment, text, len) == 0 && (*environment)[len] == '=')
			return *environment;
	return NULL;
}

/* The record's flags, then those of this program: the last layer. malloc, the caller's. */
static struct policy_flag *join_flags(const struct record *record, const struct options *o,
				      const char *const *environment, size_t *ret_n)
{
	const struct policy_request *policy = &record->request.policy;
	struct policy_flag *flags = calloc(policy->n_flags + o->n_flags + 1, sizeof(*flags));
	size_t n = policy->n_flags;

	if (flags == NULL)
		return NULL;
	if (n > 0)
		memcpy(flags, policy->flags, n * sizeof(*flags));
	for (size_t i = 0; i < o->n_flags; i++) {
		flags[n] = o->flags[i];
		if (flags[n].kind == FLAG_ENV)
			flags[n].text = with_value(flags[n].text, environment);
		n += flags[n].text != NULL;
	}
	*ret_n = n;
	return flags;
}

/* Of the sandbox that is entered. */
struct entered {
	const struct records *records;
	const struct record *record;
	const struct live_run *live;
};

static int decide(const struct cmd_context *context, struct verdict *verdict,
		  const struct entered *entered, const struct run_target *target)
{
	const struct records *records = entered->records;
	const struct record *record = entered->record;
	const struct options *o = &verdict->options;
	struct run_request request = record->request, now;
	_cleanup_free_ struct policy_flag *flags = NULL;

	cmd_request_init(context, &now);
	request.root_dir = now.root_dir;
	request.runtime_dir = now.runtime_dir;
	request.kept_dir = records->home;
	memcpy(request.fds_closed, now.fds_closed, sizeof(request.fds_closed));
	request.enters = true;
	request.enters_nproc_limit = entered->live->nproc_limit;
	request.enters_groups = &target->groups;
	request.policy.entering_argv = (const char *const *)o->rest + 1;
	flags = join_flags(record, o, context->environment, &request.policy.n_flags);
	if (flags == NULL)
		return err_set(&verdict->err, ERR_SETUP, ENOMEM, "flags");
	request.policy.flags = flags;
	return cordon_decide(&request, &verdict->decision, &verdict->problems, &verdict->misses,
			     &verdict->err);
}

/* ---- running ---- */

/* Its namespaces are gone with its first process, and with them what was started in them: that is
 * dead a moment before the first process is (zap_pid_ns_processes in kernel/pid_namespace.c). */
static bool has_ended(const struct live_run *live)
{
	_cleanup_fd_ int fd = process_open(&live->init);
	struct pollfd ended = {.fd = fd, .events = POLLIN};

	return fd < 0 || poll(&ended, 1, ENDING_MS) == 1;
}

/* What is told of it: Docker's execID is its process here. */
struct noted {
	const struct records *records;
	const struct sandbox *sandbox;
	struct background *background;
	char pid[16]; /* "": it has not begun */
};

static void note_start(void *ctx, const struct run_started *started)
{
	struct noted *noted = ctx;
	const struct event_attribute attribute = {"execID", noted->pid};

	str_format(noted->pid, sizeof(noted->pid), "%d", started->workload_pid);
	events_note(noted->records, noted->sandbox, "exec_start", &attribute, 1);
	on_started(noted->background, started);
}

static void note_end(const struct noted *noted, int exit_code)
{
	char code[16];
	const struct event_attribute attributes[] = {{"execID", noted->pid}, {"exitCode", code}};

	if (noted->pid[0] == '\0')
		return;
	str_format(code, sizeof(code), "%d", exit_code);
	events_note(noted->records, noted->sandbox, "exec_die", attributes, 2);
}

/* As run says it of its own program. */
static void print_full(const struct run_result *result, const struct sandbox_spec *spec)
{
	char text[ENDING_TEXT_MAX];

	ending_text(result, NULL, spec, text, sizeof(text));
	print_note("%s", text);
}

static int run(struct verdict *verdict, const struct run_target *target,
	       const struct live_run *live, struct noted *noted)
{
	const char *ref = verdict->options.rest[0];
	struct run_options options = {.target = target,
				      .id_block = target->id_block,
				      .started = note_start,
				      .ctx = noted};
	struct run_result result = {.kind = RUN_SETUP_FAILED};
	struct err err = {0};
	int r = cordon_run(&verdict->decision, &options, &result, &err);

	if (r < 0 && has_ended(live))
		err_hint(&err, "The sandbox %s has ended meanwhile.", ref);
	note_end(noted, r < 0 ? err_exit_code(&err) : result_exit_code(&result));
	if (r < 0) {
		say_to_caller(noted->background);
		print_err(&err);
		return err_exit_code(&err);
	}
	if (result.kind == RUN_SIGNALLED && result.signal == SIGKILL && has_ended(live) &&
	    !verdict->options.quiet)
		print_note("the sandbox %s has ended, and the program with it", ref);
	if (result.kind == RUN_DISK_FULL && !verdict->options.quiet)
		print_full(&result, &verdict->decision.spec);
	return result_exit_code(&result);
}

static int enter(const struct cmd_context *context, struct verdict *verdict,
		 const struct record *record, const struct sandbox_status *status,
		 struct noted *noted)
{
	const struct entered entered = {noted->records, record, &status->live};
	const char *ref = verdict->options.rest[0];
	struct run_target target;
	int exit_code;

	if (target_open(&(struct target_request){.record = record, .status = status, .ref = ref},
			&target, &verdict->err) < 0) {
		say_to_caller(noted->background);
		print_err(&verdict->err);
		return err_exit_code(&verdict->err);
	}
	target.command_line = context->command_line;
	target.command_line_size = context->command_line_size;
	if (decide(context, verdict, &entered, &target) < 0) {
		say_to_caller(noted->background);
		verdict_print_refusal(verdict);
		exit_code = err_exit_code(&verdict->err);
	} else {
		exit_code = run(verdict, &target, &status->live, noted);
	}
	target_release(&target);
	return exit_code;
}

static int find_and_enter(const struct cmd_context *context, struct verdict *verdict,
			  struct background *background)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct sandbox_status status = {.last = {.result = NULL}};
	struct records records;
	struct record record = {0};
	int exit_code = EXIT_CORDON;
	int r;

	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	r = verdict->options.detach ? detach(background, &exit_code, &verdict->err) : 0;
	if (r > 0) {
		records_release(&records);
		return exit_code;
	}
	if (r == 0)
		r = records_find(&records, verdict->options.rest[0], &sandbox, &verdict->err);
	if (r == 0)
		r = record_read(&records, &sandbox, &record, &verdict->err);
	if (r == 0)
		r = status_read(&records, &sandbox, &status, &verdict->err);
	if (r == 0)
		r = kept_enter_directory(&record, &verdict->err);
	if (r < 0) {
		say_to_caller(background);
		print_err(&verdict->err);
	} else {
		exit_code = enter(context, verdict, &record, &status,
				  &(struct noted){.records = &records,
						  .sandbox = &sandbox,
						  .background = background});
	}
	status_release(&status);
	record_free(&record);
	sandbox_release(&sandbox);
	kept_close(&records);
	return exit_code;
}

int cmd_exec(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct background background = {.stderr_fd = -EBADF, .report_fd = -EBADF};
	int exit_code;

	(void)argc;
	if (verdict == NULL)
		return EXIT_CORDON;
	if (options_parse(argv + 1, &verdict->options, &verdict->err) < 0 ||
	    (!verdict->options.help && check_flags(&verdict->options, &verdict->err) < 0)) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	if (verdict->options.help)
		return command_print_help_of("exec");
	exit_code = find_and_enter(context, verdict, &background);
	report(&background, exit_code);
	return exit_code;
}
