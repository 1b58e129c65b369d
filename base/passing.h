/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages with descriptors beside them: SCM_RIGHTS, unix(7). Between processes of cordon's own. */
#ifndef CORDON_BASE_PASSING_H
#define CORDON_BASE_PASSING_H

#include <stddef.h>

#include "base/err.h"

enum { PASSING_MAX = 8 };

/* A message of size bytes; size is never 0. fds: n of them, at most PASSING_MAX; 0: none. */
struct passing {
	void *bytes;
	size_t size;
	int *fds;
	size_t n;
};

/* Sends it, with flags of sendmsg(2) beside MSG_NOSIGNAL. Returns 0 or -errno. */
int must_check passing_send(int socket, const struct passing *what, int flags);

/*
 * Takes one message that has just this size, with what->n descriptors, which are the caller's and
 * CLOEXEC, or with none. Returns how many came, or -errno: -EPIPE where the other side is gone,
 * -EPROTO for any other message, of which nothing stays open.
 */
int must_check passing_receive(int socket, const struct passing *what);

#endif
