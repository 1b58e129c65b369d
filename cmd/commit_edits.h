/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cmd/commit_edits.c and cmd/commit_said.c share. */
#ifndef CORDON_CMD_COMMIT_EDITS_H
#define CORDON_CMD_COMMIT_EDITS_H

#include "cmd/commit.h"

/* The items that are being written. */
struct edits {
	int fd;
	int result; /* the first error */
};

/* KEY=VALUE, with its end. */
void edits_put(struct edits *e, const char *key, const char *value);
/* The caller's variable of that name, as it was when the sandbox was made; none: nothing. */
void edits_put_callers(struct edits *e, const struct record *record, const char *name, size_t len);

/* User, directory, signal, variables and ports, as -u, -w, --stop-signal, -e, -p, --expose and
 * --set said them (commit_said.c). Returns 0, or a negative errno with err filled. */
int must_check edits_put_said(struct edits *e, const struct record *record, struct err *err);

#endif
