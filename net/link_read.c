/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What rtnetlink answers, as values; see link.h. Pure: tests/fuzz/fuzz_netlink.c. */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "net/link.h"

/* ---- links ---- */

static int read_port(const struct netlink_attribute *data, struct net_link *link)
{
	struct netlink_attribute a;
	size_t at = 0;
	uint8_t flag;
	int r;

	while ((r = netlink_next_attribute(data->data, data->len, &at, &a)) > 0) {
		if (a.type == IFLA_BRPORT_GROUP_FWD_MASK && a.len == sizeof(link->passes_on))
			memcpy(&link->passes_on, a.data, sizeof(link->passes_on));
		if (!netlink_get_u8(&a, &flag))
			continue;
		if (a.type == IFLA_BRPORT_ISOLATED)
			link->is_isolated = flag != 0;
		else if (a.type == IFLA_BRPORT_LOCKED)
			link->is_locked = flag != 0;
		else if (a.type == IFLA_BRPORT_GUARD)
			link->is_guarded = flag != 0;
		else if (a.type == IFLA_BRPORT_LEARNING)
			link->learns = flag != 0;
	}
	return r;
}

static int read_info(const struct netlink_attribute *info, struct net_link *link)
{
	struct netlink_attribute a;
	char master_kind[16] = "";
	size_t at = 0;
	int r;

	while ((r = netlink_next_attribute(info->data, info->len, &at, &a)) > 0) {
		if (a.type == IFLA_INFO_KIND &&
		    !netlink_get_text(&a, link->kind, sizeof(link->kind)))
			link->kind[0] = '\0';
		/* The kernel says the master's kind before what it knows of the port. */
		if (a.type == IFLA_INFO_SLAVE_KIND &&
		    !netlink_get_text(&a, master_kind, sizeof(master_kind)))
			master_kind[0] = '\0';
		if (a.type == IFLA_INFO_SLAVE_DATA && str_equal(master_kind, "bridge")) {
			r = read_port(&a, link);
			if (r < 0)
				return r;
		}
	}
	return r;
}

static int read_link_attribute(const struct netlink_attribute *a, struct net_link *link)
{
	uint32_t number;

	switch (a->type) {
	case IFLA_IFNAME:
		return netlink_get_text(a, link->name, sizeof(link->name)) ? 0 : -EBADMSG;
	case IFLA_IFALIAS:
		if (!netlink_get_text(a, link->alias, sizeof(link->alias)))
			link->alias[0] = '\0';
		return 0;
	case IFLA_MTU:
		return netlink_get_u32(a, &link->mtu) ? 0 : -EBADMSG;
	case IFLA_MASTER:
		if (!netlink_get_u32(a, &number))
			return -EBADMSG;
		link->master = (int)number;
		return 0;
	case IFLA_ADDRESS:
		if (a->len == MAC_LEN)
			memcpy(link->mac, a->data, MAC_LEN);
		return 0;
	case IFLA_LINKINFO:
		return read_info(a, link);
	default:
		return 0;
	}
}

int link_read(const struct netlink_message *message, struct net_link *ret)
{
	struct net_link link = {0};
	struct netlink_attribute a;
	struct ifinfomsg head;
	size_t at = 0;
	int r;

	if (message->type != RTM_NEWLINK || message->len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, message->payload, sizeof(head));
	link.index = head.ifi_index;
	link.flags = head.ifi_flags;
	while ((r = netlink_next_attribute(message->payload + sizeof(head),
					   message->len - sizeof(head), &at, &a)) > 0) {
		r = read_link_attribute(&a, &link);
		if (r < 0)
			return r;
	}
	if (r < 0 || link.name[0] == '\0' || link.index <= 0)
		return -EBADMSG;
	*ret = link;
	return 0;
}

/* ---- addresses and routes ---- */

static bool take_address(const struct netlink_attribute *a, int family, struct net_prefix *ret)
{
	struct net_prefix address = {.family = family};

	address.length = address_bits(&address);
	if (address.length == 0 || a->len != address.length / 8U)
		return false;
	memcpy(address.bytes, a->data, a->len);
	*ret = address;
	return true;
}

int link_read_address(const struct netlink_message *message, int *ret_link, struct net_prefix *ret)
{
	struct netlink_attribute a;
	struct ifaddrmsg head;
	struct net_prefix address = {0};
	size_t len, at = 0;
	bool is_local = false;
	int r;

	if (message->type != RTM_NEWADDR || message->len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, message->payload, sizeof(head));
	len = message->len - sizeof(head);
	/* Of a link between two the one is the local address, the other the peer's. */
	while ((r = netlink_next_attribute(message->payload + sizeof(head), len, &at, &a)) > 0) {
		if (a.type != IFA_LOCAL && (a.type != IFA_ADDRESS || is_local))
			continue;
		if (!take_address(&a, head.ifa_family, &address))
			return -EBADMSG;
		is_local = is_local || a.type == IFA_LOCAL;
	}
	if (r < 0 || address.family == 0 || head.ifa_prefixlen > address.length)
		return -EBADMSG;
	address.length = head.ifa_prefixlen;
	*ret_link = (int)head.ifa_index;
	*ret = address;
	return 0;
}

static int read_route_attribute(const struct netlink_attribute *a, const struct rtmsg *head,
				struct net_route *route)
{
	uint32_t number;

	if (a->type == RTA_TABLE)
		return netlink_get_u32(a, &route->table) ? 0 : -EBADMSG;
	if (a->type == RTA_DST) {
		if (!take_address(a, head->rtm_family, &route->to) ||
		    head->rtm_dst_len > route->to.length)
			return -EBADMSG;
		route->to.length = head->rtm_dst_len;
	}
	if (a->type == RTA_GATEWAY && !take_address(a, head->rtm_family, &route->gateway))
		return -EBADMSG;
	if (a->type == RTA_OIF) {
		if (!netlink_get_u32(a, &number))
			return -EBADMSG;
		route->link = (int)number;
	}
	return 0;
}

int link_read_route(const struct netlink_message *message, struct net_route *ret)
{
	struct net_route route = {0};
	struct netlink_attribute a;
	struct rtmsg head;
	size_t at = 0;
	int r;

	if (message->type != RTM_NEWROUTE || message->len < sizeof(head))
		return -EBADMSG;
	memcpy(&head, message->payload, sizeof(head));
	if (head.rtm_family != AF_INET && head.rtm_family != AF_INET6)
		return -EAFNOSUPPORT;
	route.to.family = head.rtm_family;
	route.table = head.rtm_table;
	route.type = head.rtm_type;
	while ((r = netlink_next_attribute(message->payload + sizeof(head),
					   message->len - sizeof(head), &at, &a)) > 0) {
		r = read_route_attribute(&a, &head, &route);
		if (r < 0)
			return r;
	}
	/* Without a destination it is the default route, and nothing else. */
	if (r < 0 || route.to.length != head.rtm_dst_len)
		return -EBADMSG;
	*ret = route;
	return 0;
}
