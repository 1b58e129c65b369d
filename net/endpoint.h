/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way of one sandbox into one network: a veth pair. Its one end is a port of the bridge, its
 * other is made in the sandbox's network namespace, and was never on the host. When that namespace
 * ends, both go; what nf_tables know of the port is taken out by endpoint_release, or by nft_sweep.
 *
 * Runs in the keeper, before anything of the workload's runs. Needs: CAP_NET_ADMIN and
 * CAP_SYS_ADMIN, here and over the sandbox's user namespace.
 */
#ifndef CORDON_NET_ENDPOINT_H
#define CORDON_NET_ENDPOINT_H

#include "net/bridge.h"
#include "net/egress.h"
#include "net/shape.h"

struct endpoint {
	const struct network *network;
	const struct lease *lease;
	struct net_link bridge;   /* bridge_ensure's */
	char host_name[IFNAMSIZ]; /* of the port */
	const char *name;         /* inside: "eth0" */
	bool is_way_out;          /* its gateway is the default route */
	int netns_fd;
	const struct egress *egress; /* NULL: it has no such rules */
	const struct shape *shape;   /* of the sandbox; NULL: seen to by whoever made the links */
};

/* The port's name, from the run's: the same for whoever asks. */
void endpoint_host_name(const char *run_id, unsigned number, char buf[IFNAMSIZ]);

/* Whether there is a way beyond the network: whose gateway can be the default route. */
bool endpoint_has_way_out(const struct network *network);

int must_check endpoint_make(struct netlink *netlink, const struct endpoint *endpoint,
			     struct err *err);
/* Reads back, from the kernel, both ends: names, link address, addresses, the bridge, and what a
 * port of it may not do. */
int must_check endpoint_verify(struct netlink *netlink, const struct endpoint *endpoint,
			       struct err *err);

/* Takes out what nf_tables know of the port, which ends with its namespace: where somebody else may
 * be in that, endpoint_remove comes first. Needs of the endpoint: lease and host_name. Idempotent.
 */
int must_check endpoint_release(const struct endpoint *endpoint, struct err *err);

/* Takes the sandbox out of the network while it runs: the port, and what nf_tables know of it.
 * Idempotent. */
int must_check endpoint_remove(struct netlink *netlink, const char *host_name, struct err *err);

#endif
