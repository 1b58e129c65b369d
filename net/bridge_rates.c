/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rates of a network whose bridge may be there or not; see bridge.h. */
#include "net/bridge.h"
#include "net/shape.h"

int bridge_check_rates(const struct network *network, struct err *err)
{
	return shape_network_check(network, err);
}

int bridge_set_rates(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct net_link bridge;
	int r = bridge_find(netlink, network, &bridge, err);

	return r > 0 ? shape_network_set(netlink, network, &bridge, err) : r;
}

int bridge_settle_rates(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct net_link bridge;
	int r = bridge_find(netlink, network, &bridge, err);

	return r > 0 ? shape_network_settle(netlink, network, &bridge, err) : r;
}
