/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptors 0 to 2, and those of --fd, as the workload gets them. They are passed on as they are,
 * but a descriptor is also a name: through /proc/self/fd it can be opened anew, with other rights
 * than it was opened with. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_STDIO_H
#define CORDON_LAUNCHER_STDIO_H

#include "launcher/launch.h"

/*
 * As root the caller's pipes are root's, so that a script's `echo >/dev/stderr` would be refused.
 * The pipe's group becomes the workload's, and its mode permits the direction that the descriptor
 * has and no other: what others write to the same pipe cannot be read. Needs CAP_CHOWN. One that a
 * pipe of the sandbox's own stands for (output.h) is not lent.
 */
bool stdio_wants_pipes(const struct decision *decision);
/* Whether that can be done, and needs to. */
bool stdio_can_lend(const struct decision *decision);
int must_check stdio_lend_pipe(struct launch *launch, int fd, struct err *err);
int must_check stdio_lend_pipes(struct launch *launch, struct err *err);

/*
 * A file that was opened for reading is replaced by the same file through a read-only mount, at the
 * same offset: else a user's workload, which has the user's id, could open it for writing (`cordon
 * run -- CMD < FILE`). As root the keeper does it, by the descriptor; as a user the child, by the
 * descriptor's path in its own mount namespace.
 */
bool stdio_has_input_files(const struct decision *decision);
int must_check stdio_freeze_in_keeper(struct launch *launch, struct err *err);
int must_check stdio_freeze_in_child(struct launch *launch, struct err *err);
int must_check stdio_verify_frozen(struct launch *launch, struct err *err);

#endif
