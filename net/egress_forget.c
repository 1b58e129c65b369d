/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a sandbox's rules; see egress.h. */
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "net/egress.h"
#include "net/nft_list.h"
#include "net/nft_rules.h"

enum { NAME_LEN = 14, NAMES_MAX = 64, NAME_MAX_BYTES = 40, LINKS = 10, OWN_MAX = 3 * LINKS };
enum { CHANGES_MAX = 50 }; /* of others', while one answer is read */

static const char what[] = "nftables, network.egress: remove";

static const struct nft_element ways[] = {
	{.family = NFT_FAMILY_PORTS, .set = NFT_RULED},
	{.family = NFT_FAMILY_HOST, .set = NFT_RULED4},
	{.family = NFT_FAMILY_HOST, .set = NFT_RULED6},
	{.family = NFT_FAMILY_HOST, .set = NFT_REFUSED4},
	{.family = NFT_FAMILY_HOST, .set = NFT_REFUSED6},
};

/* Of chains or sets that belong to some run: to this one, or to one whose links are gone. */
struct found {
	const char *run; /* "cv" and its digits; NULL: any without a link */
	char names[NAMES_MAX][NAME_MAX_BYTES];
	size_t n;
};

static bool has_link(const char *name)
{
	for (unsigned i = 0; i < LINKS; i++) {
		char link[IFNAMSIZ];

		str_format(link, sizeof(link), "%.*s%u", NAME_LEN, name, i);
		if (if_nametoindex(link) != 0)
			return true;
	}
	return false;
}

static void take_name(void *ctx, const char *name)
{
	struct found *found = ctx;

	if (!str_has_prefix(name, "cv") || strlen(name) < NAME_LEN || found->n == NAMES_MAX ||
	    (found->run != NULL ? !str_has_prefix(name, found->run) : has_link(name)))
		return;
	str_format(found->names[found->n++], NAME_MAX_BYTES, "%s", name);
}

/* Where others change tables meanwhile, an answer of several parts is refused: a resolver of
 * another sandbox does with each name. */
static int find(struct netlink *nft, uint8_t family, uint16_t message, struct found *ret,
		struct err *err)
{
	const struct nft_name_visitor visitor = {.each = take_name, .ctx = ret};
	int r, tries = 0;

	do {
		ret->n = 0;
		r = nft_walk_names(nft, family, message, &visitor, err);
	} while (r == -EAGAIN && ++tries < CHANGES_MAX);
	return r;
}

/* The chains first, which refer to the sets; of one run both at once, so that a kill leaves all or
 * nothing. */
static int remove_found(struct netlink *nft, uint8_t family, const struct found *chains,
			const struct found *sets, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	struct netlink_request request;

	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	/* One that leads to another was made behind it. */
	for (size_t i = chains->n; i > 0; i--) {
		nft_begin(&request, NFT_MSG_DELCHAIN, 0, family);
		netlink_put_text(&request, NFTA_CHAIN_TABLE, nft_table_name);
		netlink_put_text(&request, NFTA_CHAIN_NAME, chains->names[i - 1]);
		netlink_batch_add(&batch, &request, true);
	}
	for (size_t i = 0; i < sets->n; i++) {
		nft_begin(&request, NFT_MSG_DELSET, 0, family);
		netlink_put_text(&request, NFTA_SET_TABLE, nft_table_name);
		netlink_put_text(&request, NFTA_SET_NAME, sets->names[i]);
		netlink_batch_add(&batch, &request, true);
	}
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(nft, &batch, what, err);
}

static int remove_chains(struct netlink *nft, uint8_t family, const char *run, uint32_t *n_removed,
			 struct err *err)
{
	_cleanup_free_ struct found *found = calloc(2, sizeof(*found));
	struct found *chains, *sets;
	int r, tries = 0;
	bool is_raced;

	if (found == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "%s", what);
	chains = &found[0];
	sets = &found[1];
	chains->run = sets->run = run;
	do {
		r = find(nft, family, NFT_MSG_GETCHAIN, chains, err);
		/* While there are more chains, one of those may refer to any of the sets. */
		sets->n = 0;
		if (r == 0 && chains->n < NAMES_MAX)
			r = find(nft, family, NFT_MSG_GETSET, sets, err);
		if (r == -ENOENT)
			return 0; /* nor is the table */
		if (r == 0 && chains->n + sets->n > 0)
			r = remove_found(nft, family, chains, sets, err);
		/* Somebody else has removed one of them meanwhile, and none of the others went. */
		is_raced = r == -ENOENT && ++tries < CHANGES_MAX;
		if (is_raced)
			r = 0;
		else if (r == 0)
			*n_removed += (uint32_t)chains->n;
	} while (r == 0 && (is_raced || chains->n == NAMES_MAX || sets->n == NAMES_MAX));
	return r == -ENOENT ? 0 : r;
}

/* ---- one run's ---- */

struct own {
	const char *run;
	struct nft_value keys[OWN_MAX];
	size_t n;
};

static void take_own(void *ctx, const struct nft_element *element)
{
	struct own *own = ctx;

	if (own->n < OWN_MAX && element->owner != NULL && str_has_prefix(element->owner, own->run))
		own->keys[own->n++] = element->key;
}

static int remove_ways(struct netlink *nft, const struct nft_element *kind, const char *run,
		       struct err *err)
{
	struct own own = {.run = run};
	const struct nft_visitor visitor = {.each = take_own, .ctx = &own};
	struct netlink_batch batch = {.len = 0};
	struct nft_element element = *kind;
	int r = nft_walk(nft, kind->family, kind->set, &visitor, err);

	if (r < 0 || own.n == 0)
		return r;
	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	for (size_t i = 0; i < own.n; i++) {
		element.key = own.keys[i];
		nft_add_element(&batch, NFT_MSG_DELSETELEM, 0, &element);
	}
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(nft, &batch, what, err);
}

static int forget(struct netlink *nft, const char *run, struct err *err)
{
	char name[EGRESS_NAME_MAX];
	uint32_t n_removed = 0;
	int r = 0;

	str_format(name, sizeof(name), "cv%.*s", NAME_LEN - 2, run);
	for (size_t i = 0; r == 0 && i < sizeof(ways) / sizeof(ways[0]); i++) {
		r = remove_ways(nft, &ways[i], name, err);
		/* gc was there meanwhile, or somebody has flushed the tables. */
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0)
		r = remove_chains(nft, NFT_FAMILY_HOST, name, &n_removed, err);
	return r == 0 ? remove_chains(nft, NFT_FAMILY_PORTS, name, &n_removed, err) : r;
}

int egress_forget(const struct egress *egress, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = 0;

	if (egress->rules == NULL)
		return 0;
	r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = forget(&nft, egress->run, err);
	netlink_close(&nft);
	return r;
}

int egress_sweep(struct netlink *nft, uint32_t *n_removed, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
		r = nft_remove_orphans(nft, &ways[i], n_removed, err);
	if (r == 0)
		r = remove_chains(nft, NFT_FAMILY_HOST, NULL, n_removed, err);
	if (r == 0)
		r = remove_chains(nft, NFT_FAMILY_PORTS, NULL, n_removed, err);
	return r == -ENOENT ? 0 : r;
}
