/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See members.h. */
#include "net/members.h"

#include <dirent.h>
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "net/endpoint.h"
#include "net/forward.h"
#include "net/links.h"
#include "net/nft.h"

int members_remove_link(const char *host_name, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	int r;

	/* Mostly it is gone already, and nothing is asked but that. */
	if (if_nametoindex(host_name) == 0)
		return 0;
	r = netlink_open(NETLINK_ROUTE, &netlink, err);
	if (r == 0)
		r = endpoint_remove(&netlink, host_name, err);
	netlink_close(&netlink);
	return r;
}

static int remove_link(const struct names_entry *entry, struct err *err)
{
	char name[IFNAMSIZ];

	endpoint_host_name(entry->run, entry->number, name);
	return members_remove_link(name, err);
}

/* ---- one run ---- */

static int remove_links(const char *run, const struct network *network, const char *run_id,
			struct err *err)
{
	struct names names;
	int r = names_read(run, network, &names, err);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (str_equal(names.list[i].run, run_id))
			r = remove_link(&names.list[i], err);
	names_free(&names);
	return r;
}

static int forget_in(const char *run, const struct network *network, const char *run_id,
		     bool is_shared, struct err *err)
{
	int r = is_shared ? remove_links(run, network, run_id, err) : 0;

	/* It was in no network when it began, and its keeper has no right over any. */
	if (r == -EPERM)
		return 0;
	return r == 0 ? names_drop(run, network, run_id, err) : r;
}

int members_forget(const char *run, const char *run_id, bool is_shared, struct err *err)
{
	char path[PATH_MAX + 64];
	struct dirent *entry;
	int result = 0;
	DIR *dir;

	str_format(path, sizeof(path), "%s/networks", run);
	dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? 0 : err_set(err, ERR_SETUP, errno, "%s: list", path);
	while ((entry = readdir(dir)) != NULL) {
		struct network network = {.name = "by its id"};
		int r = 0;

		str_format(network.id, sizeof(network.id), "%s", entry->d_name);
		if (entry->d_name[0] != '.')
			r = forget_in(run, &network, run_id, is_shared, err);
		result = r < 0 ? r : result;
	}
	closedir(dir);
	return result;
}

int members_remove_earlier(const char *run, const struct network *network,
			   const struct names_identity *who, struct err *err)
{
	const char *id = strrchr(who->holder, '/');
	const struct names_entry *entry;
	struct names names;
	int r = names_read(run, network, &names, err);

	if (r < 0)
		return r;
	entry = names_find(&names, id != NULL ? id + 1 : who->holder);
	if (entry != NULL && !str_equal(entry->run, who->run_id))
		r = remove_link(entry, err);
	names_free(&names);
	return r;
}

/* ---- all that are gone ---- */

static int remove_lost_in(const char *run, const struct network *network, struct err *err)
{
	struct names names;
	int result = names_read(run, network, &names, err);

	for (size_t i = 0; i < names.n; i++) {
		int r = names_is_lost(run, &names.list[i]) ? remove_link(&names.list[i], err) : 0;

		result = r < 0 ? r : result;
	}
	names_free(&names);
	return result;
}

int members_remove_lost(const char *run, const struct networks *networks, struct err *err)
{
	struct network_list list;
	int result = networks_list(networks, &list, err);

	for (size_t i = 0; i < list.n; i++) {
		int r = remove_lost_in(run, &list.list[i], err);

		result = r < 0 ? r : result;
	}
	network_list_free(&list);
	return result;
}

/* ---- rules that somebody has flushed ---- */

static int restore_port(struct netlink *nft, const struct network *network,
			const struct names_entry *entry, struct err *err)
{
	struct net_prefix ip = {.family = AF_INET, .length = 32};
	char name[IFNAMSIZ], address[ADDRESS_TEXT_MAX];
	struct lease lease;

	endpoint_host_name(entry->run, entry->number, name);
	memcpy(ip.bytes, entry->address, sizeof(entry->address));
	address_format(&ip, address);
	if (if_nametoindex(name) == 0 || !lease_of(network, address, &lease))
		return 0;
	memcpy(lease.mac, entry->mac, MAC_LEN);
	/* What its rules were only its next start, or `network connect`, knows. */
	return entry->is_ruled ? nft_shut_port(nft, name, &lease, err)
			       : nft_bind_port(nft, name, &lease, err);
}

static int restore(struct netlink *nft, const char *run, const struct network *network,
		   struct err *err)
{
	struct names names;
	int r = names_read(run, network, &names, err);

	if (r == 0)
		r = nft_keep(nft, network, err);
	r = r > 0 ? 0 : r;
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = restore_port(nft, network, &names.list[i], err);
	names_free(&names);
	return r == 0 ? links_follow(run, network, err) : r;
}

int members_restore_ports(const char *run, const struct network *network, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	if (r == 0)
		r = restore(&nft, run, network, err);
	netlink_close(&nft);
	return r;
}

int members_restore(const char *run, const struct networks *networks, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	struct network_list list = {.n = 0};
	size_t n = 0;
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	if (r == 0)
		r = nft_count_bridges(&nft, &n, err);
	/* Either table may have been taken out alone. */
	if (r == 0 && n > 0)
		r = nft_has_ports(&nft, err);
	if (r == 0)
		r = networks_list(networks, &list, err);
	r = r > 0 ? 0 : r;
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (list.list[i].bridge[0] == '\0' || if_nametoindex(list.list[i].bridge) == 0)
			continue;
		r = restore(&nft, run, &list.list[i], err);
		if (r == 0)
			r = forward_restore(&nft, networks->fd, err);
	}
	network_list_free(&list);
	netlink_close(&nft);
	return r;
}

int members_note_lent(const struct networks *networks, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	if (r == 0)
		r = forward_note(&nft, networks->fd, err);
	netlink_close(&nft);
	return r;
}
