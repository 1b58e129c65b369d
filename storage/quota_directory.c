/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory that is kept, with a project quota of its own; see quota.h.
 *
 * A project is nobody's twice: it is joined by the empty directory first, and only who is alone in
 * it then, without any limits there, sets some. Of two who come upon the same at once both see two,
 * and both try another one. The order of the end is the other way round: nothing is in it, no limit
 * is left, and then the directory goes. So what is killed in between is done once more by whoever
 * finds the directory. Sources: quotactl(2), ioctl_fsxattr(2).
 */
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota_project.h"
#include "storage/store.h"

enum { TRIES = 64, LOCK_TRIES = 1000, END_TRIES = 20 };

static int project_of(int fd, struct fsxattr *ret)
{
	if (ioctl(fd, FS_IOC_FSGETXATTR, ret) == 0)
		return 0;
	/* File systems that have none. */
	return errno == ENOTTY || errno == EOPNOTSUPP || errno == EINVAL ? -ENODATA : -errno;
}

/* One of ours, and not of the directory above: that of somebody who limits the whole state root. */
static int own_project(int dir_fd, struct fsxattr *ret)
{
	_cleanup_fd_ int above_fd = sys_openat(dir_fd, "..", QUOTA_DIR_FLAGS, 0);
	struct fsxattr above;
	int r = above_fd < 0 ? above_fd : project_of(dir_fd, ret);

	if (r == 0)
		r = project_of(above_fd, &above);
	if (r == 0 &&
	    (ret->fsx_projid < QUOTA_FIRST_PROJECT || ret->fsx_projid == above.fsx_projid))
		r = -ENODATA;
	return r;
}

int quota_directory_read(int dir_fd, struct quota_size *ret_limit, struct quota_size *ret_used)
{
	struct fsxattr attr;
	int r = own_project(dir_fd, &attr);

	return r < 0 ? r : quota_project_read(dir_fd, attr.fsx_projid, ret_limit, ret_used);
}

int quota_directory_verify(int dir_fd, const struct quota_size *limit, struct err *err)
{
	struct quota_size now = {0}, used;
	struct fsxattr attr;
	int r = quota_project_enforced(dir_fd);

	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "its file system has no project quotas on");
		return err_hint(err, "Mount it with prjquota, as it was when this was made.");
	}
	r = own_project(dir_fd, &attr);
	if (r == 0)
		r = quota_project_read(dir_fd, attr.fsx_projid, &now, &used);
	if (r < 0 && r != -ENODATA)
		return err_set(err, ERR_SETUP, -r, "read its project quota back");
	if (r == 0 && (attr.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0 &&
	    now.size_bytes == limit->size_bytes && now.inodes == limit->inodes)
		return 0;
	return err_set(err, ERR_SETUP, EBADFD,
		       "its project quota reads back as %llu bytes and %llu inodes",
		       (unsigned long long)now.size_bytes, (unsigned long long)now.inodes);
}

int quota_directory_limit(int dir_fd, const struct quota_size *limit, struct err *err)
{
	struct fsxattr attr;
	struct stat st;
	int r = own_project(dir_fd, &attr);

	if (r == 0)
		r = quota_project_limit(dir_fd, attr.fsx_projid, limit);
	/* The directory is changed behind the limits: who flushes it has flushed them. */
	if (r == 0 && (fstat(dir_fd, &st) != 0 || fchmod(dir_fd, st.st_mode & 07777) != 0 ||
		       fsync(dir_fd) != 0))
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "set its project quota");
	return quota_directory_verify(dir_fd, limit, err);
}

/* Whether the directory, which is empty, is all that has the project; and nobody limits it. */
static bool is_alone(int dir_fd, uint32_t id, bool is_new)
{
	struct quota_size limit, used;

	return quota_project_read(dir_fd, id, &limit, &used) == 0 && used.inodes == 1 &&
	       (!is_new || (limit.size_bytes == 0 && limit.inodes == 0));
}

static int join_new(int dir_fd)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t id;
		int r = quota_project_choose(&id);

		if (r < 0)
			return r;
		if (!quota_project_is_free(dir_fd, id))
			continue;
		r = quota_project_join(dir_fd, id);
		if (r < 0)
			return r;
		store_step("project-joined");
		if (is_alone(dir_fd, id, true))
			return 0;
	}
	return -EBUSY;
}

int quota_directory_claim(int dir_fd, const struct quota_size *limit, struct err *err)
{
	struct fsxattr attr;
	int r = own_project(dir_fd, &attr);

	/* It has one where somebody was killed before anything was made in it. */
	if (r == -ENODATA || (r == 0 && !is_alone(dir_fd, attr.fsx_projid, false)))
		r = join_new(dir_fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "a project quota of its own");
	return quota_directory_limit(dir_fd, limit, err);
}

/* ---- its end ---- */

static int give_back(int dir_fd)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	struct fsxattr attr;
	int r = own_project(dir_fd, &attr);

	if (r == 0)
		r = quota_empty_directory(dir_fd);
	if (r < 0)
		return r;
	/* XFS counts for a moment what was just removed. */
	for (int i = 0; quota_project_is_in_use(dir_fd, attr.fsx_projid); i++) {
		if (i == END_TRIES)
			return 1;
		nanosleep(&moment, NULL);
	}
	r = quota_project_limit(dir_fd, attr.fsx_projid, &(struct quota_size){0});
	return r == -EPERM ? 1 : r;
}

int quota_directory_end(int above_fd, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(above_fd, name, QUOTA_DIR_FLAGS, 0);
	int r = fd < 0 ? fd : give_back(fd);

	store_step("project-given");
	/* EACCES: a user's, made unreadable by a workload; a user has no projects. */
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || r == -ENODATA || r == -EACCES)
		return 0;
	if (r == 0 && unlinkat(above_fd, name, AT_REMOVEDIR) != 0)
		r = -errno;
	return r;
}

/* ---- of a sandbox that is kept ---- */

static int open_locked(const struct quota_request *request, struct err *err)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	_cleanup_fd_ int fd = -EBADF;
	int r = 0;

	if (mkdirat(request->layer_dir_fd, request->layer_name, 0755) != 0 && errno != EEXIST)
		r = -errno;
	if (r == 0) {
		fd = sys_openat(request->layer_dir_fd, request->layer_name, QUOTA_DIR_FLAGS, 0);
		r = fd < 0 ? fd : -EWOULDBLOCK;
	}
	for (int i = 0; i < LOCK_TRIES && r == -EWOULDBLOCK; i++) {
		if (i > 0)
			nanosleep(&moment, NULL);
		r = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
	}
	if (r == 0 && fsync(request->layer_dir_fd) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: make and lock it", request->layer_what)
		     : steal_fd(&fd);
}

static int refuse(const struct quota_request *request, const char *what, struct err *err)
{
	err_set(err, ERR_SETUP, EBADFD, "%s %s", request->layer_what, what);
	return err_hint(err, "%s", request->layer_anew);
}

/* What was written is only written to once more within limits of its own. */
static int limit_again(const struct quota_request *request, int dir_fd,
		       const struct quota_size *limit, struct err *err)
{
	struct quota_size now, used;
	struct stat st;
	int r = quota_directory_read(dir_fd, &now, &used);

	if (fstat(dir_fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 0022) != 0)
		return refuse(request, "is not the directory that cordon made", err);
	if (r == -ENODATA || r == -ENOENT)
		return refuse(request, "has lost its project quota", err);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: its project quota", request->layer_what);
	if (now.size_bytes == 0 || now.inodes == 0)
		return refuse(request, "has lost the limits of its project quota", err);
	if (now.size_bytes > limit->size_bytes)
		return refuse(request, "is larger than its size, and is not made smaller", err);
	if (now.size_bytes == limit->size_bytes && now.inodes == limit->inodes)
		return quota_directory_verify(dir_fd, limit, err);
	return quota_directory_limit(dir_fd, limit, err);
}

int quota_directory_mount(const struct quota_request *request, int *ret_dir_fd, int *ret_mount_fd,
			  bool *ret_is_old, struct err *err)
{
	const struct quota_size limit = {request->size_bytes,
					 request->inodes + QUOTA_PROJECT_OWN_INODES};
	_cleanup_fd_ int dir_fd = open_locked(request, err);
	_cleanup_fd_ int mount_fd = -EBADF;
	bool is_new;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	/* The first of what is made in it. */
	is_new = faccessat(dir_fd, QUOTA_WORK, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	if (is_new && fchmod(dir_fd, 0755) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: make it", request->layer_what);
	r = is_new ? quota_directory_claim(dir_fd, &limit, err)
		   : limit_again(request, dir_fd, &limit, err);
	if (r < 0)
		return err_wrap(err, "%s", request->layer_what);
	r = quota_make_directories(request, dir_fd);
	*ret_is_old = r > 0;
	if (r >= 0) {
		mount_fd = quota_project_mount(dir_fd);
		r = mount_fd < 0 ? mount_fd : 0;
	}
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: its directories", request->layer_what);
	*ret_dir_fd = steal_fd(&dir_fd);
	*ret_mount_fd = steal_fd(&mount_fd);
	return 0;
}
