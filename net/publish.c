/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See publish.h. */
#include "net/publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "net/nft_list.h"
#include "net/nft_rules.h"
#include "net/socket_owner.h"

enum { TRIES = 16, BACKLOG = 128 };

static const char what[] = "nftables, published ports";

void publish_init(struct publish *publish)
{
	publish->n = 0;
}

void publish_release(struct publish *publish)
{
	publish_release_loops(publish);
	for (size_t i = 0; i < publish->n; i++)
		for (size_t k = 0; k < 2; k++)
			close_fd(&publish->list[i].fds[k]);
	publish->n = 0;
}

void publish_release_loops(struct publish *publish)
{
	for (size_t i = 0; i < publish->n; i++)
		for (size_t k = 0; k < 2; k++)
			close_fd(&publish->list[i].loop_fds[k]);
}

static bool is_loopback(int family, const uint8_t address[16])
{
	static const uint8_t one[16] = {[15] = 1};

	return (family == AF_INET && address[0] == 127) ||
	       (family == AF_INET6 && memcmp(address, one, sizeof(one)) == 0);
}

bool publish_is_looped(const struct spec_network *network)
{
	for (size_t i = 0; i < network->n_publish; i++)
		if (network->publish[i].family == 0 ||
		    is_loopback(network->publish[i].family, network->publish[i].address))
			return true;
	return false;
}

const char *publish_protocol(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : "tcp";
}

void publish_outside(const struct publish_port *port, char buf[PUBLISH_TEXT_MAX])
{
	char text[ADDRESS_TEXT_MAX];

	address_format(&port->address, text);
	str_format(buf, PUBLISH_TEXT_MAX, port->address.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		   text, port->host);
}

/* ---- elements ---- */

static const char *set_of(const struct publish_port *port, int family)
{
	if (port->address.family == 0)
		return family == AF_INET ? NFT_ANY4 : NFT_ANY6;
	if (is_loopback(family, port->address.bytes))
		return family == AF_INET ? NFT_RELAYED4 : NFT_RELAYED6;
	return family == AF_INET ? NFT_PUBLISHED4 : NFT_PUBLISHED6;
}

/* Of IPv6 where it has none, which the relay alone can do: ::ffff:a.b.c.d. */
static struct net_prefix target_of(const struct publish *publish, int family)
{
	struct net_prefix mapped = {.family = AF_INET6,
				    .length = 128,
				    .bytes = {[10] = 0xff, 0xff}};

	if (family == AF_INET)
		return publish->target;
	if (publish->target6.family != 0)
		return publish->target6;
	memcpy(mapped.bytes + 12, publish->target.bytes, 4);
	return mapped;
}

static void element_of(const struct publish *publish, const struct publish_port *port, int family,
		       struct nft_element *ret)
{
	struct net_prefix target = target_of(publish, family);

	*ret = (struct nft_element){.family = NFT_FAMILY_HOST, .set = set_of(port, family)};
	nft_value_protocol(&ret->key, port->protocol);
	if (port->address.family != 0)
		nft_value_address(&ret->key, &port->address);
	nft_value_port(&ret->key, port->host);
	nft_value_address(&ret->data, &target);
	nft_value_port(&ret->data, port->inside);
}

static bool has_element(const struct publish *publish, const struct publish_port *port, int family)
{
	if (port->address.family != 0)
		return port->address.family == family;
	return family == AF_INET || publish->target6.family != 0;
}

struct element_walk {
	const struct publish *publish;
	size_t at;
	bool is_second;
};

static bool next_element(struct element_walk *walk, struct nft_element *ret)
{
	while (walk->at < walk->publish->n) {
		const struct publish_port *port = &walk->publish->list[walk->at];
		int family = walk->is_second ? AF_INET6 : AF_INET;

		walk->at += walk->is_second;
		walk->is_second = !walk->is_second;
		if (has_element(walk->publish, port, family)) {
			element_of(walk->publish, port, family, ret);
			return true;
		}
	}
	return false;
}

static int change(struct netlink *nft, const struct publish *publish, const char *owner,
		  struct err *err)
{
	struct element_walk walk = {.publish = publish};
	struct netlink_batch batch = {.len = 0};
	struct nft_element element;
	/* Without an owner they are taken out. */
	uint16_t message = owner != NULL ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;

	nft_add_bound(&batch, NFNL_MSG_BATCH_BEGIN, NULL);
	while (next_element(&walk, &element)) {
		element.owner = owner;
		nft_add_element(&batch, message, owner != NULL ? NLM_F_EXCL : 0, &element);
	}
	nft_add_bound(&batch, NFNL_MSG_BATCH_END, NULL);
	return netlink_do_batch(nft, &batch, what, err);
}

int publish_begin(struct netlink *nft, const struct publish *publish, const char *owner,
		  struct err *err)
{
	uint32_t n_removed = 0;
	int r = publish->n > 0 ? change(nft, publish, owner, err) : 0;

	if (r != -EEXIST)
		return r;
	/* Nobody has the ports, or they could not be held: it is what a crash has left. */
	r = nft_sweep(nft, &n_removed, err);
	return r == 0 ? change(nft, publish, owner, err) : r;
}

int publish_end(struct netlink *nft, const struct publish *publish, struct err *err)
{
	int r = publish->n > 0 ? change(nft, publish, NULL, err) : 0;

	/* Somebody has taken out one of them, or the tables: what is left goes one by one. */
	for (size_t i = 0; r == -ENOENT && i < publish->n; i++) {
		struct publish one = {.list = {publish->list[i]},
				      .n = 1,
				      .target = publish->target,
				      .target6 = publish->target6};
		int each = change(nft, &one, NULL, err);

		if (each < 0 && each != -ENOENT)
			return each;
	}
	return r == -ENOENT ? 0 : r;
}

int publish_verify(struct netlink *nft, const struct publish *publish, struct err *err)
{
	struct element_walk walk = {.publish = publish};
	struct nft_element element;

	while (next_element(&walk, &element)) {
		int r = nft_has_element(nft, &element, err);

		if (r <= 0)
			return r < 0 ? r
				     : err_set(err, ERR_SETUP, 0, "%s: read back: not in %s", what,
					       element.set);
	}
	return 0;
}

/* ---- whose they are ---- */

static const char *const sets[] = {NFT_PUBLISHED4, NFT_ANY4,     NFT_PUBLISHED6,
				   NFT_ANY6,       NFT_RELAYED4, NFT_RELAYED6};

static uint16_t port_at(const struct nft_value *value, size_t at)
{
	return (uint16_t)(value->bytes[at] << 8 | value->bytes[at + 1]);
}

/* protocol, address or none, port: each of whole words. */
static uint16_t port_of(const struct nft_value *value)
{
	return value->len >= 8 ? port_at(value, value->len - 4) : 0;
}

struct owner_search {
	uint8_t protocol;
	uint16_t port;
	char *ret;
	size_t size;
};

static void look_for_owner(void *ctx, const struct nft_element *element)
{
	struct owner_search *search = ctx;
	const char *name = element->owner != NULL ? strchr(element->owner, ' ') : NULL;

	if (name != NULL && element->key.bytes[0] == search->protocol &&
	    port_of(&element->key) == search->port)
		str_format(search->ret, search->size, "%s", name + 1);
}

static void find_sandbox(const struct publish_port *port, char *ret, size_t size)
{
	struct owner_search search = {.protocol = port->protocol,
				      .port = port->host,
				      .ret = ret,
				      .size = size};
	const struct nft_visitor visitor = {.each = look_for_owner, .ctx = &search};
	struct netlink nft = {.fd = -EBADF};
	struct err ignored;

	ret[0] = '\0';
	if (netlink_open(NETLINK_NETFILTER, &nft, &ignored) < 0)
		return;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		ignore_result(nft_walk(&nft, NFT_FAMILY_HOST, sets[i], &visitor, &ignored),
			      "a name for an error that there is anyway");
	netlink_close(&nft);
}

static void tell_one(void *ctx, const struct nft_element *element)
{
	const struct publish_reader *reader = ctx;
	bool is_ipv6 = element->data.len == 20;
	struct publish_port port = {.address = {.family = is_ipv6 ? AF_INET6 : AF_INET,
						.length = is_ipv6 ? 128 : 32},
				    .protocol = element->key.bytes[0],
				    .host = port_of(&element->key),
				    .inside = port_of(&element->data),
				    .fds = {-EBADF, -EBADF}};

	if (element->owner == NULL || (element->data.len != 8 && !is_ipv6))
		return;
	if (element->key.len == 8U + port.address.length / 8U)
		memcpy(port.address.bytes, element->key.bytes + 4, port.address.length / 8U);
	reader->each(reader->ctx, element->owner, &port);
}

int publish_walk(struct netlink *nft, const struct publish_reader *reader, struct err *err)
{
	const struct nft_visitor visitor = {.each = tell_one, .ctx = (void *)reader};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(sets) / sizeof(sets[0]); i++)
		r = nft_walk(nft, NFT_FAMILY_HOST, sets[i], &visitor, err);
	return r == -ENOENT ? 0 : r;
}

/* ---- sockets ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t address_for(const struct net_prefix *ip, uint16_t port, union address *ret)
{
	*ret = (union address){.any = {.sa_family = AF_UNSPEC}};
	if (ip->family == AF_INET) {
		ret->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&ret->in.sin_addr, ip->bytes, 4);
		return sizeof(ret->in);
	}
	ret->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&ret->in6.sin6_addr, ip->bytes, 16);
	return sizeof(ret->in6);
}

static int make_socket(const struct publish_port *port, int family)
{
	int type = port->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	_cleanup_fd_ int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int yes = 1;

	if (fd < 0 || (family == AF_INET6 &&
		       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0))
		return -errno;
	return steal_fd(&fd);
}

static int set_reuse(int fd, int value)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value)) != 0 ? -errno : 0;
}

/* Connections that have ended keep their port for a minute (TIME-WAIT), and let who allows sharing
 * have it, as they did; nobody else who has it does. */
static int bind_to(const struct publish_port *port, int fd, const union address *address,
		   socklen_t len)
{
	int r = bind(fd, &address->any, len) != 0 ? -errno : 0;

	if (r != -EADDRINUSE || port->protocol != IPPROTO_TCP)
		return r;
	r = set_reuse(fd, 1);
	if (r == 0 && bind(fd, &address->any, len) != 0)
		r = -errno;
	return r;
}

static int listen_at(const struct publish_port *port, int fd)
{
	if (port->protocol != IPPROTO_TCP)
		return 0;
	if (listen(fd, BACKLOG) != 0)
		return -errno;
	/* What is accepted has it from here. */
	return set_reuse(fd, 1);
}

/* Of UDP with nobody but the same user (socket(7), SO_REUSEPORT). Of TCP SO_REUSEADDR as well
 * leaves a port to what has ended there lately, and whoever else has it keeps us from listening. */
static int share(const struct publish_port *port, int fd, int value)
{
	if (port->protocol == IPPROTO_TCP)
		return set_reuse(fd, value);
	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof(value)) != 0 ? -errno : 0;
}

/* Beside the socket that holds the port at any address, which has to allow it for a moment. */
static int hold_loop(struct publish_port *port, int family)
{
	struct net_prefix one = {.family = family};
	_cleanup_fd_ int fd = make_socket(port, family);
	int held = port->fds[family == AF_INET6];
	union address address;
	socklen_t len;
	int r;

	if (fd < 0)
		return fd;
	one.bytes[family == AF_INET ? 0 : 15] = family == AF_INET ? 127 : 1;
	one.bytes[3] = family == AF_INET;
	len = address_for(&one, port->host, &address);
	r = share(port, held, 1);
	if (r == 0)
		r = share(port, fd, 1);
	if (r == 0 && bind(fd, &address.any, len) != 0)
		r = -errno;
	if (r == 0)
		r = listen_at(port, fd);
	if (r == 0)
		port->loop_fds[family == AF_INET6] = steal_fd(&fd);
	return r;
}

/* Returns 0 or -errno; where any port will do, which it is. */
static int hold_one(struct publish_port *port, int family)
{
	bool is_loop = is_loopback(port->address.family, port->address.bytes);
	const struct net_prefix any = {.family = family};
	int fd = make_socket(port, family);
	union address address;
	socklen_t len = address_for(port->address.family != 0 ? &port->address : &any, port->host,
				    &address);
	int r;

	if (fd < 0)
		return fd;
	*(is_loop ? &port->loop_fds[family == AF_INET6] : &port->fds[family == AF_INET6]) = fd;
	r = bind_to(port, fd, &address, len);
	if (r == 0 && getsockname(fd, &address.any, &len) != 0)
		r = -errno;
	if (r < 0)
		return r;
	port->host = ntohs(family == AF_INET ? address.in.sin_port : address.in6.sin6_port);
	if (is_loop)
		return listen_at(port, fd);
	if (port->address.family == 0)
		r = hold_loop(port, family);
	return r == 0 ? share(port, fd, 0) : r;
}

static int hold(struct publish *publish, struct publish_port *port)
{
	bool is_random = port->host == 0;
	int r = -EADDRINUSE;

	for (int i = 0; r == -EADDRINUSE && i < (is_random ? TRIES : 1); i++) {
		port->host = is_random ? 0 : port->host;
		r = 0;
		if (has_element(publish, port, AF_INET))
			r = hold_one(port, AF_INET);
		if (r == 0 && has_element(publish, port, AF_INET6))
			r = hold_one(port, AF_INET6);
		for (size_t k = 0; r < 0 && k < 2; k++) {
			close_fd(&port->fds[k]);
			close_fd(&port->loop_fds[k]);
		}
	}
	return r;
}

/* By another of the same sandbox's, which has it by now. */
static bool is_said_before(const struct publish *publish, const struct publish_port *port)
{
	for (const struct publish_port *other = publish->list; other < port; other++)
		if (other->protocol == port->protocol && other->host == port->host &&
		    (other->address.family == 0 || port->address.family == 0 ||
		     address_equal(&other->address, &port->address)))
			return true;
	return false;
}

static int explain(const struct publish *publish, const struct publish_port *port, int r,
		   struct err *err)
{
	struct publish_port said = *port;
	char outside[PUBLISH_TEXT_MAX], name[128];

	if (said.address.family == 0)
		said.address = (struct net_prefix){.family = AF_INET, .length = 32};
	publish_outside(&said, outside);
	err_set(err, ERR_SETUP, -r, "port %s/%s", outside, publish_protocol(port->protocol));
	if (r == -EADDRNOTAVAIL)
		return err_hint(err, "The host has no such address: ip address show.");
	if (r != -EADDRINUSE)
		return r;
	if (is_said_before(publish, port))
		return err_hint(err, "It is named twice: a port of the host's leads to one port of "
				     "the sandbox.");
	find_sandbox(port, name, sizeof(name));
	if (name[0] != '\0')
		return err_hint(err, "It is published by sandbox %s.", name);
	if (socket_find_owner(port->protocol, port->host, name, sizeof(name)))
		return err_hint(err, "It is taken by process %s.", name);
	return err_hint(err, "Somebody on the host has it: ss -lntup.");
}

int publish_hold(struct publish *publish, const struct spec_network *network,
		 const struct lease *lease, struct err *err)
{
	publish->target = lease->address;
	publish->target6 = lease->address6;
	for (size_t i = 0; i < network->n_publish; i++) {
		const struct spec_publish *wanted = &network->publish[i];
		struct publish_port *port = &publish->list[publish->n++];
		int r;

		*port = (struct publish_port){.address = {.family = wanted->family},
					      .protocol = wanted->protocol,
					      .host = wanted->host,
					      .inside = wanted->inside,
					      .fds = {-EBADF, -EBADF},
					      .loop_fds = {-EBADF, -EBADF}};
		memcpy(port->address.bytes, wanted->address, sizeof(wanted->address));
		port->address.length = address_bits(&port->address);
		if (wanted->family == AF_INET6 && lease->address6.family == 0 &&
		    !is_loopback(AF_INET6, wanted->address))
			return err_set(
				err, ERR_SETUP, EAFNOSUPPORT,
				"network.publish: an address of IPv6, and a network without");
		r = hold(publish, port);
		if (r < 0)
			return explain(publish, port, r, err);
	}
	return 0;
}
