/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sandbox in a network has for those who are linked to it: its host name, its ports, and
 * where it is in the default network the variables that its policy gives its program. One file,
 * RUN/runs/ID/offers, written by its keeper before the program starts and root's alone: what the
 * program does later with its own variables changes nothing of it.
 *
 * Texts, each with a NUL: the host name; "5432/tcp" for each port; an empty one; "NAME=VALUE" for
 * each variable.
 */
#ifndef CORDON_NET_OFFERS_H
#define CORDON_NET_OFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "policy/spec.h"

#define OFFERS_FILE "offers" /* below the run's directory */

struct offers {
	char *bytes; /* malloc */
	size_t len;
	const char *hostname;
	size_t ports;     /* where they begin */
	size_t variables; /* likewise; len: there are none */
};

/* Returns its length, with *ret from malloc; -ENOMEM. Pure but for that. */
ssize_t must_check offers_format(const struct sandbox_spec *spec, char **ret);

/* Of a run below the run root. 0 or -errno; -ENOENT: it has none; -EBADMSG: it is not whole.
 * Release with offers_free. */
int must_check offers_read(const char *run, const char *run_id, struct offers *ret);
void offers_free(struct offers *offers);

/* The one at *at, which begins as offers->ports (offers->variables) and is moved on. False, NULL:
 * there is no further one. What is no port is passed over. */
bool offers_next_port(const struct offers *offers, size_t *at, struct spec_exposed *ret);
const char *offers_next_variable(const struct offers *offers, size_t *at);

/* "tcp", "udp". */
const char *offers_protocol(uint8_t protocol);

#endif
