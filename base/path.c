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
#include "base/str.h"
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

/* ---- links of root's alone ---- */

enum { LINKS_MAX = 40 };

struct walk {
	char done[PATH_MAX]; /* real so far, "" for the root */
	size_t done_len;
	char todo[PATH_MAX]; /* what is left, without a leading slash */
	int links;
};

/* Puts a link's text in front of what is left. */
static int take_link(struct walk *walk, int parent_fd, const char *name)
{
	char text[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(parent_fd, name, text, sizeof(text) - 1);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	memcpy(rest, walk->todo, sizeof(rest));
	if (strlen(text) + 1 + strlen(rest) >= sizeof(walk->todo))
		return -ENAMETOOLONG;
	if (text[0] == '/')
		walk->done[walk->done_len = 0] = '\0';
	str_format(walk->todo, sizeof(walk->todo), "%s/%s", text, rest);
	return 0;
}

static int enter_part(struct walk *walk, const char *name)
{
	_cleanup_fd_ int parent = sys_openat(AT_FDCWD, walk->done_len > 0 ? walk->done : "/",
					     O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	size_t old_len = walk->done_len;
	struct stat st;
	int r;

	if (parent < 0)
		return parent;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	r = append_parts(walk->done, sizeof(walk->done), &walk->done_len, name);
	if (r < 0)
		return r;
	walk->done[walk->done_len] = '\0';
	if (!S_ISLNK(st.st_mode))
		return 0;
	if (st.st_uid != 0)
		return -ELOOP;
	walk->done[walk->done_len = old_len] = '\0';
	return take_link(walk, parent, name);
}

int path_resolve_trusted(const char *path, char *ret, size_t size)
{
	struct walk walk = {.done = ""};
	int r = 0;

	if (path[0] != '/' || strlen(path) >= sizeof(walk.todo))
		return -EINVAL;
	str_format(walk.todo, sizeof(walk.todo), "%s", path);
	while (r == 0 && walk.todo[strspn(walk.todo, "/")] != '\0') {
		const char *start = walk.todo + strspn(walk.todo, "/");
		size_t len = strcspn(start, "/");
		char name[NAME_MAX + 1];

		if (len > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, start, len);
		name[len] = '\0';
		memmove(walk.todo, start + len, strlen(start + len) + 1);
		/* "." and ".." are text: what is done is free of links. */
		r = strcmp(name, ".") == 0 || strcmp(name, "..") == 0
			    ? append_parts(walk.done, sizeof(walk.done), &walk.done_len, name)
			    : enter_part(&walk, name);
		walk.done[walk.done_len] = '\0';
	}
	str_format(ret, size, "%s", walk.done_len > 0 ? walk.done : "/");
	return r;
}

/* ---- places in an untrusted root ---- */

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

/* Whether something may be made in the directory: only on mounts that are ours. */
static int check_mount(int dir_fd, const struct path_own_mounts *own)
{
	struct statx st;
	int r = sys_statx(dir_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st);

	if (r < 0)
		return r;
	for (size_t i = 0; i < own->n; i++)
		if (own->ids[i] == st.stx_mnt_id)
			return 0;
	return -EXDEV;
}

int path_make_in_root(int root_fd, const char *path, bool is_dir, const struct path_own_mounts *own)
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
		/* That the last one is not there is known. */
		fd = is_last ? -ENOENT
			     : sys_openat2(root_fd, prefix, O_PATH | O_CLOEXEC, 0, IN_ROOT);
		if (fd == -ENOENT) {
			char name[NAME_MAX + 1];

			if (end - start - 1 > NAME_MAX)
				return -ENAMETOOLONG;
			memcpy(name, path + start + 1, end - start - 1);
			name[end - start - 1] = '\0';
			r = check_mount(parent >= 0 ? parent : root_fd, own);
			if (r == 0)
				r = make_part(parent >= 0 ? parent : root_fd, name,
					      is_dir || !is_last);
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
