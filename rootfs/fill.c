/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See fill.h. */
#include "rootfs/fill.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

enum {
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	NAMES_SIZE = 4096,
	CHUNK = 1 << 24,
};

/* ---- what a file is beside its bytes ---- */

static int copy_attribute(int from_fd, int to_fd, const char *name)
{
	char value[FILL_ATTRIBUTE_MAX];
	ssize_t len;

	/* Others are the kernel's, or rights that nothing on a volume has. */
	if (!str_has_prefix(name, "user."))
		return 0;
	len = fgetxattr(from_fd, name, value, sizeof(value));
	if (len < 0)
		return errno == ERANGE ? -E2BIG : -errno;
	return fsetxattr(to_fd, name, value, (size_t)len, 0) != 0 ? -errno : 0;
}

static int copy_attributes(int from_fd, int to_fd)
{
	char names[NAMES_SIZE];
	ssize_t len = flistxattr(from_fd, names, sizeof(names));
	int r = 0;

	if (len < 0)
		return errno == ENOTSUP ? 0 : errno == ERANGE ? -E2BIG : -errno;
	for (const char *name = names; r == 0 && name < names + len; name += strlen(name) + 1)
		r = copy_attribute(from_fd, to_fd, name);
	return r;
}

static mode_t mode_of(const struct stat *st, bool keeps_setid)
{
	return st->st_mode & (keeps_setid ? 07777 : 01777);
}

static int copy_status(int to_fd, const struct stat *st, bool keeps_setid)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	/* The mode last but for the times: a new owner takes setuid bits away. */
	if (fchown(to_fd, st->st_uid, st->st_gid) != 0 ||
	    fchmod(to_fd, mode_of(st, keeps_setid)) != 0 || futimens(to_fd, times) != 0)
		return -errno;
	return 0;
}

/* ---- one entry ---- */

static int copy_range(int from_fd, int to_fd, off_t begin, off_t end)
{
	if (lseek(to_fd, begin, SEEK_SET) < 0)
		return -errno;
	while (begin < end) {
		size_t most = end - begin > CHUNK ? CHUNK : (size_t)(end - begin);
		ssize_t n = sendfile(to_fd, from_fd, &begin, most);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

static int copy_bytes(int from_fd, int to_fd, off_t size)
{
	off_t at = 0;
	int r = 0;

	while (r == 0 && at < size) {
		off_t begin = lseek(from_fd, at, SEEK_DATA);
		off_t end = begin < 0 ? -1 : lseek(from_fd, begin, SEEK_HOLE);

		if (begin < 0 && errno == ENXIO)
			break;
		if (end < 0)
			return -errno;
		r = copy_range(from_fd, to_fd, begin, end);
		at = end;
	}
	return r == 0 && ftruncate(to_fd, size) != 0 ? -errno : r;
}

static int copy_file(int from_dir, int to_dir, const char *name, bool keeps_setid)
{
	_cleanup_fd_ int from_fd =
		sys_openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	_cleanup_fd_ int to_fd =
		from_fd < 0
			? from_fd
			: sys_openat(to_dir, name,
				     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int r;

	if (to_fd < 0)
		return to_fd;
	if (fstat(from_fd, &st) != 0)
		return -errno;
	r = copy_bytes(from_fd, to_fd, st.st_size);
	if (r == 0)
		r = copy_attributes(from_fd, to_fd);
	return r == 0 ? copy_status(to_fd, &st, keeps_setid) : r;
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	char text[PATH_MAX];
	ssize_t len = readlinkat(from_dir, name, text, sizeof(text));

	if (len < 0 || len == (ssize_t)sizeof(text))
		return len < 0 ? -errno : -ENAMETOOLONG;
	text[len] = '\0';
	if (symlinkat(text, to_dir, name) != 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
	    utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return 0;
}

static int copy_fifo(int to_dir, const char *name, const struct stat *st)
{
	if (mknodat(to_dir, name, S_IFIFO | 0600, 0) != 0 ||
	    fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
	    fchmodat(to_dir, name, mode_of(st, false), 0) != 0)
		return -errno;
	return 0;
}

/* ---- the tree ---- */

struct level {
	int from_fd;
	int to_fd;
	off_t at; /* behind the entry that was read last */
};

struct walk {
	struct level levels[FILL_DEPTH_MAX];
	size_t n;
	dev_t device;
	bool keeps_setid;
};

static int leave(struct walk *walk)
{
	struct level *level = &walk->levels[--walk->n];
	struct stat st;
	int r = fstat(level->from_fd, &st) != 0 ? -errno : 0;

	if (r == 0)
		r = copy_attributes(level->from_fd, level->to_fd);
	if (r == 0)
		r = copy_status(level->to_fd, &st, walk->keeps_setid);
	/* The first level's are the caller's. */
	if (walk->n > 0) {
		close_fd(&level->from_fd);
		close_fd(&level->to_fd);
	}
	return r;
}

static int enter(struct walk *walk, const struct level *above, const char *name)
{
	struct level level = {.from_fd = -EBADF, .to_fd = -EBADF};
	struct stat st;

	if (walk->n == FILL_DEPTH_MAX)
		return -ELOOP;
	if (mkdirat(above->to_fd, name, 0700) != 0)
		return -errno;
	level.from_fd = sys_openat(above->from_fd, name, DIR_FLAGS, 0);
	level.to_fd =
		level.from_fd < 0 ? level.from_fd : sys_openat(above->to_fd, name, DIR_FLAGS, 0);
	if (level.to_fd < 0) {
		close_fd(&level.from_fd);
		return level.to_fd;
	}
	/* What is mounted there is not the root's. Nothing is, but by the host's own binds. */
	if (fstat(level.from_fd, &st) == 0 && st.st_dev != walk->device)
		level.at = -1;
	walk->levels[walk->n++] = level;
	return 0;
}

static int copy_entry(struct walk *walk, const struct level *level, const char *name)
{
	struct stat st;

	if (str_equal(name, ".") || str_equal(name, ".."))
		return 0;
	if (fstatat(level->from_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return enter(walk, level, name);
	case S_IFREG:
		return copy_file(level->from_fd, level->to_fd, name, walk->keeps_setid);
	case S_IFLNK:
		return copy_link(level->from_fd, level->to_fd, name, &st);
	case S_IFIFO:
		return copy_fifo(level->to_fd, name, &st);
	default:
		return 0;
	}
}

/* struct linux_dirent64, getdents64(2). */
struct entry {
	uint64_t ino;
	int64_t next;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* The entries up to the first directory, which is entered, or up to the end, where this one is
 * left. They are read anew behind it: one buffer does for all levels. */
static int step(struct walk *walk)
{
	_Alignas(struct entry) char buf[NAMES_SIZE];
	struct level *level = &walk->levels[walk->n - 1];
	size_t depth = walk->n;
	long len;
	int r = 0;

	if (level->at < 0)
		return leave(walk);
	if (lseek(level->from_fd, level->at, SEEK_SET) < 0)
		return -errno;
	len = syscall(SYS_getdents64, level->from_fd, buf, sizeof(buf));
	if (len <= 0)
		return len < 0 ? -errno : leave(walk);
	for (long at = 0; r == 0 && at < len && walk->n == depth;) {
		const struct entry *entry = (const struct entry *)(const void *)(buf + at);

		level->at = entry->next;
		at += entry->len;
		r = copy_entry(walk, level, entry->name);
	}
	return r;
}

int fill_copy(int from_fd, int to_fd, bool keeps_setid)
{
	struct walk walk = {.levels = {{.from_fd = from_fd, .to_fd = to_fd, .at = 0}},
			    .n = 1,
			    .keeps_setid = keeps_setid};
	struct stat st;
	int r = fstat(from_fd, &st) != 0 ? -errno : 0;

	walk.device = st.st_dev;
	while (r == 0 && walk.n > 0)
		r = step(&walk);
	for (; walk.n > 1; walk.n--) {
		close_fd(&walk.levels[walk.n - 1].from_fd);
		close_fd(&walk.levels[walk.n - 1].to_fd);
	}
	return r;
}
