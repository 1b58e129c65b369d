/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The workload's AppArmor profile: whether it can be had, and the row that asks the kernel for it
 * at the workload's exec. By the files of /proc/thread-self/attr/apparmor, which is all that
 * libapparmor's calls for this do. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_APPARMOR_H
#define CORDON_LAUNCHER_APPARMOR_H

#include <stdbool.h>

#include "base/err.h"

struct decision;
struct host_facts;
struct launch;

enum apparmor_profile_state {
	APPARMOR_LOADED,
	APPARMOR_NOT_LOADED,
	APPARMOR_FORBIDDEN, /* by the profile that the caller is under, or unknown */
};

/*
 * Into facts->apparmor*: whether the kernel has AppArmor, whether the caller is confined, and what
 * becomes of the profile. Asks by the kernel's own test of a change, which changes nothing.
 */
void apparmor_probe(const char *profile, struct host_facts *facts);

/* Whether the caller is under a profile by name, be it one that permits everything. */
bool apparmor_has_label(void);

/* Whether the caller is under a profile that holds. */
bool apparmor_is_confined(void);

bool apparmor_is_wanted(const struct decision *decision);

/* The row; Runs in: the workload's process. After: pivot (its own /proc). Must not: after landlock,
 * which lets nothing be written in /proc. ENOENT: the profile is not loaded. */
int must_check apparmor_ask(struct launch *launch, struct err *err);
int must_check apparmor_verify(struct launch *launch, struct err *err);

#endif
