/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Volumes whose size is a project quota's; see volume.h. Such a volume is a directory as that of
 * any other, and its `data` has a project of its own (quota.h). That its limits are enforced, and
 * are what the record says, is looked at whenever somebody opens it: where they are not, nobody
 * starts.
 */
#include <errno.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "storage/quota.h"
#include "storage/volume.h"
#include "storage/volumes.h"

enum { OWN_INODES = 1 }; /* the directory itself */

static struct quota_size limit_of(const struct volume *volume)
{
	return (struct quota_size){volume->size_bytes, volume->inodes + OWN_INODES};
}

const char *volume_store_name(const struct volume *volume)
{
	if (volume->size_bytes == 0)
		return NULL;
	return volume->is_project ? "project" : "image";
}

int volumes_check_project(const struct volume *volume, struct err *err)
{
	if (volume->size_bytes < QUOTA_SIZE_MIN || volume->size_bytes % QUOTA_BLOCK != 0) {
		err_set(err, ERR_USAGE, 0, "volume %s: a size of %llu bytes", volume->name,
			(unsigned long long)volume->size_bytes);
		return err_hint(err, "In a project it is 1 MiB or more, in blocks of 4 KiB.");
	}
	if (volume->inodes > 0 && volume->inodes <= volume->size_bytes)
		return 0;
	return err_set(err, ERR_USAGE, 0, "volume %s: %llu inodes", volume->name,
		       (unsigned long long)volume->inodes);
}

int volumes_choose_store(const struct volumes *volumes, enum volume_store store,
			 struct volume *volume, struct err *err)
{
	int r = geteuid() == 0 && store != VOLUME_STORE_IMAGE ? quota_project_probe(volumes->path)
							      : -EPERM;

	/* As a user it is the size itself that cannot be had, of either. */
	if (r < 0 && store == VOLUME_STORE_PROJECT && geteuid() == 0) {
		err_set(err, ERR_USAGE, -r, "volume %s: store=project: %s has no project quotas on",
			volume->name, volumes->path);
		return err_hint(err, "ext4 and XFS have them, mounted with prjquota. Or take "
				     "store=image.");
	}
	volume->is_project = r == 0;
	return volume_check_size(volume, err);
}

/* Nothing is reserved. */
int volumes_make_project(const struct volumes *volumes, const struct volume *volume, int data_fd,
			 struct err *err)
{
	const struct quota_size limit = limit_of(volume);
	struct statfs fs;
	int r = volume_check_size(volume, err);

	if (r < 0)
		return r;
	if (fstatfs(volumes->fd, &fs) != 0)
		return err_set(err, ERR_SETUP, errno, "volume %s: its file system", volume->name);
	if ((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < volume->size_bytes) {
		err_set(err, ERR_SETUP, ENOSPC, "volume %s: less is left than it may take",
			volume->name);
		return err_hint(err, "Make room, or ask for less.");
	}
	r = quota_directory_claim(data_fd, &limit, err);
	volumes_step("project");
	return r < 0 ? err_wrap(err, "volume %s", volume->name) : 0;
}

int volumes_open_project(const struct volume *volume, int dir_fd, struct err *err)
{
	const struct quota_size limit = limit_of(volume);
	_cleanup_fd_ int fd = sys_openat(dir_fd, VOLUME_DATA, VOLUMES_DIR_FLAGS, 0);
	int r;

	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "volume %s: its files", volume->name);
	r = quota_directory_verify(fd, &limit, err);
	return r < 0 ? err_wrap(err, "volume %s", volume->name) : steal_fd(&fd);
}

int volumes_measure_project(const struct volume *volume, int dir_fd, uint64_t *ret_bytes,
			    uint64_t *ret_inodes, struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(dir_fd, VOLUME_DATA, VOLUMES_DIR_FLAGS, 0);
	struct quota_size limit, used;
	int r = fd < 0 ? fd : quota_directory_read(fd, &limit, &used);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "volume %s: what is used", volume->name);
	*ret_bytes = used.size_bytes;
	*ret_inodes = used.inodes > OWN_INODES ? used.inodes - OWN_INODES : 0;
	return 0;
}
