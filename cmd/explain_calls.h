/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part of `cordon explain` about system calls. */
#ifndef CORDON_CMD_EXPLAIN_CALLS_H
#define CORDON_CMD_EXPLAIN_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/spec.h"

/* Of one architecture's calls. */
struct explain_counts {
	size_t allowed;
	size_t by_arguments; /* decided by their arguments */
};
struct explain_counts explain_count(struct spec_calls list);

/*
 * What the filter answers, and which line of which file says it: calls that get the same answer
 * from the same file in one line, those whose arguments decide one by one; with wants_all each call
 * in a line of its own. The spec was made with policy_request.wants_values.
 */
void explain_calls(const struct spec_seccomp *seccomp, bool wants_all);

#endif
