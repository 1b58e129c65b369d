/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes the table of names (names.h): PATH/.names of store.h. Runs in the keeper and in commands,
 * as root. All but book_open need the lock of the networks.
 */
#ifndef CORDON_NET_BOOK_STORE_H
#define CORDON_NET_BOOK_STORE_H

#include "net/book.h"
#include "net/names.h"
#include "net/store.h"

/* A descriptor that only reads, for the resolver; the file is there afterwards. */
int must_check book_open(const struct networks *networks, struct err *err);

/* Adds the entry, or puts it in the place of the one that its run has in that network. Who had its
 * address goes. Of a built-in network only that the run is in it: there are no names there. */
int must_check book_publish(const struct networks *networks, const struct network *network,
			    const struct names_entry *entry, struct err *err);
/* Whether the table has the run in that network. */
bool book_has(const struct networks *networks, const char *run, const struct network *network);
/* Removes what the run has, in one network (its id) or in all (NULL). Idempotent. */
int must_check book_forget(const struct networks *networks, const char *run, const char *network_id,
			   struct err *err);
/* Removes the runs that have no directory below runs (a path). Adds to *n_removed. */
int must_check book_sweep(const struct networks *networks, const char *runs, uint32_t *n_removed,
			  struct err *err);

#endif
