/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sandboxes that stand still while a volume of theirs, or what they wrote, is copied: paused as by
 * `cordon pause` (records/status.h), with a mark that says for what. A process of their own lets
 * them go on when the copy is made, or when whoever made it is gone, however that ended; where that
 * process is killed as well, `cordon gc` does it, or `cordon unpause`.
 */
#ifndef CORDON_CMD_VOLUME_FREEZE_H
#define CORDON_CMD_VOLUME_FREEZE_H

#include <sys/types.h>

#include "cmd/kept.h"
#include "cmd/volume.h"

enum { VOLUME_FREEZE_MAX = 64 };

struct frozen {
	struct sandbox sandbox;
	int mark_fd;  /* the file that says that it is paused; gone: it is not any more */
	bool is_ours; /* else it was paused before, and stays so */
};

struct volume_freeze {
	const char *name;    /* of the volume */
	const char *without; /* what is said to go on without it, for the hint */
	size_t n_holders;    /* who runs with it */
	struct records records;
	struct frozen list[VOLUME_FREEZE_MAX];
	size_t n;
	int pipe_fd; /* its end is what the process waits for; -EBADF: there is none */
	pid_t thawer;
};

/*
 * Makes all that run with the volume stand still; name and n_holders are set. ERR_USAGE: one that
 * cannot be found, or that has no control group for it, or is just being started. After an error
 * nothing is frozen, and nothing has to be released.
 */
int must_check volume_freeze(const struct cmd_context *context, const struct volume_place *place,
			     struct volume_freeze *freeze, struct err *err);
/* The same of one sandbox, whose lock is not held: while what it wrote is copied. */
int must_check volume_freeze_sandbox(const struct cmd_context *context, const char *id,
				     struct volume_freeze *freeze, struct err *err);
/* Lets them go on. Returns 0, or -1 where one could not, and that has been said. */
int must_check volume_thaw(struct volume_freeze *freeze);

/* For gc: one that a copy has frozen, and that nobody is left to let go on. 1: it goes on. */
int must_check volume_thaw_left(const struct records *records, const struct sandbox *sandbox,
				struct err *err);

#endif
