/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as text: nothing here looks at a file system. */
#ifndef CORDON_POLICY_PATHS_H
#define CORDON_POLICY_PATHS_H

#include <stdbool.h>

#include "policy/ctx.h"

/* path made absolute against base (absolute), without "//", "." and "..", no slash at the end. "/"
 * for the root. */
const char *paths_absolute(struct policy_ctx *ctx, const char *base, const char *path);

/* Whether path is dir itself or lies below it; both absolute and normal. */
bool paths_is_at_or_below(const char *path, const char *dir);

/* Order in which a directory stands before everything below it, and its subtree before the next. */
int paths_compare(const char *a, const char *b);

#endif
