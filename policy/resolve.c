/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy_resolve: from the names in a request to a complete sandbox_spec.
 *
 *   layers.c    the profile, its ancestors and the flags, each parsed (yaml.c) and checked against
 *               the table of keys (keys.c, keys_check.c)
 *   merge.c     one tree
 *   image.c     what an image says, as a layer of its own
 *   ceiling.c   lowers limits to what the host's administrator lets its users have
 *   keys_apply  plain values into the spec
 *   resolve_*.c what needs more than one value, or the host: root, user, process, mounts, waivers,
 *               system calls
 *   provenance  every value with the file and line that said it
 *
 * A mistake is reported and the reading goes on, so that all of them are told at once; only at the
 * end do mistakes make it fail. Nothing on the host is changed, and nothing read but what the
 * callbacks of policy_host hand over.
 */
#include "policy/resolve.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "policy/ceiling.h"
#include "policy/keys.h"
#include "policy/merge.h"

enum {
	DEFAULT_ID = 1000,
	DEFAULT_ROOT_BYTES = 16 << 20,
	DEFAULT_ROOT_INODES = 8192,
	DEFAULT_GRACE_MS = 10000,
	SIGNAL_TERM = 15,
};

/* What holds where no layer says anything: nothing is ever unset. */
static void set_defaults(struct sandbox_spec *spec)
{
	*spec = (struct sandbox_spec){
		.identity = {.uid = DEFAULT_ID, .gid = DEFAULT_ID},
		.process = {.program = "",
			    .path = "",
			    .working_dir = "",
			    .hostname = "sandbox",
			    .stop_signal = SIGNAL_TERM,
			    .stop_grace_period_ms = DEFAULT_GRACE_MS},
		.rootfs = {.kind = ROOTFS_EMPTY,
			   .dir = "",
			   .image = "",
			   .image_id = "",
			   .writable = WRITABLE_NONE,
			   .writable_origin = {.file = ""},
			   .size_bytes = DEFAULT_ROOT_BYTES,
			   .inodes = DEFAULT_ROOT_INODES,
			   .origin = {.file = "built-in"}},
		.landlock = {.origin = {.file = "built-in"}},
		.apparmor = {.profile = "", .origin = {.file = "built-in"}},
		.limits = {.nproc = SPEC_UNLIMITED,
			   .nproc_origin = {.file = "built-in"},
			   .wall_time_ms = SPEC_UNLIMITED,
			   .wall_time_origin = {.file = "built-in"}},
		.network = {.sandbox = "", .origin = {.file = "built-in"}},
		.supervision = {.restart = RESTART_NO, .origin = {.file = "built-in"}},
		.logging = {.max_size = SPEC_LOG_SIZE_DEFAULT, .max_files = SPEC_LOG_FILES_DEFAULT},
	};
}

/* The shipped profiles: those that lie in no directory; of a kept sandbox's record as well, whose
 * text is a copy. */
static size_t count_shipped(const struct policy_layers *layers)
{
	size_t n = 0;

	while (n < layers->n_profiles && layers->sources[n]->dir[0] == '\0')
		n++;
	return n;
}

/* Whether one of them, beside the common ground of all, promises how the root is written to. */
static bool promises_root(const struct policy_layers *layers)
{
	size_t n_shipped = count_shipped(layers);

	for (size_t i = 1; i < n_shipped; i++)
		if (doc_find(layers->roots[i], "rootfs.writable") != NULL)
			return true;
	return false;
}

/* What an image says stands above the shipped profiles, which its maker could not know, and below
 * all that the caller wrote. image: its layer, or NULL. */
static struct policy_node *merge_all(struct policy_ctx *ctx, const struct policy_layers *layers,
				     const struct policy_node *image)
{
	struct policy_node *merged = NULL;
	size_t n_shipped = count_shipped(layers);

	for (size_t i = 0; i <= layers->n; i++) {
		if (i == n_shipped && image != NULL)
			merged = merge_trees(ctx, merged, image);
		if (i < layers->n)
			merged = merge_trees(ctx, merged, layers->roots[i]);
	}
	return merged;
}

/* The whole tree. Which image it is about is said by the caller's layers. */
static struct policy_node *merge_with_image(struct policy_ctx *ctx,
					    const struct policy_layers *layers)
{
	struct policy_node *root = merge_all(ctx, layers, NULL);
	struct policy_node *image =
		root != NULL ? image_layer(ctx, root, !promises_root(layers)) : NULL;

	return image != NULL ? merge_all(ctx, layers, image) : root;
}

static void resolve_steps(struct policy_ctx *ctx, const struct policy_layers *layers,
			  struct sandbox_spec *spec)
{
	const struct policy_node *ceiling = ceiling_load(ctx);
	struct policy_node *root = merge_with_image(ctx, layers);

	if (root == NULL)
		return;
	ceiling_bound_limits(ctx, ceiling, root);
	keys_apply(ctx, root, spec);
	resolve_waivers(ctx, root, spec);
	resolve_rootfs(ctx, root, spec);
	resolve_identity(ctx, root, spec);
	resolve_process(ctx, root, spec);
	resolve_mounts(ctx, root, spec);
	resolve_secrets(ctx, root, spec);
	resolve_network(ctx, root, spec);
	resolve_egress_waivers(ctx, layers);
	resolve_capabilities(ctx, root, spec);
	resolve_seccomp(ctx, layers, spec);
	resolve_landlock(ctx, layers, spec);
	resolve_apparmor(ctx, layers, spec);
	resolve_limits(ctx, root, spec);
	resolve_labels(ctx, root, spec);
	resolve_entering(ctx, spec);
	ceiling_check(ctx, ceiling, spec);
	resolve_provenance(ctx, layers, root, spec);
}

/* The error that stands for all problems: the first of them. */
static int first_problem(const struct policy_problems *problems, struct err *err)
{
	const struct policy_problem *first = &problems->list[0];

	if (first->origin.line > 0)
		err_set(err, ERR_POLICY, 0, "%s:%u:%u: %s", first->origin.file, first->origin.line,
			first->origin.column, first->text);
	else
		err_set(err, ERR_POLICY, 0, "%s: %s", first->line_text, first->text);
	if (first->hint[0] != '\0')
		err_hint(err, "%s", first->hint);
	return -EINVAL;
}

int policy_resolve(const struct policy_request *request, const struct policy_host *host,
		   struct arena *arena, struct sandbox_spec *ret_spec,
		   struct policy_problems *problems, struct err *err)
{
	struct policy_ctx ctx = {.arena = arena,
				 .request = request,
				 .host = host,
				 .problems = problems};
	struct policy_layers layers = {.n = 0};
	struct sandbox_spec spec;
	int r;

	problems->n = problems->n_dropped = 0;
	set_defaults(&spec);
	r = layers_load(&ctx, &layers, err);
	if (r < 0)
		return r;
	/* Without one of its ancestors a profile would be judged by rules that are not its own. */
	if (!layers.is_broken)
		resolve_steps(&ctx, &layers, &spec);
	if (ctx.out_of_memory) {
		problems->n = problems->n_dropped = 0;
		return err_set(err, ERR_POLICY, ENOMEM, "the policy is too large");
	}
	if (problems->n > 0) {
		ctx_sort_problems(&ctx);
		return first_problem(problems, err);
	}
	if (layers.is_broken)
		return err_set(err, ERR_BUG, 0, "a profile was not read and nothing was reported");
	*ret_spec = spec;
	return 0;
}
