/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes files below one directory, whatever an archive says. Every place is reached from that
 * directory's descriptor in one openat2(2) that follows no link and crosses no mount, and the last
 * part is made with a call that fails where something is there: so neither a link that an earlier
 * entry planted nor one that somebody puts there meanwhile is ever followed.
 *
 * Runs in the unpacker.
 */
#ifndef CORDON_LIBEXEC_IMAGE_TREE_H
#define CORDON_LIBEXEC_IMAGE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/texts.h"
#include "libexec/image/name.h"

/* What an entry of an archive has beside its name and content. */
struct tree_meta {
	uint32_t uid;
	uint32_t gid;
	uint32_t mode; /* 07777 */
	struct timespec mtime;
};

/* Where the tree is, which decides what of an archive it takes. */
enum tree_use {
	TREE_STORE, /* a new layer: ids, bits and absences are the image's, a name comes once */
	/* In a sandbox: what is there may be replaced, nothing but a file by a file. No setuid and
	 * setgid bits. */
	TREE_INSIDE,
	TREE_CALLER, /* likewise among the caller's own files */
};

struct tree_dir; /* of which mode and time are set at the end */

struct tree {
	int root;
	enum tree_use use;
	bool keeps_owners; /* ids 0 to 65535 can be given, and are */
	int owners_fd;     /* storage/store.h: `owners`; TREE_STORE. -EBADF: they are counted */
	int skipped_fd;    /* `skipped`; likewise */
	uint64_t n_owners;
	uint64_t n_skipped;
	size_t skipped_bytes; /* that were written */
	struct tree_dir *dirs;
	size_t n_dirs;
	size_t room_dirs;
	struct texts names; /* of dirs */
	/* The directory that was needed last. */
	int parent_fd;
	char parent[NAME_SIZE];
};

void tree_init(struct tree *tree, int root, bool keeps_owners, int owners_fd, int skipped_fd);
void tree_release(struct tree *tree);

/*
 * Each makes the entry `name` (clean, name.h) with the directories above it that are missing. A
 * name that is there already is -EEXIST, but a directory again, and what only stood for the absence
 * of a lower layer's file; but with TREE_STORE a file takes a file's place, -EISDIR a directory's
 * never. -ELOOP or -ENOTDIR: the way leads through a link, or through what is no
 * directory. caps: the value of security.capability, or NULL.
 */
int must_check tree_mkdir(struct tree *tree, const char *name, const struct tree_meta *meta);
int must_check tree_symlink(struct tree *tree, const char *name, const char *target,
			    const struct tree_meta *meta);
int must_check tree_fifo(struct tree *tree, const char *name, const struct tree_meta *meta);
/* target: a clean name that an earlier entry made; not a directory, else -EPERM. */
int must_check tree_link(struct tree *tree, const char *name, const char *target);
/* Returns a descriptor to write to; tree_file_end closes it. */
int must_check tree_file(struct tree *tree, const char *name);
int must_check tree_file_end(struct tree *tree, const char *name, int fd, uint64_t size,
			     const struct tree_meta *meta);

/* A directory that is there, to read. */
int must_check tree_open_dir(struct tree *tree, const char *name);

/* ".wh.NAME" and ".wh..wh..opq" of the OCI image specification: a character device 0:0 and
 * user.overlay.opaque, as overlay with userxattr reads them. */
int must_check tree_whiteout(struct tree *tree, const char *name);
int must_check tree_opaque(struct tree *tree, const char *dir_name);

/* A line of `skipped`: what, and the entry's name. */
int must_check tree_skip(struct tree *tree, const char *what, const char *name);

/* What the disk has not got, if there is anything: owner, bits, a capability. */
struct tree_caps {
	const void *data; /* NULL: none */
	size_t size;
};
int must_check tree_note_owner(struct tree *tree, const char *name, const struct tree_meta *meta,
			       struct tree_caps caps);

/* Modes and times of directories, the innermost first. */
int must_check tree_finish(struct tree *tree);

#endif
