/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `cordon cp` copies to where: the rules of docker cp, as text. Pure. */
#ifndef CORDON_CMD_COPY_RULES_H
#define CORDON_CMD_COPY_RULES_H

#include <limits.h>
#include <stdbool.h>

#include "launcher/cordon.h"

/* A word of the command line. */
struct copy_place {
	bool is_stream;          /* "-" */
	char sandbox[256];       /* "": of this host */
	char path[PATH_MAX];     /* without what stands for itself at its end: "d" of "d/." */
	char base[NAME_MAX + 1]; /* its last part; "" where that says nothing (/, ., ..) */
	bool wants_directory;    /* it ends with a slash, or as below */
	bool is_content;         /* it ends with "/.": what is in the directory */
};

/* Returns 0, or -ENAMETOOLONG. */
int must_check copy_parse(const char *word, struct copy_place *ret);

/*
 * What the copy is called in the directory that was found for it, "" for the content of that
 * directory itself. Returns NULL and *ret_as, or why it cannot be.
 */
const char *copy_plan(const struct copy_place *source, enum visit_type source_type,
		      const struct copy_place *sink, const struct visit_found *found,
		      const char **ret_as);

#endif
