/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lists of rules as ranges of which none meets another: what an interval set of nf_tables takes.
 * Pure; internal to net/.
 */
#ifndef CORDON_NET_EGRESS_LIST_H
#define CORDON_NET_EGRESS_LIST_H

#include "base/err.h"
#include "policy/spec.h"

enum { EGRESS_RANGES_MAX = 65536 };

struct egress_range {
	uint8_t first[16];
	uint8_t last[16];
	uint16_t first_port;
	uint16_t last_port;
	uint8_t protocol; /* as the rule's */
};

struct egress_ranges {
	struct egress_range *list; /* malloc */
	size_t n;
	size_t size;
};

/* Adds what the rules of that family and protocol say together. Errors: -ENOMEM, -E2BIG. */
int must_check egress_ranges_add(const struct spec_egress_rule *rules, size_t n_rules, int family,
				 uint8_t protocol, struct egress_ranges *ret);
void egress_ranges_free(struct egress_ranges *ranges);

#endif
