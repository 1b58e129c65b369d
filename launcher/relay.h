/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Row relay: the process by which the host reaches published ports by its loopback
 * (relay/relay.c). Runs in the keeper, as root, before privileges are dropped. Internal to
 * launcher/; docs/decisions/041-loopback-by-a-relay.md has the reasons.
 *
 * Undo: none. The process ends with the keeper's end of its control socket.
 */
#ifndef CORDON_LAUNCHER_RELAY_H
#define CORDON_LAUNCHER_RELAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "launcher/relay_image.h"

struct decision;
struct launch;

struct relay_process {
	pid_t pid; /* of its watcher; 0: there is none */
	int pidfd;
	int control_fd;
	bool is_lost; /* it was killed, and that has been told */
};

bool relay_is_wanted(const struct decision *decision);
int must_check relay_start(struct launch *launch, struct err *err);
int must_check relay_verify(struct launch *launch, struct err *err);
/* Readable when its watcher has died; -1 where there is none, or that has been told. */
int relay_watch_fd(const struct launch *launch);
/* Idempotent. */
void relay_finish(struct launch *launch);

#endif
