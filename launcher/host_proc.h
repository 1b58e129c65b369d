/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of the keeper that write to the new process's files in /proc, before it goes on. Each is
 * what host_steps.c says of it. Internal to launcher/. */
#ifndef CORDON_LAUNCHER_HOST_PROC_H
#define CORDON_LAUNCHER_HOST_PROC_H

#include "base/err.h"

struct launch;

int must_check host_proc_deny_setgroups(struct launch *launch, struct err *err);
int must_check host_proc_uid_map(struct launch *launch, struct err *err);
int must_check host_proc_gid_map(struct launch *launch, struct err *err);
int must_check host_proc_oom_score(struct launch *launch, struct err *err);

#endif
