/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Carries the tree out, inside the new mount namespace. All of it runs in the child between clone
 * and exec, with every capability in the sandbox's own user namespace and none in the caller's;
 * nothing here allocates. Nothing is ever attached to the host's tree: all mounts die with the
 * namespace.
 *
 * The host's tree stays reachable until rootfs_pivot. Places in the new tree are opened as seen
 * from its own root (openat2 RESOLVE_IN_ROOT), so that a link in an untrusted rootfs leads nowhere
 * else.
 */
#ifndef CORDON_ROOTFS_APPLY_H
#define CORDON_ROOTFS_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/spec.h"
#include "rootfs/tree.h"

enum { ROOTFS_STORES_MAX = 16 };

/* A host path that the spec binds; checked by the keeper before the child exists. */
struct rootfs_source {
	int tree_fd; /* as root: a detached mount made and idmapped by the keeper; -EBADF as a user
		      */
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t ino;
	bool is_dir;
	bool is_own;      /* a volume: cordon's own place, where mount points may be made */
	bool is_filling;  /* it gets what the root has at the target */
	bool keeps_setid; /* and keeps setuid bits, which are nobody's of the host */
	const char *path; /* real path, free of links */
	struct tree_protected *protected; /* one for each of the mount's */
};

/* The content of one of the spec's secrets. */
struct rootfs_secret {
	const char *data;
	size_t len;
};

struct rootfs_run {
	const struct sandbox_spec *spec;
	const struct tree *tree;
	struct rootfs_source *sources; /* spec->n_mounts of them */
	struct rootfs_source *lowers;  /* rootfs dir:PATH: one; image: its layers, lowest first */
	size_t n_lowers;
	const struct rootfs_secret *secrets; /* spec->n_secrets of them */
	uint64_t *own_mounts;                /* ids of the mounts made here; room for n_ops + 2 */
	size_t n_own_mounts;
	int staging_fd; /* the tmpfs below everything */
	int store_fd;   /* as root: the keeper's mount that takes what is written to the root, with
			   the directories upper and work; else -EBADF, and the tmpfs does */
	bool is_store_old;  /* a sandbox has written to it before */
	bool is_store_kept; /* and one will again: what is flushed there has to be on the disk */
	int root_fd;        /* the new root's mount */
	int dev_fd;
	int proc_fd;
	int etc_fd;        /* rootfs host: the /etc on the root */
	int empty_dir_fd;  /* the first cover of a directory, */
	int empty_file_fd; /* and of a file; the others are its clones */
	/* Of the spec's first mounts that are a tmpfs which can be written to, until
	 * rootfs_close_stores: the mount, and which of the spec's it is. */
	int store_fds[ROOTFS_STORES_MAX];
	size_t store_mounts[ROOTFS_STORES_MAX];
	size_t n_stores;
};

/* No mount or unmount of ours is seen outside, and none of theirs inside: mount_namespaces(7). */
int must_check rootfs_private(struct err *err);

/* As a user: opens each source as a detached tree and compares it with what the keeper saw. ESTALE:
 * somebody swapped it. As root the keeper's trees are used and this does nothing. */
int must_check rootfs_open_sources(struct rootfs_run *run, struct err *err);

/* The tmpfs with its byte and inode limits, and for dir:PATH and images the overlay on it. */
int must_check rootfs_make_root(struct rootfs_run *run, struct err *err);

/*
 * What an overlay writes to (rootfs/upper.c): attaches the store to the staging tmpfs, or makes the
 * directories there. Sets the paths of upper and work below the staging tmpfs, and gives upper the
 * owner and the mode of lower_fd's. is_volatile: an overlay that flushes nothing, neither for
 * fsync(2) inside nor at its end, where it would flush the whole file system below, the host's for
 * a project's: Documentation/filesystems/overlayfs.rst, Linux 5.10.
 */
struct rootfs_upper {
	const char *upper;
	const char *work;
	bool is_volatile;
};
int must_check rootfs_make_upper(const struct rootfs_run *run, int lower_fd,
				 struct rootfs_upper *ret, struct err *err);
/* A root without a lower layer, on the store: a mount that is attached to the staging tmpfs.
 * Returns its descriptor or -errno with err. */
int must_check rootfs_root_on_store(const struct rootfs_run *run, struct err *err);

/*
 * What is never written to: the overlay's lower directories (rootfs/layers.c). open: as a user, as
 * rootfs_open_sources. attach: each becomes a directory of the staging tmpfs, which is the current
 * directory then. mount: the overlay of them and of upper, at `root`;
 * returns a descriptor of its root.
 */
int must_check rootfs_open_lowers(struct rootfs_run *run, struct err *err);
int must_check rootfs_attach_lowers(struct rootfs_run *run, struct err *err);
int must_check rootfs_mount_overlay(const struct rootfs_run *run, const struct rootfs_upper *upper,
				    struct err *err);
/* The uppermost, whose owner and mode are the root's. */
const struct rootfs_source *rootfs_top_lower(const struct rootfs_run *run);

/* As a user: the path as a detached tree, compared with what the keeper saw. ESTALE, as above. */
int must_check rootfs_open_source(struct rootfs_source *source, struct err *err);

/* Remembers a mount as ours: mount points may be made on it. Returns 0 or -errno. */
int must_check rootfs_note_own(struct rootfs_run *run, int mount_fd);

/* Whether a place is the kernel's or ours, where no mount of a later stage may come. */
bool rootfs_is_kernels(const struct rootfs_run *run, int place, enum tree_stage stage);

/* Op TREE_VOLUME (rootfs/volume.c). 0 or -errno. */
int must_check rootfs_bind_volume(struct rootfs_run *run, const struct tree_op *op);

/* Attaches a detached tree at the op's target, which is made where the op permits it. Returns 0 or
 * -errno. */
int must_check rootfs_attach(struct rootfs_run *run, int tree_fd, const struct tree_op *op);

int must_check rootfs_apply_stage(struct rootfs_run *run, enum tree_stage stage, struct err *err);

/* After stage VOLUMES: an O_PATH descriptor of the tmpfs that is the spec's mount, which stays the
 * run's, or -EBADF. */
int rootfs_store_of(const struct rootfs_run *run, size_t mount);
void rootfs_close_stores(struct rootfs_run *run);

/* Stage PROTECTED: what the binds protect is covered (rootfs/protect.c). ESTALE: somebody replaced
 * it since the keeper looked. verify finds each place as the workload will and reads back that it
 * is a mount of its own, and read-only where it must be. */
int must_check rootfs_protect(struct rootfs_run *run, struct err *err);
int must_check rootfs_verify_protected(struct rootfs_run *run, struct err *err);

/* Stage SECRETS: each a file of the workload's user, mode 0400, on a tmpfs that nothing else is on,
 * read-only. Must not run after rootfs_pivot: the tmpfs is attached over the host's /proc, which
 * goes away with the old root. verify reads each back as the workload will find it. */
int must_check rootfs_show_secrets(struct rootfs_run *run, struct err *err);
int must_check rootfs_verify_secrets(struct rootfs_run *run, struct err *err);

/* /dev, and the root where the policy says writable: none, become read-only; verify reads it back.
 */
int must_check rootfs_seal(struct rootfs_run *run, struct err *err);
int must_check rootfs_verify_seal(struct rootfs_run *run, struct err *err);

/* pivot_root(2): afterwards "/" is the new root, with the old one on top of it and the current
 * directory in it. */
int must_check rootfs_pivot(struct rootfs_run *run, struct err *err);
/* Detaches the old root, for which the kernel waits until nobody looks at it; verify proves that
 * "/" and "/.." are the new root's mount. */
int must_check rootfs_detach_old_root(struct err *err);
int must_check rootfs_verify_pivot(struct rootfs_run *run, struct err *err);

/* Proves that no mount of the new tree is anybody's peer: with one shared, a mount that somebody
 * makes outside would appear inside, and the other way round (mount_namespaces(7)). Reads /proc of
 * the new root, after the pivot. */
int must_check rootfs_verify_private(struct err *err);

#endif
