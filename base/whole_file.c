/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See whole_file.h. Source: open(2), O_TMPFILE. */
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

static int open_nameless(struct whole_file *file, mode_t mode)
{
	unsigned long long id;

	file->fd = sys_openat(file->dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, mode);
	if (file->fd != -EOPNOTSUPP && file->fd != -EISDIR && file->fd != -EINVAL)
		return file->fd < 0 ? file->fd : 0;
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -EIO;
	str_format(file->temporary, sizeof(file->temporary), ".cordon-%016llx", id);
	file->fd = sys_openat(file->dir, file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			      mode);
	if (file->fd < 0)
		file->temporary[0] = '\0';
	return file->fd < 0 ? file->fd : 0;
}

int whole_file_open(const char *path, mode_t mode, struct whole_file *ret, struct err *err)
{
	struct whole_file file = WHOLE_FILE_NONE;
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int r = 0;

	file.path = path;
	file.base = slash != NULL ? slash + 1 : path;
	str_format(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		   slash != NULL ? path : ".");
	file.dir = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (file.dir < 0)
		r = file.dir;
	else if (file.base[0] == '\0')
		r = -EISDIR;
	else if (faccessat(file.dir, file.base, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = -EEXIST;
	else
		r = open_nameless(&file, mode);
	if (r < 0) {
		whole_file_close(&file);
		return err_set(err, ERR_USAGE, -r, "%s", path);
	}
	*ret = file;
	return 0;
}

int whole_file_name(struct whole_file *file, struct err *err)
{
	char link[64];
	int r = fsync(file->fd) != 0 ? -errno : 0;

	str_format(link, sizeof(link), "/proc/self/fd/%d", file->fd);
	if (r == 0 && file->temporary[0] == '\0' &&
	    linkat(AT_FDCWD, link, file->dir, file->base, AT_SYMLINK_FOLLOW) != 0)
		r = -errno;
	if (r == 0 && file->temporary[0] != '\0' &&
	    renameat2(file->dir, file->temporary, file->dir, file->base, RENAME_NOREPLACE) != 0)
		r = -errno;
	if (r == 0)
		file->temporary[0] = '\0';
	if (r == 0 && fsync(file->dir) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_USAGE, -r, "%s", file->path) : 0;
}

void whole_file_close(struct whole_file *file)
{
	if (file->temporary[0] != '\0')
		ignore_result(unlinkat(file->dir, file->temporary, 0),
			      "the first error is the one that counts");
	file->temporary[0] = '\0';
	close_fd(&file->fd);
	close_fd(&file->dir);
}
