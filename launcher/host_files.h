/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that a policy names, read whole. A file is looked at by its place (O_PATH) before it is
 * opened: merely opening a device may do something (rewind a tape, start a watchdog), and the
 * keeper may be root.
 */
#ifndef CORDON_LAUNCHER_HOST_FILES_H
#define CORDON_LAUNCHER_HOST_FILES_H

#include "base/arena.h"
#include "base/err.h"
#include "policy/policy.h"

enum { POLICY_FILE_MAX = 1 << 20, HOST_ACCOUNTS_MAX = 1 << 20 }; /* bytes */

/* Opens for reading what an O_PATH descriptor has the place of. Returns a descriptor or -errno. */
int must_check host_file_reopen(int place);

/* All that fd has; the text is the arena's. -EFBIG: more than max bytes. */
int must_check host_file_read(int fd, struct arena *arena, size_t max, const char **ret_text,
			      size_t *ret_len);

/* /etc/WHICH of the root file system in dir, whose links lead nowhere else (openat2(2),
 * RESOLVE_IN_ROOT). -EINVAL: no regular file; -EFBIG: above 1 MiB. */
int must_check host_file_of_rootfs(const char *dir, const char *which, struct arena *arena,
				   const char **ret_text, size_t *ret_len);

/* A regular file or a pipe of at most POLICY_FILE_MAX; ERR_POLICY names the path. */
int must_check host_file_load(const char *path, struct arena *arena, struct policy_text *ret,
			      struct err *err);

#endif
