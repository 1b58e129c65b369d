/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Those who attach to a sandbox in the background. What it prints they read from its log, so that
 * none of them can be in its way; a socket to the recorder takes what they type. The keeper decides
 * who may have one, hands it over, and reads no byte of it. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_ATTACH_H
#define CORDON_LAUNCHER_ATTACH_H

#include <stdbool.h>

struct launch;

/* Takes one connection of a listening socket: gives it to the recorder, or closes it. */
void attach_accept(struct launch *launch, int listen_fd);

/*
 * Whether the peer is the keeper's user, outside of every sandbox: its user, in the same user and
 * pid namespaces, when it connected and still. Fails closed.
 */
bool attach_is_ours(int fd);

#endif
