/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where every value comes from, for `cordon explain`: the merged tree as a list of keys, each with
 * the file and line that said it last. Values that cordon sets otherwise than they were written say
 * both.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

struct value_list {
	struct spec_value *values;
	size_t n;
	size_t max;
};

static void add_value(struct value_list *list, const char *key, const char *value,
		      struct spec_origin origin)
{
	if (list->n < list->max)
		list->values[list->n++] =
			(struct spec_value){.key = key, .value = value, .origin = origin};
}

/* How a scalar is shown. */
static const char *shown_text(struct policy_ctx *ctx, const char *key,
			      const struct policy_node *node)
{
	if (doc_has_no_value(node))
		return "(the caller's)";
	if (str_equal(key, "limits.ulimits.core") && str_equal(node->text, "0"))
		return "0 (set as 1: with 0 a core handler behind a pipe would still be started)";
	return doc_flow_text(ctx, node);
}

static void add_node(struct policy_ctx *ctx, struct value_list *list, const char *key,
		     const struct policy_node *node)
{
	size_t i = 0;

	if (node->kind == NODE_MAPPING) {
		for (const struct policy_node *child = node->children; child != NULL;
		     child = child->next)
			add_node(ctx, list,
				 ctx_format(ctx, "%s%s%s", key, key[0] != '\0' ? "." : "",
					    child->key),
				 child);
		return;
	}
	if (node->kind == NODE_SCALAR || node->children == NULL) {
		add_value(list, key, shown_text(ctx, key, node), doc_origin(node->place));
		return;
	}
	for (const struct policy_node *child = node->children; child != NULL;
	     child = child->next, i++)
		add_value(list, ctx_format(ctx, "%s[%zu]", key, i), doc_flow_text(ctx, child),
			  doc_origin(child->place));
}

static size_t count_nodes(const struct policy_node *node)
{
	size_t n = 1;

	for (const struct policy_node *child = node->children; child != NULL; child = child->next)
		n += count_nodes(child);
	return n;
}

/* By key; the items of one list by their number ("a[10]" behind "a[9]"). */
static int compare_values(const void *a, const void *b)
{
	const char *key_a = ((const struct spec_value *)a)->key;
	const char *key_b = ((const struct spec_value *)b)->key;
	size_t head_a = strcspn(key_a, "[");
	size_t head_b = strcspn(key_b, "[");

	if (head_a != head_b || strncmp(key_a, key_b, head_a) != 0 || key_a[head_a] == '\0')
		return strcmp(key_a, key_b);
	if (strlen(key_a) != strlen(key_b))
		return strlen(key_a) < strlen(key_b) ? -1 : 1;
	return strcmp(key_a, key_b);
}

static void add_implied(struct policy_ctx *ctx, struct value_list *list,
			const struct policy_node *root, const struct sandbox_spec *spec)
{
	const struct spec_total *swap = &spec->limits.total[LIMIT_SWAP];

	if (swap->demand != DEMAND_NONE && doc_find(root, "limits.swap") == NULL &&
	    doc_find(root, "when_possible.limits.swap") == NULL)
		add_value(list, "limits.swap", "0 (beside limits.memory; unlimited lets it swap)",
			  swap->origin);
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (mount->type == MOUNT_BIND && !mount->read_only) {
			add_value(list, "seccomp (setuid and setgid bits)",
				  ctx_format(ctx, "refused, since %s is writable", mount->source),
				  mount->origin);
			break;
		}
	}
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		/* The only mount that no list has said. */
		if (mount->origin.line == 0 && mount->origin.column == 0)
			add_value(list, "volumes (the program)",
				  ctx_format(ctx, "%s, read-only", mount->source), mount->origin);
	}
}

static void resolve_values(struct policy_ctx *ctx, const struct policy_node *root,
			   struct sandbox_spec *spec)
{
	struct value_list list = {.max = count_nodes(root) + 3};

	list.values = ctx_array(ctx, list.max, sizeof(*list.values));
	if (list.values == NULL)
		return;
	add_node(ctx, &list, "", root);
	add_implied(ctx, &list, root, spec);
	qsort(list.values, list.n, sizeof(*list.values), compare_values);
	spec->provenance.values = list.values;
	spec->provenance.n_values = list.n;
}

void resolve_provenance(struct policy_ctx *ctx, const struct policy_layers *layers,
			const struct policy_node *root, struct sandbox_spec *spec)
{
	struct spec_profile *profiles =
		ctx_array(ctx, layers->n_profiles + ctx->n_files, sizeof(struct spec_profile));

	if (profiles == NULL)
		return;
	for (size_t i = 0; i < layers->n_profiles; i++)
		profiles[i] = (struct spec_profile){.path = layers->sources[i]->path,
						    .digest = layers->sources[i]->digest};
	for (size_t i = 0; i < ctx->n_files; i++)
		profiles[layers->n_profiles + i] =
			(struct spec_profile){.path = ctx->files[i]->path,
					      .digest = ctx->files[i]->digest};
	spec->provenance.profiles = profiles;
	spec->provenance.n_profiles = layers->n_profiles + ctx->n_files;
	spec->provenance.warnings = ctx->warnings;
	spec->provenance.n_warnings = ctx->n_warnings;
	if (ctx->request->wants_values)
		resolve_values(ctx, root, spec);
}
