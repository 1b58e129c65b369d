/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the sandbox's tree inside its mount namespace; see apply.h for who runs it and with what.
 */
#include "rootfs/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
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

/* Places on the host to build on. Any directory serves: the mount is seen by this namespace alone
 * and covers nothing that is still needed, for sources are opened before. */
static const char *const staging_places[] = {"/tmp", "/run", "/mnt"};

static int fail(struct err *err, int result, const char *what, const char *object)
{
	return err_set(err, ERR_SETUP, -result, "%s: %s", object, what);
}

int rootfs_private(struct err *err)
{
	int r = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);

	return r < 0 ? fail(err, r, "make all mounts private", "/") : 0;
}

/* ---- sources ---- */

static int open_source(struct rootfs_source *source, const char *path, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct statx st;
	int r;

	if (source->tree_fd >= 0)
		return 0;
	fd = sys_open_tree(AT_FDCWD, path, TREE_FLAGS);
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
	int r = 0;

	if (run->root_source != NULL)
		r = open_source(run->root_source, run->spec->rootfs.dir, err);
	for (size_t i = 0; r == 0 && i < run->spec->n_mounts; i++)
		if (run->spec->mounts[i].type == MOUNT_BIND)
			r = open_source(&run->sources[i], run->spec->mounts[i].source, err);
	return r;
}

/* ---- the root ---- */

static int attach_staging(int fd, struct err *err)
{
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(staging_places) / sizeof(staging_places[0]); i++) {
		r = sys_move_mount(fd, "", AT_FDCWD, staging_places[i], MOVE_MOUNT_F_EMPTY_PATH);
		if (r == 0)
			return 0;
	}
	return fail(err, r, "attach the root's tmpfs (tried /tmp, /run, /mnt)", "rootfs");
}

/* The owner of the lower root, as the sandbox sees it, becomes the owner of the root that is
 * written to. */
static int copy_owner(int lower_fd, int upper_fd)
{
	struct stat st;

	if (fstat(lower_fd, &st) != 0 || fchown(upper_fd, st.st_uid, st.st_gid) != 0 ||
	    fchmod(upper_fd, st.st_mode & 01777) != 0)
		return -errno;
	return 0;
}

/* dir:PATH is never written to: an overlay takes what changes. Before kernel 6.15 overlay refuses
 * detached layers, so the lower one is attached to the staging tmpfs first. */
static int mount_overlay(struct rootfs_run *run, struct err *err)
{
	static const char *const options[][2] = {{"source", "overlay"}, {"lowerdir", "lower"},
						 {"upperdir", "upper"}, {"workdir", "work"},
						 {"userxattr", NULL},   {NULL, NULL}};
	static const char *const dirs[] = {"lower", "upper", "work", "root"};
	_cleanup_fd_ int upper = -EBADF;
	_cleanup_fd_ int overlay = -EBADF;
	const char *dir = run->spec->rootfs.dir;
	int r;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdirat(run->staging_fd, dirs[i], 0755) != 0)
			return fail(err, -errno, "make a directory for the overlay", dirs[i]);
	r = fs_set_attrs(run->root_source->tree_fd,
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, AT_RECURSIVE);
	if (r < 0)
		return fail(err, r, "set the rootfs read-only", dir);
	upper = sys_openat(run->staging_fd, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (upper < 0)
		return fail(err, upper, "open the upper layer", dir);
	r = copy_owner(run->root_source->tree_fd, upper);
	if (r < 0)
		return fail(err, r, "give the upper layer its owner", dir);
	r = sys_move_mount(run->root_source->tree_fd, "", run->staging_fd, "lower",
			   MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return fail(err, r, "attach the lower layer", dir);
	if (fchdir(run->staging_fd) != 0)
		return fail(err, -errno, "enter the staging directory", dir);
	overlay = fs_simple("overlay", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (overlay < 0)
		return fail(err, overlay, "mount the overlay", dir);
	r = sys_move_mount(overlay, "", run->staging_fd, "root", MOVE_MOUNT_F_EMPTY_PATH);
	if (r < 0)
		return fail(err, r, "attach the overlay", dir);
	run->root_fd = steal_fd(&overlay);
	return 0;
}

int rootfs_make_root(struct rootfs_run *run, struct err *err)
{
	const struct spec_rootfs *rootfs = &run->spec->rootfs;
	struct tree_op op = {.mode = 0755,
			     .size_bytes = rootfs->size_bytes,
			     .inodes = rootfs->inodes,
			     .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
			     .for_user = rootfs->writable == WRITABLE_TMPFS};
	int r;

	run->staging_fd = fs_tmpfs(&op, run->spec->identity.uid, run->spec->identity.gid);
	if (run->staging_fd < 0)
		return fail(err, run->staging_fd, "make the root's tmpfs", "rootfs");
	r = attach_staging(run->staging_fd, err);
	if (r < 0)
		return r;
	if (run->root_source != NULL)
		return mount_overlay(run, err);
	run->root_fd = run->staging_fd;
	return 0;
}

/* ---- one entry of the tree ---- */

static int attach(int tree_fd, int root_fd, const struct tree_op *op)
{
	_cleanup_fd_ int place = -EBADF;

	if (op->must_exist)
		place = sys_openat2(root_fd, op->target, O_PATH | O_CLOEXEC, 0,
				    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	else
		place = path_make_in_root(root_fd, op->target, op->is_dir);
	if (place < 0)
		return place;
	return sys_move_mount(tree_fd, "", place, "", BOTH_EMPTY);
}

static int bind_host_path(const struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int fd = sys_open_tree(AT_FDCWD, op->text, TREE_FLAGS);
	int r;

	if (fd < 0)
		return fd;
	r = fs_set_attrs(fd, op->attrs, AT_RECURSIVE);
	return r < 0 ? r : attach(fd, run->root_fd, op);
}

static int bind_device(const struct rootfs_run *run, const struct tree_op *op)
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
	return r < 0 ? r : attach(fd, run->dev_fd, op);
}

static int bind_source(const struct rootfs_run *run, const struct tree_op *op)
{
	int fd = run->sources[op->source].tree_fd;
	int r = fs_set_attrs(fd, op->attrs, AT_RECURSIVE);

	return r < 0 ? r : attach(fd, run->root_fd, op);
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
	r = attach(fd, op->stage == TREE_DEV && !is_dev ? run->dev_fd : run->root_fd, &place);
	if (r == 0 && is_dev)
		run->dev_fd = steal_fd(&fd);
	return r;
}

static int make_devpts(const struct rootfs_run *run, const struct tree_op *op)
{
	/* A user cannot give it gid 5; max bounds what a loop of openpty(3) may take. */
	static const char *const options[][2] = {{"ptmxmode", "0666"},
						 {"mode", "0600"},
						 {"max", "64"},
						 {NULL, NULL}};
	_cleanup_fd_ int fd = fs_simple("devpts", options, op->attrs);
	struct tree_op place = *op;

	place.is_dir = true;
	return fd < 0 ? fd : attach(fd, run->dev_fd, &place);
}

static int make_proc(struct rootfs_run *run, const struct tree_op *op)
{
	static const char *const options[][2] = {{NULL, NULL}};
	_cleanup_fd_ int fd = fs_simple("proc", options, op->attrs);
	struct tree_op place = *op;
	int r;

	place.is_dir = true;
	r = fd < 0 ? fd : attach(fd, run->root_fd, &place);
	if (r == 0)
		run->proc_fd = steal_fd(&fd);
	return r;
}

/* Something to put over a kernel path: an empty directory, our /dev/null that may not be opened, or
 * itself. */
static int cover_for(const struct rootfs_run *run, const struct tree_op *op)
{
	struct tree_op empty = {.mode = 0555, .size_bytes = 4096, .inodes = 1};

	switch (op->kind) {
	case TREE_HIDE_DIR:
		return fs_tmpfs(&empty, 0, 0);
	case TREE_HIDE_FILE:
		return sys_open_tree(run->dev_fd, "null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	default:
		return sys_open_tree(run->proc_fd, op->target + 1,
				     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	}
}

static int cover_kernel_path(const struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int fd = -EBADF;
	struct statx st;
	int r = sys_statx(run->proc_fd, op->target + 1, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);

	if (r == -ENOENT)
		return 0; /* this kernel has no such path: nothing to cover */
	if (r < 0)
		return r;
	fd = cover_for(run, op);
	if (fd < 0)
		return fd;
	r = fs_set_attrs(fd, op->attrs, 0);
	if (r < 0)
		return r;
	return sys_move_mount(fd, "", run->proc_fd, op->target + 1, MOVE_MOUNT_F_EMPTY_PATH);
}

static int make_file(const struct rootfs_run *run, const struct tree_op *op)
{
	/* Only on the tmpfs root, which nobody else has written to: a plain path below it will do.
	 */
	_cleanup_fd_ int dir = path_make_in_root(run->root_fd, "/etc", true);
	_cleanup_fd_ int fd = -EBADF;

	if (dir < 0)
		return dir;
	fd = sys_openat(dir, op->target + strlen("/etc/"),
			O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, op->mode);
	if (fd < 0)
		return fd;
	return io_write_all(fd, op->text, strlen(op->text));
}

static int make_link(const struct rootfs_run *run, const struct tree_op *op)
{
	int root_fd = op->stage == TREE_DEV ? run->dev_fd : run->root_fd;
	const char *name = strrchr(op->target, '/') + 1;
	_cleanup_fd_ int parent = -EBADF;
	char dir[64];

	str_format(dir, sizeof(dir), "%.*s", (int)(name - op->target), op->target);
	parent = path_make_in_root(root_fd, dir, true);
	if (parent < 0)
		return parent;
	return symlinkat(op->text, parent, name) != 0 ? -errno : 0;
}

static int make_dir(const struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int fd = path_make_in_root(run->root_fd, op->target, true);

	return fd < 0 ? fd : 0;
}

static int apply_op(struct rootfs_run *run, const struct tree_op *op)
{
	switch (op->kind) {
	case TREE_DIR:
		return make_dir(run, op);
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
	}
	return -EINVAL;
}

static int explain_failure(const struct tree_op *op, int result, struct err *err)
{
	const char *where = op->stage == TREE_DEV && op->kind != TREE_TMPFS ? "/dev" : "";

	if (op->stage == TREE_KERNEL_PATHS)
		where = "/proc";
	err_set(err, ERR_SETUP, -result, "%s%s: %s", where, op->target, tree_kind_name(op->kind));
	if (op->must_exist && result == -ENOENT)
		return err_hint(
			err, "Make %s in the host's directory first: cordon makes nothing there.",
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
			return explain_failure(op, r, err);
	}
	return 0;
}

/* ---- sealing and pivot ---- */

int rootfs_seal(struct rootfs_run *run, struct err *err)
{
	int r = fs_set_attrs(run->dev_fd, MOUNT_ATTR_RDONLY, 0);

	if (r == 0 && run->spec->rootfs.writable == WRITABLE_NONE)
		r = fs_set_attrs(run->root_fd, MOUNT_ATTR_RDONLY, 0);
	return r < 0 ? fail(err, r, "make the root read-only", "/") : 0;
}

static int check_read_only(int dirfd, const char *object, struct err *err)
{
	int fd = sys_openat(dirfd, ".cordon-seal", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd == -EROFS)
		return 0;
	if (fd < 0)
		return fail(err, fd, "read back that it is read-only", object);
	close(fd);
	return err_set(err, ERR_SETUP, 0, "%s: is writable after it was made read-only", object);
}

int rootfs_verify_seal(struct rootfs_run *run, struct err *err)
{
	int r = check_read_only(run->dev_fd, "/dev", err);

	if (r == 0 && run->spec->rootfs.writable == WRITABLE_NONE)
		r = check_read_only(run->root_fd, "/", err);
	return r;
}

int rootfs_pivot(struct rootfs_run *run, struct err *err)
{
	int r;

	if (fchdir(run->root_fd) != 0)
		return fail(err, -errno, "enter the new root", "/");
	/* Both arguments the same: the old root ends up mounted over the new one, and is what
	 * umount2 takes off (pivot_root(2), NOTES). */
	r = sys_pivot_root(".", ".");
	if (r == -EINVAL) {
		fail(err, r, "pivot_root", "/");
		return err_hint(err, "The host's root may be an initramfs, which cannot be pivoted "
				     "away from: switch_root to a real one first.");
	}
	if (r < 0)
		return fail(err, r, "pivot_root", "/");
	if (umount2(".", MNT_DETACH) != 0)
		return fail(err, -errno, "detach the old root", "/");
	if (chdir("/") != 0)
		return fail(err, -errno, "enter the new root", "/");
	return 0;
}

int rootfs_verify_pivot(struct rootfs_run *run, struct err *err)
{
	static const char *const places[] = {"/", "/..", "."};
	struct statx want, have;
	int r = sys_statx(run->root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_INO, &want);

	if (r < 0)
		return fail(err, r, "stat the new root", "/");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		r = sys_statx(AT_FDCWD, places[i], 0, STATX_MNT_ID | STATX_INO, &have);
		if (r < 0)
			return fail(err, r, "stat", places[i]);
		if (have.stx_mnt_id != want.stx_mnt_id || have.stx_ino != want.stx_ino)
			return err_set(err, ERR_SETUP, 0, "%s: is not the new root after the pivot",
				       places[i]);
	}
	return 0;
}
