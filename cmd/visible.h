/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one line that helps when a program could not read, or write, a file that an argument names:
 * what of the policy hides it or makes it read-only, and what to write. */
#ifndef CORDON_CMD_VISIBLE_H
#define CORDON_CMD_VISIBLE_H

#include "launcher/cordon.h"

enum { VISIBLE_TEXT_MAX = 3072 }; /* a line of cordon's is shorter than two paths may be */

/* True where the host path `path` (absolute, normal) is shown inside at the same place. */
bool visible_is_shown(const struct decision *decision, const char *path);

/*
 * Names the first of args that is a file of the host and not visible inside, or that cannot be
 * written though an option says that it is an output, with the rule and the flag that changes it.
 * is_asked: somebody wants to know, so any argument that can be read but not written counts as
 * well. False: there is none, and buf is "".
 */
bool visible_find_rule(const struct decision *decision, const char *const *args, bool is_asked,
		       char *buf, size_t size);

#endif
