/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a bind protects (read_only_below, hide_below), in the child; see apply.h for its privileges.
 *
 * A path is protected by a mount on it: a copy of itself that is read-only, or something empty.
 * The kernel refuses to rename or remove a mount point in the namespace that has it (EBUSY), so
 * that the workload cannot move it aside and make its own; the directories on the way to it are
 * bound on themselves for the same reason. Nobody inside can unmount: no capability is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "rootfs/apply.h"
#include "rootfs/fs.h"

enum {
	BELOW = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	ITSELF = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH,
	BOTH_EMPTY = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
};

static int compare(int place, const struct tree_protected *expected)
{
	struct statx st;
	int r = sys_statx(place, "", AT_EMPTY_PATH, STATX_INO, &st);

	if (r < 0)
		return r;
	return st.stx_ino != expected->ino || st.stx_dev_major != expected->dev_major ||
			       st.stx_dev_minor != expected->dev_minor
		       ? -ESTALE
		       : 0;
}

/* What comes over the place. */
static int make_cover(const struct rootfs_run *run, const struct tree_op *op, int place)
{
	struct tree_op empty = {.mode = 0555, .size_bytes = 4096, .inodes = 1};

	switch (op->kind) {
	case TREE_HIDE_DIR:
	case TREE_PLACEHOLDER:
		return fs_tmpfs(&empty, 0, 0);
	case TREE_HIDE_FILE:
		/* On a nodev mount it cannot be opened. */
		return sys_open_tree(run->dev_fd, "null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	default:
		return sys_open_tree(place, "", ITSELF);
	}
}

static int protect(const struct rootfs_run *run, const struct tree_op *op)
{
	const struct rootfs_source *source = &run->sources[op->source];
	_cleanup_fd_ int place =
		sys_openat2(source->tree_fd, op->text, O_PATH | O_CLOEXEC, 0, BELOW);
	_cleanup_fd_ int cover = -EBADF;
	int r = 0;

	if (place < 0)
		return place;
	if (op->kind != TREE_PIN)
		r = compare(place, &source->protected[op->protected]);
	if (r < 0)
		return r;
	cover = make_cover(run, op, place);
	if (cover < 0)
		return cover;
	r = fs_set_attrs(cover, op->attrs, AT_RECURSIVE);
	return r < 0 ? r : sys_move_mount(cover, "", place, "", BOTH_EMPTY);
}

static int fail(const struct tree_op *op, int result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "%s: %s", op->target, tree_kind_name(op->kind));
	if (result == -ESTALE || result == -ENOENT || result == -ENOTDIR || result == -ELOOP)
		return err_hint(err, "Somebody replaced it, or what leads to it, while the sandbox "
				     "was made: start again.");
	return result;
}

int rootfs_protect(struct rootfs_run *run, struct err *err)
{
	for (size_t i = 0; i < run->tree->n_ops; i++) {
		const struct tree_op *op = &run->tree->ops[i];
		int r = 0;

		if (op->stage == TREE_PROTECTED && op->kind != TREE_AS_IT_IS)
			r = protect(run, op);
		if (r < 0)
			return fail(op, r, err);
	}
	return 0;
}

static int verify(const struct rootfs_run *run, const struct tree_op *op)
{
	_cleanup_fd_ int place = sys_openat2(run->root_fd, op->target, O_PATH | O_CLOEXEC, 0,
					     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	struct statvfs fs;
	struct statx st;
	int r = place < 0 ? place : sys_statx(place, "", AT_EMPTY_PATH, STATX_MNT_ID, &st);

	if (r < 0)
		return r;
	if ((st.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
		return -EBUSY;
	if (op->kind == TREE_PIN)
		return 0;
	if (fstatvfs(place, &fs) != 0)
		return -errno;
	return (fs.f_flag & ST_RDONLY) == 0 ? -EBUSY : 0;
}

int rootfs_verify_protected(struct rootfs_run *run, struct err *err)
{
	for (size_t i = 0; i < run->tree->n_ops; i++) {
		const struct tree_op *op = &run->tree->ops[i];
		int r = 0;

		if (op->stage == TREE_PROTECTED && op->kind != TREE_AS_IT_IS)
			r = verify(run, op);
		if (r == -EBUSY)
			return err_set(err, ERR_SETUP, 0, "%s: is not protected", op->target);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: read back that it is protected",
				       op->target);
	}
	return 0;
}
