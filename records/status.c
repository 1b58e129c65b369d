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

enum { STAT_MAX = 1024, START_FIELD = 22, LOOKS_MAX = 8, RUN_END_MS = 3000, RUN_LOOK_MS = 5 };

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

/* ---- processes ---- */

static int64_t start_of(pid_t pid)
{
	char path[64], text[STAT_MAX], number[24];
	const char *at;
	uint64_t ticks;

	str_format(path, sizeof(path), "/proc/%d/stat", pid);
	if (io_read_text(AT_FDCWD, path, text, sizeof(text)) < 0)
		return -1;
	/* Its name, the second field, may hold anything: what follows begins at the last ')'. */
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return -1;
	str_format(number, sizeof(number), "%.*s", (int)strcspn(at + 1, " "), at + 1);
	return parse_u64(number, &ticks) < 0 || ticks > INT64_MAX ? -1 : (int64_t)ticks;
}

struct process_mark process_mark_of(pid_t pid)
{
	struct process_mark mark = {.pid = pid, .start_ticks = start_of(pid)};

	return mark.start_ticks >= 0 ? mark : (struct process_mark){0};
}

int process_open(const struct process_mark *mark)
{
	_cleanup_fd_ int fd = mark->pid > 0 ? sys_pidfd_open(mark->pid, 0) : -ESRCH;

	if (fd < 0)
		return fd;
	/* Looked at with the descriptor in hand: the number cannot go to another meanwhile. */
	return start_of(mark->pid) == mark->start_ticks ? steal_fd(&fd) : -ESRCH;
}

/* ---- texts ---- */

static void put_mark(struct fields_writer *writer, const char *key, const struct process_mark *mark)
{
	char text[64];

	str_format(text, sizeof(text), "%d %lld", mark->pid, (long long)mark->start_ticks);
	fields_put(writer, key, text);
}

static struct process_mark read_mark(const struct fields *fields, const char *key)
{
	const char *text = fields_text(fields, key);
	size_t len = strcspn(text, " ");
	char number[16];
	uint32_t pid;
	uint64_t ticks;

	str_format(number, sizeof(number), "%.*s", (int)len, text);
	if (text[len] != ' ' || parse_u32(number, &pid) < 0 || pid > INT32_MAX ||
	    parse_u64(text + len + 1, &ticks) < 0 || ticks > INT64_MAX)
		return (struct process_mark){0};
	return (struct process_mark){.pid = (pid_t)pid, .start_ticks = (int64_t)ticks};
}

static void put_known(struct fields_writer *writer, const char *key, int64_t value)
{
	if (value != RESULT_NONE)
		fields_put_number(writer, key, value);
}

int status_write_last(const struct sandbox *sandbox, const struct last_run *last)
{
	struct fields_writer writer = {0};
	int r;

	fields_begin(&writer, "state", STATUS_FORMAT);
	fields_put_number(&writer, "is_running", last->is_running);
	fields_put(&writer, "boot_id", last->boot_id);
	put_known(&writer, "started_ms", last->started_ms);
	put_known(&writer, "finished_ms", last->finished_ms);
	put_known(&writer, "restarts", last->restarts);
	put_known(&writer, "exit_code", last->exit_code);
	if (last->is_output_lost)
		fields_put_number(&writer, "is_output_lost", 1);
	fields_put(&writer, "kind", last->kind);
	fields_put(&writer, "text", last->text);
	fields_put(&writer, "result", last->result != NULL ? last->result : "");
	r = fields_finish(&writer);
	if (r == 0)
		r = records_write(sandbox->dir_fd, "state", writer.text, writer.len,
				  sandbox->is_kept);
	free(writer.text);
	return r;
}

static int read_last(const struct records *records, const struct sandbox *sandbox,
		     struct last_run *ret, struct err *err)
{
	char path[RECORDS_PATH_MAX + 16];
	struct fields fields;
	size_t len;
	int r;

	*ret = (struct last_run){.started_ms = RESULT_NONE,
				 .finished_ms = RESULT_NONE,
				 .exit_code = RESULT_NONE};
	records_path(records, sandbox->id, sandbox->is_kept, path, sizeof(path));
	len = strlen(path);
	str_format(path + len, sizeof(path) - len, "/state");
	r = fields_read(sandbox->dir_fd, "state", "state", STATUS_FORMAT, path, &fields, err);
	if (r == -ENOENT)
		return 0; /* never started */
	if (r < 0)
		return r;
	ret->is_running = fields_number(&fields, "is_running", 0) != 0;
	str_format(ret->boot_id, sizeof(ret->boot_id), "%s", fields_text(&fields, "boot_id"));
	ret->started_ms = fields_number(&fields, "started_ms", RESULT_NONE);
	ret->finished_ms = fields_number(&fields, "finished_ms", RESULT_NONE);
	ret->restarts = fields_number(&fields, "restarts", 0);
	ret->exit_code = fields_number(&fields, "exit_code", RESULT_NONE);
	ret->is_output_lost = fields_number(&fields, "is_output_lost", 0) != 0;
	str_format(ret->kind, sizeof(ret->kind), "%s", fields_text(&fields, "kind"));
	str_format(ret->text, sizeof(ret->text), "%s", fields_text(&fields, "text"));
	ret->result = strdup(fields_text(&fields, "result"));
	fields_free(&fields);
	return ret->result != NULL ? 0 : err_set(err, ERR_SETUP, ENOMEM, "%s", path);
}

int status_write_live(const struct records *records, const char *id, const struct live_run *live)
{
	_cleanup_fd_ int dir_fd = sys_openat(records->live_fd, id, RECORDS_DIR_FLAGS, 0);
	struct fields_writer writer = {0};
	int r;

	if (dir_fd < 0)
		return dir_fd;
	fields_begin(&writer, "live", STATUS_FORMAT);
	put_mark(&writer, "keeper", &live->keeper);
	put_mark(&writer, "workload", &live->workload);
	put_mark(&writer, "init", &live->init);
	fields_put(&writer, "run_id", live->run_id);
	put_known(&writer, "started_ms", live->started_ms);
	put_known(&writer, "next_start_ms", live->next_start_ms);
	put_mark(&writer, "launcher", &live->launcher);
	fields_put_number(&writer, "nproc_limit",
			  live->nproc_limit > INT64_MAX ? -1 : (int64_t)live->nproc_limit);
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		fields_put_number(&writer, "namespace_fd", live->namespace_fds[i]);
	put_known(&writer, "restarts", live->restarts);
	put_known(&writer, "last_exit_code", live->last_exit_code);
	put_known(&writer, "last_finished_ms", live->last_finished_ms);
	put_known(&writer, "stop_grace_ms", live->stop_grace_ms);
	for (size_t i = 0; i < live->n_groups; i++) {
		fields_put(&writer, "group", live->groups[i].path);
		fields_put(&writer, "group_self", live->groups[i].self_path);
		fields_put_number(&writer, "group_version", live->groups[i].version);
		fields_put_number(&writer, "group_controllers", live->groups[i].controllers);
	}
	r = fields_finish(&writer);
	if (r == 0)
		r = records_write(dir_fd, "live", writer.text, writer.len, false);
	free(writer.text);
	return r;
}

static void read_group(struct live_run *ret, const struct field *field)
{
	struct cgroup_known *group;
	uint32_t number = 0;

	if (str_equal(field->key, "group") && ret->n_groups < CGROUP_HIERARCHIES_MAX) {
		group = &ret->groups[ret->n_groups++];
		*group = (struct cgroup_known){.version = CGROUP_V2};
		str_format(group->path, sizeof(group->path), "%s", field->value);
		return;
	}
	if (ret->n_groups == 0)
		return;
	group = &ret->groups[ret->n_groups - 1];
	if (str_equal(field->key, "group_self"))
		str_format(group->self_path, sizeof(group->self_path), "%s", field->value);
	if (parse_u32(field->value, &number) < 0)
		return;
	if (str_equal(field->key, "group_version"))
		group->version = number == 1 ? CGROUP_V1 : CGROUP_V2;
	if (str_equal(field->key, "group_controllers"))
		group->controllers = number;
}

static void read_namespaces(struct live_run *ret, const struct fields *fields)
{
	size_t n = 0;

	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		ret->namespace_fds[i] = -EBADF;
	for (size_t i = 0; i < fields->n && n < FACTS_NAMESPACES; i++) {
		uint32_t fd;

		if (!str_equal(fields->list[i].key, "namespace_fd"))
			continue;
		if (parse_u32(fields->list[i].value, &fd) == 0 && fd <= INT32_MAX)
			ret->namespace_fds[n] = (int)fd;
		n++;
	}
}

/* The keeper writes it first of all: without it there is nothing to see yet. */
static void read_live(const struct records *records, const char *id, struct live_run *ret)
{
	_cleanup_fd_ int dir_fd = sys_openat(records->live_fd, id, RECORDS_DIR_FLAGS, 0);
	struct fields fields;
	struct err err;

	*ret = (struct live_run){.started_ms = RESULT_NONE,
				 .next_start_ms = RESULT_NONE,
				 .last_exit_code = RESULT_NONE,
				 .last_finished_ms = RESULT_NONE};
	if (dir_fd < 0 ||
	    fields_read(dir_fd, "live", "live", STATUS_FORMAT, "live", &fields, &err) < 0)
		return;
	ret->keeper = read_mark(&fields, "keeper");
	ret->workload = read_mark(&fields, "workload");
	ret->init = read_mark(&fields, "init");
	ret->launcher = read_mark(&fields, "launcher");
	ret->nproc_limit = (uint64_t)fields_number(&fields, "nproc_limit", 0);
	read_namespaces(ret, &fields);
	str_format(ret->run_id, sizeof(ret->run_id), "%s", fields_text(&fields, "run_id"));
	ret->started_ms = fields_number(&fields, "started_ms", RESULT_NONE);
	ret->next_start_ms = fields_number(&fields, "next_start_ms", RESULT_NONE);
	ret->restarts = fields_number(&fields, "restarts", 0);
	ret->last_exit_code = fields_number(&fields, "last_exit_code", RESULT_NONE);
	ret->last_finished_ms = fields_number(&fields, "last_finished_ms", RESULT_NONE);
	ret->stop_grace_ms = fields_number(&fields, "stop_grace_ms", 0);
	for (size_t i = 0; i < fields.n; i++)
		read_group(ret, &fields.list[i]);
	fields_free(&fields);
}

/* ---- the whole ---- */

bool records_is_alive(const struct records *records, const char *id)
{
	char path[RUN_ID_LEN + 16];
	_cleanup_fd_ int fd = -EBADF;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (records->live_fd < 0)
		return false;
	str_format(path, sizeof(path), "%s/lock", id);
	fd = sys_openat(records->live_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	/* Asked, and not tried: a lock that were taken for a moment would be in a keeper's way.
	 * What cannot be asked is alive. */
	if (fd < 0)
		return fd != -ENOENT;
	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

bool records_is_running(const struct records *records, const struct sandbox *sandbox)
{
	return records_is_alive(records, sandbox->id);
}

int status_mark_paused(const struct records *records, const struct sandbox *sandbox, bool is_paused,
		       struct err *err)
{
	char path[RUN_ID_LEN + 16];
	_cleanup_fd_ int fd = -EBADF;

	str_format(path, sizeof(path), "%s/paused", sandbox->id);
	if (is_paused)
		fd = sys_openat(records->live_fd, path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				0600);
	else
		fd = unlinkat(records->live_fd, path, 0) == 0 || errno == ENOENT ? 0 : -errno;
	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s/sandboxes/%s", records->run, path);
	if (!is_paused)
		steal_fd(&fd);
	return 0;
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

bool records_wait_ended(const struct records *records, const struct sandbox *sandbox)
{
	enum { LOOKS = 5000, LOOK_MS = 1 };

	for (int look = 0; look < LOOKS; look++) {
		if (!records_is_alive(records, sandbox->id))
			return true;
		poll(NULL, 0, LOOK_MS);
	}
	return false;
}

void status_boot_id(char buf[40])
{
	if (io_read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", buf, 40) < 0)
		buf[0] = '\0';
	io_chomp(buf);
}

/* The end that nobody wrote down. */
static void tell_loss(struct sandbox_status *status)
{
	struct last_run *last = &status->last;
	char boot_id[40];

	status_boot_id(boot_id);
	status->is_lost = true;
	last->exit_code = 137;
	if (str_equal(boot_id, last->boot_id)) {
		str_format(last->kind, sizeof(last->kind), "keeper_lost");
		str_format(last->text, sizeof(last->text),
			   "its keeper was killed, and the sandbox with it");
	} else {
		str_format(last->kind, sizeof(last->kind), "power_lost");
		str_format(last->text, sizeof(last->text), "the machine went down while it ran");
	}
}

static enum sandbox_state state_alive(const struct records *records, const struct sandbox *sandbox,
				      const struct live_run *live)
{
	char path[RUN_ID_LEN + 16];

	str_format(path, sizeof(path), "%s/paused", sandbox->id);
	if (live->next_start_ms != RESULT_NONE)
		return SANDBOX_RESTARTING;
	if (live->workload.pid == 0)
		return SANDBOX_STARTING;
	return faccessat(records->live_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? SANDBOX_PAUSED
										 : SANDBOX_RUNNING;
}

/* One look. Returns 1 where what was seen does not fit together: a keeper came or went meanwhile.
 */
static int look(const struct records *records, const struct sandbox *sandbox,
		struct sandbox_status *ret, struct err *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->has_keeper = records_is_alive(records, sandbox->id);
	r = read_last(records, sandbox, &ret->last, err);
	if (r < 0)
		return r;
	if (ret->has_keeper)
		read_live(records, sandbox->id, &ret->live);
	/* It may just have begun, or be about to go: then the state says more. */
	if (ret->has_keeper && (ret->live.keeper.pid != 0 || ret->last.is_running)) {
		ret->state = state_alive(records, sandbox, &ret->live);
		ret->last.restarts = ret->live.restarts;
		return ret->live.keeper.pid == 0;
	}
	ret->state = ret->last.started_ms == RESULT_NONE ? SANDBOX_CREATED : SANDBOX_EXITED;
	return ret->last.is_running && records_is_alive(records, sandbox->id);
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
	if (!ret->has_keeper && ret->last.is_running)
		tell_loss(ret);
	return 0;
}

void status_release(struct sandbox_status *status)
{
	free(status->last.result);
	status->last.result = NULL;
}

/* The init of a run holds its journal's lock until it is gone (launcher/init.c). */
static void await_run_end(const struct records *records, const char *run_id)
{
	char path[RECORDS_PATH_MAX];

	if (!records_is_id(run_id))
		return;
	str_format(path, sizeof(path), "%s/runs/%s/journal", records->run, run_id);
	for (int waited = 0; waited < RUN_END_MS; waited += RUN_LOOK_MS) {
		_cleanup_fd_ int fd =
			sys_openat(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);

		if (fd < 0 || state_lock(fd, LOCK_EX | LOCK_NB) == 0)
			return;
		poll(NULL, 0, RUN_LOOK_MS);
	}
}

int status_clean_run(const struct records *records, const char *id, struct err *err)
{
	struct gc_report report;
	struct state_root root;
	struct live_run live;
	int r;

	read_live(records, id, &live);
	for (size_t i = 0; i < live.n_groups; i++)
		if ((live.groups[i].controllers & 1U << CGROUP_FREEZER) != 0)
			cgroup_thaw_path(live.groups[i].path);
	await_run_end(records, live.run_id);
	/* What it made on the host is in its journal. */
	r = state_root_open(records->run, &root, err);
	if (r < 0)
		return r;
	r = state_gc(&root, &report, err);
	state_root_release(&root);
	return r;
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
static int forget_live(const struct records *records, const char *id, struct err *err)
{
	static const char *const files[] = {"live", "paused"};
	_cleanup_fd_ int dir_fd = -EBADF;
	int r = 0;

	if (records->live_fd < 0)
		return 0;
	dir_fd = sys_openat(records->live_fd, id, RECORDS_DIR_FLAGS, 0);
	if (dir_fd < 0 && dir_fd != -ENOENT)
		r = dir_fd;
	for (size_t i = 0; dir_fd >= 0 && i < sizeof(files) / sizeof(files[0]); i++)
		if (unlinkat(dir_fd, files[i], 0) != 0 && errno != ENOENT)
			r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/sandboxes/%s", records->run, id) : 0;
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
	r = status_clean_run(records, sandbox->id, err);
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
		r = forget_live(records, sandbox->id, err);
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

int status_want(const struct sandbox *sandbox, bool is_wanted, struct err *err)
{
	const char *word = is_wanted ? wanted_word : "stopped\n";
	int r;

	if (status_is_wanted(sandbox) == is_wanted)
		return 0;
	r = records_write(sandbox->dir_fd, "wanted", word, strlen(word), sandbox->is_kept);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "sandbox %s: note what is wanted", sandbox->id)
		     : 0;
}
