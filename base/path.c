/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as text, and paths below a root that is not trusted; see path.h. */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

enum { IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };

/* Takes the parts of path into buf, which holds a normal absolute path of *len bytes ("" for "/").
 */
static int append_parts(char *buf, size_t size, size_t *len, const char *path)
{
	while (*path != '\0') {
		size_t part = strcspn(path, "/");

		if (part == 2 && path[0] == '.' && path[1] == '.') {
			while (*len > 0 && buf[--*len] != '/')
				;
		} else if (part > 0 && !(part == 1 && path[0] == '.')) {
			if (*len + 1 + part >= size)
				return -ENAMETOOLONG;
			buf[(*len)++] = '/';
			memcpy(buf + *len, path, part);
			*len += part;
		}
		path += part;
		path += strspn(path, "/");
	}
	return 0;
}

ssize_t path_normalize(char *buf, size_t size, const char *from, const char *path)
{
	size_t len = 0;
	int r = 0;

	if (size < 2)
		return -ENAMETOOLONG;
	if (path[0] != '/') {
		if (from[0] != '/')
			return -EINVAL;
		r = append_parts(buf, size, &len, from);
	}
	if (r == 0)
		r = append_parts(buf, size, &len, path);
	if (r < 0)
		return r;
	if (len == 0)
		buf[len++] = '/';
	buf[len] = '\0';
	return (ssize_t)len;
}

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return path[0] == '/';
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* One part below parent_fd, which is itself below the root: made if missing, never followed out. */
static int make_part(int parent_fd, const char *name, bool is_dir)
{
	if (is_dir) {
		if (mkdirat(parent_fd, name, 0755) != 0)
			return -errno;
	} else {
		int fd = sys_openat(parent_fd, name,
				    O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0644);

		if (fd < 0)
			return fd;
		close(fd);
	}
	return 0;
}

int path_make_in_root(int root_fd, const char *path, bool is_dir)
{
	char prefix[PATH_MAX];
	size_t len = strlen(path);
	_cleanup_fd_ int parent = -EBADF;
	size_t start = 0;
	int fd = sys_openat2(root_fd, path, O_PATH | O_CLOEXEC, 0, IN_ROOT);

	if (fd != -ENOENT)
		return fd;
	if (len >= sizeof(prefix))
		return -ENAMETOOLONG;
	/* Part by part: each prefix is resolved anew in the root, so that a link in the middle is
	 * followed as the workload would follow it. */
	while (start < len) {
		size_t end = start + 1 + strcspn(path + start + 1, "/");
		bool is_last = end == len;
		int r;

		memcpy(prefix, path, end);
		prefix[end] = '\0';
		fd = sys_openat2(root_fd, prefix, O_PATH | O_CLOEXEC, 0, IN_ROOT);
		if (fd == -ENOENT) {
			char name[NAME_MAX + 1];

			if (end - start - 1 > NAME_MAX)
				return -ENAMETOOLONG;
			memcpy(name, path + start + 1, end - start - 1);
			name[end - start - 1] = '\0';
			r = make_part(parent >= 0 ? parent : root_fd, name, is_dir || !is_last);
			if (r < 0)
				return r;
			fd = sys_openat2(root_fd, prefix, O_PATH | O_CLOEXEC, 0, IN_ROOT);
		}
		if (fd < 0)
			return fd;
		close_fd(&parent);
		parent = fd;
		start = end;
	}
	return steal_fd(&parent);
}
