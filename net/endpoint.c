/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See endpoint.h. */
#include "net/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/nft.h"

void endpoint_host_name(const char *run_id, unsigned number, char buf[IFNAMSIZ])
{
	str_format(buf, IFNAMSIZ, "cv%.*s%u", 12, run_id, number % 10);
}

/* ---- the sandbox's namespace ---- */

/* Of its own interface alone, before it is up: another's router advertisement would become its
 * route. */
static int set_inside(const struct endpoint *endpoint, struct err *err)
{
	bool has_ipv6 = endpoint->lease->address6.family != 0;
	int r = link_set("ipv6", endpoint->name, "accept_ra", "0", err);

	if (r == 0)
		r = link_set("ipv6", endpoint->name, "accept_redirects", "0", err);
	/* The address that the rules expect of this link: nft_bind_port. */
	if (r == 0)
		r = link_set("ipv6", endpoint->name, "addr_gen_mode", "0", err);
	/* Nobody else can have it, and whoever is asked for early would be looked for in vain. */
	if (r == 0)
		r = link_set("ipv6", endpoint->name, "accept_dad", "0", err);
	if (r == 0)
		r = link_set("ipv6", endpoint->name, "disable_ipv6", has_ipv6 ? "0" : "1", err);
	if (r == -ENOENT)
		r = has_ipv6 ? err_set(err, ERR_SETUP, EAFNOSUPPORT, "the kernel's IPv6") : 0;
	if (r == 0)
		r = link_set("ipv4", endpoint->name, "accept_redirects", "0", err);
	/* A server of port 80 needs no capability: all ports here are the sandbox's (Linux 4.11).
	 */
	return r == 0 ? link_set_all("ipv4", "ip_unprivileged_port_start", "0", err) : r;
}

/*
 * Opens a socket in the sandbox's namespace; it stays there, whoever uses it. sets: writes its
 * settings as well, which /proc shows of the namespace that one is in. Nothing else runs in this
 * process meanwhile, and a keeper that cannot return goes no further.
 */
static int open_inside(const struct endpoint *endpoint, bool sets, struct netlink *ret,
		       struct err *err)
{
	_cleanup_fd_ int home = sys_openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0);
	int r;

	if (home < 0)
		return err_set(err, ERR_SETUP, -home, "the host's network namespace");
	if (setns(endpoint->netns_fd, CLONE_NEWNET) != 0)
		return err_set(err, ERR_SETUP, errno, "enter the sandbox's network namespace");
	r = netlink_open(NETLINK_ROUTE, ret, err);
	if (r == 0 && sets) {
		r = set_inside(endpoint, err);
		if (r < 0)
			netlink_close(ret);
	}
	if (setns(home, CLONE_NEWNET) != 0) {
		if (r == 0)
			netlink_close(ret);
		return err_set(err, ERR_SETUP, errno, "return to the host's network namespace");
	}
	return r;
}

static int missing(const char *name, struct err *err)
{
	return err_set(err, ERR_SETUP, ENODEV, "link %s: read back", name);
}

/* Without a way out there is no route that says so: who asks is told at once. */
bool endpoint_has_way_out(const struct network *network)
{
	return !network->is_internal;
}

static int configure_inside(struct netlink *inside, const struct endpoint *endpoint,
			    struct err *err)
{
	const struct lease *lease = endpoint->lease;
	struct net_link link;
	int r = link_find(inside, endpoint->name, &link, err);

	if (r <= 0)
		return r < 0 ? r : missing(endpoint->name, err);
	r = link_add_address(inside, &link, &lease->address, err);
	if (r == 0 && lease->address6.family != 0)
		r = link_add_address(inside, &link, &lease->address6, err);
	if (r == 0)
		r = link_up(inside, &link, err);
	if (r == 0 && endpoint->is_way_out)
		r = link_add_gateway(inside, &link, &endpoint->network->gateway, err);
	if (r == 0 && endpoint->is_way_out && lease->address6.family != 0)
		r = link_add_gateway(inside, &link, &endpoint->network->gateway6, err);
	return r;
}

/* ---- making ---- */

static int bind_port(const struct endpoint *endpoint, struct err *err)
{
	const struct egress_link link = {.network = endpoint->network,
					 .lease = endpoint->lease,
					 .port = endpoint->host_name};
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	if (r == 0)
		r = nft_bind_port(&nft, endpoint->host_name, endpoint->lease, err);
	if (r == 0 && endpoint->egress != NULL)
		r = egress_bind(&nft, endpoint->egress, &link, err);
	netlink_close(&nft);
	return r;
}

static int make_port(struct netlink *netlink, const struct endpoint *endpoint, struct err *err)
{
	const struct link_pair pair = {.name = endpoint->host_name,
				       .bridge = endpoint->bridge.index,
				       .inside = endpoint->name,
				       .netns_fd = endpoint->netns_fd,
				       .mac = endpoint->lease->mac,
				       .mtu = endpoint->network->mtu};
	struct net_link port;
	int r = link_add_pair(netlink, &pair, err);

	if (r == 0)
		r = link_find(netlink, endpoint->host_name, &port, err);
	if (r == 0)
		return missing(endpoint->host_name, err);
	if (r > 0)
		r = link_set_port(netlink, &port, !endpoint->network->icc, err);
	if (r == 0)
		r = link_bind_mac(netlink, &port, endpoint->lease->mac, err);
	if (r == 0)
		r = bind_port(endpoint, err);
	if (r == 0 && endpoint->shape != NULL && shape_is_wanted(endpoint->shape))
		r = shape_set(netlink, endpoint->shape, &port, 1, err);
	/* Last: until then no frame passes. */
	return r == 0 ? link_up(netlink, &port, err) : r;
}

int endpoint_make(struct netlink *netlink, const struct endpoint *endpoint, struct err *err)
{
	struct netlink inside = {.fd = -EBADF};
	int r = make_port(netlink, endpoint, err);

	if (r == 0)
		r = open_inside(endpoint, true, &inside, err);
	if (r == 0)
		r = configure_inside(&inside, endpoint, err);
	netlink_close(&inside);
	return r < 0 ? err_wrap(err, "network %s", endpoint->network->name) : 0;
}

int endpoint_release(const struct endpoint *endpoint, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	if (r == 0)
		r = nft_release_port(&nft, endpoint->host_name, endpoint->lease, err);
	netlink_close(&nft);
	return r;
}

int endpoint_remove(struct netlink *netlink, const char *host_name, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	struct net_link link;
	uint32_t n_removed = 0;
	int r = link_find(netlink, host_name, &link, err);

	if (r > 0)
		r = link_remove(netlink, &link, err);
	/* It goes with its namespace as well. */
	if (r < 0 && r != -ENODEV)
		return r;
	r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = nft_sweep(&nft, &n_removed, err);
	netlink_close(&nft);
	/* With its last network its rates have nothing to hold. */
	if (r == 0)
		r = shape_sweep(netlink, &n_removed, err);
	return r;
}

/* ---- reading back ---- */

static int differs(const char *name, const char *what, struct err *err)
{
	return err_set(err, ERR_SETUP, 0, "link %s: read back: %s", name, what);
}

static int verify_port(struct netlink *netlink, const struct endpoint *endpoint, struct err *err)
{
	struct net_link port;
	const char *name = endpoint->host_name;
	int r = link_find(netlink, name, &port, err);

	if (r <= 0)
		return r < 0 ? r : missing(name, err);
	if (port.master != endpoint->bridge.index)
		return differs(name, "it is no port of the network's bridge", err);
	if (!port.is_locked || port.learns)
		return differs(name, "it takes frames from anybody", err);
	if (!port.is_guarded)
		return differs(name, "it takes messages of the spanning tree", err);
	if (port.passes_on != LINK_RESERVED_GROUPS)
		return differs(name, "it hands frames to the host past the bridge", err);
	if (port.is_isolated == endpoint->network->icc)
		return differs(name, "it is not as isolated as --icc says", err);
	if ((port.flags & IFF_UP) == 0)
		return differs(name, "it is switched off", err);
	return endpoint->shape != NULL ? shape_verify(netlink, endpoint->shape, &port, 1, err) : 0;
}

static bool has_address(const struct net_addresses *addresses, const struct net_prefix *address)
{
	for (size_t i = 0; i < addresses->n; i++)
		if (address_equal(&addresses->list[i], address) &&
		    addresses->list[i].length == address->length)
			return true;
	return false;
}

/* Of IPv6 the address that the link has made for itself may stand beside the lease's. */
static int verify_addresses(struct netlink *inside, const struct endpoint *endpoint,
			    const struct net_link *link, struct err *err)
{
	const struct lease *lease = endpoint->lease;
	struct net_addresses addresses;
	size_t n_ipv4 = 0, n_ipv6 = 0;
	int r = link_addresses(inside, link->index, &addresses, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < addresses.n; i++) {
		n_ipv4 += addresses.list[i].family == AF_INET;
		n_ipv6 += addresses.list[i].family == AF_INET6;
	}
	if (n_ipv4 != 1 || !has_address(&addresses, &lease->address))
		return differs(endpoint->name, "it has not the lease's address alone", err);
	if (lease->address6.family == 0 ? n_ipv6 != 0 : !has_address(&addresses, &lease->address6))
		return differs(endpoint->name, "its IPv6 address is not the lease's", err);
	return 0;
}

static int verify_inside(struct netlink *inside, const struct endpoint *endpoint, struct err *err)
{
	struct net_link link;
	int r = link_find(inside, endpoint->name, &link, err);

	if (r <= 0)
		return r < 0 ? r : missing(endpoint->name, err);
	if (memcmp(link.mac, endpoint->lease->mac, MAC_LEN) != 0)
		return differs(endpoint->name, "it has another link address", err);
	if (link.mtu != endpoint->network->mtu)
		return differs(endpoint->name, "it has another MTU", err);
	if ((link.flags & IFF_UP) == 0)
		return differs(endpoint->name, "it is switched off", err);
	return verify_addresses(inside, endpoint, &link, err);
}

int endpoint_verify(struct netlink *netlink, const struct endpoint *endpoint, struct err *err)
{
	struct netlink inside = {.fd = -EBADF};
	int r = verify_port(netlink, endpoint, err);

	if (r == 0)
		r = open_inside(endpoint, false, &inside, err);
	if (r == 0)
		r = verify_inside(&inside, endpoint, err);
	netlink_close(&inside);
	return r < 0 ? err_wrap(err, "network %s", endpoint->network->name) : 0;
}
