/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the sandbox's tree inside its mount namespace; see apply.h for who runs it and with what.
 */
#include "rootfs/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "rootfs/fs.h"

enum {
	TREE_FLAGS = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE,
	BOTH_EMPTY = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
};

static int fail(struct err *err, int result, const char *what, const char *object)
{
	return err_set(err, ERR_SETUP, -result, "%s: %s", object, what);
}

/* ---- sources ---- */

int rootfs_open_source(struct rootfs_source *source, struct err *err)
{
	const char *path = source->path;
	_cleanup_fd_ int place = -EBADF;
	_cleanup_fd_ int fd = -EBADF;
	struct statx st;
	int r;

	if (source->tree_fd >= 0)
		return 0;
	/* The path was free of links when it was checked, and must still be. */
	place = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0,
			    RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	fd = place < 0 ? place : sys_open_tree(place, "", TREE_FLAGS | AT_EMPTY_PATH);
	if (fd < 0)
		return fail(err, fd, "open the source of a bind", path);
	r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_TYPE, &st);
	if (r < 0)
		return fail(err, r, "stat the source of a bind", path);
	if (st.stx_dev_major != source->dev_major || st.stx_dev_minor != source->dev_minor ||
	    st.stx_ino != source->ino)
		return fail(err, -ESTALE, "somebody replaced it while the sandbox was made", path);
	source->tree_fd = steal_fd(&fd);
	return 0;
}

int rootfs_open_sources(struct rootfs_run *run, struct err *err)
{
	int r = rootfs_open_lowers(run, err);

	for (size_t i = 0; r == 0 && i < run->spec->n_mounts; i++)
		if (run->spec->mounts[i].type != MOUNT_TMPFS)
			r = rootfs_open_source(&run->sources[i], err);
	return r;
}

/* ---- one entry of the tree ---- */

static int make_place(const struct rootfs_run *run, int root_fd, const char *path, bool is_dir)
{
	struct path_own_mounts own = {.ids = run->own_mounts, .n = run->n_own_mounts};

	return path_make_in_root(root_fd, path, is_dir, &own);
}

/* What a start before this one made, or the workload put in its place, on a root that is kept: all
 * of it is the sandbox's own. Nothing of it is opened, and no link is followed. */
static bool is_from_before(const struct rootfs_run *run, int result)
{
	return result == -EEXIST && run->is_store_old;
}

/* In a directory that was just made here and that nobody else has written to: what is not there is
 * made, by its name. */
static int attach_new(const struct rootfs_run *run, int dir_fd, const struct tree_op *op,
		      int tree_fd)
{
	const char *name = strrchr(op->target, '/') + 1;
	bool is_dir = op->is_dir;
	int r;

	if (is_dir) {
		r = mkdirat(dir_fd, name, 0755) != 0 ? -errno : 0;
	} else {
		_cleanup_fd_ int fd =
			sys_openat(dir_fd, name,
				   O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);

		r = fd < 0 ? fd : 0;
	}
	if (r < 0 && !is_from_before(run, r))
		return r;
	return sys_move_mount(tree_fd, "", dir_fd, name, MOVE_MOUNT_F_EMPTY_PATH);
}

/* The new /etc on the tmpfs root, made by the first row that wants it. */
static int etc_of(struct rootfs_run *run)
{
	if (run->etc_fd >= 0)
		return run->etc_fd;
	if (mkdirat(run->root_fd, "etc", 0755) != 0 && !is_from_before(run, -errno))
		return -errno;
	run->etc_fd =
		sys_openat(run->root_fd, "etc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return run->etc_fd;
}

/* The name below /etc; NULL where the target lies elsewhere or deeper. */
static const char *name_in_etc(const struct tree_op *op)
{
	const char *name = op->target + strlen("/etc/");

	return op->stage == TREE_ETC && str_has_prefix(op->target, "/etc/") &&
			       strchr(name, '/') == NULL
		       ? name
		       : NULL;
}

static bool is_on(int fd, int place)
{
	struct statx ours, theirs;

	/* What cannot be told is taken for it. */
	return fd >= 0 && (sys_statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &ours) < 0 ||
			   sys_statx(place, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &theirs) < 0 ||
			   (ours.stx_dev_major == theirs.stx_dev_major &&
			    ours.stx_dev_minor == theirs.stx_dev_minor));
}

/* Whether a place is the kernel's or ours, where a policy names none: /proc, /dev, what is mounted
 * below them, a device. A link on the way, of an image's or a kept root's, may lead there; whoever
 * then reads the sandbox's /proc would read what the workload wrote (CVE-2019-16884). A secret may
 * be shown over what is hidden, which is a device. */
bool rootfs_is_kernels(const struct rootfs_run *run, int place, enum tree_stage stage)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(place, &fs) != 0 || fstat(place, &st) != 0)
		return true;
	return fs.f_type == PROC_SUPER_MAGIC || fs.f_type == DEVPTS_SUPER_MAGIC ||
	       fs.f_type == SYSFS_MAGIC ||
	       (stage == TREE_VOLUMES && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) ||
	       is_on(run->dev_fd, place);
}

static int attach(struct rootfs_run *run, int tree_fd, int root_fd, const struct tree_op *op)
{
	const char *name = name_in_etc(op);
	_cleanup_fd_ int place = -EBADF;

	if (root_fd == run->dev_fd)
		return attach_new(run, run->dev_fd, op, tree_fd);
	if (name != NULL) {
		int etc_fd = etc_of(run);

		return etc_fd < 0 ? etc_fd : attach_new(run, etc_fd, op, tree_fd);
	}

	if (op->must_exist)
		place = sys_openat2(root_fd, op->target, O_PATH | O_CLOEXEC, 0,
				    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	else
		place = make_place(run, root_fd, op->target, op->is_dir);
	if (place < 0)
		return place;
	if (op->stage >= TREE_VOLUMES && !path_is_below(op->target, "/dev") &&
	    !path_is_below(op->target, "/proc") && rootfs_is_kernels(run, place, op->stage))
		return -ELOOP;
	return sys_move_mount(tree_fd, "", place, "", BOTH_EMPTY);
}

int rootfs_attach(struct rootfs_run *run, int tree_fd, const struct tree_op *op)
{
	return attach(run, tree_fd, run->root_fd, op);
}

static int bind_host_path(struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int fd = sys_open_tree(AT_FDCWD, op->text, TREE_FLAGS);
	int r;

	if (fd < 0)
		return fd;
	r = fs_set_attrs(fd, op->attrs, AT_RECURSIVE);
	return r < 0 ? r : attach(run, fd, run->root_fd, op);
}

static int bind_device(struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int fd =
		sys_open_tree(AT_FDCWD, op->text, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct statx st;
	int r;

	if (fd < 0)
		return fd;
	r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);
	if (r < 0)
		return r;
	if (!S_ISCHR(st.stx_mode) || st.stx_rdev_major != op->dev_major ||
	    st.stx_rdev_minor != op->dev_minor)
		return -ENODEV;
	r = fs_set_attrs(fd, op->attrs, 0);
	return r < 0 ? r : attach(run, fd, run->dev_fd, op);
}

static int bind_source(struct rootfs_run *run, const struct tree_op *op)
{
	int fd = run->sources[op->source].tree_fd;
	int r = fs_set_attrs(fd, op->attrs, AT_RECURSIVE);

	return r < 0 ? r : attach(run, fd, run->root_fd, op);
}

/* fsmount(2) gives an O_PATH descriptor. */
static void keep_store(struct rootfs_run *run, const struct tree_op *op, int *fd)
{
	if ((op->attrs & MOUNT_ATTR_RDONLY) != 0 || run->n_stores == ROOTFS_STORES_MAX)
		return;
	run->store_mounts[run->n_stores] = op->source;
	run->store_fds[run->n_stores++] = steal_fd(fd);
}

int rootfs_store_of(const struct rootfs_run *run, size_t mount)
{
	for (size_t i = 0; i < run->n_stores; i++)
		if (run->store_mounts[i] == mount)
			return run->store_fds[i];
	return -EBADF;
}

void rootfs_close_stores(struct rootfs_run *run)
{
	for (size_t i = 0; i < run->n_stores; i++)
		close_fd(&run->store_fds[i]);
	run->n_stores = 0;
}

static int make_tmpfs(struct rootfs_run *run, const struct tree_op *op)
{
	const struct spec_identity *id = &run->spec->identity;
	_cleanup_fd_ int fd = fs_tmpfs(op, id->uid, id->gid);
	bool is_dev = op->stage == TREE_DEV && str_equal(op->target, "/dev");
	struct tree_op place = *op;
	int r;

	if (fd < 0)
		return fd;
	place.is_dir = true;
	r = attach(run, fd, op->stage == TREE_DEV && !is_dev ? run->dev_fd : run->root_fd, &place);
	if (r == 0)
		r = rootfs_note_own(run, fd);
	if (r == 0 && is_dev)
		run->dev_fd = steal_fd(&fd);
	else if (r == 0 && op->stage == TREE_VOLUMES)
		keep_store(run, op, &fd);
	return r;
}

static int make_devpts(struct rootfs_run *run, const struct tree_op *op)
{
	/* A user cannot give it gid 5; max bounds what a loop of openpty(3) may take. */
	static const char *const options[][2] = {{"ptmxmode", "0666"},
						 {"mode", "0600"},
						 {"max", "64"},
						 {NULL, NULL}};
	_cleanup_fd_ int fd = fs_simple("devpts", options, op->attrs);
	struct tree_op place = *op;

	place.is_dir = true;
	return fd < 0 ? fd : attach(run, fd, run->dev_fd, &place);
}

static int make_proc(struct rootfs_run *run, const struct tree_op *op)
{
	static const char *const options[][2] = {{NULL, NULL}};
	_cleanup_fd_ int fd = fs_simple("proc", options, op->attrs);
	struct tree_op place = *op;
	int r;

	place.is_dir = true;
	r = fd < 0 ? fd : attach(run, fd, run->root_fd, &place);
	if (r == 0)
		run->proc_fd = steal_fd(&fd);
	return r;
}

/*
 * Covers are clones of one mount, the first of its kind that was attached: its file system and its
 * flags are theirs. Before kernel 6.15 only what is attached can be cloned.
 */
static int clone_cover(int first_fd)
{
	return sys_open_tree(first_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

/* An empty directory; our /dev/null, which may not be opened; or the place itself. */
static int first_cover(const struct rootfs_run *run, const struct tree_op *op)
{
	struct tree_op empty = {.mode = 0555, .size_bytes = 4096, .inodes = 1};
	_cleanup_fd_ int fd = -EBADF;
	int r;

	switch (op->kind) {
	case TREE_HIDE_DIR:
		fd = fs_tmpfs(&empty, 0, 0);
		break;
	case TREE_HIDE_FILE:
		fd = sys_open_tree(run->dev_fd, "null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		break;
	default:
		fd = sys_open_tree(run->proc_fd, op->target + 1,
				   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		break;
	}
	if (fd < 0)
		return fd;
	r = fs_set_attrs(fd, op->attrs, 0);
	return r < 0 ? r : steal_fd(&fd);
}

static int cover_kernel_path(struct rootfs_run *run, const struct tree_op *op)
{
	int *first = op->kind == TREE_HIDE_DIR    ? &run->empty_dir_fd
		     : op->kind == TREE_HIDE_FILE ? &run->empty_file_fd
						  : NULL;
	_cleanup_fd_ int fd = -EBADF;
	struct statx st;
	int r = sys_statx(run->proc_fd, op->target + 1, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);

	if (r == -ENOENT)
		return 0; /* this kernel has no such path: nothing to cover */
	if (r < 0)
		return r;
	fd = first != NULL && *first >= 0 ? clone_cover(*first) : first_cover(run, op);
	if (fd < 0)
		return fd;
	r = sys_move_mount(fd, "", run->proc_fd, op->target + 1, MOVE_MOUNT_F_EMPTY_PATH);
	if (r == 0 && first != NULL && *first < 0)
		*first = steal_fd(&fd);
	return r;
}

static int make_file(struct rootfs_run *run, const struct tree_op *op)
{
	int etc_fd = etc_of(run);
	const char *name = name_in_etc(op);
	_cleanup_fd_ int fd = -EBADF;

	if (etc_fd < 0 || name == NULL)
		return etc_fd < 0 ? etc_fd : -EINVAL;
	/* Made anew: what is in it follows from today's policy. */
	if (run->is_store_old && unlinkat(etc_fd, name, 0) != 0 && errno != ENOENT)
		return -errno;
	fd = sys_openat(etc_fd, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC,
			op->mode);
	if (fd < 0)
		return fd;
	return io_write_all(fd, op->text, strlen(op->text));
}

static int make_link(struct rootfs_run *run, const struct tree_op *op)
{
	const char *name = strrchr(op->target, '/') + 1;
	_cleanup_fd_ int parent = -EBADF;
	int dir_fd = run->root_fd;
	char dir[64];

	if (op->stage == TREE_DEV) {
		dir_fd = run->dev_fd;
	} else if (name_in_etc(op) != NULL) {
		dir_fd = etc_of(run);
	} else if (name != op->target + 1) {
		str_format(dir, sizeof(dir), "%.*s", (int)(name - op->target), op->target);
		parent = make_place(run, run->root_fd, dir, true);
		dir_fd = parent;
	}
	if (dir_fd < 0)
		return dir_fd;
	if (symlinkat(op->text, dir_fd, name) != 0 && !is_from_before(run, -errno))
		return -errno;
	return 0;
}

static int make_dir(const struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int fd = make_place(run, run->root_fd, op->target, true);

	return fd < 0 ? fd : 0;
}

/* A place that is a file, a link in a circle, or missing on a volume: the program cannot start
 * there, and the row that lets it says so. */
static int make_start_dir(const struct rootfs_run *run, const struct tree_op *op)
{
	int r = make_dir(run, op);

	return r == -ENOTDIR || r == -ELOOP || r == -EXDEV || r == -ENOENT || r == -EEXIST ? 0 : r;
}

static int apply_op(struct rootfs_run *run, const struct tree_op *op)
{
	switch (op->kind) {
	case TREE_DIR:
		return make_dir(run, op);
	case TREE_START_DIR:
		return make_start_dir(run, op);
	case TREE_SYMLINK:
		return make_link(run, op);
	case TREE_FILE:
		return make_file(run, op);
	case TREE_HOST_BIND:
		return bind_host_path(run, op);
	case TREE_DEVICE:
		return bind_device(run, op);
	case TREE_TMPFS:
		return make_tmpfs(run, op);
	case TREE_DEVPTS:
		return make_devpts(run, op);
	case TREE_PROC_FS:
		return make_proc(run, op);
	case TREE_HIDE_FILE:
	case TREE_HIDE_DIR:
	case TREE_READ_ONLY:
		return cover_kernel_path(run, op);
	case TREE_SOURCE:
		return bind_source(run, op);
	case TREE_VOLUME:
		return rootfs_bind_volume(run, op);
	case TREE_SECRET: /* rootfs/secrets.c */
	case TREE_PIN:    /* these three: rootfs/protect.c */
	case TREE_PLACEHOLDER:
	case TREE_AS_IT_IS:
		break;
	}
	return -EINVAL;
}

static int explain_failure(const struct tree_op *op, int result, struct err *err)
{
	const char *where = op->stage == TREE_DEV && op->kind != TREE_TMPFS ? "/dev" : "";

	if (op->stage == TREE_KERNEL_PATHS)
		where = "/proc";
	err_set(err, ERR_SETUP, -result, "%s%s: %s", where, op->target, tree_kind_name(op->kind));
	if (result == -EXDEV || (op->must_exist && result == -ENOENT))
		return err_hint(
			err, "Make %s in the host's directory first: cordon makes nothing there.",
			op->target);
	if (result == -EEXIST || result == -ELOOP)
		return err_hint(err,
				"The rootfs has a link at that place which leads nowhere inside, "
				"or into /proc or /dev: remove it there.");
	if ((result == -EINVAL || result == -ENOTDIR) &&
	    (op->kind == TREE_PROC_FS || str_equal(op->target, "/dev")))
		return err_hint(err,
				"The rootfs has no directory there, but something else: make %s a "
				"directory in it, or remove it.",
				op->target);
	if (op->kind == TREE_PROC_FS && result == -EPERM)
		return err_hint(err,
				"The surrounding container hides parts of /proc, so the kernel "
				"forbids a new one: start that container with an unmasked /proc.");
	if (op->stage == TREE_VOLUMES && result == -ENOTDIR)
		return err_hint(err,
				"A file can only be shown over a file, a directory over a "
				"directory: see what the rootfs has at %s.",
				op->target);
	return result;
}

int rootfs_apply_stage(struct rootfs_run *run, enum tree_stage stage, struct err *err)
{
	for (size_t i = 0; i < run->tree->n_ops; i++) {
		const struct tree_op *op = &run->tree->ops[i];
		int r = op->stage == stage ? apply_op(run, op) : 0;

		if (r < 0)
			r = explain_failure(op, r, err);
		if (r < 0 && run->is_store_old && err->hint[0] == '\0')
			r = err_hint(err, "The sandbox itself may have put something else there: "
					  "make it anew (cordon rm, cordon create).");
		if (r < 0)
			return r;
	}
	return 0;
}
