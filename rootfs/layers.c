/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lower side of the root's overlay: dir:PATH, or the layers of an image. Runs in the child; see
 * apply.h. Nothing here is ever written to, and nothing of it becomes visible but through the
 * overlay.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "rootfs/apply.h"
#include "rootfs/fs.h"

enum {
	NAME_SIZE = 16,
	/* A page, of which mount(2) takes all but one byte. */
	OPTIONS_SIZE = 4096,
	LOWER_ATTRS = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
};

static int fail(struct err *err, int result, const char *what, const char *object)
{
	return err_set(err, ERR_SETUP, -result, "%s: %s", object, what);
}

const struct rootfs_source *rootfs_top_lower(const struct rootfs_run *run)
{
	return &run->lowers[run->n_lowers - 1];
}

int rootfs_open_lowers(struct rootfs_run *run, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->n_lowers; i++)
		r = rootfs_open_source(&run->lowers[i], err);
	return r;
}

/* What a lower directory is called in the staging tmpfs: short, so that all of them fit into one
 * mount's options, and nothing that an option could be ended by. */
static void name_lower(size_t i, char name[NAME_SIZE])
{
	str_format(name, NAME_SIZE, "%zu", i);
}

static int attach_lower(const struct rootfs_run *run, size_t i)
{
	char name[NAME_SIZE];
	int r = fs_set_attrs(run->lowers[i].tree_fd, LOWER_ATTRS, AT_RECURSIVE);

	name_lower(i, name);
	if (r < 0)
		return r;
	if (mkdirat(run->staging_fd, name, 0755) != 0)
		return -errno;
	return sys_move_mount(run->lowers[i].tree_fd, "", run->staging_fd, name,
			      MOVE_MOUNT_F_EMPTY_PATH);
}

/* Before kernel 6.15 overlay refuses layers that are not attached. */
int rootfs_attach_lowers(struct rootfs_run *run, struct err *err)
{
	for (size_t i = 0; i < run->n_lowers; i++) {
		int r = attach_lower(run, i);

		if (r < 0)
			return fail(err, r, "attach the lower layer", run->lowers[i].path);
	}
	return fchdir(run->staging_fd) != 0
		       ? fail(err, -errno, "enter the staging directory", "rootfs")
		       : 0;
}

/* "lowerdir=2:1:0,...": the uppermost first. */
static int make_options(const struct rootfs_run *run, const struct rootfs_upper *upper,
			char options[OPTIONS_SIZE])
{
	size_t len = str_format(options, OPTIONS_SIZE, "lowerdir=");

	for (size_t i = run->n_lowers; i > 0; i--) {
		char name[NAME_SIZE];

		name_lower(i - 1, name);
		len += str_format(options + len, OPTIONS_SIZE - len, "%s%s", name,
				  i > 1 ? ":" : "");
	}
	len += str_format(options + len, OPTIONS_SIZE - len, ",upperdir=%s,workdir=%s,userxattr%s",
			  upper->upper, upper->work, upper->is_volatile ? ",volatile" : "");
	return len + 2 > OPTIONS_SIZE ? -E2BIG : 0;
}

/* By mount(2): of one option fsconfig(2) takes 255 bytes, which is less than 128 layers need, and
 * one option for each layer (lowerdir+) came after 6.1. Names are those of the current directory.
 */
int rootfs_mount_overlay(const struct rootfs_run *run, const struct rootfs_upper *upper,
			 struct err *err)
{
	const char *object = rootfs_top_lower(run)->path;
	char options[OPTIONS_SIZE];
	int r = make_options(run, upper, options);
	int fd;

	if (r == 0)
		r = sys_mount("overlay", "root", "overlay", MS_NOSUID | MS_NODEV, options);
	if (r < 0)
		return fail(err, r, "mount the overlay", object);
	fd = sys_openat(run->staging_fd, "root", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd < 0 ? fail(err, fd, "open the overlay", object) : fd;
}
