/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an image has at a path, without mounting it; see held_image_open. Each step opens one name
 * below a directory that is open, and follows no link: a link's text is read, and its parts become
 * steps. So whatever an image holds, nothing outside of it is ever looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/held.h"

/* A directory as it is seen: those of the layers that are laid over one another, uppermost first.
 */
struct seen_dir {
	int fds[RECORD_LAYERS_MAX];
	size_t n;
};

struct walk {
	const struct held_image *image;
	struct seen_dir *dirs; /* HELD_DEPTH_MAX: the root, and each one below */
	size_t depth;
	char rest[2 * PATH_MAX]; /* of the path, behind what was walked */
	size_t n_links;
	int file; /* O_PATH: what the last step found that is no directory */
};

static void leave(struct seen_dir *dir)
{
	for (size_t i = 0; i < dir->n; i++)
		close_fd(&dir->fds[i]);
	dir->n = 0;
}

static bool is_absence(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* What lies below in other layers is not seen. An attribute that cannot be read is taken for that:
 * then less is found, and never more. */
static bool is_opaque(int fd)
{
	char link[64], value[2];
	ssize_t n;

	str_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = getxattr(link, "user.overlay.opaque", value, sizeof(value));
	return n < 0 ? errno != ENODATA && errno != EOPNOTSUPP : n == 1 && value[0] == 'y';
}

static int enter_root(struct walk *walk)
{
	struct seen_dir *root = &walk->dirs[0];
	size_t n = walk->image->n_layers;

	for (size_t i = 0; i < n; i++) {
		int fd = sys_openat(walk->image->layer_fds[n - 1 - i], "tree",
				    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

		if (fd < 0)
			return fd;
		root->fds[root->n++] = fd;
		if (is_opaque(fd))
			break;
	}
	return 0;
}

/* One name in the directory that was reached last: 0 with a new directory, or with walk->file. */
static int look(struct walk *walk, const char *name)
{
	const struct seen_dir *dir = &walk->dirs[walk->depth];
	struct seen_dir *below = &walk->dirs[walk->depth + 1];

	if (walk->depth + 2 > HELD_DEPTH_MAX)
		return -ENAMETOOLONG;
	below->n = 0;
	for (size_t i = 0; i < dir->n; i++) {
		_cleanup_fd_ int fd =
			sys_openat(dir->fds[i], name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
		struct stat st;

		if (fd == -ENOENT)
			continue;
		if (fd < 0 || fstat(fd, &st) != 0) {
			leave(below);
			return fd < 0 ? fd : -EIO;
		}
		if (is_absence(&st))
			break;
		if (!S_ISDIR(st.st_mode)) {
			/* Below a directory it is not seen. */
			if (below->n == 0)
				walk->file = steal_fd(&fd);
			break;
		}
		below->fds[below->n++] = steal_fd(&fd);
		if (is_opaque(below->fds[below->n - 1]))
			break;
	}
	if (below->n > 0)
		walk->depth++;
	return below->n > 0 || walk->file >= 0 ? 0 : -ENOENT;
}

static void go_up(struct walk *walk)
{
	if (walk->depth > 0)
		leave(&walk->dirs[walk->depth--]);
}

static void go_to_root(struct walk *walk)
{
	while (walk->depth > 0)
		go_up(walk);
}

/* walk->file is a link: its text comes before what is left of the path. */
static int follow(struct walk *walk)
{
	char text[PATH_MAX], rest[sizeof(walk->rest)];
	ssize_t n = readlinkat(walk->file, "", text, sizeof(text) - 1);

	close_fd(&walk->file);
	if (n < 0)
		return -errno;
	if (++walk->n_links > HELD_LINKS_MAX)
		return -ELOOP;
	text[n] = '\0';
	if ((size_t)n + strlen(walk->rest) + 2 > sizeof(rest))
		return -ENAMETOOLONG;
	str_format(rest, sizeof(rest), "%s/%s", text, walk->rest);
	memcpy(walk->rest, rest, sizeof(rest));
	if (text[0] == '/')
		go_to_root(walk);
	return 0;
}

/* Takes the first part off the rest. False behind the last one. */
static bool next_part(struct walk *walk, char name[NAME_MAX + 1], int *ret_error)
{
	char *start = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(start, "/");

	*ret_error = len > NAME_MAX ? -ENAMETOOLONG : 0;
	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(name, start, len);
	name[len] = '\0';
	memmove(walk->rest, start + len, strlen(start + len) + 1);
	return true;
}

static int step(struct walk *walk, const char *name)
{
	struct stat st;
	int r;

	/* There was something behind a file. */
	if (walk->file >= 0)
		return -ENOTDIR;
	if (str_equal(name, "."))
		return 0;
	if (str_equal(name, "..")) {
		go_up(walk);
		return 0;
	}
	r = look(walk, name);
	if (r < 0 || walk->file < 0)
		return r;
	if (fstat(walk->file, &st) != 0)
		return -errno;
	return S_ISLNK(st.st_mode) ? follow(walk) : 0;
}

static int open_found(const struct walk *walk)
{
	char link[64];
	struct stat st;

	if (walk->file < 0)
		return -EINVAL; /* a directory */
	if (fstat(walk->file, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	str_format(link, sizeof(link), "/proc/self/fd/%d", walk->file);
	return sys_openat(AT_FDCWD, link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
}

int held_image_open(const struct held_image *image, const char *path)
{
	struct walk walk = {.image = image, .file = -EBADF};
	char name[NAME_MAX + 1];
	int error = 0, r;

	if (strlen(path) >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	walk.dirs = calloc(HELD_DEPTH_MAX, sizeof(*walk.dirs));
	if (walk.dirs == NULL)
		return -ENOMEM;
	str_format(walk.rest, sizeof(walk.rest), "%s", path);
	r = enter_root(&walk);
	while (r == 0 && next_part(&walk, name, &error))
		r = step(&walk, name);
	if (r == 0)
		r = error;
	if (r == 0)
		r = open_found(&walk);
	close_fd(&walk.file);
	go_to_root(&walk);
	leave(&walk.dirs[0]);
	free(walk.dirs);
	return r;
}
