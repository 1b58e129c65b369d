/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See nft.h. Numbers of nf_tables are in network byte order, those of netlink itself are not. */
#include "net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>

#include "base/str.h"

static const char table[] = "cordon";
static const char chain[] = "forward";
static const char ends[] = "ends";
static const char same[] = "same";

enum {
	TYPE_IFNAME = 41, /* nft's number of the type, so that `nft list` shows names */
	TYPE_BITS = 6,
	PRIORITY = -10, /* before the usual filters */
	N_RULES = 3,
};

/* ---- words ---- */

static void begin(struct netlink_request *request, uint16_t message, uint16_t flags)
{
	struct nfgenmsg head = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	netlink_begin(request, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, &head,
		      sizeof(head));
}

static void put_number(struct netlink_request *request, uint16_t type, uint32_t value)
{
	netlink_put_u32(request, type, htonl(value));
}

static size_t begin_expression(struct netlink_request *request, const char *name,
			       size_t *ret_element)
{
	*ret_element = netlink_nest_begin(request, NFTA_LIST_ELEM);
	netlink_put_text(request, NFTA_EXPR_NAME, name);
	return netlink_nest_begin(request, NFTA_EXPR_DATA);
}

static void end_expression(struct netlink_request *request, size_t data, size_t element)
{
	netlink_nest_end(request, data);
	netlink_nest_end(request, element);
}

static void put_meta(struct netlink_request *request, uint32_t key, uint32_t target)
{
	size_t element, data = begin_expression(request, "meta", &element);

	put_number(request, NFTA_META_KEY, key);
	put_number(request, NFTA_META_DREG, target);
	end_expression(request, data, element);
}

static void put_lookup(struct netlink_request *request, const char *set, uint32_t source)
{
	size_t element, data = begin_expression(request, "lookup", &element);

	netlink_put_text(request, NFTA_LOOKUP_SET, set);
	put_number(request, NFTA_LOOKUP_SREG, source);
	end_expression(request, data, element);
}

static void put_verdict(struct netlink_request *request, uint32_t verdict)
{
	size_t element, data = begin_expression(request, "immediate", &element);
	size_t value, inner;

	put_number(request, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	value = netlink_nest_begin(request, NFTA_IMMEDIATE_DATA);
	inner = netlink_nest_begin(request, NFTA_DATA_VERDICT);
	put_number(request, NFTA_VERDICT_CODE, verdict);
	netlink_nest_end(request, inner);
	netlink_nest_end(request, value);
	end_expression(request, data, element);
}

/* ---- transactions ---- */

static void add_bound(struct netlink_batch *batch, uint16_t type, const uint32_t *generation)
{
	struct nfgenmsg head = {.version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
	struct netlink_request request;

	netlink_begin(&request, type, 0, &head, sizeof(head));
	/* Refused where anybody has changed anything since. */
	if (generation != NULL)
		netlink_put_u32(&request, NFNL_BATCH_GENID, *generation);
	netlink_batch_add(batch, &request, false);
}

static void add_table(struct netlink_batch *batch)
{
	struct netlink_request request;

	begin(&request, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	netlink_put_text(&request, NFTA_TABLE_NAME, table);
	netlink_batch_add(batch, &request, true);
}

static void add_set(struct netlink_batch *batch, const char *name, uint32_t id, uint32_t n_names)
{
	/* What `nft list` goes by alone: of what byte order the key is (libnftnl's, the host's). */
	static const uint8_t order[] = {0, 4, 1, 0, 0, 0};
	static const uint8_t order_swapped[] = {0, 4, 0, 0, 0, 1};
	bool is_little = htons(1) != 1;
	struct netlink_request request;
	uint32_t type = n_names == 1 ? TYPE_IFNAME : TYPE_IFNAME << TYPE_BITS | TYPE_IFNAME;

	begin(&request, NFT_MSG_NEWSET, NLM_F_CREATE);
	netlink_put_text(&request, NFTA_SET_TABLE, table);
	netlink_put_text(&request, NFTA_SET_NAME, name);
	put_number(&request, NFTA_SET_FLAGS, 0);
	put_number(&request, NFTA_SET_KEY_TYPE, type);
	put_number(&request, NFTA_SET_KEY_LEN, n_names * IFNAMSIZ);
	put_number(&request, NFTA_SET_ID, id);
	if (n_names == 1)
		netlink_put(&request, NFTA_SET_USERDATA, is_little ? order : order_swapped,
			    sizeof(order));
	netlink_batch_add(batch, &request, true);
}

static void add_chain(struct netlink_batch *batch)
{
	struct netlink_request request;
	size_t hook;

	begin(&request, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	netlink_put_text(&request, NFTA_CHAIN_TABLE, table);
	netlink_put_text(&request, NFTA_CHAIN_NAME, chain);
	hook = netlink_nest_begin(&request, NFTA_CHAIN_HOOK);
	put_number(&request, NFTA_HOOK_HOOKNUM, NF_INET_FORWARD);
	put_number(&request, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY);
	netlink_nest_end(&request, hook);
	put_number(&request, NFTA_CHAIN_POLICY, NF_ACCEPT);
	netlink_put_text(&request, NFTA_CHAIN_TYPE, "filter");
	netlink_batch_add(batch, &request, true);
}

static void begin_rule(struct netlink_request *request, uint16_t message, uint16_t flags)
{
	begin(request, message, flags);
	netlink_put_text(request, NFTA_RULE_TABLE, table);
	netlink_put_text(request, NFTA_RULE_CHAIN, chain);
}

static void add_rules(struct netlink_batch *batch)
{
	static const uint32_t keys[] = {NFT_META_IIFNAME, NFT_META_OIFNAME};
	struct netlink_request request;
	size_t list;

	/* Those that there are first: all or none of this happens. */
	begin_rule(&request, NFT_MSG_DELRULE, 0);
	netlink_batch_add(batch, &request, true);
	begin_rule(&request, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	list = netlink_nest_begin(&request, NFTA_RULE_EXPRESSIONS);
	put_meta(&request, NFT_META_IIFNAME, NFT_REG_1);
	put_meta(&request, NFT_META_OIFNAME, NFT_REG_2);
	put_lookup(&request, same, NFT_REG_1);
	put_verdict(&request, NF_ACCEPT);
	netlink_nest_end(&request, list);
	netlink_batch_add(batch, &request, true);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		begin_rule(&request, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
		list = netlink_nest_begin(&request, NFTA_RULE_EXPRESSIONS);
		put_meta(&request, keys[i], NFT_REG_1);
		put_lookup(&request, ends, NFT_REG_1);
		put_verdict(&request, NF_DROP);
		netlink_nest_end(&request, list);
		netlink_batch_add(batch, &request, true);
	}
}

static void begin_element(struct netlink_request *request, uint16_t message, uint16_t flags,
			  const char *set, const char *link)
{
	char key[2 * IFNAMSIZ] = "";
	size_t list, element, value;
	size_t n_names = str_equal(set, same) ? 2 : 1;

	for (size_t i = 0; i < n_names; i++)
		str_format(key + i * IFNAMSIZ, IFNAMSIZ, "%s", link);
	begin(request, message, flags);
	netlink_put_text(request, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_put_text(request, NFTA_SET_ELEM_LIST_SET, set);
	list = netlink_nest_begin(request, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = netlink_nest_begin(request, NFTA_LIST_ELEM);
	value = netlink_nest_begin(request, NFTA_SET_ELEM_KEY);
	netlink_put(request, NFTA_DATA_VALUE, key, n_names * IFNAMSIZ);
	netlink_nest_end(request, value);
	netlink_nest_end(request, element);
	netlink_nest_end(request, list);
}

static void add_element(struct netlink_batch *batch, uint16_t message, const char *set,
			const char *link)
{
	struct netlink_request request;

	begin_element(&request, message, message == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, set,
		      link);
	netlink_batch_add(batch, &request, true);
}

/* ---- reading back ---- */

static int count_message(void *ctx, const struct netlink_message *message, struct err *err)
{
	size_t *n = ctx;

	(void)message;
	(void)err;
	(*n)++;
	return 0;
}

static int count(struct netlink *netlink, struct netlink_request *request, const char *what,
		 size_t *ret, struct err *err)
{
	const struct netlink_reader reader = {.each = count_message, .ctx = ret};

	*ret = 0;
	return netlink_ask(netlink, request, what, &reader, err);
}

static int verify(struct netlink *netlink, const char *link, struct err *err)
{
	static const char *const sets[] = {ends, same};
	struct netlink_request request;
	size_t n;
	int r;

	begin_rule(&request, NFT_MSG_GETRULE, NLM_F_DUMP);
	r = count(netlink, &request, "nftables, table inet cordon: read back", &n, err);
	if (r == 0 && n != N_RULES)
		r = err_set(err, ERR_SETUP, 0, "nftables, table inet cordon: %zu rules, and not %d",
			    n, N_RULES);
	for (size_t i = 0; r == 0 && i < sizeof(sets) / sizeof(sets[0]); i++) {
		begin_element(&request, NFT_MSG_GETSETELEM, 0, sets[i], link);
		r = count(netlink, &request, "nftables, table inet cordon: read back", &n, err);
		if (r == 0 && n != 1)
			r = err_set(err, ERR_SETUP, 0, "nftables, table inet cordon: no %s in %s",
				    link, sets[i]);
	}
	return r;
}

/* ---- doors ---- */

int nft_end_at(struct netlink *netlink, const char *link, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	int r;

	add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	add_table(&batch);
	add_set(&batch, ends, 1, 1);
	add_set(&batch, same, 2, 2);
	add_chain(&batch);
	add_rules(&batch);
	add_element(&batch, NFT_MSG_NEWSETELEM, ends, link);
	add_element(&batch, NFT_MSG_NEWSETELEM, same, link);
	add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	r = netlink_do_batch(netlink, &batch, "nftables, table inet cordon", err);
	if (r == -EOPNOTSUPP || r == -EPROTONOSUPPORT || r == -EINVAL)
		return err_hint(err, "The kernel takes CONFIG_NF_TABLES_INET=y or the module "
				     "nf_tables; what others have in that table is theirs to "
				     "remove.");
	return r == 0 ? verify(netlink, link, err) : r;
}

struct generation {
	uint32_t number;
	bool is_known;
};

static int take_generation(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct generation *generation = ctx;
	struct netlink_attribute id;

	(void)err;
	if (message->len > sizeof(struct nfgenmsg) &&
	    netlink_find(message->payload + sizeof(struct nfgenmsg),
			 message->len - sizeof(struct nfgenmsg), NFTA_GEN_ID, &id) > 0)
		generation->is_known = netlink_get_u32(&id, &generation->number);
	return 0;
}

/* A set without elements is one message as well, with an empty list. */
static int count_listed(void *ctx, const struct netlink_message *message, struct err *err)
{
	const size_t head = sizeof(struct nfgenmsg);
	struct netlink_attribute list, element;
	size_t *n = ctx, at = 0;
	int r = 0;

	if (message->len > head)
		r = netlink_find(message->payload + head, message->len - head,
				 NFTA_SET_ELEM_LIST_ELEMENTS, &list);
	while (r > 0) {
		r = netlink_next_attribute(list.data, list.len, &at, &element);
		*n += r > 0;
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "nftables, table inet cordon: list") : 0;
}

static int count_elements(struct netlink *netlink, size_t *ret, struct err *err)
{
	const struct netlink_reader reader = {.each = count_listed, .ctx = ret};
	struct netlink_request request;

	*ret = 0;
	begin(&request, NFT_MSG_GETSETELEM, NLM_F_DUMP);
	netlink_put_text(&request, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_put_text(&request, NFTA_SET_ELEM_LIST_SET, ends);
	return netlink_ask(netlink, &request, "nftables, table inet cordon: list", &reader, err);
}

static int remove_empty(struct netlink *netlink, struct err *err)
{
	struct generation generation = {.is_known = false};
	const struct netlink_reader reader = {.each = take_generation, .ctx = &generation};
	struct netlink_batch batch = {.len = 0};
	struct netlink_request request;
	size_t n = 0;
	int r;

	begin(&request, NFT_MSG_GETGEN, 0);
	r = netlink_ask(netlink, &request, "nftables: generation", &reader, err);
	if (r == 0)
		r = count_elements(netlink, &n, err);
	if (r == -ENOENT || (r == 0 && (n > 0 || !generation.is_known)))
		return 0;
	if (r < 0)
		return r;
	begin(&request, NFT_MSG_DELTABLE, 0);
	netlink_put_text(&request, NFTA_TABLE_NAME, table);
	add_bound(&batch, NFNL_MSG_BATCH_BEGIN, &generation.number);
	netlink_batch_add(&batch, &request, true);
	add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	r = netlink_do_batch(netlink, &batch, "nftables, table inet cordon: remove", err);
	/* Another network came meanwhile: it stays. */
	return r == -ERESTART || r == -ENOENT ? 0 : r;
}

int nft_forget(struct netlink *netlink, const char *link, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	int r;

	add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	add_element(&batch, NFT_MSG_DELSETELEM, ends, link);
	add_element(&batch, NFT_MSG_DELSETELEM, same, link);
	add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	r = netlink_do_batch(netlink, &batch, "nftables, table inet cordon", err);
	if (r == -ENOENT)
		r = 0;
	return r == 0 ? remove_empty(netlink, err) : r;
}
