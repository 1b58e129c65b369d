/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths as text (pure), and the making of paths below a root that is not trusted. */
#ifndef CORDON_BASE_PATH_H
#define CORDON_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
 * The real path of an existing place, with every link on the way followed that root made, and no
 * other: a link that somebody planted would choose what is shown. path is absolute. Returns 0;
 * -ELOOP for a link of another owner, whose path is then in ret (or for too many links); or -errno.
 */
int must_check path_resolve_trusted(const char *path, char *ret, size_t size);

/* Ids (statx(2), stx_mnt_id) of the mounts on which something may be made. */
struct path_own_mounts {
	const uint64_t *ids;
	size_t n;
};

/*
 * Opens (O_PATH) the place `path` (normal, absolute) as seen by a process whose root is root_fd:
 * symlinks are followed within that root only, also while somebody swaps them (openat2(2),
 * RESOLVE_IN_ROOT). What is missing is made: directories with mode 0755, and the last part as a
 * directory or as an empty file; but only on the mounts in own, for elsewhere it would stay on the
 * host. Safe after clone. Returns the fd; -EXDEV where something is missing on another mount; or
 * -errno.
 */
int must_check path_make_in_root(int root_fd, const char *path, bool is_dir,
				 const struct path_own_mounts *own);

#endif
