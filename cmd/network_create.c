/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon network create`: flags to a network, which is made on the disk first and then on the
 * host. */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "net/members.h"

struct wish {
	struct network network;
	bool wants_ipv6;
	char lent[FORWARD_TEXT_MAX];
};

/* ---- flags ---- */

static int refuse_driver(const char *driver, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "--driver %s: %s", driver,
		network_driver_of_docker(driver) != NULL ? "is not in this build"
							 : "no such driver");
	return err_hint(err, "There is bridge.");
}

static int take_driver(struct wish *wish, const char *value, struct err *err)
{
	for (int i = 0; i < NETWORK_DRIVERS; i++)
		if (str_equal(network_drivers[i].name, value) && network_drivers[i].can_create) {
			wish->network.driver = (enum network_driver)i;
			return 0;
		}
	if (str_equal(value, "host") || str_equal(value, "null"))
		return err_set(err, ERR_USAGE, 0, "--driver %s: there is one such network already",
			       value);
	return refuse_driver(value, err);
}

static bool is_ipv6(const char *text)
{
	return strchr(text, ':') != NULL;
}

static int take_subnet(struct wish *wish, const char *value, struct err *err)
{
	struct net_prefix *subnet = is_ipv6(value) ? &wish->network.subnet6 : &wish->network.subnet;

	if (subnet->family != 0)
		return err_set(err, ERR_USAGE, 0, "--subnet %s: a second one of its family", value);
	if (address_parse_prefix(value, subnet) < 0) {
		err_set(err, ERR_USAGE, 0, "--subnet %s: is no subnet", value);
		return err_hint(err, "--subnet 10.99.0.0/24");
	}
	return 0;
}

static int take_gateway(struct wish *wish, const char *value, struct err *err)
{
	struct net_prefix *gateway =
		is_ipv6(value) ? &wish->network.gateway6 : &wish->network.gateway;

	if (gateway->family != 0)
		return err_set(err, ERR_USAGE, 0, "--gateway %s: a second one of its family",
			       value);
	if (address_parse(value, gateway) < 0) {
		err_set(err, ERR_USAGE, 0, "--gateway %s: is no address", value);
		return err_hint(err, "--gateway 10.99.0.1");
	}
	return 0;
}

static int take_range(struct wish *wish, const char *value, struct err *err)
{
	if (is_ipv6(value) || address_parse_prefix(value, &wish->network.range) < 0) {
		err_set(err, ERR_USAGE, 0, "--ip-range %s: is no subnet of IPv4", value);
		return err_hint(err, "--ip-range 10.99.0.128/25");
	}
	return 0;
}

static int take_mtu(struct wish *wish, const char *value, struct err *err)
{
	if (parse_u32(value, &wish->network.mtu) < 0 || wish->network.mtu < LINK_MTU_LEAST ||
	    wish->network.mtu > LINK_MTU_MOST)
		return err_set(err, ERR_USAGE, 0, "--mtu %s: is no number from %d to %d", value,
			       LINK_MTU_LEAST, LINK_MTU_MOST);
	return 0;
}

static int take_bridge(struct wish *wish, const char *value, struct err *err)
{
	if (value[0] == '\0' || strlen(value) >= sizeof(wish->network.bridge) ||
	    strpbrk(value, "/ \t\n") != NULL || value[0] == '.')
		return err_set(err, ERR_USAGE, 0, "--bridge %s: no link can be called that", value);
	str_format(wish->network.bridge, sizeof(wish->network.bridge), "%s", value);
	wish->network.is_own = false;
	return 0;
}

static int take_label(struct wish *wish, const char *value, struct err *err)
{
	int r = network_add_label(&wish->network, value);

	if (r == -ENOSPC)
		return err_set(err, ERR_USAGE, 0, "--label: more than %d bytes of them",
			       NETWORK_LABELS_MAX);
	if (r < 0) {
		err_set(err, ERR_USAGE, 0, "--label %s: no such label", value);
		return err_hint(err, "NAME=VALUE, one line; the name has no blanks.");
	}
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct wish *wish, const char *value, struct err *err);
} takers[] = {
	{"--driver", take_driver},  {"--subnet", take_subnet}, {"--gateway", take_gateway},
	{"--ip-range", take_range}, {"--mtu", take_mtu},       {"--bridge", take_bridge},
	{"--label", take_label},
};

static int take_flags(struct wish *wish, const struct words *words, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < words->n_flags; i++)
		for (size_t t = 0; r == 0 && t < sizeof(takers) / sizeof(takers[0]); t++)
			if (str_equal(words->flags[i].name, takers[t].name))
				r = takers[t].take(wish, words->flags[i].value, err);
	if (r < 0)
		return r;
	wish->network.is_internal = words_has(words, "--internal");
	wish->network.icc = words_has(words, "--icc") || !words_said(words, "--icc");
	wish->wants_ipv6 = words_has(words, "--ipv6") || wish->network.subnet6.family != 0;
	/* An admin's bridge says these itself. */
	if (!wish->network.is_own && (wish->network.subnet.family | wish->network.subnet6.family |
				      wish->network.gateway.family | wish->network.gateway6.family))
		return err_set(err, ERR_USAGE, 0,
			       "--bridge: its addresses are the subnet and the gateway; leave "
			       "--subnet and --gateway out");
	if (wish->network.is_own && wish->network.subnet.family == 0 &&
	    (wish->network.gateway.family | wish->network.range.family) != 0)
		return err_set(err, ERR_USAGE, 0, "--gateway and --ip-range take a --subnet");
	return network_take_rates(words, false, &wish->network, err);
}

/* The default network is there without being made; but whether its sandboxes reach one another can
 * be said (Docker's daemon has --icc). */
static int take_default(struct wish *wish, const struct words *words, struct err *err)
{
	wish->network = *network_built_in(SPEC_DEFAULT_NETWORK);
	for (size_t i = 0; i < words->n_flags; i++)
		if (!str_equal(words->flags[i].name, "--icc"))
			return err_set(
				err, ERR_USAGE, EPERM,
				"network create: of %s, which is built in, only --icc can be "
				"said",
				SPEC_DEFAULT_NETWORK);
	wish->network.icc = words_has(words, "--icc");
	return 0;
}

static int read_wish(const char *name, const struct words *words, struct wish *ret, struct err *err)
{
	*ret = (struct wish){.network = {.driver = NETWORK_BRIDGE, .is_own = true}};
	if (!network_is_name(name) || str_equal(name, "default")) {
		err_set(err, ERR_USAGE, 0, "network create: %s cannot be a network's name", name);
		return err_hint(err,
				"It has letters, digits and _.- behind a letter or digit, at "
				"most %d; `default` is another word for bridge.",
				NETWORK_NAME_MAX);
	}
	if (str_equal(name, SPEC_DEFAULT_NETWORK) && words_said(words, "--icc"))
		return take_default(ret, words, err);
	if (network_built_in(name) != NULL)
		return err_set(err, ERR_USAGE, EEXIST, "network create: %s is built in", name);
	str_format(ret->network.name, sizeof(ret->network.name), "%s", name);
	return take_flags(ret, words, err);
}

/* ---- making ---- */

/* On the disk first: a kill in between leaves a network whose first use makes its bridge. */
static int make_locked(struct netlink *netlink, const struct networks *networks, struct wish *wish,
		       struct err *err)
{
	struct network *network = &wish->network, other;
	struct net_link link;
	struct err ignored;
	int r = networks_read(networks, network->name, &other, err);

	/* Anew, where nobody is in it. */
	if (r == 0 && network->is_built_in) {
		r = network_remove_unused(networks, &other, err);
		if (r < 0)
			return r;
		r = -ENOENT;
	}
	if (r == 0) {
		err_set(err, ERR_USAGE, EEXIST, "network %s", network->name);
		return err_hint(err, "`cordon network rm %s` removes it.", network->name);
	}
	if (r != -ENOENT)
		return r;
	r = network->is_own ? 0 : bridge_adopt(netlink, network, wish->wants_ipv6, err);
	if (network->mtu == 0)
		network->mtu = NETWORK_MTU_DEFAULT;
	if (r == 0)
		r = bridge_choose(netlink, networks, network, wish->wants_ipv6, err);
	if (r == 0)
		r = networks_add(networks, network, err);
	if (r < 0)
		return r;
	r = bridge_ensure(netlink, network, &link, wish->lent, err);
	/* They are: nobody runs in it yet. */
	r = r > 0 ? 0 : r;
	if (r == 0 && wish->lent[0] != '\0')
		r = members_note_lent(networks, err);
	if (r == 0)
		return 0;
	ignore_result(bridge_remove(netlink, network, &ignored), "the first error counts");
	ignore_result(members_note_lent(networks, &ignored), "likewise");
	ignore_result(networks_remove(networks, network->name, &ignored), "likewise");
	return r;
}

static int make(const struct network_place *place, struct wish *wish, struct err *err)
{
	_cleanup_fd_ int lock_fd = networks_lock(&place->networks, err);
	struct netlink netlink = {.fd = -EBADF};
	uint32_t n_swept = 0;
	int r = lock_fd < 0 ? lock_fd : netlink_open(NETLINK_ROUTE, &netlink, err);

	if (r == 0)
		r = members_restore(place->run, &place->networks, err);
	/* Addresses of sandboxes that are gone keep nobody in it. */
	if (r == 0 && wish->network.is_built_in)
		r = network_sweep(place, &n_swept, err);
	if (r == 0)
		r = make_locked(&netlink, &place->networks, wish, err);
	netlink_close(&netlink);
	return r;
}

int cmd_network_create(const struct cmd_context *context, int argc, char **argv)
{
	struct network_place place;
	struct words words;
	struct wish wish = {.wants_ipv6 = false};
	struct err err = {0};
	int exit_code, n, r;

	(void)argc;
	n = life_parse("network create", argv, 1, &words, &exit_code);
	if (n < 0)
		return exit_code;
	if (n > 1) {
		print_note("network create takes one name, but was given %s as well", argv[2]);
		return EXIT_CORDON;
	}
	r = network_check_root("create", &err);
	if (r == 0)
		r = read_wish(argv[1], &words, &wish, &err);
	if (r == 0 && !wish.network.is_built_in && state_make_id(wish.network.id) < 0)
		r = err_set(&err, ERR_SETUP, EIO, "random number");
	if (r == 0)
		r = network_place_open(context, true, &place, &err);
	if (r < 0)
		return life_say(&err);
	wish.network.created_ms = record_now_ms();
	r = make(&place, &wish, &err);
	network_place_close(&place);
	if (r < 0)
		return life_say(&err);
	network_say_lent(wish.lent);
	print_out("%s\n", wish.network.id);
	return 0;
}
