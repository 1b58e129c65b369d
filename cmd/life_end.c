/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon stop`, `kill` and `wait`. The keeper ends its sandbox; a command only tells it
 * to, and waits. A keeper that does not come to an end is killed, and the kernel ends the sandbox
 * with it: so no command waits for ever for one that is stuck.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "records/events.h"

enum {
	END_MS = 10000, /* longer than any keeper takes to undo a run, once all is killed */
	LOOK_MS = 5,
	UNKNOWN_GRACE_MS = 10000, /* of one that is only being started */
	AT_ONCE_MAX = 64,         /* so many are ended at the same time */
	SECONDS_MAX = INT32_MAX / 1000,
};

/* ---- ending ---- */

/* One that has been told to end. */
struct ending {
	struct sandbox *sandbox;
	const char *ref;
	int pidfd; /* of its keeper; -EBADF: none lives */
	int64_t patience_ms;
	int r;
	struct err err;
	/* It is ended all the same where a disk that is full or gone bad does not take down that it
	 * is not wanted any more. */
	int wanted_r;
	struct err wanted_err;
};

static bool has_ended(int pidfd, int64_t ms)
{
	struct pollfd fd = {.fd = pidfd, .events = POLLIN};
	int n;

	do
		n = poll(&fd, 1, ms > INT32_MAX ? INT32_MAX : (int)ms);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* Its lock is free: also the process that a waiter had started is gone. */
static bool is_released(const struct sandbox *sandbox)
{
	for (int waited = 0; waited < END_MS; waited += LOOK_MS) {
		if (!records_is_running(sandbox))
			return true;
		poll(NULL, 0, LOOK_MS);
	}
	return !records_is_running(sandbox);
}

/* One whose state is damaged can be ended, too. */
static int read_status(const struct records *records, struct ending *ending,
		       struct sandbox_status *ret)
{
	int r = status_read(records, ending->sandbox, ret, &ending->err);

	if (r < 0 && records_is_running(ending->sandbox)) {
		status_read_keeper(records, ending->sandbox, ret);
		return 0;
	}
	return r;
}

/* Who takes a sandbox says who it is a moment later. */
static int tell_keeper(const struct records *records, struct ending *ending,
		       struct sandbox_status *status, const struct life_end *how)
{
	for (int waited = 0; waited < END_MS && status->has_keeper; waited += LOOK_MS) {
		int pidfd = keeper_stop(&status->live, how->grace_ms, how->signo);
		int r;

		if (pidfd != -ESRCH)
			return pidfd;
		poll(NULL, 0, LOOK_MS);
		status_release(status);
		r = read_status(records, ending, status);
		if (r < 0)
			return r;
	}
	return status->has_keeper ? -ETIMEDOUT : -EBADF;
}

static int begin_end(const struct records *records, struct ending *ending,
		     const struct life_end *how)
{
	struct sandbox_status status = {0};
	int64_t grace_ms = how->grace_ms;
	int r;

	ending->wanted_r =
		how->keeps_wanted ? 0 : status_want(ending->sandbox, false, &ending->wanted_err);
	r = read_status(records, ending, &status);
	if (r < 0)
		return r;
	if (!status.has_keeper) {
		status_release(&status);
		r = status_settle(records, ending->sandbox, &ending->err);
		return r < 0 ? r : 0;
	}
	ignore_result(life_unpause(records, ending->sandbox, &status, &ending->err),
		      "the keeper lets it go on as well; or it is just ending");
	ending->pidfd = tell_keeper(records, ending, &status, how);
	if (ending->pidfd < 0 && ending->pidfd != -EBADF)
		r = err_set(&ending->err, ERR_SETUP, -ending->pidfd, "sandbox %s: tell its keeper",
			    ending->ref);
	if (grace_ms < 0)
		grace_ms =
			status.live.workload.pid > 0 ? status.live.stop_grace_ms : UNKNOWN_GRACE_MS;
	ending->patience_ms = grace_ms + END_MS;
	status_release(&status);
	return r;
}

/* What the keeper could not do any more. */
static int settle(const struct records *records, struct ending *ending)
{
	struct err gone;
	int r = sandbox_lock(records, ending->sandbox, &gone);

	/* One that removes itself, or that another command has removed. */
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		ending->err = gone;
		return r;
	}
	r = status_settle(records, ending->sandbox, &ending->err);
	sandbox_unlock(ending->sandbox);
	return r < 0 ? r : 0;
}

static int finish_end(const struct records *records, struct ending *ending)
{
	bool was_killed = false;

	if (ending->pidfd < 0)
		return 0;
	if (!has_ended(ending->pidfd, ending->patience_ms)) {
		was_killed = true;
		ignore_result(sys_pidfd_send_signal(ending->pidfd, SIGKILL, 0),
			      "it may have just ended");
	}
	if (!has_ended(ending->pidfd, END_MS) || !is_released(ending->sandbox))
		return err_set(&ending->err, ERR_SETUP, ETIMEDOUT,
			       "sandbox %s: its keeper does not end", ending->ref);
	return was_killed ? settle(records, ending) : 0;
}

/* Tells it; from here on no lock is held: it may take as long as it likes. */
static void tell_to_end(const struct records *records, struct ending *ending,
			const struct life_end *how)
{
	ending->pidfd = -EBADF;
	ending->r = sandbox_lock(records, ending->sandbox, &ending->err);
	if (ending->r < 0)
		return;
	ending->r = begin_end(records, ending, how);
	sandbox_unlock(ending->sandbox);
}

/* What is not wanted any more goes to the disk while the program ends, and not before it is told
 * to: its keeper flushes the same directory. */
static void await_end(const struct records *records, struct ending *ending,
		      const struct life_end *how)
{
	if (!how->keeps_wanted && ending->wanted_r == 0 && ending->sandbox->dir_fd >= 0)
		ending->wanted_r = status_flush_wanted(ending->sandbox, &ending->wanted_err);
	if (ending->r == 0)
		ending->r = finish_end(records, ending);
	close_fd(&ending->pidfd);
	if (ending->r == 0 && ending->wanted_r < 0) {
		ending->r = ending->wanted_r;
		ending->err = ending->wanted_err;
	}
}

int life_end(const struct records *records, struct sandbox *sandbox, const struct life_end *how,
	     struct err *err)
{
	struct ending ending = {.sandbox = sandbox, .ref = sandbox->id};

	tell_to_end(records, &ending, how);
	await_end(records, &ending, how);
	if (ending.r < 0)
		*err = ending.err;
	return ending.r;
}

/* ---- stop ---- */

int life_read_how(const struct words *words, struct life_end *ret, struct err *err)
{
	const char *text = words_value(words, "--timeout");
	uint32_t seconds;
	int r = life_signal(words, 0, &ret->signo, err);

	ret->grace_ms = -1;
	if (r < 0 || text == NULL)
		return r;
	if (str_equal(text, "-1")) {
		ret->grace_ms = INT32_MAX; /* 24 days */
		return 0;
	}
	if (parse_u32(text, &seconds) < 0 || seconds > SECONDS_MAX) {
		err_set(err, ERR_USAGE, 0, "--timeout %s: no number of seconds", text);
		return err_hint(err, "From 0 to %d, or -1 for no end.", SECONDS_MAX);
	}
	ret->grace_ms = (int64_t)seconds * 1000;
	return 0;
}

/* Ends up to AT_ONCE_MAX at the same time; n of them. */
static int end_batch(const struct records *records, struct ending *batch, size_t n,
		     const struct life_end *how)
{
	int exit_code = 0;

	for (size_t i = 0; i < n; i++)
		tell_to_end(records, &batch[i], how);
	for (size_t i = 0; i < n; i++) {
		await_end(records, &batch[i], how);
		if (batch[i].r < 0)
			exit_code = life_say(&batch[i].err);
		else
			print_out("%s\n", batch[i].ref);
		if (batch[i].r == 0 && batch[i].patience_ms > 0) /* there was a keeper */
			events_note(records, batch[i].sandbox, "stop", NULL, 0);
		sandbox_release(batch[i].sandbox);
	}
	return exit_code;
}

static int end_words(const struct records *records, char **words, const struct life_end *how)
{
	struct ending *batch = calloc(AT_ONCE_MAX, sizeof(*batch));
	struct sandbox sandboxes[AT_ONCE_MAX];
	int exit_code = batch == NULL ? EXIT_CORDON : 0;

	while (batch != NULL && *words != NULL) {
		size_t n = 0;
		int code;

		for (; n < AT_ONCE_MAX && *words != NULL; words++) {
			struct err err = {0};

			sandboxes[n] = (struct sandbox){.dir_fd = -EBADF};
			if (records_find(records, *words, &sandboxes[n], &err) < 0) {
				exit_code = life_say(&err);
				continue;
			}
			batch[n] = (struct ending){.sandbox = &sandboxes[n], .ref = *words};
			n++;
		}
		code = end_batch(records, batch, n, how);
		exit_code = code != 0 ? code : exit_code;
	}
	free(batch);
	return exit_code;
}

/* The ids of all that run, as words. */
static int end_all(const struct records *records, const struct life_end *how)
{
	_cleanup_free_ char(*ids)[RUN_ID_LEN + 1] = NULL;
	_cleanup_free_ char **words = NULL;
	struct err err = {0};
	ssize_t n = records->is_there ? records_list(records, &ids, &err) : 0;
	size_t used = 0;

	if (n < 0)
		return life_say(&err);
	words = calloc((size_t)n + 1, sizeof(*words));
	for (ssize_t i = 0; words != NULL && i < n; i++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};

		if (records_open_id(records, ids[i], &sandbox) < 0)
			continue;
		if (records_is_running(&sandbox))
			words[used++] = ids[i];
		sandbox_release(&sandbox);
	}
	return words == NULL ? EXIT_CORDON : end_words(records, words, how);
}

int cmd_stop(const struct cmd_context *context, int argc, char **argv)
{
	struct life_end how = {.keeps_wanted = false};
	struct records records;
	struct words words;
	struct err err = {0};
	int exit_code;
	int n;

	(void)argc;
	n = life_parse("stop", argv, 0, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (life_check_all("stop", &words, argv) < 0)
		return EXIT_CORDON;
	how.keeps_wanted = n == 0;
	if (life_read_how(&words, &how, &err) < 0)
		return life_say(&err);
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	exit_code = n == 0 ? end_all(&records, &how) : end_words(&records, argv + 1, &how);
	kept_close(&records);
	return exit_code;
}

/* ---- kill ---- */

static int send_signal(const struct sandbox_status *status, uint32_t signo, struct err *err)
{
	_cleanup_fd_ int pidfd = process_open(&status->live.workload);
	int r = pidfd < 0 ? pidfd : sys_pidfd_send_signal(pidfd, (int)signo, 0);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "signal its program") : 0;
}

static void note_kill(const struct life *life, const struct sandbox *sandbox, uint32_t signo)
{
	char number[16];
	const struct event_attribute attribute = {"signal", number};

	str_format(number, sizeof(number), "%u", signo);
	events_note(life->records, sandbox, "kill", &attribute, 1);
}

static int kill_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	const uint32_t *signo = life->how;
	struct life_end how = {.grace_ms = 0, .signo = SIGKILL};
	struct sandbox_status status = {0};
	struct err err = {0};
	bool runs;
	int r = status_read(life->records, sandbox, &status, &err);

	if (r < 0)
		return life_say(&err);
	runs = status.has_keeper && (*signo == SIGKILL || status.live.workload.pid > 0);
	if (!runs) {
		err_set(&err, ERR_USAGE, 0, "sandbox %s does not run: it is %s", ref,
			sandbox_state_name(status.state));
		err_hint(&err, "`cordon ps -a` says why.");
		r = -EINVAL;
	} else if (*signo != SIGKILL) {
		r = send_signal(&status, *signo, &err);
	} else {
		r = life_end(life->records, sandbox, &how, &err);
	}
	if (r == 0)
		note_kill(life, sandbox, *signo);
	status_release(&status);
	return r < 0 ? life_say(&err) : 0;
}

int cmd_kill(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	struct err err = {0};
	uint32_t signo;
	int exit_code;

	(void)argc;
	if (life_parse("kill", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	if (life_signal(&words, SIGKILL, &signo, &err) < 0)
		return life_say(&err);
	return life_for_each(context, argv + 1, kill_one, &signo, false);
}

/* ---- wait ---- */

/* Until its keeper is gone. What is not known about it is looked at again. */
static int await_keeper(const struct records *records, const struct sandbox *sandbox,
			struct err *err)
{
	while (records_is_running(sandbox)) {
		_cleanup_fd_ int pidfd = -EBADF;
		struct sandbox_status status = {0};
		struct pollfd fd = {.events = POLLIN};
		int r = status_read(records, sandbox, &status, err);

		if (r < 0)
			return records_is_running(sandbox) ? r : 0;
		pidfd = process_open(&status.live.keeper);
		status_release(&status);
		fd.fd = pidfd;
		if (poll(&fd, 1, pidfd < 0 ? LOOK_MS : -1) > 0)
			ignore_result(is_released(sandbox), "looked at again");
	}
	return 0;
}

/* One that has removed itself has left its code here. */
static bool read_left_code(int fd, int64_t *ret_code)
{
	char text[16];
	ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;
	uint32_t code;

	text[n > 0 ? n : 0] = '\0';
	io_chomp(text);
	if (parse_u32(text, &code) < 0)
		return false;
	*ret_code = code;
	return true;
}

static int wait_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	_cleanup_fd_ int left_fd = sandbox->is_kept ? -EBADF : status_open_left(sandbox);
	struct sandbox_status status = {0};
	struct err err = {0};
	int64_t code;
	int r = await_keeper(life->records, sandbox, &err);

	if (r < 0)
		return life_say(&err);
	if (read_left_code(left_fd, &code)) {
		print_out("%lld\n", (long long)code);
		return 0;
	}
	if (faccessat(sandbox->dir_fd, "record", F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
		err_set(&err, ERR_SETUP, 0, "sandbox %s: was removed, and its exit code with it",
			ref);
		return life_say(&err);
	}
	r = status_read(life->records, sandbox, &status, &err);
	if (r < 0)
		return life_say(&err);
	code = status.last.exit_code == RESULT_NONE ? 0 : status.last.exit_code;
	status_release(&status);
	print_out("%lld\n", (long long)code);
	return 0;
}

int cmd_wait(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	int exit_code;

	(void)argc;
	if (life_parse("wait", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	return life_for_each(context, argv + 1, wait_one, NULL, true);
}
