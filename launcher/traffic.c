/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See traffic.h. */
#include "launcher/traffic.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/launch.h"
#include "net/shape.h"

bool traffic_is_wanted(const struct decision *decision)
{
	const struct spec_network *network = &decision->spec.network;

	return network->n_endpoints > 0 &&
	       (network->egress.rate_bits != 0 || network->ingress.rate_bits != 0);
}

typedef int (*shape_fn)(struct netlink *netlink, const struct shape *shape,
			const struct net_link *places, size_t n, struct err *err);

/* All ports that it has. In the keeper's network namespace, which is the host's. */
static int of_all(struct launch *launch, shape_fn how, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	struct net_link ports[SPEC_NETWORKS_MAX];
	struct shape shape;
	int r = netlink_open(NETLINK_ROUTE, &netlink, err), n;

	shape_of_run(launch->run.id, &launch->spec->network, &shape);
	n = r == 0 ? shape_find_ports(&netlink, launch->run.id, ports, err) : r;
	if (n >= 0 && (size_t)n != launch->spec->network.n_endpoints)
		n = err_set(err, ERR_SETUP, ENODEV, "the sandbox has %d ports, and not %zu", n,
			    launch->spec->network.n_endpoints);
	r = n < 0 ? n : how(&netlink, &shape, ports, (size_t)n, err);
	netlink_close(&netlink);
	return r;
}

int traffic_set(struct launch *launch, struct err *err)
{
	return of_all(launch, shape_set, err);
}

int traffic_verify(struct launch *launch, struct err *err)
{
	return of_all(launch, shape_verify, err);
}

static int change_open(struct netlink *netlink, const char *run_id,
		       const struct spec_network *network, enum traffic_change change,
		       struct err *err)
{
	struct net_link ports[SPEC_NETWORKS_MAX];
	struct shape shape;
	int n = shape_find_ports(netlink, run_id, ports, err);

	if (n < 0)
		return n;
	shape_of_run(run_id, network, &shape);
	/* It is given them with its first network. */
	if (n == 0)
		return shape_remove(netlink, &shape, err);
	return change == TRAFFIC_SET ? shape_set(netlink, &shape, ports, (size_t)n, err)
				     : shape_tighten(netlink, &shape, ports, (size_t)n, err);
}

int cordon_change_traffic(const char *run_id, const struct spec_network *network,
			  enum traffic_change change, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	if (r == 0)
		r = change_open(&netlink, run_id, network, change, err);
	netlink_close(&netlink);
	return r;
}

/* In the child, whose namespace goes with it. */
static int try_here(struct err *err)
{
	/* The loopback's packets have 64 KiB. */
	const struct spec_traffic any = {.rate_bits = 1000000000, .burst_bytes = 128 << 10};
	const struct spec_network network = {.egress = any, .ingress = any};
	struct netlink netlink = {.fd = -EBADF};
	struct net_link link;
	struct shape shape;
	int r;

	if (unshare(CLONE_NEWNET) != 0)
		return err_set(err, ERR_SETUP, errno, "a network namespace");
	shape_of_run("000000000000", &network, &shape);
	r = netlink_open(NETLINK_ROUTE, &netlink, err);
	if (r == 0)
		r = link_find(&netlink, "lo", &link, err);
	return r > 0 ? shape_set(&netlink, &shape, &link, 1, err) : r < 0 ? r : -ENODEV;
}

int cordon_probe_traffic(struct err *err)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(try_here(err) == 0 ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return err_set(err, ERR_SETUP, errno, "try rates");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_set(err, ERR_SETUP, 0,
		       "the kernel lacks one of ifb, sch_tbf, sch_ingress, cls_u32, act_mirred");
}

int traffic_sweep(uint32_t *n_removed, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	if (r == 0)
		r = shape_sweep(&netlink, n_removed, err);
	netlink_close(&netlink);
	return r;
}

int traffic_remove(struct launch *launch, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	struct shape shape;
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	shape_of_run(launch->run.id, &launch->spec->network, &shape);
	if (r == 0)
		r = shape_remove(&netlink, &shape, err);
	netlink_close(&netlink);
	return r;
}
