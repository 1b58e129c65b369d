/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Claims of blocks of host ids (identity.h), which are the machine's: they stay in two places
 * whatever --root says. A claim is a link named by the block's first host id, whose text is the
 * path of what holds it.
 *
 *     /run/cordon/ids        held by what ends with this boot
 *     /var/lib/cordon/ids    held by kept sandboxes, whose files have these owners
 *
 * Both are looked at before a block is given. Runs in the keeper and in commands, as root.
 */
#ifndef CORDON_LAUNCHER_IDS_H
#define CORDON_LAUNCHER_IDS_H

#include <stdint.h>

#include "base/err.h"

enum ids_place { IDS_UNTIL_BOOT, IDS_KEPT, IDS_PLACES };

struct ids_request {
	enum ids_place place;
	const char *holder; /* absolute path */
	/* Called with each block before it is tried, so that a journal names it; NULL: none. */
	int (*note)(void *ctx, uint32_t first, struct err *err);
	void *ctx;
};

/* Claims a block that nobody on this machine holds. Errors: ERR_PREFLIGHT where none is left. */
int must_check ids_claim(const struct ids_request *request, uint32_t *ret_first, struct err *err);

/* Gives the block back if holder has it: 1, else 0. Idempotent. */
int must_check ids_release(enum ids_place place, const char *holder, uint64_t first,
			   struct err *err);

/*
 * Gives back what is held by names right below `prefix` (with a slash at its end) that are not in
 * dir_fd any more. Of others nothing is known: their path may be in a mount namespace that we do
 * not see. Adds to *n_freed.
 */
int must_check ids_release_orphans(enum ids_place place, const char *prefix, int dir_fd,
				   uint32_t *n_freed, struct err *err);

#endif
