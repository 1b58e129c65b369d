/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one line that helps when a program could not find a file that is there on the host. */
#ifndef CORDON_CMD_VISIBLE_H
#define CORDON_CMD_VISIBLE_H

#include "launcher/cordon.h"

/* True where the host path `path` (absolute, normal) is shown inside at the same place. */
bool visible_is_shown(const struct decision *decision, const char *path);

/* Names the first of args that is a file of the host and not visible inside, with the flag that
 * shows it. */
void visible_print_hint(const struct decision *decision, char *const *args);

#endif
