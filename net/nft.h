/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's nf_tables keep of networks: one table of ours, `inet cordon`, and nothing in
 * another's. Its rules are three, whatever the number of networks and sandboxes; who they are
 * about stands in sets:
 *
 *     set ends { type ifname }            bridges beyond which nothing is forwarded
 *     set same { type ifname . ifname }   each with itself
 *     chain forward { type filter hook forward priority -10; policy accept
 *         iifname . oifname @same accept  frames within a bridge, where br_netfilter shows them
 *         iifname @ends drop
 *         oifname @ends drop
 *     }
 *
 * Each change is one transaction. Spoken by the encoder of netlink.h (nfnetlink): a launch would
 * otherwise execute a program for it, and that with a library.
 */
#ifndef CORDON_NET_NFT_H
#define CORDON_NET_NFT_H

#include "net/netlink.h"

/* Whatever of it is missing or was changed is made anew, and read back: nothing is forwarded from
 * or to this link. Idempotent. Needs: CAP_NET_ADMIN; a socket of NETLINK_NETFILTER. */
int must_check nft_end_at(struct netlink *netlink, const char *link, struct err *err);

/* Takes the link out, and the table away where it was the last. Idempotent. */
int must_check nft_forget(struct netlink *netlink, const char *link, struct err *err);

#endif
