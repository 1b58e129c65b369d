/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes between the host and a sandbox, by cordon-image's confined processes
 * (libexec/image/transfer.c). */
#ifndef CORDON_CMD_TRANSFER_H
#define CORDON_CMD_TRANSFER_H

#include "launcher/cordon.h"

struct transfer {
	int from; /* a directory, a file, a link; with is_archive an archive */
	int to;   /* a directory; with is_output what the tar is written to */
	bool is_archive;
	bool is_output;
	bool from_inside, to_inside; /* which of them is the sandbox's */
	bool only_root;              /* what is mounted on from stays empty */
	bool keeps_owners;
	bool is_quiet;
	const char *as;    /* the copy's name; "": it is what is in `to` */
	const char *shown; /* for messages: what is read */
	const struct run_target *target;
};

/* Executes it, and waits. Returns the exit code: 0, or 125 and it has said why; or a negative errno
 * with err filled. */
int must_check transfer_run(const struct transfer *transfer, struct err *err);

#endif
