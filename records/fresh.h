/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A keeper that starts its sandbox again does so by the record of that moment: `cordon update` may
 * have changed it meanwhile. Internal to records/. */
#ifndef CORDON_RECORDS_FRESH_H
#define CORDON_RECORDS_FRESH_H

#include "records/keeper.h"
#include "records/record.h"

/* Which record it was. */
struct record_mark {
	uint64_t inode;
	int64_t changed_ns;
};

struct record_mark record_mark_of(const struct sandbox *sandbox);

/* What was decided anew; lives as long as the keeper. */
struct fresh {
	struct record record;
	struct decision decision;
};

/*
 * Where the record is not the one of *mark any more: reads and decides it, and sets *mark. roots:
 * where the state lies. Returns 1 with *ret filled (malloc), 0 where nothing has changed, or a
 * negative errno with err filled. Needs: the privileges and the directory of a start.
 */
int must_check fresh_look(const struct keep *keep, const struct run_request *roots,
			  struct record_mark *mark, struct fresh **ret, struct err *err);

#endif
