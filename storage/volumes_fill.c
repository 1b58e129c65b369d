/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a volume gets from an image while it is empty; see volume.h. Whoever copies has the only
 * lock of the volume, exclusive, and a mark is on the disk before the first file is: so a volume
 * that has the mark and can be locked is one whose copying was cut off, and nobody uses it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"
#include "storage/volume.h"
#include "storage/volumes.h"

int volumes_is_empty(int data_fd, bool *ret)
{
	int copy = sys_openat(data_fd, ".", VOLUMES_DIR_FLAGS, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int r = 0;

	if (dir == NULL) {
		r = copy < 0 ? copy : -ENOMEM;
		close_fd(&copy);
		return r;
	}
	*ret = true;
	while (*ret && (errno = 0, entry = readdir(dir)) != NULL)
		*ret = str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..");
	if (*ret && errno != 0)
		r = -errno;
	closedir(dir);
	return r;
}

static bool has_mark(int dir_fd)
{
	/* What cannot be told is taken for one. */
	return faccessat(dir_fd, VOLUME_FILLING, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static int put_mark(int dir_fd)
{
	_cleanup_fd_ int fd = sys_openat(dir_fd, VOLUME_FILLING,
					 O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return fd;
	return fsync(dir_fd) != 0 ? -errno : 0;
}

static int remove_mark(int dir_fd)
{
	if (unlinkat(dir_fd, VOLUME_FILLING, 0) != 0 && errno != ENOENT)
		return -errno;
	return fsync(dir_fd) != 0 ? -errno : 0;
}

/* As it was when it was made. */
static int empty(int data_fd)
{
	struct store_names names = {0};
	int r = store_names_read(data_fd, true, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = store_remove_tree(data_fd, names.list[i]);
	store_names_release(&names);
	return r == 0 ? volumes_reset_data(data_fd) : r;
}

/* With the only lock. */
static int begin(const struct volume_hold *hold, bool wants, bool *ret_is_filling)
{
	const int dir_fd = hold->dir_fd;
	int r = has_mark(dir_fd) ? empty(hold->data_fd) : 0;

	if (r == 0)
		r = wants ? put_mark(dir_fd) : remove_mark(dir_fd);
	if (r == 0 && !wants)
		r = volumes_flock(dir_fd, LOCK_SH);
	if (r == 0)
		*ret_is_filling = wants;
	return r;
}

static int decide(const struct volumes *volumes, const struct volume_hold *hold, bool wants,
		  bool *ret_is_filling, struct err *err)
{
	bool is_empty = false;
	int r = volumes_is_empty(hold->data_fd, &is_empty);

	*ret_is_filling = false;
	if (r == 0 && !has_mark(hold->dir_fd) && !(wants && is_empty))
		return 0;
	if (r == 0) {
		/* The kernel gives the shared lock up before it takes this one. */
		r = volumes_flock(hold->dir_fd, LOCK_EX | LOCK_NB);
		if (r == -EWOULDBLOCK) {
			/* Waits for whoever copies. One who just uses it may write: then it is his,
			 * empty as it is. */
			r = volumes_flock(hold->dir_fd, LOCK_SH);
			if (r == 0 && (has_mark(hold->dir_fd) ||
				       !volumes_is_still(volumes, hold->volume.name, hold->dir_fd)))
				r = -EAGAIN;
			return r < 0 && r != -EAGAIN ? err_set(err, ERR_SETUP, -r, "lock") : r;
		}
	}
	if (r == 0 && !volumes_is_still(volumes, hold->volume.name, hold->dir_fd))
		return -EAGAIN;
	if (r == 0)
		r = begin(hold, wants, ret_is_filling);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "begin to copy into it") : 0;
}

int volumes_fill_begin(const struct volumes *volumes, struct volume_hold *hold, bool wants,
		       bool *ret_is_filling, struct err *err)
{
	int r = decide(volumes, hold, wants, ret_is_filling, err);

	close_fd(&hold->begin_fd);
	return r;
}

int volumes_fill_end(const struct volume_hold *hold, struct err *err)
{
	bool is_empty = false;
	int r = volumes_is_empty(hold->data_fd, &is_empty);

	/* Without the mark all of it is there, after a loss of power as well. */
	if (r == 0 && !is_empty && syncfs(hold->data_fd) != 0)
		r = -errno;
	volumes_step("copied");
	if (r == 0)
		r = remove_mark(hold->dir_fd);
	if (r == 0)
		r = volumes_flock(hold->dir_fd, LOCK_SH);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "write what was copied into it to the disk") : 0;
}
