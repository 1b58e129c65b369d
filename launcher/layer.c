/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept of a sandbox's root between its starts; see upper.h. Runs in the keeper before
 * anything is made, and in commands, as the caller. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/upper.h"
#include "storage/quota.h"
#include "storage/store.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static bool has_layer(int layer_dir_fd, const char *name)
{
	return faccessat(layer_dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What the sandbox has written to before, and would not find again. NULL: nothing, or it does. */
static const char *other_layer(const struct decision *d, int layer_dir_fd)
{
	if (d->writable != WRITABLE_IMAGE && has_layer(layer_dir_fd, LAYER_IMAGE))
		return "an image";
	if (d->writable != WRITABLE_PROJECT && has_layer(layer_dir_fd, LAYER_PROJECT))
		return "a directory with a project quota";
	return NULL;
}

static int check_layer(const struct decision *d, int layer_dir_fd, enum err_kind kind,
		       struct err *err)
{
	const char *what = other_layer(d, layer_dir_fd);
	const char *why = d->facts.upper.image;

	if (what == NULL)
		return 0;
	err_set(err, kind, 0, "the sandbox has written to its root before, which is now %s%s%s",
		upper_name(d->writable), why[0] != '\0' ? ": " : "", why);
	return err_hint(err,
			"What it wrote is in %s, which must be mounted again "
			"(rootfs.writable.store). Or make the sandbox anew: cordon rm, and cordon "
			"create.",
			what);
}

int upper_check_layer(const struct launch *launch, struct err *err)
{
	return launch->layer_dir_fd == NULL
		       ? 0
		       : check_layer(launch->decision, *launch->layer_dir_fd, ERR_SETUP, err);
}

/* ---- how much it may take ---- */

static uint64_t size_of(const struct decision *d)
{
	return d->spec.rootfs.size_bytes / QUOTA_BLOCK * QUOTA_BLOCK;
}

static int refuse_smaller(uint64_t now, struct err *err)
{
	if (now % (1 << 20) == 0)
		err_set(err, ERR_USAGE, 0,
			"its root has %llu MiB already, and cannot be made smaller",
			(unsigned long long)now >> 20);
	else
		err_set(err, ERR_USAGE, 0,
			"its root has %llu bytes already, and cannot be made smaller",
			(unsigned long long)now);
	return err_hint(err, "Make another sandbox, and copy what is needed: cordon cp.");
}

/* Nothing is reserved; but what is asked for there has to be at this moment. */
static int check_room(int layer_dir_fd, uint64_t bytes, struct err *err)
{
	struct statfs fs;

	if (fstatfs(layer_dir_fd, &fs) != 0)
		return err_set(err, ERR_SETUP, errno, "its layer: the file system");
	if ((uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize >= bytes)
		return 0;
	err_set(err, ERR_PREFLIGHT, ENOSPC, "its root: less is left than it may take");
	return err_hint(err, "Make room, or ask for a smaller size.");
}

static int check_image(const struct decision *d, int layer_dir_fd, struct err *err)
{
	struct stat st;
	uint64_t now;

	if (fstatat(layer_dir_fd, LAYER_IMAGE, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_set(err, ERR_SETUP, errno, "its layer");
	now = (uint64_t)st.st_size - QUOTA_JOURNAL_BYTES;
	if (size_of(d) < now)
		return refuse_smaller(now, err);
	if (size_of(d) == now)
		return 0;
	if (quota_program_path("resize2fs") == NULL) {
		err_set(err, ERR_PREFLIGHT, 0, "resize2fs is not installed");
		return err_hint(err, "Install e2fsprogs.");
	}
	return check_room(layer_dir_fd, size_of(d) + QUOTA_JOURNAL_BYTES, err);
}

static int check_project(const struct decision *d, int layer_dir_fd, int dir_fd, struct err *err)
{
	struct quota_size now, used;
	int r = quota_directory_read(dir_fd, &now, &used);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "its layer: read its project quota");
	if (size_of(d) < now.size_bytes)
		return refuse_smaller(now.size_bytes, err);
	/* The directory itself has what its quota leaves. */
	return size_of(d) <= used.size_bytes
		       ? 0
		       : check_room(layer_dir_fd, size_of(d) - used.size_bytes, err);
}

int cordon_check_layer_size(const struct decision *d, int layer_dir_fd, struct err *err)
{
	_cleanup_fd_ int dir_fd = sys_openat(layer_dir_fd, LAYER_PROJECT, DIR_FLAGS, 0);
	int r = check_layer(d, layer_dir_fd, ERR_USAGE, err);

	if (r < 0)
		return r;
	if (dir_fd < 0 && dir_fd != -ENOENT)
		return err_set(err, ERR_SETUP, -dir_fd, "its layer");
	return dir_fd >= 0 ? check_project(d, layer_dir_fd, dir_fd, err)
			   : check_image(d, layer_dir_fd, err);
}

bool cordon_layer_grows_live(const struct decision *d, int layer_dir_fd)
{
	return d->writable == WRITABLE_PROJECT && has_layer(layer_dir_fd, LAYER_PROJECT);
}

int cordon_grow_layer(const struct decision *d, int layer_dir_fd, struct err *err)
{
	const struct quota_size limit = {size_of(d),
					 d->spec.rootfs.inodes + QUOTA_PROJECT_OWN_INODES};
	_cleanup_fd_ int dir_fd = sys_openat(layer_dir_fd, LAYER_PROJECT, DIR_FLAGS, 0);

	return dir_fd < 0 ? err_set(err, ERR_SETUP, -dir_fd, "its layer")
			  : quota_directory_limit(dir_fd, &limit, err);
}

/* ---- its end ---- */

int cordon_remove_layer(int above_fd, const char *record_dir)
{
	_cleanup_fd_ int fd = sys_openat(above_fd, record_dir, DIR_FLAGS, 0);
	int r;

	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	r = quota_directory_end(fd, LAYER_PROJECT);
	/* It may have no project: somebody was killed before it had one, or it is a copy. */
	if (r == 0 && has_layer(fd, LAYER_PROJECT))
		r = store_remove_tree(fd, LAYER_PROJECT);
	return r;
}
