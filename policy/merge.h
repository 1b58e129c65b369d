/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One layer of policy over another. */
#ifndef CORDON_POLICY_MERGE_H
#define CORDON_POLICY_MERGE_H

#include "policy/doc.h"

/*
 * A new tree: upper over lower. Maps merge by key, everything else is replaced; a list under
 * "+name" is appended, and so is seccomp.deny always, since a child cannot take back a refusal.
 * Where lower has no such list, the result keeps its '+', so that layers can be joined before they
 * are put over their parent. The inputs are not changed; either may be NULL.
 */
struct policy_node *merge_trees(struct policy_ctx *ctx, const struct policy_node *lower,
				const struct policy_node *upper);

#endif
