/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See nft_message.h. Numbers of nf_tables are in network byte order, those of netlink itself are
 * not; what is compared in a register is as the kernel has it there. */
#include "net/nft_message.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>

#include "base/str.h"

const char nft_table_name[] = "cordon";

enum { COMMENT_TYPE = 0 /* NFTNL_UDATA_SET_ELEM_COMMENT, ..._RULE_COMMENT */ };

/* ---- words ---- */

void nft_begin(struct netlink_request *request, uint16_t message, uint16_t flags, uint8_t family)
{
	struct nfgenmsg head = {.nfgen_family = family, .version = NFNETLINK_V0};

	netlink_begin(request, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, &head,
		      sizeof(head));
}

void nft_put_number(struct netlink_request *request, uint16_t type, uint32_t value)
{
	netlink_put_u32(request, type, htonl(value));
}

static void put_register(struct netlink_request *request, uint16_t type, uint8_t word)
{
	nft_put_number(request, type, NFT_REG32_00 + (uint32_t)word);
}

static void put_value(struct netlink_request *request, uint16_t type, const void *data, size_t len)
{
	size_t value = netlink_nest_begin(request, type);

	netlink_put(request, NFTA_DATA_VALUE, data, len);
	netlink_nest_end(request, value);
}

/* chain: of NFT_JUMP. */
static void put_verdict_value(struct netlink_request *request, uint16_t type, uint32_t code,
			      const char *chain)
{
	size_t value = netlink_nest_begin(request, type);
	size_t inner = netlink_nest_begin(request, NFTA_DATA_VERDICT);

	nft_put_number(request, NFTA_VERDICT_CODE, code);
	if (chain != NULL)
		netlink_put_text(request, NFTA_VERDICT_CHAIN, chain);
	netlink_nest_end(request, inner);
	netlink_nest_end(request, value);
}

static void put_meta(struct netlink_request *request, const struct nft_term *term)
{
	nft_put_number(request, NFTA_META_KEY, term->number);
	put_register(request, NFTA_META_DREG, term->to);
}

static void put_ct(struct netlink_request *request, const struct nft_term *term)
{
	nft_put_number(request, NFTA_CT_KEY, term->number);
	put_register(request, NFTA_CT_DREG, term->to);
}

static void put_label(struct netlink_request *request, const struct nft_term *term)
{
	nft_put_number(request, NFTA_CT_KEY, NFT_CT_LABELS);
	put_register(request, NFTA_CT_SREG, term->from);
}

static void put_constant(struct netlink_request *request, const struct nft_term *term)
{
	put_register(request, NFTA_IMMEDIATE_DREG, term->to);
	put_value(request, NFTA_IMMEDIATE_DATA, &term->number, sizeof(term->number));
}

static void put_load(struct netlink_request *request, const struct nft_term *term)
{
	put_register(request, NFTA_PAYLOAD_DREG, term->to);
	nft_put_number(request, NFTA_PAYLOAD_BASE, term->number);
	nft_put_number(request, NFTA_PAYLOAD_OFFSET, term->offset);
	nft_put_number(request, NFTA_PAYLOAD_LEN, term->len);
}

static void put_daddr_type(struct netlink_request *request, const struct nft_term *term)
{
	put_register(request, NFTA_FIB_DREG, term->to);
	nft_put_number(request, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nft_put_number(request, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
}

/* As it stands in a register. */
static void put_term_number(struct netlink_request *request, uint16_t type,
			    const struct nft_term *term)
{
	uint16_t half = htons((uint16_t)term->number);
	uint8_t byte = (uint8_t)term->number;

	if (term->len == sizeof(byte))
		put_value(request, type, &byte, sizeof(byte));
	else if (term->len == sizeof(half))
		put_value(request, type, &half, sizeof(half));
	else
		put_value(request, type, &term->number, sizeof(term->number));
}

static void put_compare(struct netlink_request *request, const struct nft_term *term)
{
	static const uint32_t compared[] = {[NFT_OP_IS] = NFT_CMP_EQ,
					    [NFT_OP_IS_NOT] = NFT_CMP_NEQ,
					    [NFT_OP_LEAST] = NFT_CMP_GTE,
					    [NFT_OP_MOST] = NFT_CMP_LTE};

	put_register(request, NFTA_CMP_SREG, term->from);
	nft_put_number(request, NFTA_CMP_OP, compared[term->op]);
	put_term_number(request, NFTA_CMP_DATA, term);
}

static void put_mask(struct netlink_request *request, const struct nft_term *term)
{
	static const uint32_t nothing;

	put_register(request, NFTA_BITWISE_SREG, term->from);
	put_register(request, NFTA_BITWISE_DREG, term->from);
	nft_put_number(request, NFTA_BITWISE_LEN, term->len);
	put_term_number(request, NFTA_BITWISE_MASK, term);
	put_value(request, NFTA_BITWISE_XOR, &nothing, term->len);
}

static void put_lookup(struct netlink_request *request, const struct nft_term *term)
{
	netlink_put_text(request, NFTA_LOOKUP_SET, term->set);
	put_register(request, NFTA_LOOKUP_SREG, term->from);
	if (term->op == NFT_OP_MAP)
		put_register(request, NFTA_LOOKUP_DREG, term->to);
	if (term->op == NFT_OP_JUMP)
		nft_put_number(request, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	if (term->op == NFT_OP_NOT_IN)
		nft_put_number(request, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

/* Added where it is missing: without a timeout the two operations are one. */
static void put_count(struct netlink_request *request, const struct nft_term *term)
{
	size_t counter;

	netlink_put_text(request, NFTA_DYNSET_SET_NAME, term->set);
	nft_put_number(request, NFTA_DYNSET_OP, NFT_DYNSET_OP_ADD);
	put_register(request, NFTA_DYNSET_SREG_KEY, term->from);
	counter = netlink_nest_begin(request, NFTA_DYNSET_EXPR);
	netlink_put_text(request, NFTA_EXPR_NAME, "counter");
	netlink_nest_end(request, counter);
}

static void put_verdict(struct netlink_request *request, const struct nft_term *term)
{
	nft_put_number(request, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	put_verdict_value(request, NFTA_IMMEDIATE_DATA, term->number, NULL);
}

static void put_goto(struct netlink_request *request, const struct nft_term *term)
{
	nft_put_number(request, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	put_verdict_value(request, NFTA_IMMEDIATE_DATA, (uint32_t)NFT_GOTO, term->set);
}

static void put_reject(struct netlink_request *request, const struct nft_term *term)
{
	(void)term;
	nft_put_number(request, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
	netlink_put_u8(request, NFTA_REJECT_ICMP_CODE, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
}

static void put_dnat(struct netlink_request *request, const struct nft_term *term)
{
	uint8_t port = (uint8_t)(term->from + (term->number == NFPROTO_IPV4 ? 1 : 4));

	nft_put_number(request, NFTA_NAT_TYPE, NFT_NAT_DNAT);
	nft_put_number(request, NFTA_NAT_FAMILY, term->number);
	put_register(request, NFTA_NAT_REG_ADDR_MIN, term->from);
	put_register(request, NFTA_NAT_REG_PROTO_MIN, port);
}

static void put_nothing(struct netlink_request *request, const struct nft_term *term)
{
	(void)request;
	(void)term;
}

/* By nft_op: the kernel's name of the expression, and what is in it. */
static const struct {
	const char *name;
	void (*put)(struct netlink_request *request, const struct nft_term *term);
} expressions[] = {
	[NFT_OP_META] = {"meta", put_meta},          [NFT_OP_CT] = {"ct", put_ct},
	[NFT_OP_LOAD] = {"payload", put_load},       [NFT_OP_DADDR_TYPE] = {"fib", put_daddr_type},
	[NFT_OP_IS] = {"cmp", put_compare},          [NFT_OP_IS_NOT] = {"cmp", put_compare},
	[NFT_OP_LEAST] = {"cmp", put_compare},       [NFT_OP_MOST] = {"cmp", put_compare},
	[NFT_OP_MASK] = {"bitwise", put_mask},       [NFT_OP_IN] = {"lookup", put_lookup},
	[NFT_OP_NOT_IN] = {"lookup", put_lookup},    [NFT_OP_MAP] = {"lookup", put_lookup},
	[NFT_OP_JUMP] = {"lookup", put_lookup},      [NFT_OP_GOTO] = {"immediate", put_goto},
	[NFT_OP_REJECT] = {"reject", put_reject},    [NFT_OP_PUT] = {"immediate", put_constant},
	[NFT_OP_LABEL] = {"ct", put_label},          [NFT_OP_VERDICT] = {"immediate", put_verdict},
	[NFT_OP_COUNT] = {"dynset", put_count},      [NFT_OP_DNAT] = {"nat", put_dnat},
	[NFT_OP_MASQUERADE] = {"masq", put_nothing},
};

static void put_term(struct netlink_request *request, const struct nft_term *term)
{
	size_t element = netlink_nest_begin(request, NFTA_LIST_ELEM), data;

	netlink_put_text(request, NFTA_EXPR_NAME, expressions[term->op].name);
	data = netlink_nest_begin(request, NFTA_EXPR_DATA);
	expressions[term->op].put(request, term);
	netlink_nest_end(request, data);
	netlink_nest_end(request, element);
}

/* ---- tables ---- */

void nft_add_bound(struct netlink_batch *batch, uint16_t type, const uint32_t *generation)
{
	struct nfgenmsg head = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	struct netlink_request request;

	netlink_begin(&request, type, 0, &head, sizeof(head));
	if (generation != NULL)
		netlink_put_u32(&request, NFNL_BATCH_GENID, *generation);
	netlink_batch_add(batch, &request, false);
}

void nft_add_chain(struct netlink_batch *batch, uint8_t family, const struct nft_chain *chain)
{
	struct netlink_request request;
	size_t hook;

	nft_begin(&request, NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
	netlink_put_text(&request, NFTA_CHAIN_TABLE, nft_table_name);
	netlink_put_text(&request, NFTA_CHAIN_NAME, chain->name);
	if (chain->type == NULL) {
		netlink_batch_add(batch, &request, false);
		return;
	}
	hook = netlink_nest_begin(&request, NFTA_CHAIN_HOOK);
	nft_put_number(&request, NFTA_HOOK_HOOKNUM, chain->hook);
	nft_put_number(&request, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	netlink_nest_end(&request, hook);
	nft_put_number(&request, NFTA_CHAIN_POLICY, NF_ACCEPT);
	netlink_put_text(&request, NFTA_CHAIN_TYPE, chain->type);
	netlink_batch_add(batch, &request, false);
}

static void begin_rule(struct netlink_request *request, uint8_t family, const struct nft_rule *rule)
{
	size_t list;

	nft_begin(request, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
	netlink_put_text(request, NFTA_RULE_TABLE, nft_table_name);
	netlink_put_text(request, NFTA_RULE_CHAIN, rule->chain);
	list = netlink_nest_begin(request, NFTA_RULE_EXPRESSIONS);
	for (size_t i = 0; i < NFT_TERMS_MAX && rule->terms[i].op != NFT_OP_END; i++)
		put_term(request, &rule->terms[i]);
	netlink_nest_end(request, list);
}

/* FNV-1a of what the kernel is told. */
static uint64_t digest(const struct netlink_request *request)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = NLMSG_HDRLEN; i < request->len; i++)
		sum = (sum ^ request->bytes[i]) * 0x100000001b3;
	return sum;
}

static void comment_of(const struct netlink_request *request, uint8_t ret[NFT_COMMENT_LEN])
{
	ret[0] = COMMENT_TYPE;
	ret[1] = NFT_COMMENT_LEN - 2;
	str_format((char *)ret + 2, NFT_COMMENT_LEN - 2, "cordon %016llx",
		   (unsigned long long)digest(request));
}

void nft_rule_comment(uint8_t family, const struct nft_rule *rule, uint8_t ret[NFT_COMMENT_LEN])
{
	struct netlink_request request;

	begin_rule(&request, family, rule);
	comment_of(&request, ret);
}

void nft_add_rule(struct netlink_batch *batch, uint8_t family, const struct nft_rule *rule)
{
	struct netlink_request request;
	uint8_t comment[NFT_COMMENT_LEN];

	begin_rule(&request, family, rule);
	comment_of(&request, comment);
	netlink_put(&request, NFTA_RULE_USERDATA, comment, sizeof(comment));
	netlink_batch_add(batch, &request, false);
}

void nft_empty_chain(struct netlink_batch *batch, uint8_t family, const char *chain)
{
	struct netlink_request request;

	nft_begin(&request, NFT_MSG_DELRULE, 0, family);
	netlink_put_text(&request, NFTA_RULE_TABLE, nft_table_name);
	netlink_put_text(&request, NFTA_RULE_CHAIN, chain);
	netlink_batch_add(batch, &request, false);
}

void nft_add_table(struct netlink_batch *batch, const struct nft_table *table)
{
	struct netlink_request request;

	nft_begin(&request, NFT_MSG_NEWTABLE, NLM_F_CREATE, table->family);
	netlink_put_text(&request, NFTA_TABLE_NAME, nft_table_name);
	/* One that somebody has put to sleep (dormant) wakes up. */
	nft_put_number(&request, NFTA_TABLE_FLAGS, 0);
	netlink_batch_add(batch, &request, false);
	for (size_t i = 0; i < table->n_sets; i++)
		nft_add_set(batch, table->family, &table->sets[i], (uint32_t)i + 1);
	for (size_t i = 0; i < table->n_chains; i++)
		nft_add_chain(batch, table->family, &table->chains[i]);
	/* Those that there are first: all or none of this happens. A sandbox's chain stays. */
	for (size_t i = 0; i < table->n_chains; i++)
		nft_empty_chain(batch, table->family, table->chains[i].name);
	for (size_t i = 0; i < table->n_rules; i++)
		nft_add_rule(batch, table->family, &table->rules[i]);
}

/* ---- elements ---- */

static void put_owner(struct netlink_request *request, const char *owner)
{
	uint8_t bytes[2 + NFT_OWNER_MAX] = {COMMENT_TYPE};
	size_t len = str_format((char *)bytes + 2, NFT_OWNER_MAX, "%s", owner) + 1;

	bytes[1] = (uint8_t)len;
	netlink_put(request, NFTA_SET_ELEM_USERDATA, bytes, 2 + len);
}

static size_t begin_list(struct netlink_request *request, uint16_t message, uint16_t flags,
			 const struct nft_element *element)
{
	nft_begin(request, message, flags, element->family);
	netlink_put_text(request, NFTA_SET_ELEM_LIST_TABLE, nft_table_name);
	netlink_put_text(request, NFTA_SET_ELEM_LIST_SET, element->set);
	return netlink_nest_begin(request, NFTA_SET_ELEM_LIST_ELEMENTS);
}

/* is_new: with what belongs to it. */
static void put_element(struct netlink_request *request, const struct nft_element *element,
			bool is_new)
{
	size_t one = netlink_nest_begin(request, NFTA_LIST_ELEM);

	put_value(request, NFTA_SET_ELEM_KEY, element->key.bytes, element->key.len);
	if (element->end.len > 0)
		put_value(request, NFTA_SET_ELEM_KEY_END, element->end.bytes, element->end.len);
	if (is_new && element->data.len > 0)
		put_value(request, NFTA_SET_ELEM_DATA, element->data.bytes, element->data.len);
	if (is_new && element->jump != NULL)
		put_verdict_value(request, NFTA_SET_ELEM_DATA, (uint32_t)NFT_JUMP, element->jump);
	if (is_new && element->owner != NULL)
		put_owner(request, element->owner);
	if (is_new && element->timeout_ms > 0) {
		uint64_t timeout = htobe64(element->timeout_ms);

		netlink_put(request, NFTA_SET_ELEM_TIMEOUT, &timeout, sizeof(timeout));
	}
	netlink_nest_end(request, one);
}

void nft_begin_element(struct netlink_request *request, uint16_t message, uint16_t flags,
		       const struct nft_element *element)
{
	size_t list = begin_list(request, message, flags, element);

	put_element(request, element, message == NFT_MSG_NEWSETELEM);
	netlink_nest_end(request, list);
}

void nft_add_element(struct netlink_batch *batch, uint16_t message, uint16_t flags,
		     const struct nft_element *element)
{
	struct netlink_request request;

	nft_begin_element(&request, message,
			  message == NFT_MSG_NEWSETELEM ? flags | NLM_F_CREATE : flags, element);
	netlink_batch_add(batch, &request, true);
}

/* More than an element with all that belongs to it may take. */
enum { ELEMENT_ROOM = 320 };

void nft_pack(struct nft_packing *packing, const struct nft_element *element)
{
	if (packing->n > 0 && packing->request.len > NETLINK_REQUEST_MAX - ELEMENT_ROOM)
		nft_pack_end(packing);
	if (packing->n++ == 0)
		packing->list =
			begin_list(&packing->request, NFT_MSG_NEWSETELEM, NLM_F_CREATE, element);
	put_element(&packing->request, element, true);
}

void nft_pack_end(struct nft_packing *packing)
{
	if (packing->n == 0)
		return;
	netlink_nest_end(&packing->request, packing->list);
	netlink_batch_add(packing->batch, &packing->request, true);
	packing->n = 0;
}
