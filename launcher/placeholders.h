/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Placeholders: empty directories of the host that keep the place of protected paths which do not
 * exist (docs/decisions/008-protected-paths.md). Internal to launcher/.
 *
 * Removing a directory that is a mount point in another mount namespace takes the mount away there
 * (the kernel's detach_mounts), so a placeholder stays as long as any sandbox relies on it: each
 * holds a shared lock (flock) on it, the keeper and, by inheritance, init; whoever removes takes
 * the lock alone first, and so the last one removes. All of that is found again by the run's
 * directory and journal: a link placeholder.N to the place, and a line with the identity.
 */
#ifndef CORDON_LAUNCHER_PLACEHOLDERS_H
#define CORDON_LAUNCHER_PLACEHOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PLACEHOLDERS_MAX = 32 };

struct placeholder {
	int parent_fd; /* O_PATH */
	int fd;        /* locked */
	char name[256];
	uint64_t ino;
};

struct decision;
struct launch;

/* The row: makes each one, or finds that of another run. Needs as root CAP_CHOWN: it belongs to the
 * owner of the directory that it is made in. */
bool placeholders_wanted(const struct decision *decision);
int must_check placeholders_make(struct launch *launch, struct err *err);
int must_check placeholders_undo(struct launch *launch, struct err *err);

/* How many places a decision has; more than PLACEHOLDERS_MAX cannot be made. */
size_t placeholders_count(const struct decision *decision);

/* Closes the descriptors, and with the last of each the lock. */
void placeholders_release(struct placeholder *placeholders, size_t n);

/* Undoes those of a dead run, from its directory and the text of its journal. */
int must_check placeholders_gc(int run_dir_fd, const char *journal, struct err *err);

/* Removes the links to them from a run's directory. Idempotent. Returns 0 or -errno. */
int must_check placeholders_forget(int run_dir_fd);

#endif
