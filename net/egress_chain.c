/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See egress_chain.h; the words are nft_terms.h's. */
#include "net/egress_chain.h"

#include <string.h>

#include "base/str.h"
#include "net/nft_rules.h"
#include "net/nft_terms.h"

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
#define GOES_ON CT(STATE, 0), KEEP(STATE_ESTABLISHED | STATE_RELATED), IS_NOT(0, 4)

/* What goes on, or answers; in the table of the host alone are connections known. */
static void add_connections(struct egress_chain *chain)
{
	const uint32_t *labels = chain->lists->labels;

	RULE(chain, GOES_ON, CT(LABELS, 4), HAS_WORD(4, labels[0]), HAS_WORD(5, labels[1]),
	     HAS_WORD(6, labels[2]), RETURN);
	if (chain->egress->is_published)
		RULE(chain, GOES_ON, CT(DIRECTION, 0), IS(DIRECTION_BACK, 1), RETURN);
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
	/* A bridge says nothing of its own to its ports. */
	if (chain->family == NFT_FAMILY_HOST)
		RULE(chain, {.op = NFT_OP_REJECT});
	else
		RULE(chain, DROP);
	chain->rules[chain->n - 1].chain = chain->lists->denials;
}
