/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rates of a network, which are its bridge's; see shape.h. */
#include <errno.h>
#include <fcntl.h>

#include "base/io.h"
#include "base/str.h"
#include "net/shape.h"

static void of_network(const struct network *network, struct shape *ret)
{
	*ret = (struct shape){
		.traffic = {[SHAPE_EGRESS] = network->egress, [SHAPE_INGRESS] = network->ingress}};
	shape_name_links('n', network->id, ret);
}

/*
 * Where br_netfilter has shown a frame to the hooks of IP already, it is not shown to them again
 * when it comes by the bridge; and on its way through a rate it loses what conntrack knew of it
 * (net/sched/act_mirred.c): all of it would be dropped as invalid.
 */
static int check_unseen(const struct network *network, struct err *err)
{
	static const char *const names[] = {"bridge-nf-call-iptables", "bridge-nf-call-ip6tables"};

	for (size_t i = 0; network->egress.rate_bits != 0 && i < sizeof(names) / sizeof(names[0]);
	     i++) {
		char path[64], text[8];

		str_format(path, sizeof(path), "/proc/sys/net/bridge/%s", names[i]);
		if (io_read_text(AT_FDCWD, path, text, sizeof(text)) <= 0 || text[0] == '0')
			continue;
		err_set(err, ERR_SETUP, EBUSY,
			"network %s: br_netfilter, and a rate of what leaves the network, exclude "
			"each other",
			network->name);
		return err_hint(err,
				"sysctl net.bridge.%s=0, where nobody needs it; or say a rate "
				"for each sandbox.",
				names[i]);
	}
	return 0;
}

int shape_network_check(const struct network *network, struct err *err)
{
	struct net_link bridge = {.mtu = network->mtu};
	struct shape shape;
	int r;

	of_network(network, &shape);
	str_format(bridge.name, sizeof(bridge.name), "%s", network->bridge);
	r = shape_check_fits(&shape, &bridge, err);
	return r == 0 ? check_unseen(network, err) : r;
}

/* Whether there is one that a command was killed over, or that has just lost its rate. */
static bool has_links(const struct shape *shape)
{
	return if_nametoindex(shape->links[SHAPE_EGRESS]) != 0 ||
	       if_nametoindex(shape->links[SHAPE_INGRESS]) != 0;
}

int shape_network_set(struct netlink *netlink, const struct network *network,
		      const struct net_link *bridge, struct err *err)
{
	struct shape shape;
	int r;

	of_network(network, &shape);
	if (!shape_is_wanted(&shape) && !has_links(&shape))
		return 0;
	r = check_unseen(network, err);
	return r == 0 ? shape_set(netlink, &shape, bridge, 1, err) : r;
}

int shape_network_settle(struct netlink *netlink, const struct network *network,
			 const struct net_link *bridge, struct err *err)
{
	struct shape shape;
	struct err ignored;
	int r;

	of_network(network, &shape);
	if (shape_verify(netlink, &shape, bridge, 1, &ignored) == 0)
		return 0;
	r = check_unseen(network, err);
	if (r == 0)
		r = shape_set(netlink, &shape, bridge, 1, err);
	return r < 0 ? r : 1;
}

int shape_network_remove(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct shape shape;

	of_network(network, &shape);
	return shape_is_wanted(&shape) || has_links(&shape) ? shape_remove(netlink, &shape, err)
							    : 0;
}
