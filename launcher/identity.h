/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who the sandbox is on the host: as root a block of 65,536 host ids of its own, as a user the
 * caller's one id. Host uid 0 is never mapped: RLIMIT_NPROC does not bind it, and a file it leaves
 * would be root's.
 */
#ifndef CORDON_LAUNCHER_IDENTITY_H
#define CORDON_LAUNCHER_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	IDENTITY_BLOCK = 65536,
	/* systemd's page on users and groups gives this range to containers, above what useradd
	   hands out. */
	IDENTITY_FIRST = 603979776,
	IDENTITY_LAST = 1879048191,
	/* init's id inside a block: no account of any rootfs, so the workload cannot signal or
	   trace it. */
	IDENTITY_INIT = 65535,
	/* An id that owns nothing on disk: systemd's page keeps it free. */
	IDENTITY_NOBODY_ON_DISK = 2147483646,
	IDENTITY_RANGES_MAX = 256,
	IDENTITY_MAP_TEXT = 64,
};

struct id_range {
	uint64_t first;
	uint64_t count;
};

/* Where blocks may lie: the ranges of the reserved name `cordon` where both files have them, else
 * the default range without what the files give to others. */
struct id_pool {
	struct id_range ranges[IDENTITY_RANGES_MAX];
	uint32_t n_ranges;
};

/* The pool from the texts of /etc/subuid and /etc/subgid ("" where absent). Pure. */
void identity_make_pool(const char *subuid, const char *subgid, struct id_pool *ret_pool);

/* The number of whole blocks in the pool, and the first host id of block n. */
uint64_t identity_pool_blocks(const struct id_pool *pool);
uint32_t identity_pool_block(const struct id_pool *pool, uint64_t n);

/* Reads both files of the host. Errors: unreadable or absurdly long ones. */
int must_check identity_read_pool(struct id_pool *ret_pool, struct err *err);

/* From /proc/self/uid_map and gid_map: whether they hold every id that a block may use, and what
 * euid is one level up (euid itself in the initial user namespace). */
int must_check identity_read_own_maps(bool *ret_maps_all, uint32_t euid, uint32_t *ret_host_euid,
				      struct err *err);

/* count ids, from `inside` on, that are `outside` and so on one level up. */
struct identity_range {
	uint32_t inside;
	uint32_t outside;
	uint32_t count;
};

/*
 * A user namespace whose only use is as the mapping of an idmapped mount: what is on disk as an
 * inside id is seen as the outside one, everything else as nobody (mount_setattr(2),
 * MOUNT_ATTR_IDMAP). Needs CAP_SETUID and CAP_SETGID. Returns its fd, or -errno with err filled.
 * Leaves no process behind.
 */
int must_check identity_range_namespace(const struct identity_range *uids,
					const struct identity_range *gids, struct err *err);

#endif
