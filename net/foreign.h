/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Others' rules for what is forwarded. An accept of ours does not override another's drop, and no
 * rule of ours stands in another's table: where one would drop what a network sends out, that is
 * found before the start, with the line to add.
 */
#ifndef CORDON_NET_FOREIGN_H
#define CORDON_NET_FOREIGN_H

#include "net/netlink.h"
#include "net/network.h"

/*
 * Looks at each chain of nf_tables that filters what is forwarded, of IPv4's and of IPv6's where
 * the network has that, and at the table filter of the older iptables (IPv4's alone). One that
 * drops or rejects what no rule of it accepts, and of whose table no rule names the bridge, is an
 * error. What the rules that do name it say is the administrator's.
 */
int must_check foreign_check(struct netlink *nft, const struct network *network, struct err *err);

#endif
