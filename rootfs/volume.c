/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes at their places, and what an empty one gets there. Runs in the child; see apply.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "rootfs/apply.h"
#include "rootfs/fill.h"
#include "rootfs/fs.h"

/* Whether the place is on the root itself, and not on something that was mounted into it. */
static bool is_of_root(const struct rootfs_run *run, int place)
{
	struct statx root, st;

	return sys_statx(run->root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &root) == 0 &&
	       sys_statx(place, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) == 0 &&
	       root.stx_mnt_id == st.stx_mnt_id;
}

/* Before it is attached: into a volume that is empty goes what the root has at the target. Where
 * that is nothing, the volume is the program's user's. */
static int fill_volume(const struct rootfs_run *run, const struct tree_op *op)
{
	const struct rootfs_source *source = &run->sources[op->source];
	const struct spec_identity *id = &run->spec->identity;
	_cleanup_fd_ int to_fd =
		sys_openat(source->tree_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	_cleanup_fd_ int from_fd =
		sys_openat2(run->root_fd, op->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0,
			    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (to_fd < 0)
		return to_fd;
	if (from_fd == -ENOENT)
		return fchown(to_fd, id->uid, id->gid) != 0 ? -errno : 0;
	if (from_fd < 0)
		return from_fd;
	if (rootfs_is_kernels(run, from_fd, op->stage))
		return -ELOOP;
	return is_of_root(run, from_fd) ? fill_copy(from_fd, to_fd, source->keeps_setid) : 0;
}

int rootfs_bind_volume(struct rootfs_run *run, const struct tree_op *op)
{
	int fd = run->sources[op->source].tree_fd;
	int r = run->sources[op->source].is_filling ? fill_volume(run, op) : 0;

	if (r == 0)
		r = fs_set_attrs(fd, op->attrs, 0);
	if (r == 0)
		r = rootfs_attach(run, fd, op);
	return r == 0 ? rootfs_note_own(run, fd) : r;
}
