/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See program.h. Runs in the front door, and in the keeper, as the caller. */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

static bool is_trusted(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int open_in(const char *dir, const char *name)
{
	_cleanup_fd_ int dir_fd = sys_openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (dir_fd < 0)
		return dir_fd;
	fd = sys_openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	if (!is_trusted(dir_fd) || !is_trusted(fd) || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (st.st_mode & S_IXUSR) == 0)
		return -EPERM;
	return steal_fd(&fd);
}

int program_open(const char *name)
{
	static const char *const places[] = {"", "/../libexec/cordon"};
	char self[PATH_MAX], dir[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int r = -ENOENT;

	if (n <= 0)
		return -ENOENT;
	self[n] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd;

		str_format(dir, sizeof(dir), "%.*s%s", (int)(strrchr(self, '/') - self), self,
			   places[i]);
		fd = open_in(dir, name);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT)
			r = fd;
	}
	return r;
}

int program_exec(int program, char *const argv[], char *const envp[])
{
	return program_exec_with(program, argv, envp, NULL, 0);
}

int program_exec_with(int program, char *const argv[], char *const envp[], const int *kept,
		      size_t n)
{
	int r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = fcntl(kept[i], F_SETFD, 0) != 0 ? -errno : 0;
	return r < 0 ? r : sys_execveat(program, "", argv, envp, AT_EMPTY_PATH);
}
