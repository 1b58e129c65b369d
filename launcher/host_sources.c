/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host paths as detached mounts, as root; see host_sources.h. */
#include "launcher/host_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/identity.h"

/* Opens the real path that was checked, as a detached mount that nobody else's mounts reach. */
static int clone_source(const struct source_fact *fact, struct err *err)
{
	struct mount_attr attr = {.propagation = MS_PRIVATE};
	_cleanup_fd_ int place = sys_openat2(AT_FDCWD, fact->path, O_PATH | O_CLOEXEC, 0,
					     RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	_cleanup_fd_ int fd = place < 0 ? place
					: sys_open_tree(place, "",
							OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
								AT_RECURSIVE | AT_EMPTY_PATH);
	struct statx st;
	int r;

	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s: open", fact->path);
	r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: stat", fact->path);
	if (st.stx_ino != fact->ino || st.stx_dev_major != fact->dev_major ||
	    st.stx_dev_minor != fact->dev_minor)
		return err_set(err, ERR_SETUP, ESTALE, "%s: was replaced meanwhile", fact->path);
	/* Else it would stay a peer of the host's mount, and new mounts would travel both ways. */
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: make the mount private", fact->path);
	return steal_fd(&fd);
}

/*
 * A host directory is shown with one pair of ids: its owner's is the workload's, all others are
 * nobody's. What belongs to root in a place of the system's is shown without even that pair, so
 * that only what everybody may read can be read; nor is group 0 ever given without its owner.
 */
static int show_with_pair(struct launch *launch, int fd, const struct source_fact *fact,
			  struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	uint32_t first = launch->run.block_first;
	uint32_t gid = fact->gid == 0 && fact->uid != 0 ? IDENTITY_NOBODY_ON_DISK : fact->gid;
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP};
	const struct identity_range uids = {fact->uid, first + id->uid, 1};
	const struct identity_range gids = {gid, first + id->gid, 1};
	_cleanup_fd_ int userns = identity_range_namespace(&uids, &gids, err);
	int r;

	if (userns < 0)
		return err_wrap(err, "%s", fact->path);
	attr.userns_fd = (__u64)userns;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "%s: show it with the sandbox's ids", fact->path);
		return err_hint(
			err,
			"Its file system, or one mounted below it, cannot be idmapped: copy it "
			"to one that can (ext4, xfs, btrfs, tmpfs).");
	}
	return 0;
}

int host_sources_open(struct launch *launch, const struct source_fact *fact,
		      struct rootfs_source *source, struct err *err)
{
	_cleanup_fd_ int fd = clone_source(fact, err);
	int r;

	if (fd < 0)
		return fd;
	r = fact->shows_owner ? show_with_pair(launch, fd, fact, err) : 0;
	if (r == 0)
		source->tree_fd = steal_fd(&fd);
	return r;
}
