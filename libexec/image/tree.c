/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See tree.h. */
#include "libexec/image/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"

/* A sandbox's volumes, and what the caller has mounted, are where they are seen. */
static uint64_t way(const struct tree *tree)
{
	return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
	       (tree->use == TREE_STORE ? RESOLVE_NO_XDEV : 0);
}

struct tree_dir {
	const char *name; /* from tree_finish on */
	size_t at;        /* where it begins in the names */
	size_t number;    /* the last of two counts */
	uint32_t mode;
	struct timespec mtime;
};

enum { SPECIAL_BITS = S_ISUID | S_ISGID, CAPS_MAX = 64, SKIPPED_MAX = 1 << 20 };

void tree_init(struct tree *tree, int root, bool keeps_owners, int owners_fd, int skipped_fd)
{
	memset(tree, 0, sizeof(*tree));
	tree->root = root;
	tree->keeps_owners = keeps_owners;
	tree->owners_fd = owners_fd;
	tree->skipped_fd = skipped_fd;
	tree->parent_fd = -EBADF;
}

void tree_release(struct tree *tree)
{
	free(tree->dirs);
	texts_release(&tree->names);
	close_fd(&tree->parent_fd);
}

/* ---- directories ---- */

static int remember_dir(struct tree *tree, const char *name, uint32_t mode, struct timespec mtime)
{
	struct tree_dir *dir;

	if (tree->n_dirs == tree->room_dirs) {
		size_t room = tree->room_dirs * 2 + 256;
		void *more = reallocarray(tree->dirs, room, sizeof(*tree->dirs));

		if (more == NULL)
			return -ENOMEM;
		tree->dirs = more;
		tree->room_dirs = room;
	}
	dir = &tree->dirs[tree->n_dirs];
	if (texts_add(&tree->names, name, &dir->at) < 0)
		return -ENOMEM;
	dir->number = tree->n_dirs++;
	dir->mode = mode;
	dir->mtime = mtime;
	return 0;
}

static int open_dir(struct tree *tree, const char *name, int flags)
{
	return sys_openat2(tree->root, name[0] == '\0' ? "." : name,
			   (uint64_t)(flags | O_DIRECTORY | O_CLOEXEC), 0, way(tree));
}

int tree_open_dir(struct tree *tree, const char *name)
{
	return open_dir(tree, name, O_RDONLY);
}

static bool is_whiteout(int dir, const char *base)
{
	struct stat st;

	return fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(0, 0);
}

static int set_opaque(int dir)
{
	return fsetxattr(dir, "user.overlay.opaque", "y", 1, 0) != 0 ? -errno : 0;
}

/* Makes dir/base, in place of a whiteout where there is one: then nothing of a lower layer may show
 * in it. 1: it was there. */
static int make_dir(const struct tree *tree, int dir, const char *base)
{
	_cleanup_fd_ int fd = -EBADF;

	if (mkdirat(dir, base, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (tree->use != TREE_STORE || !is_whiteout(dir, base))
		return 1;
	if (unlinkat(dir, base, 0) != 0 || mkdirat(dir, base, 0700) != 0)
		return -errno;
	fd = sys_openat(dir, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd < 0 ? fd : set_opaque(fd);
}

/* Makes the directories of a name that are missing, part by part. */
static int make_way(struct tree *tree, const char *name)
{
	char part[NAME_SIZE];
	_cleanup_fd_ int dir = open_dir(tree, "", O_PATH);
	int r = dir < 0 ? dir : 0;

	for (size_t at = 0; r >= 0 && name[at] != '\0';) {
		size_t n = strcspn(name + at, "/");
		int next;

		str_format(part, sizeof(part), "%.*s", (int)n, name + at);
		r = make_dir(tree, dir, part);
		if (r < 0)
			return r;
		at += n;
		if (r == 0) {
			char whole[NAME_SIZE];

			str_format(whole, sizeof(whole), "%.*s", (int)at, name);
			r = remember_dir(tree, whole, 0755, (struct timespec){0});
			if (r < 0)
				return r;
		}
		at += name[at] == '/';
		next = sys_openat2(dir, part, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, way(tree));
		if (next < 0)
			return next;
		close_fd(&dir);
		dir = next;
	}
	return r < 0 ? r : 0;
}

/* The directory that an entry is in, made where it is missing; stays the tree's. */
static int open_parent(struct tree *tree, const char *name)
{
	const char *base = name_base(name);
	size_t len = base > name ? (size_t)(base - name) - 1 : 0;
	char parent[NAME_SIZE];
	int fd;

	if (tree->parent_fd >= 0 && strlen(tree->parent) == len &&
	    memcmp(tree->parent, name, len) == 0)
		return tree->parent_fd;
	str_format(parent, sizeof(parent), "%.*s", (int)len, name);
	fd = open_dir(tree, parent, O_PATH);
	if (fd == -ENOENT || fd == -ENOTDIR) {
		int r = make_way(tree, parent);

		fd = r < 0 ? r : open_dir(tree, parent, O_PATH);
	}
	if (fd < 0)
		return fd;
	close_fd(&tree->parent_fd);
	tree->parent_fd = fd;
	str_format(tree->parent, sizeof(tree->parent), "%s", parent);
	return fd;
}

/* ---- owners ---- */

static bool is_ours(const struct tree *tree, uint32_t id)
{
	return tree->keeps_owners && id < STORE_FOREIGN_COUNT;
}

/* What is not there is nobody's. */
static uint32_t shown_id(uint32_t id)
{
	return id < STORE_FOREIGN_COUNT ? id : 65534;
}

static int set_owner(const struct tree *tree, int dir, const char *base,
		     const struct tree_meta *meta)
{
	int flags = base[0] == '\0' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;

	if (!tree->keeps_owners)
		return 0;
	return fchownat(dir, base, shown_id(meta->uid), shown_id(meta->gid), flags) != 0 ? -errno
											 : 0;
}

/* A file with such a bit is a way to the rights of whoever owns it. In a store of root's that is
 * nobody. In a sandbox it may be the caller, or the owner of a directory of the host's that is
 * shown there: what is in the file is the sandbox's to change by then. */
static uint32_t kept_mode(const struct tree *tree, uint32_t mode)
{
	bool is_nobodys = tree->use == TREE_STORE && tree->keeps_owners;

	return is_nobodys ? mode & 07777 : mode & 07777 & ~(uint32_t)SPECIAL_BITS;
}

int tree_note_owner(struct tree *tree, const char *name, const struct tree_meta *meta,
		    struct tree_caps caps)
{
	static const char digits[] = "0123456789abcdef";
	char line[NAME_ESCAPED + 2 * CAPS_MAX + 64], escaped[NAME_ESCAPED];
	char hex[2 * CAPS_MAX + 1] = "-";
	const unsigned char *bytes = caps.data;
	bool is_whole = (is_ours(tree, meta->uid) || (!tree->keeps_owners && meta->uid == 0)) &&
			(is_ours(tree, meta->gid) || (!tree->keeps_owners && meta->gid == 0)) &&
			kept_mode(tree, meta->mode) == (meta->mode & 07777);
	size_t len;

	if (tree->use != TREE_STORE || (is_whole && caps.data == NULL))
		return 0;
	if (caps.size > CAPS_MAX)
		return -E2BIG;
	tree->n_owners++;
	if (tree->owners_fd < 0)
		return 0;
	for (size_t i = 0; caps.data != NULL && i < caps.size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
		hex[2 * i + 2] = '\0';
	}
	name_escape(name, escaped, sizeof(escaped));
	len = str_format(line, sizeof(line), "%u %u %o %s %s\n", meta->uid, meta->gid,
			 meta->mode & 07777, hex, escaped[0] != '\0' ? escaped : ".");
	return io_write_all(tree->owners_fd, line, len);
}

int tree_skip(struct tree *tree, const char *what, const char *name)
{
	char line[NAME_ESCAPED + 512], escaped[NAME_ESCAPED];
	size_t len;

	tree->n_skipped++;
	/* A few bytes of an archive make a line with all of a name: the list has an end. */
	if (tree->use != TREE_STORE || tree->skipped_bytes > SKIPPED_MAX)
		return 0;
	name_escape(name, escaped, sizeof(escaped));
	len = str_format(line, sizeof(line), "%s %s\n", what, escaped);
	tree->skipped_bytes += len;
	if (tree->skipped_bytes > SKIPPED_MAX)
		len = str_format(line, sizeof(line), "and more\n");
	return io_write_all(tree->skipped_fd, line, len);
}

/* ---- entries ---- */

/* Takes a whiteout away, for the entry that hides a lower one as well; and where files may be
 * replaced, a file. Returns 0 where it is gone, else -EEXIST or -EISDIR. */
static int make_room(const struct tree *tree, int dir, const char *base)
{
	if (tree->use == TREE_STORE && !is_whiteout(dir, base))
		return -EEXIST;
	/* Never a directory: without AT_REMOVEDIR. */
	return unlinkat(dir, base, 0) != 0 ? -errno : 0;
}

static int set_times(int dir, const char *base, struct timespec mtime)
{
	const struct timespec times[2] = {mtime, mtime};

	return utimensat(dir, base, times, AT_SYMLINK_NOFOLLOW) != 0 ? -errno : 0;
}

int tree_mkdir(struct tree *tree, const char *name, const struct tree_meta *meta)
{
	int dir = name[0] == '\0' ? tree->root : open_parent(tree, name);
	const char *base = name_base(name);
	struct stat st;
	int r = dir < 0 ? dir : 0;

	if (r == 0 && name[0] != '\0')
		r = make_dir(tree, dir, base);
	if (r < 0)
		return r;
	if (r == 1 && (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode)))
		return -EEXIST;
	/* What is there keeps its owner, mode and time. */
	if (tree->use != TREE_STORE && (r == 1 || name[0] == '\0'))
		return 0;
	r = set_owner(tree, dir, base, meta);
	return r < 0 ? r : remember_dir(tree, name, kept_mode(tree, meta->mode), meta->mtime);
}

int tree_symlink(struct tree *tree, const char *name, const char *target,
		 const struct tree_meta *meta)
{
	int dir = open_parent(tree, name);
	const char *base = name_base(name);
	int r = dir < 0 ? dir : symlinkat(target, dir, base) != 0 ? -errno : 0;

	if (r == -EEXIST) {
		r = make_room(tree, dir, base);
		if (r == 0 && symlinkat(target, dir, base) != 0)
			r = -errno;
	}
	if (r == 0)
		r = set_owner(tree, dir, base, meta);
	return r < 0 ? r : set_times(dir, base, meta->mtime);
}

int tree_fifo(struct tree *tree, const char *name, const struct tree_meta *meta)
{
	int dir = open_parent(tree, name);
	const char *base = name_base(name);
	/* No mask is set: the mode is whole at once, and nothing is changed by a name. */
	mode_t mode = S_IFIFO | (meta->mode & 0777);
	int r = dir < 0 ? dir : mknodat(dir, base, mode, 0) != 0 ? -errno : 0;

	if (r == -EEXIST) {
		r = make_room(tree, dir, base);
		if (r == 0 && mknodat(dir, base, mode, 0) != 0)
			r = -errno;
	}
	if (r == 0)
		r = set_owner(tree, dir, base, meta);
	return r < 0 ? r : set_times(dir, base, meta->mtime);
}

int tree_link(struct tree *tree, const char *name, const char *target)
{
	_cleanup_fd_ int from = -EBADF;
	int dir = open_parent(tree, target);
	const char *base = name_base(name);
	struct stat st;
	int r;

	if (dir < 0)
		return dir;
	/* open_parent keeps one directory only. */
	from = sys_openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	dir = from < 0 ? from : open_parent(tree, name);
	if (dir < 0)
		return dir;
	if (fstatat(from, name_base(target), &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode) && !S_ISFIFO(st.st_mode))
		return -EPERM;
	if (linkat(from, name_base(target), dir, base, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	r = make_room(tree, dir, base);
	if (r < 0)
		return r;
	return linkat(from, name_base(target), dir, base, 0) != 0 ? -errno : 0;
}

int tree_file(struct tree *tree, const char *name)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int dir = open_parent(tree, name);
	const char *base = name_base(name);
	int fd = dir < 0 ? dir : sys_openat(dir, base, flags, 0600);
	int r;

	if (fd != -EEXIST)
		return fd;
	r = make_room(tree, dir, base);
	if (r < 0)
		return r;
	return sys_openat(dir, base, flags, 0600);
}

int tree_file_end(struct tree *tree, const char *name, int fd, uint64_t size,
		  const struct tree_meta *meta)
{
	_cleanup_fd_ int file = fd;
	const struct timespec times[2] = {meta->mtime, meta->mtime};
	int r;

	(void)name;
	/* Where it ends in a hole. */
	if (ftruncate(file, (off_t)size) != 0)
		return -errno;
	r = set_owner(tree, file, "", meta);
	if (r == 0 &&
	    (fchmod(file, kept_mode(tree, meta->mode)) != 0 || futimens(file, times) != 0))
		r = -errno;
	return r;
}

int tree_whiteout(struct tree *tree, const char *name)
{
	int dir = open_parent(tree, name);
	const char *base = name_base(name);
	struct stat st;

	if (dir < 0)
		return dir;
	if (mknodat(dir, base, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	/* This layer has one of its own, which hides the lower one's. */
	return S_ISDIR(st.st_mode) ? tree_opaque(tree, name) : 0;
}

int tree_opaque(struct tree *tree, const char *dir_name)
{
	_cleanup_fd_ int fd = open_dir(tree, dir_name, O_RDONLY);

	if (fd == -ENOENT || fd == -ENOTDIR) {
		int r = make_way(tree, dir_name);

		fd = r < 0 ? r : open_dir(tree, dir_name, O_RDONLY);
	}
	return fd < 0 ? fd : set_opaque(fd);
}

/* ---- the end ---- */

/* What is below comes first; of one directory the last word. */
static int by_depth(const void *a, const void *b)
{
	const struct tree_dir *x = a, *y = b;
	int order = strcmp(y->name, x->name);

	if (order != 0)
		return order;
	return x->number < y->number ? 1 : -1;
}

int tree_finish(struct tree *tree)
{
	int r = 0;

	for (size_t i = 0; i < tree->n_dirs; i++)
		tree->dirs[i].name = tree->names.bytes + tree->dirs[i].at;
	if (tree->n_dirs > 0)
		qsort(tree->dirs, tree->n_dirs, sizeof(*tree->dirs), by_depth);
	for (size_t i = 0; r == 0 && i < tree->n_dirs; i++) {
		const struct tree_dir *dir = &tree->dirs[i];
		const struct timespec times[2] = {dir->mtime, dir->mtime};
		_cleanup_fd_ int fd = -EBADF;

		if (i > 0 && str_equal(dir->name, tree->dirs[i - 1].name))
			continue;
		fd = open_dir(tree, dir->name, O_RDONLY);
		if (fd < 0)
			return fd;
		if (fchmod(fd, dir->mode) != 0 || futimens(fd, times) != 0)
			r = -errno;
	}
	return r;
}
