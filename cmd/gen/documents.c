/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* documents NAME, or documents tree FILE. See documents.h. */
#include "cmd/gen/documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { DEFAULT_TEXT_MAX = 40 };

const char *documents_section(const struct policy_key *key, char *buf, size_t size)
{
	bool is_alone = true;

	str_format(buf, size, "%.*s", (int)strcspn(key->path, ".["), key->path);
	for (size_t i = 0; i < policy_n_keys && is_alone; i++) {
		size_t len = strlen(buf);

		is_alone = !str_has_prefix(policy_keys[i].path, buf) ||
			   (policy_keys[i].path[len] != '.' && policy_keys[i].path[len] != '[');
	}
	if (is_alone)
		buf[0] = '\0';
	return buf;
}

/* ---- what profile default has ---- */

static int load_shipped(void *ctx, struct arena *arena, const char *ref, const char *relative_to,
			const char **ret_path, const char **ret_dir, const char **ret_text,
			size_t *ret_len, struct err *err)
{
	(void)ctx;
	(void)relative_to;
	for (size_t i = 0; i < policy_n_shipped_profiles; i++) {
		if (!str_equal(policy_shipped_profiles[i].name, ref))
			continue;
		*ret_path = arena_format(arena, "profile %s", ref);
		*ret_dir = "";
		*ret_text = policy_shipped_profiles[i].text;
		*ret_len = policy_shipped_profiles[i].len;
		return 0;
	}
	return err_set(err, ERR_POLICY, ENOENT, "profile '%s'", ref);
}

static int no_accounts(void *ctx, struct arena *arena, const struct spec_rootfs *rootfs,
		       const char *which, const char **ret_text, size_t *ret_len, struct err *err)
{
	(void)ctx;
	(void)arena;
	(void)rootfs;
	(void)which;
	(void)err;
	*ret_text = "";
	*ret_len = 0;
	return 0;
}

/* Ends the program where the shipped profile is not in order. */
static void resolve_default(struct arena *arena, struct sandbox_spec *ret_spec)
{
	static const char *const nothing[] = {NULL};
	struct policy_request request = {.profile = "default",
					 .wants_values = true,
					 .argv = nothing};
	struct policy_host host = {.load_profile = load_shipped,
				   .read_accounts = no_accounts,
				   .cwd = "/srv/project",
				   .home = "",
				   .environment = nothing};
	struct policy_problems *problems = calloc(1, sizeof(*problems));
	struct err err = {0};

	if (problems == NULL || arena_init(arena, 64U << 20, &err) < 0 ||
	    policy_resolve(&request, &host, arena, ret_spec, problems, &err) < 0) {
		fprintf(stderr, "documents: profile default: %s\n", err.text);
		exit(1);
	}
	free(problems);
}

/* The items of a list, where they are short. */
static void list_text(const struct spec_provenance *p, const char *path, char *buf, size_t size)
{
	size_t len = 0, n = 0, path_len = strlen(path);

	for (size_t i = 0; i < p->n_values; i++) {
		const char *key = p->values[i].key;

		if (!str_has_prefix(key, path) || key[path_len] != '[')
			continue;
		len += str_format(buf + len, size - len, "%s%s", n > 0 ? ", " : "[",
				  p->values[i].value);
		n++;
	}
	if (n > 0)
		str_format(buf + len, size - len, "]");
	if (len > DEFAULT_TEXT_MAX)
		str_format(buf, size, "%zu %s", n, n == 1 ? "entry" : "entries");
}

const char *documents_default(const struct policy_key *key, char *buf, size_t size)
{
	struct arena arena = {0};
	struct sandbox_spec spec;

	buf[0] = '\0';
	/* What these say is the file's own business. */
	if (str_equal(key->path, "cordon") || str_equal(key->path, "description"))
		return buf;
	resolve_default(&arena, &spec);
	if (key->type == KEY_LIST)
		list_text(&spec.provenance, key->path, buf, size);
	for (size_t i = 0; i < spec.provenance.n_values; i++) {
		const char *value = spec.provenance.values[i].value;
		/* A value with a remark behind it. */
		const char *remark = strstr(value, " (");
		size_t len = remark != NULL ? (size_t)(remark - value) : strlen(value);

		if (str_equal(spec.provenance.values[i].key, key->path))
			str_format(buf, size, "%.*s", (int)len, value);
	}
	arena_release(&arena);
	return buf;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*print)(void);
	} documents[] = {{"schema", documents_schema},           {"man", documents_man},
			 {"man-program", documents_man_program}, {"reference", documents_reference},
			 {"completion", documents_completion},   {"docker", documents_docker},
			 {"commands", documents_commands}};

	if (argc == 3 && str_equal(argv[1], "tree"))
		return documents_tree(argv[2]);
	for (size_t i = 0; argc == 2 && i < sizeof(documents) / sizeof(documents[0]); i++)
		if (str_equal(argv[1], documents[i].name))
			return documents[i].print() != 0 || fflush(stdout) != 0 ? 1 : 0;
	fputs("usage: documents schema|man|man-program|reference|completion|docker|commands, or "
	      "documents "
	      "tree "
	      "FILE\n",
	      stderr);
	return 2;
}
