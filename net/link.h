/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Links, addresses and routes of one network namespace by rtnetlink(7): the one that the socket was
 * opened in. Runs in the keeper and in commands. Needs: CAP_NET_ADMIN over that namespace; reading
 * needs nothing.
 */
#ifndef CORDON_NET_LINK_H
#define CORDON_NET_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/address.h"
#include "net/netlink.h"

enum { LINK_ALIAS_MAX = 128, LINK_MTU_LEAST = 1280, LINK_MTU_MOST = 65535 };

/* What is known of a link; zero where the kernel did not say it. */
struct net_link {
	int index;
	unsigned flags; /* IFF_* */
	uint32_t mtu;
	int master; /* index, 0: none */
	uint8_t mac[MAC_LEN];
	char name[IFNAMSIZ];
	char kind[16]; /* "bridge", "veth" */
	char alias[LINK_ALIAS_MAX];
	/* Of a bridge's port. */
	bool is_isolated;
	bool is_locked;
	bool is_guarded;
	bool learns;
	uint16_t passes_on; /* group_fwd_mask: LINK_RESERVED_GROUPS */
};

/*
 * Frames to 01:80:c2:00:00:00 to 0f are for the next bridge alone, so a bridge hands them to the
 * host as what has come by the port itself: past its rules, and past those that go by the bridge's
 * name (br_handle_frame). A port that forwards these groups gives them to the bridge like any
 * other frame. But for 01, which the kernel drops anyway.
 */
enum { LINK_RESERVED_GROUPS = 0xfffd };

/* One message RTM_NEWLINK. 0 or -EBADMSG. Pure. */
int must_check link_read(const struct netlink_message *message, struct net_link *ret);

struct net_route {
	struct net_prefix to; /* length 0: the default route */
	struct net_prefix gateway;
	int link; /* index, 0: none, or several */
	uint32_t table;
	uint8_t type; /* RTN_* */
};

/* Likewise RTM_NEWROUTE; -EAFNOSUPPORT of other families. */
int must_check link_read_route(const struct netlink_message *message, struct net_route *ret);
/* Likewise RTM_NEWADDR; the length is the subnet's. */
int must_check link_read_address(const struct netlink_message *message, int *ret_link,
				 struct net_prefix *ret);

/* 1, or 0 where no link has that name (-ENODEV is no error). */
int must_check link_find(struct netlink *netlink, const char *name, struct net_link *ret,
			 struct err *err);

/* Shows `each` those of a kind ("ifb"). */
int must_check link_walk(struct netlink *netlink, const char *kind,
			 void (*each)(void *ctx, const struct net_link *link), void *ctx,
			 struct err *err);

enum { LINK_ROUTES_MAX = 512 };

struct net_routes {
	struct net_route list[LINK_ROUTES_MAX];
	size_t n;
};

/* All routes of IPv4 and IPv6 in all tables. -ENOBUFS: more than there is room for. */
int must_check link_routes(struct netlink *netlink, struct net_routes *ret, struct err *err);

struct net_addresses {
	struct net_prefix list[32];
	size_t n;
};

/* Of one link. */
int must_check link_addresses(struct netlink *netlink, int link, struct net_addresses *ret,
			      struct err *err);

/* ---- changes; each says in its errors which link ---- */

struct link_bridge {
	const char *name;
	const uint8_t *mac; /* MAC_LEN bytes: else it changes with the ports */
	uint32_t mtu;
};
int must_check link_add_bridge(struct netlink *netlink, const struct link_bridge *bridge,
			       struct err *err);

struct link_pair {
	const char *name;   /* here */
	int bridge;         /* whose port it becomes */
	const char *inside; /* the other end's name */
	int netns_fd;       /* where that is made: it is never here */
	const uint8_t *mac; /* the other end's */
	uint32_t mtu;
};
int must_check link_add_pair(struct netlink *netlink, const struct link_pair *pair,
			     struct err *err);

/* One whose packets come back to where they were taken from; with no IPv6 address of its own. */
int must_check link_add_ifb(struct netlink *netlink, const char *name, struct err *err);

/*
 * Makes a port one that only takes frames from whom it is known to belong to (fdb entries), learns
 * nothing, and takes no messages of the spanning tree. is_isolated: it reaches the bridge, and no
 * other isolated port. No IPv6 address of its own.
 */
int must_check link_set_port(struct netlink *netlink, const struct net_link *port, bool is_isolated,
			     struct err *err);
/* Frames to and from mac go by this port and no other. */
int must_check link_bind_mac(struct netlink *netlink, const struct net_link *port,
			     const uint8_t mac[MAC_LEN], struct err *err);

/* A text that the link carries, for people and for whoever made it. */
int must_check link_set_alias(struct netlink *netlink, const struct net_link *link,
			      const char *alias, struct err *err);
int must_check link_up(struct netlink *netlink, const struct net_link *link, struct err *err);
int must_check link_remove(struct netlink *netlink, const struct net_link *link, struct err *err);
/* It is there already: no error. No duplicate address detection: the lease has been that. */
int must_check link_add_address(struct netlink *netlink, const struct net_link *link,
				const struct net_prefix *address, struct err *err);
int must_check link_add_gateway(struct netlink *netlink, const struct net_link *link,
				const struct net_prefix *gateway, struct err *err);

/*
 * Writes below /proc/sys/net of the caller's network namespace, and reads it back:
 * FAMILY/conf/LINK/NAME ("ipv4", "forwarding"). -ENOENT with no err where the kernel has no such
 * file, which of IPv6 says that there is none. all: of the namespace, FAMILY/NAME.
 */
int must_check link_set(const char *family, const char *link, const char *name, const char *value,
			struct err *err);
int must_check link_set_all(const char *family, const char *name, const char *value,
			    struct err *err);

#endif
