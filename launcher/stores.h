/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a program failed: a store of its sandbox was full. The keeper has an O_PATH descriptor of
 * each tmpfs that the workload may write to and whose size the policy says, from the setup process,
 * and asks the kernel for what is left on it (fstatfs(2)) when all processes are gone. By such a
 * descriptor nothing can be read or written (open(2)), and nobody but the keeper has it. Internal
 * to launcher/.
 */
#ifndef CORDON_LAUNCHER_STORES_H
#define CORDON_LAUNCHER_STORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/spec.h"
#include "rootfs/apply.h"

struct decision;
struct launch;
struct run_result;

enum { STORES_MAX = ROOTFS_STORES_MAX + 1 };

struct stores {
	int fds[STORES_MAX];
	size_t n;
};

/* ---- pure ---- */

/* The root's where it can be written to, then those of the volumes in the spec's order. */
size_t stores_count(const struct decision *decision);
bool stores_are_watched(const struct decision *decision);
const struct spec_store *stores_nth(const struct decision *decision, size_t n);

/* A failure of its own that came with a full store is RUN_DISK_FULL, and the limit the key of what
 * there was nothing left of. blocks and inodes are those left. */
void stores_explain(const struct spec_store *store, uint64_t blocks, uint64_t inodes,
		    struct run_result *result);

/* The same where the host's own file system, on which the store lies, had nothing left: no limit
 * of the policy's. */
void stores_explain_host(uint64_t blocks, struct run_result *result);

/* ---- rows and steps ---- */

/* Setup process: sends the descriptors, each with SYNC_STORE. */
int must_check stores_send(struct launch *launch, struct err *err);
/* Keeper: takes the next one. Owns fd, also on failure. */
int must_check stores_accept(struct launch *launch, int fd, struct err *err);
/* After the end of all processes. Closes the descriptors. */
void stores_collect(struct launch *launch, struct run_result *result);
void stores_release(struct stores *stores);

#endif
