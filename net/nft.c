/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See nft.h. */
#include "net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <string.h>

#include "base/str.h"
#include "net/egress.h"
#include "net/nft_list.h"
#include "net/nft_rules.h"

enum { ELEMENTS_MAX = 12 };

static const char what[] = "nftables, tables cordon";

struct elements {
	struct nft_element list[ELEMENTS_MAX];
	size_t n;
};

static struct nft_element *add(struct elements *elements, uint8_t family, const char *set)
{
	struct nft_element *element = &elements->list[elements->n++];

	*element = (struct nft_element){.family = family, .set = set};
	return element;
}

static void add_name(struct elements *elements, uint8_t family, const char *set, const char *link)
{
	nft_value_name(&add(elements, family, set)->key, link);
}

static int change(struct netlink *netlink, const struct elements *elements, bool adds,
		  struct err *err)
{
	struct netlink_batch batch = {.len = 0};

	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	/* Taking out what is not there would be refused: it is put there first, in the same
	 * transaction. */
	for (size_t i = 0; i < elements->n; i++)
		nft_add_element(&batch, NFT_MSG_NEWSETELEM, 0, &elements->list[i]);
	for (size_t i = 0; !adds && i < elements->n; i++)
		nft_add_element(&batch, NFT_MSG_DELSETELEM, 0, &elements->list[i]);
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(netlink, &batch, what, err);
}

static int verify_elements(struct netlink *netlink, const struct elements *elements,
			   struct err *err)
{
	for (size_t i = 0; i < elements->n; i++) {
		int r = nft_has_element(netlink, &elements->list[i], err);

		if (r < 0)
			return r;
		if (r == 0)
			return err_set(err, ERR_SETUP, 0, "%s: set %s: read back: not in it", what,
				       elements->list[i].set);
	}
	return 0;
}

/* ---- networks ---- */

/* Of an admin's own bridge nothing is said: that is the admin's. */
static void of_network(const struct network *network, struct elements *ret)
{
	struct nft_element *same;

	ret->n = 0;
	if (!network->is_own)
		return;
	add_name(ret, NFT_FAMILY_HOST, NFT_BRIDGES, network->bridge);
	add_name(ret, NFT_FAMILY_HOST, network->is_internal ? NFT_ENDS : NFT_WAYS, network->bridge);
	/* Where its ports are kept apart nobody gets from one to the other by the host either, but
	 * for who is linked. */
	same = add(ret, NFT_FAMILY_HOST, network->icc ? NFT_SAME : NFT_APART);
	nft_value_name(&same->key, network->bridge);
	nft_value_name(&same->key, network->bridge);
}

static int are_whole(struct netlink *netlink, struct err *err)
{
	int r = 1;

	for (size_t i = 0; r > 0 && i < NFT_TABLES; i++)
		r = nft_is_whole(netlink, &nft_tables[i], err);
	return r;
}

static int has_elements(struct netlink *netlink, const struct elements *elements, struct err *err)
{
	int r = 1;

	for (size_t i = 0; r > 0 && i < elements->n; i++)
		r = nft_has_element(netlink, &elements->list[i], err);
	return r;
}

static int write_tables(struct netlink *netlink, const struct elements *elements, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	int r;

	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	for (size_t i = 0; i < NFT_TABLES; i++)
		nft_add_table(&batch, &nft_tables[i]);
	for (size_t i = 0; i < elements->n; i++)
		nft_add_element(&batch, NFT_MSG_NEWSETELEM, 0, &elements->list[i]);
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	r = netlink_do_batch(netlink, &batch, what, err);
	if (r == -EOPNOTSUPP || r == -EPROTONOSUPPORT || r == -EINVAL || r == -ENOENT)
		return err_hint(err,
				"The kernel takes nf_tables for the families inet and bridge, with "
				"nat and fib (modules nf_tables, nft_nat, nft_masq, nft_ct, "
				"nft_fib_inet); what others have in tables called cordon is theirs "
				"to remove.");
	return r;
}

/* Usually all of it is there. Then nothing is written: where rules are taken out, closing the
 * socket waits until no processor can see them any more, for some milliseconds (nft_rcv_nl_event of
 * the kernel's, synchronize_rcu). */
int nft_keep(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct elements elements;
	int r;

	of_network(network, &elements);
	r = are_whole(netlink, err);
	if (r > 0)
		r = has_elements(netlink, &elements, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = write_tables(netlink, &elements, err);
	if (r < 0)
		return r;
	r = are_whole(netlink, err);
	if (r == 0)
		return err_set(err, ERR_SETUP, 0, "%s: read back: other rules than were written",
			       what);
	if (r > 0)
		r = verify_elements(netlink, &elements, err);
	return r < 0 ? r : 1;
}

int nft_has_ports(struct netlink *netlink, struct err *err)
{
	struct nft_element any = {.family = NFT_FAMILY_PORTS, .set = NFT_PORTS};
	int r;

	nft_value_name(&any.key, "-");
	r = nft_has_element(netlink, &any, err);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static int is_unused(struct netlink *netlink, struct err *err)
{
	static const struct {
		uint8_t family;
		const char *set;
	} users[] = {{NFT_FAMILY_HOST, NFT_BRIDGES}, {NFT_FAMILY_PORTS, NFT_PORTS}};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		size_t n;
		int r = nft_count_elements(netlink, users[i].family, users[i].set, &n, err);

		if (r < 0 || n > 0)
			return r < 0 ? r : 0;
	}
	return 1;
}

int nft_remove_unused(struct netlink *netlink, struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	struct netlink_request request;
	uint32_t generation;
	int r = nft_generation(netlink, &generation, err);

	if (r == 0)
		r = is_unused(netlink, err);
	if (r <= 0)
		return r == -ENOENT ? 0 : r;
	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, &generation);
	for (size_t i = 0; i < NFT_TABLES; i++) {
		nft_begin(&request, NFT_MSG_DELTABLE, 0, nft_tables[i].family);
		netlink_put_text(&request, NFTA_TABLE_NAME, nft_table_name);
		netlink_batch_add(&batch, &request, true);
	}
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	r = netlink_do_batch(netlink, &batch, what, err);
	/* Another network came meanwhile: they stay. */
	return r == -ERESTART || r == -ENOENT ? 0 : r;
}

int nft_forget(struct netlink *netlink, const struct network *network, struct err *err)
{
	struct elements elements;
	int r = 0;

	of_network(network, &elements);
	if (elements.n > 0)
		r = change(netlink, &elements, false, err);
	return r == -ENOENT ? 0 : r;
}

/* ---- ports ---- */

struct net_prefix nft_link_local(const uint8_t mac[MAC_LEN])
{
	struct net_prefix address = {.family = AF_INET6, .bytes = {0xfe, 0x80}, .length = 128};

	memcpy(address.bytes + 8, mac, 3);
	address.bytes[8] ^= 2;
	address.bytes[11] = 0xff;
	address.bytes[12] = 0xfe;
	memcpy(address.bytes + 13, mac + 3, 3);
	return address;
}

static void add_own(struct elements *elements, const char *port, const struct lease *lease,
		    const struct net_prefix *address)
{
	struct nft_element *element =
		add(elements, NFT_FAMILY_PORTS, address->family == AF_INET ? NFT_OWN4 : NFT_OWN6);

	nft_value_name(&element->key, port);
	nft_value_mac(&element->key, lease->mac);
	nft_value_address(&element->key, address);
}

static void of_port(const char *port, const struct lease *lease, struct elements *ret)
{
	struct net_prefix local = nft_link_local(lease->mac);

	ret->n = 0;
	add_name(ret, NFT_FAMILY_PORTS, NFT_PORTS, port);
	add_name(ret, NFT_FAMILY_HOST, NFT_PORTS, port);
	add_own(ret, port, lease, &lease->address);
	if (lease->address6.family == 0)
		return;
	add_own(ret, port, lease, &lease->address6);
	add_own(ret, port, lease, &local);
}

int nft_bind_port(struct netlink *netlink, const char *port, const struct lease *lease,
		  struct err *err)
{
	struct elements elements;
	int r;

	of_port(port, lease, &elements);
	r = change(netlink, &elements, true, err);
	return r == 0 ? verify_elements(netlink, &elements, err) : r;
}

int nft_shut_port(struct netlink *netlink, const char *port, const struct lease *lease,
		  struct err *err)
{
	struct netlink_batch batch = {.len = 0};
	struct elements elements;

	of_port(port, lease, &elements);
	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	for (size_t i = 0; i < elements.n; i++)
		nft_add_element(&batch, NFT_MSG_NEWSETELEM, 0, &elements.list[i]);
	/* It is a port, and has no address of its own. */
	for (size_t i = 0; i < elements.n; i++)
		if (!str_equal(elements.list[i].set, NFT_PORTS))
			nft_add_element(&batch, NFT_MSG_DELSETELEM, 0, &elements.list[i]);
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(netlink, &batch, what, err);
}

int nft_release_port(struct netlink *netlink, const char *port, const struct lease *lease,
		     struct err *err)
{
	struct elements elements;
	int r;

	of_port(port, lease, &elements);
	r = change(netlink, &elements, false, err);
	return r == -ENOENT ? 0 : r;
}

int nft_sweep(struct netlink *netlink, uint32_t *n_removed, struct err *err)
{
	static const struct nft_element sets[] = {
		{.family = NFT_FAMILY_HOST, .set = NFT_PUBLISHED4},
		{.family = NFT_FAMILY_HOST, .set = NFT_PUBLISHED6},
		{.family = NFT_FAMILY_HOST, .set = NFT_RELAYED4},
		{.family = NFT_FAMILY_HOST, .set = NFT_RELAYED6},
		{.family = NFT_FAMILY_HOST, .set = NFT_ANY4},
		{.family = NFT_FAMILY_HOST, .set = NFT_ANY6},
		{.family = NFT_FAMILY_HOST, .set = NFT_PORTS},
		{.family = NFT_FAMILY_PORTS, .set = NFT_PORTS},
		{.family = NFT_FAMILY_PORTS, .set = NFT_OWN4},
		{.family = NFT_FAMILY_PORTS, .set = NFT_OWN6},
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(sets) / sizeof(sets[0]); i++) {

		r = nft_remove_orphans(netlink, &sets[i], n_removed, err);
	}
	if (r == 0)
		r = egress_sweep(netlink, n_removed, err);
	return r == -ENOENT ? 0 : r;
}

/* ---- lent links ---- */

static const char *lent_of(int family)
{
	return family == AF_INET ? NFT_LENT4 : NFT_LENT6;
}

int nft_lend(struct netlink *netlink, int family, const char *link, struct err *err)
{
	struct elements elements = {.n = 0};

	add_name(&elements, NFT_FAMILY_HOST, lent_of(family), link);
	return change(netlink, &elements, true, err);
}

int nft_take_back(struct netlink *netlink, int family, const char *link, struct err *err)
{
	struct elements elements = {.n = 0};

	add_name(&elements, NFT_FAMILY_HOST, lent_of(family), link);
	return change(netlink, &elements, false, err);
}

int nft_list_lent(struct netlink *netlink, int family, struct nft_links *ret, struct err *err)
{
	return nft_list_names(netlink, NFT_FAMILY_HOST, lent_of(family), ret, err);
}

int nft_is_bridge(struct netlink *netlink, const char *link, struct err *err)
{
	struct elements elements = {.n = 0};

	add_name(&elements, NFT_FAMILY_HOST, NFT_BRIDGES, link);
	return nft_has_element(netlink, &elements.list[0], err);
}

int nft_count_bridges(struct netlink *netlink, size_t *ret, struct err *err)
{
	int r = nft_count_elements(netlink, NFT_FAMILY_HOST, NFT_BRIDGES, ret, err);

	return r == -ENOENT ? 0 : r;
}

int nft_count_ways(struct netlink *netlink, size_t *ret, struct err *err)
{
	int r = nft_count_elements(netlink, NFT_FAMILY_HOST, NFT_WAYS, ret, err);

	return r == -ENOENT ? 0 : r;
}
