/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program, its arguments and its environment. */
#include <string.h>

#include "base/str.h"
#include "policy/paths.h"
#include "policy/resolve.h"

static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

/* The caller's value of a variable, NULL where it has none. */
static const char *callers_value(const struct policy_ctx *ctx, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *entry = ctx->host->environment; entry != NULL && *entry != NULL;
	     entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	return NULL;
}

static size_t count_children(const struct policy_node *node)
{
	size_t n = 0;

	for (const struct policy_node *child = node != NULL ? node->children : NULL; child != NULL;
	     child = child->next)
		n++;
	return n;
}

static bool is_variable_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p == '=' || (unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return name[0] != '\0';
}

static void resolve_environment(struct policy_ctx *ctx, const struct policy_node *map,
				struct spec_process *process)
{
	/* PATH may be added, and NULL ends it. */
	const char **envp = ctx_array(ctx, count_children(map) + 2, sizeof(*envp));
	size_t n = 0;

	if (envp == NULL)
		return;
	for (const struct policy_node *item = map != NULL ? map->children : NULL; item != NULL;
	     item = item->next) {
		const char *value =
			doc_has_no_value(item) ? callers_value(ctx, item->key) : item->text;

		if (!is_variable_name(item->key)) {
			ctx_report(ctx, item->key_place, "bad-value",
				   "'%s' cannot be a variable's name", item->key);
			continue;
		}
		if (value == NULL)
			continue; /* the caller has none to pass on */
		envp[n] = ctx_format(ctx, "%s=%s", item->key, value);
		/* ctx_format cuts at its buffer; a variable is whole or an error. */
		if (strlen(envp[n]) != strlen(item->key) + 1 + strlen(value))
			ctx_report(ctx, item->key_place, "bad-value", "%s is too long", item->key);
		if (str_equal(item->key, "PATH"))
			process->path = value;
		n++;
	}
	if (process->path[0] == '\0' && doc_get(map, "PATH") == NULL) {
		process->path = default_path;
		envp[n++] = ctx_format(ctx, "PATH=%s", default_path);
	}
	process->envp = envp;
}

/* Where a program that is named by a relative path lies: with a root of its own, inside. */
static const char *base_of_program(const struct policy_ctx *ctx, const struct spec_process *process)
{
	if (ctx->image == NULL)
		return ctx->host->cwd;
	return process->working_dir[0] != '\0' ? process->working_dir : "/";
}

static void resolve_program(struct policy_ctx *ctx, const char *const *wanted,
			    struct spec_process *process)
{
	const char **argv;
	size_t n = 0;

	while (wanted[n] != NULL)
		n++;
	argv = ctx_array(ctx, n + 1, sizeof(*argv));
	if (argv == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		argv[i] = ctx_copy(ctx, wanted[i], strlen(wanted[i]));
	process->argv = argv;
	if (n == 0)
		return;
	process->program = strchr(argv[0], '/') == NULL
				   ? argv[0]
				   : paths_absolute(ctx, base_of_program(ctx, process), argv[0]);
}

void resolve_entering(struct policy_ctx *ctx, struct sandbox_spec *spec)
{
	/* After the mounts, which the sandbox's own program has a part in. */
	if (ctx->request->entering_argv != NULL)
		resolve_program(ctx, ctx->request->entering_argv, &spec->process);
}

static void resolve_fds(struct policy_ctx *ctx, struct spec_process *process)
{
	size_t n = ctx->request->n_fds;
	int *fds = ctx_array(ctx, n + 1, sizeof(*fds));

	if (fds == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		fds[i] = ctx->request->fds[i];
	process->fds = fds;
	process->n_fds = n;
}

void resolve_process(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec)
{
	resolve_environment(ctx, doc_find(root, "process.environment"), &spec->process);
	resolve_program(ctx, image_command(ctx), &spec->process);
	resolve_fds(ctx, &spec->process);
}
