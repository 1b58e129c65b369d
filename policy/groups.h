/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named groups of system calls: systemd's, and @sandbox-default. */
#ifndef CORDON_POLICY_GROUPS_H
#define CORDON_POLICY_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "policy/spec.h"
#include "policy/syscalls.h"

struct syscall_set {
	enum syscalls_abi abi;
	bool with_forms;        /* a call brings its other forms along (forms.h) */
	bool has[SYSCALLS_END]; /* by place */
};

/* Adds the call of that name, or takes it out; nothing where the architecture has none. */
void groups_put(struct syscall_set *set, const char *name, bool value);

/* Adds the calls of group ("@...") that exist on this architecture. -ENOENT: no such group. */
int must_check groups_add(const char *group, struct syscall_set *set);

/* Names of all groups, for hints. Returns how many were written, at most max. */
size_t groups_names(const char **ret_names, size_t max);

enum { GROUP_REFUSAL_CONDS_MAX = 2 };

/*
 * What @sandbox-default says about the arguments of its calls: a refusal that holds where all
 * conditions do, or always where there is none. Ends with call NULL. Entries that name a call
 * outright are not bound by it.
 */
struct group_refusal {
	const char *call;
	struct spec_cond conds[GROUP_REFUSAL_CONDS_MAX];
	size_t n_conds;
	struct spec_action action;
};
const struct group_refusal *groups_sandbox_default_refusals(void);

#endif
