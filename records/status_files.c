/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two files that say what a sandbox does, and the marks of processes in them; see status.h. */
#include "records/status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "records/internal.h"
#include "records/keeper.h"
#include "records/status_files.h"

enum { STAT_MAX = 1024, START_FIELD = 22 };

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
	fields_put(&writer, "run", last->run);
	put_mark(&writer, "keeper", &last->keeper);
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

int status_read_last(const struct records *records, const struct sandbox *sandbox,
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
	str_format(ret->run, sizeof(ret->run), "%s", fields_text(&fields, "run"));
	ret->keeper = read_mark(&fields, "keeper");
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
	for (size_t i = 0; i < live->places.n; i++) {
		fields_put_number(&writer, "landlock_fd", live->places.list[i].fd);
		fields_put_number(&writer, "landlock_access", (int64_t)live->places.list[i].access);
	}
	if (live->upper_fd > 0)
		fields_put_number(&writer, "upper_fd", live->upper_fd);
	put_known(&writer, "restarts", live->restarts);
	put_known(&writer, "last_exit_code", live->last_exit_code);
	put_known(&writer, "last_finished_ms", live->last_finished_ms);
	if (live->helpers_lost[0] != '\0')
		fields_put(&writer, "helpers_lost", live->helpers_lost);
	put_known(&writer, "stop_grace_ms", live->stop_grace_ms);
	put_known(&writer, "end_ms", live->end_ms);
	put_known(&writer, "end_code", live->end_code);
	fields_put(&writer, "end_kind", live->end_kind);
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

/* What cannot be read, or is more than there can be, leaves none: nothing is started in it then. */
static void read_places(struct landlock_places *ret, const struct fields *fields)
{
	const struct field *list = fields->list;
	size_t n = 0;

	ret->n = 0;
	for (size_t i = 0; i < fields->n; i++) {
		uint32_t fd;
		uint64_t access;

		if (!str_equal(list[i].key, "landlock_fd"))
			continue;
		if (n == LANDLOCK_PLACES_MAX || i + 1 == fields->n ||
		    !str_equal(list[i + 1].key, "landlock_access") ||
		    parse_u32(list[i].value, &fd) < 0 || fd > INT32_MAX ||
		    parse_u64(list[i + 1].value, &access) < 0)
			return;
		ret->list[n++] = (struct landlock_place){.fd = (int)fd, .access = access};
	}
	ret->n = n;
}

int status_open_below(const char *run, const char *id)
{
	char path[RECORDS_PATH_MAX];
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	str_format(path, sizeof(path), "%s/sandboxes/%s", run, id);
	fd = sys_openat(AT_FDCWD, path, RECORDS_DIR_FLAGS, 0);
	if (fd < 0)
		return fd;
	/* One in /tmp may have been removed, and made anew by somebody else. */
	if (fstat(fd, &st) != 0)
		return -errno;
	return st.st_uid == geteuid() && (st.st_mode & 077) == 0 ? steal_fd(&fd) : -EPERM;
}

/* The keeper writes it first of all: without it there is nothing to see yet. */
void status_read_live(const char *run, const char *id, struct live_run *ret)
{
	_cleanup_fd_ int dir_fd = status_open_below(run, id);
	struct fields fields;
	struct err err;

	*ret = (struct live_run){.started_ms = RESULT_NONE,
				 .next_start_ms = RESULT_NONE,
				 .last_exit_code = RESULT_NONE,
				 .last_finished_ms = RESULT_NONE,
				 .end_ms = RESULT_NONE,
				 .end_code = RESULT_NONE};
	if (dir_fd < 0 ||
	    fields_read(dir_fd, "live", "live", STATUS_FORMAT, "live", &fields, &err) < 0)
		return;
	ret->keeper = read_mark(&fields, "keeper");
	ret->workload = read_mark(&fields, "workload");
	ret->init = read_mark(&fields, "init");
	ret->launcher = read_mark(&fields, "launcher");
	ret->nproc_limit = (uint64_t)fields_number(&fields, "nproc_limit", 0);
	read_namespaces(ret, &fields);
	read_places(&ret->places, &fields);
	ret->upper_fd = (int)fields_number(&fields, "upper_fd", -EBADF);
	str_format(ret->run_id, sizeof(ret->run_id), "%s", fields_text(&fields, "run_id"));
	ret->started_ms = fields_number(&fields, "started_ms", RESULT_NONE);
	ret->next_start_ms = fields_number(&fields, "next_start_ms", RESULT_NONE);
	ret->restarts = fields_number(&fields, "restarts", 0);
	ret->last_exit_code = fields_number(&fields, "last_exit_code", RESULT_NONE);
	ret->last_finished_ms = fields_number(&fields, "last_finished_ms", RESULT_NONE);
	str_format(ret->helpers_lost, sizeof(ret->helpers_lost), "%s",
		   fields_text(&fields, "helpers_lost"));
	ret->stop_grace_ms = fields_number(&fields, "stop_grace_ms", 0);
	ret->end_ms = fields_number(&fields, "end_ms", RESULT_NONE);
	ret->end_code = fields_number(&fields, "end_code", RESULT_NONE);
	str_format(ret->end_kind, sizeof(ret->end_kind), "%s", fields_text(&fields, "end_kind"));
	for (size_t i = 0; i < fields.n; i++)
		read_group(ret, &fields.list[i]);
	fields_free(&fields);
}

/* ---- ending a keeper (keeper.h) ---- */

int keeper_stop(const struct live_run *live, int64_t grace_ms, uint32_t signo)
{
	_cleanup_fd_ int pidfd = process_open(&live->keeper);
	int r;

	if (pidfd < 0)
		return pidfd;
	if (grace_ms > INT32_MAX)
		grace_ms = INT32_MAX;
	r = sys_pidfd_send_value(pidfd, SIGTERM,
				 (uint64_t)signo << 32 | (uint32_t)(int32_t)grace_ms);
	return r < 0 ? r : steal_fd(&pidfd);
}
