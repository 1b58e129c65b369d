/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's commands that have another name here, or none: what somebody who types them is told. */
#ifndef CORDON_CMD_DOCKER_H
#define CORDON_CMD_DOCKER_H

#include <stdbool.h>
#include <stddef.h>

struct docker_command {
	const char *name;    /* "pull", "image push"; "container *": with any word behind it */
	const char *instead; /* a command line of cordon's, or sentences; * is that word */
};

/* Ends with name NULL. */
extern const struct docker_command docker_commands[];

/* Says what to do instead where the words, of a command line that is none of cordon's, begin like
 * one of Docker's. False: they do not, and nothing was said. */
bool docker_refuse(char *const *words, size_t n);

#endif
