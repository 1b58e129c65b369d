/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client that is attached to a sandbox in the background: what it prints comes out of its log
 * (logs.h), what is typed goes by a socket to its recorder (records/attach.h), which shows by its
 * end that the run is over. Of `cordon attach`, and of what starts a sandbox to be attached to it.
 */
#ifndef CORDON_CMD_ATTACHED_H
#define CORDON_CMD_ATTACHED_H

#include <stdbool.h>
#include <stdint.h>

#include "records/store.h"

struct attached_how {
	const char *detach_keys; /* NULL: the usual ones */
	bool reads_stdin;        /* where the sandbox was made to have it */
	bool no_sig_proxy;       /* signals detach */
	bool is_quiet;
	bool is_starting; /* it does not run yet; needs its lock */
	int64_t life;     /* else: live_run.restarts of what runs */
};

struct attached;

/*
 * Before a start, or once it runs: what is printed from here on will be shown. Signals wait from
 * here on. sandbox stays the caller's. 0 with *ret (attached_free), or ERR_USAGE for keys that are
 * none, or why its log cannot be read.
 */
int must_check attached_open(const struct attached_how *how, const struct records *records,
			     const struct sandbox *sandbox, struct attached **ret, struct err *err);

/*
 * Until the run has ended, or the client leaves it. records: opened when it ran already. Returns
 * the exit code: the program's, 0 where it was detached; what is wrong has been said.
 */
int must_check attached_go(struct attached *a, const struct records *records);
void attached_free(struct attached *a);

#endif
