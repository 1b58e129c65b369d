/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of networks share (net/store.h). */
#ifndef CORDON_CMD_NETWORK_H
#define CORDON_CMD_NETWORK_H

#include "cmd/cmd.h"
#include "cmd/words.h"
#include "net/bridge.h"
#include "net/store.h"

struct network_place {
	struct networks networks;
	char run[PATH_MAX]; /* the two roots, below which the holders of leases are */
	char state[PATH_MAX];
};

/* Opens the store of the caller's networks. makes: see networks_open. */
int must_check network_place_open(const struct cmd_context *context, bool makes,
				  struct network_place *ret, struct err *err);
void network_place_close(struct network_place *place);

/* Refuses who is not root: in this build networks are root's. */
int must_check network_check_root(const char *command, struct err *err);

/* Takes its bridge and its record away. ERR_USAGE where somebody has an address of it. Needs: the
 * lock. */
int must_check network_remove_unused(const struct networks *networks, const struct network *network,
				     struct err *err);

/* Says that links of the host's forward from now on, where there are any. */
void network_say_lent(const char *links);

/* "networks": the networks in which the sandbox with this id has an address, each with what it has
 * there. Empty where there is no store of them. */
struct json;
void network_put_joined(const struct cmd_context *context, const char *id, struct json *json);

/* --egress-rate, --egress-burst and those of ingress, and whether they go together. can_end: one
 * that is there can be taken away (unlimited). ERR_USAGE, naming the flag. */
int must_check network_take_rates(const struct words *words, bool can_end, struct network *network,
				  struct err *err);

/* Makes the rates of all networks what their records say, where a killed command left others.
 * Needs: the lock. Adds to *n_settled. */
int must_check network_settle_rates(const struct network_place *place, uint32_t *n_settled,
				    struct err *err);

/* Removes the link of the default network, and what forwards for it, where nobody is in it: 1, with
 * the link's name, else 0. It stays a network, whose link is made by who needs it next. Needs: the
 * lock. */
int must_check network_undo_default(const struct networks *networks, char ret_bridge[IFNAMSIZ],
				    struct err *err);

/* What a crash left; see cordon_sweep_networks. Needs: the lock. */
int must_check network_sweep(const struct network_place *place, uint32_t *n_removed,
			     struct err *err);

/* Of --filter: those of one key are alternatives, but for labels. ERR_USAGE for an unknown one.
 * keys: which are known, NULL-terminated. */
int must_check network_check_filters(const struct words *words, const char *const *keys,
				     struct err *err);
bool network_is_chosen(const struct network *network, const struct words *words);

#endif
