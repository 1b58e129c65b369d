/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories that are the caller's alone: whoever may write to one could lead to somebody else's.
 */
#ifndef CORDON_BASE_OWN_DIR_H
#define CORDON_BASE_OWN_DIR_H

#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

/*
 * Opens dirfd/name, no link, which the caller owns and nobody else may enter (mode 0700). makes: it
 * is made where it is missing; without it -ENOENT. hint: what to do about one that is not the
 * caller's alone. Returns the descriptor or -errno with err; the name is in its text.
 */
int must_check own_dir_open(int dirfd, const char *name, bool makes, const char *hint,
			    struct err *err);

/* Makes the directories above path (absolute), 0755. Returns 0 or -errno. */
int must_check own_dir_make_parents(const char *path);

/*
 * Opens state/name, both as own_dir_open has them, and says in path which one it is, free of links.
 * makes: what is missing is made, with the parents, and is on the disk before this returns; without
 * it -ENOENT with err. Returns the descriptor or -errno with err; path is filled as far as known.
 */
int must_check own_dir_open_part(const char *state, const char *name, bool makes,
				 char path[PATH_MAX], struct err *err);

#endif
