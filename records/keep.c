/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a keeper writes down: that it starts, what runs, how it ended. Runs in the process that
 * launches the sandbox (or waits for the one that does), as the record's owner; as root with no
 * more than what a run's keeper has kept.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "records/events.h"
#include "records/internal.h"
#include "records/keeper.h"

/* DIR/lock, held by this open file: a fork shares it, an exec does not. */
static int take_lock_in(int dir_fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_fd_ int fd =
		sys_openat(dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0)
		return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
	return steal_fd(&fd);
}

/* The record's lock, then that of its directory below the run root, where they are two. What a
 * keeper that was killed has left there goes: nobody shall signal who is not there. */
static int take_locks(const struct records *records, const struct sandbox *sandbox, int fds[2])
{
	static const char *const stale[] = {"live", "paused"};
	_cleanup_fd_ int dir_fd = -EBADF;

	fds[0] = take_lock_in(sandbox->dir_fd);
	if (fds[0] < 0)
		return fds[0];
	if (mkdirat(records->live_fd, sandbox->id, 0700) != 0 && errno != EEXIST)
		return -errno;
	dir_fd = sys_openat(records->live_fd, sandbox->id, RECORDS_DIR_FLAGS, 0);
	if (dir_fd < 0)
		return dir_fd;
	fds[1] = sandbox->is_kept ? take_lock_in(dir_fd) : -EBADF;
	if (sandbox->is_kept && fds[1] < 0)
		return fds[1];
	for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++)
		if (unlinkat(dir_fd, stale[i], 0) != 0 && errno != ENOENT)
			return -errno;
	return 0;
}

static int write_last(const struct keep *keep, struct err *err)
{
	int r = status_write_last(keep->sandbox, &keep->last);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s: write its state", keep->sandbox->id)
		     : 0;
}

int keep_begin(const struct records *records, const struct record *record,
	       const struct sandbox *sandbox, struct keep *ret, struct err *err)
{
	/* gc removes what has no keeper. */
	_cleanup_fd_ int gate = records_hold(records, LOCK_SH, err);
	struct keep keep = {.records = records,
			    .record = record,
			    .sandbox = sandbox,
			    .lock_fds = {-EBADF, -EBADF},
			    .live = {.keeper = process_mark_of(getpid()),
				     .started_ms = RESULT_NONE,
				     .next_start_ms = RESULT_NONE,
				     .last_exit_code = RESULT_NONE,
				     .last_finished_ms = RESULT_NONE,
				     .end_ms = RESULT_NONE,
				     .end_code = RESULT_NONE}};
	int r;

	if (gate < 0)
		return gate;
	r = take_locks(records, sandbox, keep.lock_fds);
	if (r < 0) {
		keep_release(&keep);
		return r == -EBUSY ? err_set(err, ERR_USAGE, EBUSY, "sandbox %s: runs already",
					     sandbox->id)
				   : err_set(err, ERR_SETUP, -r, "sandbox %s: lock", sandbox->id);
	}
	keep.last = (struct last_run){.is_running = true,
				      .keeper = keep.live.keeper,
				      .started_ms = record_now_ms(),
				      .finished_ms = RESULT_NONE,
				      .exit_code = RESULT_NONE};
	state_boot_id(keep.last.boot_id);
	str_format(keep.last.run, sizeof(keep.last.run), "%s", records->run);
	r = fault_point("keep.locked", NULL);
	if (r == 0)
		r = status_write_live(records, sandbox->id, &keep.live);
	if (r < 0)
		err_set(err, ERR_SETUP, -r, "%s/sandboxes/%s/live", records->run, sandbox->id);
	if (r == 0)
		r = write_last(&keep, err);
	if (r == 0 && fault_point("keep.begun", NULL) < 0)
		r = err_set(err, ERR_SETUP, EIO, "sandbox %s", sandbox->id);
	if (r < 0)
		keep_release(&keep);
	else
		*ret = keep;
	return r;
}

void keep_started(struct keep *keep, const struct run_started *started)
{
	struct live_run *live = &keep->live;
	char paused[RUN_ID_LEN + 16];

	ignore_result(fault_point("keep.runs", NULL), "it goes on without");
	live->workload = process_mark_of(started->workload_pid);
	live->init = process_mark_of(started->init_pid);
	live->started_ms = record_now_ms();
	live->next_start_ms = RESULT_NONE;
	live->restarts = keep->last.restarts;
	live->stop_grace_ms = (int64_t)started->stop_grace_ms;
	str_format(live->run_id, sizeof(live->run_id), "%s", started->run_id);
	live->launcher = process_mark_of(getpid());
	live->nproc_limit = started->nproc_limit;
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		live->namespace_fds[i] = started->namespace_fds[i];
	live->places = *started->places;
	live->upper_fd = started->upper_fd;
	live->n_groups = started->cgroup->n;
	for (size_t i = 0; i < started->cgroup->n; i++) {
		const struct cgroup_place *place = &started->cgroup->places[i];
		struct cgroup_known *group = &live->groups[i];

		group->version = place->version;
		group->controllers = place->controllers;
		str_format(group->path, sizeof(group->path), "%s", place->path);
		str_format(group->self_path, sizeof(group->self_path), "%s", place->self_path);
	}
	/* A run before this one, which a limit ended while it was paused. */
	str_format(paused, sizeof(paused), "%s/paused", keep->sandbox->id);
	ignore_result(unlinkat(keep->records->live_fd, paused, 0), "most were not");
	/* Who looks sees "starting" for longer than is true: no more than that. */
	ignore_result(status_write_live(keep->records, keep->sandbox->id, live),
		      "the run goes on without");
	events_note(keep->records, keep->sandbox, "start", NULL, 0);
	ignore_result(fault_point("keep.started", NULL), "it goes on without");
}

void keep_note_end(const struct keep *keep, const struct run_result *result,
		   const struct err *failure)
{
	enum run_kind kind = result != NULL ? result->kind : RUN_SETUP_FAILED;
	int64_t began_ms =
		keep->live.started_ms != RESULT_NONE ? keep->live.started_ms : record_now_ms();
	char code[16], seconds[24];
	const struct event_attribute attributes[] = {{"exitCode", code},
						     {"execDuration", seconds},
						     {"reason", result_kind_name(kind)}};

	str_format(code, sizeof(code), "%d",
		   result != NULL ? result_exit_code(result) : err_exit_code(failure));
	str_format(seconds, sizeof(seconds), "%lld",
		   (long long)((record_now_ms() - began_ms) / 1000));
	if (kind == RUN_OOM)
		events_note(keep->records, keep->sandbox, "oom", NULL, 0);
	events_note(keep->records, keep->sandbox, "die", attributes,
		    sizeof(attributes) / sizeof(attributes[0]));
}

void keep_note_restart(struct keep *keep)
{
	struct err err;

	keep->last.restarts++;
	ignore_result(write_last(keep, &err), "a count that is shown too low");
}

void keep_output_lost(struct keep *keep)
{
	keep->last.is_output_lost = true;
	ignore_result(status_write_last(keep->sandbox, &keep->last), "its end writes it again");
}

void keep_helper_lost(struct keep *keep, const char *helper)
{
	struct live_run *live = &keep->live;
	const struct event_attribute attributes[] = {{"helper", helper}};
	size_t len = strlen(live->helpers_lost);

	str_format(live->helpers_lost + len, sizeof(live->helpers_lost) - len, "%s%s",
		   len > 0 ? " " : "", helper);
	ignore_result(status_write_live(keep->records, keep->sandbox->id, live),
		      "the event says it too");
	events_note(keep->records, keep->sandbox, "helper_lost", attributes,
		    sizeof(attributes) / sizeof(attributes[0]));
}

static int remove_sandbox(struct keep *keep, struct err *err)
{
	struct sandbox sandbox = *keep->sandbox;

	return records_remove(keep->records, &sandbox, err);
}

static void leave_end(struct keep *keep)
{
	struct live_run *live = &keep->live;

	live->end_ms = keep->last.finished_ms;
	live->end_code = keep->last.exit_code;
	str_format(live->end_kind, sizeof(live->end_kind), "%s", keep->last.kind);
	ignore_result(status_write_live(keep->records, keep->sandbox->id, live),
		      "then its keeper is said to have been killed");
}

int keep_end(struct keep *keep, const struct run_result *result, const char *result_json,
	     const struct err *failure, struct err *err)
{
	struct last_run *last = &keep->last;
	char path[RUN_ID_LEN + 16];
	int r = fault_point("keep.ending", NULL);

	last->is_running = false;
	last->finished_ms = record_now_ms();
	last->exit_code = result != NULL ? result_exit_code(result) : err_exit_code(failure);
	str_format(last->kind, sizeof(last->kind), "%s",
		   result_kind_name(result != NULL ? result->kind : RUN_SETUP_FAILED));
	str_format(last->text, sizeof(last->text), "%s", failure != NULL ? failure->text : "");
	keep_note_end(keep, result, failure);
	if (keep->record->removes_itself) {
		status_leave(keep->sandbox, last->exit_code);
		return remove_sandbox(keep, err);
	}
	last->result = result_json != NULL ? strdup(result_json) : NULL;
	r = r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s", keep->sandbox->id)
		  : write_last(keep, err);
	ignore_result(fault_point("keep.ended", NULL), "it has been written down");
	free(last->result);
	last->result = NULL;
	/* On a disk that is full: below the run root it is known until the boot. */
	if (r < 0) {
		leave_end(keep);
		return r;
	}
	str_format(path, sizeof(path), "%s/live", keep->sandbox->id);
	if (unlinkat(keep->records->live_fd, path, 0) != 0 && errno != ENOENT && r == 0)
		r = err_set(err, ERR_SETUP, errno, "%s/sandboxes/%s", keep->records->run, path);
	ignore_result(fault_point("keep.gone", NULL), "it has been written down");
	return r;
}

void keep_release(struct keep *keep)
{
	for (size_t i = 0; i < sizeof(keep->lock_fds) / sizeof(keep->lock_fds[0]); i++)
		close_fd(&keep->lock_fds[i]);
}
