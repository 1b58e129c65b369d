/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another program in a sandbox that runs: `cordon exec`. Internal to launcher/.
 *
 * Theory of operation. The caller (client) does it itself, as the keeper does a launch, with the
 * same rows for the program and with other processes around it:
 *
 *     client      the caller's; rows of the keeper, conversation, terminal, supervision
 *     supervisor  its child, outside of the sandbox: leads the session of the program's terminal,
 *                 then executes init's image and reports the program's end
 *     joiner      its child: enters the namespaces, makes the terminal, forks the workload's
 * process as the supervisor's child (CLONE_PARENT), ends workload    in the sandbox: joins its
 * groups, takes every row of a workload on, executes
 *
 * Of these the workload's process alone is counted inside (pids, nproc): the others are in no
 * namespace and no group of the sandbox's while it is there, but the joiner for its short life,
 * which is in the namespaces and in nobody's pid namespace.
 *
 * What is inside already is hostile, and on this machine it may have the caller's own uid. So:
 * namespaces are entered by descriptors that the keeper has held since before the workload ran, not
 * by a process's; until its exec the workload's process is undumpable, so that nobody inside can
 * read it, write to it, trace it or take a descriptor of it (ptrace(2), access mode checking: with
 * the user namespace of the caller's memory, in which nobody inside has a capability); nothing of
 * the sandbox's tree is executed, loaded or read before all rights are given up, but /dev/pts/ptmx
 * and /proc, each known by its file system.
 */
#ifndef CORDON_LAUNCHER_ENTER_H
#define CORDON_LAUNCHER_ENTER_H

#include "launcher/cordon.h"

struct launch;

/* Leaves on what entering takes. Pure. */
void enter_plan(struct plan *plan);

/* What cannot be passed into a sandbox that runs. Pure. */
void enter_preflight(const struct decision *decision, struct misses *misses);

/* ---- the keeper of the sandbox: row namespaces ---- */
int must_check enter_hold_namespaces(struct launch *launch, struct err *err);
int must_check enter_verify_namespaces(struct launch *launch, struct err *err);

/* ---- the client ---- */

/* Before any row: what the sandbox has already. */
void enter_init(struct launch *launch);
int must_check enter_spawn(struct launch *launch, struct err *err);

/*
 * Waits until something has been said, or the other end is closed: what runs in a sandbox may stop
 * what comes in, as any process of its own user (kill(2)), and then nothing ever is. Ends with err
 * where the caller asks for it by a signal, and after half a minute.
 */
int must_check enter_await(const struct launch *launch, struct err *err);

/* At the very end, when no other child of this process is left: ends and reaps what the
 * supervisor's death has left to it. */
void enter_reap(void);
int must_check enter_verify_member(struct launch *launch, struct err *err);

/* ---- the supervisor; enter_child.c ---- */

/* The row undumpable: for this process and all that it forks, until they execute something. */
int must_check enter_undumpable(struct launch *launch, struct err *err);
int must_check enter_verify_undumpable(struct launch *launch, struct err *err);

/* Verifies the row entered_death_signal, and that the ids which the workload's process has taken on
 * have not made it dumpable again. */
int must_check enter_verify_ids_taken(struct launch *launch, struct err *err);
_Noreturn void enter_main(struct launch *launch);

#endif
