/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See bridge.h. */
#include "net/bridge.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "net/foreign.h"
#include "net/nft.h"
#include "net/shape.h"

/* By which a link is known as ours: nobody else's has it, whatever its name is. */
static void alias_of(const struct network *network, char buf[LINK_ALIAS_MAX])
{
	str_format(buf, LINK_ALIAS_MAX, "cordon network %s", network->id);
}

/* ---- settings ---- */

static const struct {
	const char *family;
	const char *name;
	const char *value;
	const char *why;
} settings[] = {
	{"ipv4", "rp_filter", "1", "no source that is not of its subnet: RFC 3704"},
	{"ipv4", "route_localnet", "0", "127.0.0.0/8 is the host's own: CVE-2020-8558"},
	{"ipv4", "accept_redirects", "0", "no sandbox tells the host where to send"},
	{"ipv4", "accept_source_route", "0", "likewise"},
	{"ipv4", "send_redirects", "0", "there is no other way"},
	{"ipv6", "forwarding", "0", "it is no router of others: net/forward.c"},
	{"ipv6", "accept_ra", "0", "no sandbox is the host's router"},
	{"ipv6", "accept_redirects", "0", "likewise"},
	{"ipv6", "accept_dad", "0", "who has which address is in the leases: it has its at once"},
};

static int set_all(const struct network *network, struct err *err)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int r = link_set(settings[i].family, network->bridge, settings[i].name,
				 settings[i].value, err);

		/* A kernel without IPv6 has none of its files, and none of its packets. */
		if (r < 0 && (r != -ENOENT || str_equal(settings[i].family, "ipv4")))
			return r == -ENOENT
				       ? err_set(err, ERR_SETUP, ENOENT, "bridge %s: setting %s",
						 network->bridge, settings[i].name)
				       : r;
	}
	return 0;
}

/* Not even a link-local address where the network has no IPv6. */
static int set_ipv6(const struct network *network, struct err *err)
{
	bool has_ipv6 = network->subnet6.family != 0;
	int r = link_set("ipv6", network->bridge, "disable_ipv6", has_ipv6 ? "0" : "1", err);

	if (r != -ENOENT)
		return r;
	return has_ipv6 ? err_set(err, ERR_SETUP, EAFNOSUPPORT, "network %s: the kernel's IPv6",
				  network->name)
			: 0;
}

/* ---- collisions ---- */

static int collides(const char *flag, const struct net_prefix *subnet, const char *what,
		    const struct net_prefix *other, struct err *err)
{
	char ours[ADDRESS_TEXT_MAX], theirs[ADDRESS_TEXT_MAX];

	address_format_prefix(subnet, ours);
	address_format_prefix(other, theirs);
	err_set(err, ERR_USAGE, EEXIST, "%s %s: collides with %s %s", flag, ours, what, theirs);
	return err_hint(err, "Leave --subnet out, and one that is free is chosen; `ip route show "
			     "table all` lists the host's.");
}

/* The routes that a subnet may not meet: all but default ones, and those of the bridge itself. */
static const struct net_route *find_route(const struct net_routes *routes,
					  const struct net_prefix *subnet, int own_link)
{
	for (size_t i = 0; i < routes->n; i++) {
		const struct net_route *route = &routes->list[i];

		if (route->to.length != 0 && (own_link == 0 || route->link != own_link) &&
		    address_overlaps(&route->to, subnet))
			return route;
	}
	return NULL;
}

static const struct network *find_network(const struct network_list *list,
					  const struct net_prefix *subnet)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct network *other = &list->list[i];

		if ((other->subnet.family != 0 && address_overlaps(&other->subnet, subnet)) ||
		    (other->subnet6.family != 0 && address_overlaps(&other->subnet6, subnet)))
			return other;
	}
	return NULL;
}

struct taken {
	struct net_routes routes;
	struct network_list networks;
};

static int check_free(const struct taken *taken, const struct net_prefix *subnet, struct err *err)
{
	const struct net_route *route = find_route(&taken->routes, subnet, 0);
	const struct network *other = find_network(&taken->networks, subnet);
	char what[NETWORK_NAME_MAX + 16];

	if (route != NULL)
		return collides("--subnet", subnet, "the host's route", &route->to, err);
	if (other == NULL)
		return 0;
	str_format(what, sizeof(what), "network %s,", other->name);
	return collides("--subnet", subnet, what,
			subnet->family == AF_INET ? &other->subnet : &other->subnet6, err);
}

/* ---- choosing ---- */

/* Docker's pools, so that addresses look as people know them. */
static bool candidate(size_t index, struct net_prefix *ret)
{
	char text[ADDRESS_TEXT_MAX];

	if (index < 15)
		str_format(text, sizeof(text), "172.%u.0.0/16", 17 + (unsigned)index);
	else if (index < 31)
		str_format(text, sizeof(text), "192.168.%u.0/20", 16 * ((unsigned)index - 15));
	else if (index < 31 + 256)
		str_format(text, sizeof(text), "10.%u.0.0/16", (unsigned)index - 31);
	else
		return false;
	return address_parse_prefix(text, ret) == 0;
}

static int choose_subnet(const struct taken *taken, struct network *network, struct err *err)
{
	struct err ignored;

	for (size_t i = 0; candidate(i, &network->subnet); i++)
		if (check_free(taken, &network->subnet, &ignored) == 0)
			return 0;
	network->subnet = (struct net_prefix){0};
	err_set(err, ERR_SETUP, EADDRNOTAVAIL, "no private subnet is free");
	return err_hint(err, "Name one that the host does not need: --subnet 10.99.0.0/24.");
}

static uint8_t hex_value(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* A random one of its own: RFC 4193, the id is the random number. */
static int choose_subnet6(const struct taken *taken, struct network *network, struct err *err)
{
	struct net_prefix subnet = {.family = AF_INET6, .bytes = {0xfd}, .length = 64};

	for (size_t i = 0; i < 5; i++)
		subnet.bytes[1 + i] = (uint8_t)(hex_value(network->id[2 * i]) << 4 |
						hex_value(network->id[2 * i + 1]));
	network->subnet6 = subnet;
	return check_free(taken, &subnet, err);
}

static int choose(const struct taken *taken, struct network *network, bool wants_ipv6,
		  struct err *err)
{
	int r;

	if (network->subnet.family != 0)
		r = check_free(taken, &network->subnet, err);
	else
		r = choose_subnet(taken, network, err);
	if (r == 0 && network->subnet6.family != 0)
		r = check_free(taken, &network->subnet6, err);
	else if (r == 0 && wants_ipv6)
		r = choose_subnet6(taken, network, err);
	return r == 0 ? network_complete(network, err) : r;
}

void bridge_name(const char *id, char buf[IFNAMSIZ])
{
	str_format(buf, IFNAMSIZ, "cd-%.*s", 12, id);
}

int bridge_choose(struct netlink *netlink, const struct networks *networks, struct network *network,
		  bool wants_ipv6, struct err *err)
{
	_cleanup_free_ struct taken *taken = calloc(1, sizeof(*taken));
	int r;

	if (taken == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "networks");
	r = networks_list(networks, &taken->networks, err);
	if (r < 0)
		return r;
	if (network->bridge[0] == '\0' && network->is_built_in)
		str_format(network->bridge, sizeof(network->bridge), "%s", NETWORK_DEFAULT_BRIDGE);
	else if (network->bridge[0] == '\0')
		bridge_name(network->id, network->bridge);
	/* An admin's bridge has its route, and its subnet is what it is. */
	if (network->is_own) {
		r = link_routes(netlink, &taken->routes, err);
		/* They moved while they were told: once more is enough where it can be. */
		if (r == -EAGAIN)
			r = link_routes(netlink, &taken->routes, err);
	}
	if (r == 0)
		r = choose(taken, network, wants_ipv6, err);
	network_list_free(&taken->networks);
	return r;
}

/* ---- an admin's ---- */

static int not_usable(const struct network *network, const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, 0, "bridge %s: %s", network->bridge, why);
}

static int find_theirs(struct netlink *netlink, const struct network *network, struct net_link *ret,
		       struct err *err)
{
	int r = link_find(netlink, network->bridge, ret, err);

	if (r < 0)
		return r;
	if (r == 0) {
		not_usable(network, "there is no such link", err);
		return err_hint(err, "Make it first: ip link add %s type bridge.", network->bridge);
	}
	if (!str_equal(ret->kind, "bridge"))
		return not_usable(network, "is no bridge", err);
	if ((ret->flags & IFF_UP) == 0) {
		not_usable(network, "is switched off", err);
		return err_hint(err, "ip link set %s up", network->bridge);
	}
	return 0;
}

int bridge_adopt(struct netlink *netlink, struct network *network, bool wants_ipv6, struct err *err)
{
	struct net_addresses addresses = {.n = 0};
	struct net_link link;
	int r = find_theirs(netlink, network, &link, err);

	if (r == 0)
		r = link_addresses(netlink, link.index, &addresses, err);
	if (r < 0)
		return r;
	if (network->mtu == 0)
		network->mtu = link.mtu;
	for (size_t i = addresses.n; i > 0; i--) {
		const struct net_prefix *address = &addresses.list[i - 1];
		bool is_ipv6 = address->family == AF_INET6;

		/* The first of each counts, and of IPv6 none that every link has. */
		if (!address_is_private(address) || (is_ipv6 && !wants_ipv6))
			continue;
		*(is_ipv6 ? &network->subnet6 : &network->subnet) = address_network(address);
		*(is_ipv6 ? &network->gateway6 : &network->gateway) = *address;
	}
	if (network->subnet.family != 0 && (!wants_ipv6 || network->subnet6.family != 0))
		return 0;
	not_usable(network, "has no private address that could be the gateway", err);
	return err_hint(err, "Give it one: ip address add 10.99.0.1/24 dev %s.", network->bridge);
}

/* ---- making ---- */

/* The kernel gives a new link no alias: one without, that has the address of ours and is not up
 * yet, is what a kill in between has left. */
static bool is_half_made(const struct network *network, const struct net_link *link)
{
	uint8_t mac[MAC_LEN];

	address_mac(&network->gateway, mac);
	return link->alias[0] == '\0' && (link->flags & IFF_UP) == 0 && link->master == 0 &&
	       memcmp(link->mac, mac, sizeof(mac)) == 0;
}

static int check_ours(const struct network *network, const struct net_link *link, struct err *err)
{
	char alias[LINK_ALIAS_MAX];

	alias_of(network, alias);
	if (str_equal(link->kind, "bridge") &&
	    (str_equal(link->alias, alias) || is_half_made(network, link)))
		return 0;
	err_set(err, ERR_SETUP, EEXIST, "link %s: is there, and is not of network %s",
		network->bridge, network->name);
	return err_hint(err, "Remove or rename it: ip link show %s.", network->bridge);
}

static int mark_ours(struct netlink *netlink, const struct network *network,
		     const struct net_link *link, struct err *err)
{
	char alias[LINK_ALIAS_MAX];

	alias_of(network, alias);
	return str_equal(link->alias, alias) ? 0 : link_set_alias(netlink, link, alias, err);
}

static int check_routes(struct netlink *netlink, const struct network *network, struct err *err)
{
	_cleanup_free_ struct net_routes *routes = calloc(1, sizeof(*routes));
	const struct net_route *route;
	int r;

	if (routes == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "routes");
	r = link_routes(netlink, routes, err);
	if (r < 0)
		return r;
	route = find_route(routes, &network->subnet, 0);
	if (route == NULL)
		return 0;
	r = collides("subnet", &network->subnet, "the host's route", &route->to, err);
	err_hint(err, "The route came after network %s: remove one of the two.", network->name);
	return r;
}

static int make(struct netlink *netlink, const struct network *network, struct net_link *ret,
		struct err *err)
{
	uint8_t mac[MAC_LEN];
	const struct link_bridge bridge = {.name = network->bridge,
					   .mac = mac,
					   .mtu = network->mtu};
	int r = check_routes(netlink, network, err);

	address_mac(&network->gateway, mac);
	if (r < 0)
		return r;
	r = link_add_bridge(netlink, &bridge, err);
	if (r == 0)
		r = link_find(netlink, network->bridge, ret, err);
	return r == 0 ? err_set(err, ERR_SETUP, ENODEV, "bridge %s", network->bridge) : r;
}

static int add_gateway(struct netlink *netlink, const struct net_link *link,
		       const struct net_prefix *gateway, const struct net_prefix *subnet,
		       struct err *err)
{
	struct net_prefix address = *gateway;

	if (gateway->family == 0)
		return 0;
	address.length = subnet->length;
	return link_add_address(netlink, link, &address, err);
}

static int end_here(const struct network *network, struct err *err)
{
	int r = link_set("ipv4", network->bridge, "forwarding", "0", err);

	return r == -ENOENT ? err_set(err, ERR_SETUP, ENOENT, "bridge %s: setting forwarding",
				      network->bridge)
			    : r;
}

/* The rules first: a way out is open only behind them. Without one the kernel is told to forward
 * nothing as well, whatever the host forwards else. 1: the rules were written anew. */
static int set_ways(const struct network *network, char ret_lent[FORWARD_TEXT_MAX], struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);
	bool is_anew;

	if (r == 0)
		r = nft_keep(&nft, network, err);
	is_anew = r > 0;
	r = r > 0 ? 0 : r;
	if (r == 0 && network->is_own && !network->is_internal) {
		r = foreign_check(&nft, network, err);
		if (r == 0)
			r = forward_begin(&nft, network, ret_lent, err);
	}
	if (r == 0 && network->is_own && network->is_internal)
		r = end_here(network, err);
	netlink_close(&nft);
	return r < 0 ? r : is_anew;
}

static int ensure_ours(struct netlink *netlink, const struct network *network, struct net_link *ret,
		       char ret_lent[FORWARD_TEXT_MAX], struct err *err)
{
	int is_anew, r = link_find(netlink, network->bridge, ret, err);

	if (r == 0)
		r = make(netlink, network, ret, err);
	if (r > 0)
		r = check_ours(network, ret, err);
	if (r == 0)
		r = mark_ours(netlink, network, ret, err);
	/* Before it is up, and before it has an address that could be forwarded to. */
	if (r == 0)
		r = set_all(network, err);
	if (r == 0)
		r = set_ipv6(network, err);
	if (r == 0)
		r = set_ways(network, ret_lent, err);
	is_anew = r > 0;
	r = r > 0 ? 0 : r;
	if (r == 0)
		r = add_gateway(netlink, ret, &network->gateway, &network->subnet, err);
	if (r == 0)
		r = add_gateway(netlink, ret, &network->gateway6, &network->subnet6, err);
	if (r == 0)
		r = shape_network_set(netlink, network, ret, err);
	if (r == 0 && (ret->flags & IFF_UP) == 0)
		r = link_up(netlink, ret, err);
	return r < 0 ? r : is_anew;
}

static int has_gateway(struct netlink *netlink, const struct network *network,
		       const struct net_link *link, struct err *err)
{
	struct net_addresses addresses;
	int r = link_addresses(netlink, link->index, &addresses, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < addresses.n; i++)
		if (address_equal(&addresses.list[i], &network->gateway) &&
		    addresses.list[i].length == network->subnet.length)
			return 0;
	return err_set(err, ERR_SETUP, ENODEV, "bridge %s: has lost the gateway's address",
		       network->bridge);
}

int bridge_ensure(struct netlink *netlink, const struct network *network, struct net_link *ret,
		  char ret_lent[FORWARD_TEXT_MAX], struct err *err)
{
	int r, is_anew;

	if (network->is_own) {
		r = ensure_ours(netlink, network, ret, ret_lent, err);
	} else {
		r = find_theirs(netlink, network, ret, err);
		if (r == 0)
			r = set_ways(network, ret_lent, err);
	}
	is_anew = r > 0;
	if (r >= 0)
		r = has_gateway(netlink, network, ret, err);
	return r < 0 ? r : is_anew;
}

int bridge_find(struct netlink *netlink, const struct network *network, struct net_link *ret,
		struct err *err)
{
	int r = link_find(netlink, network->bridge, ret, err);

	return r > 0 && check_ours(network, ret, err) < 0 ? 0 : r;
}

static int remove_link(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct net_link link;
	int r = bridge_find(netlink, network, &link, err);

	if (r > 0)
		r = link_remove(netlink, &link, err);
	return r == -ENODEV ? 0 : r;
}

int bridge_remove(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	/* As long as it is there, it has its rules. */
	int r = network->is_own ? remove_link(netlink, network, err) : 0;

	if (r == 0)
		r = shape_network_remove(netlink, network, err);
	if (r == 0)
		r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = nft_forget(&nft, network, err);
	if (r == 0)
		r = forward_end(&nft, err);
	if (r == 0)
		r = nft_remove_unused(&nft, err);
	netlink_close(&nft);
	return r;
}
