/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses that names of network.egress have: the sandbox's resolver asks for them, the keeper
 * looks at each and lets it be reached for a while. Runs in the keeper, which has CAP_NET_ADMIN for
 * it; docs/decisions/042-egress-rules.md. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_ADMISSION_H
#define CORDON_LAUNCHER_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/address.h"
#include "policy/spec.h"

struct launch;

/* What the resolver may ask for (net/answer.h), in a memfd; empty where there are no names. */
int must_check admission_write_rules(const struct spec_egress *egress, struct err *err);

/* Where it asks; -EBADF: nobody does, or has asked so much that it waits. */
int admission_fd(const struct launch *launch, int64_t now_ms);
/* How long it waits for that, in ms; -1: it does not. */
int admission_patience(const struct launch *launch, int64_t now_ms);
/* Answers one question. */
void admission_answer(struct launch *launch, int64_t now_ms);

/* Whether a name may have the address, whatever it is allowed to reach: none of a host's own, of a
 * private network, of a link, or of many. Pure. */
bool admission_is_public(const struct net_prefix *address);

#endif
