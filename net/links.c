/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See links.h. */
#include "net/links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/hosts.h"
#include "net/link.h"
#include "net/names.h"
#include "net/nft_list.h"
#include "net/nft_rules.h"
#include "net/offers.h"

enum {
	BATCH = 64,              /* elements of one transaction */
	KEY_TARGET = 4,          /* where in a key of linked4 the address of who is asked is */
	ID_LEN = 12,             /* of an id, as links have it */
	LINE_MAX_BYTES = 1 << 9, /* of /etc/hosts */
	LINES_MAX = (int)SPEC_ALIASES_MAX * (int)LINE_MAX_BYTES,
};

static const char what[] = "nftables, links";

/* ---- who is linked to whom ---- */

static bool has_name(const struct names_entry *entry, const char *name)
{
	size_t at = 0;
	const char *own;

	while ((own = names_next(entry->names, sizeof(entry->names), &at)) != NULL)
		if (strcasecmp(own, name) == 0)
			return true;
	return false;
}

/* In the default network by the id alone: who was meant when the link was made. */
static bool is_meant(const struct network *network, const struct names_entry *entry,
		     const char *target)
{
	return network->is_built_in
		       ? strlen(target) == ID_LEN && strncmp(entry->id, target, ID_LEN) == 0
		       : has_name(entry, target);
}

/* The next one behind *at that target means. */
static const struct names_entry *
find_meant(const struct network *network, const struct names *names, const char *target, size_t *at)
{
	while (*at < names->n) {
		const struct names_entry *entry = &names->list[(*at)++];

		if (is_meant(network, entry, target))
			return entry;
	}
	return NULL;
}

/* The link at *at, which is moved on: whom it means; NULL behind the last. */
static const char *next_link(const struct names_entry *entry, size_t *at, const char **ret_alias)
{
	*ret_alias = names_next(entry->links, sizeof(entry->links), at);
	return *ret_alias == NULL ? NULL : names_next(entry->links, sizeof(entry->links), at);
}

static struct net_prefix ip_of(const struct names_entry *entry)
{
	struct net_prefix ip = {.family = AF_INET, .length = 32};

	memcpy(ip.bytes, entry->address, sizeof(entry->address));
	return ip;
}

/* ---- rules ---- */

struct pairs {
	struct nft_value *list; /* malloc */
	size_t n, size;
	const struct net_prefix *subnet; /* of those that count */
	bool failed;
};

static void pairs_add(struct pairs *pairs, const struct nft_value *key)
{
	if (pairs->n == pairs->size) {
		size_t size = pairs->size == 0 ? 64 : 2 * pairs->size;
		struct nft_value *list = reallocarray(pairs->list, size, sizeof(*list));

		if (list == NULL) {
			pairs->failed = true;
			return;
		}
		pairs->list = list;
		pairs->size = size;
	}
	pairs->list[pairs->n++] = *key;
}

static bool pairs_have(const struct pairs *pairs, const struct nft_value *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (pairs->list[i].len == key->len &&
		    memcmp(pairs->list[i].bytes, key->bytes, key->len) == 0)
			return true;
	return false;
}

/* All ports of who is asked. */
static void add_ports(const char *run, const struct names_entry *from, const struct names_entry *to,
		      struct pairs *pairs)
{
	const struct net_prefix source = ip_of(from), target = ip_of(to);
	struct spec_exposed port;
	struct offers offers;
	size_t at;

	/* Its end is under way. */
	if (offers_read(run, to->run, &offers) < 0)
		return;
	at = offers.ports;
	while (offers_next_port(&offers, &at, &port)) {
		struct nft_value key = {.len = 0};

		nft_value_address(&key, &source);
		nft_value_address(&key, &target);
		nft_value_protocol(&key, port.protocol);
		nft_value_port(&key, port.port);
		if (!pairs_have(pairs, &key))
			pairs_add(pairs, &key);
	}
	offers_free(&offers);
}

static void add_links(const char *run, const struct network *network, const struct names *names,
		      const struct names_entry *entry, struct pairs *pairs)
{
	const char *alias, *target;
	size_t at = 0;

	while ((target = next_link(entry, &at, &alias)) != NULL) {
		const struct names_entry *to;
		size_t from = 0;

		while ((to = find_meant(network, names, target, &from)) != NULL)
			if (to != entry && !names_is_lost(run, to))
				add_ports(run, entry, to, pairs);
	}
}

static void find_wanted(const char *run, const struct network *network, const struct names *names,
			struct pairs *ret)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->list[i].links[0] != '\0' && !names_is_lost(run, &names->list[i]))
			add_links(run, network, names, &names->list[i], ret);
}

static void take_pair(void *ctx, const struct nft_element *element)
{
	struct pairs *pairs = ctx;
	struct net_prefix target = {.family = AF_INET, .length = 32};

	if (element->key.len < KEY_TARGET + 4)
		return;
	memcpy(target.bytes, element->key.bytes + KEY_TARGET, 4);
	if (address_is_within(&target, pairs->subnet))
		pairs_add(pairs, &element->key);
}

/* -ENOENT: there are no such tables. */
static int find_there(struct netlink *nft, struct pairs *ret, struct err *err)
{
	const struct nft_visitor visitor = {.each = take_pair, .ctx = ret};
	int r;

	ret->n = 0;
	r = nft_walk(nft, NFT_FAMILY_HOST, NFT_LINKED4, &visitor, err);
	return r == 0 && ret->failed ? err_set(err, ERR_SETUP, ENOMEM, "%s", what) : r;
}

/* Adds (takes out) those of list that other has not. */
static int change(struct netlink *nft, uint16_t message, const struct pairs *list,
		  const struct pairs *other, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n;) {
		struct netlink_batch batch = {.len = 0};
		size_t n = 0;

		nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
		for (; n < BATCH && i < list->n; i++) {
			struct nft_element element = {.family = NFT_FAMILY_HOST,
						      .set = NFT_LINKED4,
						      .key = list->list[i]};

			if (pairs_have(other, &element.key))
				continue;
			nft_add_element(&batch, message, 0, &element);
			n++;
		}
		nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
		if (n > 0)
			r = netlink_do_batch(nft, &batch, what, err);
	}
	return r;
}

static bool is_alike(const struct pairs *one, const struct pairs *other)
{
	bool result = one->n == other->n;

	for (size_t i = 0; result && i < one->n; i++)
		result = pairs_have(other, &one->list[i]);
	return result;
}

static int make_alike(struct netlink *nft, const struct pairs *wanted, struct pairs *there,
		      struct err *err)
{
	int r = find_there(nft, there, err);

	if (r < 0 || is_alike(wanted, there))
		return r;
	/* First what is not to be any more. */
	r = change(nft, NFT_MSG_DELSETELEM, there, wanted, err);
	if (r == 0)
		r = change(nft, NFT_MSG_NEWSETELEM, wanted, there, err);
	if (r == 0)
		r = find_there(nft, there, err);
	return r == 0 && !is_alike(wanted, there)
		       ? err_set(err, ERR_SETUP, 0, "%s: read back: others than were written", what)
		       : r;
}

/* For its neighbours, at once: by default the kernel waits for up to 0.8 s (proxy_delay of arp(7)),
 * in case somebody else answers. */
static int answer_for_neighbours(const struct network *network, bool answers, struct err *err)
{
	char delay[64];
	int r = 0;

	str_format(delay, sizeof(delay), "neigh/%s/proxy_delay", network->bridge);
	if (answers)
		r = link_set_all("ipv4", delay, "0", err);
	if (r == 0)
		r = link_set("ipv4", network->bridge, "proxy_arp_pvlan", answers ? "1" : "0", err);
	/* Nobody is there to be answered for where the bridge is not. */
	if (r == -ENOENT)
		return answers ? err_set(err, ERR_SETUP, ENOENT,
					 "bridge %s: setting proxy_arp_pvlan", network->bridge)
			       : 0;
	return r;
}

static int follow_rules(const char *run, const struct network *network, const struct names *names,
			struct err *err)
{
	struct pairs wanted = {.n = 0}, there = {.subnet = &network->subnet};
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	find_wanted(run, network, names, &wanted);
	if (r == 0 && wanted.failed)
		r = err_set(err, ERR_SETUP, ENOMEM, "%s", what);
	if (r == 0)
		r = make_alike(&nft, &wanted, &there, err);
	/* Somebody has flushed them: whoever makes them anew comes here again (members_restore),
	 * and a start makes them before it comes here. */
	if (r == -ENOENT)
		r = 0;
	if (r == 0)
		r = answer_for_neighbours(network, wanted.n > 0, err);
	netlink_close(&nft);
	free(wanted.list);
	free(there.list);
	return r;
}

/* ---- /etc/hosts ---- */

static const char mark[] = "# linked\n";

/* "172.17.0.2<TAB>alias [hostname] [name]"; own: the host name of who reads it, which is no
 * other's. */
static size_t put_line(const char *run, const struct names_entry *to, const char *alias,
		       const char *own, char buf[LINE_MAX_BYTES])
{
	const struct net_prefix ip = ip_of(to);
	struct offers offers = {.bytes = NULL};
	char address[ADDRESS_TEXT_MAX];
	const char *hostname = "", *name = to->names;

	address_format(&ip, address);
	if (offers_read(run, to->run, &offers) == 0)
		hostname = offers.hostname;
	if (str_equal(hostname, own) || str_equal(hostname, alias) || str_equal(hostname, name))
		hostname = "";
	if (str_equal(name, alias))
		name = "";
	str_format(buf, LINE_MAX_BYTES, "%s\t%s%s%s%s%s\n", address, alias,
		   hostname[0] != '\0' ? " " : "", hostname, name[0] != '\0' ? " " : "", name);
	offers_free(&offers);
	return strlen(buf);
}

static size_t put_lines(const char *run, const struct network *network, const struct names *names,
			const struct names_entry *entry, char buf[LINES_MAX + sizeof(mark)])
{
	struct offers own = {.bytes = NULL};
	const char *alias, *target;
	size_t at = 0, len = 0, from;

	buf[0] = '\0';
	if (offers_read(run, entry->run, &own) < 0)
		return 0;
	while ((target = next_link(entry, &at, &alias)) != NULL) {
		const struct names_entry *to;

		from = 0;
		to = find_meant(network, names, target, &from);
		if (to == NULL || to == entry || names_is_lost(run, to))
			continue;
		if (len == 0)
			len = str_format(buf, sizeof(mark), "%s", mark);
		if (len + LINE_MAX_BYTES <= LINES_MAX + sizeof(mark))
			len += put_line(run, to, alias, own.hostname, buf + len);
	}
	offers_free(&own);
	return len;
}

/* What is behind the mark is ours; the file keeps its place, which the sandbox shows. */
static int write_lines(int fd, const char *lines, size_t len)
{
	char text[HOSTS_TEXT_MAX + LINES_MAX];
	ssize_t n = io_read_fd(fd, text, sizeof(text));
	char *own = n < 0 ? NULL : strstr(text, mark);
	size_t at = own != NULL ? (size_t)(own - text) : n > 0 ? (size_t)n : 0;
	int r;

	if (n < 0)
		return (int)n;
	if (str_equal(text + at, lines))
		return 0;
	r = lseek(fd, (off_t)at, SEEK_SET) < 0 ? -errno : io_write_all(fd, lines, len);
	return r == 0 && ftruncate(fd, (off_t)(at + len)) != 0 ? -errno : r;
}

static int follow_hosts_of(const char *run, const struct network *network,
			   const struct names *names, const struct names_entry *entry,
			   struct err *err)
{
	char path[PATH_MAX + 64], lines[LINES_MAX + sizeof(mark)];
	size_t len = put_lines(run, network, names, entry, lines);
	_cleanup_fd_ int fd = -EBADF;
	int r;

	str_format(path, sizeof(path), "%s/runs/%s/hosts", run, entry->run);
	fd = sys_openat(AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	/* It is not made yet, or gone already. */
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : write_lines(fd, lines, len);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: write", path) : 0;
}

static int follow_hosts(const char *run, const struct network *network, const struct names *names,
			struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < names->n; i++) {
		int r = names->list[i].links[0] != '\0' && !names_is_lost(run, &names->list[i])
				? follow_hosts_of(run, network, names, &names->list[i], err)
				: 0;

		result = r < 0 ? r : result;
	}
	return result;
}

/* ---- both ---- */

static bool has_rules(const struct network *network)
{
	return network->driver == NETWORK_BRIDGE && network->is_own && !network->icc &&
	       !network->is_internal && network->bridge[0] != '\0';
}

int links_follow(const char *run, const struct network *network, struct err *err)
{
	struct names names;
	int r;

	if (!has_rules(network) && !network->is_built_in)
		return 0;
	r = names_read(run, network, &names, err);
	if (r == 0 && has_rules(network))
		r = follow_rules(run, network, &names, err);
	if (r == 0 && network->is_built_in)
		r = follow_hosts(run, network, &names, err);
	names_free(&names);
	return r;
}

int links_follow_all(const char *run, const struct networks *networks, struct err *err)
{
	struct network_list list;
	int result = networks_list(networks, &list, err);

	for (size_t i = 0; i < list.n; i++) {
		int r = links_follow(run, &list.list[i], err);

		result = r < 0 ? r : result;
	}
	network_list_free(&list);
	return result;
}
