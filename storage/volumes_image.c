/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volumes of limited size, and the files of any; see volume.h. As a layer that is kept such a
 * volume is an ext4 in a file (quota.h), but several sandboxes have it at once: who comes second
 * mounts the super block of the first. Its root is what is shown: of a mount that is attached
 * nowhere no older kernel lets a part be taken.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/own_dir.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota.h"
#include "storage/store.h"
#include "storage/volume.h"
#include "storage/volumes.h"

/* As whom e2fsck reads what workloads had the kernel write: nobody's id, nor a file's. */
#define CHECKER_ID (STORE_FOREIGN_FIRST + STORE_FOREIGN_COUNT - 1)

/* Of ext4's own, the root among them. */
enum { RESERVED_INODES = 10 };

struct image {
	struct quota_request request;
	char what[VOLUME_NAME_MAX + 16];
};

static void describe(const struct volume *volume, int dir_fd, struct image *ret)
{
	str_format(ret->what, sizeof(ret->what), "volume %s", volume->name);
	ret->request = (struct quota_request){
		.dir_fd = -EBADF,
		.dir_path = ret->what,
		.size_bytes = volume->size_bytes,
		.inodes = volume->inodes,
		.is_kept = true,
		.layer_dir_fd = dir_fd,
		.layer_name = VOLUME_IMAGE,
		.layer_what = ret->what,
		.layer_anew = "Restore a backup: cordon volume restore --replace.",
		.checker_id = CHECKER_ID,
	};
}

bool volume_has_image(const struct volume *volume)
{
	return volume->size_bytes > 0 && !volume->is_project;
}

int volume_check_size(const struct volume *volume, struct err *err)
{
	if (geteuid() != 0) {
		err_set(err, ERR_USAGE, EPERM,
			"volume %s: a limited size is a file system of its own, and only root may "
			"mount one",
			volume->name);
		return err_hint(err, "Memory of limited size, for one run, is a --tmpfs.");
	}
	if (volume->is_project)
		return volumes_check_project(volume, err);
	if (volume->size_bytes < QUOTA_KEPT_SIZE_MIN || volume->size_bytes % QUOTA_BLOCK != 0) {
		err_set(err, ERR_USAGE, 0, "volume %s: a size of %llu bytes", volume->name,
			(unsigned long long)volume->size_bytes);
		return err_hint(err, "It is 8 MiB or more, in blocks of 4 KiB.");
	}
	if (volume->inodes == 0 || volume->inodes > volume->size_bytes / QUOTA_INODE_BYTES / 2) {
		err_set(err, ERR_USAGE, 0, "volume %s: %llu inodes", volume->name,
			(unsigned long long)volume->inodes);
		return err_hint(err,
				"Each takes %d bytes of the size, and together not more than half.",
				QUOTA_INODE_BYTES);
	}
	return 0;
}

/* ---- mounting ---- */

/* mke2fs makes it, and e2fsck where it has to: it is root's, and no workload's. */
static void remove_lost_and_found(int mount_fd)
{
	static const char name[] = "lost+found";
	struct stat st;

	if (fstatat(mount_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
	    st.st_uid == 0 && unlinkat(mount_fd, name, AT_REMOVEDIR) != 0)
		errno = 0; /* what e2fsck has put there stays to be seen */
}

/* mke2fs fills the last block of each table of inodes. */
static int verify(const struct volume *volume, int mount_fd, struct err *err)
{
	struct quota_size size;
	int r = quota_image_size(mount_fd, &size, err);

	if (r < 0)
		return r;
	if (size.size_bytes <= volume->size_bytes && size.inodes >= volume->inodes &&
	    size.inodes <= volume->inodes + volume->inodes / 8 + QUOTA_INODES_IN_BLOCK)
		return 0;
	return err_set(err, ERR_SETUP, EBADFD, "reads back as %llu bytes and %llu inodes",
		       (unsigned long long)size.size_bytes, (unsigned long long)size.inodes);
}

int volumes_mount(const struct volume *volume, int dir_fd, struct err *err)
{
	_cleanup_fd_ int gate_fd = sys_openat(dir_fd, VOLUME_MOUNTING,
					      O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	_cleanup_fd_ int mount_fd = -EBADF;
	struct image image;
	int r = gate_fd < 0 ? gate_fd : volumes_flock(gate_fd, LOCK_EX);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "volume %s: lock", volume->name);
	describe(volume, dir_fd, &image);
	r = quota_layer_share(&image.request, &mount_fd, err);
	volumes_step("mounted");
	if (r == 0)
		r = verify(volume, mount_fd, err);
	if (r < 0)
		return r;
	remove_lost_and_found(mount_fd);
	return steal_fd(&mount_fd);
}

int volumes_open_data(const struct volume *volume, int dir_fd, struct err *err)
{
	_cleanup_fd_ int mount_fd = -EBADF;
	int fd;

	if (volume->is_project)
		return volumes_open_project(volume, dir_fd, err);
	if (volume_has_image(volume)) {
		mount_fd = volumes_mount(volume, dir_fd, err);
		if (mount_fd < 0)
			return mount_fd;
	}
	fd = mount_fd >= 0 ? sys_openat(mount_fd, ".", VOLUMES_DIR_FLAGS, 0)
			   : sys_openat(dir_fd, VOLUME_DATA, VOLUMES_DIR_FLAGS, 0);
	return fd < 0 ? err_set(err, ERR_SETUP, -fd, "volume %s: its files", volume->name) : fd;
}

/* ---- making ---- */

int volumes_make_image(const struct volumes *volumes, const struct volume *volume, int dir_fd,
		       struct err *err)
{
	static const char hint[] = "Set its owner and mode 0700.";
	/* Where roots have their templates, too (launcher/upper.c). */
	_cleanup_fd_ int place_fd = own_dir_open(volumes->fd, "../writable", true, hint, err);
	_cleanup_fd_ int data_fd = -EBADF;
	struct image image;
	int r = place_fd < 0 ? place_fd : volume_check_size(volume, err);

	if (r < 0)
		return r;
	describe(volume, dir_fd, &image);
	image.request.dir_fd = place_fd;
	r = quota_layer_add(&image.request, err);
	if (r < 0)
		return r;
	data_fd = volumes_open_data(volume, dir_fd, err);
	r = data_fd < 0 ? data_fd : volumes_reset_data(data_fd);
	return r < 0 && data_fd >= 0 ? err_set(err, ERR_SETUP, -r, "volume %s", volume->name) : r;
}

int volumes_measure(const struct volumes *volumes, const struct volume *volume, uint64_t *ret_bytes,
		    uint64_t *ret_inodes, struct err *err)
{
	_cleanup_fd_ int dir_fd = sys_openat(volumes->fd, volume->name, VOLUMES_DIR_FLAGS, 0);
	_cleanup_fd_ int mount_fd = -EBADF;
	struct statfs fs;

	if (dir_fd < 0)
		return err_set(err, ERR_SETUP, -dir_fd, "volume %s", volume->name);
	if (volume->is_project)
		return volumes_measure_project(volume, dir_fd, ret_bytes, ret_inodes, err);
	mount_fd = volumes_mount(volume, dir_fd, err);
	if (mount_fd < 0)
		return mount_fd;
	if (fstatfs(mount_fd, &fs) != 0)
		return err_set(err, ERR_SETUP, errno, "volume %s: what is used", volume->name);
	*ret_bytes = (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
	*ret_inodes = fs.f_files - fs.f_ffree > RESERVED_INODES
			      ? fs.f_files - fs.f_ffree - RESERVED_INODES
			      : 0;
	return 0;
}
