/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker (serve.h): what it notes for the list of denials (resolver_image.h). A worker that was
 * taken over may have written there before this one: numbers are looked at each time. */
#ifndef CORDON_LAUNCHER_RESOLVER_SERVE_NOTES_H
#define CORDON_LAUNCHER_RESOLVER_SERVE_NOTES_H

#include <string.h>

#include "launcher/resolver_image.h"
#include "net/dns.h"

_Static_assert((int)RESOLVER_NOTED_NAME_MAX == (int)DNS_TEXT_MAX, "one is copied to the other");

static inline bool serve_is_noted(const char *noted, const char *name)
{
	return memcmp(noted, name, strlen(name) + 1) == 0;
}

static inline void serve_note_refused(struct resolver_notes *notes, const struct dns_query *query)
{
	char name[DNS_TEXT_MAX];
	uint32_t n = notes->n_refused, i = 0;

	if (notes->is_wanted == 0 || n > RESOLVER_REFUSED_MAX ||
	    !dns_plain_text(&query->name, name) || name[0] == '\0')
		return;
	while (i < n && !serve_is_noted(notes->refused[i].name, name))
		i++;
	if (i == RESOLVER_REFUSED_MAX) {
		notes->others += notes->others < UINT32_MAX;
		return;
	}
	if (i == n) {
		memcpy(notes->refused[i].name, name, strlen(name) + 1);
		notes->refused[i].count = 0;
		notes->n_refused = n + 1;
	}
	notes->refused[i].count += notes->refused[i].count < UINT32_MAX;
}

/* Over and over in a circle: the latest are those that are asked about. */
static inline void serve_note_known(struct resolver_notes *notes, const char *name, uint8_t is_ipv6,
				    const uint8_t address[16])
{
	uint32_t n = notes->n_known, at;
	struct resolver_known *known;

	if (notes->is_wanted == 0 || n > RESOLVER_KNOWN_MAX)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (notes->known[i].is_ipv6 == is_ipv6 &&
		    memcmp(notes->known[i].address, address, 16) == 0 &&
		    serve_is_noted(notes->known[i].name, name))
			return;
	at = n < RESOLVER_KNOWN_MAX ? n : notes->next_known % RESOLVER_KNOWN_MAX;
	known = &notes->known[at];
	known->is_ipv6 = is_ipv6;
	memcpy(known->address, address, sizeof(known->address));
	memcpy(known->name, name, strlen(name) + 1);
	notes->n_known = n < RESOLVER_KNOWN_MAX ? n + 1 : n;
	notes->next_known = (at + 1) % RESOLVER_KNOWN_MAX;
}

#endif
