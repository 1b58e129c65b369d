/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row egress_denials, and what network.egress has denied a run. The kernel counts where packets of
 * the sandbox's wanted to go (net/egress.h); the sandbox's resolver notes which names it refused,
 * and which addresses names have, in memory that the keeper reads when all is over. Both have
 * bounds that no workload moves. Run in the keeper, as root.
 *
 * A list that could not be set up is no start: who reads an empty one believes that nothing was
 * denied. Undo: the sets go with the chains (egress_forget).
 */
#ifndef CORDON_LAUNCHER_REACH_H
#define CORDON_LAUNCHER_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launcher/resolver_image.h"
#include "net/egress.h"
#include "policy/spec.h"

struct decision;
struct launch;

struct reach_denials {
	bool is_lost; /* the counters could not be read */
	struct egress_denials sent;
	struct resolver_notes names; /* read from the worker, each part looked at */
};

enum { REACH_TEXT_MAX = 320 };

/* One destination, for people. */
struct reach_view {
	char address[ADDRESS_TEXT_MAX];
	char protocol[16];         /* "tcp", "udp", "icmp", "icmpv6", "47" */
	const char *name;          /* that the address was said to have, NULL: not known */
	char rule[REACH_TEXT_MAX]; /* for network.egress.allow, "" where none lifts this */
	const char *why;           /* then: why not */
};

/* Pure. i: of denials->sent. */
void reach_describe(const struct sandbox_spec *spec, const struct reach_denials *denials, size_t i,
		    struct reach_view *ret);

bool reach_is_listed(const struct decision *decision);
int must_check reach_list(struct launch *launch, struct err *err);
int must_check reach_verify_list(struct launch *launch, struct err *err);

/* Where the resolver writes (RESOLVER_NOTES_FD): a memfd that neither grows nor shrinks. */
int must_check reach_open_notes(const struct launch *launch, struct err *err);

/* The sandbox and its resolver are gone: what was counted. ret may be NULL. */
void reach_finish(struct launch *launch, struct reach_denials *ret);

#endif
