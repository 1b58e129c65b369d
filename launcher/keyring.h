/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As a user: one empty session keyring for all of the user's sandboxes, so that the caller's keys
 * stay with the caller and the user's quota of keys is not used up (docs/decisions/004-keys.md).
 * Runs in the keeper. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_KEYRING_H
#define CORDON_LAUNCHER_KEYRING_H

#include "launcher/launch.h"

/* Joins it; makes it where it is missing. A keyring of that name which is not the user's alone is
 * not used. */
int must_check keyring_join(struct launch *launch, struct err *err);

/* The keeper's session keyring is the one that keyring_join chose, and it is the user's alone. */
int must_check keyring_verify(struct launch *launch, struct err *err);

#endif
