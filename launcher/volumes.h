/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows named_volumes and filled_volumes: the volumes of the spec (storage/volume.h). The first,
 * before the sandbox is made, finds each or makes it, holds it against removal, and as root opens
 * it as a detached mount that shows the foreign ids as the sandbox's. Into a volume that is empty
 * the sandbox's process copies what the root has at the target (rootfs/fill.c); the second row,
 * once that is done, makes it last. Until then a mark says that it is not, and whoever comes after
 * a crash begins anew.
 *
 * Undo: the anonymous volumes of a sandbox that keeps nothing are removed. Run in the keeper.
 */
#ifndef CORDON_LAUNCHER_VOLUMES_H
#define CORDON_LAUNCHER_VOLUMES_H

#include "launcher/cordon.h"
#include "storage/volume.h"

struct sandbox_volumes {
	struct volumes store;
	struct volume_hold *holds; /* malloc, one for each of the spec's mounts; dir_fd -EBADF where
				      it is no volume, or one that stands before it already */
	char **paths;              /* malloc, of each volume's data, for the sandbox's process */
	size_t n;
	const char *sandbox; /* whose the anonymous ones are: a record's id, or the run's */
	bool removes;        /* they go with the end */
};

struct launch;

void volumes_init(struct sandbox_volumes *volumes, const struct run_options *options);
void volumes_end(struct sandbox_volumes *volumes);

/* Facts of the spec's volumes: where each will be. Misses: no place for any, an impossible name. */
void volumes_look(struct decision *decision, struct source_fact *sources, struct misses *misses);

bool volumes_are_wanted(const struct decision *decision);
int must_check volumes_take(struct launch *launch, struct err *err);
int must_check volumes_give_back(struct launch *launch, struct err *err);
/* Whether an undo removes some: it takes CAP_DAC_OVERRIDE and CAP_FOWNER then, as root. */
bool volumes_are_removed(const struct launch *launch);

/* In a root of its own files, an image or a directory: an empty volume gets what is there. */
bool volumes_can_be_filled(const struct decision *decision);
int must_check volumes_filled(struct launch *launch, struct err *err);

#endif
