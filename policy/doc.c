/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of a policy text; see doc.h. Pure data handling, in the process that reads the policy.
 */
#include "policy/doc.h"

#include <string.h>

#include "base/str.h"
#include "policy/ctx.h"
#include "policy/yaml.h"

struct policy_node *doc_node(struct policy_ctx *ctx, enum policy_node_kind kind,
			     struct policy_place place)
{
	struct policy_node *node = ctx_array(ctx, 1, sizeof(*node));

	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->text = "";
	node->key = "";
	node->place = place;
	node->key_place = place;
	return node;
}

struct policy_node *doc_scalar(struct policy_ctx *ctx, const char *key, const char *text,
			       struct policy_place place)
{
	struct policy_node *node = doc_node(ctx, NODE_SCALAR, place);

	if (node == NULL)
		return NULL;
	node->key = key;
	node->text = text;
	node->is_quoted = true;
	return node;
}

struct policy_node *doc_of_shipped(struct policy_ctx *ctx, const struct policy_source *source,
				   const struct policy_shipped *shipped)
{
	struct policy_node *nodes = ctx_array(ctx, shipped->n_nodes, sizeof(*nodes));
	/* Where the next node of each depth is to be linked. */
	struct policy_node **ends[YAML_MAX_DEPTH + 2] = {NULL};

	for (size_t i = 0; nodes != NULL && i < shipped->n_nodes; i++) {
		const struct policy_shipped_node *from = &shipped->nodes[i];

		nodes[i] = (struct policy_node){
			.kind = (enum policy_node_kind)from->kind,
			.is_quoted = from->is_quoted,
			.appends = from->appends,
			.key = shipped->strings + from->key,
			.text = shipped->strings + from->text,
			.place = {source, from->line, from->column},
			.key_place = {source, from->key_line, from->key_column},
		};
		if (i > 0)
			*ends[from->depth] = &nodes[i];
		ends[from->depth] = &nodes[i].next;
		ends[from->depth + 1] = &nodes[i].children;
	}
	return nodes;
}

void doc_add(struct policy_node *parent, struct policy_node *child)
{
	struct policy_node **end;

	if (parent == NULL || child == NULL)
		return;
	for (end = &parent->children; *end != NULL; end = &(*end)->next) {
	}
	*end = child;
}

struct policy_node *doc_get(const struct policy_node *node, const char *key)
{
	if (node == NULL || node->kind != NODE_MAPPING)
		return NULL;
	for (struct policy_node *child = node->children; child != NULL; child = child->next)
		if (str_equal(child->key, key))
			return child;
	return NULL;
}

struct policy_node *doc_find(const struct policy_node *node, const char *path)
{
	char key[64];
	const char *dot = strchr(path, '.');

	if (dot == NULL)
		return doc_get(node, path);
	str_format(key, sizeof(key), "%.*s", (int)(dot - path), path);
	return doc_find(doc_get(node, key), dot + 1);
}

bool doc_has_no_value(const struct policy_node *node)
{
	return node->kind == NODE_SCALAR && !node->is_quoted && node->text[0] == '\0';
}

struct spec_origin doc_origin(struct policy_place place)
{
	return (struct spec_origin){
		.file = place.source->path,
		.line = place.source->is_flag ? 0 : place.line,
		.column = place.column,
	};
}

/* A text being built in a buffer that is large enough for any line worth printing. */
struct flow {
	char buf[4096];
	size_t len;
};

static void flow_put(struct flow *flow, const char *text)
{
	flow->len += str_format(flow->buf + flow->len, sizeof(flow->buf) - flow->len, "%s", text);
}

static void flow_node(struct flow *flow, const struct policy_node *node)
{
	if (node->kind == NODE_SCALAR) {
		flow_put(flow, node->text[0] == '\0' && node->is_quoted ? "\"\"" : node->text);
		return;
	}
	flow_put(flow, node->kind == NODE_MAPPING ? "{" : "[");
	for (const struct policy_node *child = node->children; child != NULL; child = child->next) {
		if (node->kind == NODE_MAPPING) {
			flow_put(flow, child->key);
			flow_put(flow, ": ");
		}
		flow_node(flow, child);
		if (child->next != NULL)
			flow_put(flow, ", ");
	}
	flow_put(flow, node->kind == NODE_MAPPING ? "}" : "]");
}

const char *doc_flow_text(struct policy_ctx *ctx, const struct policy_node *node)
{
	struct flow flow = {.len = 0};

	flow_node(&flow, node);
	return ctx_copy(ctx, flow.buf, flow.len);
}
