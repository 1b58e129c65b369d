/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See kept.h. */
#include "cmd/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/print.h"
#include "records/events.h"

enum { SAVED_FROM = 3 };

int kept_open(const struct cmd_context *context, bool makes, struct records *ret)
{
	struct run_request request;
	struct err err = {0};

	cmd_request_init(context, &request);
	if (records_open(&request, makes, ret, &err) == 0)
		return 0;
	print_err(&err);
	return -1;
}

void kept_close(struct records *records)
{
	int trouble = events_trouble(records);

	if (trouble != 0) {
		struct err err;

		err_set(&err, ERR_SETUP, trouble, "%s/" EVENTS_FILE ": an event is missing there",
			records->home);
		print_note("%s", err.text);
	}
	records_release(records);
}

void kept_roots(const struct cmd_context *context, struct run_request *ret)
{
	struct winsize size;

	cmd_request_init(context, ret);
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ret->terminal_size = (struct terminal_size){size.ws_row, size.ws_col};
}

/* ---- deciding ---- */

/* Descriptors 0 to 2 as a keeper in the background has them, for as long as it is decided by them
 * which rows are wanted. What is wrong is printed afterwards. */
struct null_stdio {
	int saved[3];
};

static int null_stdio_begin(struct null_stdio *ret)
{
	_cleanup_fd_ int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);

	if (null < 0)
		return null;
	for (int fd = 0; fd < 3; fd++) {
		ret->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, SAVED_FROM);
		if (ret->saved[fd] < 0 || dup2(null, fd) < 0)
			return -errno;
	}
	return 0;
}

static int null_stdio_end(struct null_stdio *saved)
{
	int r = 0;

	for (int fd = 0; fd < 3; fd++) {
		if (saved->saved[fd] >= 0 && dup2(saved->saved[fd], fd) < 0)
			r = -errno;
		close_fd(&saved->saved[fd]);
	}
	return r;
}

static int decide_on_null(struct verdict *verdict, const struct run_request *asked)
{
	struct null_stdio saved = {.saved = {-EBADF, -EBADF, -EBADF}};
	int r = null_stdio_begin(&saved);
	int back;

	if (r < 0)
		err_set(&verdict->err, ERR_SETUP, -r, "descriptors 0 to 2: put aside");
	else
		r = cordon_decide(asked, &verdict->decision, &verdict->problems, &verdict->misses,
				  &verdict->err);
	back = null_stdio_end(&saved);
	return back < 0 ? err_set(&verdict->err, ERR_SETUP, -back, "descriptors 0 to 2") : r;
}

int kept_decide(struct verdict *verdict, const struct run_request *request)
{
	struct run_request asked = *request;

	record_keep(&asked);
	return decide_on_null(verdict, &asked);
}

int kept_decide_silent(struct verdict *verdict, const struct run_request *request)
{
	struct run_request asked = *request;

	record_keep(&asked);
	asked.keeps_output = false;
	return decide_on_null(verdict, &asked);
}

int kept_decide_record(const struct cmd_context *context, const struct record *record,
		       struct verdict *verdict)
{
	_cleanup_fd_ int here = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	struct run_request roots, request = record->request;
	int r = kept_enter_directory(record, &verdict->err);

	cmd_request_init(context, &roots);
	request.root_dir = roots.root_dir;
	request.runtime_dir = roots.runtime_dir;
	request.files = &record->files;
	request.policy.wants_values = true;
	if (r == 0)
		r = kept_decide(verdict, &request);
	if (here < 0 || fchdir(here) != 0)
		return err_set(&verdict->err, ERR_SETUP, here < 0 ? -here : errno,
			       "the working directory");
	return r;
}

void kept_request(struct verdict *verdict, const struct cmd_context *context,
		  struct run_request *ret)
{
	const struct options *o = &verdict->options;

	cmd_request_init(context, ret);
	ret->policy = (struct policy_request){.profile = o->profile,
					      .flags = o->flags,
					      .n_flags = o->n_flags,
					      .argv = (const char *const *)o->rest,
					      .entrypoint = o->entrypoint};
	ret->cgroup_parent = o->cgroup_parent;
	ret->keeps_stdin = o->interactive;
	ret->keeps_terminal = o->tty;
}

int kept_check_flags(const struct options *o, struct err *err)
{
	static const char hint[] = "Leave it out: the result is in `cordon inspect`.";
	const char *flag = o->report != NULL     ? "--report"
			   : o->status_fd >= 0   ? "--status-fd"
			   : o->n_fds > 0        ? "--fd"
			   : o->top              ? "--top"
			   : o->explains_denials ? "--explain-denials"
						 : NULL;

	if (flag == NULL)
		return 0;
	err_set(err, ERR_USAGE, 0, "%s is a flag of a run in the foreground", flag);
	return err_hint(err, "%s", hint);
}

/* ---- making ---- */

void kept_restart_text(const struct spec_supervision *policy, char *buf, size_t size)
{
	switch (policy->restart) {
	case RESTART_NO:
		str_format(buf, size, "no");
		return;
	case RESTART_ON_FAILURE:
		str_format(buf, size, "on-failure");
		if (policy->restart_max > 0)
			str_format(buf, size, "on-failure:%u", policy->restart_max);
		return;
	case RESTART_ALWAYS:
		str_format(buf, size, "always");
		return;
	case RESTART_UNLESS_STOPPED:
		str_format(buf, size, "unless-stopped");
		return;
	}
}

static const char *rootfs_text(const struct spec_rootfs *rootfs, struct arena *arena)
{
	switch (rootfs->kind) {
	case ROOTFS_HOST:
		return "host";
	case ROOTFS_DIR:
		return arena_format(arena, "dir:%s", rootfs->dir);
	case ROOTFS_IMAGE:
		return arena_format(arena, "image:%s", rootfs->image);
	case ROOTFS_EMPTY:
		return "empty";
	}
	return "";
}

/* Of the caller's variables those that the policy passes on as they are, and no other: what stands
 * in a record stays there. */
static const char *const *passed_environment(const struct decision *decision,
					     const char *const *environment, struct arena *arena)
{
	const char *const *envp = decision->spec.process.envp;
	const char **list;
	size_t n = 0, used = 0;

	while (envp[n] != NULL)
		n++;
	list = arena_array(arena, n + 1, sizeof(*list));
	if (list == NULL)
		return NULL;
	for (size_t i = 0; environment[i] != NULL; i++)
		for (size_t k = 0; k < n && used < n; k++)
			if (str_equal(environment[i], envp[k]))
				list[used++] = environment[i];
	return list;
}

static const char *const *label_texts(const struct sandbox_spec *spec, struct arena *arena)
{
	const char **list = arena_array(arena, spec->n_labels + 1, sizeof(*list));

	for (size_t i = 0; list != NULL && i < spec->n_labels; i++) {
		list[i] = arena_format(arena, "%s=%s", spec->labels[i].name, spec->labels[i].value);
		if (list[i] == NULL)
			return NULL;
	}
	return list;
}

/* They are there from now on. The record goes again where they cannot be made. */
static int make_volumes(const struct records *records, const struct decision *decision,
			const struct record *record, struct err *err)
{
	struct sandbox sandbox;
	struct err ignored;
	int r = cordon_make_volumes(decision, record->id, err);

	if (r < 0 && records_open_id(records, record->id, &sandbox) == 0) {
		ignore_result(records_remove(records, &sandbox, &ignored),
			      "the first error counts");
		sandbox_release(&sandbox);
	}
	return r;
}

int kept_create(const struct records *records, const struct verdict *verdict,
		const struct run_request *request, struct record *ret_record, struct err *err)
{
	enum { ARENA_SIZE = 4 << 20 };
	const struct decision *decision = &verdict->decision;
	struct record record = {.removes_itself = verdict->options.rm,
				.files = decision->files,
				.request = *request};
	struct arena *arena = calloc(1, sizeof(*arena));
	char restart[64], cwd[PATH_MAX];
	int r = arena != NULL ? arena_init(arena, ARENA_SIZE, err) : -ENOMEM;

	if (r < 0) {
		free(arena);
		return err_set(err, ERR_SETUP, -r, "the sandbox's record");
	}
	if (getcwd(cwd, sizeof(cwd)) == NULL || cwd[0] != '/')
		cwd[0] = '\0';
	kept_restart_text(&decision->spec.supervision, restart, sizeof(restart));
	str_format(record.name, sizeof(record.name), "%s",
		   verdict->options.name != NULL ? verdict->options.name : "");
	record.memory = arena;
	if (decision->spec.rootfs.kind == ROOTFS_IMAGE)
		record.request.image_id = decision->spec.rootfs.image_id;
	record.command = decision->spec.process.argv;
	record.mounts = decision->spec.mounts;
	record.n_mounts = decision->spec.n_mounts;
	record.cwd = arena_strdup(arena, cwd);
	record.restart = arena_strdup(arena, restart);
	record.rootfs = rootfs_text(&decision->spec.rootfs, arena);
	record.labels = label_texts(&decision->spec, arena);
	record.request.environment = passed_environment(decision, request->environment, arena);
	if (record.cwd == NULL || record.restart == NULL || record.rootfs == NULL ||
	    record.labels == NULL || record.request.environment == NULL)
		r = err_set(err, ERR_SETUP, ENOMEM, "the sandbox's record");
	if (r == 0)
		r = records_create(records, &record, decision->plan.ids == IDS_BLOCK, err);
	cordon_let_images_go(decision);
	/* Those of one that removes itself come with its start, and go with its end. */
	if (r == 0 && !record.removes_itself)
		r = make_volumes(records, decision, &record, err);
	*ret_record = record;
	if (r < 0)
		kept_free_record(ret_record);
	return r;
}

void kept_free_record(struct record *record)
{
	if (record->memory != NULL)
		arena_release(record->memory);
	free(record->memory);
	*record = (struct record){0};
}

/* ---- starting ---- */

/* Where it was made is where its relative paths begin, and where its program may start. */
int kept_enter_directory(const struct record *record, struct err *err)
{
	if (record->cwd[0] == '\0' || chdir(record->cwd) == 0)
		return 0;
	err_set(err, ERR_USAGE, errno, "%s, where sandbox %s was made", record->cwd, record->id);
	return err_hint(err, "Make that directory again, or the sandbox anew.");
}

/* Whether it ran before. What cannot be read is looked at by its keeper. */
static bool was_started(const struct records *records, const struct sandbox *sandbox)
{
	struct sandbox_status status;
	struct err err;
	bool result = false;

	if (status_read(records, sandbox, &status, &err) == 0)
		result = status.last.started_ms != RESULT_NONE;
	status_release(&status);
	return result;
}

/* As it is to be started by roots. Returns an exit code; what is wrong has been said. */
static int decide_record(const struct run_request *roots, const struct records *records,
			 struct verdict *verdict, const struct record *record)
{
	struct run_request request = record->request;
	int r = kept_enter_directory(record, &verdict->err);

	request.root_dir = roots->root_dir;
	request.runtime_dir = roots->runtime_dir;
	request.kept_dir = records->home;
	if (r == 0)
		r = kept_decide(verdict, &request);
	if (r == 0)
		return 0;
	verdict_print_refusal(verdict);
	return err_exit_code(&verdict->err);
}

static int decide_and_start(const struct cmd_context *context, const struct records *records,
			    struct verdict *verdict, struct record *record,
			    const struct sandbox *sandbox)
{
	struct run_request roots;
	bool has_run = was_started(records, sandbox);
	int exit_code;
	pid_t pid;
	int r;

	kept_roots(context, &roots);
	exit_code = decide_record(&roots, records, verdict, record);
	if (exit_code != 0)
		return exit_code;
	r = status_want(sandbox, true, &verdict->err);
	if (r == 0)
		r = keeper_start(&roots, record, sandbox, &verdict->decision, &pid, &verdict->err);
	if (r == 0) {
		if (has_run && verdict->decision.writable == WRITABLE_TMPFS)
			print_note("sandbox %s: what it had written to its root was memory, and is "
				   "gone",
				   record->name[0] != '\0' ? record->name : record->id);
		return 0;
	}
	print_err(&verdict->err);
	return err_exit_code(&verdict->err);
}

int kept_start(const struct cmd_context *context, const struct records *records,
	       const struct sandbox *sandbox)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct record record;
	int exit_code = EXIT_CORDON;
	int r;

	if (verdict == NULL)
		return EXIT_CORDON;
	r = sandbox_lock(records, sandbox, &verdict->err);
	/* As Docker has it: what runs was started, by somebody who was here before. */
	if (r == 0 && records_is_running(sandbox))
		return 0;
	if (r == 0)
		r = status_settle(records, sandbox, &verdict->err);
	if (r >= 0)
		r = record_read(records, sandbox, &record, &verdict->err);
	if (r < 0) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	exit_code = decide_and_start(context, records, verdict, &record, sandbox);
	record_free(&record);
	return exit_code;
}

void kept_await_end(const struct records *records, const struct sandbox *sandbox)
{
	struct sandbox_status status = {0};
	struct err err;
	bool is_ending = status_read(records, sandbox, &status, &err) >= 0 && status.has_keeper &&
			 status.state == SANDBOX_EXITED;

	status_release(&status);
	if (is_ending)
		ignore_result(records_wait_ended(sandbox), "then it is left as it is");
}

int kept_check(const struct cmd_context *context, const struct records *records,
	       const struct sandbox *sandbox)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	struct run_request roots;
	struct record record;
	int exit_code;

	if (verdict == NULL)
		return EXIT_CORDON;
	if (record_read(records, sandbox, &record, &verdict->err) < 0) {
		print_err(&verdict->err);
		return EXIT_CORDON;
	}
	cmd_request_init(context, &roots);
	exit_code = decide_record(&roots, records, verdict, &record);
	record_free(&record);
	return exit_code;
}
