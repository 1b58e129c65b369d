/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The rates of a whole network: flags, and `cordon network update`, which changes them while
 * sandboxes are in it. The record is changed first and then the host, under the store's lock: what
 * a kill in between leaves is put right by the next sandbox that joins, by the same command again,
 * or by `gc`. What the host refuses leaves both as they were.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/network.h"
#include "cmd/print.h"
#include "launcher/fault.h"

/* ---- flags ---- */

static bool is_end_of_rate(const char *value)
{
	return str_equal(value, "unlimited") || str_equal(value, "none") || str_equal(value, "0");
}

static int take_rate(const char *flag, const char *value, bool can_end, struct spec_traffic *ret,
		     struct err *err)
{
	if (can_end && is_end_of_rate(value)) {
		*ret = (struct spec_traffic){.rate_bits = 0};
		return 0;
	}
	if (parse_bit_rate(value, &ret->rate_bits) == 0 && ret->rate_bits >= SPEC_RATE_LEAST &&
	    ret->rate_bits <= SPEC_RATE_MOST)
		return 0;
	err_set(err, ERR_USAGE, 0, "%s %s: is no rate from 8kbit to 100gbit", flag, value);
	return err_hint(err, can_end ? "%s 10mbit, or unlimited" : "%s 10mbit", flag);
}

static int take_burst(const char *flag, const char *value, bool can_end, struct spec_traffic *ret,
		      struct err *err)
{
	if (can_end && str_equal(value, "default")) {
		ret->burst_bytes = 0;
		return 0;
	}
	if (parse_size(value, &ret->burst_bytes) == 0 && ret->burst_bytes >= SPEC_BURST_LEAST &&
	    ret->burst_bytes <= SPEC_BURST_MOST)
		return 0;
	err_set(err, ERR_USAGE, 0, "%s %s: is no size from 2KiB to 256MiB", flag, value);
	return err_hint(err, can_end ? "%s 64KiB, or default" : "%s 64KiB", flag);
}

static bool is_too_much(const struct spec_traffic *traffic)
{
	return traffic->rate_bits != 0 &&
	       traffic->burst_bytes > traffic->rate_bits / 8 * SPEC_BURST_SECONDS;
}

/* What goes together. */
static int check_rates(const struct network *network, struct err *err)
{
	if (is_too_much(&network->egress) || is_too_much(&network->ingress)) {
		err_set(err, ERR_USAGE, 0, "at that rate the burst takes more than %d seconds",
			SPEC_BURST_SECONDS);
		return err_hint(err, "Say a smaller --egress-burst or --ingress-burst as well.");
	}
	if ((network->egress.rate_bits == 0 && network->egress.burst_bytes != 0) ||
	    (network->ingress.rate_bits == 0 && network->ingress.burst_bytes != 0))
		return err_set(err, ERR_USAGE, 0, "a burst takes a rate");
	if (!network->is_own && (network->egress.rate_bits | network->ingress.rate_bits) != 0)
		return err_set(err, ERR_USAGE, 0,
			       "--bridge: it is left as it is; leave --egress-rate and "
			       "--ingress-rate out, or say them for each sandbox");
	return 0;
}

static int take_flag(const char *name, const char *value, bool can_end, struct network *network,
		     struct err *err)
{
	if (str_equal(name, "--egress-rate"))
		return take_rate(name, value, can_end, &network->egress, err);
	if (str_equal(name, "--ingress-rate"))
		return take_rate(name, value, can_end, &network->ingress, err);
	if (str_equal(name, "--egress-burst"))
		return take_burst(name, value, can_end, &network->egress, err);
	if (str_equal(name, "--ingress-burst"))
		return take_burst(name, value, can_end, &network->ingress, err);
	return 0;
}

/* The rates first: one that ends takes the burst of before along, and not one that is said now. */
int network_take_rates(const struct words *words, bool can_end, struct network *network,
		       struct err *err)
{
	static const char *const flags[] = {"--egress-rate", "--ingress-rate", "--egress-burst",
					    "--ingress-burst"};
	int r = 0;

	for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
		for (size_t i = 0; r == 0 && i < words->n_flags; i++)
			if (str_equal(words->flags[i].name, flags[f]))
				r = take_flag(flags[f], words->flags[i].value, can_end, network,
					      err);
	return r == 0 ? check_rates(network, err) : r;
}

/* ---- the host ---- */

/* Where there is no bridge it is given them by the first sandbox that joins. */
static int set_on_host(const struct network *network, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	if (r == 0)
		r = bridge_set_rates(&netlink, network, err);
	netlink_close(&netlink);
	return r;
}

int network_settle_rates(const struct network_place *place, uint32_t *n_settled, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	struct network_list list = {.n = 0};
	struct err last;
	int r = networks_list(&place->networks, &list, err);

	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &netlink, err);
	/* Each by itself: one that cannot be set keeps no other from it. */
	for (size_t i = 0; netlink.fd >= 0 && i < list.n; i++) {
		const struct network *network = &list.list[i];
		int one = network->is_own && network->bridge[0] != '\0'
				  ? bridge_settle_rates(&netlink, network, &last)
				  : 0;

		*n_settled += one > 0;
		if (one < 0)
			*err = last;
		r = one < 0 ? one : r;
	}
	network_list_free(&list);
	netlink_close(&netlink);
	return r;
}

/* ---- the command ---- */

/* The default network's record is made by who needs it first. */
static int write_first(const struct networks *networks, struct network *network, struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	int r = netlink_open(NETLINK_ROUTE, &netlink, err);

	if (r == 0)
		r = bridge_choose(&netlink, networks, network, false, err);
	netlink_close(&netlink);
	return r == 0 ? networks_add(networks, network, err) : r;
}

/* For tests of what a crash leaves. */
static int stop_in_tests(const char *what, struct err *err)
{
	int r = fault_point("network_update", what);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "network_update.%s", what) : 0;
}

static int change(const struct networks *networks, const struct network *before,
		  const struct network *after, struct err *err)
{
	struct err ignored;
	int r = networks_replace(networks, after, err);

	if (r == 0)
		r = stop_in_tests("recorded", err);
	if (r == 0)
		r = set_on_host(after, err);
	if (r == 0)
		return 0;
	ignore_result(networks_replace(networks, before, &ignored), "the first error counts");
	ignore_result(set_on_host(before, &ignored), "likewise");
	return r;
}

/* Needs: the lock. */
static int update_locked(const struct networks *networks, const char *ref,
			 const struct words *words, struct err *err)
{
	struct network before, after;
	int r = networks_find(networks, ref, &before, err);

	if (r < 0)
		return r;
	if (before.driver != NETWORK_BRIDGE) {
		err_set(err, ERR_USAGE, 0, "network %s: has no bridge that could have a rate",
			before.name);
		return err_hint(err, "`cordon network ls` lists those of the driver bridge.");
	}
	after = before;
	r = network_take_rates(words, true, &after, err);
	if (r == 0)
		r = bridge_check_rates(&after, err);
	if (r < 0)
		return r;
	return after.bridge[0] == '\0' ? write_first(networks, &after, err)
				       : change(networks, &before, &after, err);
}

int cmd_network_update(const struct cmd_context *context, int argc, char **argv)
{
	_cleanup_fd_ int lock_fd = -EBADF;
	struct network_place place;
	struct words words;
	struct err err = {0};
	int exit_code, result = 0;
	int r;

	(void)argc;
	if (life_parse("network update", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	r = network_check_root("update", &err);
	if (r == 0 && words.n_flags == 0) {
		err_set(&err, ERR_USAGE, 0, "network update: nothing is said that could change");
		r = err_hint(&err, "cordon network update --egress-rate 10mbit %s", argv[1]);
	}
	if (r == 0)
		r = network_place_open(context, true, &place, &err);
	if (r < 0)
		return life_say(&err);
	lock_fd = networks_lock(&place.networks, &err);
	if (lock_fd < 0)
		result = life_say(&err);
	for (char **word = argv + 1; lock_fd >= 0 && *word != NULL; word++) {
		if (update_locked(&place.networks, *word, &words, &err) < 0)
			result = life_say(&err);
		else
			print_out("%s\n", *word);
	}
	network_place_close(&place);
	return result;
}
