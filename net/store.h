/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where networks are kept, and who has which of their addresses.
 *
 *     PATH/NAME/record          what it is (network.h)
 *     PATH/NAME/leases/ADDRESS  a link whose text is the path of what holds the address: a kept
 *                               sandbox's record, or a run's directory. Making it is the lease
 *     PATH/.lock                flock(2): whoever changes anything of this, exclusively
 *
 * PATH is STATE/networks (launcher/state.h), which outlives the boot: a network is made as a
 * directory that begins with a dot, fsynced, and gets its name by a rename; it goes the same way.
 * What begins with .new- or .old- is rubbish to whoever holds the lock. A lease counts as long as
 * its holder is there. A kept sandbox has the same address at each start.
 *
 * Runs in the keeper and in commands, as root.
 */
#ifndef CORDON_NET_STORE_H
#define CORDON_NET_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/network.h"

enum { NETWORKS_MAX = 256, LEASE_HOLDER_MAX = PATH_MAX + 96 };

struct networks {
	char path[PATH_MAX];
	int fd; /* -EBADF: nothing was ever made here */
};

/* state: the state root's path. makes: what is missing is made; else fd may stay -EBADF. Refuses a
 * place that another user owns or may enter. */
int must_check networks_open(const char *state, bool makes, struct networks *ret, struct err *err);
void networks_release(struct networks *networks);

/* Returns the descriptor that holds the lock. */
int must_check networks_lock(const struct networks *networks, struct err *err);

/* By name, or id, or the beginning of an id that no other has; built-in ones as well. 0; ERR_USAGE
 * (-ENOENT) with a hint where there is none. */
int must_check networks_find(const struct networks *networks, const char *ref, struct network *ret,
			     struct err *err);
/* Reads the record of that name. -ENOENT without err where there is none. */
int must_check networks_read(const struct networks *networks, const char *name, struct network *ret,
			     struct err *err);

struct network_list {
	struct network *list; /* malloc */
	size_t n;
	size_t n_damaged; /* records that cannot be read: err says the last */
};
/* The built-in ones first, then by name. Release with network_list_free. */
int must_check networks_list(const struct networks *networks, struct network_list *ret,
			     struct err *err);
void network_list_free(struct network_list *list);

/* Needs: the lock. ERR_USAGE where the name is taken (-EEXIST), or there are NETWORKS_MAX
 * (-ENOSPC). */
int must_check networks_add(const struct networks *networks, const struct network *network,
			    struct err *err);
/* Writes another record of one that is there, whole or not at all. Needs: the lock. */
int must_check networks_replace(const struct networks *networks, const struct network *network,
				struct err *err);
/* Needs: the lock, and that nobody has a lease. Idempotent. */
int must_check networks_remove(const struct networks *networks, const char *name, struct err *err);

/* ---- leases ---- */

struct lease {
	struct net_prefix address;  /* with the subnet's length */
	struct net_prefix address6; /* likewise; family 0: no IPv6 */
	uint8_t mac[MAC_LEN];
};

/*
 * Leases the lowest free address to holder, or says which one it has. is_kept: it is on the disk
 * before this returns. note is called before it is made, so that a journal names it. Needs: the
 * lock. ERR_SETUP (-EADDRNOTAVAIL) where none is free, (-EADDRINUSE) where another has the one
 * that is asked for; ERR_USAGE where that cannot be had at all.
 */
struct lease_request {
	const char *holder; /* absolute path */
	bool is_kept;
	const char *ip;  /* the address that it has to be; NULL or "": any */
	const char *ip6; /* likewise; has the same number in the other subnet */
	int (*note)(void *ctx, const char *address, struct err *err);
	void *ctx;
};
int must_check lease_take(const struct networks *networks, const struct network *network,
			  const struct lease_request *request, struct lease *ret, struct err *err);
/* Gives the address back if holder has it: 1, else 0. Idempotent; takes no lock. */
int must_check lease_release(const struct networks *networks, const char *name, const char *address,
			     const char *holder, struct err *err);
/* What follows from an address of the network. False: it is none. */
bool lease_of(const struct network *network, const char *address, struct lease *ret);

/* Each lease of a network: 0, or what `each` returned below 0. */
struct lease_reader {
	int (*each)(void *ctx, const char *address, const char *holder);
	void *ctx;
};
int must_check lease_walk(const struct networks *networks, const char *name,
			  const struct lease_reader *reader, struct err *err);

/*
 * Removes what a crash left: directories that begin with a dot, and leases whose holder was right
 * below one of the prefixes (with a slash at the end) and is gone. Of others nothing is known.
 * Needs: the lock. Adds to *n_removed.
 */
int must_check networks_sweep(const struct networks *networks, const char *const *prefixes,
			      uint32_t *n_removed, struct err *err);

#endif
