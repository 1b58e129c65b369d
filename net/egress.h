/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sandbox may reach: network.egress as nf_tables have it.
 *
 * A sandbox with such rules has a chain of its own in each of the two tables (nft.h), with sets of
 * its own, and one element of a map for each of its links: whoever has none is not even looked
 * at, and one with ten thousand rules pays for its own alone, and for the first packet of each
 * connection. In `inet cordon` the chain holds for what its bridge forwards, and what is for the
 * host itself. A connection that was let through carries the run's labels (ct label); without
 * them an old one of who had the address before would be as good. In `bridge cordon` it holds
 * for its neighbours, packet by packet, for connections are not known there: there TCP that opens
 * nothing passes.
 *
 * What the chain lets pass meets the rules that hold for everybody, behind it. Needs CAP_NET_ADMIN
 * and a socket of NETLINK_NETFILTER.
 */
#ifndef CORDON_NET_EGRESS_H
#define CORDON_NET_EGRESS_H

#include "net/netlink.h"
#include "net/network.h"
#include "policy/spec.h"

enum { EGRESS_NAME_MAX = 16 };

struct egress {
	const struct spec_egress *rules;
	const char *run;   /* its id */
	bool is_published; /* it has ports to answer at */
	bool is_counted;   /* what it is denied is listed: egress_list_denials */
};

/* As a sandbox's policy says; its rules are NULL where it says nothing. */
void egress_describe(const struct spec_network *network, const char *run, struct egress *ret);

/* A link of the sandbox, and where it leads. */
struct egress_link {
	const struct network *network;
	const struct lease *lease;
	const char *port; /* the host's end, which is there already */
};

/* Makes the chains where they are missing, and lets the link lead through them. Read back.
 * Idempotent. */
int must_check egress_bind(struct netlink *nft, const struct egress *egress,
			   const struct egress_link *link, struct err *err);

/* An address that a name of that group has, for so long. */
struct egress_admission {
	struct net_prefix address;
	size_t group;
	uint32_t seconds;
};
int must_check egress_admit(struct netlink *nft, const char *run,
			    const struct egress_admission *admission, struct err *err);

/*
 * From now on the kernel counts what the rules deny, by destination, in sets that hold
 * EGRESS_LISTED_MAX of them in each table and family: whoever knocks at more doors costs no more.
 * What finds no place is counted by its protocol. egress->is_counted, and at least one link bound.
 * egress_verify_listing reads it back. Idempotent.
 */
enum { EGRESS_LISTED_MAX = 64 };
int must_check egress_list_denials(struct netlink *nft, const struct egress *egress,
				   struct err *err);
int must_check egress_verify_listing(struct netlink *nft, const struct egress *egress,
				     struct err *err);

struct egress_denial {
	struct net_prefix address;
	uint8_t protocol;
	uint16_t port;  /* 0: of a protocol without ports */
	uint64_t count; /* packets */
	bool is_closed; /* no rule opens it: the host's, another network's, beyond an internal one
			 */
};
struct egress_denials {
	size_t n;
	uint64_t others;                              /* packets that found no place in the list */
	struct egress_denial list[EGRESS_LISTED_MAX]; /* the most frequent first */
};
/* What it was until now. */
int must_check egress_read_denials(struct netlink *nft, const char *run, struct egress_denials *ret,
				   struct err *err);

/* Takes all of the run's out, where there are such rules, by a socket of its own. Idempotent. */
int must_check egress_forget(const struct egress *egress, struct err *err);

/* Likewise of all runs whose links are gone. Adds to *n_removed. */
int must_check egress_sweep(struct netlink *nft, uint32_t *n_removed, struct err *err);

#endif
