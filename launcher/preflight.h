/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what the spec asks for with what the host can give. Internal to launcher/. */
#ifndef CORDON_LAUNCHER_PREFLIGHT_H
#define CORDON_LAUNCHER_PREFLIGHT_H

#include "launcher/cordon.h"

/* Looks at each host path that the spec binds. Misses for those that are not there or may not be
 * shown. */
void preflight_sources(struct decision *decision, struct source_fact *sources,
		       struct misses *misses);

/* Everything else. Appends ALL misses. Pure: spec and facts alone. */
void preflight_host(const struct decision *decision, struct misses *misses);

/* What is asked of Landlock and AppArmor; fills decision->not_enforced. Pure as well. */
void preflight_lsm(struct decision *decision, struct misses *misses);

/* Notes a key below when_possible that this host cannot enforce: it is printed, and reported. There
 * is room for every key that may stand there. */
void preflight_leave_out(struct decision *decision, const char *key);

/* Appends one. */
struct miss *preflight_miss(struct misses *misses, const char *key, struct spec_origin origin);

#endif
