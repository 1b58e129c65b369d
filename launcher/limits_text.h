/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What messages, `cordon explain` and `cordon doctor` say of control groups. Pure. */
#ifndef CORDON_LAUNCHER_LIMITS_TEXT_H
#define CORDON_LAUNCHER_LIMITS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/spec.h"

struct decision;
struct host_facts;

enum { LIMITS_TEXT_MAX = 1200, LIMITS_COMMAND_MAX = 768 };

/* Why no group can be made for a controller: "the caller may not make a control group here"; ""
 * where one can. */
const char *limits_text_obstacle(const struct host_facts *facts, uint32_t controller);

/* A remedy: what to do, and where it is done in a shell, the command, to be pasted as it is; "" for
 * none. */
struct limits_fix {
	char text[512];
	char command[LIMITS_COMMAND_MAX];
};

/* What to do about it, for the first of `controllers` (bits) that has an obstacle and for the
 * others that have the same one. Both texts are "" where none has one. */
void limits_text_fix(const struct host_facts *facts, uint32_t controllers, struct limits_fix *ret);

/* What to do where a sandbox's groups cannot be entered from the caller's (WAY_IN_BARRED). */
void limits_text_fix_way_in(const struct host_facts *facts, char *buf, size_t size);

/* By what a limit of this decision is held, or that it is not: one line without its value. Returns
 * whether it is. */
bool limits_text_carrier(const struct decision *decision, enum spec_limit limit, char *buf,
			 size_t size);

/* The value as a policy says it: "256MiB", "0.50", "0-1,4". */
void limits_text_value(const struct spec_limits *limits, enum spec_limit limit, char *buf,
		       size_t size);

#endif
