/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* secrets: entries to spec_secret. Names only; the content is read when the sandbox is launched. */
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"
#include "policy/paths.h"
#include "policy/resolve.h"

static const char default_dir[] = "/run/secrets"; /* as in Compose */

static bool read_secret(struct policy_ctx *ctx, const struct policy_node *node,
			struct spec_secret *secret)
{
	bool is_map = node->kind == NODE_MAPPING;
	const struct policy_node *file = is_map ? doc_get(node, "file") : node;
	const struct policy_node *target = doc_get(node, "target");

	if (file == NULL) {
		if (!node->is_damaged)
			ctx_report(ctx, node->place, "missing-key", "this secret lacks 'file'");
		return false;
	}
	secret->origin = doc_origin(node->place);
	secret->file = resolve_source(ctx, file->place, file->text);
	if (secret->file == NULL)
		return false;
	if (target != NULL)
		return resolve_target(ctx, target->place, target->text, &secret->target);
	return resolve_target(ctx, file->place,
			      paths_absolute(ctx, default_dir, strrchr(secret->file, '/') + 1),
			      &secret->target);
}

static bool overlap(const char *a, const char *b)
{
	return paths_is_at_or_below(a, b) || paths_is_at_or_below(b, a);
}

/* A file has no place on, or above, what is mounted; below a directory that is shown it has. */
static bool has_own_place(struct policy_ctx *ctx, const struct policy_node *node,
			  const struct spec_secret *secret, const struct sandbox_spec *spec)
{
	const char *other = NULL;

	for (size_t i = 0; i < spec->n_secrets; i++)
		if (overlap(secret->target, spec->secrets[i].target))
			other = spec->secrets[i].target;
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (paths_is_at_or_below(spec->mounts[i].target, secret->target))
			other = spec->mounts[i].target;
	if (other == NULL && !str_equal(secret->target, default_dir))
		return true;
	if (other == NULL)
		ctx_report(ctx, node->place, "bad-target", "'%s' cannot be a secret's target",
			   secret->target)
			->expected = "The file has a name of its own.";
	else
		ctx_report(ctx, node->place, "duplicate-target", "'%s' and '%s' overlap",
			   secret->target, other)
			->expected = "Each secret has a target of its own.";
	return false;
}

void resolve_secrets(struct policy_ctx *ctx, const struct policy_node *root,
		     struct sandbox_spec *spec)
{
	const struct policy_node *list = doc_get(root, "secrets");
	struct spec_secret *secrets = ctx_array(ctx, SPEC_SECRETS_MAX, sizeof(*secrets));

	spec->secrets = secrets;
	for (const struct policy_node *node = list != NULL ? list->children : NULL;
	     node != NULL && secrets != NULL; node = node->next) {
		struct spec_secret secret;

		if (spec->n_secrets == SPEC_SECRETS_MAX) {
			ctx_report(ctx, node->place, "too-many", "more than %d secrets",
				   SPEC_SECRETS_MAX);
			return;
		}
		if (read_secret(ctx, node, &secret) && has_own_place(ctx, node, &secret, spec))
			secrets[spec->n_secrets++] = secret;
	}
}
