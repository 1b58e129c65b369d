/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Detached mounts of new file systems (fsopen(2), fsmount(2)). Each returns a mount descriptor or
 * -errno. */
#ifndef CORDON_ROOTFS_FS_H
#define CORDON_ROOTFS_FS_H

#include <stdint.h>

#include "base/err.h"
#include "rootfs/tree.h"

/* A tmpfs with the op's size, inodes, mode and attrs. It belongs to uid:gid (as seen inside) where
 * op->for_user. */
int must_check fs_tmpfs(const struct tree_op *op, uint32_t uid, uint32_t gid);

/* Any other type; options is a list of {key, value} ended by {NULL}; value NULL: a flag. attrs:
 * MOUNT_ATTR_*. */
int must_check fs_simple(const char *type, const char *const options[][2], uint64_t attrs);

/* Adds MOUNT_ATTR_* to the mount at fd. flags: 0 or AT_RECURSIVE. Returns 0 or -errno. */
int must_check fs_set_attrs(int fd, uint64_t attrs, unsigned flags);

#endif
