/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of volumes share (storage/volume.h). */
#ifndef CORDON_CMD_VOLUME_H
#define CORDON_CMD_VOLUME_H

#include "cmd/cmd.h"
#include "cmd/words.h"
#include "storage/volume.h"

struct volume_place {
	struct volumes volumes;
	char run[PATH_MAX]; /* the run root: records of those that remove themselves are there */
};

/* Opens the store of the caller's volumes. makes: see volumes_open. */
int must_check volume_place_open(const struct cmd_context *context, bool makes,
				 struct volume_place *ret, struct err *err);
void volume_place_close(struct volume_place *place);

/* The two roots that follow from the command line and the environment, PATH_MAX bytes each. */
int must_check volume_roots(const struct cmd_context *context, char *state, char *run,
			    struct err *err);

/* Names of volumes that are in use: by a record, or by a sandbox that runs. */
struct volume_uses {
	struct volume_use *list;
	size_t n;
	size_t room;
};
struct volume_use {
	char sandbox[64];
	char name[VOLUME_NAME_MAX + 1];
};
int must_check volume_uses_read(const struct volume_place *place, struct volume_uses *ret,
				struct err *err);
void volume_uses_free(struct volume_uses *uses);
bool volume_is_used(const struct volume_place *place, const struct volume_uses *uses,
		    const char *name);

/* Of --filter: those of one key are alternatives, but for labels. ERR_USAGE for an unknown one.
 * keys: which are known, NULL-terminated. */
int must_check volume_check_filters(const char *command, const struct words *words,
				    const char *const *keys, struct err *err);
/* is_used decides dangling=. */
bool volume_is_chosen(const struct volume *volume, const struct words *words, bool is_used);

#endif
