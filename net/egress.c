/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See egress.h. */
#include "net/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

#include "base/str.h"
#include "net/egress_chain.h"
#include "net/nft_list.h"
#include "net/nft_rules.h"

enum {
	DIGITS = EGRESS_RUN_DIGITS,
	WAYS_MAX = 7,
	ROOM_MAX = 4096, /* that the bounds of a transaction, and one message more, may take */
};

static const char what[] = "nftables, network.egress";

/* ---- the lists ---- */

static const int families[] = {AF_INET, AF_INET6};

static void lists_free(struct egress_lists *lists)
{
	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < EGRESS_LISTS; i++)
			egress_ranges_free(&lists->list[v][i].ranges);
}

/* Each bit of the id as one of two labels: whoever has all of one run's has no other's. */
static void make_labels(const char *run, uint32_t ret[EGRESS_LABEL_WORDS])
{
	memset(ret, 0, EGRESS_LABEL_WORDS * sizeof(*ret));
	for (unsigned i = 0; i < DIGITS && run[i] != '\0'; i++) {
		unsigned digit = (unsigned)(run[i] <= '9' ? run[i] - '0' : run[i] - 'a' + 10);

		for (unsigned k = 0; k < 4; k++) {
			unsigned bit = 2 * (4 * i + k) + (digit >> k & 1);

			ret[bit / 32] |= 1U << bit % 32;
		}
	}
}

static int fill(const struct spec_egress *rules, int family, struct egress_set lists[EGRESS_LISTS])
{
	static const struct {
		enum egress_list list;
		bool is_denial;
		uint8_t protocol;
	} parts[] = {{EGRESS_DENY, true, IPPROTO_TCP},
		     {EGRESS_DENY, true, IPPROTO_UDP},
		     {EGRESS_HOSTS, true, 0},
		     {EGRESS_ALLOW, false, IPPROTO_TCP},
		     {EGRESS_ALLOW, false, IPPROTO_UDP}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		r = egress_ranges_add(parts[i].is_denial ? rules->deny : rules->allow,
				      parts[i].is_denial ? rules->n_deny : rules->n_allow, family,
				      parts[i].protocol, &lists[parts[i].list].ranges);
	return r;
}

static int lists_make(const struct egress *egress, struct egress_lists *ret, struct err *err)
{
	static const char *const names[EGRESS_LISTS] = {"hosts", "deny", "allow"};
	int r = 0;

	egress_name_lists(egress->run, ret);
	make_labels(egress->run, ret->labels);
	for (size_t i = 0; i < egress->rules->n_groups; i++)
		for (size_t v = 0; v < 2; v++)
			egress_name_set(ret->chain, i, families[v], ret->named[i][v]);
	for (size_t v = 0; r == 0 && v < 2; v++) {
		for (size_t i = 0; i < EGRESS_LISTS; i++)
			str_format(ret->list[v][i].set, EGRESS_SET_NAME_MAX, "%s-%s%d", ret->chain,
				   names[i], v == 0 ? 4 : 6);
		r = fill(egress->rules, families[v], ret->list[v]);
	}
	if (r < 0)
		lists_free(ret);
	if (r == -E2BIG) {
		err_set(err, ERR_SETUP, E2BIG, "network.egress: more than %d ranges",
			EGRESS_RANGES_MAX);
		return err_hint(err, "Rules that overlap are cut into pieces: name the subnets "
				     "once each, with all of their ports.");
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "network.egress") : 0;
}

/* ---- sets ---- */

static void describe_set(const struct egress_set *list, size_t v, enum egress_list number,
			 struct nft_set *ret)
{
	*ret = (struct nft_set){.name = list->set,
				.key = {v == 0 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6, NFT_TYPE_PROTOCOL},
				.has_ranges = true};
	if (number != EGRESS_HOSTS)
		ret->key[2] = NFT_TYPE_PORT;
}

static void put_end(struct nft_value *value, const struct egress_range *range, enum nft_type type,
		    bool is_last)
{
	struct net_prefix address = {.family = type == NFT_TYPE_IPV4 ? AF_INET : AF_INET6};

	memcpy(address.bytes, is_last ? range->last : range->first, sizeof(address.bytes));
	nft_value_address(value, &address);
	if (range->protocol == 0 && is_last)
		nft_value_protocol(value, UINT8_MAX);
	else
		nft_value_protocol(value, range->protocol);
}

static void describe_element(const struct nft_set *set, const struct egress_range *range,
			     struct nft_element *ret)
{
	ret->set = set->name;
	ret->key.len = ret->end.len = 0;
	put_end(&ret->key, range, set->key[0], false);
	put_end(&ret->end, range, set->key[0], true);
	if (set->key[2] == NFT_TYPE_NONE)
		return;
	nft_value_port(&ret->key, range->first_port);
	nft_value_port(&ret->end, range->last_port);
}

/* As many transactions as it takes: nobody refers to the set yet. */
static int fill_set(struct netlink *nft, const struct nft_set *set, const struct egress_set *list,
		    uint8_t family, struct err *err)
{
	struct netlink_batch batch;
	struct nft_packing packing = {.batch = &batch};
	struct nft_element element = {.family = family};
	size_t i = 0;
	int r = 0;

	while (r == 0 && i < list->ranges.n) {
		batch.len = batch.n = batch.n_asks = 0;
		batch.overflow = false;
		nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
		if (i == 0)
			nft_add_set(&batch, family, set, 1);
		while (i < list->ranges.n && batch.len < NETLINK_BATCH_MAX - ROOM_MAX) {
			describe_element(set, &list->ranges.list[i++], &element);
			nft_pack(&packing, &element);
		}
		nft_pack_end(&packing);
		nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
		r = netlink_do_batch(nft, &batch, what, err);
	}
	return r;
}

/* ---- links ---- */

/* From where it comes: of the port by its name, of what is forwarded by bridge and address. There
 * to the rules, and for what nobody's rules let through to where denials are counted. */
static size_t describe_ways(const struct egress_link *link, const struct egress_lists *lists,
			    struct nft_element ret[WAYS_MAX])
{
	const struct lease *lease = link->lease;
	struct net_prefix local = nft_link_local(lease->mac);
	size_t n = 0;

	ret[n] = (struct nft_element){.family = NFT_FAMILY_PORTS, .set = NFT_RULED};
	nft_value_name(&ret[n].key, link->port);
	ret[n++].jump = lists->chain;
	for (size_t i = 0; i < (lease->address6.family != 0 ? 3 : 1); i++) {
		const struct net_prefix *address = i == 0   ? &lease->address
						   : i == 1 ? &lease->address6
							    : &local;

		ret[n] = (struct nft_element){.family = NFT_FAMILY_HOST,
					      .set = i == 0 ? NFT_RULED4 : NFT_RULED6,
					      .jump = lists->chain};
		nft_value_name(&ret[n].key, link->network->bridge);
		nft_value_address(&ret[n].key, address);
		ret[n + 1] = ret[n];
		ret[n + 1].set = i == 0 ? NFT_REFUSED4 : NFT_REFUSED6;
		ret[n + 1].jump = lists->denials;
		n += 2;
	}
	for (size_t i = 0; i < n; i++)
		ret[i].owner = link->port;
	return n;
}

/* Empty at first: egress_admit fills them. */
static void add_named(struct netlink_batch *batch, const struct egress_chain *chain)
{
	for (size_t i = 0; i < chain->egress->rules->n_groups; i++)
		for (size_t v = 0; v < 2; v++) {
			const struct nft_set set = {.name = chain->lists->named[i][v],
						    .key = {v == 0 ? NFT_TYPE_IPV4 : NFT_TYPE_IPV6},
						    .most = EGRESS_NAMED_MAX};

			nft_add_set(batch, chain->family, &set, (uint32_t)(2 * i + v + 1));
		}
}

static void add_chain(struct netlink_batch *batch, const struct egress_chain *chain)
{
	const struct nft_chain own = {.name = chain->lists->chain};
	const struct nft_chain denials = {.name = chain->lists->denials};

	if (chain->family == NFT_FAMILY_HOST)
		add_named(batch, chain);
	if (chain->egress->is_counted)
		egress_add_counted(batch, chain);
	nft_add_chain(batch, chain->family, &denials);
	nft_empty_chain(batch, chain->family, denials.name);
	nft_add_chain(batch, chain->family, &own);
	nft_empty_chain(batch, chain->family, own.name);
	for (size_t i = 0; i < chain->n; i++)
		nft_add_rule(batch, chain->family, &chain->rules[i]);
}

static int verify_sets(struct netlink *nft, const struct egress_chain *chain, struct err *err)
{
	for (size_t v = 0; v < 2; v++)
		for (size_t i = 0; i < EGRESS_LISTS; i++) {
			const struct egress_set *list = &chain->lists->list[v][i];
			size_t n = 0;
			int r = list->ranges.n == 0 ? 0
						    : nft_count_elements(nft, chain->family,
									 list->set, &n, err);

			if (r < 0)
				return r;
			if (n != list->ranges.n)
				return err_set(err, ERR_SETUP, 0,
					       "%s: set %s: read back: %zu ranges, and not %zu",
					       what, list->set, n, list->ranges.n);
		}
	return 0;
}

static int verify_chain(struct netlink *nft, const struct egress_chain *chain, struct err *err)
{
	const struct nft_chain own[] = {{.name = chain->lists->chain},
					{.name = chain->lists->denials}};
	const struct nft_table table = {.family = chain->family,
					.chains = own,
					.n_chains = sizeof(own) / sizeof(own[0]),
					.rules = chain->rules,
					.n_rules = chain->n};
	int r = nft_is_whole(nft, &table, err);

	if (r == 0)
		return err_set(err, ERR_SETUP, 0, "%s: read back: other rules than were written",
			       what);
	return r < 0 ? r : verify_sets(nft, chain, err);
}

static int fill_sets(struct netlink *nft, uint8_t family, const struct egress_lists *lists,
		     struct err *err)
{
	struct nft_set set;
	int r = 0;

	for (size_t v = 0; r == 0 && v < 2; v++)
		for (size_t i = 0; r == 0 && i < EGRESS_LISTS; i++) {
			describe_set(&lists->list[v][i], v, (enum egress_list)i, &set);
			r = fill_set(nft, &set, &lists->list[v][i], family, err);
		}
	return r;
}

/* The address may have led to the chain of an earlier run, which nobody has swept out yet; its
 * lease is this one's. */
static int add_ways(struct netlink *nft, struct netlink_batch *batch,
		    const struct nft_element *ways, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = nft_has_element(nft, &ways[i], err);

		if (r < 0 && r != -ENOENT)
			return r;
		if (r > 0)
			nft_add_element(batch, NFT_MSG_DELSETELEM, 0, &ways[i]);
		nft_add_element(batch, NFT_MSG_NEWSETELEM, 0, &ways[i]);
	}
	return 0;
}

static int bind_link(struct netlink *nft, const struct egress_chain chains[EGRESS_TABLES],
		     const struct egress_link *link, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	struct nft_element ways[WAYS_MAX];
	size_t n_ways = describe_ways(link, chains[0].lists, ways);
	int r;

	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	for (size_t i = 0; i < EGRESS_TABLES; i++)
		add_chain(&batch, &chains[i]);
	r = add_ways(nft, &batch, ways, n_ways, err);
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	if (r == 0)
		r = netlink_do_batch(nft, &batch, what, err);
	for (size_t i = 0; r == 0 && i < EGRESS_TABLES; i++)
		r = verify_chain(nft, &chains[i], err);
	for (size_t i = 0; r >= 0 && i < n_ways; i++) {
		r = nft_has_element(nft, &ways[i], err);
		if (r == 0)
			return err_set(err, ERR_SETUP, 0, "%s: set %s: read back: not in it", what,
				       ways[i].set);
	}
	return r < 0 ? r : 0;
}

void egress_describe(const struct spec_network *network, const char *run, struct egress *ret)
{
	*ret = (struct egress){.rules = network->reach.is_said ? &network->reach : NULL,
			       .run = run,
			       .is_published = network->n_publish > 0,
			       .is_counted = true};
}

int egress_bind(struct netlink *nft, const struct egress *egress, const struct egress_link *link,
		struct err *err)
{
	struct egress_chain chains[EGRESS_TABLES];
	struct egress_lists lists;
	int r;

	if (!link->network->is_own) {
		err_set(err, ERR_SETUP, 0,
			"network.egress: it is an administrator's own bridge, whose connections "
			"cordon does not see");
		return err_hint(err, "It takes a network without --bridge.");
	}
	r = lists_make(egress, &lists, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < EGRESS_TABLES; i++) {
		chains[i] = (struct egress_chain){.egress = egress,
						  .lists = &lists,
						  .family = egress_tables[i]};
		egress_chain_make(&chains[i]);
		r = r == 0 ? fill_sets(nft, egress_tables[i], &lists, err) : r;
	}
	if (r == 0)
		r = bind_link(nft, chains, link, err);
	lists_free(&lists);
	if (r == -EOPNOTSUPP || r == -EINVAL)
		return err_hint(err, "The kernel takes sets of ranges of several parts and labels "
				     "of connections (Linux 5.7, CONFIG_NF_CONNTRACK_LABELS).");
	return r;
}

/* Once again: what is there already keeps its old time. All at once, so that nobody misses it. */
int egress_admit(struct netlink *nft, const char *run, const struct egress_admission *admission,
		 struct err *err)
{
	struct nft_element element = {.family = NFT_FAMILY_HOST,
				      .timeout_ms = (uint64_t)admission->seconds * 1000};
	struct netlink_batch batch = {.len = 0};
	char chain[EGRESS_NAME_MAX], set[EGRESS_SET_NAME_MAX];

	egress_name_chain(run, chain);
	egress_name_set(chain, admission->group, admission->address.family, set);
	element.set = set;
	nft_value_address(&element.key, &admission->address);
	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	nft_add_element(&batch, NFT_MSG_NEWSETELEM, 0, &element);
	nft_add_element(&batch, NFT_MSG_DELSETELEM, 0, &element);
	nft_add_element(&batch, NFT_MSG_NEWSETELEM, 0, &element);
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(nft, &batch, what, err);
}
