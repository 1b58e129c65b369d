/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a network is, and its record as text. Pure. */
#ifndef CORDON_NET_NETWORK_H
#define CORDON_NET_NETWORK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "policy/spec.h"

enum {
	NETWORK_ID_LEN = 16,
	NETWORK_NAME_MAX = 64,
	NETWORK_LABELS_MAX = 2048,
	NETWORK_TEXT_MAX = 8192,
	NETWORK_MTU_DEFAULT = 1500,
};

/* What the bridge of the default network is called; others' are called by their ids (bridge.h). */
#define NETWORK_DEFAULT_BRIDGE "cordon0"

enum network_driver { NETWORK_BRIDGE, NETWORK_HOST, NETWORK_NONE, NETWORK_DRIVERS };

struct network_driver_row {
	const char *name;
	bool can_create; /* further networks of it can be made */
};
extern const struct network_driver_row network_drivers[NETWORK_DRIVERS];

/* Of drivers that Docker has and this build has not; NULL: it has none of that name. */
const char *network_driver_of_docker(const char *name);

struct network {
	char id[NETWORK_ID_LEN + 1]; /* hex */
	char name[NETWORK_NAME_MAX + 1];
	enum network_driver driver;
	bool is_built_in;
	/* Of the driver bridge. */
	char bridge[IFNAMSIZ]; /* "": not made yet (only where it is built in) */
	bool is_own;           /* the bridge is cordon's to make and to remove */
	struct net_prefix subnet;
	struct net_prefix gateway; /* of one host */
	struct net_prefix range;   /* what is handed out: within the subnet */
	struct net_prefix subnet6; /* family 0: no IPv6 */
	struct net_prefix gateway6;
	bool is_internal;
	bool icc; /* its sandboxes reach one another */
	uint32_t mtu;
	/* Of all its sandboxes together, beyond it; as seen from them. */
	struct spec_traffic egress;
	struct spec_traffic ingress;
	int64_t created_ms;              /* since 1970 */
	char labels[NETWORK_LABELS_MAX]; /* "name=value", each with a NUL, sorted by nothing */
	size_t labels_len;
};

/* Letters, digits and _.- behind a letter or digit. */
bool network_is_name(const char *text);
/* One that is there without being made: "bridge", "host", "none". NULL: it is none of them. */
const struct network *network_built_in(const char *name);
/* Likewise by number; NULL behind the last. */
const struct network *network_built_in_at(size_t index);

/* The label at *at, moved on; NULL behind the last. */
const char *network_next_label(const struct network *network, size_t *at);
/* Appends one. -EINVAL: no such text; -ENOSPC. */
int must_check network_add_label(struct network *network, const char *label);

/* Returns the length. */
size_t network_format(const struct network *network, char buf[NETWORK_TEXT_MAX]);
/* -EBADMSG: not what network_format writes; -EPROTONOSUPPORT: of a later format. */
int must_check network_parse(const char *text, struct network *ret);

/* What follows from one another: that gateway and range are within the subnet and the like. Fills
 * what was left out (gateway, range). Errors: ERR_USAGE, naming the flag. */
int must_check network_complete(struct network *network, struct err *err);

#endif
