/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: an empty file system of each size that was asked for, made once, and its copies; see
 * quota.h. A template is a cache: whoever finds none makes one, in a file without a name that gets
 * its name when it is whole and on the disk. So one that was cut short never has been there.
 *
 * A copy goes to a file, or to a loop device: there it stays in the device's own cache until the
 * kernel writes it back, and a mount finds it without waiting for a disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota.h"
#include "storage/store.h"

enum {
	DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	NAME_SIZE = 64,
	CHUNK = 4 * QUOTA_BLOCK,
	TEMPLATES_MAX = 64, /* of those beyond it the first in the list goes */
	DAY = 24 * 60 * 60,
	UNUSED_DAYS = 30,
};

static const char dir_name[] = "templates";

static uint64_t file_size(const struct quota_request *request)
{
	return request->size_bytes + (request->is_kept ? QUOTA_JOURNAL_BYTES : 0);
}

static int open_templates(const struct quota_request *request, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (mkdirat(request->dir_fd, dir_name, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s/%s: make the directory",
			       request->dir_path, dir_name);
	fd = sys_openat(request->dir_fd, dir_name, DIR_FLAGS, 0);
	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s/%s", request->dir_path, dir_name);
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(err, ERR_SETUP, EPERM, "%s/%s: is not the caller's alone",
			       request->dir_path, dir_name);
	return steal_fd(&fd);
}

/* ---- making one ---- */

static int refuse_mke2fs(const struct quota_request *request, int result, const char *said,
			 struct err *err)
{
	if (result < 0)
		return err_set(err, ERR_SETUP, -result, "mke2fs");
	err_set(err, ERR_SETUP, 0, "mke2fs makes no file system of %llu bytes with %llu inodes: %s",
		(unsigned long long)request->size_bytes, (unsigned long long)request->inodes,
		result == 127 ? "it cannot be executed" : said);
	return err_hint(err, "Ask for a larger size (rootfs.writable.size) or fewer "
			     "inodes.");
}

/*
 * Fixed features, so that a template is the same whatever the host's mke2fs.conf says, and none
 * that gives a workload more to do than files: a journal only where it is kept, no
 * encryption, verity or online growth. Errors make it read-only; the default may be anything.
 */
static int make_file_system(const struct quota_request *request, int file, struct err *err)
{
	static const char journal[] = "none,has_journal,filetype,extents,sparse_super,large_file,"
				      "huge_file,flex_bg,dir_nlink,extra_isize,64bit,"
				      "metadata_csum,dir_index,ext_attr";
	/* One that is thrown away is never repaired: it has no copies of its super block. */
	static const char plain[] = "none,filetype,extents,sparse_super2,large_file,huge_file,"
				    "flex_bg,dir_nlink,extra_isize,64bit,metadata_csum,"
				    "dir_index,ext_attr";
	static const char lazy[] = "lazy_itable_init=1,nodiscard,root_owner=0:0";
	static const char bare[] = "lazy_itable_init=1,nodiscard,root_owner=0:0,num_backup_sb=0";
	char inodes[24], said[QUOTA_SAID_MAX];
	const char *argv[] = {quota_program_path("mke2fs"),
			      "-q",
			      "-F",
			      "-t",
			      "ext4",
			      "-O",
			      request->is_kept ? journal : plain,
			      "-E",
			      request->is_kept ? lazy : bare,
			      "-m",
			      "0",
			      "-b",
			      "4096",
			      "-I",
			      "256",
			      "-e",
			      "remount-ro",
			      "-N",
			      inodes,
			      "/proc/self/fd/3",
			      NULL, /* with a journal: its size */
			      NULL,
			      NULL};
	size_t n = sizeof(argv) / sizeof(argv[0]) - 4;
	int r;

	if (argv[0] == NULL) {
		err_set(err, ERR_SETUP, ENOENT, "mke2fs");
		return err_hint(err, "Install e2fsprogs, or take `rootfs.writable.store: tmpfs`.");
	}
	if (request->is_kept) {
		argv[n + 2] = argv[n];
		argv[n] = "-J";
		argv[n + 1] = "size=4";
	}
	str_format(inodes, sizeof(inodes), "%llu",
		   (unsigned long long)request->inodes + QUOTA_OWN_INODES);
	if (ftruncate(file, (off_t)file_size(request)) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: a file of %llu bytes", request->dir_path,
			       (unsigned long long)request->size_bytes);
	r = quota_program_run(argv, file, 0, said);
	return r != 0 ? refuse_mke2fs(request, r, said, err) : 0;
}

/* Sizes come from policies: there may be any number of them. */
static int make_room(int templates_fd)
{
	struct store_names names = {0};
	int r = store_names_read(templates_fd, false, &names);

	for (size_t i = 0; r == 0 && names.n >= TEMPLATES_MAX && i <= names.n - TEMPLATES_MAX; i++)
		if (unlinkat(templates_fd, names.list[i], 0) != 0 && errno != ENOENT)
			r = -errno;
	store_names_release(&names);
	return r;
}

/* Returns the descriptor. */
static int make_template(const struct quota_request *request, int templates_fd, const char *name,
			 struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(templates_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char path[64];
	int r;

	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s: a file without a name", request->dir_path);
	r = make_file_system(request, fd, err);
	if (r < 0)
		return r;
	if (fsync(fd) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: write a template to the disk",
			       request->dir_path);
	r = make_room(templates_fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/%s: make room", request->dir_path, dir_name);
	str_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* EEXIST: somebody else made the same meanwhile. */
	if (linkat(AT_FDCWD, path, templates_fd, name, AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s/%s/%s: give it its name",
			       request->dir_path, dir_name, name);
	return steal_fd(&fd);
}

/* ---- copies ---- */

/* The time of its last change is that of its last use, to a day. */
static void note_use(int fd, const struct stat *st)
{
	if (time(NULL) - st->st_mtim.tv_sec >= DAY)
		ignore_result(futimens(fd, NULL), "at worst it is made anew");
}

/* A template that is not what it should be is another file: it is made anew. */
static int open_template(const struct quota_request *request, int templates_fd, const char *name,
			 struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(templates_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    (uint64_t)st.st_size == file_size(request)) {
		note_use(fd, &st);
		return steal_fd(&fd);
	}
	if (fd >= 0 && unlinkat(templates_fd, name, 0) != 0 && errno != ENOENT)
		return err_set(err, ERR_SETUP, errno, "%s/%s/%s: remove", request->dir_path,
			       dir_name, name);
	if (fd < 0 && fd != -ENOENT)
		return err_set(err, ERR_SETUP, -fd, "%s/%s/%s", request->dir_path, dir_name, name);
	return make_template(request, templates_fd, name, err);
}

/* Whoever copies one that goes has it open. */
static int remove_unused(int templates_fd, const char *name)
{
	struct stat st;

	if (fstatat(templates_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (time(NULL) - st.st_mtim.tv_sec < (time_t)UNUSED_DAYS * DAY)
		return 0;
	if (unlinkat(templates_fd, name, 0) != 0)
		return errno == ENOENT ? 0 : -errno;
	return 1;
}

int quota_template_gc(const char *kept_path, const char *name, uint32_t *ret_removed,
		      struct err *err)
{
	_cleanup_fd_ int kept_fd = quota_open_own(AT_FDCWD, kept_path, err);
	_cleanup_fd_ int place_fd = kept_fd < 0 ? kept_fd : quota_open_own(kept_fd, name, err);
	_cleanup_fd_ int fd = place_fd < 0 ? place_fd : quota_open_own(place_fd, dir_name, err);
	struct store_names names = {0};
	int r, result = 0;

	*ret_removed = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : err_wrap(err, "%s", kept_path);
	r = store_names_read(fd, false, &names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		int removed = remove_unused(fd, names.list[i]);

		*ret_removed += removed > 0;
		result = removed < 0 ? removed : result;
	}
	store_names_release(&names);
	r = r < 0 ? r : result;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s/%s: remove what is not used", kept_path,
			       name, dir_name)
		     : 0;
}

/* [from, end) of one file into the other. Returns 0 or -errno. */
static int copy_range(int from_fd, int to_fd, off_t from, off_t end)
{
	while (from < end) {
		off_t to = from;
		ssize_t n = copy_file_range(from_fd, &from, to_fd, &to, (size_t)(end - from), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

/* The blocks of [from, end), but for those of zeros alone, with which mke2fs wipes the end of a
 * disk: what has not been written reads as zero. */
static int write_range(int from_fd, int device_fd, off_t from, off_t end)
{
	static const unsigned char zeros[CHUNK];
	unsigned char chunk[CHUNK];

	while (from < end) {
		size_t size = end - from < CHUNK ? (size_t)(end - from) : CHUNK;
		ssize_t n = pread(from_fd, chunk, size, from);

		if (n == (ssize_t)size && memcmp(chunk, zeros, size) != 0)
			n = pwrite(device_fd, chunk, size, from);
		if (n != (ssize_t)size)
			return n < 0 ? -errno : -EIO;
		from += n;
	}
	return 0;
}

static int put_range(int from_fd, int to_fd, off_t from, off_t end)
{
	struct stat st;

	if (fstat(to_fd, &st) != 0)
		return -errno;
	return S_ISBLK(st.st_mode) ? write_range(from_fd, to_fd, from, end)
				   : copy_range(from_fd, to_fd, from, end);
}

int quota_template_put(int template_fd, int to_fd)
{
	struct stat st;
	off_t at = 0;

	if (fstat(template_fd, &st) != 0)
		return -errno;
	while (at < st.st_size) {
		off_t data = lseek(template_fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(template_fd, data, SEEK_HOLE);
		int r;

		if (data < 0 && errno == ENXIO)
			return 0;
		r = hole < 0 ? -errno : put_range(template_fd, to_fd, data, hole);
		if (r < 0)
			return r;
		at = hole;
	}
	return 0;
}

int quota_template_open(const struct quota_request *request, int file, struct err *err)
{
	_cleanup_fd_ int templates_fd = open_templates(request, err);
	_cleanup_fd_ int fd = -EBADF;
	char name[NAME_SIZE];

	if (templates_fd < 0)
		return templates_fd;
	str_format(name, sizeof(name), "%llu.%llu%s", (unsigned long long)request->size_bytes,
		   (unsigned long long)request->inodes, request->is_kept ? ".journal" : "");
	fd = open_template(request, templates_fd, name, err);
	if (fd < 0)
		return fd;
	if (ftruncate(file, (off_t)file_size(request)) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: a file of %llu bytes", request->dir_path,
			       (unsigned long long)request->size_bytes);
	return steal_fd(&fd);
}
