/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An image that is in use: found, read, and its layers held, so that nobody removes them. */
#ifndef CORDON_STORAGE_HELD_H
#define CORDON_STORAGE_HELD_H

#include "storage/image_record.h"

struct held_image {
	char id[STORE_HEX_SIZE];
	char store[PATH_MAX]; /* its path, free of links */
	struct image_record *record;
	size_t n_layers;
	int layer_fds[RECORD_LAYERS_MAX]; /* layers/HEX, lowest first; each holds a shared lock */
	int lock_fd;                      /* the store's lock, shared; -EBADF: given up */
	uint64_t n_owners;                /* entries in the layers' books */
};

enum { HELD_FIRST_FD = 16 };

/*
 * Finds what a word stands for (store_find) and holds its layers until held_image_free: by open
 * files, whose numbers begin at HELD_FIRST_FD, so that what is forked holds them as well. The store
 * stays locked until held_image_unlock_store, or held_image_free. Returns 0; -ENOENT, also where
 * there is no store; or another negative errno. *ret is allocated.
 */
int must_check held_image_find(const char *store_path, const char *word, struct held_image **ret,
			       struct err *err);
/* Idempotent. */
void held_image_unlock_store(struct held_image *image);
/* Accepts NULL. */
void held_image_free(struct held_image *image);

enum { HELD_FILE_MAX = 1 << 20, HELD_LINKS_MAX = 40, HELD_DEPTH_MAX = 64 };

/*
 * Opens a file of the image as overlay would show it: the uppermost layer's that has it, through
 * absences, opaque directories and links of whatever layer, and never out of the image. For
 * reading; a regular file alone. Returns the descriptor; -ENOENT; -ELOOP: more than HELD_LINKS_MAX
 * links; -ENAMETOOLONG; -EINVAL: no regular file; or another negative errno.
 */
int must_check held_image_open(const struct held_image *image, const char *path);

#endif
