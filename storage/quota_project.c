/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A directory with a project quota; see quota.h.
 *
 * projects/ID is the claim of project ID, and locked (flock(2)) by whose it is. One that nobody has
 * locked was left: whoever makes the next takes it over, limits and all, and gc removes it. So
 * there is no list to be kept, and after an end in order only an empty directory may stay, whose id
 * is used again: taking the limit away needs a privilege that the keeper has given up by then.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/own_dir.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota_project.h"
#include "storage/store.h"

enum {
	DIR_FLAGS = QUOTA_DIR_FLAGS,
	BASIC_BLOCK = 512,
	TRIES = 64,
	ID_SIZE = 16,
	PATIENCE_S = 60,
};

#define MASK_ID 0x3fffffffU

static const char dir_name[] = "projects";

/* quotactl_fd(2), Linux 5.14. */
static int quota_call(int fd, unsigned cmd, uint32_t id, void *data)
{
	return syscall(SYS_quotactl_fd, fd, QCMD(cmd, PRJQUOTA), id, data) != 0 ? -errno : 0;
}

/* ---- facts ---- */

int quota_project_enforced(int fd)
{
	struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};
	int r = quota_call(fd, Q_XGETQSTATV, 0, &state);

	if (r < 0)
		return r;
	return (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0 ? 0 : -ESRCH;
}

int quota_project_probe(const char *path)
{
	_cleanup_fd_ int fd = quota_open_existing(path);

	return fd < 0 ? fd : quota_project_enforced(fd);
}

/* ---- limits ---- */

int quota_project_limit(int fd, uint32_t id, const struct quota_size *limit)
{
	struct fs_disk_quota limits = {
		.d_version = FS_DQUOT_VERSION,
		.d_flags = FS_PROJ_QUOTA,
		.d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT | FS_DQ_IHARD | FS_DQ_ISOFT,
		.d_id = id,
		.d_blk_hardlimit = limit->size_bytes / BASIC_BLOCK,
		.d_ino_hardlimit = limit->inodes,
	};

	return quota_call(fd, Q_XSETQLIM, id, &limits);
}

int quota_project_read(int fd, uint32_t id, struct quota_size *ret_limit,
		       struct quota_size *ret_used)
{
	struct fs_disk_quota now = {.d_version = FS_DQUOT_VERSION};
	int r = quota_call(fd, Q_XGETQUOTA, id, &now);

	if (r < 0)
		return r == -ESRCH ? -ENOENT : r;
	*ret_limit = (struct quota_size){now.d_blk_hardlimit * BASIC_BLOCK, now.d_ino_hardlimit};
	*ret_used = (struct quota_size){now.d_bcount * BASIC_BLOCK, now.d_icount};
	return 0;
}

bool quota_project_is_free(int fd, uint32_t id)
{
	struct quota_size limit, used;
	int r = quota_project_read(fd, id, &limit, &used);

	return r == -ENOENT || (r == 0 && limit.size_bytes == 0 && limit.inodes == 0 &&
				used.size_bytes == 0 && used.inodes == 0);
}

int quota_project_join(int fd, uint32_t id)
{
	struct fsxattr attr;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attr) != 0)
		return -errno;
	attr.fsx_projid = id;
	attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attr) != 0 ? -errno : 0;
}

int quota_project_verify(int dir_fd, const struct quota_request *request, struct err *err)
{
	struct quota_size now = {0}, used;
	struct fsxattr attr;
	int r = ioctl(dir_fd, FS_IOC_FSGETXATTR, &attr) != 0 ? -errno : 0;

	if (r == 0)
		r = quota_project_read(dir_fd, attr.fsx_projid, &now, &used);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "rootfs.writable: read its project quota back");
	if (attr.fsx_projid < QUOTA_FIRST_PROJECT ||
	    (attr.fsx_xflags & FS_XFLAG_PROJINHERIT) == 0 ||
	    now.size_bytes != request->size_bytes ||
	    now.inodes != request->inodes + QUOTA_PROJECT_OWN_INODES)
		return err_set(err, ERR_SETUP, 0,
			       "rootfs.writable: its project quota reads back as %llu bytes and "
			       "%llu inodes",
			       (unsigned long long)now.size_bytes, (unsigned long long)now.inodes);
	return 0;
}

/* ---- directories ---- */

/* Calls fn for each name in the directory, until it says otherwise. What is in there is a
 * workload's, and any number of names: none is kept. fn may remove or make some meanwhile, so that
 * not all need to be seen. Returns how many, or -errno. */
static int each_name(int dir_fd, int (*fn)(void *ctx, int dir_fd, const char *name), void *ctx)
{
	int copy = sys_openat(dir_fd, ".", DIR_FLAGS, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int r = 0, n = 0;

	if (dir == NULL) {
		r = copy < 0 ? copy : -ENOMEM;
		close_fd(&copy);
		return r;
	}
	while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		n = n < INT_MAX ? n + 1 : n;
		r = fn(ctx, dir_fd, entry->d_name);
	}
	if (r == 0 && errno != 0)
		r = -errno;
	closedir(dir);
	return r < 0 ? r : n;
}

struct emptying {
	int top_fd;
	uint64_t n_lifted;
};

/* A file goes; a directory goes where it is empty, else it comes to the top under a name of ours,
 * so that no tree is too deep. */
static int lift_one(void *ctx, int from_fd, const char *name)
{
	struct emptying *e = ctx;
	char above[32];
	int r;

	if (unlinkat(from_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(from_fd, name, AT_REMOVEDIR) == 0)
		return 0;
	/* What is at the top may be called so, by whoever wrote it: the next number is as good. */
	do {
		str_format(above, sizeof(above), "lifted.%llu", (unsigned long long)e->n_lifted++);
		r = renameat2(from_fd, name, e->top_fd, above, RENAME_NOREPLACE) != 0 ? -errno : 0;
	} while (r == -EEXIST && e->n_lifted < UINT64_MAX);
	return r == -ENOENT ? 0 : r;
}

static int remove_top(void *ctx, int top_fd, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(top_fd, name, DIR_FLAGS, 0);
	int r = fd >= 0 ? each_name(fd, lift_one, ctx) : 0;

	if (r < 0)
		return r;
	return unlinkat(top_fd, name, fd >= 0 ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT &&
			       errno != ENOTEMPTY
		       ? -errno
		       : 0;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Removes all that is in the directory. Until nothing is: those who are about to end may still make
 * something. Whoever goes on for longer is somebody else's, with a descriptor of it. */
int quota_empty_directory(int top_fd)
{
	struct emptying e = {.top_fd = top_fd};
	time_t until = seconds() + PATIENCE_S;

	for (;;) {
		int n = each_name(top_fd, remove_top, &e);

		if (n <= 0)
			return n;
		if (seconds() > until)
			return -ETIMEDOUT;
	}
}

static int open_projects(const struct quota_request *request)
{
	if (mkdirat(request->dir_fd, dir_name, 0700) != 0 && errno != EEXIST)
		return -errno;
	return sys_openat(request->dir_fd, dir_name, DIR_FLAGS, 0);
}

int quota_open_own(int at_fd, const char *path, struct err *err)
{
	return at_fd < 0 && at_fd != AT_FDCWD
		       ? at_fd
		       : own_dir_open(at_fd, path, false,
				      "Set its owner and mode 0700, or remove it.", err);
}

/* Whether the directory is of that project, and so what is in it. */
static bool has_project(int fd, uint32_t id)
{
	struct fsxattr attr;

	return ioctl(fd, FS_IOC_FSGETXATTR, &attr) == 0 && attr.fsx_projid == id;
}

bool quota_project_is_in_use(int fd, uint32_t id)
{
	struct quota_size limit, used;
	int r = quota_project_read(fd, id, &limit, &used);

	return r < 0 ? r != -ENOENT : used.inodes > 1;
}

static bool parse_id(const char *name, uint32_t *ret)
{
	uint64_t id;

	if (parse_u64(name, &id) < 0 || id < QUOTA_FIRST_PROJECT || id > UINT32_MAX)
		return false;
	*ret = (uint32_t)id;
	return true;
}

/* Opened and locked: whoever had it is gone. -EWOULDBLOCK where it is somebody's. */
static int take(int projects_fd, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(projects_fd, name, DIR_FLAGS, 0);
	struct stat st, named;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return -errno;
	/* gc may have removed it in between. */
	if (fstat(fd, &st) != 0 || fstatat(projects_fd, name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    st.st_ino != named.st_ino)
		return -ENOENT;
	return steal_fd(&fd);
}

static int take_left(int projects_fd, uint32_t *ret_id)
{
	struct store_names names = {0};
	int fd = -ENOENT;

	if (store_names_read(projects_fd, false, &names) < 0)
		return -ENOENT;
	for (size_t i = 0; fd < 0 && i < names.n; i++) {
		if (!parse_id(names.list[i], ret_id))
			continue;
		fd = take(projects_fd, names.list[i]);
		if (fd >= 0 && (!has_project(fd, *ret_id) || quota_empty_directory(fd) < 0 ||
				quota_project_is_in_use(fd, *ret_id)))
			close_fd(&fd);
	}
	store_names_release(&names);
	return fd;
}

int quota_project_choose(uint32_t *ret_id)
{
	uint32_t id;

#ifdef CORDON_FAULTS
	const char *wanted = getenv("CORDON_PROJECT_ID");
	uint64_t number;

	/* Test builds only: the first that is tried, as if it had come up by chance. */
	if (wanted != NULL && parse_u64(wanted, &number) == 0) {
		unsetenv("CORDON_PROJECT_ID");
		*ret_id = (uint32_t)number;
		return 0;
	}
#endif
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -EIO;
	*ret_id = QUOTA_FIRST_PROJECT + (id & MASK_ID);
	return 0;
}

static int take_new(int projects_fd, uint32_t *ret_id)
{
	char name[ID_SIZE];

	for (int i = 0; i < TRIES; i++) {
		uint32_t id;
		int fd, r = quota_project_choose(&id);

		if (r < 0)
			return r;
		str_format(name, sizeof(name), "%u", id);
		if (!quota_project_is_free(projects_fd, id))
			continue;
		if (mkdirat(projects_fd, name, 0755) != 0 && errno != EEXIST)
			return -errno;
		fd = take(projects_fd, name);
		if (fd >= 0) {
			*ret_id = id;
			return fd;
		}
	}
	return -EBUSY;
}

int quota_project_mount(int dir_fd)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				  .propagation = MS_PRIVATE};
	_cleanup_fd_ int fd =
		sys_open_tree(dir_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	int r = fd < 0 ? fd : sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);

	return r < 0 ? r : steal_fd(&fd);
}

int quota_project_make(const struct quota_request *request, int *ret_dir_fd, int *ret_mount_fd,
		       struct err *err)
{
	_cleanup_fd_ int projects_fd = open_projects(request);
	_cleanup_fd_ int dir_fd = -EBADF, mount_fd = -EBADF;
	uint32_t id = 0;
	int r = projects_fd < 0 ? projects_fd : 0;

	if (r == 0) {
		dir_fd = take_left(projects_fd, &id);
		if (dir_fd < 0)
			dir_fd = take_new(projects_fd, &id);
		r = dir_fd < 0 ? dir_fd : 0;
	}
	if (r == 0 && fchmod(dir_fd, 0755) != 0)
		r = -errno;
	if (r == 0)
		r = quota_project_limit(dir_fd, id,
					&(struct quota_size){request->size_bytes,
							     request->inodes +
								     QUOTA_PROJECT_OWN_INODES});
	if (r == 0)
		r = quota_project_join(dir_fd, id);
	if (r == 0)
		r = quota_make_directories(request, dir_fd);
	if (r == 0) {
		mount_fd = quota_project_mount(dir_fd);
		r = mount_fd < 0 ? mount_fd : 0;
	}
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/%s: a directory with a project quota",
			       request->dir_path, dir_name);
	*ret_dir_fd = steal_fd(&dir_fd);
	*ret_mount_fd = steal_fd(&mount_fd);
	return 0;
}

int quota_project_end(int dir_fd, struct err *err)
{
	int r = quota_empty_directory(dir_fd);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "rootfs.writable: remove what was written") : 0;
}

/* ---- gc ---- */

static int remove_one(int projects_fd, const char *name, uint32_t id)
{
	_cleanup_fd_ int fd = take(projects_fd, name);
	int r = fd < 0 ? fd : 0;

	/* One that was cut short before it had its project is empty. */
	if (r == 0 && has_project(fd, id))
		r = quota_empty_directory(fd);
	if (r == 0 && quota_project_is_in_use(fd, id))
		return 0;
	if (r == 0)
		r = quota_project_limit(fd, id, &(struct quota_size){0});
	if (r == 0 && unlinkat(projects_fd, name, AT_REMOVEDIR) != 0)
		r = -errno;
	return r == -EWOULDBLOCK || r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int quota_project_gc(const char *kept_path, const char *name, uint32_t *ret_removed,
		     struct err *err)
{
	/* Each is looked at: whoever may write to one of them could lead to somebody else's. */
	_cleanup_fd_ int kept_fd = quota_open_own(AT_FDCWD, kept_path, err);
	_cleanup_fd_ int place_fd = kept_fd < 0 ? kept_fd : quota_open_own(kept_fd, name, err);
	_cleanup_fd_ int projects_fd =
		place_fd < 0 ? place_fd : quota_open_own(place_fd, dir_name, err);
	struct store_names names = {0};
	int r, result = 0;

	*ret_removed = 0;
	if (projects_fd < 0)
		return projects_fd == -ENOENT ? 0 : err_wrap(err, "%s", kept_path);
	r = store_names_read(projects_fd, false, &names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		uint32_t id;
		int removed = parse_id(names.list[i], &id)
				      ? remove_one(projects_fd, names.list[i], id)
				      : 0;

		*ret_removed += removed > 0;
		result = removed < 0 ? removed : result;
	}
	store_names_release(&names);
	r = r < 0 ? r : result;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s/%s: remove what ended runs left",
			       kept_path, name, dir_name)
		     : 0;
}
