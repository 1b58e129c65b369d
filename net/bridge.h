/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The driver bridge: a link on the host that has the gateway's address, whose ports are the host's
 * ends of veth pairs. Its sandboxes reach one another; beyond the host what the host reaches, with
 * its address (nft.h, forward.h), or nothing (--internal); no other network ever, and of the host
 * itself what nft_rules.c names.
 *
 * Runs in the keeper and in commands. Needs: CAP_NET_ADMIN. Nothing of this outlives the boot:
 * whoever needs the bridge makes it where it is missing.
 */
#ifndef CORDON_NET_BRIDGE_H
#define CORDON_NET_BRIDGE_H

#include "net/forward.h"
#include "net/link.h"
#include "net/network.h"
#include "net/store.h"

/* What a network's own bridge is called where nobody chose a name. */
void bridge_name(const char *id, char buf[IFNAMSIZ]);

/*
 * Chooses what was left out of a new network: bridge, subnets that collide neither with a route
 * of the host's nor with another network; and checks what was not. Errors: ERR_USAGE, naming the
 * flag and what it collides with; ERR_SETUP where no subnet is free. Needs: the store's lock.
 */
int must_check bridge_choose(struct netlink *netlink, const struct networks *networks,
			     struct network *network, bool wants_ipv6, struct err *err);

/* Takes the subnets from the admin's own bridge network->bridge, which is left as it is, and the
 * MTU where it is 0. */
int must_check bridge_adopt(struct netlink *netlink, struct network *network, bool wants_ipv6,
			    struct err *err);

/*
 * Makes the bridge where it is missing, puts right what is not as it is to be, and reads it back.
 * An admin's is only looked at. ret_lent: forward_begin adds to it. Idempotent. Returns 1 where its
 * rules were missing: then those of who runs in it are as well (members_restore_ports). Errors: a
 * link of that name is not this network's; its subnet has come to collide with a route.
 */
int must_check bridge_ensure(struct netlink *netlink, const struct network *network,
			     struct net_link *ret, char ret_lent[FORWARD_TEXT_MAX],
			     struct err *err);
/* 1: it is there, and cordon's; 0: no such link, or somebody else's by now. */
int must_check bridge_find(struct netlink *netlink, const struct network *network,
			   struct net_link *ret, struct err *err);
/* The rates that a network's record says. check: what the host would refuse, before it is changed.
 * set: where its bridge is there; else whoever makes it does. settle: 1 where they were others. */
int must_check bridge_check_rates(const struct network *network, struct err *err);
int must_check bridge_set_rates(struct netlink *netlink, const struct network *network,
				struct err *err);
int must_check bridge_settle_rates(struct netlink *netlink, const struct network *network,
				   struct err *err);
/* Removes it where it is ours and there. Idempotent. */
int must_check bridge_remove(struct netlink *netlink, const struct network *network,
			     struct err *err);

#endif
