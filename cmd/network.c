/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon network rm` and `prune`, and what the commands of networks share; see network.h. */
#include "cmd/network.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "net/members.h"

/* ---- the place ---- */

int network_place_open(const struct cmd_context *context, bool makes, struct network_place *ret,
		       struct err *err)
{
	const struct state_owner owner = {.root_dir = context->root_dir,
					  .euid = geteuid(),
					  .environment = context->environment,
					  .home = cmd_variable(context, "HOME")};
	int r = state_kept_path(&owner, ret->state, sizeof(ret->state), err);

	if (r == -ENOENT) {
		err_set(err, ERR_USAGE, 0, "no place for what is kept: HOME is not set");
		return err_hint(err, "Set HOME or XDG_DATA_HOME, or name one: cordon --root DIR.");
	}
	if (r == 0)
		r = state_root_path(context->root_dir, owner.euid,
				    cmd_variable(context, "XDG_RUNTIME_DIR"), ret->run,
				    sizeof(ret->run), err);
	return r == 0 ? networks_open(ret->state, makes, &ret->networks, err) : r;
}

void network_place_close(struct network_place *place)
{
	networks_release(&place->networks);
}

int network_check_root(const char *command, struct err *err)
{
	if (geteuid() == 0)
		return 0;
	err_set(err, ERR_USAGE, EPERM, "network %s: takes root in this build", command);
	return err_hint(err, "Type it again as root, with sudo in front.");
}

int network_sweep(const struct network_place *place, uint32_t *n_removed, struct err *err)
{
	return cordon_sweep_networks(&place->networks, place->run, place->state, n_removed, err);
}

void network_say_lent(const char *links)
{
	if (links[0] != '\0')
		print_note(
			"forwarding was off, and is switched on for %s: for networks of cordon's "
			"alone, until the last of them with a way out is removed",
			links);
}

/* ---- filters ---- */

static const char *filter_value(const char *filter, const char *key)
{
	size_t len = strlen(key);

	return strncmp(filter, key, len) == 0 && filter[len] == '=' ? filter + len + 1 : NULL;
}

int network_check_filters(const struct words *words, const char *const *keys, struct err *err)
{
	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = words->flags[i].value;
		bool is_known = false;

		if (!str_equal(words->flags[i].name, "--filter"))
			continue;
		for (size_t k = 0; keys[k] != NULL; k++)
			is_known = is_known || (filter_value(value, keys[k]) != NULL &&
						filter_value(value, keys[k])[0] != '\0');
		if (!is_known) {
			err_set(err, ERR_USAGE, 0, "--filter %s: no such filter", value);
			return err_hint(err, "`cordon help network %s` lists them.",
					keys[1] != NULL ? "ls" : "prune");
		}
	}
	return 0;
}

static bool has_label(const struct network *network, const char *wanted)
{
	const char *label;
	size_t at = 0, len = strcspn(wanted, "=");

	while ((label = network_next_label(network, &at)) != NULL)
		if (wanted[len] == '=' ? str_equal(label, wanted)
				       : strncmp(label, wanted, len) == 0 && label[len] == '=')
			return true;
	return false;
}

static bool matches(const struct network *network, const char *key, const char *value)
{
	if (str_equal(key, "driver"))
		return str_equal(network_drivers[network->driver].name, value);
	if (str_equal(key, "id"))
		return str_has_prefix(network->id, value);
	if (str_equal(key, "name"))
		return strstr(network->name, value) != NULL;
	return str_equal(value, network->is_built_in ? "builtin" : "custom");
}

bool network_is_chosen(const struct network *network, const struct words *words)
{
	static const char *const alternatives[] = {"driver", "id", "name", "type"};
	bool is_chosen = true;

	for (size_t k = 0; k < sizeof(alternatives) / sizeof(alternatives[0]); k++) {
		bool is_asked = false, is_one = false;

		for (size_t i = 0; i < words->n_flags; i++) {
			const char *value =
				str_equal(words->flags[i].name, "--filter")
					? filter_value(words->flags[i].value, alternatives[k])
					: NULL;

			is_asked = is_asked || value != NULL;
			is_one = is_one ||
				 (value != NULL && matches(network, alternatives[k], value));
		}
		is_chosen = is_chosen && (!is_asked || is_one);
	}
	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = str_equal(words->flags[i].name, "--filter")
					    ? filter_value(words->flags[i].value, "label")
					    : NULL;

		is_chosen = is_chosen && (value == NULL || has_label(network, value));
	}
	return is_chosen;
}

/* ---- removing ---- */

struct users {
	char first[LEASE_HOLDER_MAX];
	size_t n;
};

static int count_user(void *ctx, const char *address, const char *holder)
{
	struct users *users = ctx;

	(void)address;
	if (users->n++ == 0)
		str_format(users->first, sizeof(users->first), "%s", holder);
	return 0;
}

static int find_users(const struct networks *networks, const struct network *network,
		      struct users *users, struct err *err)
{
	const struct lease_reader reader = {.each = count_user, .ctx = users};

	users->n = 0;
	return lease_walk(networks, network->name, &reader, err);
}

static int refuse_in_use(const struct network *network, const struct users *users, struct err *err)
{
	const char *id = strrchr(users->first, '/');

	err_set(err, ERR_USAGE, EBUSY, "network %s: is in use, by sandbox %s%s", network->name,
		id != NULL ? id + 1 : users->first, users->n > 1 ? " and others" : "");
	return err_hint(err,
			"`cordon network inspect %s` lists who has its addresses; `cordon rm` "
			"removes a sandbox that is kept.",
			network->name);
}

static int refuse_built_in(const struct network *network, struct err *err)
{
	return err_set(err, ERR_USAGE, EPERM, "network %s: is built in, and cannot be removed",
		       network->name);
}

/* The bridge first: what a kill leaves is a network whose next use makes it again. Needs: the lock.
 */
int network_remove_unused(const struct networks *networks, const struct network *network,
			  struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	struct users users = {.n = 0};
	int r = find_users(networks, network, &users, err);

	if (r == 0 && users.n > 0)
		r = refuse_in_use(network, &users, err);
	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &netlink, err);
	if (r == 0)
		r = bridge_remove(&netlink, network, err);
	if (r == 0)
		r = members_note_lent(networks, err);
	netlink_close(&netlink);
	return r == 0 ? networks_remove(networks, network->name, err) : r;
}

/* ---- the default network ---- */

struct port_count {
	int bridge;
	size_t n;
};

static void count_port(void *ctx, const struct net_link *link)
{
	struct port_count *count = ctx;

	count->n += link->master == count->bridge;
}

/* Of another state root, which has the same default bridge, or of somebody else: no lease of ours
 * tells of them. */
static int has_ports(struct netlink *netlink, const struct net_link *bridge, struct err *err)
{
	struct port_count count = {.bridge = bridge->index};
	int r = link_walk(netlink, "veth", count_port, &count, err);

	return r < 0 ? r : count.n > 0;
}

/* What a kill has left of it is undone where the link is gone as well. Its record goes too, unless
 * it has rates, which somebody has said. */
static int undo_default(const struct networks *networks, const struct network *network,
			struct netlink *netlink, struct err *err)
{
	struct users users = {.n = 0};
	struct net_link bridge;
	int r = find_users(networks, network, &users, err), was_there;

	if (r < 0 || users.n > 0)
		return r;
	was_there = bridge_find(netlink, network, &bridge, err);
	r = was_there > 0 ? has_ports(netlink, &bridge, err) : was_there;
	if (r != 0)
		return r < 0 ? r : 0;
	r = bridge_remove(netlink, network, err);
	if (r == 0)
		r = members_note_lent(networks, err);
	if (r == 0 && network->egress.rate_bits == 0 && network->ingress.rate_bits == 0)
		r = networks_remove(networks, network->name, err);
	return r < 0 ? r : was_there;
}

int network_undo_default(const struct networks *networks, char ret_bridge[IFNAMSIZ],
			 struct err *err)
{
	struct netlink netlink = {.fd = -EBADF};
	struct network network;
	int r = networks_read(networks, "bridge", &network, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = netlink_open(NETLINK_ROUTE, &netlink, err);
	if (r == 0)
		r = undo_default(networks, &network, &netlink, err);
	netlink_close(&netlink);
	if (r > 0)
		str_format(ret_bridge, IFNAMSIZ, "%s", network.bridge);
	return r;
}

/* Returns an exit code. */
static int prune_default(const struct networks *networks)
{
	char bridge[IFNAMSIZ];
	struct err err = {0};
	int r = network_undo_default(networks, bridge, &err);

	if (r < 0)
		return life_say(&err);
	if (r > 0)
		print_note("network bridge: nobody is in it, and its link %s is removed, with what "
			   "forwarded for it; the next sandbox that joins makes it anew",
			   bridge);
	return 0;
}

/* Returns an exit code. */
static int remove_one(const struct network_place *place, const char *ref, bool forced)
{
	_cleanup_fd_ int lock_fd = -EBADF;
	struct network network;
	struct err err = {0};
	uint32_t n_swept = 0;
	int r = networks_find(&place->networks, ref, &network, &err);

	if (r == -ENOENT && forced)
		return 0;
	if (r == 0 && network.is_built_in)
		r = refuse_built_in(&network, &err);
	if (r == 0) {
		lock_fd = networks_lock(&place->networks, &err);
		r = lock_fd;
	}
	if (r >= 0)
		r = network_sweep(place, &n_swept, &err);
	if (r >= 0)
		r = networks_find(&place->networks, network.name, &network, &err);
	if (r == 0)
		r = network_remove_unused(&place->networks, &network, &err);
	if (r < 0)
		return life_say(&err);
	print_out("%s\n", ref);
	return 0;
}

int cmd_network_rm(const struct cmd_context *context, int argc, char **argv)
{
	struct network_place place;
	struct words words;
	struct err err = {0};
	int exit_code = 0;

	(void)argc;
	if (life_parse("network rm", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	if (network_check_root("rm", &err) < 0 ||
	    network_place_open(context, false, &place, &err) < 0)
		return life_say(&err);
	exit_code = 0;
	for (char **word = argv + 1; *word != NULL; word++) {
		int code = remove_one(&place, *word, words_has(&words, "--force"));

		exit_code = code != 0 ? code : exit_code;
	}
	network_place_close(&place);
	return exit_code;
}

/* ---- pruning ---- */

static int prune_locked(const struct network_place *place, const struct words *words)
{
	struct network_list list;
	struct err err = {0};
	uint32_t n_swept = 0;
	int exit_code = 0;

	if (network_sweep(place, &n_swept, &err) < 0 ||
	    networks_list(&place->networks, &list, &err) < 0)
		return life_say(&err);
	for (size_t i = 0; i < list.n; i++) {
		struct users users = {.n = 0};
		int r;

		if (!network_is_chosen(&list.list[i], words))
			continue;
		if (list.list[i].is_built_in) {
			if (str_equal(list.list[i].name, "bridge") &&
			    prune_default(&place->networks) != 0)
				exit_code = EXIT_CORDON;
			continue;
		}
		r = find_users(&place->networks, &list.list[i], &users, &err);
		if (r == 0 && users.n > 0)
			continue;
		if (r == 0)
			r = network_remove_unused(&place->networks, &list.list[i], &err);
		if (r == 0)
			print_out("%s\n", list.list[i].name);
		else
			exit_code = life_say(&err);
	}
	network_list_free(&list);
	return exit_code;
}

int cmd_network_prune(const struct cmd_context *context, int argc, char **argv)
{
	static const char *const keys[] = {"label", NULL};
	_cleanup_fd_ int lock_fd = -EBADF;
	struct network_place place;
	struct words words;
	struct err err = {0};
	int exit_code;
	int r;

	(void)argc;
	if (life_parse("network prune", argv, 0, &words, &exit_code) < 0)
		return exit_code;
	if (words.n > 0) {
		print_note("network prune takes no arguments, but was given %s", argv[1]);
		return EXIT_CORDON;
	}
	if (network_check_root("prune", &err) < 0 || network_check_filters(&words, keys, &err) < 0)
		return life_say(&err);
	r = words_has(&words, "--force")
		    ? 1
		    : life_ask("network prune",
			       "WARNING! This will remove all networks that nobody is in.\n");
	if (r <= 0)
		return r < 0 ? EXIT_CORDON : 0;
	if (network_place_open(context, false, &place, &err) < 0)
		return life_say(&err);
	exit_code = 0;
	/* Where nothing was ever made there is nothing to lock. */
	if (place.networks.fd >= 0) {
		lock_fd = networks_lock(&place.networks, &err);
		exit_code = lock_fd < 0 ? life_say(&err) : prune_locked(&place, &words);
	}
	network_place_close(&place);
	return exit_code;
}

int cmd_network(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *network = command_find(commands, "network");
	const struct subcommand *command;

	if (argc < 2) {
		ignore_result(command_print_help_of("network"), "the exit code is the mistake's");
		return EXIT_CORDON;
	}
	if (str_equal(argv[1], "--help") || str_equal(argv[1], "-h"))
		return command_print_help_of("network");
	command = command_find(network->below, argv[1]);
	return command != NULL ? command->main(context, argc - 1, argv + 1)
			       : command_refuse(network->below, "network", argv[1]);
}
