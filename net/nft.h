/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's nf_tables keep of networks: two tables of ours and nothing in another's. `inet
 * cordon` says what is forwarded, translated, and what of the host may be asked; `bridge cordon`,
 * that a port of a bridge takes packets with its sandbox's addresses alone. The rules do not change
 * (nft_rules.c); who they are about stands in sets, so that a packet's way does not grow with the
 * number of sandboxes.
 *
 * Each change is one transaction. Spoken by the encoder of netlink.h (nfnetlink): a launch would
 * otherwise execute a program for it, and that with a library. All of these need CAP_NET_ADMIN and
 * a socket of NETLINK_NETFILTER, and are idempotent.
 */
#ifndef CORDON_NET_NFT_H
#define CORDON_NET_NFT_H

#include "net/netlink.h"
#include "net/network.h"
#include "net/store.h"

/* Reads whether the tables and this network's bridge in their sets are there, as they are to be.
 * Where anything is missing or was changed, all is written anew and read back, and 1 is returned:
 * what runs in the network is in no set then (members_restore_ports). */
int must_check nft_keep(struct netlink *netlink, const struct network *network, struct err *err);

/* 1: there is a list of ports; 0: somebody has taken it out, or nobody has made one. */
int must_check nft_has_ports(struct netlink *netlink, struct err *err);

/* Takes the bridge out. */
int must_check nft_forget(struct netlink *netlink, const struct network *network, struct err *err);
/* Takes the tables away where nobody is in them. */
int must_check nft_remove_unused(struct netlink *netlink, struct err *err);

/* port: the host's end of a sandbox's link, which is there already: an element without its link is
 * what a crash has left. What it sends has the addresses of its lease, or goes nowhere. Read
 * back. */
int must_check nft_bind_port(struct netlink *netlink, const char *port, const struct lease *lease,
			     struct err *err);
/* Nothing of it passes, until it is bound: of whose rules are lost. Idempotent. */
int must_check nft_shut_port(struct netlink *netlink, const char *port, const struct lease *lease,
			     struct err *err);
int must_check nft_release_port(struct netlink *netlink, const char *port,
				const struct lease *lease, struct err *err);

/* Removes the elements of ports that are gone. Adds to *n_removed. */
int must_check nft_sweep(struct netlink *netlink, uint32_t *n_removed, struct err *err);

/* Links that forward for the sake of sandboxes alone (forward.h). */
enum { NFT_LENT_MAX = 32 };
struct nft_links {
	char list[NFT_LENT_MAX][IFNAMSIZ];
	size_t n;
};
/* family: AF_INET, AF_INET6. */
int must_check nft_lend(struct netlink *netlink, int family, const char *link, struct err *err);
int must_check nft_take_back(struct netlink *netlink, int family, const char *link,
			     struct err *err);
/* What there is no room for is left out. -ENOENT: there are no tables. */
int must_check nft_list_lent(struct netlink *netlink, int family, struct nft_links *ret,
			     struct err *err);
/* Whether it is one of cordon's own: 1, 0. */
int must_check nft_is_bridge(struct netlink *netlink, const char *link, struct err *err);
/* How many bridges there are; none as well where there are no tables. */
int must_check nft_count_bridges(struct netlink *netlink, size_t *ret, struct err *err);
/* How many bridges have a way out. */
int must_check nft_count_ways(struct netlink *netlink, size_t *ret, struct err *err);

#endif
