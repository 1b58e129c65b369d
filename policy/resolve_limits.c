/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limits of the sandbox as a whole, said outright (limits) or as a wish (when_possible.limits).
 * What is said outright holds; a wish of a later layer than that is a contradiction, and reported.
 */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/keys.h"
#include "policy/resolve.h"

enum {
	PATH_TEXT_MAX = 64,
	MEMORY_LEAST = 1 << 20,
	WEIGHT_MOST = 10000,
	CPUS_LEAST = 10000,
	/* The kernel's PID_MAX_LIMIT (linux/threads.h), less our init. */
	PIDS_MOST = (4 << 20) - 2
};

const char *const spec_limit_names[SPEC_LIMITS] = {
	[LIMIT_PIDS] = "pids",
	[LIMIT_MEMORY] = "memory",
	[LIMIT_SWAP] = "swap",
	[LIMIT_CPUS] = "cpus",
	[LIMIT_CPU_WEIGHT] = "cpu_weight",
	[LIMIT_CPUSET] = "cpuset",
	[LIMIT_IO_READ] = "io.read",
	[LIMIT_IO_WRITE] = "io.write",
	[LIMIT_CPU_TIME] = "cpu_time",
	[LIMIT_IDLE_TIME] = "idle_time",
	[LIMIT_OUTPUT] = "output",
};

/* What the kernel or sense asks of a value; a limit without a row takes any. */
static const struct {
	uint64_t least;
	uint64_t most;
	const char *expected;
} ranges[SPEC_LIMITS] = {
	[LIMIT_PIDS] = {1, PIDS_MOST, "It is 1 to 4194302: the program itself is one task."},
	[LIMIT_MEMORY] = {MEMORY_LEAST, INT64_MAX,
			  "No program starts in less than 1 MiB; a file's pages count too."},
	[LIMIT_SWAP] = {0, INT64_MAX, ""},
	[LIMIT_CPUS] = {CPUS_LEAST, (uint64_t)SPEC_CPUS_MAX * 1000000,
			"The kernel takes 0.01 to 1024."},
	[LIMIT_CPU_WEIGHT] = {1, WEIGHT_MOST, "It is 1 to 10000."},
	[LIMIT_CPUSET] = {0, UINT64_MAX, ""},
	[LIMIT_IO_READ] = {1, INT64_MAX, "It is greater than 0."},
	[LIMIT_IO_WRITE] = {1, INT64_MAX, "It is greater than 0."},
	[LIMIT_CPU_TIME] = {1, INT64_MAX / 1000000, "It is longer than 0."},
	[LIMIT_IDLE_TIME] = {1, INT64_MAX / 1000000, "It is longer than 0."},
	[LIMIT_OUTPUT] = {0, INT64_MAX, ""},
};

static void bad_value(struct policy_ctx *ctx, const struct policy_node *node, const char *name,
		      const char *expected)
{
	ctx_report(ctx, node->place, "bad-value", "limits.%s cannot be '%s'", name, node->text)
		->expected = expected;
}

static bool set_value(struct policy_ctx *ctx, const struct policy_node *node, enum spec_limit limit,
		      struct spec_limits *limits)
{
	char path[PATH_TEXT_MAX];
	struct spec_total *total = &limits->total[limit];

	if (limit == LIMIT_CPUSET) {
		if (parse_cpu_list(node->text, limits->cpuset, SPEC_CPUS_MAX) == 0)
			return true;
		bad_value(ctx, node, "cpuset",
			  "It is a list of processors such as 0-1,4, below 1024.");
		return false;
	}
	str_format(path, sizeof(path), "limits.%s", spec_limit_names[limit]);
	total->value = keys_number(keys_find(path), node);
	if (total->value >= ranges[limit].least && total->value <= ranges[limit].most)
		return true;
	bad_value(ctx, node, spec_limit_names[limit], ranges[limit].expected);
	return false;
}

static bool is_said(const struct policy_node *node)
{
	return node != NULL && !str_equal(node->text, "unlimited");
}

static void read_limit(struct policy_ctx *ctx, const struct policy_node *root,
		       enum spec_limit limit, struct spec_limits *limits)
{
	const char *name = spec_limit_names[limit];
	char path[PATH_TEXT_MAX];
	const struct policy_node *said, *wished, *node;

	str_format(path, sizeof(path), "limits.%s", name);
	said = doc_find(root, path);
	str_format(path, sizeof(path), "when_possible.limits.%s", name);
	wished = doc_find(root, path);
	if (is_said(said) && is_said(wished) &&
	    wished->place.source->rank > said->place.source->rank)
		ctx_report(ctx, wished->place, "when-possible",
			   "limits.%s is required by %s:%u, and here a wish", name,
			   doc_origin(said->place).file, doc_origin(said->place).line)
			->hint =
			ctx_format(ctx, "To make it a wish say also limits: {%s: unlimited}.",
				   name);
	node = is_said(said) ? said : wished;
	if (!is_said(node) || !set_value(ctx, node, limit, limits))
		return;
	limits->total[limit].demand = node == said ? DEMAND_REQUIRED : DEMAND_WHEN_POSSIBLE;
	limits->total[limit].origin = doc_origin(node->place);
}

/* What every host can enforce is no wish. */
static void refuse_wishes(struct policy_ctx *ctx, const struct policy_node *wishes)
{
	static const char *const always[] = {"nproc", "wall_time", "output", "ulimits"};

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		const struct policy_node *node = doc_get(wishes, always[i]);

		if (node != NULL)
			ctx_report(ctx, node->key_place, "when-possible",
				   "limits.%s below when_possible", always[i])
				->expected = "Every host can enforce it: say it below limits.";
	}
}

/*
 * What is too much for memory would go to swap: a limit of memory alone bounds nothing, so that one
 * of swap follows from it, 0 where none is said. `swap: unlimited` is the way out. The kernel of
 * cgroup v1 counts swap together with memory, and swap that is bounded beside memory that is not
 * would bound nothing.
 */
static void pair_swap(struct policy_ctx *ctx, const struct policy_node *root,
		      struct spec_total *memory, struct spec_total *swap)
{
	const struct policy_node *said = doc_find(root, "limits.swap");
	const struct policy_node *wished = doc_find(root, "when_possible.limits.swap");

	if (swap->demand == DEMAND_NONE) {
		if (memory->demand != DEMAND_NONE && said == NULL && wished == NULL)
			*swap = (struct spec_total){.demand = memory->demand,
						    .value = 0,
						    .origin = memory->origin};
		return;
	}
	if (memory->demand == DEMAND_NONE)
		ctx_report(ctx, (is_said(said) ? said : wished)->place, "swap-alone",
			   "limits.swap without limits.memory")
			->expected = "Swap is bounded beside memory.";
	else if (swap->demand > memory->demand)
		swap->demand = memory->demand;
}

void resolve_limits(struct policy_ctx *ctx, const struct policy_node *root,
		    struct sandbox_spec *spec)
{
	struct spec_total *total = spec->limits.total;

	refuse_wishes(ctx, doc_find(root, "when_possible.limits"));
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		read_limit(ctx, root, limit, &spec->limits);
	pair_swap(ctx, root, &total[LIMIT_MEMORY], &total[LIMIT_SWAP]);
}
