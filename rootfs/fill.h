/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies a directory of the root into a new volume: owners, modes, times, user.* attributes,
 * holes. Runs in the sandbox's process before anything of the workload's does, with its rights: so
 * what is read is what the sandbox may read, and what is made has ids of the sandbox's alone.
 * Nothing of an image leads out: no link is followed, and only what lies on the same mount is
 * copied. Safe after clone: no heap.
 */
#ifndef CORDON_ROOTFS_FILL_H
#define CORDON_ROOTFS_FILL_H

#include <stdbool.h>

#include "base/err.h"

enum {
	FILL_DEPTH_MAX = 64,
	FILL_ATTRIBUTE_MAX = 16384,
};

/*
 * from_fd, to_fd: directories, open for reading; to_fd is empty. It gets the other's owner, mode
 * and times as well. Device nodes and sockets are left out; a file with several names becomes
 * several. keeps_setid: setuid and setgid bits are copied. Returns 0 or -errno: -ELOOP more than
 * FILL_DEPTH_MAX directories in one another, -E2BIG an attribute that is too large.
 */
int must_check fill_copy(int from_fd, int to_fd, bool keeps_setid);

#endif
