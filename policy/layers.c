/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the chain of profiles; see layers.h. */
#include "policy/layers.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "policy/digest.h"
#include "policy/keys.h"
#include "policy/yaml.h"

static const struct policy_shipped *find_shipped(const struct policy_source *source)
{
	for (size_t i = 0; i < policy_n_shipped_profiles; i++)
		if (source->text == policy_shipped_profiles[i].text)
			return &policy_shipped_profiles[i];
	return NULL;
}

bool layers_is_shipped(const struct policy_source *source)
{
	return find_shipped(source) != NULL;
}

/* Loads and checks one profile; source->dir is where ref starts from, and then the profile's own
 * directory. Where the text cannot be read *ret_root is NULL. */
static int load_one(struct policy_ctx *ctx, const char *ref, struct policy_source *source,
		    struct policy_node **ret_root, struct err *err)
{
	const struct policy_host *host = ctx->host;
	const struct policy_shipped *shipped;
	struct policy_node *root;
	int r = host->load_profile(host->ctx, ctx->arena, ref, source->dir, &source->path,
				   &source->dir, &source->text, &source->len, err);

	if (r < 0)
		return r;
	/* Of a shipped one both are known since the build. */
	shipped = find_shipped(source);
	if (shipped != NULL) {
		source->digest = shipped->digest;
		root = doc_of_shipped(ctx, source, shipped);
	} else {
		source->digest = digest_sha256(ctx, source->text, source->len);
		root = yaml_parse(ctx, source, source->text, source->len);
	}
	if (root != NULL)
		keys_check(ctx, root);
	*ret_root = root;
	return 0;
}

static void require_version(struct policy_ctx *ctx, const struct policy_source *source,
			    const struct policy_node *root)
{
	struct policy_place top = {.source = source, .line = 1, .column = 1};

	if (doc_get(root, "cordon") == NULL && ctx->problems->n == 0)
		ctx_report(ctx, top, "no-version", "'cordon: 1' is missing")->expected =
			"A profile says the version of its format.";
}

static bool is_in_chain(const struct policy_layers *layers, const struct policy_source *source)
{
	for (size_t i = 0; i < layers->n_profiles; i++)
		if (str_equal(layers->sources[i]->path, source->path))
			return true;
	return false;
}

/* The profile was read leaf first; layers stand ancestors first. */
static void turn_round(struct policy_layers *layers)
{
	for (size_t i = 0; i < layers->n_profiles / 2; i++) {
		size_t j = layers->n_profiles - 1 - i;
		const struct policy_source *source = layers->sources[i];
		struct policy_node *root = layers->roots[i];

		layers->sources[i] = layers->sources[j];
		layers->roots[i] = layers->roots[j];
		layers->sources[j] = source;
		layers->roots[j] = root;
	}
}

/* Reads the parent that `extends` names. Returns false where the chain ends here. */
static bool load_parent(struct policy_ctx *ctx, struct policy_layers *layers,
			const struct policy_node *extends)
{
	struct policy_source *source = ctx_array(ctx, 1, sizeof(*source));
	const struct policy_source *child = extends->place.source;
	struct policy_node *root = NULL;
	struct err err = {0};

	if (source == NULL)
		return false;
	layers->is_broken = true;
	if (layers->n_profiles == LAYERS_MAX_PROFILES) {
		ctx_report(ctx, extends->place, "extends-depth", "more than %d profiles in a row",
			   LAYERS_MAX_PROFILES);
		return false;
	}
	source->rank = child->rank - 1;
	source->dir = child->dir;
	if (load_one(ctx, extends->text, source, &root, &err) < 0) {
		ctx_report(ctx, extends->place, "no-profile", "%s", err.text)->hint =
			ctx_copy(ctx, err.hint, strlen(err.hint));
		return false;
	}
	if (is_in_chain(layers, source)) {
		ctx_report(ctx, extends->place, "extends-cycle", "%s extends itself in a circle",
			   source->path);
		return false;
	}
	if (root == NULL)
		return false;
	require_version(ctx, source, root);
	layers->is_broken = false;
	layers->sources[layers->n_profiles] = source;
	layers->roots[layers->n_profiles++] = root;
	return true;
}

static void add_flags(struct policy_ctx *ctx, struct policy_layers *layers)
{
	struct policy_node *flags = layers_from_flags(ctx);

	layers->n = layers->n_profiles;
	if (flags != NULL)
		layers->roots[layers->n++] = flags;
}

int layers_load(struct policy_ctx *ctx, struct policy_layers *layers, struct err *err)
{
	const char *ref = ctx->request->profile != NULL ? ctx->request->profile : "default";
	struct policy_source *source = ctx_array(ctx, 1, sizeof(*source));
	const struct policy_node *extends;
	int r;

	if (source == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "profile '%s'", ref);
	source->rank = LAYERS_MAX_PROFILES;
	source->dir = ctx->host->cwd;
	r = load_one(ctx, ref, source, &layers->roots[0], err);
	if (r < 0)
		return r;
	layers->sources[0] = source;
	layers->is_broken = layers->roots[0] == NULL;
	if (layers->is_broken) {
		add_flags(ctx, layers); /* for their mistakes */
		return 0;
	}
	require_version(ctx, source, layers->roots[0]);
	layers->n_profiles = 1;
	do {
		extends = doc_get(layers->roots[layers->n_profiles - 1], "extends");
	} while (extends != NULL && load_parent(ctx, layers, extends));
	turn_round(layers);
	add_flags(ctx, layers);
	return 0;
}
