/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start, stop, restart, kill, wait, rm: each for one or more sandboxes, by name or id. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/kept.h"
#include "cmd/print.h"

/* Longer than any keeper takes to undo a run, once all is killed. */
enum { END_MS = 10000, LOOK_MS = 20 };

/* ---- one of many ---- */

typedef int (*life_fn)(const struct cmd_context *context, const struct records *records,
		       struct sandbox *sandbox, const char *ref, const void *how);

/* Calls one for each word; Docker prints the word where it worked. Returns the exit code: 0 where
 * all worked. */
static int for_each(const struct cmd_context *context, char **words, life_fn one, const void *how)
{
	struct records records;
	int exit_code = 0;

	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	for (; *words != NULL; words++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};
		struct err err = {0};
		int code;

		if (records_find(&records, *words, &sandbox, &err) < 0) {
			print_err(&err);
			exit_code = EXIT_CORDON;
			continue;
		}
		code = one(context, &records, &sandbox, *words, how);
		if (code == 0)
			print_out("%s\n", *words);
		else
			exit_code = code;
		sandbox_release(&sandbox);
	}
	records_release(&records);
	return exit_code;
}

static int say(const struct err *err)
{
	print_err(err);
	return err_exit_code(err);
}

/* ---- start ---- */

static int start_one(const struct cmd_context *context, const struct records *records,
		     struct sandbox *sandbox, const char *ref, const void *how)
{
	struct sandbox_status status;
	struct err err = {0};
	bool is_alive;

	(void)ref;
	(void)how;
	if (status_read(records, sandbox, &status, &err) < 0)
		return say(&err);
	is_alive = status.has_keeper;
	status_release(&status);
	/* As Docker has it: what runs already was started. */
	return is_alive ? 0 : kept_start(context, records, sandbox);
}

int cmd_start(const struct cmd_context *context, int argc, char **argv)
{
	bool is_json;
	int exit_code;

	(void)argc;
	if (command_words("start", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	return for_each(context, argv + 1, start_one, NULL);
}

/* ---- stop ---- */

/* Waits for a keeper's end, for ms at most. */
static bool has_ended(int pidfd, int64_t ms)
{
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};

	return poll(&fd, 1, ms > INT32_MAX ? INT32_MAX : (int)ms) == 1;
}

/* A keeper that does not end is killed, and the kernel ends the sandbox with it. */
static int stop_keeper(const struct sandbox_status *status, int64_t grace_ms, struct err *err)
{
	_cleanup_fd_ int pidfd = keeper_stop(&status->live, grace_ms);

	if (pidfd == -ESRCH)
		return 0;
	if (pidfd < 0)
		return err_set(err, ERR_SETUP, -pidfd, "signal the keeper");
	if (has_ended(pidfd, grace_ms + END_MS))
		return 0;
	ignore_result(sys_pidfd_send_signal(pidfd, SIGKILL, 0), "it may have ended");
	return has_ended(pidfd, END_MS) ? 0 : err_set(err, ERR_SETUP, ETIMEDOUT, "end the keeper");
}

static int stop_one(const struct cmd_context *context, const struct records *records,
		    struct sandbox *sandbox, const char *ref, const void *how)
{
	const int64_t *grace_ms = how;
	struct sandbox_status status;
	struct err err = {0};
	int r = sandbox_lock(records, sandbox, &err);

	(void)context;
	(void)ref;
	if (r == 0)
		r = status_want(sandbox, false, &err);
	if (r == 0)
		r = status_read(records, sandbox, &status, &err);
	if (r < 0)
		return say(&err);
	/* It may take as long as it likes: other commands are not kept waiting. */
	sandbox_unlock(sandbox);
	r = status.has_keeper ? stop_keeper(&status, *grace_ms, &err) : 0;
	status_release(&status);
	return r < 0 ? say(&err) : 0;
}

int cmd_stop(const struct cmd_context *context, int argc, char **argv)
{
	int64_t grace_ms = 10000;
	bool is_json;
	int exit_code;

	(void)argc;
	if (command_words("stop", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	return for_each(context, argv + 1, stop_one, &grace_ms);
}

/* ---- rm ---- */

static int remove_one(const struct cmd_context *context, const struct records *records,
		      struct sandbox *sandbox, const char *ref, const void *how)
{
	struct err err = {0};
	int r;

	(void)context;
	(void)how;
	r = sandbox_lock(records, sandbox, &err);
	if (r == 0 && records_is_running(records, sandbox)) {
		err_set(&err, ERR_USAGE, EBUSY, "sandbox %s runs", ref);
		err_hint(&err, "Stop it first: cordon stop %s, or cordon rm -f %s.", ref, ref);
		return say(&err);
	}
	if (r == 0)
		r = status_settle(records, sandbox, &err);
	if (r >= 0)
		r = records_remove(records, sandbox, &err);
	return r < 0 ? say(&err) : 0;
}

int cmd_rm(const struct cmd_context *context, int argc, char **argv)
{
	bool is_json;
	int exit_code;

	(void)argc;
	if (command_words("rm", argv + 1, &is_json, &exit_code) < 0)
		return exit_code;
	return for_each(context, argv + 1, remove_one, NULL);
}
