/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows network and network_link: the sandbox's places in its networks (net/). The first, before the
 * sandbox is made, finds the networks, leases an address in each and sees to the bridges; the
 * second puts the links into the sandbox's network namespace and configures them, from the host's
 * side. The workload never has a privilege over either. Run in the keeper, as root.
 *
 * Row network_shared: the namespace is another sandbox's (NETWORK_OF_A_SANDBOX). The caller has
 * opened it; the child is made in it, without a right over it: it belongs to that one's user
 * namespace.
 *
 * Undo: what nf_tables know of its ports is taken out, and the leases of a run that is not kept are
 * given back. What others find it by is taken out with the run's directory. The links go with the
 * namespace; where another sandbox is in that as well they are taken away before all of this.
 */
#ifndef CORDON_LAUNCHER_NETWORK_H
#define CORDON_LAUNCHER_NETWORK_H

#include "launcher/cordon.h"
#include "launcher/network_files.h"
#include "net/endpoint.h"
#include "net/names.h"
#include "net/publish.h"

struct sandbox_endpoint {
	struct network network;
	struct net_link bridge;
	struct lease lease;
	bool has_lease;
	bool has_port; /* nf_tables may know of it */
};

struct sandbox_network {
	struct networks networks;
	struct netlink netlink;                               /* in the host's namespace */
	struct sandbox_endpoint endpoints[SPEC_NETWORKS_MAX]; /* as the spec's */
	char lent[FORWARD_TEXT_MAX];   /* links that forward since this start */
	char holder[LEASE_HOLDER_MAX]; /* of the leases */
	struct publish publish;
	bool is_published;
	bool is_persistent;   /* it is a kept sandbox's */
	struct egress egress; /* of all of its links, where there are such rules */
	int netns_fd;
	int file_fds[NAME_FILES]; /* mounts that lie nowhere, until the child has them */
	int shared_fd;            /* run_options', the caller's to close */
};

void network_init(struct sandbox_network *network);
void network_release(struct sandbox_network *network);

/* Whether the caller may ask for it, and whether there are such networks. Reads only. */
void network_preflight(const struct decision *decision, struct misses *misses);

struct launch;

bool network_is_wanted(const struct decision *decision);
int must_check network_join(struct launch *launch, struct err *err);
int must_check network_leave(struct launch *launch, struct err *err);
/* Takes out what others find it by, in whatever networks it is by now. As the last of all.
 * is_shared: the run was (state_run_share). */
int must_check network_forget(const struct launch *launch, bool is_shared, struct err *err);
int must_check network_make_links(struct launch *launch, struct err *err);
int must_check network_forget_links(struct launch *launch, struct err *err);
int must_check network_verify_links(struct launch *launch, struct err *err);

bool network_is_shared(const struct decision *decision);
int must_check network_share(struct launch *launch, struct err *err);
int must_check network_verify_shared(const struct launch *launch, struct err *err);
/* Around clone3, where the namespace is another sandbox's: into it, and back. Nothing else runs in
 * this process meanwhile. */
int must_check network_enter_shared(struct launch *launch, int *ret_home, struct err *err);
int must_check network_return_home(int *home, struct err *err);

#endif
