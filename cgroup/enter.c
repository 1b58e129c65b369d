/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that comes later into the groups of a sandbox. Runs in the process itself; the files
 * were opened by whoever started it, whose rights count (cgroup_procs_write_permission in
 * kernel/cgroup/cgroup.c, Linux 5.17). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/cgroup.h"

static int open_place(const struct cgroup_known *known, struct cgroup_place *ret)
{
	/* v1: a thread that moves itself by `tasks` does without the lock of all thread groups. */
	const char *file = known->version == CGROUP_V1 ? "tasks" : "cgroup.procs";

	*ret = (struct cgroup_place){.version = known->version,
				     .controllers = known->controllers,
				     .dir_fd = -EBADF,
				     .tasks_fd = -EBADF};
	str_format(ret->path, sizeof(ret->path), "%s", known->path);
	str_format(ret->self_path, sizeof(ret->self_path), "%s", known->self_path);
	ret->dir_fd = sys_openat(AT_FDCWD, known->path,
				 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (ret->dir_fd < 0)
		return ret->dir_fd;
	ret->tasks_fd = sys_openat(ret->dir_fd, file, O_WRONLY | O_CLOEXEC, 0);
	return ret->tasks_fd < 0 ? ret->tasks_fd : 0;
}

int cgroup_open(const struct cgroup_known *known, size_t n, struct cgroup *ret, struct err *err)
{
	struct cgroup group = {.oom_event_fd = -EBADF};

	for (size_t i = 0; i < n && i < CGROUP_HIERARCHIES_MAX; i++) {
		int r = open_place(&known[i], &group.places[group.n++]);

		if (r < 0) {
			err_set(err, ERR_SETUP, -r, "%s", known[i].path);
			cgroup_release(&group);
			return r;
		}
	}
	*ret = group;
	return 0;
}

/* "max" is more than any number. -1 where it cannot be read. */
static int64_t read_count(int dir_fd, const char *file)
{
	char text[32];
	uint64_t count = 0;

	if (io_read_text(dir_fd, file, text, sizeof(text)) < 0)
		return -1;
	io_chomp(text);
	if (str_equal(text, "max"))
		return INT64_MAX;
	return parse_u64(text, &count) == 0 && count < INT64_MAX ? (int64_t)count : -1;
}

/* fork(2) is refused by the limit, and a move into the group never is: it is counted, and that is
 * all (pids_can_attach in kernel/cgroup/pids.c). So whoever has come in looks, and goes away again
 * where it is one too many. */
static int check_pids(const struct cgroup_place *place, struct err *err)
{
	int64_t current, max;

	if ((place->controllers & 1U << CGROUP_PIDS) == 0)
		return 0;
	max = read_count(place->dir_fd, "pids.max");
	current = read_count(place->dir_fd, "pids.current");
	if (current < 0 || max < 0)
		return err_set(err, ERR_SETUP, 0, "%s: how many tasks it has cannot be read",
			       place->path);
	if (current <= max)
		return 0;
	err_set(err, ERR_SETUP, EAGAIN, "limits.pids: the sandbox has as many tasks as it may");
	return err_hint(err, "End something in it first.");
}

int cgroup_enter(const struct cgroup *group, struct err *err)
{
	for (size_t i = 0; i < group->n; i++) {
		int r = io_write_all(group->places[i].tasks_fd, "0", 1); /* the writer itself */

		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: join", group->places[i].path);
		r = check_pids(&group->places[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The numbers of a text, a line each. Returns how many, or -ENOMEM. */
static ssize_t read_numbers(FILE *file, pid_t **ret_pids)
{
	pid_t *pids = NULL;
	char line[32];
	ssize_t n = 0;

	while (fgets(line, sizeof(line), file) != NULL) {
		pid_t *grown = realloc(pids, ((size_t)n + 1) * sizeof(*pids));
		uint32_t pid;

		if (grown == NULL) {
			free(pids);
			return -ENOMEM;
		}
		pids = grown;
		io_chomp(line);
		if (parse_u32(line, &pid) == 0)
			pids[n++] = (pid_t)pid;
	}
	*ret_pids = pids;
	return n;
}

ssize_t cgroup_list(const struct cgroup *group, pid_t **ret_pids)
{
	_cleanup_fd_ int fd = -EBADF;
	FILE *file;
	ssize_t n;

	if (group->n == 0)
		return -ENOENT;
	fd = sys_openat(group->places[0].dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC, 0);
	file = fd < 0 ? NULL : fdopen(fd, "re");
	if (file == NULL)
		return fd < 0 ? fd : -errno;
	ignore_result(steal_fd(&fd), "the stream's");
	n = read_numbers(file, ret_pids);
	ignore_result(fclose(file), "read-only");
	return n;
}
