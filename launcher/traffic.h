/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row traffic: how fast the sandbox may send and receive (net/shape.h). Its ports are there, and
 * nothing of the workload's runs. Runs in the keeper, as root.
 */
#ifndef CORDON_LAUNCHER_TRAFFIC_H
#define CORDON_LAUNCHER_TRAFFIC_H

#include "launcher/cordon.h"

struct launch;

bool traffic_is_wanted(const struct decision *decision);
int must_check traffic_set(struct launch *launch, struct err *err);
int must_check traffic_verify(struct launch *launch, struct err *err);
/* Whatever `cordon update` has made of it since: undo of the row network_link. Needs:
 * CAP_NET_ADMIN. */
int must_check traffic_remove(struct launch *launch, struct err *err);
/* Takes out what a crash left of others'. */
int must_check traffic_sweep(uint32_t *n_removed, struct err *err);

#endif
