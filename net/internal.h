/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of net/ share, and nobody else. */
#ifndef CORDON_NET_INTERNAL_H
#define CORDON_NET_INTERNAL_H

#include "base/err.h"

/* Removes a network's directory and what is in it. 0 or -errno; idempotent. */
int must_check network_remove_dir(int networks_fd, const char *name);

/* Removes what a killed networks_replace left: 1, 0, or -errno. */
int must_check network_sweep_record(int networks_fd, const char *name);

#endif
