/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See link.h. */
#include "net/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

/* ---- reading ---- */

struct looking {
	const char *what;
	void *ret;
	int link;
	size_t n;
};

static int damaged(int r, const char *what, struct err *err)
{
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: the kernel's answer", what) : 0;
}

static int take_link(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct looking *looking = ctx;

	looking->n++;
	return damaged(link_read(message, looking->ret), looking->what, err);
}

int link_find(struct netlink *netlink, const char *name, struct net_link *ret, struct err *err)
{
	struct looking looking = {.what = name, .ret = ret};
	const struct netlink_reader reader = {.each = take_link, .ctx = &looking};
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;
	int r;

	netlink_begin(&request, RTM_GETLINK, 0, &head, sizeof(head));
	netlink_put_text(&request, IFLA_IFNAME, name);
	r = netlink_ask(netlink, &request, name, &reader, err);
	return r == -ENODEV ? 0 : r < 0 ? r : looking.n > 0;
}

struct walking {
	const char *what;
	const char *kind;
	void (*each)(void *ctx, const struct net_link *link);
	void *ctx;
};

static int show_link(void *ctx, const struct netlink_message *message, struct err *err)
{
	const struct walking *walking = ctx;
	struct net_link link;
	int r = link_read(message, &link);

	/* A kernel that does not choose by kind tells of all of them. */
	if (r == 0 && str_equal(link.kind, walking->kind))
		walking->each(walking->ctx, &link);
	return damaged(r, walking->what, err);
}

static void put_kind(struct netlink_request *request, const char *kind)
{
	size_t info = netlink_nest_begin(request, IFLA_LINKINFO);

	netlink_put_text(request, IFLA_INFO_KIND, kind);
	netlink_nest_end(request, info);
}

int link_walk(struct netlink *netlink, const char *kind,
	      void (*each)(void *ctx, const struct net_link *link), void *ctx, struct err *err)
{
	struct walking walking = {.what = "list the links", .kind = kind, .each = each, .ctx = ctx};
	const struct netlink_reader reader = {.each = show_link, .ctx = &walking};
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;

	netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));
	put_kind(&request, kind);
	return netlink_ask(netlink, &request, walking.what, &reader, err);
}

static int take_route(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct looking *looking = ctx;
	struct net_routes *routes = looking->ret;
	int r;

	if (routes->n == LINK_ROUTES_MAX)
		return err_set(err, ERR_SETUP, ENOBUFS, "more than %d routes", LINK_ROUTES_MAX);
	r = link_read_route(message, &routes->list[routes->n]);
	if (r == -EAFNOSUPPORT)
		return 0;
	if (r == 0)
		routes->n++;
	return damaged(r, looking->what, err);
}

int link_routes(struct netlink *netlink, struct net_routes *ret, struct err *err)
{
	struct looking looking = {.what = "list the routes", .ret = ret};
	const struct netlink_reader reader = {.each = take_route, .ctx = &looking};
	struct rtmsg head = {.rtm_family = AF_UNSPEC};
	struct netlink_request request;

	ret->n = 0;
	netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));
	return netlink_ask(netlink, &request, looking.what, &reader, err);
}

static int take_address(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct looking *looking = ctx;
	struct net_addresses *addresses = looking->ret;
	struct net_prefix address;
	int link, r;

	r = link_read_address(message, &link, &address);
	if (r < 0 || link != looking->link)
		return damaged(r, looking->what, err);
	if (addresses->n < sizeof(addresses->list) / sizeof(addresses->list[0]))
		addresses->list[addresses->n++] = address;
	return 0;
}

int link_addresses(struct netlink *netlink, int link, struct net_addresses *ret, struct err *err)
{
	struct looking looking = {.what = "list the addresses", .ret = ret, .link = link};
	const struct netlink_reader reader = {.each = take_address, .ctx = &looking};
	struct ifaddrmsg head = {.ifa_family = AF_UNSPEC};
	struct netlink_request request;

	ret->n = 0;
	netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));
	return netlink_ask(netlink, &request, looking.what, &reader, err);
}

/* ---- links ---- */

static void begin_link(struct netlink_request *request, uint16_t flags, int index, bool is_up)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC,
				 .ifi_index = index,
				 .ifi_flags = is_up ? IFF_UP : 0,
				 .ifi_change = is_up ? IFF_UP : 0};

	netlink_begin(request, RTM_NEWLINK, flags, &head, sizeof(head));
}

int link_add_bridge(struct netlink *netlink, const struct link_bridge *bridge, struct err *err)
{
	struct netlink_request request;
	char what[64];

	str_format(what, sizeof(what), "bridge %s: make", bridge->name);
	begin_link(&request, NLM_F_CREATE | NLM_F_EXCL, 0, false);
	netlink_put_text(&request, IFLA_IFNAME, bridge->name);
	netlink_put(&request, IFLA_ADDRESS, bridge->mac, MAC_LEN);
	netlink_put_u32(&request, IFLA_MTU, bridge->mtu);
	put_kind(&request, "bridge");
	return netlink_do(netlink, &request, what, err);
}

int link_add_pair(struct netlink *netlink, const struct link_pair *pair, struct err *err)
{
	struct ifinfomsg peer = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;
	size_t info, data, other;
	char what[64];

	str_format(what, sizeof(what), "link %s: make", pair->name);
	begin_link(&request, NLM_F_CREATE | NLM_F_EXCL, 0, false);
	netlink_put_text(&request, IFLA_IFNAME, pair->name);
	netlink_put_u32(&request, IFLA_MTU, pair->mtu);
	netlink_put_u32(&request, IFLA_MASTER, (uint32_t)pair->bridge);
	info = netlink_nest_begin(&request, IFLA_LINKINFO);
	netlink_put_text(&request, IFLA_INFO_KIND, "veth");
	data = netlink_nest_begin(&request, IFLA_INFO_DATA);
	other = netlink_nest_begin(&request, VETH_INFO_PEER);
	netlink_put_raw(&request, &peer, sizeof(peer));
	netlink_put_text(&request, IFLA_IFNAME, pair->inside);
	netlink_put(&request, IFLA_ADDRESS, pair->mac, MAC_LEN);
	netlink_put_u32(&request, IFLA_MTU, pair->mtu);
	netlink_put_u32(&request, IFLA_NET_NS_FD, (uint32_t)pair->netns_fd);
	netlink_nest_end(&request, other);
	netlink_nest_end(&request, data);
	netlink_nest_end(&request, info);
	return netlink_do(netlink, &request, what, err);
}

/* IN6_ADDR_GEN_MODE_NONE, before it is up: a port needs no address, and answers to none. */
static void put_no_ipv6(struct netlink_request *request)
{
	size_t families = netlink_nest_begin(request, IFLA_AF_SPEC);
	size_t ipv6 = netlink_nest_begin(request, AF_INET6);

	netlink_put_u8(request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	netlink_nest_end(request, ipv6);
	netlink_nest_end(request, families);
}

int link_add_ifb(struct netlink *netlink, const char *name, struct err *err)
{
	struct netlink_request request;
	char what[64];
	int r;

	str_format(what, sizeof(what), "link %s: make", name);
	begin_link(&request, NLM_F_CREATE | NLM_F_EXCL, 0, false);
	netlink_put_text(&request, IFLA_IFNAME, name);
	put_kind(&request, "ifb");
	r = netlink_do(netlink, &request, what, err);
	if (r < 0 || access("/proc/sys/net/ipv6", F_OK) != 0)
		return r;
	begin_link(&request, 0, 0, false);
	netlink_put_text(&request, IFLA_IFNAME, name);
	put_no_ipv6(&request);
	return netlink_do(netlink, &request, what, err);
}

int link_set_port(struct netlink *netlink, const struct net_link *port, bool is_isolated,
		  struct err *err)
{
	const uint16_t passes_on = LINK_RESERVED_GROUPS;
	struct netlink_request request;
	size_t info, data;
	char what[64];

	str_format(what, sizeof(what), "link %s: set as a port", port->name);
	begin_link(&request, 0, port->index, false);
	info = netlink_nest_begin(&request, IFLA_LINKINFO);
	netlink_put_text(&request, IFLA_INFO_SLAVE_KIND, "bridge");
	data = netlink_nest_begin(&request, IFLA_INFO_SLAVE_DATA);
	netlink_put_u8(&request, IFLA_BRPORT_LEARNING, 0);
	netlink_put_u8(&request, IFLA_BRPORT_UNICAST_FLOOD, 0);
	netlink_put_u8(&request, IFLA_BRPORT_LOCKED, 1);
	netlink_put_u8(&request, IFLA_BRPORT_GUARD, 1);
	netlink_put_u8(&request, IFLA_BRPORT_ISOLATED, is_isolated);
	netlink_put(&request, IFLA_BRPORT_GROUP_FWD_MASK, &passes_on, sizeof(passes_on));
	netlink_nest_end(&request, data);
	netlink_nest_end(&request, info);
	if (access("/proc/sys/net/ipv6", F_OK) == 0)
		put_no_ipv6(&request);
	return netlink_do(netlink, &request, what, err);
}

int link_bind_mac(struct netlink *netlink, const struct net_link *port, const uint8_t mac[MAC_LEN],
		  struct err *err)
{
	struct ndmsg head = {.ndm_family = AF_BRIDGE,
			     .ndm_ifindex = port->index,
			     .ndm_state = NUD_NOARP, /* static, no address of the bridge's own */
			     .ndm_flags = NTF_MASTER};
	struct netlink_request request;
	char what[64];

	str_format(what, sizeof(what), "link %s: bind the link address", port->name);
	netlink_begin(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof(head));
	netlink_put(&request, NDA_LLADDR, mac, MAC_LEN);
	return netlink_do(netlink, &request, what, err);
}

int link_set_alias(struct netlink *netlink, const struct net_link *link, const char *alias,
		   struct err *err)
{
	struct netlink_request request;
	char what[64];

	str_format(what, sizeof(what), "link %s: name its owner", link->name);
	begin_link(&request, 0, link->index, false);
	netlink_put_text(&request, IFLA_IFALIAS, alias);
	return netlink_do(netlink, &request, what, err);
}

int link_up(struct netlink *netlink, const struct net_link *link, struct err *err)
{
	struct netlink_request request;
	char what[64];

	str_format(what, sizeof(what), "link %s: switch on", link->name);
	begin_link(&request, 0, link->index, true);
	return netlink_do(netlink, &request, what, err);
}

int link_remove(struct netlink *netlink, const struct net_link *link, struct err *err)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = link->index};
	struct netlink_request request;
	char what[64];

	str_format(what, sizeof(what), "link %s: remove", link->name);
	netlink_begin(&request, RTM_DELLINK, 0, &head, sizeof(head));
	return netlink_do(netlink, &request, what, err);
}

/* ---- addresses and routes ---- */

int link_add_address(struct netlink *netlink, const struct net_link *link,
		     const struct net_prefix *address, struct err *err)
{
	struct ifaddrmsg head = {.ifa_family = (uint8_t)address->family,
				 .ifa_prefixlen = address->length,
				 .ifa_index = (unsigned)link->index};
	struct netlink_request request;
	char what[64 + ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX];
	int r;

	address_format_prefix(address, text);
	str_format(what, sizeof(what), "link %s: add the address %s", link->name, text);
	netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_put(&request, IFA_LOCAL, address->bytes, address_bits(address) / 8U);
	netlink_put(&request, IFA_ADDRESS, address->bytes, address_bits(address) / 8U);
	if (address->family == AF_INET6)
		netlink_put_u32(&request, IFA_FLAGS, IFA_F_NODAD);
	r = netlink_do(netlink, &request, what, err);
	return r == -EEXIST ? 0 : r;
}

int link_add_gateway(struct netlink *netlink, const struct net_link *link,
		     const struct net_prefix *gateway, struct err *err)
{
	struct rtmsg head = {.rtm_family = (uint8_t)gateway->family,
			     .rtm_table = RT_TABLE_MAIN,
			     .rtm_protocol = RTPROT_STATIC,
			     .rtm_scope = RT_SCOPE_UNIVERSE,
			     .rtm_type = RTN_UNICAST};
	struct netlink_request request;
	char what[64 + ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX];

	address_format(gateway, text);
	str_format(what, sizeof(what), "link %s: route by %s", link->name, text);
	netlink_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	netlink_put(&request, RTA_GATEWAY, gateway->bytes, address_bits(gateway) / 8U);
	netlink_put_u32(&request, RTA_OIF, (uint32_t)link->index);
	return netlink_do(netlink, &request, what, err);
}

/* ---- settings ---- */

static int set_file(const char *path, const char *value, struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	char text[32];
	ssize_t n;
	int r;

	if (fd == -ENOENT)
		return fd;
	r = fd < 0 ? fd : io_write_fd(fd, value);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: write %s", path, value);
	n = io_read_fd(fd, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s: read back", path);
	io_chomp(text);
	return str_equal(text, value)
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "%s: is %s, and not %s", path, text, value);
}

int link_set(const char *family, const char *link, const char *name, const char *value,
	     struct err *err)
{
	char path[128];

	str_format(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, link, name);
	return set_file(path, value, err);
}

int link_set_all(const char *family, const char *name, const char *value, struct err *err)
{
	char path[128];

	str_format(path, sizeof(path), "/proc/sys/net/%s/%s", family, name);
	return set_file(path, value, err);
}
