/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words that rules are written in (nft_rules.c, egress.c); internal to net/. */
#ifndef CORDON_NET_NFT_TERMS_H
#define CORDON_NET_NFT_TERMS_H

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "net/nft_message.h"

enum {
	/* From the beginning of a frame, of an IPv4, ARP or IPv6 packet, of what it carries. */
	FRAME_TARGET = 0,
	FRAME_SOURCE = 6,
	FRAME_TYPE = 12,
	IPV4_FLAGS = 6,
	IPV4_CARRIES = 9,
	IPV4_SOURCE = 12,
	IPV4_TARGET = 16,
	IPV6_CARRIES = 6,
	IPV6_SOURCE = 8,
	IPV6_TARGET = 24,
	ARP_SENDER_LINK = 8,
	ARP_SENDER = 14,
	PORT_SOURCE = 0,
	PORT_TARGET = 2,
	TCP_FLAGS = 13,
	TCP_SYN = 0x02,
	TCP_ACK = 0x10,
	NEIGHBOUR = 8,
	/* linux/netfilter/nf_conntrack_common.h, as bits of ct state */
	STATE_INVALID = 1,
	STATE_UNTRACKED = 64,
	STATE_ESTABLISHED = 2,
	STATE_RELATED = 4,
	DIRECTION_BACK = 1,         /* IP_CT_DIR_REPLY */
	STATUS_TRANSLATED = 1 << 5, /* IPS_DST_NAT */
	ADDRESS_UNICAST = 1,        /* RTN_UNICAST */
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
#define RETURN                                                       \
	{                                                            \
		.op = NFT_OP_VERDICT, .number = (uint32_t)NFT_RETURN \
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

#endif
