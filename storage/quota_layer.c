/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A layer that is kept: an ext4 with a journal in a file beside its sandbox's record, or a
 * volume's; see quota.h.
 *
 * A second device with the same file system would destroy it. The lock is of the open file that the
 * loop device is given, and the device has that as long as anything has the mount: also where a
 * keeper was killed and its sandbox's namespace is still being taken down.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota.h"
#include "storage/store.h"

enum { LOCK_TRIES = 1000, CORRECTED = 1 };

/* ---- lock ---- */

static int take_lock(const struct quota_request *request, int file, struct err *err)
{
	const struct timespec moment = {.tv_nsec = 10000000};
	int r = -EWOULDBLOCK;

	for (int i = 0; i < LOCK_TRIES && r == -EWOULDBLOCK; i++) {
		if (i > 0)
			nanosleep(&moment, NULL);
		r = flock(file, LOCK_EX | LOCK_NB) == 0 ? 0 : -errno;
	}
	if (r == 0)
		return 0;
	err_set(err, ERR_SETUP, -r, "%s: lock", request->layer_what);
	return err_hint(err, "A loop device still has it: see losetup, and who uses its mount.");
}

/* ---- one that is there ---- */

static int refuse(const struct quota_request *request, const char *what, struct err *err)
{
	err_set(err, ERR_SETUP, 0, "%s %s", request->layer_what, what);
	return err_hint(err, "%s", request->layer_anew);
}

/* 1: it is smaller than it may be. */
static int look_at(const struct quota_request *request, int file, struct err *err)
{
	struct stat st;

	if (fstat(file, &st) != 0)
		return err_set(err, ERR_SETUP, errno, "%s", request->layer_what);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 07777) != 0600 || st.st_nlink != 1 ||
	    st.st_uid != request->checker_id)
		return refuse(request, "is not the file that cordon made", err);
	if ((uint64_t)st.st_size > request->size_bytes + QUOTA_JOURNAL_BYTES)
		return refuse(request, "is larger than its size, and cannot be made smaller", err);
	return (uint64_t)st.st_size < request->size_bytes + QUOTA_JOURNAL_BYTES;
}

/* Replays the journal and repairs what can be repaired without a question. */
static int check(const struct quota_request *request, int file, struct err *err)
{
	const char *const argv[] = {quota_program_path("e2fsck"), "-p", "/proc/self/fd/3", NULL};
	char said[QUOTA_SAID_MAX];
	int r;

	if (argv[0] == NULL) {
		err_set(err, ERR_SETUP, ENOENT, "e2fsck, which looks at %s", request->layer_what);
		return err_hint(err, "Install e2fsprogs.");
	}
	r = quota_program_run(argv, file, request->checker_id, said);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "e2fsck of %s", request->layer_what);
	if ((r & ~CORRECTED) == 0)
		return 0;
	err_set(err, ERR_SETUP, 0, "%s is damaged (e2fsck: %d, %s)", request->layer_what, r, said);
	return err_hint(
		err,
		"See what it says: e2fsck -n on the file `%s` beside its record. Otherwise: %s",
		request->layer_name, request->layer_anew);
}

/* ---- a new one ---- */

/* What it may take, the host must have: nothing is reserved. */
static int check_room(const struct quota_request *request, struct err *err)
{
	struct statfs fs;

	if (fstatfs(request->layer_dir_fd, &fs) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: its file system", request->layer_what);
	if ((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >=
	    request->size_bytes + QUOTA_JOURNAL_BYTES)
		return 0;
	err_set(err, ERR_SETUP, ENOSPC,
		"%s: it may take %llu MiB, and its file system has %llu left", request->layer_what,
		(unsigned long long)request->size_bytes >> 20,
		((unsigned long long)fs.f_bavail * (unsigned long long)fs.f_bsize) >> 20);
	return err_hint(err, "Make room, or ask for less: cordon rm, and cordon create with a "
			     "smaller --storage-opt size=.");
}

static int make_layer(const struct quota_request *request, struct err *err)
{
	_cleanup_fd_ int file =
		sys_openat(request->layer_dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	_cleanup_fd_ int model = -EBADF;
	char path[64];
	int r;

	if (file < 0)
		return err_set(err, ERR_SETUP, -file, "%s: make it", request->layer_what);
	r = check_room(request, err);
	if (r == 0)
		r = take_lock(request, file, err);
	if (r < 0)
		return r;
	model = quota_template_open(request, file, err);
	if (model < 0)
		return model;
	r = quota_template_put(model, file);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: copy the template", request->layer_what);
	r = quota_preallocate(request, file, err);
	if (r < 0)
		return r;
	/* It has its name when it is whole and on the disk. */
	str_format(path, sizeof(path), "/proc/self/fd/%d", file);
	if (fchown(file, request->checker_id, request->checker_id) != 0 || fsync(file) != 0 ||
	    linkat(AT_FDCWD, path, request->layer_dir_fd, request->layer_name, AT_SYMLINK_FOLLOW) !=
		    0 ||
	    fsync(request->layer_dir_fd) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: make it", request->layer_what);
	return steal_fd(&file);
}

/* ---- one that is to be larger ---- */

static int run_on(const struct quota_request *request, const char *const argv[], const char *name,
		  int file, struct err *err)
{
	char said[QUOTA_SAID_MAX];
	int r = argv[0] == NULL ? -ENOENT
				: quota_program_run(argv, file, request->checker_id, said);

	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "%s, which makes %s larger", name, request->layer_what);
		return r != -ENOENT ? r : err_hint(err, "Install e2fsprogs.");
	}
	if (r == 0 || (r == CORRECTED && str_equal(name, "e2fsck")))
		return 0;
	err_set(err, ERR_SETUP, 0, "%s cannot be made larger (%s: %d, %s)", request->layer_what,
		name, r, said);
	return err_hint(err, "Nothing was changed. With the size of before it can be started: "
			     "cordon update --storage-opt size=SIZE.");
}

/* resize2fs moves what is in its way without a journal: what breaks off would be damaged. So it
 * works on a copy, which takes the layer's place when it is whole and on the disk. */
static int grow_copy(const struct quota_request *request, int file, int copy, struct err *err)
{
	const char *const checks[] = {quota_program_path("e2fsck"), "-f", "-p", "/proc/self/fd/3",
				      NULL};
	const char *const grows[] = {quota_program_path("resize2fs"), "/proc/self/fd/3", NULL};
	int r = fchown(copy, request->checker_id, request->checker_id) != 0 ? -errno : 0;

	if (r == 0)
		r = quota_template_put(file, copy);
	if (r == 0 && ftruncate(copy, (off_t)(request->size_bytes + QUOTA_JOURNAL_BYTES)) != 0)
		r = -errno;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: copy it", request->layer_what);
	r = run_on(request, checks, "e2fsck", copy, err);
	return r == 0 ? run_on(request, grows, "resize2fs", copy, err) : r;
}

static int replace(const struct quota_request *request, int copy)
{
	char path[64], name[64];

	str_format(path, sizeof(path), "/proc/self/fd/%d", copy);
	str_format(name, sizeof(name), "%s.new", request->layer_name);
	if (unlinkat(request->layer_dir_fd, name, 0) != 0 && errno != ENOENT)
		return -errno;
	if (fsync(copy) != 0 ||
	    linkat(AT_FDCWD, path, request->layer_dir_fd, name, AT_SYMLINK_FOLLOW) != 0)
		return -errno;
	store_step("layer-"
		   "grown");
	if (renameat(request->layer_dir_fd, name, request->layer_dir_fd, request->layer_name) !=
		    0 ||
	    fsync(request->layer_dir_fd) != 0)
		return -errno;
	return 0;
}

static int grow(const struct quota_request *request, int *file, struct err *err)
{
	_cleanup_fd_ int copy =
		sys_openat(request->layer_dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r;

	if (copy < 0)
		return err_set(err, ERR_SETUP, -copy, "%s: make it larger", request->layer_what);
	r = check_room(request, err);
	if (r == 0)
		r = take_lock(request, copy, err);
	if (r == 0)
		r = grow_copy(request, *file, copy, err);
	if (r < 0)
		return r;
	r = replace(request, copy);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: make it larger", request->layer_what);
	close_fd(file);
	*file = steal_fd(&copy);
	return 0;
}

static int open_layer(const struct quota_request *request, struct err *err)
{
	_cleanup_fd_ int file = sys_openat(request->layer_dir_fd, request->layer_name,
					   O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	int r, grows;

	if (file == -ENOENT)
		return make_layer(request, err);
	if (file < 0)
		return err_set(err, ERR_SETUP, -file, "%s", request->layer_what);
	grows = look_at(request, file, err);
	r = grows < 0 ? grows : take_lock(request, file, err);
	if (r == 0)
		r = grows > 0 ? grow(request, &file, err) : check(request, file, err);
	/* It may be asked for later than it was made. */
	if (r == 0)
		r = quota_preallocate(request, file, err);
	return r < 0 ? r : steal_fd(&file);
}

int quota_layer_mount(const struct quota_request *request, int *ret_mount_fd, bool *ret_is_old,
		      struct err *err)
{
	_cleanup_fd_ int file = open_layer(request, err);
	_cleanup_fd_ int mount_fd = -EBADF;
	int r = file < 0 ? file : quota_loop_mount(request, file, -EBADF, &mount_fd, err);

	if (r < 0)
		return r;
	r = quota_make_directories(request, mount_fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: its directories", request->layer_what);
	*ret_is_old = r > 0;
	*ret_mount_fd = steal_fd(&mount_fd);
	return 0;
}

/* ---- one that several have ---- */

/* Either a device has it, or the lock can be had; or it is just going away. 1: shared. */
static int share_or_lock(const struct quota_request *request, int file, int *ret_mount_fd,
			 struct err *err)
{
	const struct timespec moment = {.tv_nsec = 10000000};

	for (int i = 0; i < LOCK_TRIES; i++) {
		int r = quota_loop_share(request, file, ret_mount_fd, err);

		if (r != -ENOENT)
			return r == 0 ? 1 : r;
		if (flock(file, LOCK_EX | LOCK_NB) == 0)
			return 0;
		nanosleep(&moment, NULL);
	}
	return take_lock(request, file, err);
}

static int open_file(const struct quota_request *request, int how, struct err *err)
{
	_cleanup_fd_ int file = sys_openat(request->layer_dir_fd, request->layer_name,
					   how | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	int r = file < 0 ? err_set(err, ERR_SETUP, -file, "%s", request->layer_what)
			 : look_at(request, file, err);

	if (r > 0)
		r = refuse(request, "is smaller than its size", err);
	return r < 0 ? r : steal_fd(&file);
}

int quota_layer_share(const struct quota_request *request, int *ret_mount_fd, struct err *err)
{
	_cleanup_fd_ int file = open_file(request, O_RDWR, err);
	int r = file < 0 ? file : share_or_lock(request, file, ret_mount_fd, err);

	if (r == 0) {
		r = check(request, file, err);
		if (r == 0)
			r = quota_loop_mount(request, file, -EBADF, ret_mount_fd, err);
	}
	return r < 0 ? r : 0;
}

int quota_layer_add(const struct quota_request *request, struct err *err)
{
	_cleanup_fd_ int file = make_layer(request, err);

	return file < 0 ? file : 0;
}
