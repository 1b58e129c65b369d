/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is different in the image that `cordon commit` makes. */
#ifndef CORDON_CMD_COMMIT_H
#define CORDON_CMD_COMMIT_H

#include "cmd/words.h"
#include "records/record.h"

/* The items that cordon-image's composer reads (libexec/image/compose.c), in a file without a name:
 * the sandbox's command, variables, labels and the like, as its flags said them, and what words
 * says. Returns the descriptor, or a negative errno with err filled. */
int must_check commit_edits(const struct record *record, const struct words *words,
			    struct err *err);

#endif
