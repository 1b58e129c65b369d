/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows network and network_link: the sandbox's place in a network (net/). The first, before the
 * sandbox is made, finds the network, leases an address and sees to the bridge; the second puts a
 * link into the sandbox's network namespace and configures it, from the host's side. The workload
 * never has a privilege over either. Run in the keeper, as root.
 *
 * Undo: the lease of a run that is not kept is given back. The links go with the namespace.
 */
#ifndef CORDON_LAUNCHER_NETWORK_H
#define CORDON_LAUNCHER_NETWORK_H

#include "launcher/cordon.h"
#include "net/endpoint.h"

struct sandbox_network {
	struct networks networks;
	struct netlink netlink; /* in the host's namespace */
	struct network network;
	struct net_link bridge;
	struct lease lease;
	bool has_lease;
	char holder[LEASE_HOLDER_MAX]; /* of the lease */
	bool is_persistent;            /* it is a kept sandbox's */
	int netns_fd;
};

void network_init(struct sandbox_network *network);
void network_release(struct sandbox_network *network);

/* Whether the caller may ask for it, and whether there is such a network. Reads only. */
void network_preflight(const struct decision *decision, struct misses *misses);

struct launch;

bool network_is_wanted(const struct decision *decision);
int must_check network_join(struct launch *launch, struct err *err);
int must_check network_leave(struct launch *launch, struct err *err);
int must_check network_make_link(struct launch *launch, struct err *err);
int must_check network_verify_link(struct launch *launch, struct err *err);

#endif
