/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What makes a backup of a volume out of a tar, which every reader of tars can read.
 *
 *     comment=cordon-volume-backup 1 ...     a global pax header: what the volume was
 *                                            (storage/volume.h), and whether anybody could write
 *                                            to it meanwhile
 *     the tar's entries
 *     .cordon-volume-sha256                  a file: the digest of all before, and a newline
 *     1024 zeros                             the tar's end
 *
 * Both have one form only, and are compared with what would be written here: nothing of a tar is
 * understood by whoever checks it. Pure.
 */
#ifndef CORDON_LIBEXEC_IMAGE_SEAL_H
#define CORDON_LIBEXEC_IMAGE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#include "storage/store.h"
#include "storage/volume.h"

enum {
	SEAL_HEAD_MAX = VOLUME_TEXT_MAX + 2048,
	SEAL_END = 1024, /* a tar's end mark */
	SEAL_TAIL = 2048,
};

/* No file of that name is saved or restored. */
#define SEAL_NAME ".cordon-volume-sha256"

struct seal_head {
	struct volume volume;
	bool is_consistent;
};

/* Returns the length. */
size_t seal_put_head(const struct seal_head *head, char buf[SEAL_HEAD_MAX]);
/* The head that the archive begins with. 0, or -EBADMSG: it is none. */
int must_check seal_read_head(const char *buf, size_t len, struct seal_head *ret);

/* The last bytes of an archive with this digest, its end mark among them. */
void seal_put_tail(const char hex[STORE_HEX_SIZE], char buf[SEAL_TAIL]);
bool seal_is_end(const char *buf, size_t len);

#endif
