/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An ext4 in a file, on a loop device, mounted nowhere; see quota.h. */
#include "storage/quota.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

enum { TRIES = 200, PATH_SIZE = 32 };

/* ---- loop device ---- */

static void pause_a_moment(void)
{
	const struct timespec moment = {.tv_nsec = 2000000};

	nanosleep(&moment, NULL);
}

/* One try. Returns the device's descriptor, -EAGAIN where another process was quicker, or -errno.
 */
static int try_loop(int control, int file, char path[PATH_SIZE])
{
	struct loop_config config = {.fd = (__u32)file, .block_size = QUOTA_BLOCK};
	int number = ioctl(control, LOOP_CTL_GET_FREE);
	_cleanup_fd_ int fd = -EBADF;

	if (number < 0)
		return -errno;
	str_format(path, PATH_SIZE, "/dev/loop%d", number);
	fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	/* A new one's node comes a moment later. */
	if (fd == -ENOENT || fd == -ENXIO) {
		pause_a_moment();
		return -EAGAIN;
	}
	if (fd < 0)
		return fd;
	/* Until the mount, which nobody else can open for himself, udev keeps away from it
	 * (https://systemd.io/BLOCK_DEVICE_LOCKING): a workload can have made what it wrote look
	 * like a part of a RAID. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	/* AUTOCLEAR: it goes with whoever has it open last. DIRECT_IO: the kernel leaves it out
	 * where the file cannot. */
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
	if (ioctl(fd, LOOP_CONFIGURE, &config) != 0)
		return errno == EBUSY ? -EAGAIN : -errno;
	return steal_fd(&fd);
}

/* It is this file's, and will go by itself. */
static int check_loop(int loop, int file)
{
	struct loop_info64 info;
	struct stat st;

	if (fstat(file, &st) != 0 || ioctl(loop, LOOP_GET_STATUS64, &info) != 0)
		return -errno;
	return info.lo_inode == st.st_ino && (info.lo_flags & LO_FLAGS_AUTOCLEAR) != 0 ? 0
										       : -EBADFD;
}

static int attach_loop(int file, char path[PATH_SIZE], struct err *err)
{
	_cleanup_fd_ int control = sys_openat(AT_FDCWD, "/dev/loop-control", O_RDWR | O_CLOEXEC, 0);
	_cleanup_fd_ int loop = -EAGAIN;
	int r;

	if (control < 0) {
		err_set(err, ERR_SETUP, -control, "/dev/loop-control");
		return err_hint(err, "As root: modprobe loop. A root does without: "
				     "`rootfs.writable.store: tmpfs`.");
	}
	for (int i = 0; loop == -EAGAIN && i < TRIES; i++)
		loop = try_loop(control, file, path);
	if (loop < 0) {
		err_set(err, ERR_SETUP, -loop, "%s: a loop device", path);
		return err_hint(err, "Where /dev is not the kernel's own (a container's), it lacks "
				     "the node; a root does without: "
				     "`rootfs.writable.store: tmpfs`.");
	}
	r = check_loop(loop, file);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: read back", path);
	return steal_fd(&loop);
}

/* ---- mount ---- */

/*
 * nobarrier: nothing of one that is thrown away has to outlive the run, so an fsync inside is no
 * flush of the host's disk. noinit_itable: no thread of the kernel's fills tables that nobody will
 * use. discard: what a kept one has removed, the host has back, unless it was to be reserved.
 */
static int mount_ext4(const struct quota_request *request, const char *device)
{
	const bool gives_back = request->is_kept && !request->preallocates;
	const char *const flags[] = {request->is_kept ? "barrier" : "nobarrier",
				     gives_back ? "discard" : "nodiscard", "noinit_itable"};
	_cleanup_fd_ int fs = sys_fsopen("ext4", FSOPEN_CLOEXEC);
	int r;

	if (fs < 0)
		return fs;
	r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", device, 0);
	for (size_t i = 0; r == 0 && i < sizeof(flags) / sizeof(flags[0]); i++)
		r = sys_fsconfig(fs, FSCONFIG_SET_FLAG, flags[i], NULL, 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "errors", "remount-ro", 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	return sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/*
 * LOOP_CONFIGURE flushes its file, and a device that reads past the cache has its blocks written
 * before it reads them. So the file is a hole, and the template goes into the device's own cache.
 */
int quota_loop_mount(const struct quota_request *request, int file, int template_fd,
		     int *ret_mount_fd, struct err *err)
{
	char path[PATH_SIZE] = "";
	_cleanup_fd_ int loop = attach_loop(file, path, err);
	int fd, r;

	if (loop < 0)
		return loop;
	r = template_fd >= 0 ? quota_template_put(template_fd, loop) : 0;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: write the template", path);
	fd = mount_ext4(request, path);
	if (fd < 0) {
		err_set(err, ERR_SETUP, -fd, "%s: mount its ext4", path);
		return fd != -ENODEV ? fd : err_hint(err, "As root: modprobe ext4.");
	}
	*ret_mount_fd = fd;
	return 0;
}

/* Of the super block that the device has already the kernel makes a further mount. */
static int share_device(const struct quota_request *request, const char *name, int file,
			int *ret_mount_fd, struct err *err)
{
	struct loop_info64 info;
	struct stat st;
	_cleanup_fd_ int loop = -EBADF;
	char path[PATH_SIZE];
	int fd;

	if (str_format(path, sizeof(path), "/dev/%s", name) == sizeof(path) - 1)
		return -ENOENT;
	loop = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (loop < 0 || fstat(file, &st) != 0 || ioctl(loop, LOOP_GET_STATUS64, &info) != 0 ||
	    info.lo_inode != st.st_ino || info.lo_device != st.st_dev || info.lo_offset != 0)
		return -ENOENT;
	/* As long as it is open here it stays this file's. */
	fd = mount_ext4(request, path);
	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s: mount its ext4 once more", path);
	*ret_mount_fd = fd;
	return 0;
}

int quota_loop_share(const struct quota_request *request, int file, int *ret_mount_fd,
		     struct err *err)
{
	DIR *dir = opendir("/sys/block");
	const struct dirent *entry;
	int r = -ENOENT;

	while (dir != NULL && r == -ENOENT && (entry = readdir(dir)) != NULL) {
		char path[NAME_MAX + 32];

		/* Those that have a file have that. */
		str_format(path, sizeof(path), "/sys/block/%s/loop", entry->d_name);
		if (str_has_prefix(entry->d_name, "loop") && access(path, F_OK) == 0)
			r = share_device(request, entry->d_name, file, ret_mount_fd, err);
	}
	if (dir != NULL)
		closedir(dir);
	return r;
}

/* ---- all of it ---- */

static int make_directory(const struct quota_request *request, int mount_fd, const char *name)
{
	if (mkdirat(mount_fd, name, 0755) != 0)
		return errno == EEXIST ? 1 : -errno;
	if (fchmodat(mount_fd, name, 0755, 0) != 0 ||
	    fchownat(mount_fd, name, request->uid, request->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return 0;
}

int quota_make_directories(const struct quota_request *request, int mount_fd)
{
	/* The last one is upper: where it is there, all is. */
	int r = make_directory(request, mount_fd, QUOTA_WORK);

	return r < 0 ? r : make_directory(request, mount_fd, QUOTA_UPPER);
}

int quota_preallocate(const struct quota_request *request, int file, struct err *err)
{
	struct stat st;

	if (!request->preallocates)
		return 0;
	if (fstat(file, &st) == 0 && fallocate(file, 0, 0, st.st_size) == 0)
		return 0;
	err_set(err, ERR_SETUP, errno, "rootfs.writable.preallocate: take %llu bytes from %s",
		(unsigned long long)request->size_bytes, request->dir_path);
	return err_hint(err, "Make room there, or ask for a smaller rootfs.writable.size.");
}

int quota_image_make(const struct quota_request *request, int *ret_mount_fd, struct err *err)
{
	_cleanup_fd_ int file =
		sys_openat(request->dir_fd, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	_cleanup_fd_ int model = -EBADF, mount_fd = -EBADF;
	int r;

	if (file < 0)
		return err_set(err, ERR_SETUP, -file, "%s: a file without a name",
			       request->dir_path);
	model = quota_template_open(request, file, err);
	if (model < 0)
		return model;
	r = quota_preallocate(request, file, err);
	if (r == 0)
		r = quota_loop_mount(request, file, model, &mount_fd, err);
	if (r < 0)
		return r;
	r = quota_make_directories(request, mount_fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: make the directories of a new file system",
			       request->dir_path);
	*ret_mount_fd = steal_fd(&mount_fd);
	return 0;
}

int quota_image_size(int mount_fd, struct quota_size *ret, struct err *err)
{
	struct statfs fs;

	if (fstatfs(mount_fd, &fs) != 0)
		return err_set(err, ERR_SETUP, errno, "rootfs.writable: read back its size");
	if (fs.f_type != EXT4_SUPER_MAGIC)
		return err_set(err, ERR_SETUP, EBADFD, "rootfs.writable: is no ext4");
	*ret = (struct quota_size){
		.size_bytes = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize,
		.inodes = fs.f_files > QUOTA_OWN_INODES ? fs.f_files - QUOTA_OWN_INODES : 0,
	};
	return 0;
}

int quota_open_existing(const char *path)
{
	char place[PATH_MAX];
	size_t len = str_format(place, sizeof(place), "%s", path);
	int fd;

	for (;;) {
		fd = sys_openat(AT_FDCWD, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
		if (fd != -ENOENT || len <= 1)
			return fd;
		while (len > 1 && place[len - 1] != '/')
			len--;
		len -= len > 1 ? 1 : 0;
		place[len] = '\0';
	}
}

static int open_nameless(const char *path)
{
	_cleanup_fd_ int dir = quota_open_existing(path);

	return dir < 0 ? dir : sys_openat(dir, ".", O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
}

int quota_preallocate_probe(const char *path)
{
	_cleanup_fd_ int fd = open_nameless(path);

	if (fd < 0)
		return fd;
	return fallocate(fd, 0, 0, QUOTA_BLOCK) == 0 ? 0 : -errno;
}

int quota_image_probe(const char *path, uint64_t *ret_free_bytes)
{
	_cleanup_fd_ int fd = open_nameless(path);
	struct statfs fs;

	if (fd < 0)
		return fd;
	if (fstatfs(fd, &fs) != 0)
		return -errno;
	*ret_free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	return 0;
}
