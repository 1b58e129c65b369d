/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Set it, then prove it: the keeper reads the child's state from the kernel before it lets it go
 * on. */
#ifndef CORDON_LAUNCHER_READBACK_H
#define CORDON_LAUNCHER_READBACK_H

#include "launcher/launch.h"

/* What /proc/PID/status must say. */
struct readback_want {
	uint32_t uid; /* as seen in the keeper's user namespace */
	uint32_t gid;
	bool no_groups;          /* the supplementary list must be empty */
	bool keeps_bounding_set; /* a user may not empty it: capabilities(7) */
	bool filtered;           /* a system call filter must be loaded */
};

/* Compares a status text with *want: four uids, four gids, groups, five empty capability sets,
 * no_new_privs. Pure. Returns 0 or -EPERM with err naming the field. */
int must_check readback_status(const char *text, const struct readback_want *want, struct err *err);

/* Reads one process's status. */
int must_check readback_process(pid_t pid, const struct readback_want *want, struct err *err);

/* The workload's status, and its eight namespaces, none of which may be the keeper's. After
 * SYNC_READY. */
int must_check readback_workload(const struct launch *launch, struct err *err);

/* init's status. After it has executed its own image. */
int must_check readback_init(const struct launch *launch, struct err *err);

/* Row init_gone_ahead: waits for that, and reads it back. */
int must_check readback_await_init(struct launch *launch, struct err *err);
int must_check readback_verify_init(struct launch *launch, struct err *err);

#endif
