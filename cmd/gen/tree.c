/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A profile as JSON, read by cordon's own reader, for the test of the schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "cmd/gen/documents.h"
#include "policy/ctx.h"
#include "policy/yaml.h"

enum { TREE_MAX = 1 << 20, ARENA_BYTES = 16 << 20 };

/* The core schema of YAML 1.2, as far as profiles need it. */
static void put_scalar(struct json *json, const char *name, const struct policy_node *node)
{
	const char *text = node->text;
	size_t digits = strspn(text, "0123456789");

	if (!node->is_quoted &&
	    (text[0] == '\0' || str_equal(text, "null") || str_equal(text, "~")))
		json_null(json, name);
	else if (!node->is_quoted && (str_equal(text, "true") || str_equal(text, "false")))
		json_truth(json, name, str_equal(text, "true"));
	else if (!node->is_quoted && text[digits] == '\0' && digits < 19)
		json_number(json, name, strtoll(text, NULL, 10));
	else
		json_text(json, name, text);
}

static void put_node(struct json *json, const char *name, const struct policy_node *node)
{
	bool is_map = node->kind == NODE_MAPPING;

	if (node->kind == NODE_SCALAR) {
		put_scalar(json, name, node);
		return;
	}
	json_open(json, name, is_map ? '{' : '[');
	for (const struct policy_node *child = node->children; child != NULL; child = child->next) {
		char key[256];

		str_format(key, sizeof(key), "%s%s", child->appends ? "+" : "", child->key);
		put_node(json, is_map ? key : NULL, child);
	}
	json_close(json, is_map ? '}' : ']');
}

static size_t read_file(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n = file != NULL ? fread(ret, 1, size, file) : 0;

	if (file != NULL)
		fclose(file);
	return n;
}

int documents_tree(const char *path)
{
	struct policy_problems *problems = calloc(1, sizeof(*problems));
	char *text = calloc(2, TREE_MAX);
	struct arena arena = {0};
	struct err err;
	struct policy_ctx ctx = {.arena = &arena, .problems = problems};
	struct policy_source source = {.path = path, .dir = "", .text = text, .digest = ""};
	const struct policy_node *root = NULL;
	struct json json;

	if (problems != NULL && text != NULL && arena_init(&arena, ARENA_BYTES, &err) == 0) {
		source.len = read_file(path, text, TREE_MAX);
		root = yaml_parse(&ctx, &source, text, source.len);
	}
	if (root != NULL && problems->n == 0) {
		json_init(&json, text + TREE_MAX, TREE_MAX);
		put_node(&json, NULL, root);
		if (json_finish(&json) >= 0)
			puts(text + TREE_MAX);
	} else {
		root = NULL;
		fprintf(stderr, "documents: %s: cannot be read\n", path);
	}
	arena_release(&arena);
	free(text);
	free(problems);
	return root != NULL ? 0 : 1;
}
