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

/* What a file is called before it is whole (records_write): no other name in a record's directory
 * begins like this. */
#define RECORDS_TEMPORARY "."

#define RECORDS_IMAGE   "image"
#define RECORDS_VOLUMES "volumes"

/* The directory that records of this kind are made in; -EBADF where there is none. */
int records_base(const struct records *records, bool is_kept);

bool records_is_id(const char *text);

/* The sandbox that has the name; -ENOENT. */
int must_check records_open_name(const struct records *records, const char *name,
				 struct sandbox *ret);

/* Whether the name's link is somebody's: of a record that has the name, or that cannot be read.
 * Needs: nothing is being made. */
bool records_link_has_record(const struct records *records, const char *name);

/* Whether RUN/sandboxes/ID/lock is held: somebody's keeper uses that directory. */
bool records_is_alive(const struct records *records, const char *id);

/* Removes the files that were never whole from a directory that nobody writes to; dir_fd: -EBADF
 * does nothing. Returns how many, or -errno. */
int must_check records_sweep(int dir_fd);

/* Removes what a sandbox's directory was. 1: it stays until nobody has a file of its root open,
 * and gc removes it then. 0 or -errno. */
int must_check records_remove_dir(int base, const char *name);

/* A keeper's only descriptors besides 0 to 2 when it begins: the way to its caller, and its
 * caller's of the sandbox, which holds the sandbox's lock until the keeper has its own. */
enum { KEEPER_REPORT_FD = 3, KEEPER_SANDBOX_FD, KEEPER_FREE_FD };

/* Puts the two where they belong and leaves everything else but what the decision holds. 0 or
 * -errno. */
int must_check keeper_leave_caller(int report_fd, int sandbox_fd, const struct decision *decision);

#endif
