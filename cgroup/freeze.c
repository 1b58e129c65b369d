/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freezing. v1 has a hierarchy for it, whose frozen tasks outlive SIGKILL until they are thawed: so
 * whatever kills or removes a group thaws it. v2 has a file in every group, and what is frozen dies
 * as ever. Runs in commands and in the keeper.
 *
 * Sources: cgroup-v1/freezer-subsystem.rst; cgroup-v2.rst, "cgroup.freeze"; kernel/signal.c,
 * get_signal (JOBCTL_TRAP_FREEZE comes behind SIGKILL) of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/table.h"

enum {
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	PAUSE_NS = 2000000,
	PAUSE_MS = PAUSE_NS / 1000000,
	TEXT_MAX_BYTES = 256,
};

static int write_state(int dir_fd, enum cgroup_version version, bool freezes)
{
	if (version == CGROUP_V1)
		return io_write_text(dir_fd, "freezer.state", freezes ? "FROZEN" : "THAWED");
	return io_write_text(dir_fd, "cgroup.freeze", freezes ? "1" : "0");
}

/* 1 where all of it is frozen, 0 where not, or on the way. */
static int read_state(int dir_fd, enum cgroup_version version)
{
	char text[TEXT_MAX_BYTES];
	const char *line;
	ssize_t n = io_read_text(dir_fd, version == CGROUP_V1 ? "freezer.state" : "cgroup.events",
				 text, sizeof(text));

	if (n < 0)
		return (int)n;
	if (version == CGROUP_V1)
		return str_has_prefix(text, "FROZEN");
	line = strstr(text, "frozen ");
	return line != NULL && line[strlen("frozen ")] == '1';
}

int cgroup_freeze(const char *path, enum cgroup_version version, bool freezes, struct err *err)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	_cleanup_fd_ int dir_fd = sys_openat(AT_FDCWD, path, DIR_FLAGS, 0);
	int is_frozen = !freezes;
	int r = dir_fd < 0 ? dir_fd : 0;

	for (int waited = 0; r == 0 && waited < CGROUP_FREEZE_MS; waited += PAUSE_MS) {
		/* Again each time: v1 leaves out what was forked while it froze. */
		r = write_state(dir_fd, version, freezes);
		is_frozen = r == 0 ? read_state(dir_fd, version) : r;
		if (is_frozen < 0 || (is_frozen != 0) == freezes)
			break;
		nanosleep(&pause, NULL);
	}
	if (is_frozen < 0)
		r = is_frozen;
	if (r == 0 && (is_frozen != 0) == freezes)
		return 0;
	if (freezes && dir_fd >= 0)
		ignore_result(write_state(dir_fd, version, false), "as it was, where it can be");
	return err_set(err, ERR_SETUP, r < 0 ? -r : ETIMEDOUT, "%s: %s", path,
		       freezes ? "freeze" : "let go on");
}

bool cgroup_is_frozen(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++)
		if ((group->places[i].controllers & 1U << CGROUP_FREEZER) != 0)
			return read_state(group->places[i].dir_fd, group->places[i].version) == 1;
	return false;
}

void cgroup_thaw(const struct cgroup *group)
{
	for (size_t i = 0; i < group->n; i++)
		if ((group->places[i].controllers & 1U << CGROUP_FREEZER) != 0)
			ignore_result(write_state(group->places[i].dir_fd, group->places[i].version,
						  false),
				      "the removal of the group says what is left in it");
}

void cgroup_thaw_path(const char *path)
{
	const char *name = strrchr(path, '/');
	_cleanup_fd_ int dir_fd = -EBADF;

	if (name == NULL || !str_has_prefix(name, "/cordon-"))
		return;
	dir_fd = sys_openat(AT_FDCWD, path, DIR_FLAGS, 0);
	if (dir_fd < 0)
		return;
	/* v2 needs no such thing: what is frozen there dies. */
	ignore_result(write_state(dir_fd, CGROUP_V1, false), "no group of the freezer's");
}
