/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * seccomp.architectures: whose system calls the filter answers by the policy's lists. Those of
 * every other one are killed.
 *
 * There is the native one, which cordon's own last calls need, and the second one that the machine
 * has (policy/arch.h). Each is more of the kernel to reach, so a layer that lists one which its
 * parent does not list says so by the waiver seccomp.architecture:NAME. A name of another machine's
 * is passed over: one profile may serve both.
 */
#include <string.h>

#include "base/str.h"
#include "policy/arch.h"
#include "policy/resolve.h"

static const struct policy_node *find_name(const struct policy_node *list, const char *name)
{
	const struct policy_node *node = list->children;

	while (node != NULL && !str_equal(node->text, name))
		node = node->next;
	return node;
}

static bool is_waived(const struct policy_node *layer)
{
	return doc_get(doc_get(layer, "waive"), "seccomp.architecture:" POLICY_SECOND_NAME) != NULL;
}

static void report_weaker(struct policy_ctx *ctx, const struct policy_node *node)
{
	struct policy_problem *problem =
		ctx_report(ctx, node->place, "weaker",
			   "this permits calls of %s, which the parent does not", node->text);

	problem->expected = "They reach parts of the kernel that native calls do not reach.";
	problem->hint = node->place.source->is_flag
				? "add  --waive \"seccomp.architecture:" POLICY_SECOND_NAME
				  "=REASON\""
				: "add  waive: {\"seccomp.architecture:" POLICY_SECOND_NAME
				  "\": \"the reason\"}";
}

static void check_list(struct policy_ctx *ctx, const struct policy_node *list)
{
	if (!list->appends && !list->is_damaged && find_name(list, "native") == NULL)
		ctx_report(ctx, list->key_place, "impossible", "seccomp.architectures lacks native")
			->expected = "cordon starts the program by a native call.";
	for (const struct policy_node *node = list->children; node != NULL; node = node->next)
		if (!str_equal(node->text, "native") && !str_equal(node->text, POLICY_SECOND_NAME))
			ctx_warn(ctx, node->place,
				 "%s: this machine has no such architecture "
				 "beside " POLICY_NATIVE_NAME,
				 node->text);
}

bool resolve_architectures(struct policy_ctx *ctx, const struct policy_layers *layers)
{
	bool has_second = false;

	for (size_t i = 0; i < layers->n; i++) {
		const struct policy_node *list =
			doc_find(layers->roots[i], "seccomp.architectures");
		const struct policy_node *second;

		if (list == NULL)
			continue;
		check_list(ctx, list);
		second = find_name(list, POLICY_SECOND_NAME);
		if (second != NULL && i > 0 && !has_second && !is_waived(layers->roots[i]))
			report_weaker(ctx, second);
		has_second = second != NULL || (list->appends && has_second);
	}
	return has_second;
}
