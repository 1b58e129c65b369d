/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See ceiling.h. */
#include "policy/ceiling.h"

#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "policy/keys.h"
#include "policy/layers.h"
#include "policy/resolve.h"
#include "policy/yaml.h"

enum { PATH_TEXT_MAX = 128 };

/* ---- the file ---- */

static void check_keys(struct policy_ctx *ctx, const struct policy_node *root)
{
	static const char *const known[] = {"cordon", "description", "limits", "waive", "volumes"};
	enum { N_KNOWN = sizeof(known) / sizeof(known[0]) };

	if (doc_get(root, "cordon") == NULL)
		ctx_report(ctx, root->place, "no-version", "'cordon: 1' is missing");
	for (const struct policy_node *node = root->children; node != NULL; node = node->next) {
		bool is_known = false;

		for (size_t i = 0; i < N_KNOWN; i++)
			is_known |= str_equal(node->key, known[i]);
		if (!is_known)
			ctx_report(ctx, node->key_place, "ceiling",
				   "'%s' cannot be bounded by a ceiling", node->key)
				->expected = "A ceiling has limits, waive and volumes.";
	}
}

/* PATH or PATH:rw, into path. */
static bool read_path(const struct policy_node *node, char *path, size_t size, bool *ret_is_rw)
{
	size_t len = strlen(node->text);

	*ret_is_rw = len > 3 && str_equal(node->text + len - 3, ":rw");
	if (*ret_is_rw)
		len -= 3;
	if (node->kind != NODE_SCALAR || node->text[0] != '/' || len >= size)
		return false;
	str_format(path, size, "%.*s", (int)len, node->text);
	return true;
}

static void check_paths(struct policy_ctx *ctx, const struct policy_node *list)
{
	char path[PATH_MAX];
	bool is_rw;

	for (const struct policy_node *node = list != NULL ? list->children : NULL; node != NULL;
	     node = node->next)
		if (!read_path(node, path, sizeof(path), &is_rw))
			ctx_report(ctx, node->place, "ceiling", "this is no path of a ceiling")
				->expected = "It is /PATH, or /PATH:rw.";
}

const struct policy_node *ceiling_load(struct policy_ctx *ctx)
{
	struct policy_source *source;
	struct policy_text file = {.text = NULL};
	struct policy_node *root;
	struct err err;

	if (ctx->host->load_ceiling == NULL)
		return NULL;
	source = ctx_array(ctx, 1, sizeof(*source));
	if (source == NULL)
		return NULL;
	source->dir = "";
	source->digest = "";
	if (ctx->host->load_ceiling(ctx->host->ctx, ctx->arena, &file, &err) < 0) {
		source->path = ctx_copy(ctx, err.text, strlen(err.text));
		source->text = "";
		ctx_report(ctx, (struct policy_place){.source = source, .line = 1, .column = 1},
			   "ceiling", "the ceiling of this host cannot be read")
			->hint = "Ask the administrator of this host.";
		return NULL;
	}
	if (file.text == NULL)
		return NULL;
	source->path = file.path;
	source->text = file.text;
	source->len = file.len;
	root = yaml_parse(ctx, source, source->text, source->len);
	if (root == NULL)
		return NULL;
	keys_check(ctx, root);
	check_keys(ctx, root);
	check_paths(ctx, doc_get(root, "volumes"));
	return root;
}

/* ---- limits ---- */

/* Says what would have been asked for. */
static void refuse_limit(struct policy_ctx *ctx, const char *key, const struct policy_node *asked,
			 const struct policy_node *bound)
{
	struct spec_origin origin = doc_origin(bound->place);

	ctx_report(ctx, asked->place, "ceiling", "%s: %s is more than this host's ceiling, %s", key,
		   asked->text, bound->text)
		->expected = ctx_format(ctx, "It is said in %s:%u.", origin.file, origin.line);
}

static bool is_limited(const struct policy_node *node)
{
	return node != NULL && !str_equal(node->text, "unlimited");
}

/* Every processor of `asked` is one of `bound`. */
static bool is_subset(const char *asked, const char *bound)
{
	uint64_t a[SPEC_CPUS_MAX / 64] = {0}, b[SPEC_CPUS_MAX / 64] = {0};
	bool result = true;

	if (parse_cpu_list(asked, a, SPEC_CPUS_MAX) < 0 ||
	    parse_cpu_list(bound, b, SPEC_CPUS_MAX) < 0)
		return false; /* the mistake is reported where values are read */
	for (size_t i = 0; i < SPEC_CPUS_MAX / 64; i++)
		result = result && (a[i] & ~b[i]) == 0;
	return result;
}

static bool fits(const struct policy_key *key, const struct policy_node *asked,
		 const struct policy_node *bound)
{
	if (!is_limited(bound))
		return true;
	if (str_equal(key->path, "limits.cpuset"))
		return is_limited(asked) && is_subset(asked->text, bound->text);
	return keys_number(key, asked) <= keys_number(key, bound);
}

/* Whether what nobody asks for is less than the bound: the weight of a group that is given none,
 * and swap, of which there is none beside a limit of memory. */
static bool absent_fits(const struct policy_key *key, const struct policy_node *bound)
{
	return str_equal(key->path, "limits.swap") ||
	       (str_equal(key->path, "limits.cpu_weight") &&
		keys_number(key, bound) >= SPEC_USUAL_WEIGHT);
}

/* A ceiling holds wherever it is said, so that below it nothing is a wish: what is asked for where
 * possible is taken out of when_possible and returned, to be required. */
static struct policy_node *take_wish(struct policy_node *map, struct policy_node *wishes,
				     const char *name)
{
	struct policy_node *said = doc_get(map, name), *wish = doc_get(wishes, name);
	struct policy_node **link;

	if (wishes == NULL || is_limited(said) || !is_limited(wish))
		return said;
	link = &wishes->children;
	while (*link != wish)
		link = &(*link)->next;
	*link = wish->next;
	wish->next = NULL;
	if (said == NULL) {
		doc_add(map, wish);
		return wish;
	}
	said->text = wish->text;
	said->place = wish->place;
	return said;
}

static void bound_scalar(struct policy_ctx *ctx, const char *path, const struct policy_node *bound,
			 struct policy_node *map, struct policy_node *wishes)
{
	const struct policy_key *key = keys_find(path);
	struct policy_node *asked;

	if (key == NULL || bound->kind != NODE_SCALAR)
		return; /* reported by keys_check */
	asked = take_wish(map, is_limited(bound) ? wishes : NULL, bound->key);
	if (asked == NULL) {
		if (!absent_fits(key, bound))
			doc_add(map, doc_scalar(ctx, bound->key, bound->text, bound->place));
		return;
	}
	if (fits(key, asked, bound))
		return;
	if (!layers_is_shipped(asked->place.source)) {
		refuse_limit(ctx, path, asked, bound);
		return;
	}
	asked->text = bound->text;
	asked->place = bound->place;
}

static void bound_map(struct policy_ctx *ctx, const char *path, const struct policy_node *bounds,
		      struct policy_node *map, struct policy_node *wishes)
{
	for (const struct policy_node *bound = bounds->children; bound != NULL;
	     bound = bound->next) {
		char below[PATH_TEXT_MAX];
		struct policy_node *child;

		str_format(below, sizeof(below), "%s.%s", path, bound->key);
		if (bound->kind != NODE_MAPPING) {
			bound_scalar(ctx, below, bound, map, wishes);
			continue;
		}
		child = doc_get(map, bound->key);
		if (child == NULL) {
			child = doc_node(ctx, NODE_MAPPING, bound->place);
			if (child == NULL)
				return;
			child->key = bound->key;
			doc_add(map, child);
		}
		bound_map(ctx, below, bound, child, doc_get(wishes, bound->key));
	}
}

/* As in a policy: a bound of memory alone is one of swap, too, of 0. */
static void add_bound_of_swap(struct policy_ctx *ctx, struct policy_node *bounds)
{
	const struct policy_node *memory = doc_get(bounds, "memory");
	const struct policy_node *swap = doc_get(bounds, "swap");

	if (is_limited(memory) && swap == NULL)
		doc_add(bounds, doc_scalar(ctx, "swap", "0", memory->place));
	else if (is_limited(swap) && !is_limited(memory))
		ctx_report(ctx, swap->place, "swap-alone", "limits.swap without limits.memory")
			->expected = "Swap is bounded beside memory.";
}

void ceiling_bound_limits(struct policy_ctx *ctx, const struct policy_node *ceiling,
			  struct policy_node *root)
{
	struct policy_node *bounds = doc_get(ceiling, "limits");
	struct policy_node *limits = doc_get(root, "limits");

	if (bounds == NULL)
		return;
	if (limits == NULL) {
		limits = doc_node(ctx, NODE_MAPPING, bounds->place);
		if (limits == NULL)
			return;
		limits->key = "limits";
		doc_add(root, limits);
	}
	add_bound_of_swap(ctx, bounds);
	bound_map(ctx, "limits", bounds, limits, doc_find(root, "when_possible.limits"));
}

/* ---- waivers and paths ---- */

static bool admits_waiver(const struct policy_node *map, const char *name)
{
	for (const struct policy_node *node = map->children; node != NULL; node = node->next) {
		size_t len = strlen(node->key);

		if (str_equal(node->key, name) || (len > 1 && node->key[len - 1] == '*' &&
						   strncmp(node->key, name, len - 1) == 0))
			return true;
	}
	return false;
}

static bool admits_path(const struct policy_node *list, const char *path, bool wants_write)
{
	for (const struct policy_node *node = list->children; node != NULL; node = node->next) {
		char dir[PATH_MAX];
		bool is_rw;

		if (read_path(node, dir, sizeof(dir), &is_rw) && path_is_below(path, dir) &&
		    (is_rw || !wants_write))
			return true;
	}
	return false;
}

/* A problem at an origin of the spec: its place is known by file and line alone. */
static struct policy_problem *report_at(struct policy_ctx *ctx, const struct policy_node *ceiling,
					struct spec_origin origin, const char *text)
{
	struct policy_problem *problem = ctx_report(ctx, ceiling->place, "ceiling", "%s", text);

	problem->origin = origin;
	problem->line_text = "";
	return problem;
}

static void check_path(struct policy_ctx *ctx, const struct policy_node *list, const char *path,
		       bool wants_write, struct spec_origin origin)
{
	struct spec_origin said = doc_origin(list->key_place);

	if (admits_path(list, path, wants_write))
		return;
	report_at(ctx, list, origin,
		  ctx_format(ctx, "%s may not be shown%s on this host", path,
			     wants_write ? " writable" : ""))
		->expected = ctx_format(ctx, "What may be is said in %s:%u.", said.file, said.line);
}

static void check_all_paths(struct policy_ctx *ctx, const struct policy_node *list,
			    const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].type == MOUNT_BIND)
			check_path(ctx, list, spec->mounts[i].source, !spec->mounts[i].read_only,
				   spec->mounts[i].origin);
	for (size_t i = 0; i < spec->n_secrets; i++)
		check_path(ctx, list, spec->secrets[i].file, false, spec->secrets[i].origin);
	if (spec->rootfs.kind == ROOTFS_DIR)
		check_path(ctx, list, spec->rootfs.dir, false, spec->rootfs.origin);
}

void ceiling_check(struct policy_ctx *ctx, const struct policy_node *ceiling,
		   const struct sandbox_spec *spec)
{
	const struct policy_node *waivers = doc_get(ceiling, "waive");
	const struct policy_node *volumes = doc_get(ceiling, "volumes");

	for (size_t i = 0; waivers != NULL && i < spec->provenance.n_waivers; i++) {
		const struct spec_waiver *waiver = &spec->provenance.waivers[i];
		struct spec_origin said = doc_origin(waivers->key_place);

		if (!admits_waiver(waivers, waiver->name))
			report_at(ctx, waivers, waiver->origin,
				  ctx_format(ctx, "the waiver %s may not be used on this host",
					     waiver->name))
				->expected = ctx_format(ctx, "Those that may are said in %s:%u.",
							said.file, said.line);
	}
	if (volumes != NULL)
		check_all_paths(ctx, volumes, spec);
}
