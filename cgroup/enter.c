/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that comes later into the groups of a sandbox. Runs in the process itself; the files
 * were opened by whoever started it, whose rights count (cgroup_procs_write_permission in
 * kernel/cgroup/cgroup.c, Linux 5.17). */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
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

int cgroup_enter(const struct cgroup *group, struct err *err)
{
	for (size_t i = 0; i < group->n; i++) {
		int r = io_write_all(group->places[i].tasks_fd, "0", 1); /* the writer itself */

		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: join", group->places[i].path);
	}
	return 0;
}
