/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How fast a sandbox may send and receive, or all of a network's sandboxes beyond it. Two links of
 * the kind ifb, made beside the ports on the host and reached by nothing else, each with a token
 * bucket: what a port received is sent through the one before the bridge sees it, what is sent by a
 * port through the other, and goes on as if it had not been away. So one bucket counts all of a
 * sandbox's networks, rules about ports see the port, and no end of anything that is set here is in
 * the sandbox (docs/decisions/041).
 *
 * Runs in the keeper and in commands. Needs: CAP_NET_ADMIN. The links go by shape_remove, or by
 * shape_sweep where nobody came to that.
 */
#ifndef CORDON_NET_SHAPE_H
#define CORDON_NET_SHAPE_H

#include "net/link.h"
#include "net/network.h"
#include "policy/spec.h"

/* As seen from the sandbox. */
enum shape_way { SHAPE_EGRESS, SHAPE_INGRESS, SHAPE_WAYS };

struct shape {
	struct spec_traffic traffic[SHAPE_WAYS]; /* rate_bits 0: as fast as it goes */
	char links[SHAPE_WAYS][IFNAMSIZ];
};

/* The links' names follow from the id: the same for whoever asks. */
void shape_of_run(const char *run_id, const struct spec_network *network, struct shape *ret);

/* whose: 'c' of a sandbox, 'n' of a network. */
void shape_name_links(char whose, const char *id, struct shape *ret);

/* Whether it holds anything at all. */
bool shape_is_wanted(const struct shape *shape);

/* Refuses a burst that a packet of the place does not fit in. */
int must_check shape_check_fits(const struct shape *shape, const struct net_link *place,
				struct err *err);

/*
 * Places are a sandbox's ports; or a network's bridge, which receives what leaves the network and
 * sends what comes into it.
 *
 * Makes the rates of all these places what they are to be: links, buckets and filters that are
 * missing are made, rates are changed in their place, and what is not wanted is taken out. Reads it
 * back. Idempotent. n may be 0. Errors: a burst that a packet of the place does not fit in; what
 * the kernel lacks.
 */
int must_check shape_set(struct netlink *netlink, const struct shape *shape,
			 const struct net_link *places, size_t n, struct err *err);
/* Of that only what makes a rate less than it is now. n > 0. */
int must_check shape_tighten(struct netlink *netlink, const struct shape *shape,
			     const struct net_link *places, size_t n, struct err *err);
/* Reads it back. */
int must_check shape_verify(struct netlink *netlink, const struct shape *shape,
			    const struct net_link *places, size_t n, struct err *err);
/* Takes the links out, whatever the rates are; places that still send through them send nothing.
 * Idempotent. */
int must_check shape_remove(struct netlink *netlink, const struct shape *shape, struct err *err);

/* The ports of a run that there are, which is how many. */
int must_check shape_find_ports(struct netlink *netlink, const char *run_id,
				struct net_link ret[SPEC_NETWORKS_MAX], struct err *err);

/* Of a network, whose bridge that is: what an earlier record of it has left is taken out too. */
int must_check shape_network_set(struct netlink *netlink, const struct network *network,
				 const struct net_link *bridge, struct err *err);
/* What that would refuse, before anything is changed. */
int must_check shape_network_check(const struct network *network, struct err *err);
/* Looks first: 1 where it was not as it is to be, and is now. */
int must_check shape_network_settle(struct netlink *netlink, const struct network *network,
				    const struct net_link *bridge, struct err *err);
int must_check shape_network_remove(struct netlink *netlink, const struct network *network,
				    struct err *err);

/* Takes out the links of runs that have no port any more, and of networks without a bridge. */
int must_check shape_sweep(struct netlink *netlink, uint32_t *n_removed, struct err *err);

#endif
