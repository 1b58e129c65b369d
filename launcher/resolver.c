/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See resolver.h. */
#include "launcher/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/admission.h"
#include "launcher/child.h"
#include "launcher/launch.h"
#include "launcher/reach.h"
#include "net/book_store.h"

enum { START_MS = 10000, FINISH_MS = 2000, BACKLOG = 8, RESOLV_CONF_MAX = 16384 };

static const char resolver_what[] = "the sandbox's resolver";

bool resolver_is_wanted(const struct decision *decision)
{
	const struct spec_network *network = &decision->spec.network;

	for (size_t i = 0; i < network->n_endpoints; i++)
		if (network_built_in(network->endpoints[i].network) == NULL)
			return true;
	return false;
}

/* ---- names ---- */

static int publish(struct launch *launch, size_t i, struct err *err)
{
	const struct sandbox_network *own = &launch->network;
	const struct sandbox_endpoint *endpoint = &own->endpoints[i];
	const struct names_identity who = {.holder = own->holder,
					   .run_id = launch->run.id,
					   .name = launch->sandbox_name,
					   .number = (uint8_t)i};
	struct names_entry entry;
	int r;

	/* The row that gives it one was left out. */
	if (!endpoint->has_lease)
		return err_set(err, ERR_SETUP, 0, "the sandbox has no address to be called by");
	r = names_describe(&launch->spec->network.endpoints[i], &who, &endpoint->lease, &entry,
			   err);
	return r == 0 ? book_publish(&own->networks, &endpoint->network, &entry, err) : r;
}

int resolver_publish_names(struct launch *launch, struct err *err)
{
	_cleanup_fd_ int lock_fd = networks_lock(&launch->network.networks, err);
	int r = lock_fd < 0 ? lock_fd : 0;

	for (size_t i = 0; r == 0 && i < launch->spec->network.n_endpoints; i++)
		r = publish(launch, i, err);
	return r;
}

int resolver_verify_names(struct launch *launch, struct err *err)
{
	const struct sandbox_network *own = &launch->network;

	for (size_t i = 0; i < launch->spec->network.n_endpoints; i++)
		if (!book_has(&own->networks, launch->run.id, &own->endpoints[i].network))
			return err_set(err, ERR_SETUP, 0,
				       "nobody would find the sandbox by its name");
	return 0;
}

int resolver_forget_names(struct launch *launch, struct err *err)
{
	const struct networks *networks = &launch->network.networks;
	_cleanup_fd_ int lock_fd = -EBADF;

	if (networks->fd < 0 || launch->run.id[0] == '\0')
		return 0;
	lock_fd = networks_lock(networks, err);
	return lock_fd < 0 ? lock_fd : book_forget(networks, launch->run.id, NULL, err);
}

/* ---- sockets ---- */

static int make_socket(int type)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(RESOLVER_PORT),
					    .sin_addr = {inet_addr(RESOLVER_ADDRESS)}};
	_cleanup_fd_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) != 0))
		return -errno;
	return steal_fd(&fd);
}

/* In the sandbox's namespace, where they stay. Nothing else runs in this process meanwhile, and a
 * keeper that cannot return goes no further. */
static int open_sockets(struct launch *launch, int fds[2], struct err *err)
{
	char path[64];
	_cleanup_fd_ int home = sys_openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0);
	_cleanup_fd_ int inside = -EBADF;
	int r = 0;

	str_format(path, sizeof(path), "/proc/%d/ns/net", launch->init_pid);
	inside = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (home < 0 || inside < 0)
		return err_set(err, ERR_SETUP, home < 0 ? -home : -inside, "network namespaces");
	if (setns(inside, CLONE_NEWNET) != 0)
		return err_set(err, ERR_SETUP, errno, "enter the sandbox's network namespace");
	/* The address is one of it, and is taken for a broadcast as long as there is no route at
	 * all: answers would come from another one. The child, whose row it is, may do it
	 * meanwhile. */
	r = child_loopback(launch, err);
	fds[0] = make_socket(SOCK_DGRAM);
	fds[1] = make_socket(SOCK_STREAM);
	if (r == 0 && (fds[0] < 0 || fds[1] < 0))
		r = err_set(err, ERR_SETUP, fds[0] < 0 ? -fds[0] : -fds[1],
			    RESOLVER_ADDRESS " inside");
	if (setns(home, CLONE_NEWNET) != 0)
		r = err_set(err, ERR_SETUP, errno, "return to the host's network namespace");
	return r;
}

/* ---- the process ---- */

/* The policy's, else the host's. None that can be read: then there is none to ask. */
static void find_upstreams(const struct spec_network *network, char ret[RESOLVER_UPSTREAMS_SIZE])
{
	char text[RESOLV_CONF_MAX];
	size_t len = 0;

	ret[0] = '\0';
	/* One that passes on whatever it is asked is a way out. */
	if (network->reach.is_said && !network->reach.allows && network->reach.n_names == 0)
		return;
	for (size_t i = 0; i < network->n_dns; i++)
		len += str_format(text + len, sizeof(text) - len, "nameserver %s\n",
				  network->dns[i]);
	if (network->n_dns > 0) {
		resolver_read_upstreams(text, ret);
		return;
	}
	if (io_read_text(AT_FDCWD, "/etc/resolv.conf", text, sizeof(text)) >= 0)
		resolver_read_upstreams(text, ret);
}

int resolver_start(struct launch *launch, struct err *err)
{
	char upstreams[RESOLVER_UPSTREAMS_SIZE];
	_cleanup_fd_ int rules_fd = admission_write_rules(&launch->spec->network.reach, err);
	_cleanup_fd_ int notes_fd = reach_open_notes(launch, err);
	_cleanup_fd_ int names_fd = book_open(&launch->network.networks, err);
	_cleanup_fd_ int udp_fd = -EBADF, tcp_fd = -EBADF;
	int fds[2] = {-EBADF, -EBADF};
	struct confined started;
	int r = names_fd < 0   ? names_fd
		: rules_fd < 0 ? rules_fd
		: notes_fd < 0 ? notes_fd
			       : open_sockets(launch, fds, err);

	udp_fd = fds[0];
	tcp_fd = fds[1];
	if (r < 0)
		return r;
	find_upstreams(&launch->spec->network, upstreams);
	r = confined_start(launch,
			   &(struct confined_image){.name = "cordon-resolver",
						    .bytes = resolver_image,
						    .size = resolver_image_size,
						    .what = resolver_what,
						    .args = {launch->run.id, upstreams},
						    .fds = {[RESOLVER_UDP_FD] = udp_fd,
							    [RESOLVER_TCP_FD] = tcp_fd,
							    [RESOLVER_NAMES_FD] = names_fd,
							    [RESOLVER_RULES_FD] = rules_fd,
							    [RESOLVER_NOTES_FD] = notes_fd},
						    .n_fds = RESOLVER_CONTROL_FD},
			   &started, err);
	if (r < 0)
		return r;
	launch->resolver = (struct resolver_process){.pid = started.pid,
						     .pidfd = started.pidfd,
						     .control_fd = started.control_fd,
						     .notes_fd = steal_fd(&notes_fd)};
	return 0;
}

int resolver_await(struct launch *launch, struct err *err)
{
	struct resolver_process *resolver = &launch->resolver;

	resolver->is_confined =
		resolver->pid > 0 &&
		confined_receive(resolver->control_fd, START_MS) == RESOLVER_CONFINED;
	if (resolver->pid > 0 && !resolver->is_confined)
		return err_set(err, ERR_SETUP, 0, "%s did not start", resolver_what);
	return 0;
}

int resolver_verify(struct launch *launch, struct err *err)
{
	if (launch->resolver.pid > 0 && !launch->resolver.is_confined)
		return err_set(err, ERR_SETUP, 0, "%s has not said that it is confined",
			       resolver_what);
	return confined_verify(launch, launch->resolver.pid, resolver_what, err);
}

int resolver_watch_fd(const struct launch *launch)
{
	const struct resolver_process *resolver = &launch->resolver;

	return resolver->pid > 0 && !resolver->is_lost ? resolver->pidfd : -1;
}

void resolver_finish(struct launch *launch)
{
	struct resolver_process *resolver = &launch->resolver;

	if (resolver->pid <= 0)
		return;
	resolver->pid = 0;
	close_fd(&resolver->control_fd);
	ignore_result(confined_end(&resolver->pidfd, FINISH_MS), "nobody asks it any more");
}
