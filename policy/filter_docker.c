/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * seccomp.docker_profile of one layer; see filter.h. The file is the layer's list of calls: first
 * in the normal form of filter.h, then put over what the parent has, so that each call gets the
 * stricter of both answers.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "policy/digest.h"
#include "policy/docker.h"
#include "policy/json_doc.h"
#include "policy/paths.h"

/* ---- the file ---- */

/* The tree of the file that the layer names; NULL: reported. */
static const struct policy_node *load(struct policy_ctx *ctx, const struct policy_node *path)
{
	const struct policy_host *host = ctx->host;
	const struct policy_source *layer = path->place.source;
	struct policy_source *source = ctx_array(ctx, 1, sizeof(*source));
	const char *absolute = paths_absolute(ctx, layer->dir, path->text);
	struct err err = {0};

	if (source == NULL)
		return NULL;
	if (path->text[0] != '/' && layer->dir[0] != '/') {
		ctx_report(ctx, path->place, "bad-path", "'%s' is relative to no directory",
			   path->text);
		return NULL;
	}
	source->rank = layer->rank;
	/* As a profile: whoever may write the file decides what the filter is. */
	if (host->load_profile(host->ctx, ctx->arena, absolute, "", &source->path, &source->dir,
			       &source->text, &source->len, &err) < 0) {
		ctx_report(ctx, path->place, "no-profile", "%s", err.text)->hint =
			ctx_copy(ctx, err.hint, strlen(err.hint));
		return NULL;
	}
	source->digest = digest_sha256(ctx, source->text, source->len);
	if (ctx->n_files < CTX_FILES_MAX)
		ctx->files[ctx->n_files++] = source;
	return json_doc_parse(ctx, source);
}

/* The same, once for both architectures. */
static const struct policy_node *load_once(struct policy_ctx *ctx, const struct policy_node *path,
					   struct filter *filter)
{
	const struct policy_node *root;

	for (size_t i = 0; i < filter->n_files; i++)
		if (filter->files[i].path == path)
			return filter->files[i].root;
	root = load(ctx, path);
	if (filter->n_files < LAYERS_MAX)
		filter->files[filter->n_files++] = (struct filter_file){.path = path, .root = root};
	return root;
}

/* ---- the file's own answer to one call, in the normal form ---- */

static bool is_refusal(const struct filter_entry *entry)
{
	return !filter_is_permission(entry->action);
}

static void add_rule(struct policy_ctx *ctx, const struct filter_entry *entry, bool is_default,
		     struct filter_call *call)
{
	struct spec_call_rule *rule = ctx_array(ctx, 1, sizeof(*rule));

	if (rule == NULL)
		return;
	*rule = (struct spec_call_rule){.conds = entry->conds,
					.n_conds = entry->n_conds,
					.action = entry->action,
					.origin = doc_origin(entry->node->place)};
	filter_insert_rule(ctx, call, call->n_rules, rule, is_default);
}

/* The strictest first: where two match, that one answers. Softer ones than `above` are left out. */
static void add_refusals(struct policy_ctx *ctx, const struct filter_choices *some, unsigned above,
			 struct filter_call *call)
{
	for (unsigned strictness = filter_strictness((struct spec_action){.kind = ACT_KILL});
	     some != NULL && strictness > above; strictness--)
		for (size_t i = 0; i < some->n; i++)
			if (filter_strictness(some->entries[i]->action) == strictness)
				add_rule(ctx, some->entries[i], false, call);
}

static void own_answer(struct policy_ctx *ctx, const struct docker_profile *profile,
		       const struct docker_call *said, struct filter_call *call)
{
	struct filter_choices permitted = {.n = 0};

	*call = (struct filter_call){.name = call->name,
				     .otherwise = profile->default_action,
				     .is_default = true,
				     .origin = profile->origin};
	if (said->has_always) {
		call->otherwise = said->always;
		call->is_default = false;
		call->origin = said->origin;
		add_refusals(ctx, said->some, filter_strictness(said->always), call);
		return;
	}
	add_refusals(ctx, said->some, filter_strictness((struct spec_action){.kind = ACT_LOG}),
		     call);
	if (filter_is_permission(profile->default_action))
		return;
	for (size_t i = 0; said->some != NULL && i < said->some->n; i++) {
		const struct filter_entry *entry = said->some->entries[i];

		if (is_refusal(entry))
			continue;
		if (permitted.n == 0 ||
		    filter_strictness(entry->action) > filter_strictness(call->otherwise))
			call->otherwise = entry->action;
		permitted.entries[permitted.n++] = entry;
		call->is_default = false;
		call->origin = doc_origin(entry->node->place);
	}
	if (permitted.n > 0)
		filter_refuse_opposite(ctx, call, &permitted, profile->default_action);
}

/* ---- over the parent's ---- */

/* A rule with the conditions of both, either of which may be NULL. */
static void put_both(struct policy_ctx *ctx, const struct filter_rule *own,
		     const struct filter_rule *parent, const struct filter_rule *answer,
		     struct filter_call *call)
{
	size_t n_own = own != NULL ? own->rule->n_conds : 0;
	size_t n_parent = parent != NULL ? parent->rule->n_conds : 0;
	struct spec_call_rule *rule = ctx_array(ctx, 1, sizeof(*rule));
	struct spec_cond *conds = ctx_array(ctx, n_own + n_parent, sizeof(*conds));

	if (rule == NULL || conds == NULL)
		return;
	for (size_t i = 0; i < n_own; i++)
		conds[i] = own->rule->conds[i];
	for (size_t i = 0; i < n_parent; i++)
		conds[n_own + i] = parent->rule->conds[i];
	*rule = (struct spec_call_rule){.conds = conds,
					.n_conds = n_own + n_parent,
					.action = answer->rule->action,
					.origin = answer->rule->origin};
	filter_insert_rule(ctx, call, call->n_rules, rule, answer->is_default);
}

/* The stricter of two; `own` where they are as strict. */
static const struct filter_rule *stricter(const struct filter_rule *own,
					  const struct filter_rule *parent)
{
	return filter_strictness(parent->rule->action) > filter_strictness(own->rule->action)
		       ? parent
		       : own;
}

/* What a call answers where none of its rules holds, as a rule without conditions. */
struct rest {
	struct spec_call_rule rule;
	struct filter_rule as_rule;
};

static void rest_of(const struct filter_call *call, struct rest *ret)
{
	ret->rule = (struct spec_call_rule){.action = call->otherwise, .origin = call->origin};
	ret->as_rule = (struct filter_rule){.rule = &ret->rule, .is_default = call->is_default};
}

static bool is_softened_by(const struct filter_call *parent, const struct filter_rule *own)
{
	unsigned strictness = filter_strictness(own->rule->action);

	for (size_t i = 0; i < parent->n_rules; i++)
		if (filter_strictness(parent->rules[i].rule->action) > strictness)
			return true;
	return false;
}

/*
 * Each of the file's rules where it holds, with the parent's where those are stricter; then the
 * parent's rules; then the stricter of the two remainders.
 */
static void narrow(struct policy_ctx *ctx, const struct filter_call *own, struct filter_call *call)
{
	struct filter_call both = {.name = call->name};
	struct rest own_rest, rest;
	const struct filter_rule *last;

	rest_of(own, &own_rest);
	rest_of(call, &rest);
	for (size_t i = 0; i < own->n_rules; i++) {
		const struct filter_rule *rule = &own->rules[i];

		for (size_t j = 0; is_softened_by(call, rule) && j < call->n_rules; j++)
			put_both(ctx, rule, &call->rules[j], stricter(rule, &call->rules[j]),
				 &both);
		put_both(ctx, rule, NULL, stricter(rule, &rest.as_rule), &both);
	}
	last = stricter(&own_rest.as_rule, &rest.as_rule);
	for (size_t j = 0; j < call->n_rules; j++)
		put_both(ctx, NULL, &call->rules[j], stricter(&own_rest.as_rule, &call->rules[j]),
			 &both);
	both.otherwise = last->rule->action;
	both.is_default = last->is_default;
	both.origin = last->rule->origin;
	/* Rules at the end that answer what is answered anyway. */
	while (both.n_rules > 0 &&
	       filter_is_same_action(both.rules[both.n_rules - 1].rule->action, both.otherwise))
		both.n_rules--;
	*call = both;
}

/* The default of a child is the stricter one. False: the file's is softer, and not the default. */
static bool take_default(struct policy_ctx *ctx, const struct docker_profile *profile,
			 struct filter *filter)
{
	if (filter->has_parent &&
	    filter_strictness(profile->default_action) < filter_strictness(filter->default_action))
		return false;
	filter->default_action = profile->default_action;
	filter->default_origin = profile->origin;
	filter_follow_default(ctx, filter);
	return true;
}

static void warn_excess(struct policy_ctx *ctx, const struct policy_node *path, const char *first,
			size_t n)
{
	if (n == 1)
		ctx_warn(ctx, path->place,
			 "%s, which the file permits, stays refused as in the parent", first);
	else if (n > 1)
		ctx_warn(ctx, path->place,
			 "%zu calls that the file permits, %s among them, stay refused as in the "
			 "parent",
			 n, first);
}

static void put_over(struct policy_ctx *ctx, const struct policy_node *path,
		     const struct docker_profile *profile, struct filter *filter)
{
	bool is_default = take_default(ctx, profile, filter);
	const char *first = "";
	size_t n = 0;

	for (size_t number = 0; number < SYSCALLS_END; number++) {
		struct filter_call *call = &filter->calls[number];
		struct filter_call own = {.name = call->name};

		if (call->name == NULL || filter_is_own_call(filter, number))
			continue;
		own_answer(ctx, profile, &profile->calls[number], &own);
		own.is_default &= is_default;
		if (filter->has_parent && filter_is_permission(own.otherwise) &&
		    !filter_is_permission(call->otherwise) && n++ == 0)
			first = call->name;
		if (filter->has_parent)
			narrow(ctx, &own, call);
		else
			*call = own;
	}
	warn_excess(ctx, path, first, n);
}

void filter_apply_docker(struct policy_ctx *ctx, const struct policy_node *path,
			 struct filter *filter)
{
	const struct policy_node *root = load_once(ctx, path, filter);
	struct docker_profile *profile = ctx_array(ctx, 1, sizeof(*profile));

	if (root == NULL || profile == NULL)
		return;
	profile->abi = filter->abi;
	if (!docker_read(ctx, root, filter->capabilities, profile))
		return;
	if (profile->refuses_unknown && filter_is_permission(filter->unknown_action)) {
		ctx_report(ctx, profile->unknown->place, "unknown-call",
			   "'%s' is to be refused, and this build does not know its number",
			   profile->unknown->text)
			->expected = "With 'unknown: errno(ENOSYS)' it is refused unseen.";
		return;
	}
	if (profile->n_unknown == 1)
		ctx_warn(ctx, profile->unknown->place, "%s is no call that is known here",
			 profile->unknown->text);
	else if (profile->n_unknown > 1)
		ctx_warn(ctx, profile->unknown->place,
			 "%zu names, %s among them, are no calls that are known here",
			 profile->n_unknown, profile->unknown->text);
	put_over(ctx, path, profile, filter);
}
