/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Landlock and AppArmor denied a run (run_request.explains_denials), from the kernel's audit
 * stream where the caller may read that. docs/decisions/018-audit.md has the reasons.
 *
 *     keeper    opens the stream before there is a sandbox, hands it to the auditor, tells it whose
 *               denials are asked for, and is told them at the end
 *     auditor   reads the stream (auditor/auditor.c)
 */
#ifndef CORDON_LAUNCHER_AUDIT_H
#define CORDON_LAUNCHER_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "launcher/auditor_image.h"

struct decision;
struct host_facts;
struct launch;

/* Whether the stream can be read; each has its own remedy. */
enum audit_state {
	AUDIT_READABLE,
	AUDIT_NO_KERNEL,
	AUDIT_FORBIDDEN, /* to this caller */
	AUDIT_ELSEWHERE, /* from a network or pid namespace other than the first */
};

/* Joins the stream's readers and leaves again. facts->own_namespaces must be known. */
enum audit_state audit_probe(const struct host_facts *facts);

/* Which of the two that the workload is under leave records of it on this kernel. */
bool audit_has_landlock(const struct decision *decision);
bool audit_has_apparmor(const struct decision *decision);

/* ---- the rest is internal to launcher/ ---- */

struct auditor_process {
	int control_fd;
	int pidfd;
	pid_t pid;
};

/* Whether denials are asked for, leave records, and the records can be read. */
bool audit_is_wanted(const struct decision *decision);

/* The keeper's row auditor. Needs: CAP_AUDIT_READ in the initial user namespace. */
int must_check audit_start_auditor(struct launch *launch, struct err *err);
int must_check audit_verify_auditor(struct launch *launch, struct err *err);

/* The keeper's row audit_subject. After: SYNC_READY, which says the workload's pid. */
int must_check audit_tell_subject(struct launch *launch, struct err *err);
int must_check audit_verify_subject(struct launch *launch, struct err *err);

/* The sandbox is gone: asks what was denied, in bounded time, and waits for the auditor's end. ret
 * may be NULL. Idempotent. */
void audit_finish(struct launch *launch, struct access_denials *ret);

#endif
