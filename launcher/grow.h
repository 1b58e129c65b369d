/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* More room for the root of a sandbox that runs, where that is memory. */
#ifndef CORDON_LAUNCHER_GROW_H
#define CORDON_LAUNCHER_GROW_H

#include <stdint.h>

#include "base/err.h"

struct run_target;

/* Whether it can have that many bytes while it runs. ERR_USAGE: it is no memory, or has more. Reads
 * only. target: with upper_fd. */
int must_check grow_check(const struct run_target *target, uint64_t size_bytes, struct err *err);

/* Gives it them, and reads them back. Forks: a child changes the file system from within the
 * sandbox's user and mount namespaces, whose it is. */
int must_check grow_root(const struct run_target *target, uint64_t size_bytes, struct err *err);

#endif
