/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes into the store, each in one step; see store.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"

bool store_is_hex(const char *text)
{
	return strlen(text) == STORE_HEX_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == STORE_HEX_SIZE - 1;
}

bool store_has(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int write_file(int dirfd, const char *name, const void *data, size_t len)
{
	int fd = sys_openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			    0600);
	int r = fd < 0 ? fd : io_write_all(fd, data, len);

	if (r == 0)
		return fd;
	close_fd(&fd);
	return r;
}

int store_write_file(int dirfd, const char *name, const void *data, size_t len, struct err *err)
{
	_cleanup_fd_ int fd = write_file(dirfd, name, data, len);

	return fd < 0 ? err_set(err, ERR_SETUP, -fd, "%s: write", name) : 0;
}

int store_write_synced(int dirfd, const char *name, const void *data, size_t len)
{
	_cleanup_fd_ int fd = write_file(dirfd, name, data, len);

	return fd >= 0 && fsync(fd) != 0 ? -errno : fd < 0 ? fd : 0;
}

int store_put(struct store_work *work, int to_dir, const char *name, const void *data, size_t len)
{
	int r = store_write_synced(work->fd, "put", data, len);

	if (r < 0)
		return r;
	store_step("put");
	if (renameat(work->fd, "put", to_dir, name) != 0 || fsync(to_dir) != 0)
		return -errno;
	return 0;
}

int store_commit_layer(struct store *store, struct store_work *work, const char *name,
		       const char *hex, struct err *err)
{
	_cleanup_fd_ int dir =
		sys_openat(work->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

	if (dir < 0)
		return err_set(err, ERR_SETUP, -dir, "%s: open", name);
	/* The whole file system: thousands of files one by one take far longer. */
	if (syncfs(dir) != 0)
		return err_set(err, ERR_SETUP, errno, "layer %s: write to the disk", hex);
	store_step("layer-synced");
	if (renameat2(work->fd, name, store->layers_fd, hex, RENAME_NOREPLACE) != 0 &&
	    errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "layer %s: put in place", hex);
	store_step("layer-renamed");
	if (fsync(store->layers_fd) != 0)
		return err_set(err, ERR_SETUP, errno, "layer %s: write to the disk", hex);
	return 0;
}
