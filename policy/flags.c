/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The flags of the command line as a layer of policy. Each flag becomes the small tree that a
 * profile would have said it with, goes through the same table of keys, and keeps the flag's own
 * text for messages. There is no second way into the spec.
 */
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/layers.h"
#include "policy/merge.h"
#include "policy/paths.h"
#include "policy/yaml.h"

enum { KEY_PATH_MAX = 256 };

const char *policy_flag_name(enum policy_flag_kind kind)
{
	switch (kind) {
	case FLAG_SET:
		return "--set";
	case FLAG_WAIVE:
		return "--waive";
	case FLAG_RO:
		return "--ro";
	case FLAG_RW:
		return "--rw";
	case FLAG_ENV:
		return "-e";
	case FLAG_WORKING_DIR:
		return "-w";
	case FLAG_USER:
		return "-u";
	case FLAG_HOSTNAME:
		return "--hostname";
	case FLAG_TIMEOUT:
		return "--timeout";
	}
	return "";
}

static struct policy_place flag_place(const struct policy_source *source)
{
	return (struct policy_place){.source = source,
				     .line = 1,
				     .column = source->column_base + 1};
}

/* Takes the first part of a dotted path off *path. Below a map of free names the rest is one name:
 * the name of a waiver or a variable may hold dots. */
static const char *next_part(struct policy_ctx *ctx, const char **path, char *so_far)
{
	const struct policy_key *key = keys_find(so_far);
	size_t len = key != NULL && key->type == KEY_FREE_MAP ? strlen(*path) : strcspn(*path, ".");
	const char *part = ctx_copy(ctx, *path, len);
	size_t used = strlen(so_far);

	str_format(so_far + used, KEY_PATH_MAX - used, "%s%s", used > 0 ? "." : "",
		   part[0] == '+' ? part + 1 : part);
	*path += len + ((*path)[len] == '.' ? 1 : 0);
	return part;
}

/* value below a map for each part of path. */
static struct policy_node *nest(struct policy_ctx *ctx, const char *path, struct policy_node *value)
{
	struct policy_node *root, *map;
	char so_far[KEY_PATH_MAX] = "";

	if (value == NULL)
		return NULL;
	root = map = doc_node(ctx, NODE_MAPPING, flag_place(value->place.source));
	while (map != NULL && *path != '\0') {
		const char *part = next_part(ctx, &path, so_far);
		struct policy_node *child =
			*path == '\0'
				? value
				: doc_node(ctx, NODE_MAPPING, flag_place(value->place.source));

		if (child == NULL)
			return NULL;
		child->appends = part[0] == '+';
		child->key = child->appends ? part + 1 : part;
		/* The key itself begins behind "--set ". */
		child->key_place = flag_place(value->place.source);
		doc_add(map, child);
		map = child;
	}
	return root;
}

static struct policy_node *text_at(struct policy_ctx *ctx, const struct policy_source *source,
				   const char *path, const char *text)
{
	return nest(ctx, path, doc_scalar(ctx, "", text, flag_place(source)));
}

/* The part of "NAME=VALUE" before '=', NULL (and reported) where there is none. */
static const char *name_of(struct policy_ctx *ctx, const struct policy_source *source,
			   const char *text, const char *form)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		ctx_report(ctx, flag_place(source), "bad-flag", "'%s' is not %s", text, form);
		return NULL;
	}
	return ctx_copy(ctx, text, (size_t)(equals - text));
}

static struct policy_node *set_tree(struct policy_ctx *ctx, struct policy_source *source,
				    const char *text)
{
	const char *key = name_of(ctx, source, text, "KEY=VALUE");
	const char *value;
	struct policy_node *node, *tree;
	uint32_t key_base = source->column_base;

	if (key == NULL)
		return NULL;
	if (str_equal(key, "extends")) {
		ctx_report(ctx, flag_place(source), "bad-flag", "extends cannot be set by a flag")
			->hint = "Use --profile.";
		return NULL;
	}
	value = text + strlen(key) + 1;
	/* An empty text is no YAML document, but it is a value that keys can judge. */
	if (*value == '\0') {
		node = doc_node(ctx, NODE_SCALAR, flag_place(source));
		/* The empty text, as of `-e NAME=`; "no value" has no '=' on a command line. */
		if (node != NULL)
			node->is_quoted = true;
	} else {
		source->column_base += (uint32_t)strlen(key) + 1;
		node = yaml_parse(ctx, source, value, strlen(value));
		source->column_base = key_base;
	}
	tree = nest(ctx, key, node);
	return tree;
}

static struct policy_node *env_tree(struct policy_ctx *ctx, const struct policy_source *source,
				    const char *text)
{
	size_t len = strcspn(text, "=");
	const char *path;
	struct policy_node *node;

	if (len == 0) {
		ctx_report(ctx, flag_place(source), "bad-flag", "'%s' names no variable", text);
		return NULL;
	}
	path = ctx_format(ctx, "process.environment.%.*s", (int)len, text);
	node = doc_scalar(ctx, "", text[len] == '=' ? text + len + 1 : "", flag_place(source));
	if (node != NULL)
		node->is_quoted = text[len] == '=';
	return nest(ctx, path, node);
}

static struct policy_node *bind_tree(struct policy_ctx *ctx, const struct policy_source *source,
				     const char *text, bool is_read_only)
{
	struct policy_place place = flag_place(source);
	struct policy_node *list = doc_node(ctx, NODE_SEQUENCE, place);
	struct policy_node *bind = doc_node(ctx, NODE_MAPPING, place);
	const char *path;

	if (text[0] == '\0' || (text[0] != '/' && ctx->host->cwd[0] == '\0')) {
		ctx_report(ctx, place, "bad-flag", "'%s' is not a path that can be resolved", text);
		return NULL;
	}
	path = paths_absolute(ctx, ctx->host->cwd, text);
	doc_add(bind, doc_scalar(ctx, "type", "bind", place));
	doc_add(bind, doc_scalar(ctx, "source", path, place));
	doc_add(bind, doc_scalar(ctx, "target", path, place));
	doc_add(bind, doc_scalar(ctx, "read_only", is_read_only ? "true" : "false", place));
	doc_add(list, bind);
	return nest(ctx, "+volumes", list);
}

static struct policy_node *waive_tree(struct policy_ctx *ctx, const struct policy_source *source,
				      const char *text)
{
	const char *name = name_of(ctx, source, text, "NAME=REASON");

	if (name == NULL)
		return NULL;
	return text_at(ctx, source, ctx_format(ctx, "waive.%s", name), text + strlen(name) + 1);
}

static struct policy_node *flag_tree(struct policy_ctx *ctx, const struct policy_flag *flag,
				     struct policy_source *source)
{
	switch (flag->kind) {
	case FLAG_SET:
		return set_tree(ctx, source, flag->text);
	case FLAG_WAIVE:
		return waive_tree(ctx, source, flag->text);
	case FLAG_RO:
		return bind_tree(ctx, source, flag->text, true);
	case FLAG_RW:
		return bind_tree(ctx, source, flag->text, false);
	case FLAG_ENV:
		return env_tree(ctx, source, flag->text);
	case FLAG_WORKING_DIR:
		return text_at(ctx, source, "process.working_dir", flag->text);
	case FLAG_USER:
		return text_at(ctx, source, "process.user", flag->text);
	case FLAG_HOSTNAME:
		return text_at(ctx, source, "process.hostname", flag->text);
	case FLAG_TIMEOUT:
		return text_at(ctx, source, "limits.wall_time", flag->text);
	}
	return NULL;
}

struct policy_node *layers_from_flags(struct policy_ctx *ctx)
{
	struct policy_node *all = NULL;

	for (size_t i = 0; i < ctx->request->n_flags; i++) {
		const struct policy_flag *flag = &ctx->request->flags[i];
		struct policy_source *source = ctx_array(ctx, 1, sizeof(*source));
		struct policy_node *tree;

		if (source == NULL)
			return NULL;
		*source = (struct policy_source){
			.path = "command line",
			.dir = ctx->host->cwd,
			.text = ctx_format(ctx, "%s %s", policy_flag_name(flag->kind), flag->text),
			.rank = LAYERS_MAX,
			.column_base = (uint32_t)strlen(policy_flag_name(flag->kind)) + 1,
			.is_flag = true,
			.digest = "",
		};
		source->len = strlen(source->text);
		tree = flag_tree(ctx, flag, source);
		if (tree == NULL)
			continue;
		keys_check(ctx, tree);
		all = merge_trees(ctx, all, tree);
	}
	return all;
}
