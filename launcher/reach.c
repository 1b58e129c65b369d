/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See reach.h. */
#include "launcher/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "launcher/launch.h"

bool reach_is_listed(const struct decision *decision)
{
	return network_is_wanted(decision) && decision->spec.network.reach.is_said;
}

/* ---- the row ---- */

int reach_list(struct launch *launch, struct err *err)
{
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	launch->network.egress.is_counted = true;
	if (r == 0)
		r = egress_list_denials(&nft, &launch->network.egress, err);
	netlink_close(&nft);
	return r;
}

int reach_verify_list(struct launch *launch, struct err *err)
{
	struct egress egress = launch->network.egress;
	struct netlink nft = {.fd = -EBADF};
	int r = netlink_open(NETLINK_NETFILTER, &nft, err);

	/* Whatever the row did. */
	egress.is_counted = true;
	if (r == 0)
		r = egress_verify_listing(&nft, &egress, err);
	netlink_close(&nft);
	return r;
}

/* ---- the resolver's notes ---- */

int reach_open_notes(const struct launch *launch, struct err *err)
{
	const struct spec_egress *reach = &launch->spec->network.reach;
	_cleanup_fd_ int fd = memfd_create("cordon-notes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const uint32_t is_wanted = reach->is_said && !reach->allows;

	if (fd < 0 || ftruncate(fd, sizeof(struct resolver_notes)) != 0 ||
	    pwrite(fd, &is_wanted, sizeof(is_wanted), offsetof(struct resolver_notes, is_wanted)) !=
		    sizeof(is_wanted) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		return err_set(err, ERR_SETUP, errno, "network.egress: notes of the resolver");
	return steal_fd(&fd);
}

/* A host's name in small letters, with its NUL: the worker may have been taken over. */
static bool is_sound(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strnlen(name, RESOLVER_NOTED_NAME_MAX);

	return len > 0 && len < RESOLVER_NOTED_NAME_MAX && strspn(name, letters) == len;
}

static void read_notes(int fd, struct resolver_notes *ret)
{
	uint32_t n = 0;

	if (fd < 0 || pread(fd, ret, sizeof(*ret), 0) != (ssize_t)sizeof(*ret) ||
	    ret->n_refused > RESOLVER_REFUSED_MAX || ret->n_known > RESOLVER_KNOWN_MAX) {
		memset(ret, 0, sizeof(*ret));
		return;
	}
	for (uint32_t i = 0; i < ret->n_refused; i++)
		if (is_sound(ret->refused[i].name))
			ret->refused[n++] = ret->refused[i];
	ret->n_refused = n;
	n = 0;
	for (uint32_t i = 0; i < ret->n_known; i++)
		if (is_sound(ret->known[i].name))
			ret->known[n++] = ret->known[i];
	ret->n_known = n;
}

void reach_finish(struct launch *launch, struct reach_denials *ret)
{
	struct netlink nft = {.fd = -EBADF};
	struct err ignored;
	int r;

	if (ret != NULL && reach_is_listed(launch->decision)) {
		memset(ret, 0, sizeof(*ret));
		read_notes(launch->resolver.notes_fd, &ret->names);
		r = netlink_open(NETLINK_NETFILTER, &nft, &ignored);
		if (r == 0)
			r = egress_read_denials(&nft, launch->run.id, &ret->sent, &ignored);
		ret->is_lost = r < 0;
		netlink_close(&nft);
	}
	close_fd(&launch->resolver.notes_fd);
}

/* ---- in words ---- */

static const char *find_name(const struct resolver_notes *notes, const struct net_prefix *address)
{
	/* The latest that was said. */
	for (uint32_t i = notes->n_known; i > 0; i--) {
		const struct resolver_known *known = &notes->known[i - 1];

		if ((known->is_ipv6 != 0) == (address->family == AF_INET6) &&
		    memcmp(known->address, address->bytes, address_bits(address) / 8U) == 0)
			return known->name;
	}
	return NULL;
}

static bool is_named(const struct spec_egress_rule *rules, size_t n,
		     const struct egress_denial *denial)
{
	for (size_t i = 0; i < n; i++) {
		struct net_prefix prefix = {.family = rules[i].family, .length = rules[i].length};

		memcpy(prefix.bytes, rules[i].address, sizeof(prefix.bytes));
		if ((rules[i].protocol == 0 || rules[i].protocol == denial->protocol) &&
		    rules[i].first <= denial->port && denial->port <= rules[i].last &&
		    address_is_within(&denial->address, &prefix))
			return true;
	}
	return false;
}

static bool is_of_rule(const char *rule, const char *name)
{
	size_t len = strlen(rule), n = strlen(name);

	if (rule[0] != '*')
		return str_equal(rule, name);
	return n > len - 1 && str_equal(name + n - (len - 1), rule + 1);
}

/* It was allowed as long as the name server's answer held. */
static bool is_allowed_by_name(const struct spec_egress *reach, const char *name,
			       const struct egress_denial *denial)
{
	for (size_t i = 0; name != NULL && i < reach->n_names; i++) {
		const struct spec_egress_group *group = &reach->groups[reach->names[i].group];

		if (is_of_rule(reach->names[i].name, name) && group->protocol == denial->protocol &&
		    group->first <= denial->port && denial->port <= group->last)
			return true;
	}
	return false;
}

static void name_protocol(uint8_t protocol, char buf[16])
{
	static const struct {
		uint8_t number;
		const char *name;
	} known[] = {{IPPROTO_TCP, "tcp"},
		     {IPPROTO_UDP, "udp"},
		     {IPPROTO_ICMP, "icmp"},
		     {IPPROTO_ICMPV6, "icmpv6"},
		     {IPPROTO_SCTP, "sctp"}};

	str_format(buf, 16, "%u", protocol);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == protocol)
			str_format(buf, 16, "%s", known[i].name);
}

void reach_describe(const struct sandbox_spec *spec, const struct reach_denials *denials, size_t i,
		    struct reach_view *ret)
{
	const struct egress_denial *denial = &denials->sent.list[i];
	const struct spec_egress *reach = &spec->network.reach;
	const char *host;

	*ret = (struct reach_view){.name = find_name(&denials->names, &denial->address)};
	address_format(&denial->address, ret->address);
	name_protocol(denial->protocol, ret->protocol);
	host = ret->name != NULL && reach->n_names > 0 ? ret->name : ret->address;
	if (is_named(reach->deny, reach->n_deny, denial))
		ret->why = "network.egress.deny names it";
	else if (denial->protocol != IPPROTO_TCP && denial->protocol != IPPROTO_UDP)
		ret->why = "rules allow TCP and UDP alone";
	else if (denial->port == 0)
		ret->why = "it has no port";
	else if (denial->is_closed)
		ret->why = "the host's services, other networks, and what an internal network "
			   "does not lead to are out of reach, whatever is allowed";
	else if (is_named(reach->allow, reach->n_allow, denial))
		ret->why = "it is allowed, but not with options of IPv4 or in fragments";
	else if (is_allowed_by_name(reach, ret->name, denial))
		ret->why = "it is allowed by its name, which has to be asked for again when the "
			   "answer's time is over";
	else
		str_format(ret->rule, sizeof(ret->rule), "%s%s%s:%u%s",
			   strchr(host, ':') != NULL ? "[" : "", host,
			   strchr(host, ':') != NULL ? "]" : "", denial->port,
			   denial->protocol == IPPROTO_UDP ? "/udp" : "");
}
