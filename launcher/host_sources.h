/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row sources, as root: each host path becomes a detached mount with the ids that the sandbox may
 * know. Runs in the keeper. */
#ifndef CORDON_LAUNCHER_HOST_SOURCES_H
#define CORDON_LAUNCHER_HOST_SOURCES_H

#include "launcher/launch.h"

/* Fills source->tree_fd. fact: what was checked; ESTALE where something else is there now. */
int must_check host_sources_open(struct launch *launch, const struct source_fact *fact,
				 struct rootfs_source *source, struct err *err);

#endif
