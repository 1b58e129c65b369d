/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links in the default network (network.links), as Docker's old ones: part of row network. Who is
 * linked to has to run. Its address, its ports and the variables that its policy gave it become
 * variables of this one's program, behind those of its own policy: none of them takes the place of
 * one that the policy says. What /etc/hosts and the rules of the host's have of them follows who
 * runs (net/links.h).
 *
 * Undo: nothing of it outlives the process.
 */
#ifndef CORDON_LAUNCHER_NETWORK_LINKS_H
#define CORDON_LAUNCHER_NETWORK_LINKS_H

#include <stddef.h>

#include "base/err.h"
#include "policy/spec.h"

enum { LINK_ID_SIZE = 13 }; /* as the table of names has it */

struct network_links {
	char **envp; /* malloc; NULL: the spec's */
	size_t n_spec;
	size_t n;
	/* Whom the links of the first network mean, by the beginning of its id. */
	char ids[SPEC_ALIASES_MAX][LINK_ID_SIZE];
	const char *sources[SPEC_ALIASES_MAX];
};

struct launch;

/* Needs: the lock of the networks, and the default one read. */
int must_check network_links_take(struct launch *launch, struct err *err);
void network_links_release(struct network_links *links);
/* What the program is executed with. */
const char *const *network_links_envp(const struct launch *launch);

#endif
