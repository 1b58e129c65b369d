/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The account files that cordon makes for rootfs `host`: nothing of the host's users is shown.
 * Pure. */
#ifndef CORDON_ROOTFS_ACCOUNTS_H
#define CORDON_ROOTFS_ACCOUNTS_H

#include <stdint.h>

#include "base/arena.h"

/* Text of /etc/passwd, /etc/group and /etc/hosts; NULL when the arena is full. */
const char *accounts_passwd(struct arena *arena, uint32_t uid, uint32_t gid, const char *home);
const char *accounts_group(struct arena *arena, uint32_t gid);
const char *accounts_hosts(struct arena *arena, const char *hostname);

#endif
