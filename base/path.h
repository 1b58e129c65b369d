/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as text (pure), and the making of paths below a root that is not trusted. */
#ifndef CORDON_BASE_PATH_H
#define CORDON_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * path, taken from the absolute directory `from` where it is relative, without ".", "..", empty
 * parts and a trailing slash; ".." above "/" stays at "/". Purely lexical. Returns the length, or
 * -ENAMETOOLONG, or -EINVAL where path is relative and from is not absolute.
 */
ssize_t must_check path_normalize(char *buf, size_t size, const char *from, const char *path);

/* True where path is dir itself or lies below it. Both normal and absolute. */
bool path_is_below(const char *path, const char *dir);

/*
 * Opens (O_PATH) the place `path` (normal, absolute) as seen by a process whose root is root_fd:
 * symlinks are followed within that root only, also while somebody swaps them (openat2(2),
 * RESOLVE_IN_ROOT). What is missing is made: directories with mode 0755, and the last part as a
 * directory or as an empty file. Safe after clone. Returns the fd, or -errno.
 */
int must_check path_make_in_root(int root_fd, const char *path, bool is_dir);

#endif
