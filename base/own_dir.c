/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See own_dir.h. */
#include "base/own_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

int own_dir_open(int dirfd, const char *name, bool makes, const char *hint, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (makes && mkdirat(dirfd, name, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s: make the directory", name);
	fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s: open the directory", name);
	if (fstat(fd, &st) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: stat", name);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		err_set(err, ERR_SETUP, 0, "%s: belongs to uid %u with mode %o, not to you alone",
			name, st.st_uid, st.st_mode & 07777);
		return err_hint(err, "%s", hint);
	}
	return steal_fd(&fd);
}

int own_dir_make_parents(const char *path)
{
	char prefix[PATH_MAX];

	for (const char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		str_format(prefix, sizeof(prefix), "%.*s", (int)(p - path), path);
		if (mkdir(prefix, 0755) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int open_part(const char *state, const char *name, bool makes, struct err *err)
{
	static const char hint[] =
		"Set its owner and mode 0700, or name another place with --root DIR.";
	_cleanup_fd_ int state_fd = own_dir_open(AT_FDCWD, state, makes, hint, err);
	_cleanup_fd_ int fd = -EBADF;

	if (state_fd < 0)
		return state_fd;
	fd = own_dir_open(state_fd, name, makes, hint, err);
	if (fd < 0)
		return fd;
	/* What is in it outlives the boot, and so has to be found after it. */
	if (makes && fsync(state_fd) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: write to the disk", state);
	return steal_fd(&fd);
}

int own_dir_open_part(const char *state, const char *name, bool makes, char path[PATH_MAX],
		      struct err *err)
{
	size_t len = str_format(path, PATH_MAX, "%s/%s", state, name);
	_cleanup_fd_ int fd = -EBADF;
	char link[64];
	ssize_t n;
	int r;

	if (len == PATH_MAX - 1)
		return err_set(err, ERR_USAGE, ENAMETOOLONG, "%s", state);
	/* Mostly it is there, and nothing waits for the disk. */
	fd = open_part(state, name, false, err);
	if (fd == -ENOENT && makes) {
		r = own_dir_make_parents(state);
		fd = r < 0 ? err_set(err, ERR_SETUP, -r, "%s: make its parents", state)
			   : open_part(state, name, true, err);
	}
	if (fd < 0)
		return fd;
	str_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return err_set(err, ERR_SETUP, errno, "%s/%s", state, name);
	path[n] = '\0';
	return steal_fd(&fd);
}
