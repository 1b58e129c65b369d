/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See nft_rules.h; the words are nft_message.h's. */
#include "net/nft_rules.h"

#include "net/nft_terms.h"

enum {
	/* NF_BR_PRE_ROUTING and NF_BR_FORWARD of linux/netfilter_bridge.h */
	BRIDGE_PREROUTING = 0,
	BRIDGE_FORWARD = 2,
};

/* ---- the host's ---- */

static const struct nft_set host_sets[] = {
	{.name = NFT_BRIDGES, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_PORTS, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_ENDS, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_WAYS, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_SAME, .key = {NFT_TYPE_IFNAME, NFT_TYPE_IFNAME}},
	{.name = NFT_APART, .key = {NFT_TYPE_IFNAME, NFT_TYPE_IFNAME}},
	{.name = NFT_LINKED4,
	 .key = {NFT_TYPE_IPV4, NFT_TYPE_IPV4, NFT_TYPE_PROTOCOL, NFT_TYPE_PORT}},
	{.name = NFT_LENT4, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_LENT6, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_RULED4, .key = {NFT_TYPE_IFNAME, NFT_TYPE_IPV4}, .data = {NFT_TYPE_VERDICT}},
	{.name = NFT_RULED6, .key = {NFT_TYPE_IFNAME, NFT_TYPE_IPV6}, .data = {NFT_TYPE_VERDICT}},
	{.name = NFT_REFUSED4, .key = {NFT_TYPE_IFNAME, NFT_TYPE_IPV4}, .data = {NFT_TYPE_VERDICT}},
	{.name = NFT_REFUSED6, .key = {NFT_TYPE_IFNAME, NFT_TYPE_IPV6}, .data = {NFT_TYPE_VERDICT}},
	{.name = NFT_PUBLISHED4,
	 .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV4, NFT_TYPE_PORT},
	 .data = {NFT_TYPE_IPV4, NFT_TYPE_PORT}},
	{.name = NFT_PUBLISHED6,
	 .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV6, NFT_TYPE_PORT},
	 .data = {NFT_TYPE_IPV6, NFT_TYPE_PORT}},
	{.name = NFT_RELAYED4,
	 .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV4, NFT_TYPE_PORT},
	 .data = {NFT_TYPE_IPV4, NFT_TYPE_PORT}},
	{.name = NFT_RELAYED6,
	 .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_IPV6, NFT_TYPE_PORT},
	 .data = {NFT_TYPE_IPV6, NFT_TYPE_PORT}},
	{.name = NFT_ANY4,
	 .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_PORT},
	 .data = {NFT_TYPE_IPV4, NFT_TYPE_PORT}},
	{.name = NFT_ANY6,
	 .key = {NFT_TYPE_PROTOCOL, NFT_TYPE_PORT},
	 .data = {NFT_TYPE_IPV6, NFT_TYPE_PORT}},
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

/* To a chain of who sent it, if that one has rules. */
#define BY_SENDER(name, map, v, at, size)                                          \
	{                                                                          \
		name,                                                              \
		{                                                                  \
			META(NFPROTO, 0), IS(NFPROTO_IPV##v, 1), META(IIFNAME, 0), \
				PACKET(at, size, 4),                               \
			{                                                          \
				.op = NFT_OP_JUMP, .set = NFT_##map##v             \
			}                                                          \
		}                                                                  \
	}
/* And back where they let it pass. */
#define BY_ITS_RULES(name, v, at, size) BY_SENDER(name, RULED, v, at, size)
/* Not let through, and counted where its sender has a list of what was denied. */
#define REFUSE                                      \
	{                                           \
		.op = NFT_OP_GOTO, .set = "refused" \
	}

/* From one port of a bridge to another of it, by the host, where these are kept apart: what is said
 * of who asks stands behind. */
#define LINKED(who, whom, at)                                                            \
	META(IIFNAME, 0), META(OIFNAME, 4), IN(NFT_APART), PACKET(IPV4_##who, 4, 8),     \
		PACKET(IPV4_##whom, 4, 9), META(L4PROTO, 10), CARRIED(PORT_##at, 2, 11), \
	{                                                                                \
		.op = NFT_OP_IN, .from = 8, .set = NFT_LINKED4                           \
	}

/* Before the usual filters, and the translation of sources where that usually is. */
static const struct nft_chain host_chains[] = {
	{"forward", "filter", NF_INET_FORWARD, -10},
	{"input", "filter", NF_INET_LOCAL_IN, -10},
	{"prerouting", "nat", NF_INET_PRE_ROUTING, -100},
	{"output", "nat", NF_INET_LOCAL_OUT, -100},
	{"postrouting", "nat", NF_INET_POST_ROUTING, 100},
	{.name = "refused"},
};

static const struct nft_rule host_rules[] = {
	/* A port that belongs to no bridge any more is no way anywhere. */
	{"forward", {META(IIFNAME, 0), IN(NFT_PORTS), DROP}},
	/* Before anything lets it through: a neighbour is reached by the gateway as well. */
	BY_ITS_RULES("forward", 4, IPV4_SOURCE, 4),
	BY_ITS_RULES("forward", 6, IPV6_SOURCE, 16),
	/* Within a bridge: by the gateway, and where br_netfilter shows such frames. */
	{"forward", {META(IIFNAME, 0), META(OIFNAME, 4), IN(NFT_SAME), ACCEPT}},
	/* Who is linked to somebody asks its ports, and is answered; nothing is asked back. */
	{"forward",
	 {META(NFPROTO, 0), IS(NFPROTO_IPV4, 1), LINKED(SOURCE, TARGET, TARGET), ACCEPT}},
	{"forward",
	 {META(NFPROTO, 0), IS(NFPROTO_IPV4, 1), CT(STATE, 0), KEEP(STATE_ESTABLISHED),
	  IS_NOT(0, 4), LINKED(TARGET, SOURCE, SOURCE), ACCEPT}},
	/* Networks end at their bridges, for each other all of them. */
	{"forward", {META(IIFNAME, 0), IN(NFT_ENDS), REFUSE}},
	{"forward", {META(OIFNAME, 0), IN(NFT_ENDS), REFUSE}},
	{"forward", {META(IIFNAME, 0), IN(NFT_BRIDGES), META(OIFNAME, 0), IN(NFT_BRIDGES), REFUSE}},
	/* What cannot be translated would leave with the sandbox's own address: so would messages
	 * of neighbour discovery, of which the kernel tracks none. */
	{"forward",
	 {META(IIFNAME, 0), IN(NFT_BRIDGES), CT(STATE, 0), KEEP(STATE_INVALID | STATE_UNTRACKED),
	  IS_NOT(0, 4), DROP}},
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
	BY_ITS_RULES("input", 4, IPV4_SOURCE, 4),
	BY_ITS_RULES("input", 6, IPV6_SOURCE, 16),
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMP, 1), CARRIED(0, 1, 0), IS(ICMP_ECHO_ASKED, 1), ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_ECHO_ASKED, 1),
	  ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_WHO_HAS, 1), ACCEPT}},
	{"input",
	 {META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0), IS(ICMP6_HERE_IS, 1), ACCEPT}},
	{"input", {REFUSE}},

	BY_SENDER("refused", REFUSED, 4, IPV4_SOURCE, 4),
	BY_SENDER("refused", REFUSED, 6, IPV6_SOURCE, 16),
	{"refused", {DROP}},

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
	{.name = NFT_PORTS, .key = {NFT_TYPE_IFNAME}},
	{.name = NFT_OWN4, .key = {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV4}},
	{.name = NFT_OWN6, .key = {NFT_TYPE_IFNAME, NFT_TYPE_ETHER, NFT_TYPE_IPV6}},
	{.name = NFT_RULED, .key = {NFT_TYPE_IFNAME}, .data = {NFT_TYPE_VERDICT}},
};

/* Before anything of the bridge's, and of br_netfilter's. */
static const struct nft_chain port_chains[] = {
	{"prerouting", "filter", BRIDGE_PREROUTING, -310},
	{"forward", "filter", BRIDGE_FORWARD, -310},
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
	/* To a neighbour: what leaves the bridge otherwise is the other table's. */
	{"forward", {META(IIFNAME, 0), {.op = NFT_OP_JUMP, .set = NFT_RULED}}},
};

#define LIST(list) (list), sizeof(list) / sizeof((list)[0])

const struct nft_table nft_tables[NFT_TABLES] = {
	[NFT_TABLE_HOST] = {NFT_FAMILY_HOST, LIST(host_sets), LIST(host_chains), LIST(host_rules)},
	[NFT_TABLE_PORTS] = {NFT_FAMILY_PORTS, LIST(port_sets), LIST(port_chains),
			     LIST(port_rules)},
};
