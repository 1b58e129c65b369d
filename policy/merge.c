/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers over layers; see merge.h. */
#include "policy/merge.h"

#include "base/str.h"
#include "policy/ctx.h"

/* A copy of the node without its siblings; its children are shared. */
static struct policy_node *copy_node(struct policy_ctx *ctx, const struct policy_node *node)
{
	struct policy_node *copy = doc_node(ctx, node->kind, node->place);

	if (copy == NULL)
		return NULL;
	*copy = *node;
	copy->next = NULL;
	return copy;
}

static void add_copies(struct policy_ctx *ctx, struct policy_node *to,
		       const struct policy_node *from)
{
	for (const struct policy_node *child = from->children; child != NULL; child = child->next)
		doc_add(to, copy_node(ctx, child));
}

static struct policy_node *merge_nodes(struct policy_ctx *ctx, const struct policy_node *lower,
				       const struct policy_node *upper, bool is_refusals);

static struct policy_node *merge_maps(struct policy_ctx *ctx, const struct policy_node *lower,
				      const struct policy_node *upper)
{
	struct policy_node *map = copy_node(ctx, upper);
	bool is_seccomp = str_equal(upper->key, "seccomp");

	if (map == NULL)
		return NULL;
	map->children = NULL;
	for (const struct policy_node *child = lower->children; child != NULL;
	     child = child->next) {
		const struct policy_node *over = doc_get(upper, child->key);
		bool is_refusals = is_seccomp && str_equal(child->key, "deny");

		doc_add(map, over != NULL ? merge_nodes(ctx, child, over, is_refusals)
					  : copy_node(ctx, child));
	}
	for (const struct policy_node *child = upper->children; child != NULL; child = child->next)
		if (doc_get(lower, child->key) == NULL)
			doc_add(map, copy_node(ctx, child));
	return map;
}

static struct policy_node *merge_nodes(struct policy_ctx *ctx, const struct policy_node *lower,
				       const struct policy_node *upper, bool is_refusals)
{
	struct policy_node *list;

	if (lower->kind == NODE_MAPPING && upper->kind == NODE_MAPPING)
		return merge_maps(ctx, lower, upper);
	if (lower->kind != NODE_SEQUENCE || upper->kind != NODE_SEQUENCE ||
	    (!upper->appends && !is_refusals))
		return copy_node(ctx, upper);
	list = copy_node(ctx, upper);
	if (list == NULL)
		return NULL;
	list->children = NULL;
	list->appends = lower->appends;
	add_copies(ctx, list, lower);
	add_copies(ctx, list, upper);
	return list;
}

struct policy_node *merge_trees(struct policy_ctx *ctx, const struct policy_node *lower,
				const struct policy_node *upper)
{
	if (lower == NULL || upper == NULL)
		return lower != NULL ? copy_node(ctx, lower)
				     : (upper != NULL ? copy_node(ctx, upper) : NULL);
	return merge_nodes(ctx, lower, upper, false);
}
