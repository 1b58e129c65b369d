/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Linked into cordon in fsync's place (make attack-build), for tests. In no build that is
 * installed.
 *
 *     UNSYNCED=files|directories|all   fsync(2) does nothing for those: so tests/vm/power can show
 *                                      that it finds what is lost
 *     SYNCED_LIST=FILE                 appends the path of each file that is put on the disk
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_fsync(int fd);
int __wrap_fsync(int fd);

static int list(const char *file, int fd)
{
	char proc[64], path[PATH_MAX + 1];
	int out = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, path, PATH_MAX);
	if (out < 0 || n < 0)
		return -1;
	path[n++] = '\n';
	n -= write(out, path, (size_t)n);
	close(out);
	return n == 0 ? 0 : -1;
}

int __wrap_fsync(int fd)
{
	const char *what = getenv("UNSYNCED");
	const char *file = getenv("SYNCED_LIST");
	struct stat st;

	if (fstat(fd, &st) != 0 || (file != NULL && list(file, fd) != 0))
		return -1;
	if (what != NULL && (strcmp(what, "all") == 0 ||
			     strcmp(what, S_ISDIR(st.st_mode) ? "directories" : "files") == 0))
		return 0;
	return __real_fsync(fd);
}
