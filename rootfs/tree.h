/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the sandbox's file tree consists of, as a list: pure data made from the spec and from what
 * the host's tree looks like, before any process exists. rootfs/apply.c carries it out in order,
 * one stage for each row of the child's table.
 */
#ifndef CORDON_ROOTFS_TREE_H
#define CORDON_ROOTFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/spec.h"

/* What the host has at a path that the host rootfs shows. */
enum host_entry_kind { HOST_ABSENT, HOST_DIRECTORY, HOST_FILE, HOST_SYMLINK };

enum {
	HOST_ENTRIES_MAX = 32,
	HOST_LINK_MAX = 256,
	TREE_STAGES = 8,
};

struct host_entry {
	const char *path; /* one of tree_host_paths */
	enum host_entry_kind kind;
	char link[HOST_LINK_MAX]; /* HOST_SYMLINK: its text */
};

struct host_layout {
	struct host_entry entries[HOST_ENTRIES_MAX];
	size_t n_entries;
};

/* The host paths that rootfs `host` shows (NULL-terminated): the allow list. Anything else of the
 * host's is not there. */
extern const char *const tree_host_paths[];

/* What the host has at a path that a bind protects. */
enum tree_place {
	PLACE_SAFE, /* whatever it is, nothing can be changed or made there: it is read-only */
	PLACE_DIR,
	PLACE_FILE,    /* anything that is no directory and no link */
	PLACE_MISSING, /* a placeholder is made at its first missing part */
};

struct tree_protected {
	enum tree_place place;
	const char *path;   /* as the spec's; PLACE_MISSING: up to the first missing part */
	uint32_t dev_major; /* of what is there; of the placeholder once it is made */
	uint32_t dev_minor;
	uint64_t ino;
};

/* What the host has at the source of one of the spec's mounts. */
struct tree_source {
	bool is_dir;
	const struct tree_protected *protected; /* one for each of the mount's */
};

enum tree_stage {
	TREE_SYSTEM,
	TREE_ETC,
	TREE_DEV,
	TREE_PROC,
	TREE_KERNEL_PATHS,
	TREE_VOLUMES,
	TREE_PROTECTED,
	TREE_SECRETS,
};

enum tree_kind {
	TREE_DIR,       /* text unused */
	TREE_START_DIR, /* likewise; what cannot be made is left to the row working_dir to tell */
	TREE_SYMLINK,   /* text: where it points */
	TREE_FILE,      /* text: what it holds */
	TREE_HOST_BIND, /* text: the host's path; recursive, read-only */
	TREE_DEVICE,    /* text: the host's path; major and minor must be as said */
	TREE_TMPFS,
	TREE_DEVPTS,
	TREE_PROC_FS,
	TREE_HIDE_FILE, /* an unreadable device node over a file, where the kernel has that file */
	TREE_HIDE_DIR,  /* an empty read-only directory over a directory */
	TREE_READ_ONLY, /* the place bound on itself, read-only */
	TREE_SOURCE,    /* the spec's mount number `source` */
	TREE_VOLUME,    /* likewise, a volume */
	TREE_SECRET,    /* the spec's secret number `source`, a file on a tmpfs of its own */
	/* stage PROTECTED only */
	TREE_PIN,         /* bound on itself: a mount point cannot be renamed */
	TREE_PLACEHOLDER, /* an empty read-only directory over the placeholder */
	TREE_AS_IT_IS,    /* nothing to do; for a reader of `explain` */
};

struct tree_op {
	enum tree_stage stage;
	enum tree_kind kind;
	const char *target; /* absolute in the sandbox; for stage DEV below /dev, for PROC below
			       /proc */
	const char *text;
	const char *reason; /* for a reader of `explain` and of the table */
	size_t source;
	size_t protected; /* stage PROTECTED: which of the mount's; text is the path below it */
	uint32_t mode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t size_bytes;
	uint64_t inodes;
	uint64_t attrs; /* MOUNT_ATTR_* */
	bool is_dir;
	bool must_exist; /* the target lies in a host directory: nothing is made there */
	bool for_user;   /* tmpfs: belongs to the workload's user */
};

struct tree {
	const struct tree_op *ops;
	size_t n_ops;
};

/* Builds the list. sources[i] says what the host has for the spec's mount i. Returns 0 or -ENOMEM.
 */
int must_check tree_build(const struct sandbox_spec *spec, const struct host_layout *layout,
			  const struct tree_source *sources, struct arena *arena,
			  struct tree *ret_tree, struct err *err);

const char *tree_kind_name(enum tree_kind kind);

#endif
