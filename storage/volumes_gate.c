/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes that are copied as they stand; see volume.h. Source: proc(5), "/proc/locks". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/volume.h"
#include "storage/volumes.h"

enum { INFO_MAX = 4096, CONFIRM_TRIES = 40 };

/* "FLOCK ADVISORY READ PID MAJOR:MINOR:INODE 0 EOF", of /proc/locks and of a descriptor's lock
 * alike: the place, with a blank on either side. */
static bool find_place(const char *line, char *buf, size_t size)
{
	const char *at = strstr(line, "FLOCK ");

	for (int word = 0; at != NULL && word < 4; word++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + strspn(at, " ") : NULL;
	}
	if (at == NULL)
		return false;
	return str_format(buf, size, " %.*s ", (int)strcspn(at, " "), at) < size - 1;
}

/* How many others have that lock: the kernel's own count, whatever kind of device it is. -ESRCH:
 * our own is not in it, so it is not the count of this host. */
static int count_others(int fd, size_t *ret)
{
	char path[64], text[INFO_MAX], place[128];
	_cleanup_free_ char *line = NULL;
	size_t size = 0, n = 0;
	ssize_t len;
	FILE *locks;

	str_format(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	len = io_read_text(AT_FDCWD, path, text, sizeof(text));
	if (len < 0)
		return (int)len;
	if (!find_place(text, place, sizeof(place)))
		return -ESRCH;
	locks = fopen("/proc/locks", "re");
	if (locks == NULL)
		return -errno;
	while (getline(&line, &size, locks) >= 0)
		/* "->": somebody waits. */
		n += strstr(line, "FLOCK ") != NULL && strstr(line, "->") == NULL &&
		     strstr(line, place) != NULL;
	fclose(locks);
	if (n == 0)
		return -ESRCH;
	*ret = n - 1;
	return 0;
}

/* Of a holder in another pid namespace the list says nothing: where it has nobody, the lock itself
 * is asked. Needs: the record's, for which new holders wait. -ESRCH: there is one. */
static int confirm_nobody(int fd)
{
	const struct timespec moment = {.tv_nsec = 5000000};
	int r = -EWOULDBLOCK;

	/* Whoever looks has it for a moment. */
	for (int i = 0; r == -EWOULDBLOCK && i < CONFIRM_TRIES; i++) {
		if (i > 0)
			nanosleep(&moment, NULL);
		r = volumes_flock(fd, LOCK_EX | LOCK_NB);
	}
	if (r == 0)
		r = volumes_flock(fd, LOCK_SH);
	return r == -EWOULDBLOCK ? -ESRCH : r;
}

int volumes_close_gate(const struct volumes *volumes, const char *name, struct volume_gate *ret,
		       struct err *err)
{
	struct volume_gate gate = {.record_fd = -EBADF, .dir_fd = -EBADF};
	int r;

	if (volumes->fd < 0 || !volume_is_name(name))
		return -ENOENT;
	do {
		volumes_open_gate(&gate);
		gate.dir_fd = sys_openat(volumes->fd, name, VOLUMES_DIR_FLAGS, 0);
		if (gate.dir_fd == -ENOENT)
			return -ENOENT;
		r = gate.dir_fd < 0 ? gate.dir_fd : volumes_lock_record(gate.dir_fd, LOCK_EX);
		gate.record_fd = r;
		if (r >= 0)
			r = volumes_flock(gate.dir_fd, LOCK_SH);
	} while ((r >= 0 || r == -ENOENT) && !volumes_is_still(volumes, name, gate.dir_fd));
	if (r >= 0)
		r = count_others(gate.dir_fd, &gate.n_holders);
	if (r >= 0 && gate.n_holders == 0)
		r = confirm_nobody(gate.dir_fd);
	if (r < 0) {
		volumes_open_gate(&gate);
		err_set(err, ERR_SETUP, -r, "%s/%s: see who uses it", volumes->path, name);
		return r != -ESRCH ? r
				   : err_hint(err, "Type it where the sandboxes were started: the "
						   "kernel shows who has a lock within one pid "
						   "namespace alone (/proc/locks).");
	}
	*ret = gate;
	return 0;
}

/* Others may have the same open files: whoever lets the sandboxes go on. */
void volumes_open_gate(struct volume_gate *gate)
{
	if (gate->dir_fd >= 0)
		ignore_result(flock(gate->dir_fd, LOCK_UN), "their end does it");
	if (gate->record_fd >= 0)
		ignore_result(flock(gate->record_fd, LOCK_UN), "likewise");
	close_fd(&gate->dir_fd);
	close_fd(&gate->record_fd);
}
