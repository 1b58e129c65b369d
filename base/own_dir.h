/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories that are the caller's alone: whoever may write to one could lead to somebody else's.
 */
#ifndef CORDON_BASE_OWN_DIR_H
#define CORDON_BASE_OWN_DIR_H

#include <stdbool.h>

#include "base/err.h"

/*
 * Opens dirfd/name, no link, which the caller owns and nobody else may enter (mode 0700). makes: it
 * is made where it is missing; without it -ENOENT. hint: what to do about one that is not the
 * caller's alone. Returns the descriptor or -errno with err; the name is in its text.
 */
int must_check own_dir_open(int dirfd, const char *name, bool makes, const char *hint,
			    struct err *err);

#endif
