/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.egress of a sandbox's spec: to whom it may send. Part of policy/spec.h. */
#ifndef CORDON_POLICY_SPEC_EGRESS_H
#define CORDON_POLICY_SPEC_EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPEC_EGRESS_MAX = 10000, /* rules of one list */
	SPEC_EGRESS_GROUPS_MAX = 8,
};

/* What may be reached, or may not: an address, or all of a subnet. */
struct spec_egress_rule {
	int family; /* AF_INET, AF_INET6 */
	uint8_t address[16];
	uint8_t length;   /* bits of it that count */
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP; 0: each, of a denial alone */
	uint16_t first;   /* port; 0 to 65535: all */
	uint16_t last;
};

/* Ports that names are allowed with: each pair of them is a group. */
struct spec_egress_group {
	uint8_t protocol;
	uint16_t first;
	uint16_t last;
};

struct spec_egress_name {
	const char *name; /* in small letters; "*." in front: whatever is below it */
	uint8_t group;
};

struct spec_egress {
	bool is_said;
	bool allows; /* what no rule names */
	const struct spec_egress_rule *allow;
	size_t n_allow;
	const struct spec_egress_rule *deny; /* wins */
	size_t n_deny;
	const struct spec_egress_name *names; /* that are allowed */
	size_t n_names;
	struct spec_egress_group groups[SPEC_EGRESS_GROUPS_MAX];
	size_t n_groups;
};

#endif
