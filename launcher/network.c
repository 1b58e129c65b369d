/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See network.h. */
#include "launcher/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/preflight.h"

void network_init(struct sandbox_network *network)
{
	network->networks.fd = -EBADF;
	network->netlink.fd = -EBADF;
	network->netns_fd = -EBADF;
}

void network_release(struct sandbox_network *network)
{
	close_fd(&network->netns_fd);
	netlink_close(&network->netlink);
	networks_release(&network->networks);
}

bool network_is_wanted(const struct decision *decision)
{
	return decision->spec.network.name[0] != '\0';
}

/* ---- preflight ---- */

static struct miss *miss(const struct decision *d, struct misses *misses)
{
	return preflight_miss(misses, "network.mode", d->spec.network.origin);
}

/* -ENOENT without err: nobody has made one of that name. */
static int look(const struct decision *d, struct err *err)
{
	struct networks networks;
	struct network network;
	int r = networks_open(d->kept_path, false, &networks, err);

	if (r < 0)
		return r;
	r = networks_read(&networks, d->spec.network.name, &network, err);
	networks_release(&networks);
	if (r == -ENOENT && network_built_in(d->spec.network.name) != NULL)
		return 0;
	return r;
}

void network_preflight(const struct decision *d, struct misses *misses)
{
	struct err err;
	struct miss *m;
	int r;

	if (!network_is_wanted(d))
		return;
	/* Its own user namespace would let the caller change what this is to hold. */
	if (d->facts.host_euid != 0 || !facts_has_cap(&d->facts, CAP_NET_ADMIN) ||
	    !facts_has_cap(&d->facts, CAP_SYS_ADMIN)) {
		m = miss(d, misses);
		str_format(m->text, sizeof(m->text), "network %s: takes root in this build",
			   d->spec.network.name);
		str_format(m->hint, sizeof(m->hint),
			   "Start it as root (with CAP_NET_ADMIN and CAP_SYS_ADMIN), or with "
			   "--network none.");
		return;
	}
	r = look(d, &err);
	if (r == 0)
		return;
	m = miss(d, misses);
	if (r == -ENOENT) {
		str_format(m->text, sizeof(m->text), "no network is called %s",
			   d->spec.network.name);
		str_format(m->hint, sizeof(m->hint),
			   "`cordon network create %s` makes it; `cordon network ls` lists those "
			   "that there are.",
			   d->spec.network.name);
	} else {
		str_format(m->text, sizeof(m->text), "%s", err.text);
		str_format(m->hint, sizeof(m->hint), "%s", err.hint);
	}
}

/* ---- joining ---- */

int cordon_sweep_networks(const struct networks *networks, const char *run, const char *state,
			  uint32_t *n_removed, struct err *err)
{
	char runs[PATH_MAX + 16], going[PATH_MAX + 16], kept[PATH_MAX + 16];
	const char *const prefixes[] = {runs, going, kept, NULL};

	str_format(runs, sizeof(runs), "%s/runs/", run);
	str_format(going, sizeof(going), "%s/sandboxes/", run);
	str_format(kept, sizeof(kept), "%s/sandboxes/", state);
	return networks_sweep(networks, prefixes, n_removed, err);
}

/* The default bridge is made by who needs it first. */
static int make_default(struct sandbox_network *own, struct err *err)
{
	int r = bridge_choose(&own->netlink, &own->networks, &own->network, false, err);

	return r == 0 ? networks_add(&own->networks, &own->network, err) : r;
}

static int take_lease(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	const struct lease_request request = {.holder = own->holder, .is_kept = own->is_persistent};
	uint32_t n_swept = 0;
	int r = lease_take(&own->networks, &own->network, &request, &own->lease, err);

	if (r == -EADDRNOTAVAIL) {
		r = cordon_sweep_networks(&own->networks, launch->state.path,
					  launch->decision->kept_path, &n_swept, err);
		if (r == 0)
			r = lease_take(&own->networks, &own->network, &request, &own->lease, err);
	}
	own->has_lease = own->has_lease || r == 0;
	return r;
}

static int join_locked(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	int r = networks_read(&own->networks, launch->spec->network.name, &own->network, err);

	if (r == -ENOENT && network_built_in(launch->spec->network.name) != NULL) {
		own->network = *network_built_in(launch->spec->network.name);
		r = make_default(own, err);
	} else if (r == -ENOENT) {
		r = err_set(err, ERR_SETUP, ENOENT, "network %s: was removed meanwhile",
			    launch->spec->network.name);
	}
	if (r == 0)
		r = take_lease(launch, err);
	return r == 0 ? bridge_ensure(&own->netlink, &own->network, &own->bridge, err) : r;
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
	return lock_fd < 0 ? lock_fd : join_locked(launch, err);
}

int network_leave(struct launch *launch, struct err *err)
{
	struct sandbox_network *own = &launch->network;
	char address[ADDRESS_TEXT_MAX];
	int r;

	if (!own->has_lease || own->is_persistent)
		return 0;
	address_format(&own->lease.address, address);
	r = lease_release(&own->networks, own->network.name, address, own->holder, err);
	own->has_lease = r < 0;
	return r < 0 ? r : 0;
}

/* ---- the link ---- */

static void describe(const struct launch *launch, struct endpoint *ret)
{
	const struct sandbox_network *own = &launch->network;

	*ret = (struct endpoint){.network = &own->network,
				 .lease = &own->lease,
				 .bridge = own->bridge,
				 .name = "eth0",
				 .netns_fd = own->netns_fd};
	endpoint_host_name(launch->run.id, 0, ret->host_name);
}

int network_make_link(struct launch *launch, struct err *err)
{
	struct endpoint endpoint;
	char path[64];

	str_format(path, sizeof(path), "/proc/%d/ns/net", launch->init_pid);
	launch->network.netns_fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (launch->network.netns_fd < 0)
		return err_set(err, ERR_SETUP, -launch->network.netns_fd,
			       "the sandbox's network namespace");
	describe(launch, &endpoint);
	return endpoint_make(&launch->network.netlink, &endpoint, err);
}

int network_verify_link(struct launch *launch, struct err *err)
{
	struct endpoint endpoint;
	int r;

	describe(launch, &endpoint);
	r = endpoint.netns_fd < 0 ? err_set(err, ERR_SETUP, 0, "the sandbox has no link")
				  : endpoint_verify(&launch->network.netlink, &endpoint, err);
	/* Not held any longer: as long as it is, the namespace and its links stay. */
	close_fd(&launch->network.netns_fd);
	netlink_close(&launch->network.netlink);
	return r;
}
