/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See nft_rules.h; the words are nft_message.h's. */
#include "net/nft_rules.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

enum {
	BRIDGE_PREROUTING = 0, /* NF_BR_PRE_ROUTING of linux/netfilter_bridge.h */
	/* From the beginning of a frame, of an IPv4, ARP or IPv6 packet, of what it carries. */
	FRAME_TARGET = 0,
	FRAME_SOURCE = 6,
	FRAME_TYPE = 12,
	IPV4_SOURCE = 12,
	IPV4_TARGET = 16,
	IPV6_SOURCE = 8,
	IPV6_TARGET = 24,
	ARP_SENDER_LINK = 8,
	ARP_SENDER = 14,
	PORT_SOURCE = 0,
	PORT_TARGET = 2,
	NEIGHBOUR = 8,
	/* linux/netfilter/nf_conntrack_common.h, as bits of ct state */
	STATE_INVALID = 1,
	STATE_ESTABLISHED = 2,
	STATE_RELATED = 4,
	STATUS_TRANSLATED = 1 << 5, /* IPS_DST_NAT */
	ADDRESS_LOCAL = 2,          /* RTN_LOCAL */
	GROUP_RESERVED = 0x0180,    /* 01:80:c2:00:..., of bridges among themselves: IEEE 802.1Q */
	GROUP_RESERVED_REST = 0xc200,
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_IPV6 = 0x86dd,
	ICMP_ECHO_ASKED = 8,
	ICMP6_ECHO_ASKED = 128,
	ICMP6_ROUTER = 134,
	ICMP6_WHO_HAS = 135,
	ICMP6_HERE_IS = 136,
	ICMP6_REDIRECT = 137,
	PORT_DHCP = 67,
	PORT_DHCP6 = 547,
};

#define META(what, word)                                                   \
	{                                                                  \
		.op = NFT_OP_META, .number = NFT_META_##what, .to = (word) \
	}
#define CT(what, word)                                                 \
	{                                                              \
		.op = NFT_OP_CT, .number = NFT_CT_##what, .to = (word) \
	}
#define KEEP(bits)                                            \
	{                                                     \
		.op = NFT_OP_MASK, .len = 4, .number = (bits) \
	}
#define IS(value, size)                                           \
	{                                                         \
		.op = NFT_OP_IS, .len = (size), .number = (value) \
	}
#define IS_NOT(value, size)                                           \
	{                                                             \
		.op = NFT_OP_IS_NOT, .len = (size), .number = (value) \
	}
#define IN(name)                               \
	{                                      \
		.op = NFT_OP_IN, .set = (name) \
	}
#define NOT_IN(name)                               \
	{                                          \
		.op = NFT_OP_NOT_IN, .set = (name) \
	}
#define ACCEPT                                            \
	{                                                 \
		.op = NFT_OP_VERDICT, .number = NF_ACCEPT \
	}
#define DROP                                            \
	{                                               \
		.op = NFT_OP_VERDICT, .number = NF_DROP \
	}
#define FRAME(at, size, word)   LOADED(NFT_PAYLOAD_LL_HEADER, at, size, word)
#define PACKET(at, size, word)  LOADED(NFT_PAYLOAD_NETWORK_HEADER, at, size, word)
#define CARRIED(at, size, word) LOADED(NFT_PAYLOAD_TRANSPORT_HEADER, at, size, word)
#define LOADED(base, at, size, word)                                                             \
	{                                                                                        \
		.op = NFT_OP_LOAD, .number = (base), .offset = (at), .len = (size), .to = (word) \
	}

/* ---- the host's ---- */

static const struct nft_set host_sets[] = {
	{NFT_BRIDGES, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_PORTS, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_ENDS, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_WAYS, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_SAME, {NFT_TYPE_IFNAME, NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_LENT4, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_LENT6, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_PUBLISHED4,
	 {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV4, NFT_TYPE_PORT},
	 {NFT_TYPE_IPV4, NFT_TYPE_PORT}},
	{NFT_PUBLISHED6,
	 {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV6, NFT_TYPE_PORT},
	 {NFT_TYPE_IPV6, NFT_TYPE_PORT}},
	{NFT_RELAYED4,
	 {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV4, NFT_TYPE_PORT},
	 {NFT_TYPE_IPV4, NFT_TYPE_PORT}},
	{NFT_RELAYED6,
	 {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV6, NFT_TYPE_PORT},
	 {NFT_TYPE_IPV6, NFT_TYPE_PORT}},
	{NFT_ANY4, {NFT_TYPE_PROTOCOL, NFT_TYPE_PORT}, {NFT_TYPE_IPV4, NFT_TYPE_PORT}},
	{NFT_ANY6, {NFT_TYPE_PROTOCOL, NFT_TYPE_PORT}, {NFT_TYPE_IPV6, NFT_TYPE_PORT}},
};

#define FOREIGN      META(IIFNAME, 0), NOT_IN(NFT_BRIDGES)
#define NO_LOOPBACK4 PACKET(IPV4_TARGET, 1, 0), IS_NOT(127, 1)
/* ::1, and whatever else begins with four bytes of zero. */
#define NO_LOOPBACK6 PACKET(IPV6_TARGET, 4, 0), IS_NOT(0, 4)
#define TO_SANDBOX(v, map)                                             \
	{.op = NFT_OP_MAP, .set = NFT_##map##v, .to = 8},              \
	{                                                              \
		.op = NFT_OP_DNAT, .from = 8, .number = NFPROTO_IPV##v \
	}
/* The key: protocol, the host's address, port; where it is any, that it is the host's. */
#define PUBLISHED(name, v, at, size, of)                                                      \
	{                                                                                     \
		name,                                                                         \
		{                                                                             \
			META(NFPROTO, 0), IS(NFPROTO_IPV##v, 1), of, META(L4PROTO, 0),        \
				PACKET(at, size, 1), CARRIED(PORT_TARGET, 2, 1 + (size) / 4), \
				TO_SANDBOX(v, PUBLISHED)                                      \
		}                                                                             \
	}
#define ANY(name, v, of)                                                                        \
	{                                                                                       \
		name,                                                                           \
		{                                                                               \
			META(NFPROTO, 0), IS(NFPROTO_IPV##v, 1), of, {.op = NFT_OP_DADDR_TYPE}, \
				IS(ADDRESS_LOCAL, 4), META(L4PROTO, 0),                         \
				CARRIED(PORT_TARGET, 2, 1), TO_SANDBOX(v, ANY)                  \
		}                                                                               \
	}

/* Before the usual filters, and the translation of sources where that usually is. */
static const struct nft_chain host_chains[] = {
	{"forward", "filter", NF_INET_FORWARD, -10},
	{"input", "filter", NF_INET_LOCAL_IN, -10},
	{"prerouting", "nat", NF_INET_PRE_ROUTING, -100},
	{"output", "nat", NF_INET_LOCAL_OUT, -100},
	{"postrouting", "nat", NF_INET_POST_ROUTING, 100},
};

static const struct nft_rule host_rules[] = {
	/* A port that belongs to no bridge any more is no way anywhere. */
	{"forward", {META(IIFNAME, 0), IN(NFT_PORTS), DROP}},
	/* Within a bridge, where br_netfilter shows such frames. */
	{"forward", {META(IIFNAME, 0), META(OIFNAME, 4), IN(NFT_SAME), ACCEPT}},
	/* Networks end at their bridges, for each other all of them. */
	{"forward", {META(IIFNAME, 0), IN(NFT_ENDS), DROP}},
	{"forward", {META(OIFNAME, 0), IN(NFT_ENDS), DROP}},
	{"forward", {META(IIFNAME, 0), IN(NFT_BRIDGES), META(OIFNAME, 0), IN(NFT_BRIDGES), DROP}},
	/* What cannot be translated would leave with the sandbox's own address. */
	{"forward",
	 {META(IIFNAME, 0), IN(NFT_BRIDGES), CT(STATE, 0), KEEP(STATE_INVALID), IS_NOT(0, 4),
	  DROP}},
	/* Inwards: answers, and what has been translated. */
	{"forward",
	 {META(OIFNAME, 0), IN(NFT_BRIDGES), CT(STATE, 0), KEEP(STATE_ESTABLISHED | STATE_RELATED),
	  IS_NOT(0, 4), ACCEPT}},
	{"forward",
	 {META(OIFNAME, 0), IN(NFT_BRIDGES), CT(STATUS, 0), KEEP(STATUS_TRANSLATED), IS_NOT(0, 4),
	  ACCEPT}},
	{"forward", {META(OIFNAME, 0), IN(NFT_BRIDGES), DROP}},
	/* The host becomes no router for others. */
	{"forward",
	 {META(NFPROTO, 0), IS(NFPROTO_IPV4, 1), META(IIFNAME, 0), IN(NFT_LENT4), META(OIFNAME, 0),
	  NOT_IN(NFT_BRIDGES), DROP}},
	{"forward",
	 {META(NFPROTO, 0), IS(NFPROTO_IPV6, 1), META(IIFNAME, 0), IN(NFT_LENT6), META(OIFNAME, 0),
	  NOT_IN(NFT_BRIDGES), DROP}},

	/* The host itself: it answers, and says that it is there. What comes by a port and not by
	 * its bridge is nobody's. */
	{"input", {META(IIFNAME, 0), IN(NFT_PORTS), DROP}},
	{"input", {META(IIFNAME, 0), NOT_IN(NFT_BRIDGES), ACCEPT}},
	{"input", {CT(STATE, 0), KEEP(STATE_ESTABLISHED | STATE_RELATED), IS_NOT(0, 4), ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMP, 1), CARRIED(0, 1, 0), IS(ICMP_ECHO_ASKED, 1), ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_ECHO_ASKED, 1),
	  ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_WHO_HAS, 1), ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_HERE_IS, 1), ACCEPT}},
	{"input", {DROP}},

	/* Published ports: not for sandboxes, who reach nothing of the host; and not of the
	 * loopback's addresses, from which no packet leaves the host. */
	PUBLISHED("prerouting", 4, IPV4_TARGET, 4, FOREIGN),
	PUBLISHED("prerouting", 6, IPV6_TARGET, 16, FOREIGN),
	ANY("prerouting", 4, FOREIGN),
	ANY("prerouting", 6, FOREIGN),
	PUBLISHED("output", 4, IPV4_TARGET, 4, NO_LOOPBACK4),
	PUBLISHED("output", 6, IPV6_TARGET, 16, NO_LOOPBACK6),
	ANY("output", 4, NO_LOOPBACK4),
	ANY("output", 6, NO_LOOPBACK6),

	/* What leaves by another link does so with the host's address. */
	{"postrouting",
	 {META(IIFNAME, 0),
	  IN(NFT_WAYS),
	  META(OIFNAME, 0),
	  NOT_IN(NFT_BRIDGES),
	  {.op = NFT_OP_MASQUERADE}}},
};

/* ---- ports of bridges ---- */

static const struct nft_set port_sets[] = {
	{NFT_PORTS, {NFT_TYPE_IFNAME}, {NFT_TYPE_NONE}},
	{NFT_OWN4, {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV4}, {NFT_TYPE_NONE}},
	{NFT_OWN6, {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV6}, {NFT_TYPE_NONE}},
};

/* Before anything of the bridge's, and of br_netfilter's. */
static const struct nft_chain port_chains[] = {
	{"prerouting", "filter", BRIDGE_PREROUTING, -310},
};

/* What comes from a sandbox has its addresses, and nothing of what only a network's owner says. */
static const struct nft_rule port_rules[] = {
	{"prerouting", {META(IIFNAME, 0), NOT_IN(NFT_PORTS), ACCEPT}},
	{"prerouting",
	 {FRAME(FRAME_TARGET, 2, 0), IS(GROUP_RESERVED, 2), FRAME(FRAME_TARGET + 2, 2, 0),
	  IS(GROUP_RESERVED_REST, 2), DROP}},
	{"prerouting",
	 {META(L4PROTO, 0), IS(IPPROTO_UDP, 1), CARRIED(PORT_SOURCE, 2, 0), IS(PORT_DHCP, 2),
	  DROP}},
	{"prerouting",
	 {META(L4PROTO, 0), IS(IPPROTO_UDP, 1), CARRIED(PORT_SOURCE, 2, 0), IS(PORT_DHCP6, 2),
	  DROP}},
	{"prerouting",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_ROUTER, 1), DROP}},
	{"prerouting",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_REDIRECT, 1), DROP}},
	{"prerouting",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_HERE_IS, 1),
	  META(IIFNAME, 0), FRAME(FRAME_SOURCE, 6, 4), CARRIED(NEIGHBOUR, 16, 6), NOT_IN(NFT_OWN6),
	  DROP}},
	{"prerouting",
	 {FRAME(FRAME_TYPE, 2, 0), IS(TYPE_IPV4, 2), META(IIFNAME, 0), FRAME(FRAME_SOURCE, 6, 4),
	  PACKET(IPV4_SOURCE, 4, 6), IN(NFT_OWN4), ACCEPT}},
	{"prerouting",
	 {FRAME(FRAME_TYPE, 2, 0), IS(TYPE_ARP, 2), META(IIFNAME, 0), PACKET(ARP_SENDER_LINK, 6, 4),
	  PACKET(ARP_SENDER, 4, 6), IN(NFT_OWN4), ACCEPT}},
	{"prerouting",
	 {FRAME(FRAME_TYPE, 2, 0), IS(TYPE_IPV6, 2), META(IIFNAME, 0), FRAME(FRAME_SOURCE, 6, 4),
	  PACKET(IPV6_SOURCE, 16, 6), IN(NFT_OWN6), ACCEPT}},
	{"prerouting", {DROP}},
};

#define LIST(list) (list), sizeof(list) / sizeof((list)[0])

const struct nft_table nft_tables[NFT_TABLES] = {
	[NFT_TABLE_HOST] = {NFT_FAMILY_HOST, LIST(host_sets), LIST(host_chains), LIST(host_rules)},
	[NFT_TABLE_PORTS] = {NFT_FAMILY_PORTS, LIST(port_sets), LIST(port_chains),
			     LIST(port_rules)},
};
