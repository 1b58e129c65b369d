/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run by the build: profile_nodes NAME FILE reads a shipped profile with cordon's own reader
 * (policy/yaml.c) and prints its tree as a table (struct policy_shipped_node), so that a launch
 * need not read it as YAML again. Texts are offsets into one string: pointers in a table would be
 * relocated at each start of the program.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "policy/ctx.h"
#include "policy/yaml.h"

enum { FILE_MAX = 256 << 10, ARENA_BYTES = 16 << 20 };

struct output {
	FILE *strings;
	size_t n_bytes;
};

/* Returns where the text stands in the string. */
static size_t put_text(struct output *out, const char *text)
{
	size_t at = out->n_bytes;

	fputs("\t\"", out->strings);
	for (; *text != '\0'; text++, out->n_bytes++)
		fprintf(out->strings, "\\%03o", (unsigned)(unsigned char)*text);
	fputs("\\0\"\n", out->strings);
	out->n_bytes++;
	return at;
}

static void put_node(struct output *out, const struct policy_node *node, unsigned depth)
{
	size_t key = put_text(out, node->key);
	size_t text = put_text(out, node->text);

	printf("\t{%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %" PRIu32
	       ", %d, %u, %d, %d, %zu, %zu},\n",
	       node->place.line, node->place.column, node->key_place.line, node->key_place.column,
	       (int)node->kind, depth, node->is_quoted, node->appends, key, text);
	for (const struct policy_node *child = node->children; child != NULL; child = child->next)
		put_node(out, child, depth + 1);
}

static int print_tree(const char *name, const struct policy_node *root)
{
	char *text = NULL;
	size_t size = 0;
	struct output out = {.strings = open_memstream(&text, &size)};

	if (out.strings == NULL)
		return 1;
	printf("static const struct policy_shipped_node nodes_%s[] = {\n", name);
	put_node(&out, root, 0);
	if (fclose(out.strings) != 0 || out.n_bytes > UINT16_MAX) {
		fprintf(stderr, "profile_nodes: %s is too large\n", name);
		free(text);
		return 1;
	}
	printf("};\nstatic const char strings_%s[] =\n%s;\n", name, text);
	free(text);
	return 0;
}

static size_t read_file(const char *path, char *ret, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t n = file != NULL ? fread(ret, 1, size, file) : 0;

	if (file != NULL)
		fclose(file);
	return n;
}

int main(int argc, char **argv)
{
	struct policy_problems *problems = calloc(1, sizeof(*problems));
	char *text = calloc(1, FILE_MAX);
	struct arena arena = {0};
	struct err err;
	struct policy_ctx ctx = {.arena = &arena, .problems = problems};
	struct policy_source source = {.path = argc == 3 ? argv[2] : "", .dir = "", .text = text};
	const struct policy_node *root = NULL;
	int r = 1;

	if (argc == 3 && problems != NULL && text != NULL &&
	    arena_init(&arena, ARENA_BYTES, &err) == 0) {
		source.len = read_file(argv[2], text, FILE_MAX);
		root = yaml_parse(&ctx, &source, text, source.len);
	}
	if (root != NULL && problems->n == 0)
		r = print_tree(argv[1], root);
	else
		fprintf(stderr, "profile_nodes: %s: %s\n", source.path,
			problems != NULL && problems->n > 0 ? problems->list[0].text : "not read");
	arena_release(&arena);
	free(text);
	free(problems);
	return r;
}
