/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A layer's `owners`: "UID GID MODE CAPABILITY NAME" a line, for entries of which the disk has not
 * got all that the archive said. CAPABILITY: the value of security.capability in hex, or "-". NAME:
 * as name_escape writes it, "." for the root. Runs in the packer.
 */
#ifndef CORDON_LIBEXEC_IMAGE_OWNERS_H
#define CORDON_LIBEXEC_IMAGE_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/texts.h"

struct owner {
	const char *name;
	size_t at; /* where it begins in the names, until all are there */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode;
	unsigned char caps[64];
	size_t n_caps;
	uint64_t ino; /* of the file, once owners_index has looked; 0: none */
};

struct owners {
	struct owner *list; /* sorted by name */
	size_t n;
	struct owner **by_ino;
	struct texts names;
};

/* Reads all of fd. -EINVAL for what cordon did not write. */
int must_check owners_read(int fd, struct owners *ret);
void owners_release(struct owners *owners);
/* Looks at the files below dir, so that what was noted for one name of a file is found by another.
 */
int must_check owners_index(struct owners *owners, int dir);
const struct owner *owners_find_inode(const struct owners *owners, uint64_t ino);
const struct owner *owners_find(const struct owners *owners, const char *name);

#endif
