/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See status.h. Runs in commands and in keepers, as the record's owner. */
#include "records/status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "records/events.h"
#include "records/internal.h"
#include "records/status_files.h"

enum { LOOKS_MAX = 8, RUN_END_MS = 3000, RUN_LOOK_MS = 5 };

const char *sandbox_state_name(enum sandbox_state state)
{
	switch (state) {
	case SANDBOX_CREATED:
		return "created";
	case SANDBOX_STARTING:
		return "starting";
	case SANDBOX_RUNNING:
		return "running";
	case SANDBOX_PAUSED:
		return "paused";
	case SANDBOX_RESTARTING:
		return "restarting";
	case SANDBOX_EXITED:
		return "exited";
	}
	return "";
}

/* ---- the whole ---- */

bool records_is_alive(const struct records *records, const char *id)
{
	char path[RUN_ID_LEN + 16];

	str_format(path, sizeof(path), "%s/lock", id);
	return records->live_fd >= 0 && state_is_held(records->live_fd, path);
}

bool records_is_running(const struct sandbox *sandbox)
{
	return state_is_held(sandbox->dir_fd, "lock");
}

bool records_is_id_running(const struct records *records, const char *id)
{
	char path[RUN_ID_LEN + 16];

	str_format(path, sizeof(path), "%s/lock", id);
	return state_is_held(records->sandboxes_fd, path) || records_is_alive(records, id);
}

int status_open_run_dir(const struct records *records, const struct sandbox *sandbox)
{
	_cleanup_fd_ int fd = status_open_below(records->run, sandbox->id);
	struct last_run last = {.result = NULL};
	struct err err;
	int r;

	if (fd >= 0 && faccessat(fd, "live", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return steal_fd(&fd);
	r = status_read_last(records, sandbox, &last, &err);
	free(last.result);
	if (r == 0 && last.run[0] != '\0' && !str_equal(last.run, records->run))
		return status_open_below(last.run, sandbox->id);
	return steal_fd(&fd);
}

/* A file without a word below RUN/sandboxes/ID, or none. */
static int mark(const struct records *records, const struct sandbox *sandbox, const char *name,
		bool is_there, struct err *err)
{
	_cleanup_fd_ int dir_fd = status_open_run_dir(records, sandbox);
	_cleanup_fd_ int fd = -EBADF;
	int r = dir_fd;

	if (dir_fd >= 0 && is_there) {
		fd = sys_openat(dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		r = fd < 0 ? fd : 0;
	} else if (dir_fd >= 0) {
		r = unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s: note that it is %s", sandbox->id,
			       name)
		     : 0;
}

static bool is_marked(const char *run, const char *id, const char *name)
{
	_cleanup_fd_ int dir_fd = status_open_below(run, id);

	return dir_fd >= 0 && faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int status_mark_paused(const struct records *records, const struct sandbox *sandbox, bool is_paused,
		       struct err *err)
{
	return mark(records, sandbox, "paused", is_paused, err);
}

int status_mark_updating(const struct records *records, const struct sandbox *sandbox,
			 bool is_updating, struct err *err)
{
	int r = is_updating ? 0 : fault_point("update.done", NULL);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandbox %s", sandbox->id);
	r = mark(records, sandbox, "updating", is_updating, err);
	if (r == 0 && is_updating) {
		r = fault_point("update.marked", NULL);
		if (r < 0)
			err_set(err, ERR_SETUP, -r, "sandbox %s", sandbox->id);
	}
	return r;
}

bool status_is_updating(const struct records *records, const struct sandbox *sandbox)
{
	_cleanup_fd_ int dir_fd = status_open_run_dir(records, sandbox);

	return dir_fd >= 0 && faccessat(dir_fd, "updating", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int status_open_left(const struct sandbox *sandbox)
{
	return sys_openat(sandbox->dir_fd, "left", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

void status_leave(const struct sandbox *sandbox, int64_t exit_code)
{
	_cleanup_fd_ int fd =
		sys_openat(sandbox->dir_fd, "left", O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	char text[24];

	str_format(text, sizeof(text), "%lld\n", (long long)exit_code);
	if (fd >= 0)
		ignore_result(io_write_all(fd, text, strlen(text)), "wait says that it is gone");
}

bool records_wait_ended(const struct sandbox *sandbox)
{
	enum { LOOKS = 5000, LOOK_MS = 1 };

	for (int look = 0; look < LOOKS; look++) {
		if (!records_is_running(sandbox))
			return true;
		poll(NULL, 0, LOOK_MS);
	}
	return false;
}

static bool is_of_this_boot(const struct last_run *last)
{
	char boot_id[STATE_BOOT_ID_SIZE];

	state_boot_id(boot_id);
	return str_equal(boot_id, last->boot_id);
}

/* The end that nobody wrote down. */
static void tell_loss(struct sandbox_status *status)
{
	struct last_run *last = &status->last;

	status->is_lost = true;
	last->exit_code = 137;
	if (is_of_this_boot(last)) {
		str_format(last->kind, sizeof(last->kind), "keeper_lost");
		str_format(last->text, sizeof(last->text),
			   "its keeper was killed, and the sandbox with it");
	} else {
		str_format(last->kind, sizeof(last->kind), "power_lost");
		str_format(last->text, sizeof(last->text), "the machine went down while it ran");
	}
}

static enum sandbox_state state_alive(const char *run, const struct sandbox *sandbox,
				      const struct live_run *live)
{
	if (live->next_start_ms != RESULT_NONE)
		return SANDBOX_RESTARTING;
	if (live->workload.pid == 0)
		return SANDBOX_STARTING;
	return is_marked(run, sandbox->id, "paused") ? SANDBOX_PAUSED : SANDBOX_RUNNING;
}

static bool is_alive(const struct process_mark *mark)
{
	_cleanup_fd_ int pidfd = process_open(mark);

	return pidfd >= 0;
}

/* What its keeper wrote below a run root that is gone, or cannot be looked into: that it runs, and
 * who can be told to end it, is known all the same. */
static bool is_out_of_sight(const struct sandbox_status *status)
{
	return status->has_keeper && status->live.keeper.pid == 0 && status->last.is_running &&
	       is_alive(&status->last.keeper);
}

/* One look. Returns 1 where what was seen does not fit together: a keeper came or went meanwhile.
 */
static int look(const struct records *records, const struct sandbox *sandbox,
		struct sandbox_status *ret, struct err *err)
{
	const char *run = records->run;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->has_keeper = records_is_running(sandbox);
	r = status_read_last(records, sandbox, &ret->last, err);
	if (r < 0)
		return r;
	if (ret->has_keeper)
		status_read_live(run, sandbox->id, &ret->live);
	if (ret->has_keeper && ret->live.keeper.pid == 0 && ret->last.run[0] != '\0') {
		run = ret->last.run;
		status_read_live(run, sandbox->id, &ret->live);
	}
	if (is_out_of_sight(ret)) {
		ret->live.keeper = ret->last.keeper;
		ret->live.started_ms = ret->last.started_ms;
		ret->state = SANDBOX_RUNNING;
		return 0;
	}
	/* It may just have begun, or be about to go: then the state says more. */
	if (ret->has_keeper && (ret->live.keeper.pid != 0 || ret->last.is_running)) {
		ret->state = state_alive(run, sandbox, &ret->live);
		ret->last.restarts = ret->live.restarts;
		return ret->live.keeper.pid == 0;
	}
	ret->state = ret->last.started_ms == RESULT_NONE ? SANDBOX_CREATED : SANDBOX_EXITED;
	return ret->last.is_running && records_is_running(sandbox);
}

void status_read_keeper(const struct records *records, const struct sandbox *sandbox,
			struct sandbox_status *ret)
{
	*ret = (struct sandbox_status){.has_keeper = records_is_running(sandbox)};
	status_read_live(records->run, sandbox->id, &ret->live);
}

/* The end that its keeper could not write to `state`. */
static bool take_left_end(const struct records *records, const struct sandbox *sandbox,
			  struct sandbox_status *status)
{
	struct last_run *last = &status->last;
	struct live_run live;

	if (!is_of_this_boot(last))
		return false;
	status_read_live(last->run[0] != '\0' ? last->run : records->run, sandbox->id, &live);
	if (live.end_kind[0] == '\0')
		return false;
	last->is_running = false;
	last->finished_ms = live.end_ms;
	last->exit_code = live.end_code;
	str_format(last->kind, sizeof(last->kind), "%s", live.end_kind);
	return true;
}

int status_read(const struct records *records, const struct sandbox *sandbox,
		struct sandbox_status *ret, struct err *err)
{
	int r = look(records, sandbox, ret, err);

	/* Not for ever: a keeper that is stopped between two files stays between them. */
	for (int i = 0; r > 0 && i < LOOKS_MAX; i++) {
		status_release(ret);
		r = look(records, sandbox, ret, err);
	}
	if (r < 0)
		return r;
	if (!ret->has_keeper && ret->last.is_running && !take_left_end(records, sandbox, ret))
		tell_loss(ret);
	return 0;
}

void status_release(struct sandbox_status *status)
{
	free(status->last.result);
	status->last.result = NULL;
}

/* The init of a run holds its journal's lock until it is gone (launcher/init.c). */
static void await_run_end(const char *run, const char *run_id)
{
	char path[RECORDS_PATH_MAX];

	str_format(path, sizeof(path), "%s/runs/%s/journal", run, run_id);
	for (int waited = 0; waited < RUN_END_MS; waited += RUN_LOOK_MS) {
		_cleanup_fd_ int fd =
			sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);

		if (fd < 0 || state_lock(fd, LOCK_EX | LOCK_NB) == 0)
			return;
		poll(NULL, 0, RUN_LOOK_MS);
	}
}

/* What it made on the host is in its journal. Another run that cannot be undone is no reason to
 * leave this one; one that was killed before it was known which it is, is found among all. */
static int undo_run(const char *run, const char *run_id, const struct sandbox *sandbox,
		    struct err *err)
{
	struct gc_report report = {0};
	struct state_root root;
	int r = state_root_open(run, &root, err);

	if (r < 0)
		return r;
	if (records_is_id(run_id))
		r = state_gc_run(&root, run_id, &report, err);
	else
		r = state_gc(&root, &report, err);
	state_root_release(&root);
	if (r < 0 || !records_is_id(run_id) || report.n_runs_alive == 0)
		return r;
	err_set(err, ERR_SETUP, EBUSY,
		"sandbox %s: its keeper was killed, and not all of its "
		"processes have ended yet",
		sandbox->id);
	return err_hint(err, "Something holds them up, as a disk that does not answer does: try "
			     "again when that has passed.");
}

int status_clean_run(const char *run, const struct sandbox *sandbox, struct err *err)
{
	struct live_run live;

	status_read_live(run, sandbox->id, &live);
	for (size_t i = 0; i < live.n_groups; i++)
		if ((live.groups[i].controllers & 1U << CGROUP_FREEZER) != 0)
			cgroup_thaw_path(live.groups[i].path);
	if (records_is_id(live.run_id))
		await_run_end(run, live.run_id);
	return undo_run(run, live.run_id, sandbox, err);
}

/* On a disk that is full the next who looks finds the same again; removing it needs no room. */
static int write_settled(const struct sandbox *sandbox, const struct last_run *last,
			 struct err *err)
{
	int r = status_write_last(sandbox, last);

	if (r == 0 || r == -ENOSPC || r == -EDQUOT)
		return 0;
	return err_set(err, ERR_SETUP, -r, "sandbox %s: write its state", sandbox->id);
}

/* What the keeper wrote of the processes that are gone. */
static int forget_live(const char *run, const struct sandbox *sandbox, struct err *err)
{
	static const char *const files[] = {"live", "paused", "updating"};
	_cleanup_fd_ int dir_fd = status_open_below(run, sandbox->id);
	int r = dir_fd == -ENOENT ? 0 : dir_fd;

	for (size_t i = 0; dir_fd >= 0 && i < sizeof(files) / sizeof(files[0]); i++)
		if (unlinkat(dir_fd, files[i], 0) != 0 && errno != ENOENT)
			r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/sandboxes/%s", run, sandbox->id) : 0;
}

static void note_loss(const struct records *records, const struct sandbox *sandbox,
		      const struct last_run *last)
{
	const struct event_attribute attributes[] = {{"exitCode", "137"}, {"reason", last->kind}};

	events_note(records, sandbox, "die", attributes, 2);
}

int status_settle(const struct records *records, const struct sandbox *sandbox, struct err *err)
{
	struct sandbox_status status;
	const char *run;
	int r = status_read(records, sandbox, &status, err);

	if (r == 0 && !status.has_keeper) {
		r = records_sweep(sandbox->dir_fd);
		if (r < 0)
			err_set(err, ERR_SETUP, -r, "sandbox %s: remove what was half written",
				sandbox->id);
	}
	if (r < 0 || !status.is_lost) {
		status_release(&status);
		return r < 0 ? r : 0;
	}
	run = is_of_this_boot(&status.last) && status.last.run[0] != '\0' ? status.last.run
									  : records->run;
	r = status_clean_run(run, sandbox, err);
	status.last.is_running = false;
	status.last.finished_ms = record_now_ms();
	if (r == 0)
		r = fault_point("settle.gone", NULL);
	if (r == 0)
		r = write_settled(sandbox, &status.last, err);
	if (r == 0)
		note_loss(records, sandbox, &status.last);
	if (r == 0)
		r = fault_point("settle.written", NULL);
	if (r == 0)
		r = forget_live(run, sandbox, err);
	status_release(&status);
	return r < 0 ? r : 1;
}

/* ---- whether it is to run ---- */

static const char wanted_word[] = "running\n";

bool status_is_wanted(const struct sandbox *sandbox)
{
	char text[sizeof(wanted_word)];
	_cleanup_fd_ int fd =
		sys_openat(sandbox->dir_fd, "wanted",
			   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;

	return n == (ssize_t)strlen(wanted_word) && memcmp(text, wanted_word, (size_t)n) == 0;
}

static int forget_wanted(const struct sandbox *sandbox)
{
	int r = fault_point("write", "wanted");

	return r == 0 && unlinkat(sandbox->dir_fd, "wanted", 0) != 0 && errno != ENOENT ? -errno
											: r;
}

int status_want(const struct sandbox *sandbox, bool is_wanted, struct err *err)
{
	int r;

	if (status_is_wanted(sandbox) == is_wanted)
		return 0;
	/* Its keeper writes `state` into the same directory before the program starts, and flushes
	 * that. */
	r = is_wanted ? records_put(sandbox->dir_fd, "wanted", wanted_word, strlen(wanted_word),
				    sandbox->is_kept)
		      : forget_wanted(sandbox);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s: note what is wanted", sandbox->id)
		     : 0;
}

int status_flush_wanted(const struct sandbox *sandbox, struct err *err)
{
	return sandbox->is_kept && fsync(sandbox->dir_fd) != 0
		       ? err_set(err, ERR_SETUP, errno, "sandbox %s: note what is wanted",
				 sandbox->id)
		       : 0;
}
