/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of records/ share, and nobody else may use. */
#ifndef CORDON_RECORDS_INTERNAL_H
#define CORDON_RECORDS_INTERNAL_H

#include <fcntl.h>

#include "records/store.h"

enum { RECORDS_DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* While they are made and removed; the id follows. */
#define RECORDS_NEW ".new-"
#define RECORDS_OLD ".old-"

/* The directory that records of this kind are made in; -EBADF where there is none. */
int records_base(const struct records *records, bool is_kept);

bool records_is_id(const char *text);

/* The sandbox that has the name; -ENOENT. */
int must_check records_open_name(const struct records *records, const char *name,
				 struct sandbox *ret);

/* Whether the name's link is somebody's: of a record that has the name, that cannot be read, or
 * that is being made. */
bool records_link_has_record(const struct records *records, const char *name);

/* Whether RUN/sandboxes/ID/lock is held: its keeper lives. */
bool records_is_alive(const struct records *records, const char *id);

/* Removes base/name with all files in it. Idempotent. Returns 0 or -errno. */
int must_check records_remove_dir(int base, const char *name);

#endif
