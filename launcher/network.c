/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See network.h. */
#include "launcher/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/preflight.h"
#include "launcher/traffic.h"
#include "net/book_store.h"
#include "net/links.h"
#include "net/members.h"
#include "net/nft.h"

void network_init(struct sandbox_network *network)
{
	network->networks.fd = -EBADF;
	network->netlink.fd = -EBADF;
	network->netns_fd = -EBADF;
	network->shared_fd = -EBADF;
	for (size_t i = 0; i < NAME_FILES; i++)
		network->file_fds[i] = -EBADF;
	publish_init(&network->publish);
}

void network_release(struct sandbox_network *network)
{
	publish_release(&network->publish);
	close_fd(&network->netns_fd);
	for (size_t i = 0; i < NAME_FILES; i++)
		close_fd(&network->file_fds[i]);
	netlink_close(&network->netlink);
	networks_release(&network->networks);
}

bool network_is_wanted(const struct decision *decision)
{
	return decision->spec.network.n_endpoints > 0;
}

bool network_is_shared(const struct decision *decision)
{
	return decision->spec.network.kind == NETWORK_OF_A_SANDBOX;
}

/* ---- preflight ---- */

/* -ENOENT without err: nobody has made one of that name. */
static int look(const struct decision *d, const char *name, struct err *err)
{
	struct networks networks;
	struct network network;
	int r = networks_open(d->kept_path, false, &networks, err);

	if (r < 0)
		return r;
	r = networks_read(&networks, name, &network, err);
	networks_release(&networks);
	if (r == -ENOENT && network_built_in(name) != NULL)
		return 0;
	return r;
}

static void look_at_endpoint(const struct decision *d, const struct spec_endpoint *endpoint,
			     struct misses *misses)
{
	struct err err;
	struct miss *m;
	int r = look(d, endpoint->network, &err);

	if (r == 0)
		return;
	m = preflight_miss(misses, "network.mode", endpoint->origin);
	if (r == -ENOENT) {
		str_format(m->text, sizeof(m->text), "no network is called %s", endpoint->network);
		str_format(m->hint, sizeof(m->hint),
			   "`cordon network create %s` makes it; `cordon network ls` lists those "
			   "that there are.",
			   endpoint->network);
	} else {
		str_format(m->text, sizeof(m->text), "%s", err.text);
		str_format(m->hint, sizeof(m->hint), "%s", err.hint);
	}
}

void network_preflight(const struct decision *d, struct misses *misses)
{
	const struct spec_network *network = &d->spec.network;
	struct miss *m;

	if (!network_is_wanted(d) && !network_is_shared(d))
		return;
	/* Its own user namespace would let the caller change what this is to hold; and of another
	 * sandbox's the kernel lets only who has rights over that one enter its network. */
	if (d->facts.host_euid != 0 || !facts_has_cap(&d->facts, CAP_NET_ADMIN) ||
	    !facts_has_cap(&d->facts, CAP_SYS_ADMIN)) {
		m = preflight_miss(misses, "network.mode", network->origin);
		str_format(m->text, sizeof(m->text), "network %s%s: takes root in this build",
			   network_is_shared(d) ? "container:" : "",
			   network_is_shared(d) ? network->sandbox : network->endpoints[0].network);
		str_format(m->hint, sizeof(m->hint),
			   "Start it as root (with CAP_NET_ADMIN and CAP_SYS_ADMIN), or with "
			   "--network none.");
		return;
	}
	for (size_t i = 0; i < network->n_endpoints; i++)
		look_at_endpoint(d, &network->endpoints[i], misses);
}

/* ---- joining ---- */

static int sweep_ports(uint32_t *n_removed, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	if (r == 0)
		r = nft_sweep(&nft, n_removed, err);
	netlink_close(&nft);
	return r;
}

int cordon_sweep_networks(const struct networks *networks, const char *run, const char *state,
			  uint32_t *n_removed, struct err *err)
{
	char runs[PATH_MAX + 16], going[PATH_MAX + 16], kept[PATH_MAX + 16];
	const char *const prefixes[] = {runs, going, kept, NULL};
	int r;

	str_format(runs, sizeof(runs), "%s/runs/", run);
	str_format(going, sizeof(going), "%s/sandboxes/", run);
	str_format(kept, sizeof(kept), "%s/sandboxes/", state);
	/* Before an address is another's. */
	r = members_restore(run, networks, err);
	if (r == 0)
		r = members_remove_lost(run, networks, err);
	if (r == 0)
		r = sweep_ports(n_removed, err);
	if (r == 0)
		r = traffic_sweep(n_removed, err);
	if (r == 0)
		r = networks_sweep(networks, prefixes, n_removed, err);
	if (r == 0)
		r = names_sweep(run, networks, n_removed, err);
	if (r == 0)
		r = links_follow_all(run, networks, err);
	return r == 0 ? book_sweep(networks, runs, n_removed, err) : r;
}

/* The default bridge is made by who needs it first. */
static int make_default(struct sandbox_network *own, struct network *network, struct err *err)
{
	int r = bridge_choose(&own->netlink, &own->networks, network, false, err);

	return r == 0 ? networks_add(&own->networks, network, err) : r;
}

static int take_lease(struct launch *launch, size_t i, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	const struct spec_endpoint *wanted = &launch->spec->network.endpoints[i];
	struct sandbox_endpoint *endpoint = &own->endpoints[i];
	const struct lease_request request = {.holder = own->holder,
					      .is_kept = own->is_persistent,
					      .ip = wanted->ip,
					      .ip6 = wanted->ip6};
	uint32_t n_swept = 0;
	int r = lease_take(&own->networks, &endpoint->network, &request, &endpoint->lease, err);

	if (r == -EADDRINUSE || (r == -EADDRNOTAVAIL && err->kind == ERR_SETUP)) {
		r = cordon_sweep_networks(&own->networks, launch->state.path,
					  launch->decision->kept_path, &n_swept, err);
		if (r == 0)
			r = lease_take(&own->networks, &endpoint->network, &request,
				       &endpoint->lease, err);
	}
	endpoint->has_lease = endpoint->has_lease || r == 0;
	if (r == 0 && wanted->has_mac)
		memcpy(endpoint->lease.mac, wanted->mac, MAC_LEN);
	return r;
}

/* What others of the network find it by. */
static int put_names(struct launch *launch, size_t i, struct err *err)
{
	const struct spec_endpoint *wanted = &launch->spec->network.endpoints[i];
	struct sandbox_endpoint *endpoint = &launch->network.endpoints[i];
	const struct names_identity who = {.holder = launch->network.holder,
					   .run_id = launch->run.id,
					   .name = launch->sandbox_name,
					   .number = (uint8_t)i,
					   .is_ruled = launch->spec->network.reach.is_said,
					   .sources = i == 0 && launch->links.envp != NULL
							      ? launch->links.sources
							      : NULL};
	struct names_entry entry;
	int r = names_describe(wanted, &who, &endpoint->lease, &entry, err);

	if (r == 0)
		r = members_remove_earlier(launch->state.path, &endpoint->network, &who, err);
	return r == 0 ? names_put(launch->state.path, &endpoint->network, &entry, err) : r;
}

static int join_locked(struct launch *launch, size_t i, struct err *err)
{
	const char *name = launch->spec->network.endpoints[i].network;
	struct sandbox_network *own = &launch->network;
	struct sandbox_endpoint *endpoint = &own->endpoints[i];
	int r = networks_read(&own->networks, name, &endpoint->network, err);

	if (r == -ENOENT && network_built_in(name) != NULL) {
		endpoint->network = *network_built_in(name);
		r = make_default(own, &endpoint->network, err);
	} else if (r == -ENOENT) {
		r = err_set(err, ERR_SETUP, ENOENT, "network %s: was removed meanwhile", name);
	}
	if (r == 0)
		r = take_lease(launch, i, err);
	if (r == 0 && i == 0)
		r = network_links_take(launch, err);
	if (r == 0)
		r = put_names(launch, i, err);
	if (r == 0)
		r = bridge_ensure(&own->netlink, &endpoint->network, &endpoint->bridge, own->lent,
				  err);
	return r > 0 ? members_restore_ports(launch->state.path, &endpoint->network, err) : r;
}

/* Of its networks the first one by which others reach it; n_endpoints: none. */
static size_t find_way_in(const struct launch *launch)
{
	size_t i = 0;

	while (i < launch->spec->network.n_endpoints &&
	       (!endpoint_has_way_out(&launch->network.endpoints[i].network) ||
		!launch->network.endpoints[i].network.is_own))
		i++;
	return i;
}

static int hold_ports(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	size_t i = find_way_in(launch);

	if (launch->spec->network.n_publish == 0)
		return 0;
	if (i == launch->spec->network.n_endpoints) {
		err_set(err, ERR_SETUP, 0,
			"network.publish: none of its networks has a way in by the host");
		return err_hint(err, "It takes one that is neither --internal nor an "
				     "administrator's own bridge.");
	}
	return publish_hold(&own->publish, &launch->spec->network, &own->endpoints[i].lease, err);
}

int network_join(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	_cleanup_fd_ int lock_fd = -EBADF;
	int r = networks_open(launch->decision->kept_path, true, &own->networks, err);

	own->is_persistent = launch->network_holder != NULL;
	if (own->is_persistent)
		str_format(own->holder, sizeof(own->holder), "%s", launch->network_holder);
	else
		str_format(own->holder, sizeof(own->holder), "%s/runs/%s", launch->state.path,
			   launch->run.id);
	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &own->netlink, err);
	if (r < 0)
		return r;
	lock_fd = networks_lock(&own->networks, err);
	r = lock_fd < 0 ? lock_fd : members_restore(launch->state.path, &own->networks, err);
	for (size_t i = 0; r == 0 && i < launch->spec->network.n_endpoints; i++)
		r = join_locked(launch, i, err);
	if (r == 0 && own->lent[0] != '\0')
		r = members_note_lent(&own->networks, err);
	return r == 0 ? hold_ports(launch, err) : r;
}

int network_leave(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	int result = 0;

	for (size_t i = 0; i < launch->spec->network.n_endpoints; i++) {
		struct sandbox_endpoint *endpoint = &own->endpoints[i];
		char address[ADDRESS_TEXT_MAX];
		int r;

		/* As long as its link may be there the address is nobody else's. */
		if (!endpoint->has_lease || own->is_persistent || endpoint->has_port)
			continue;
		address_format(&endpoint->lease.address, address);
		r = lease_release(&own->networks, endpoint->network.name, address, own->holder,
				  err);
		endpoint->has_lease = r < 0;
		result = r < 0 ? r : result;
	}
	return result;
}

int network_forget(const struct launch *launch, bool is_shared, struct err *err)
{
	_cleanup_fd_ int lock_fd = -EBADF;
	struct networks networks;
	int r;

	if (!names_is_any(launch->state.path))
		return 0;
	r = networks_open(launch->decision->kept_path, false, &networks, err);
	if (r < 0 || networks.fd < 0)
		return r;
	lock_fd = networks_lock(&networks, err);
	r = lock_fd < 0 ? lock_fd
			: members_forget(launch->state.path, launch->run.id, is_shared, err);
	/* Before anybody else has its addresses: whoever takes one waits for this lock, and cannot
	 * have it as long as the name is there. Who was in none when it began has no right to, and
	 * the next one that comes does it. */
	if (r == 0 && network_is_wanted(launch->decision))
		r = links_follow_all(launch->state.path, &networks, err);
	networks_release(&networks);
	return r;
}

/* ---- the links ---- */

static const char *const link_names[SPEC_NETWORKS_MAX] = {"eth0", "eth1", "eth2", "eth3",
							  "eth4", "eth5", "eth6", "eth7"};

static void describe(const struct launch *launch, size_t i, struct endpoint *ret)
{
	const struct sandbox_network *own = &launch->network;
	size_t way_out = 0;

	/* The first that has one is the way out. */
	while (way_out < i && !endpoint_has_way_out(&own->endpoints[way_out].network))
		way_out++;
	*ret = (struct endpoint){.network = &own->endpoints[i].network,
				 .lease = &own->endpoints[i].lease,
				 .bridge = own->endpoints[i].bridge,
				 .name = link_names[i],
				 .is_way_out = way_out == i &&
					       endpoint_has_way_out(&own->endpoints[i].network),
				 .netns_fd = own->netns_fd,
				 .egress = own->egress.rules != NULL ? &own->egress : NULL};
	endpoint_host_name(launch->run.id, (unsigned)i, ret->host_name);
}

static int publish_ports(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	char port[IFNAMSIZ], owner[PUBLISH_OWNER_MAX];
	struct netlink nft = {.fd = -EBADF};
	int r;

	if (own->publish.n == 0)
		return 0;
	endpoint_host_name(launch->run.id, (unsigned)find_way_in(launch), port);
	str_format(owner, sizeof(owner), "%s %s", port,
		   launch->sandbox_name != NULL && launch->sandbox_name[0] != '\0'
			   ? launch->sandbox_name
			   : launch->run.id);
	r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = publish_begin(&nft, &own->publish, owner, err);
	own->is_published = r == 0;
	if (r == 0)
		r = publish_verify(&nft, &own->publish, err);
	netlink_close(&nft);
	return r;
}

static int unpublish(struct sandbox_network *own, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r;

	if (!own->is_published)
		return 0;
	r = netlink_open(NETLINK_NETFILTER, &nft, err);
	if (r == 0)
		r = publish_end(&nft, &own->publish, err);
	own->is_published = r < 0;
	netlink_close(&nft);
	return r;
}

/* Its own, and those of others to it. */
static int follow_links(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	_cleanup_fd_ int lock_fd = networks_lock(&own->networks, err);
	int r = lock_fd < 0 ? lock_fd : 0;

	for (size_t i = 0; r == 0 && i < launch->spec->network.n_endpoints; i++)
		r = links_follow(launch->state.path, &own->endpoints[i].network, err);
	return r;
}

int network_make_links(struct launch *launch, struct err *err)
{
	struct endpoint endpoint;
	char path[64];
	int r = 0;

	egress_describe(&launch->spec->network, launch->run.id, &launch->network.egress);
	/* A row of its own. */
	launch->network.egress.is_counted = false;
	str_format(path, sizeof(path), "/proc/%d/ns/net", launch->init_pid);
	launch->network.netns_fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (launch->network.netns_fd < 0)
		return err_set(err, ERR_SETUP, -launch->network.netns_fd,
			       "the sandbox's network namespace");
	for (size_t i = 0; r == 0 && i < launch->spec->network.n_endpoints; i++) {
		describe(launch, i, &endpoint);
		launch->network.endpoints[i].has_port = true;
		r = endpoint_make(&launch->network.netlink, &endpoint, err);
	}
	if (r == 0)
		r = follow_links(launch, err);
	return r == 0 ? publish_ports(launch, err) : r;
}

int network_forget_links(struct launch *launch, struct err *err)
{
	bool is_shared = state_run_is_shared(&launch->state, launch->run.id);
	struct endpoint endpoint;
	struct err further; /* what fails behind the first is not told */
	int result = unpublish(&launch->network, err), r;

	for (size_t i = 0; i < launch->spec->network.n_endpoints; i++) {
		if (!launch->network.endpoints[i].has_port)
			continue;
		describe(launch, i, &endpoint);
		r = is_shared ? members_remove_link(endpoint.host_name, err) : 0;
		if (r == 0)
			r = endpoint_release(&endpoint, err);
		launch->network.endpoints[i].has_port = r < 0;
		result = r < 0 ? r : result;
	}
	/* As long as there is a link, its rules and its cap are. Of these one that fails does not
	 * keep the other. */
	if (result < 0)
		return result;
	result = egress_forget(&launch->network.egress, err);
	r = traffic_remove(launch, result < 0 ? &further : err);
	return result < 0 ? result : r;
}

int network_verify_links(struct launch *launch, struct err *err)
{
	struct endpoint endpoint;
	int r = launch->network.netns_fd < 0 ? err_set(err, ERR_SETUP, 0, "the sandbox has no link")
					     : 0;

	for (size_t i = 0; r == 0 && i < launch->spec->network.n_endpoints; i++) {
		describe(launch, i, &endpoint);
		r = endpoint_verify(&launch->network.netlink, &endpoint, err);
	}
	/* Not held any longer: as long as it is, the namespace and its links stay. */
	close_fd(&launch->network.netns_fd);
	netlink_close(&launch->network.netlink);
	return r;
}
