/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See nft_list.h. */
#include "net/nft_list.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

static const char what[] = "nftables, tables cordon: list";

enum { CHANGES_MAX = 50 }; /* of others', while one answer is read */

/* ---- one message ---- */

static int find_in(const struct netlink_message *message, uint16_t type,
		   struct netlink_attribute *ret)
{
	const size_t head = sizeof(struct nfgenmsg);

	return message->len > head
		       ? netlink_find(message->payload + head, message->len - head, type, ret)
		       : 0;
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
	if (find_in(message, NFTA_GEN_ID, &id) > 0)
		generation->is_known = netlink_get_u32(&id, &generation->number);
	return 0;
}

int nft_generation(struct netlink *netlink, uint32_t *ret, struct err *err)
{
	struct generation generation = {.is_known = false};
	const struct netlink_reader reader = {.each = take_generation, .ctx = &generation};
	struct netlink_request request;
	int r;

	nft_begin(&request, NFT_MSG_GETGEN, 0, AF_UNSPEC);
	r = netlink_ask(netlink, &request, "nftables: generation", &reader, err);
	if (r < 0)
		return r;
	if (!generation.is_known)
		return err_set(err, ERR_SETUP, EBADMSG, "nftables: generation");
	*ret = generation.number;
	return 0;
}

/* ---- tables ---- */

struct rule_check {
	const struct nft_table *table;
	size_t n_of_chain; /* rules of the chain that is read */
	size_t n;
	bool is_other;
};

static const struct nft_rule *nth_rule(const struct nft_table *table, const char *chain, size_t n)
{
	for (size_t i = 0; i < table->n_rules; i++)
		if (str_equal(table->rules[i].chain, chain) && n-- == 0)
			return &table->rules[i];
	return NULL;
}

static const struct nft_rule *next_rule(struct rule_check *check, const char *chain)
{
	return nth_rule(check->table, chain, check->n_of_chain++);
}

static int compare_rule(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct rule_check *check = ctx;
	struct netlink_attribute a;
	const struct nft_rule *rule = NULL;
	uint8_t comment[NFT_COMMENT_LEN] = {0};
	char chain[64];

	(void)err;
	check->n++;
	if (find_in(message, NFTA_RULE_CHAIN, &a) > 0 && netlink_get_text(&a, chain, sizeof(chain)))
		rule = next_rule(check, chain);
	if (rule != NULL)
		nft_rule_comment(check->table->family, rule, comment);
	if (rule == NULL || find_in(message, NFTA_RULE_USERDATA, &a) <= 0 ||
	    a.len != sizeof(comment) || memcmp(a.data, comment, sizeof(comment)) != 0)
		check->is_other = true;
	return 0;
}

static int take_flags(void *ctx, const struct netlink_message *message, struct err *err)
{
	bool *is_awake = ctx;
	struct netlink_attribute a;
	uint32_t flags;

	(void)err;
	*is_awake = find_in(message, NFTA_TABLE_FLAGS, &a) > 0 && netlink_get_u32(&a, &flags) &&
		    (ntohl(flags) & NFT_TABLE_F_DORMANT) == 0;
	return 0;
}

static int is_awake(struct netlink *netlink, uint8_t family, struct err *err)
{
	bool answer = false;
	const struct netlink_reader reader = {.each = take_flags, .ctx = &answer};
	struct netlink_request request;
	int r;

	nft_begin(&request, NFT_MSG_GETTABLE, 0, family);
	netlink_put_text(&request, NFTA_TABLE_NAME, nft_table_name);
	r = netlink_ask(netlink, &request, what, &reader, err);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : answer;
}

/* Where others change tables meanwhile, an answer of several parts is refused. */
static int check_chain(struct netlink *netlink, const char *chain, struct rule_check *check,
		       struct err *err)
{
	const struct netlink_reader reader = {.each = compare_rule, .ctx = check};
	const struct rule_check before = *check;
	struct netlink_request request;
	int r, tries = 0;

	do {
		*check = before;
		check->n_of_chain = 0;
		nft_begin(&request, NFT_MSG_GETRULE, NLM_F_DUMP, check->table->family);
		netlink_put_text(&request, NFTA_RULE_TABLE, nft_table_name);
		netlink_put_text(&request, NFTA_RULE_CHAIN, chain);
		r = netlink_ask(netlink, &request, what, &reader, err);
	} while (r == -EAGAIN && ++tries < CHANGES_MAX);
	return r;
}

/* Chains that are not in it are somebody else's: a sandbox's own (egress.h). */
int nft_is_whole(struct netlink *netlink, const struct nft_table *table, struct err *err)
{
	struct rule_check check = {.table = table};
	int r = 0;

	for (size_t i = 0; r == 0 && i < table->n_chains; i++)
		r = check_chain(netlink, table->chains[i].name, &check, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (check.is_other || check.n != table->n_rules)
		return 0;
	return is_awake(netlink, table->family, err);
}

/* ---- one element ---- */

static int count_message(void *ctx, const struct netlink_message *message, struct err *err)
{
	size_t *n = ctx;

	(void)message;
	(void)err;
	(*n)++;
	return 0;
}

int nft_has_element(struct netlink *netlink, const struct nft_element *element, struct err *err)
{
	size_t n = 0;
	const struct netlink_reader reader = {.each = count_message, .ctx = &n};
	struct netlink_request request;
	int r;

	nft_begin_element(&request, NFT_MSG_GETSETELEM, 0, element);
	r = netlink_ask(netlink, &request, what, &reader, err);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : n == 1;
}

/* ---- all elements of a set ---- */

static void take_value(const struct netlink_attribute *a, struct nft_value *ret)
{
	struct netlink_attribute value;

	ret->len = 0;
	if (netlink_find(a->data, a->len, NFTA_DATA_VALUE, &value) <= 0 ||
	    value.len > sizeof(ret->bytes))
		return;
	memcpy(ret->bytes, value.data, value.len);
	ret->len = value.len;
}

static uint64_t packets_of(const struct netlink_attribute *expression)
{
	struct netlink_attribute data, packets;
	uint64_t number;

	if (netlink_find(expression->data, expression->len, NFTA_EXPR_DATA, &data) <= 0 ||
	    netlink_find(data.data, data.len, NFTA_COUNTER_PACKETS, &packets) <= 0 ||
	    packets.len != sizeof(number))
		return 0;
	memcpy(&number, packets.data, sizeof(number));
	return be64toh(number);
}

/* A type, a length, and a text with its NUL. */
static const char *owner_of(const struct netlink_attribute *a)
{
	return a->len > 2 && a->data[1] == a->len - 2 && a->data[a->len - 1] == '\0'
		       ? (const char *)a->data + 2
		       : NULL;
}

struct walking {
	struct nft_element element;
	const struct nft_visitor *visitor;
};

static int read_element(const struct netlink_attribute *one, struct nft_element *element)
{
	struct netlink_attribute a;
	size_t at = 0;
	int r;

	element->key.len = 0;
	element->data.len = 0;
	element->owner = NULL;
	element->packets = 0;
	while ((r = netlink_next_attribute(one->data, one->len, &at, &a)) > 0) {
		if (a.type == NFTA_SET_ELEM_KEY)
			take_value(&a, &element->key);
		else if (a.type == NFTA_SET_ELEM_DATA)
			take_value(&a, &element->data);
		else if (a.type == NFTA_SET_ELEM_USERDATA)
			element->owner = owner_of(&a);
		else if (a.type == NFTA_SET_ELEM_EXPR)
			element->packets = packets_of(&a);
	}
	return r;
}

/* A set without elements is one message as well, with an empty list. */
static int take_list(void *ctx, const struct netlink_message *message, struct err *err)
{
	struct walking *walking = ctx;
	struct netlink_attribute list, one;
	size_t at = 0;
	int r = find_in(message, NFTA_SET_ELEM_LIST_ELEMENTS, &list);

	while (r > 0) {
		r = netlink_next_attribute(list.data, list.len, &at, &one);
		if (r > 0 && read_element(&one, &walking->element) < 0)
			r = -EBADMSG;
		if (r > 0)
			walking->visitor->each(walking->visitor->ctx, &walking->element);
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s", what) : 0;
}

int nft_walk(struct netlink *netlink, uint8_t family, const char *set,
	     const struct nft_visitor *visitor, struct err *err)
{
	struct walking walking = {.element = {.family = family, .set = set}, .visitor = visitor};
	const struct netlink_reader reader = {.each = take_list, .ctx = &walking};
	struct netlink_request request;

	nft_begin(&request, NFT_MSG_GETSETELEM, NLM_F_DUMP, family);
	netlink_put_text(&request, NFTA_SET_ELEM_LIST_TABLE, nft_table_name);
	netlink_put_text(&request, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_ask(netlink, &request, what, &reader, err);
}

static void count_element(void *ctx, const struct nft_element *element)
{
	size_t *n = ctx;

	(void)element;
	(*n)++;
}

int nft_count_elements(struct netlink *netlink, uint8_t family, const char *set, size_t *ret,
		       struct err *err)
{
	const struct nft_visitor visitor = {.each = count_element, .ctx = ret};

	*ret = 0;
	return nft_walk(netlink, family, set, &visitor, err);
}

/* ---- names ---- */

struct naming {
	uint16_t table; /* which attribute is the table's name */
	uint16_t name;
	const struct nft_name_visitor *visitor;
};

static int take_named(void *ctx, const struct netlink_message *message, struct err *err)
{
	const struct naming *naming = ctx;
	struct netlink_attribute a;
	char table[NETLINK_TEXT_MAX], name[NETLINK_TEXT_MAX];

	(void)err;
	if (find_in(message, naming->table, &a) > 0 && netlink_get_text(&a, table, sizeof(table)) &&
	    str_equal(table, nft_table_name) && find_in(message, naming->name, &a) > 0 &&
	    netlink_get_text(&a, name, sizeof(name)))
		naming->visitor->each(naming->visitor->ctx, name);
	return 0;
}

int nft_walk_names(struct netlink *netlink, uint8_t family, uint16_t message,
		   const struct nft_name_visitor *visitor, struct err *err)
{
	bool is_chain = message == NFT_MSG_GETCHAIN;
	struct naming naming = {.table = is_chain ? NFTA_CHAIN_TABLE : NFTA_SET_TABLE,
				.name = is_chain ? NFTA_CHAIN_NAME : NFTA_SET_NAME,
				.visitor = visitor};
	const struct netlink_reader reader = {.each = take_named, .ctx = &naming};
	struct netlink_request request;

	nft_begin(&request, message, NLM_F_DUMP, family);
	return netlink_ask(netlink, &request, what, &reader, err);
}

static void name_of(const struct nft_element *element, char buf[IFNAMSIZ])
{
	str_format(buf, IFNAMSIZ, "%.*s", IFNAMSIZ - 1, (const char *)element->key.bytes);
}

static void take_name(void *ctx, const struct nft_element *element)
{
	struct nft_links *links = ctx;

	if (links->n < NFT_LENT_MAX)
		name_of(element, links->list[links->n++]);
}

int nft_list_names(struct netlink *netlink, uint8_t family, const char *set, struct nft_links *ret,
		   struct err *err)
{
	const struct nft_visitor visitor = {.each = take_name, .ctx = ret};

	ret->n = 0;
	return nft_walk(netlink, family, set, &visitor, err);
}

/* ---- what nobody has ---- */

enum {
	ORPHANS_MAX = 64, /* of one transaction */
	RACES_MAX = 50,   /* with others */
};

struct orphans {
	struct nft_value keys[ORPHANS_MAX];
	size_t n;
};

static void take_orphan(void *ctx, const struct nft_element *element)
{
	struct orphans *orphans = ctx;
	char name[IFNAMSIZ];

	if (element->owner != NULL)
		str_format(name, sizeof(name), "%.*s", (int)strcspn(element->owner, " "),
			   element->owner);
	else
		name_of(element, name);
	if (orphans->n < ORPHANS_MAX && if_nametoindex(name) == 0)
		orphans->keys[orphans->n++] = element->key;
}

static int remove_some(struct netlink *netlink, const struct nft_element *kind,
		       const struct orphans *orphans, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	struct nft_element element = *kind;

	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	for (size_t i = 0; i < orphans->n; i++) {
		element.key = orphans->keys[i];
		nft_add_element(&batch, NFT_MSG_DELSETELEM, 0, &element);
	}
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(netlink, &batch, what, err);
}

int nft_remove_orphans(struct netlink *netlink, const struct nft_element *kind, uint32_t *n_removed,
		       struct err *err)
{
	_cleanup_free_ struct orphans *orphans = calloc(1, sizeof(*orphans));
	const struct nft_visitor visitor = {.each = take_orphan, .ctx = orphans};
	int r, tries = 0;
	bool is_raced;

	if (orphans == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "%s", what);
	do {
		orphans->n = 0;
		r = nft_walk(netlink, kind->family, kind->set, &visitor, err);
		if (r == 0 && orphans->n > 0)
			r = remove_some(netlink, kind, orphans, err);
		/* Others changed tables while they were told; or of one its keeper did it itself
		 * meanwhile, and none of the others went. */
		is_raced =
			(r == -EAGAIN || (r == -ENOENT && orphans->n > 0)) && ++tries < RACES_MAX;
		if (is_raced)
			r = 0;
		else if (r == 0)
			*n_removed += (uint32_t)orphans->n;
	} while (r == 0 && (is_raced || orphans->n == ORPHANS_MAX));
	return r;
}
