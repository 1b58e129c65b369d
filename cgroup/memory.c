/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens where a sandbox's memory is short: all of it ends. Runs in the keeper, while the
 * group is empty. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/table.h"

enum { TEXT_MAX_BYTES = 512 };

/* A sandbox that is short of memory ends as a whole: half of one gives wrong results. On v1 it is
 * the keeper that sees to it. */
static int end_as_a_whole(const struct cgroup_place *place, struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(place->dir_fd, "memory.oom.group", O_RDWR | O_CLOEXEC, 0);
	char text[16] = "";
	int r = fd < 0 ? fd : io_write_fd(fd, "1");

	if (r == 0)
		r = (int)io_read_fd(fd, text, sizeof(text));
	if (r < 0 || text[0] != '1')
		return err_set(err, ERR_SETUP, r < 0 ? -r : 0, "%s/memory.oom.group: set to 1",
			       place->path);
	return 0;
}

/* v1: a group takes over from the one above that nothing is killed where memory is short: what asks
 * for it is stopped then, for good. Written only where it is so: the kernel calls it outdated. */
static int let_kernel_kill(const struct cgroup_place *place, int control, struct err *err)
{
	static const char wanted[] = "oom_kill_disable 0\n";
	char text[TEXT_MAX_BYTES];
	ssize_t n = io_read_fd(control, text, sizeof(text));

	if (n >= 0 && !str_has_prefix(text, wanted)) {
		n = io_write_text(place->dir_fd, "memory.oom_control", "0");
		if (n == 0)
			n = io_read_fd(control, text, sizeof(text));
	}
	if (n < 0 || !str_has_prefix(text, wanted))
		return err_set(err, ERR_SETUP, n < 0 ? (int)-n : 0,
			       "%s/memory.oom_control: set to 0", place->path);
	return 0;
}

/* v1 tells of a lack of memory through an eventfd, which is also readable once the group is gone:
 * what happened is read from memory.oom_control (cgroup-v1/memory.rst, 10). */
static int watch_memory(struct cgroup *group, const struct cgroup_place *place, int control,
			struct err *err)
{
	_cleanup_fd_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[64];
	int r = event < 0 ? -errno : 0;

	str_format(text, sizeof(text), "%d %d", event, control);
	if (r == 0)
		r = io_write_text(place->dir_fd, "cgroup.event_control", text);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: watch memory", place->path);
	group->oom_event_fd = steal_fd(&event);
	return 0;
}

int cgroup_watch_memory(struct cgroup *group, const struct cgroup_place *place, struct err *err)
{
	_cleanup_fd_ int control = -EBADF;
	int r;

	if (place->version == CGROUP_V2)
		return end_as_a_whole(place, err);
	control = sys_openat(place->dir_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC, 0);
	if (control < 0)
		return err_set(err, ERR_SETUP, -control, "%s/memory.oom_control: open",
			       place->path);
	r = let_kernel_kill(place, control, err);
	return r == 0 ? watch_memory(group, place, control, err) : r;
}
