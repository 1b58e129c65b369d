/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See volume_freeze.h. */
#include "cmd/volume_freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "records/events.h"

static const char mark_name[] = "paused";
static const char mark_text[] = "for a copy of a volume\n";

/* ---- one sandbox ---- */

static int freezer_of(const struct live_run *live)
{
	for (size_t i = 0; i < live->n_groups; i++)
		if ((live->groups[i].controllers & 1U << CGROUP_FREEZER) != 0)
			return (int)i;
	return -1;
}

/* The mark is ours from the moment that it is there: it comes to its place with its text. */
static int open_mark(const struct records *records, const struct frozen *frozen)
{
	_cleanup_fd_ int dir_fd = status_open_run_dir(records, &frozen->sandbox);
	_cleanup_fd_ int fd = -EBADF;
	int r = dir_fd;

	if (r >= 0 && frozen->is_ours)
		r = records_put(dir_fd, mark_name, mark_text, strlen(mark_text), false);
	if (r < 0)
		return r;
	fd = sys_openat(dir_fd, mark_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd >= 0 && frozen->is_ours && flock(fd, LOCK_EX | LOCK_NB) != 0)
		return -errno;
	return fd < 0 ? fd : steal_fd(&fd);
}

/* It runs, and its lock is ours: notes it, or what is in the way. */
static int mark_running(const struct volume_freeze *freeze, struct frozen *frozen,
			const struct sandbox_status *status, struct err *err)
{
	const char *id = frozen->sandbox.id;

	frozen->is_ours = status->state == SANDBOX_RUNNING;
	if (frozen->is_ours && freezer_of(&status->live) < 0) {
		err_set(err, ERR_PREFLIGHT, 0,
			"sandbox %s runs, and cannot be paused: it has no control group for that "
			"(freezer)",
			id);
		return err_hint(err, "Stop it, or copy what may not be consistent: %s.",
				freeze->without);
	}
	frozen->mark_fd = open_mark(&freeze->records, frozen);
	return frozen->mark_fd < 0 ? err_set(err, ERR_SETUP, -frozen->mark_fd,
					     "sandbox %s: note that it is paused", id)
				   : 0;
}

/* 1: it runs, and is noted, its lock held; 0: it does not. */
static int take_one(const struct volume_freeze *freeze, const char *id, struct frozen *ret,
		    struct err *err)
{
	const struct records *records = &freeze->records;
	struct sandbox_status status = {0};
	int r = records_open_id(records, id, &ret->sandbox);

	ret->mark_fd = -EBADF;
	if (r < 0)
		return r == -ENOENT ? 0 : err_set(err, ERR_SETUP, -r, "sandboxes/%s", id);
	r = sandbox_lock(records, &ret->sandbox, err);
	if (r == 0)
		r = status_read(records, &ret->sandbox, &status, err);
	if (r == 0 && status.has_keeper &&
	    (status.state == SANDBOX_RUNNING || status.state == SANDBOX_PAUSED)) {
		r = mark_running(freeze, ret, &status, err);
		r = r == 0 ? 1 : r;
	} else if (r == 0 && status.has_keeper && status.state != SANDBOX_EXITED) {
		err_set(err, ERR_USAGE, EAGAIN, "sandbox %s uses it, and is %s", id,
			sandbox_state_name(status.state));
		r = err_hint(err, "Try again when it runs, or stop it.");
	}
	status_release(&status);
	if (r <= 0)
		sandbox_release(&ret->sandbox);
	return r;
}

/* Whether it is still paused by this mark. */
static bool is_marked(const struct frozen *frozen)
{
	struct stat st;

	return fstat(frozen->mark_fd, &st) == 0 && st.st_nlink > 0;
}

/* Needs: its lock. */
static int let_go_on(const struct records *records, const struct frozen *frozen, struct err *err)
{
	struct sandbox_status status = {0};
	int r;

	if (!frozen->is_ours || !is_marked(frozen))
		return 0;
	r = status_read(records, &frozen->sandbox, &status, err);
	if (r == 0 && status.state == SANDBOX_PAUSED)
		r = life_unpause(records, &frozen->sandbox, &status, err);
	else if (r == 0)
		r = status_mark_paused(records, &frozen->sandbox, false, err);
	if (r == 0)
		events_note(records, &frozen->sandbox, "unpause", NULL, 0);
	status_release(&status);
	return r;
}

/* ---- the process that lets them go on ---- */

static int thaw_all(const struct volume_freeze *freeze)
{
	int result = 0;

	for (size_t i = 0; i < freeze->n; i++) {
		const struct frozen *frozen = &freeze->list[i];
		struct err err = {0};
		int r = sandbox_lock(&freeze->records, &frozen->sandbox, &err);

		/* One that was removed needs nothing. */
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = let_go_on(&freeze->records, frozen, &err);
		if (r < 0) {
			print_err(&err);
			result = -1;
		}
		sandbox_unlock(&frozen->sandbox);
	}
	return result;
}

static _Noreturn void thawer_main(const struct volume_freeze *freeze, int from)
{
	int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
	ssize_t n;
	char byte;

	/* A terminal's ^C is not for it, and nobody waits for the end of its output. */
	if (setsid() < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(1);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	do
		n = read(from, &byte, 1);
	while (n > 0 || (n < 0 && errno == EINTR));
	_exit(thaw_all(freeze) < 0);
}

static int start_thawer(struct volume_freeze *freeze, struct err *err)
{
	_cleanup_fd_ int from = -EBADF;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "a pipe");
	from = ends[0];
	freeze->pipe_fd = ends[1];
	freeze->thawer = fork();
	if (freeze->thawer == 0) {
		close_fd(&freeze->pipe_fd);
		thawer_main(freeze, from);
	}
	if (freeze->thawer > 0)
		return 0;
	close_fd(&freeze->pipe_fd);
	return err_set(err, ERR_SETUP, errno, "fork");
}

/* ---- all of them ---- */

static int freeze_one(const struct volume_freeze *freeze, const struct frozen *frozen,
		      struct err *err)
{
	struct sandbox_status status = {0};
	int group, r;

	if (!frozen->is_ours)
		return 0;
	r = status_read(&freeze->records, &frozen->sandbox, &status, err);
	group = r == 0 ? freezer_of(&status.live) : -1;
	if (group >= 0)
		r = cgroup_freeze(status.live.groups[group].path, status.live.groups[group].version,
				  true, err);
	/* It ended this moment: its mark went with it, and that is seen before the copy counts. */
	status_release(&status);
	if (r == 0)
		events_note(&freeze->records, &frozen->sandbox, "pause", NULL, 0);
	return r;
}

static int take_all(struct volume_freeze *freeze, const struct volume_uses *uses, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < uses->n; i++) {
		if (!str_equal(uses->list[i].name, freeze->name))
			continue;
		if (freeze->n == VOLUME_FREEZE_MAX)
			return err_set(err, ERR_USAGE, 0, "more than %d sandboxes use it",
				       VOLUME_FREEZE_MAX);
		r = take_one(freeze, uses->list[i].sandbox, &freeze->list[freeze->n], err);
		freeze->n += r > 0;
	}
	return r < 0 ? r : 0;
}

static int refuse_unknown(const char *name, struct err *err)
{
	err_set(err, ERR_USAGE, EBUSY,
		"volume %s: in use by a run that has no record, and so cannot be paused", name);
	return err_hint(err, "Wait for its end, or copy what may not be consistent: --live.");
}

static int freeze_taken(struct volume_freeze *freeze, struct err *err)
{
	int r = start_thawer(freeze, err);

	for (size_t i = 0; r == 0 && i < freeze->n; i++)
		r = freeze_one(freeze, &freeze->list[i], err);
	return r;
}

static int freeze_all(struct volume_freeze *freeze, const struct volume_place *place,
		      struct err *err)
{
	struct volume_uses uses = {.n = 0};
	int r = volume_uses_read(place, &uses, err);

	if (r == 0)
		r = take_all(freeze, &uses, err);
	volume_uses_free(&uses);
	if (r == 0 && freeze->n != freeze->n_holders)
		r = refuse_unknown(freeze->name, err);
	return r == 0 ? freeze_taken(freeze, err) : r;
}

static void release(struct volume_freeze *freeze)
{
	for (size_t i = 0; i < freeze->n; i++) {
		close_fd(&freeze->list[i].mark_fd);
		sandbox_release(&freeze->list[i].sandbox);
	}
	freeze->n = 0;
	kept_close(&freeze->records);
}

static int begin(const struct cmd_context *context, struct volume_freeze *freeze, struct err *err)
{
	freeze->pipe_fd = -EBADF;
	freeze->thawer = -1;
	return kept_open(context, false, &freeze->records) < 0
		       ? err_set(err, ERR_SETUP, 0, "the records of sandboxes cannot be read")
		       : 0;
}

/* r: what came of it. */
static int end(struct volume_freeze *freeze, int r)
{
	struct err ignored;

	if (r < 0 && freeze->thawer < 0)
		for (size_t i = 0; i < freeze->n; i++)
			ignore_result(let_go_on(&freeze->records, &freeze->list[i], &ignored),
				      "the first error is the one that counts");
	for (size_t i = 0; i < freeze->n; i++)
		sandbox_unlock(&freeze->list[i].sandbox);
	if (r < 0 && freeze->thawer < 0)
		release(freeze);
	else if (r < 0)
		ignore_result(volume_thaw(freeze), "likewise");
	return r;
}

int volume_freeze(const struct cmd_context *context, const struct volume_place *place,
		  struct volume_freeze *freeze, struct err *err)
{
	int r = begin(context, freeze, err);

	freeze->without = "--live";
	return r < 0 ? r : end(freeze, freeze_all(freeze, place, err));
}

int volume_freeze_sandbox(const struct cmd_context *context, const char *id,
			  struct volume_freeze *freeze, struct err *err)
{
	int r = begin(context, freeze, err);

	if (r < 0)
		return r;
	freeze->without = "--pause=false";
	r = take_one(freeze, id, &freeze->list[0], err);
	freeze->n = r > 0;
	return end(freeze, r >= 0 ? freeze_taken(freeze, err) : r);
}

int volume_thaw(struct volume_freeze *freeze)
{
	int state = 0;
	pid_t pid;

	close_fd(&freeze->pipe_fd);
	do
		pid = waitpid(freeze->thawer, &state, 0);
	while (pid < 0 && errno == EINTR);
	release(freeze);
	if (pid >= 0 && WIFEXITED(state) && WEXITSTATUS(state) == 0)
		return 0;
	print_note("a sandbox may still be paused: `cordon gc` lets it go on");
	return -1;
}

/* ---- what nobody is left for ---- */

int volume_thaw_left(const struct records *records, const struct sandbox *sandbox, struct err *err)
{
	struct frozen frozen = {.sandbox = *sandbox, .is_ours = true};
	_cleanup_fd_ int dir_fd = status_open_run_dir(records, sandbox);
	_cleanup_fd_ int fd =
		dir_fd < 0 ? -EBADF
			   : sys_openat(dir_fd, mark_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	char text[sizeof(mark_text) + 8];
	int r;

	/* Whoever made it holds it. */
	if (fd < 0 || io_read_fd(fd, text, sizeof(text)) < 0 || !str_equal(text, mark_text) ||
	    flock(fd, LOCK_EX | LOCK_NB) != 0)
		return 0;
	r = records_try_lock(records, sandbox);
	if (r == -EWOULDBLOCK || r == -ENOENT)
		return 0;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandboxes/%s: lock", sandbox->id);
	frozen.mark_fd = fd;
	r = let_go_on(records, &frozen, err);
	return r < 0 ? r : 1;
}
