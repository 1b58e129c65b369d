/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is in which network right now: one file for each, RUN/networks/ID of the network's id
 * (names_format.h). It is bound to the boot, as what runs is. Runs in the keeper and in commands.
 *
 * All changes need the store's lock (networks_lock).
 */
#ifndef CORDON_NET_NAMES_H
#define CORDON_NET_NAMES_H

#include "net/names_format.h"
#include "net/store.h"
#include "policy/spec.h"

struct names {
	struct names_entry *list; /* malloc */
	size_t n;
};

/* Opens the network's file to read: the descriptor, or -errno. -ENOENT without err where nobody is
 * in it. */
int must_check names_open(const char *run, const struct network *network, struct err *err);
/* All of it. Release with names_free. Nobody: n is 0. */
int must_check names_read(const char *run, const struct network *network, struct names *ret,
			  struct err *err);
void names_free(struct names *names);
const struct names_entry *names_find(const struct names *names, const char *id);

/* Adds a text to entry->names (or the two to entry->links). False: there is no more room. */
bool names_add_own(struct names_entry *entry, const char *name);
bool names_add_link(struct names_entry *entry, const char *alias, const char *target);
/* The text at *at, which is moved on; NULL behind the last. */
const char *names_next(const char *texts, size_t size, size_t *at);

/* Who it is that has a lease. */
struct names_identity {
	const char *holder; /* the lease's: its last part is the id */
	const char *run_id;
	const char *name; /* NULL or "": it has none */
	uint8_t number;   /* of its link */
	bool is_ruled;    /* it has rules of its own (egress.h) */
	/* Whom the endpoint's links mean, by the beginnings of ids; NULL: whoever has the name. */
	const char *const *sources;
};
/* Fills an entry. ERR_USAGE where there is no room for so many names. Pure. */
int must_check names_describe(const struct spec_endpoint *endpoint,
			      const struct names_identity *who, const struct lease *lease,
			      struct names_entry *ret, struct err *err);

/* Puts the entry in the place of that one with its id. Errors: no room; ERR_USAGE where another has
 * its link address. */
int must_check names_put(const char *run, const struct network *network,
			 const struct names_entry *entry, struct err *err);
/* Takes the one of that run out. Idempotent. */
int must_check names_drop(const char *run, const struct network *network, const char *run_id,
			  struct err *err);
/* Whether its run is gone. */
bool names_is_lost(const char *run, const struct names_entry *entry);
/* Whether anybody is in any network. Takes no lock. */
bool names_is_any(const char *run);
/* Takes those out whose runs are gone, of all networks, and files of networks that are. Adds to
 * *n_removed. */
int must_check names_sweep(const char *run, const struct networks *networks, uint32_t *n_removed,
			   struct err *err);

#endif
