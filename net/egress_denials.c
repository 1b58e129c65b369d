/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a sandbox's rules have denied, as the kernel counts it; see egress.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

#include "net/egress_chain.h"
#include "net/nft_list.h"
#include "net/nft_rules.h"

enum { CHANGES_MAX = 50 }; /* of others', while one answer is read */

static const char what[] = "nftables, network.egress: list of denials";

static struct egress_chain describe(const struct egress *egress, const struct egress_lists *lists,
				    uint8_t family)
{
	struct egress_chain chain = {.egress = egress, .lists = lists, .family = family};

	egress_chain_deny(&chain);
	return chain;
}

/* Both tables at once. */
int egress_list_denials(struct netlink *nft, const struct egress *egress, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	struct egress_lists lists;
	int r;

	egress_name_lists(egress->run, &lists);
	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	for (size_t i = 0; i < EGRESS_TABLES; i++) {
		const struct egress_chain chain = describe(egress, &lists, egress_tables[i]);

		egress_add_counted(&batch, &chain);
		nft_empty_chain(&batch, chain.family, lists.denials);
		for (size_t k = 0; k < chain.n; k++)
			nft_add_rule(&batch, chain.family, &chain.rules[k]);
	}
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	r = netlink_do_batch(nft, &batch, what, err);
	if (r == -EOPNOTSUPP || r == -EINVAL || (r == -ENOENT && err->hint[0] == '\0'))
		return err_hint(err, "The kernel takes sets that rules write to, with counters "
				     "(CONFIG_NFT_COUNTER before Linux 5.18).");
	return r;
}

/* The rules name the sets, which the kernel keeps as long as they do. */
int egress_verify_listing(struct netlink *nft, const struct egress *egress, struct err *err)
{
	struct egress_lists lists;
	int r = 1;

	egress_name_lists(egress->run, &lists);
	for (size_t i = 0; r > 0 && i < EGRESS_TABLES; i++) {
		const struct egress_chain chain = describe(egress, &lists, egress_tables[i]);
		const struct nft_chain own = {.name = lists.denials};
		const struct nft_table table = {.family = chain.family,
						.chains = &own,
						.n_chains = 1,
						.rules = chain.rules,
						.n_rules = chain.n};

		r = nft_is_whole(nft, &table, err);
	}
	if (r == 0)
		return err_set(err, ERR_SETUP, 0, "%s: read back: other rules than were written",
			       what);
	return r < 0 ? r : 0;
}

/* ---- reading ---- */

static int by_count(const void *a, const void *b)
{
	const struct egress_denial *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->address.family != y->address.family)
		return x->address.family < y->address.family ? -1 : 1;
	return memcmp(x->address.bytes, y->address.bytes, sizeof(x->address.bytes));
}

/* All that the sets hold. */
struct reading {
	size_t n;
	uint64_t others;
	struct egress_denial list[4 * EGRESS_LISTED_MAX];
};

/* The parts of a key are words of four bytes each, IPv6's address four of them. */
static void take_denial(void *ctx, const struct nft_element *element)
{
	struct reading *reading = ctx;
	size_t size = element->key.len > 12 ? 16 : 4;
	struct egress_denial *denial = &reading->list[reading->n];

	/* By protocol alone: the rest. */
	if (element->key.len != size + 8 ||
	    reading->n == sizeof(reading->list) / sizeof(reading->list[0])) {
		reading->others += element->packets;
		return;
	}
	*denial = (struct egress_denial){.address = {.family = size == 4 ? AF_INET : AF_INET6,
						     .length = (uint8_t)(8 * size)},
					 .protocol = element->key.bytes[size],
					 .port = (uint16_t)(element->key.bytes[size + 4] << 8 |
							    element->key.bytes[size + 5]),
					 .count = element->packets};
	memcpy(denial->address.bytes, element->key.bytes, size);
	reading->n++;
}

/* Of the table of the host, which is the first that is read. */
static void take_closed(void *ctx, const struct nft_element *element)
{
	struct reading *reading = ctx;
	size_t size = element->key.len;

	for (size_t i = 0; i < reading->n; i++) {
		struct egress_denial *denial = &reading->list[i];

		if (size == denial->address.length / 8U &&
		    memcmp(denial->address.bytes, element->key.bytes, size) == 0)
			denial->is_closed = true;
	}
}

/* Where others change tables meanwhile, an answer of several parts is refused. */
static int walk(struct netlink *nft, uint8_t family, const char *set,
		const struct nft_visitor *visitor, struct err *err)
{
	struct reading *reading = visitor->ctx;
	const struct reading before = *reading;
	int r, tries = 0;

	do {
		*reading = before;
		r = nft_walk(nft, family, set, visitor, err);
	} while (r == -EAGAIN && ++tries < CHANGES_MAX);
	return r;
}

int egress_read_denials(struct netlink *nft, const char *run, struct egress_denials *ret,
			struct err *err)
{
	struct reading reading = {.n = 0};
	const struct nft_visitor denied = {.each = take_denial, .ctx = &reading},
				 closed = {.each = take_closed, .ctx = &reading};
	struct egress_lists lists;
	int r = 0;

	egress_name_lists(run, &lists);
	for (size_t i = 0; r == 0 && i < EGRESS_TABLES; i++) {
		for (size_t v = 0; r == 0 && v < 2; v++)
			r = walk(nft, egress_tables[i], lists.counted[v], &denied, err);
		if (r == 0)
			r = walk(nft, egress_tables[i], lists.rest, &denied, err);
		for (size_t v = 0; r == 0 && egress_tables[i] == NFT_FAMILY_HOST && v < 2; v++)
			r = walk(nft, egress_tables[i], lists.closed[v], &closed, err);
	}
	if (r < 0)
		return r;
	qsort(reading.list, reading.n, sizeof(reading.list[0]), by_count);
	*ret = (struct egress_denials){.others = reading.others};
	for (size_t i = 0; i < reading.n; i++) {
		if (ret->n < EGRESS_LISTED_MAX)
			ret->list[ret->n++] = reading.list[i];
		else
			ret->others += reading.list[i].count;
	}
	return 0;
}
