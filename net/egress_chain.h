/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rules of a sandbox that has rules of its own (egress.h). Pure; internal to net/. */
#ifndef CORDON_NET_EGRESS_CHAIN_H
#define CORDON_NET_EGRESS_CHAIN_H

#include "net/egress.h"
#include "net/egress_list.h"
#include "net/nft_message.h"

enum {
	EGRESS_RUN_DIGITS = 12, /* of the run's id, as its ports' names have them */
	EGRESS_LABEL_WORDS = 3, /* that say whose a connection is */
	EGRESS_SET_NAME_MAX = 32,
	EGRESS_RULES_MAX = 48,
	EGRESS_NAMED_MAX = 4096, /* addresses of one group, at once */
	EGRESS_PROTOCOLS = 256,
};

/* Which tables have it. */
enum { EGRESS_TABLES = 2 };
extern const uint8_t egress_tables[EGRESS_TABLES];

/* The set of the addresses that names of that group have right now: family AF_INET, AF_INET6. */
void egress_name_set(const char *chain, size_t group, int family, char buf[EGRESS_SET_NAME_MAX]);

enum egress_list { EGRESS_HOSTS, EGRESS_DENY, EGRESS_ALLOW, EGRESS_LISTS };

/* Of one family: EGRESS_HOSTS are denied whatever the protocol and the port. */
struct egress_set {
	char set[EGRESS_SET_NAME_MAX];
	struct egress_ranges ranges;
};

struct egress_lists {
	char chain[EGRESS_NAME_MAX];
	char denials[EGRESS_NAME_MAX + 4];    /* the chain of what is not let through */
	char counted[2][EGRESS_SET_NAME_MAX]; /* sets of what was denied: of IPv4, IPv6 */
	char rest[EGRESS_SET_NAME_MAX];       /* what finds no place there, by protocol */
	char closed[2][EGRESS_SET_NAME_MAX];  /* addresses that no rule opens: of IPv4, IPv6 */
	uint32_t labels[EGRESS_LABEL_WORDS];
	char named[SPEC_EGRESS_GROUPS_MAX][2][EGRESS_SET_NAME_MAX];
	struct egress_set list[2][EGRESS_LISTS]; /* of IPv4, IPv6 */
};

struct egress_chain {
	const struct egress *egress;
	const struct egress_lists *lists;
	uint8_t family;
	struct nft_rule rules[EGRESS_RULES_MAX];
	size_t n;
};

void egress_name_chain(const char *run, char buf[EGRESS_NAME_MAX]);
/* The names alone. */
void egress_name_lists(const char *run, struct egress_lists *ret);

/* The sets that the chain of denials counts in. */
void egress_add_counted(struct netlink_batch *batch, const struct egress_chain *chain);
/* Writes the rules of the chain of denials alone. */
void egress_chain_deny(struct egress_chain *chain);
/* Writes them, and behind them that of the chain of denials: egress, lists and family are there. */
void egress_chain_make(struct egress_chain *chain);

#endif
