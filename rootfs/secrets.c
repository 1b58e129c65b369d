/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets, in the child; see apply.h. The content exists on a tmpfs of the sandbox's own alone: a
 * file for each secret, and each file a mount at its target. The tmpfs as a whole is shown nowhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "rootfs/apply.h"
#include "rootfs/fs.h"

enum { NAME_SIZE = 24, PAGE = 4096, SECRET_MODE = 0400 };

/* Before kernel 6.15 a file cannot be cloned from a detached mount, so the tmpfs is attached first:
 * over the host's /proc, which nothing needs any more. It goes away with the old root. */
static const char staging[] = "/proc";

static void file_name(size_t index, char buf[NAME_SIZE])
{
	str_format(buf, NAME_SIZE, "%zu", index);
}

static int make_store(const struct rootfs_run *run)
{
	struct tree_op op = {.mode = 0700,
			     .size_bytes = PAGE,
			     .inodes = run->spec->n_secrets + 2,
			     .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
	_cleanup_fd_ int fd = -EBADF;
	int r;

	for (size_t i = 0; i < run->spec->n_secrets; i++)
		op.size_bytes += (run->secrets[i].len + PAGE) / PAGE * PAGE;
	fd = fs_tmpfs(&op, 0, 0);
	if (fd < 0)
		return fd;
	r = sys_move_mount(fd, "", AT_FDCWD, staging, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? r : steal_fd(&fd);
}

static int write_secret(const struct rootfs_run *run, int store, size_t index)
{
	const struct spec_identity *id = &run->spec->identity;
	char name[NAME_SIZE];
	_cleanup_fd_ int fd = -EBADF;
	int r;

	file_name(index, name);
	fd = sys_openat(store, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC,
			SECRET_MODE);
	if (fd < 0)
		return fd;
	r = io_write_all(fd, run->secrets[index].data, run->secrets[index].len);
	if (r == 0 && (fchown(fd, id->uid, id->gid) != 0 || fchmod(fd, SECRET_MODE) != 0))
		r = -errno;
	return r;
}

static int show_secret(struct rootfs_run *run, int store, const struct tree_op *op)
{
	char name[NAME_SIZE];
	_cleanup_fd_ int fd = -EBADF;
	int r;

	file_name(op->source, name);
	fd = sys_open_tree(store, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return fd;
	r = fs_set_attrs(fd, op->attrs, 0);
	return r < 0 ? r : rootfs_attach(run, fd, op);
}

static int fail(const struct tree_op *op, int result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "%s: show the secret", op->target);
	if (result == -EXDEV || (op->must_exist && result == -ENOENT))
		return err_hint(err,
				"Make an empty file %s in the host's directory first: cordon makes "
				"nothing there. Or choose another target.",
				op->target);
	if (result == -ENOTDIR)
		return err_hint(err,
				"A file can only be shown over a file: see what there is at %s.",
				op->target);
	return result;
}

int rootfs_show_secrets(struct rootfs_run *run, struct err *err)
{
	_cleanup_fd_ int store = make_store(run);
	int r = store < 0 ? store : 0;

	for (size_t i = 0; r == 0 && i < run->spec->n_secrets; i++)
		r = write_secret(run, store, i);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "tmpfs for secrets");
	for (size_t i = 0; i < run->tree->n_ops; i++) {
		const struct tree_op *op = &run->tree->ops[i];

		r = op->stage == TREE_SECRETS ? show_secret(run, store, op) : 0;
		if (r < 0)
			return fail(op, r, err);
	}
	return 0;
}

/* ---- read-back ---- */

static bool is_as_promised(const struct rootfs_run *run, const struct tree_op *op, int fd)
{
	const unsigned long wanted = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC;
	const struct spec_identity *id = &run->spec->identity;
	struct statvfs flags;
	struct statfs fs;
	struct stat st;

	return fstatvfs(fd, &flags) == 0 && fstatfs(fd, &fs) == 0 && fstat(fd, &st) == 0 &&
	       (flags.f_flag & wanted) == wanted && (unsigned long)fs.f_type == TMPFS_MAGIC &&
	       st.st_mode == (S_IFREG | SECRET_MODE) && st.st_uid == id->uid &&
	       st.st_gid == id->gid && (size_t)st.st_size == run->secrets[op->source].len;
}

int rootfs_verify_secrets(struct rootfs_run *run, struct err *err)
{
	for (size_t i = 0; i < run->tree->n_ops; i++) {
		const struct tree_op *op = &run->tree->ops[i];
		_cleanup_fd_ int fd = -EBADF;

		if (op->stage != TREE_SECRETS)
			continue;
		fd = sys_openat2(run->root_fd, op->target, O_PATH | O_CLOEXEC, 0,
				 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		if (fd < 0)
			return err_set(err, ERR_SETUP, -fd, "%s: read back the secret", op->target);
		if (!is_as_promised(run, op, fd))
			return err_set(err, ERR_SETUP, 0, "%s: is not as a secret must be",
				       op->target);
	}
	return 0;
}
