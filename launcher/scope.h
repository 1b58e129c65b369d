/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A group from systemd, where the caller has none that it may divide: a scope with Delegate=yes,
 * for which a program of its own asks (libexec/scope.c). Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_SCOPE_H
#define CORDON_LAUNCHER_SCOPE_H

#include "launcher/launch.h"

/*
 * Where limits ask for more than the caller's own place gives, systemd runs, its manager can be
 * reached, and the program is there: says so in facts->cgroup, as if the group were there already.
 * Where only the program is missing, fills scope_lost and scope_errno.
 * Reads only; connects to the manager's socket to learn which process it is.
 */
void scope_probe(const char *runtime_dir, struct host_facts *facts);

/* Rows of the keeper. */
bool scope_is_wanted(const struct decision *decision);
/* Asks, and is moved there; fills launch->scope_facts. Waits four seconds at most. */
int must_check scope_ask(struct launch *launch, struct err *err);
int must_check scope_verify(struct launch *launch, struct err *err);

#endif
