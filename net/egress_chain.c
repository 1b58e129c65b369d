/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See egress_chain.h; the words are nft_terms.h's. */
#include "net/egress_chain.h"

#include <string.h>

#include "base/str.h"
#include "net/nft_rules.h"
#include "net/nft_terms.h"

enum { FIRST_COUNTED = 64 }; /* ids of sets in one transaction; the others' are below */

const uint8_t egress_tables[EGRESS_TABLES] = {NFT_FAMILY_HOST, NFT_FAMILY_PORTS};

#define RULE(chain, ...) add_rule((chain), (const struct nft_term[NFT_TERMS_MAX]){__VA_ARGS__})

static void add_rule(struct egress_chain *chain, const struct nft_term terms[NFT_TERMS_MAX])
{
	struct nft_rule *rule = &chain->rules[chain->n++];

	rule->chain = chain->lists->chain;
	memcpy(rule->terms, terms, sizeof(rule->terms));
}

#define DENY(chain)                                               \
	{                                                         \
		.op = NFT_OP_GOTO, .set = (chain)->lists->denials \
	}
#define OF(type) META(PROTOCOL, 0), IS(type, 2)
#define BITS(bits, size)                                           \
	{                                                          \
		.op = NFT_OP_MASK, .len = (size), .number = (bits) \
	}
#define HAS_WORD(at, value)                                                \
	{.op = NFT_OP_MASK, .from = (at), .len = 4, .number = (value)},    \
	{                                                                  \
		.op = NFT_OP_IS, .from = (at), .len = 4, .number = (value) \
	}
#define PUT(value, word)                                          \
	{                                                         \
		.op = NFT_OP_PUT, .to = (word), .number = (value) \
	}
#define PUT_LABELS(of)                                                \
	PUT((of)[0], 0), PUT((of)[1], 1), PUT((of)[2], 2), PUT(0, 3), \
	{                                                             \
		.op = NFT_OP_LABEL                                    \
	}
#define AT_LEAST(port)                                         \
	{                                                      \
		.op = NFT_OP_LEAST, .len = 2, .number = (port) \
	}
#define AT_MOST(port)                                         \
	{                                                     \
		.op = NFT_OP_MOST, .len = 2, .number = (port) \
	}
#define IS_AT(at, value)                                                   \
	{                                                                  \
		.op = NFT_OP_IS, .from = (at), .len = 1, .number = (value) \
	}
#define IS_NOT_AT(at, value)                                                   \
	{                                                                      \
		.op = NFT_OP_IS_NOT, .from = (at), .len = 1, .number = (value) \
	}
#define COUNT(name)                               \
	{                                         \
		.op = NFT_OP_COUNT, .set = (name) \
	}
#define GOES_ON CT(STATE, 0), KEEP(STATE_ESTABLISHED | STATE_RELATED), IS_NOT(0, 4)

/* What goes on, or answers; in the table of the host alone are connections known. */
static void add_connections(struct egress_chain *chain)
{
	const uint32_t *labels = chain->lists->labels;

	RULE(chain, GOES_ON, CT(LABELS, 4), HAS_WORD(4, labels[0]), HAS_WORD(5, labels[1]),
	     HAS_WORD(6, labels[2]), RETURN);
	if (chain->egress->is_published)
		RULE(chain, GOES_ON, CT(DIRECTION, 0), IS(DIRECTION_BACK, 1), RETURN);
	else
		/* A neighbour asked, by the gateway or where br_netfilter shows such frames. */
		RULE(chain, GOES_ON, CT(DIRECTION, 0), IS(DIRECTION_BACK, 1), META(IIFNAME, 0),
		     META(OIFNAME, 4), IN(NFT_SAME), RETURN);
}

/* Between neighbours: ARP; no fragments, whose second one has no port; and TCP that opens
 * nothing, or no answer to a neighbour could leave. */
static void add_neighbours(struct egress_chain *chain)
{
	RULE(chain, OF(TYPE_ARP), RETURN);
	RULE(chain, OF(TYPE_IPV4), PACKET(IPV4_FLAGS, 2, 0), BITS(0x3fff, 2), IS_NOT(0, 2),
	     DENY(chain));
	RULE(chain, META(L4PROTO, 0), IS(IPPROTO_TCP, 1), CARRIED(TCP_FLAGS, 1, 0),
	     BITS(TCP_SYN | TCP_ACK, 1), IS_NOT(TCP_SYN, 1), RETURN);
}

/* Neighbour discovery; and no options of IPv4, one of which is a route of its own. */
static void add_common(struct egress_chain *chain)
{
	RULE(chain, OF(TYPE_IPV6), META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0),
	     IS(ICMP6_WHO_HAS, 1), RETURN);
	RULE(chain, OF(TYPE_IPV6), META(L4PROTO, 0), IS(IPPROTO_ICMPV6, 1), CARRIED(0, 1, 0),
	     IS(ICMP6_HERE_IS, 1), RETURN);
	RULE(chain, OF(TYPE_IPV4), PACKET(0, 1, 0), IS_NOT(0x45, 1), DENY(chain));
}

/* A denial finds the port behind whatever headers; an allowance has none before it. */
static void add_lists(struct egress_chain *chain, size_t v)
{
	static const struct {
		uint16_t type;
		uint8_t target, size, carries, words;
	} of[] = {{TYPE_IPV4, IPV4_TARGET, 4, IPV4_CARRIES, 1},
		  {TYPE_IPV6, IPV6_TARGET, 16, IPV6_CARRIES, 4}};
	const struct egress_set *list = chain->lists->list[v];
	const uint8_t target = of[v].target, size = of[v].size, words = of[v].words;

	if (list[EGRESS_HOSTS].ranges.n > 0)
		RULE(chain, OF(of[v].type), PACKET(target, size, 0),
		     PACKET(of[v].carries, 1, words), IN(list[EGRESS_HOSTS].set), DENY(chain));
	if (list[EGRESS_DENY].ranges.n > 0)
		RULE(chain, OF(of[v].type), PACKET(target, size, 0), META(L4PROTO, words),
		     CARRIED(PORT_TARGET, 2, (uint8_t)(words + 1)), IN(list[EGRESS_DENY].set),
		     DENY(chain));
	if (list[EGRESS_ALLOW].ranges.n == 0)
		return;
	if (chain->family == NFT_FAMILY_PORTS)
		RULE(chain, OF(of[v].type), PACKET(target, size, 0),
		     PACKET(of[v].carries, 1, words), CARRIED(PORT_TARGET, 2, (uint8_t)(words + 1)),
		     IN(list[EGRESS_ALLOW].set), RETURN);
	else
		RULE(chain, OF(of[v].type), PACKET(target, size, 0),
		     PACKET(of[v].carries, 1, words), CARRIED(PORT_TARGET, 2, (uint8_t)(words + 1)),
		     IN(list[EGRESS_ALLOW].set), PUT_LABELS(chain->lists->labels), RETURN);
}

/* 169.254.0.0/16, where metadata services are; all of 224.0.0.0 and above; ff00::/8; fe80::/10. */
static void add_out_of_reach(struct egress_chain *chain)
{
	RULE(chain, OF(TYPE_IPV4), PACKET(IPV4_TARGET, 2, 0), IS(0xa9fe, 2), DENY(chain));
	RULE(chain, OF(TYPE_IPV4), PACKET(IPV4_TARGET, 1, 0), BITS(0xe0, 1), IS(0xe0, 1),
	     DENY(chain));
	RULE(chain, OF(TYPE_IPV6), PACKET(IPV6_TARGET, 1, 0), IS(0xff, 1), DENY(chain));
	RULE(chain, OF(TYPE_IPV6), PACKET(IPV6_TARGET, 2, 0), BITS(0xffc0, 2), IS(0xfe80, 2),
	     DENY(chain));
}

void egress_name_chain(const char *run, char buf[EGRESS_NAME_MAX])
{
	str_format(buf, EGRESS_NAME_MAX, "cv%.*s", EGRESS_RUN_DIGITS, run);
}

void egress_name_lists(const char *run, struct egress_lists *ret)
{
	*ret = (struct egress_lists){.labels = {0}};
	egress_name_chain(run, ret->chain);
	str_format(ret->denials, sizeof(ret->denials), "%s-no", ret->chain);
	for (size_t v = 0; v < 2; v++) {
		str_format(ret->counted[v], EGRESS_SET_NAME_MAX, "%s-no%d", ret->chain,
			   v == 0 ? 4 : 6);
		str_format(ret->closed[v], EGRESS_SET_NAME_MAX, "%s-closed%d", ret->chain,
			   v == 0 ? 4 : 6);
	}
	str_format(ret->rest, EGRESS_SET_NAME_MAX, "%s-rest", ret->chain);
}

void egress_name_set(const char *chain, size_t group, int family, char buf[EGRESS_SET_NAME_MAX])
{
	str_format(buf, EGRESS_SET_NAME_MAX, "%s-name%zu-%d", chain, group,
		   family == AF_INET ? 4 : 6);
}

/* Of names, which are beyond the host: no neighbour has one. */
static void add_names(struct egress_chain *chain)
{
	const struct spec_egress *rules = chain->egress->rules;
	const struct egress_lists *lists = chain->lists;

	for (size_t i = 0; i < rules->n_groups; i++) {
		const struct spec_egress_group *group = &rules->groups[i];

		RULE(chain, OF(TYPE_IPV4), PACKET(IPV4_TARGET, 4, 0), IN(lists->named[i][0]),
		     PACKET(IPV4_CARRIES, 1, 0), IS(group->protocol, 1), CARRIED(PORT_TARGET, 2, 0),
		     AT_LEAST(group->first), AT_MOST(group->last), PUT_LABELS(lists->labels),
		     RETURN);
		RULE(chain, OF(TYPE_IPV6), PACKET(IPV6_TARGET, 16, 0), IN(lists->named[i][1]),
		     PACKET(IPV6_CARRIES, 1, 0), IS(group->protocol, 1), CARRIED(PORT_TARGET, 2, 0),
		     AT_LEAST(group->first), AT_MOST(group->last), PUT_LABELS(lists->labels),
		     RETURN);
	}
}

/*
 * What is denied, by destination. TCP and UDP by port too; a later part of a packet has none. Each
 * rule ends with the verdict where there was a place for its key.
 */
static void add_counted(struct egress_chain *chain, size_t v, const struct nft_term *verdict)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	const char *set = chain->lists->counted[v];
	const uint16_t type = v == 0 ? TYPE_IPV4 : TYPE_IPV6;
	const uint8_t target = v == 0 ? IPV4_TARGET : IPV6_TARGET, size = v == 0 ? 4 : 16;
	const uint8_t word = v == 0 ? 1 : 4;

	for (size_t i = 0; i < sizeof(protocols); i++) {
		if (v == 0)
			RULE(chain, OF(type), PACKET(IPV4_FLAGS, 2, 0), BITS(0x1fff, 2), IS(0, 2),
			     META(L4PROTO, word), IS_AT(word, protocols[i]),
			     PACKET(target, size, 0), CARRIED(PORT_TARGET, 2, (uint8_t)(word + 1)),
			     COUNT(set), *verdict);
		else
			RULE(chain, OF(type), META(L4PROTO, word), IS_AT(word, protocols[i]),
			     PACKET(target, size, 0), CARRIED(PORT_TARGET, 2, (uint8_t)(word + 1)),
			     COUNT(set), *verdict);
	}
	RULE(chain, OF(type), META(L4PROTO, word), IS_NOT_AT(word, IPPROTO_TCP),
	     IS_NOT_AT(word, IPPROTO_UDP), PACKET(target, size, 0), PUT(0, (uint8_t)(word + 1)),
	     COUNT(set), *verdict);
}

/* What the rules for everybody refuse as well, by the same sets as they (nft_rules.c), so that no
 * rule is proposed that opens nothing: the host itself, also as one of many, and what a bridge does
 * not lead to. */
static void add_closed(struct egress_chain *chain, size_t v)
{
	const char *set = chain->lists->closed[v];
	const uint16_t type = v == 0 ? TYPE_IPV4 : TYPE_IPV6;
	const uint8_t target = v == 0 ? IPV4_TARGET : IPV6_TARGET, size = v == 0 ? 4 : 16;

	RULE(chain, OF(type), {.op = NFT_OP_DADDR_TYPE}, IS_NOT(ADDRESS_UNICAST, 4),
	     PACKET(target, size, 0), COUNT(set));
	RULE(chain, OF(type), META(IIFNAME, 0), META(OIFNAME, 4), NOT_IN(NFT_SAME),
	     META(OIFNAME, 0), IN(NFT_BRIDGES), PACKET(target, size, 0), COUNT(set));
	RULE(chain, OF(type), META(IIFNAME, 0), META(OIFNAME, 4), NOT_IN(NFT_SAME), IN(NFT_ENDS),
	     PACKET(target, size, 0), COUNT(set));
}

void egress_chain_deny(struct egress_chain *chain)
{
	/* A bridge says nothing of its own to its ports. */
	static const struct nft_term drop = DROP, reject = {.op = NFT_OP_REJECT};
	const struct nft_term *verdict = chain->family == NFT_FAMILY_HOST ? &reject : &drop;
	size_t first = chain->n;

	if (chain->egress->is_counted) {
		/* The other table's packets are for neighbours. */
		for (size_t v = 0; chain->family == NFT_FAMILY_HOST && v < 2; v++)
			add_closed(chain, v);
		add_counted(chain, 0, verdict);
		add_counted(chain, 1, verdict);
		RULE(chain, META(L4PROTO, 0), COUNT(chain->lists->rest));
	}
	RULE(chain, *verdict);
	for (size_t i = first; i < chain->n; i++)
		chain->rules[i].chain = chain->lists->denials;
}

void egress_add_counted(struct netlink_batch *batch, const struct egress_chain *chain)
{
	const struct egress_lists *lists = chain->lists;
	const struct nft_set sets[] = {
		{.name = lists->counted[0],
		 .key = {NFT_TYPE_IPV4, NFT_TYPE_PROTOCOL, NFT_TYPE_PORT},
		 .most = EGRESS_LISTED_MAX,
		 .is_counted = true},
		{.name = lists->counted[1],
		 .key = {NFT_TYPE_IPV6, NFT_TYPE_PROTOCOL, NFT_TYPE_PORT},
		 .most = EGRESS_LISTED_MAX,
		 .is_counted = true},
		{.name = lists->rest,
		 .key = {NFT_TYPE_PROTOCOL},
		 .most = EGRESS_PROTOCOLS,
		 .is_counted = true},
		{.name = lists->closed[0],
		 .key = {NFT_TYPE_IPV4},
		 .most = EGRESS_LISTED_MAX,
		 .is_counted = true},
		{.name = lists->closed[1],
		 .key = {NFT_TYPE_IPV6},
		 .most = EGRESS_LISTED_MAX,
		 .is_counted = true},
	};
	size_t n = sizeof(sets) / sizeof(sets[0]);

	if (chain->family != NFT_FAMILY_HOST)
		n -= 2;
	for (size_t i = 0; i < n; i++)
		nft_add_set(batch, chain->family, &sets[i], (uint32_t)(FIRST_COUNTED + i));
}

void egress_chain_make(struct egress_chain *chain)
{
	if (chain->family == NFT_FAMILY_PORTS)
		add_neighbours(chain);
	else
		add_connections(chain);
	add_common(chain);
	add_lists(chain, 0);
	add_lists(chain, 1);
	if (chain->family == NFT_FAMILY_HOST)
		add_names(chain);
	add_out_of_reach(chain);
	if (!chain->egress->rules->allows)
		RULE(chain, DENY(chain));
	else if (chain->family == NFT_FAMILY_HOST)
		RULE(chain, PUT_LABELS(chain->lists->labels), RETURN);
	egress_chain_deny(chain);
}
