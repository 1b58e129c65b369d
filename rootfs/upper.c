/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written to the root: on the staging tmpfs, or on the store that the keeper made; see
 * apply.h. Runs in the child. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "rootfs/apply.h"

static const struct rootfs_upper on_tmpfs = {.upper = "upper", .work = "work"};
static const struct rootfs_upper on_store = {.upper = "store/upper", .work = "store/work"};

static int fail(struct err *err, int result, const char *what)
{
	return err_set(err, ERR_SETUP, -result, "rootfs.writable: %s", what);
}

static int attach_store(const struct rootfs_run *run, struct err *err)
{
	int r = mkdirat(run->staging_fd, "store", 0755) != 0 ? -errno : 0;

	if (r == 0)
		r = sys_move_mount(run->store_fd, "", run->staging_fd, "store",
				   MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? fail(err, r, "attach the store") : 0;
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

int rootfs_make_upper(const struct rootfs_run *run, int lower_fd, struct rootfs_upper *ret,
		      struct err *err)
{
	const struct rootfs_upper *paths = run->store_fd >= 0 ? &on_store : &on_tmpfs;
	_cleanup_fd_ int upper = -EBADF;
	int r = 0;

	if (run->store_fd >= 0)
		r = attach_store(run, err);
	else if (mkdirat(run->staging_fd, paths->upper, 0755) != 0 ||
		 mkdirat(run->staging_fd, paths->work, 0755) != 0)
		r = fail(err, -errno, "make the directories of the overlay");
	if (r < 0)
		return r;
	upper = sys_openat(run->staging_fd, paths->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (upper < 0)
		return fail(err, upper, "open the upper layer");
	r = run->is_store_old ? 0 : copy_owner(lower_fd, upper);
	if (r < 0)
		return fail(err, r, "give the upper layer its owner");
	*ret = *paths;
	ret->is_volatile = run->store_fd >= 0 && !run->is_store_kept;
	return 0;
}

int rootfs_root_on_store(const struct rootfs_run *run, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	int r = attach_store(run, err);

	if (r < 0)
		return r;
	fd = sys_open_tree(run->staging_fd, on_store.upper, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (fd < 0)
		return fail(err, fd, "show the root on it");
	r = mkdirat(run->staging_fd, "root", 0755) != 0 ? -errno : 0;
	if (r == 0)
		r = sys_move_mount(fd, "", run->staging_fd, "root", MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? fail(err, r, "attach the root on it") : steal_fd(&fd);
}
