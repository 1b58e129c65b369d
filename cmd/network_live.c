/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See network_live.h. Runs in the command, as root, with the sandbox's lock and the store's.
 * Nothing in the sandbox takes part: the link is made into its network namespace, and its
 * /etc/hosts is changed where it lies, in the run's directory.
 */
#include "cmd/network_live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "net/book_store.h"
#include "net/endpoint.h"
#include "net/hosts.h"
#include "net/links.h"
#include "net/members.h"
#include "net/publish.h"
#include "records/target.h"

bool network_live_runs(const struct member *member)
{
	return member->status.state == SANDBOX_RUNNING || member->status.state == SANDBOX_PAUSED;
}

/* ---- where it is ---- */

static bool find_entry(const struct member *member, const struct network *network,
		       struct names_entry *ret)
{
	const struct names_entry *entry;
	struct names names;
	struct err ignored;
	bool result;

	if (names_read(member->place.run, network, &names, &ignored) < 0)
		return false;
	entry = names_find(&names, member->sandbox.id);
	result = entry != NULL && str_equal(entry->run, member->status.live.run_id);
	if (result)
		*ret = *entry;
	names_free(&names);
	return result;
}

/* In all of its networks, by the numbers of its links. */
struct presence {
	bool is_used[SPEC_NETWORKS_MAX];
	struct hosts_own own[SPEC_NETWORKS_MAX];
	struct net_prefix gateways[SPEC_NETWORKS_MAX];
	bool has_way_out;
};

static void note(struct presence *presence, const struct network *network,
		 const struct names_entry *entry)
{
	struct hosts_own *own = &presence->own[entry->number % SPEC_NETWORKS_MAX];
	static const uint8_t none[16];

	presence->is_used[entry->number % SPEC_NETWORKS_MAX] = true;
	presence->gateways[entry->number % SPEC_NETWORKS_MAX] = network->gateway;
	presence->has_way_out = presence->has_way_out || endpoint_has_way_out(network);
	own->address = (struct net_prefix){.family = network->subnet.family, .length = 32};
	memcpy(own->address.bytes, entry->address, sizeof(entry->address));
	if (memcmp(entry->address6, none, sizeof(none)) == 0)
		return;
	own->address6 = (struct net_prefix){.family = network->subnet6.family, .length = 128};
	memcpy(own->address6.bytes, entry->address6, sizeof(entry->address6));
}

static int find_presence(const struct member *member, struct presence *ret, struct err *err)
{
	struct presence presence = {.has_way_out = false};
	struct network_list list;
	int r = networks_list(&member->place.networks, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		struct names_entry entry;

		if (find_entry(member, &list.list[i], &entry))
			note(&presence, &list.list[i], &entry);
	}
	network_list_free(&list);
	*ret = presence;
	return r;
}

/* ---- its /etc/hosts ---- */

/* In the file that is shown inside. One that was in no network when it began has none. */
static int write_hosts(const struct member *member, const struct sandbox_spec *spec,
		       struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct hosts_input input = {.spec = spec};
	char path[PATH_MAX + 64], text[HOSTS_TEXT_MAX];
	struct presence presence;
	size_t len;
	int r = find_presence(member, &presence, err);

	if (r < 0)
		return r;
	for (size_t i = SPEC_NETWORKS_MAX; i > 0; i--)
		if (presence.is_used[i - 1])
			input.gateway = presence.gateways[i - 1];
	for (size_t i = 0; i < SPEC_NETWORKS_MAX; i++)
		if (presence.is_used[i])
			input.own[input.n_own++] = presence.own[i];
	len = hosts_format(&input, text);
	str_format(path, sizeof(path), "%s/runs/%s/hosts", member->place.run,
		   member->status.live.run_id);
	fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : io_write_all(fd, text, len);
	if (r == 0 && ftruncate(fd, (off_t)len) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: write", path) : 0;
}

/* And what follows from links, its own and others': those of the default network stand in the same
 * file. */
static int write_names(const struct member *member, const struct sandbox_spec *spec,
		       struct err *err)
{
	int r = write_hosts(member, spec, err);

	return r == 0 ? links_follow_all(member->place.run, &member->place.networks, err) : r;
}

/* For tests of what a crash leaves. */
static int stop_in_tests(const char *point, struct err *err)
{
	int r = fault_point(point, NULL);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s", point) : 0;
}

/* ---- joining ---- */

struct joining {
	struct member *member;
	const struct spec_endpoint *endpoint;
	struct shape shape;
	struct netlink netlink;
	struct net_link bridge;
	struct lease lease;
	char holder[LEASE_HOLDER_MAX];
	uint8_t number;
	bool is_way_out;
	struct egress egress;        /* of all of its links, where its record says so */
	char lent[FORWARD_TEXT_MAX]; /* links that forward since then */
};

/* As the launcher has it: of a record that is kept, else of the run. */
static void find_holder(const struct member *member, char *buf, size_t size)
{
	if (member->sandbox.is_kept)
		records_path(&member->records, member->sandbox.id, true, buf, size);
	else
		str_format(buf, size, "%s/runs/%s", member->place.run, member->status.live.run_id);
}

static int find_number(struct joining *joining, struct err *err)
{
	struct names_entry entry;
	struct presence presence;
	int r = find_presence(joining->member, &presence, err);

	if (r < 0)
		return r;
	joining->is_way_out =
		!presence.has_way_out && endpoint_has_way_out(&joining->member->network);
	/* What a kill has left of it is made anew in its place. */
	if (find_entry(joining->member, &joining->member->network, &entry)) {
		joining->number = entry.number;
		return 0;
	}
	for (int i = 0; i < SPEC_NETWORKS_MAX; i++)
		if (!presence.is_used[i]) {
			joining->number = (uint8_t)i;
			return 0;
		}
	return err_set(err, ERR_USAGE, ENOSPC, "sandbox %s is in %d networks already",
		       joining->member->ref, SPEC_NETWORKS_MAX);
}

/* The default bridge is made by who needs it first. */
static int find_bridge(struct joining *joining, struct err *err)
{
	struct member *member = joining->member;
	int r = 0;

	if (member->network.is_built_in && member->network.bridge[0] == '\0') {
		r = bridge_choose(&joining->netlink, &member->place.networks, &member->network,
				  false, err);
		if (r == 0)
			r = networks_add(&member->place.networks, &member->network, err);
	}
	if (r == 0)
		r = bridge_ensure(&joining->netlink, &member->network, &joining->bridge,
				  joining->lent, err);
	return r > 0 ? members_restore_ports(member->place.run, &member->network, err) : r;
}

static int take_place(struct joining *joining, struct err *err)
{
	struct member *member = joining->member;
	const struct lease_request request = {.holder = joining->holder,
					      .is_kept = member->sandbox.is_kept,
					      .ip = joining->endpoint->ip,
					      .ip6 = joining->endpoint->ip6};
	const struct names_identity who = {.holder = member->sandbox.id,
					   .run_id = member->status.live.run_id,
					   .name = member->record.name,
					   .number = joining->number,
					   .is_ruled = joining->egress.rules != NULL};
	struct names_entry entry;
	int r = lease_take(&member->place.networks, &member->network, &request, &joining->lease,
			   err);

	if (r == 0 && joining->endpoint->has_mac)
		memcpy(joining->lease.mac, joining->endpoint->mac, MAC_LEN);
	if (r == 0)
		r = names_describe(joining->endpoint, &who, &joining->lease, &entry, err);
	if (r == 0)
		r = members_remove_earlier(member->place.run, &member->network, &who, err);
	if (r == 0)
		r = names_put(member->place.run, &member->network, &entry, err);
	if (r == 0)
		r = book_publish(&member->place.networks, &member->network, &entry, err);
	return r == 0 ? stop_in_tests("connect.placed", err) : r;
}

/* Makes the link, or only looks whether it is there as it is to be. */
static int see_to_link(struct joining *joining, bool makes, struct err *err)
{
	_cleanup_fd_ int netns_fd = target_network_of(&joining->member->status);
	char name[8];
	struct endpoint endpoint = {.network = &joining->member->network,
				    .lease = &joining->lease,
				    .bridge = joining->bridge,
				    .name = name,
				    .is_way_out = joining->is_way_out,
				    .shape = &joining->shape,
				    .netns_fd = netns_fd,
				    .egress = joining->egress.rules != NULL ? &joining->egress
									    : NULL};
	int r = 0;

	if (netns_fd < 0)
		return err_set(err, ERR_USAGE, ESRCH, "sandbox %s has ended meanwhile",
			       joining->member->ref);
	str_format(name, sizeof(name), "eth%u", joining->number);
	endpoint_host_name(joining->member->status.live.run_id, joining->number,
			   endpoint.host_name);
	if (makes)
		r = endpoint_make(&joining->netlink, &endpoint, err);
	return r == 0 ? endpoint_verify(&joining->netlink, &endpoint, err) : r;
}

/* ---- published ports ---- */

struct port_search {
	char port[IFNAMSIZ];
	bool is_found;
};

static void look_for_port(void *ctx, const char *owner, const struct publish_port *port)
{
	struct port_search *search = ctx;

	(void)port;
	if (str_has_prefix(owner, search->port) && owner[strlen(search->port)] == ' ')
		search->is_found = true;
}

int network_live_has_ports(const struct member *member, struct err *err)
{
	struct port_search search = {.is_found = false};
	const struct publish_reader reader = {.each = look_for_port, .ctx = &search};
	struct netlink nft = {.fd = -EBADF};
	struct names_entry entry;
	int r;

	if (!network_live_runs(member) || !find_entry(member, &member->network, &entry))
		return 0;
	endpoint_host_name(member->status.live.run_id, entry.number, search.port);
	r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = publish_walk(&nft, &reader, err);
	netlink_close(&nft);
	return r < 0 ? r : search.is_found;
}

/* ---- leaving ---- */

static int remove_link(struct netlink *netlink, const struct member *member, uint8_t number,
		       struct err *err)
{
	char name[IFNAMSIZ];

	endpoint_host_name(member->status.live.run_id, number, name);
	return endpoint_remove(netlink, name, err);
}

struct own_address {
	const char *holder;
	char text[ADDRESS_TEXT_MAX];
};

static int find_address(void *ctx, const char *address, const char *holder)
{
	struct own_address *own = ctx;

	if (str_equal(holder, own->holder))
		str_format(own->text, sizeof(own->text), "%s", address);
	return 0;
}

static int give_back(const struct member *member, struct err *err)
{
	char holder[LEASE_HOLDER_MAX];
	struct own_address own = {.holder = holder};
	const struct lease_reader reader = {.each = find_address, .ctx = &own};
	int r;

	find_holder(member, holder, sizeof(holder));
	r = lease_walk(&member->place.networks, member->network.name, &reader, err);
	if (r == 0 && own.text[0] != '\0')
		r = lease_release(&member->place.networks, member->network.name, own.text, holder,
				  err);
	return r < 0 ? r : 0;
}

/* The link first: nobody may be given the address while it is there. */
static int leave_locked(struct member *member, struct netlink *netlink, struct err *err)
{
	struct names_entry entry;
	uint32_t n_swept = 0;
	int r = 0;

	/* What one leaves whose keeper was killed: its name, its ports, a guest's link. */
	if (!network_live_runs(member))
		r = network_sweep(&member->place, &n_swept, err);
	if (r == 0 && network_live_runs(member) && find_entry(member, &member->network, &entry)) {
		r = remove_link(netlink, member, entry.number, err);
		if (r == 0)
			r = stop_in_tests("disconnect.unlinked", err);
		if (r == 0)
			r = names_drop(member->place.run, &member->network,
				       member->status.live.run_id, err);
		if (r == 0)
			r = book_forget(&member->place.networks, member->status.live.run_id,
					member->network.id, err);
	}
	return r == 0 ? give_back(member, err) : r;
}

int network_live_leave(struct member *member, const struct sandbox_spec *spec, struct err *err)
{
	_cleanup_fd_ int lock_fd = networks_lock(&member->place.networks, err);
	struct netlink netlink = {.fd = -EBADF};
	int r = lock_fd < 0 ? lock_fd : netlink_open(NETLINK_ROUTE, &netlink, err);

	if (r == 0)
		r = leave_locked(member, &netlink, err);
	netlink_close(&netlink);
	return r == 0 && network_live_runs(member) ? write_names(member, spec, err) : r;
}

/* ---- joining, whole ---- */

static int join_locked(struct joining *joining, struct err *err)
{
	int r = members_restore(joining->member->place.run, &joining->member->place.networks, err);

	if (r == 0)
		r = find_number(joining, err);
	if (r == 0)
		r = find_bridge(joining, err);
	if (r == 0 && joining->lent[0] != '\0')
		r = members_note_lent(&joining->member->place.networks, err);
	if (r == 0)
		r = take_place(joining, err);
	if (r == 0)
		r = remove_link(&joining->netlink, joining->member, joining->number, err);
	return r == 0 ? see_to_link(joining, true, err) : r;
}

static bool is_whole(struct joining *joining, const struct names_entry *entry)
{
	struct err ignored;
	char address[ADDRESS_TEXT_MAX];
	const struct net_prefix ip = {.family = AF_INET,
				      .bytes = {entry->address[0], entry->address[1],
						entry->address[2], entry->address[3]}};

	address_format(&ip, address);
	joining->number = entry->number;
	if (!lease_of(&joining->member->network, address, &joining->lease) ||
	    link_find(&joining->netlink, joining->member->network.bridge, &joining->bridge,
		      &ignored) <= 0)
		return false;
	memcpy(joining->lease.mac, entry->mac, MAC_LEN);
	return see_to_link(joining, false, &ignored) == 0;
}

bool network_live_is_in(struct member *member, const struct sandbox_spec *spec)
{
	struct joining joining = {.member = member, .netlink = {.fd = -EBADF}};
	struct names_entry entry;
	struct err ignored;
	bool result;

	shape_of_run(member->status.live.run_id, &spec->network, &joining.shape);
	result = find_entry(member, &member->network, &entry) &&
		 netlink_open(NETLINK_ROUTE, &joining.netlink, &ignored) == 0 &&
		 is_whole(&joining, &entry);

	netlink_close(&joining.netlink);
	return result;
}

bool network_live_has_left_nothing(const struct member *member)
{
	struct names_entry entry;

	return !find_entry(member, &member->network, &entry);
}

int network_live_join(struct member *member, const struct sandbox_spec *spec,
		      const struct spec_endpoint *endpoint, struct err *err)
{
	_cleanup_fd_ int lock_fd = networks_lock(&member->place.networks, err);
	struct joining joining = {.member = member,
				  .endpoint = endpoint,
				  .netlink = {.fd = -EBADF}};
	struct err second;
	int r = lock_fd < 0 ? lock_fd : netlink_open(NETLINK_ROUTE, &joining.netlink, err);

	shape_of_run(member->status.live.run_id, &spec->network, &joining.shape);
	find_holder(member, joining.holder, sizeof(joining.holder));
	egress_describe(&spec->network, member->status.live.run_id, &joining.egress);
	if (r == 0)
		r = join_locked(&joining, err);
	if (r == 0)
		r = write_names(member, spec, err);
	if (r < 0 && joining.netlink.fd >= 0)
		ignore_result(leave_locked(member, &joining.netlink, &second),
			      "the error that is told of came first");
	netlink_close(&joining.netlink);
	network_say_lent(joining.lent);
	return r;
}
