/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Secrets: files of the host whose content goes from the keeper's memory to a tmpfs inside, and
 * nowhere else. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_SECRETS_H
#define CORDON_LAUNCHER_SECRETS_H

#include "launcher/cordon.h"
#include "launcher/launch.h"

/* Preflight: looks at each file; fills decision->secrets. Misses for what is not there, is no
 * regular file, is larger than 1 MiB, or cannot be read. */
void secrets_look(struct decision *decision, struct misses *misses);

/* Prepare: reads them into memory that is locked where the limit permits it and in no core dump. */
int must_check secrets_read(struct launch *launch, struct err *err);

/* Writes over the content. In the child once it stands on the tmpfs, in the keeper once the child
 * has it. Idempotent. */
void secrets_wipe(struct launch *launch);
void secrets_release(struct launch *launch);

#endif
