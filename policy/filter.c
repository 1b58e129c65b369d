/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One layer's seccomp section over its parent's result; see filter.h for the form.
 *
 * A profile without a parent says its own filter. Every later layer, the command line among them,
 * may only narrow: it may leave calls out, add refusals and make the default stricter. What it
 * cannot do is permit a call that the parent does not permit, take back a refusal, or soften an
 * action; for one call the waiver seccomp.call:NAME lifts that. In detail:
 *
 *   allow    in a child: the calls that stay permitted, each as far as the parent permits it
 *   +allow   nothing new without a waiver; it names calls that are already permitted
 *   deny     refusals of this layer, tried before those of the parent where they are as strict, and
 *            after them where they are softer, so that no parent's answer is softened
 *   waive    the call starts afresh as permitted; this layer's own entries then apply to it
 *
 * Within one layer a deny wins over an allow. execve, write and exit_group cannot be denied, since
 * the launcher itself ends with them.
 */
#include "policy/filter.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

enum { LISTED_NAMES_MAX = 12 };

/* What the allow list of one layer says of each call. */
struct listed {
	bool is_listed;
	bool is_outright;               /* named itself, without conditions */
	bool is_logged;                 /* an entry for it says so */
	struct filter_choices *choices; /* NULL: none. Few calls have any */
	bool is_from_default_group;     /* by @sandbox-default, and so bound by its refusals */
	bool is_from_other_group;
	bool is_excess;         /* the parent does not permit it */
	bool has_group_refusal; /* @sandbox-default says something of it */
	const struct policy_node *node;
};

bool filter_is_own_call(const struct filter *filter, size_t place)
{
	return filter->abi == ABI_NATIVE && policy_seccomp_admits_always((int32_t)place);
}

static bool permits_anything(const struct filter_call *call)
{
	return filter_is_permission(call->otherwise);
}

/* The waivers that a layer itself says; those of its ancestors have done their work already, and
 * a refusal that came after them holds. */
struct waived {
	const struct policy_node *nodes[SYSCALLS_END];
};

static const struct waived nothing_waived;

static const struct waived *read_waivers(struct policy_ctx *ctx, const struct policy_node *layer,
					 enum syscalls_abi abi)
{
	const struct policy_node *map = doc_get(layer, "waive");
	static const char prefix[] = "seccomp.call:";
	struct waived *waived = map != NULL ? ctx_array(ctx, 1, sizeof(*waived)) : NULL;

	if (waived == NULL)
		return &nothing_waived;

	for (const struct policy_node *node = map != NULL ? map->children : NULL; node != NULL;
	     node = node->next) {
		int32_t number = str_has_prefix(node->key, prefix)
					 ? syscalls_number_on(abi, node->key + strlen(prefix))
					 : -ENOENT;

		if (number >= 0)
			waived->nodes[number] = node;
	}
	return waived;
}

static void answer_always(struct filter_call *call, struct spec_action action, bool is_default,
			  struct spec_origin origin)
{
	call->n_rules = 0;
	call->otherwise = action;
	call->is_default = is_default;
	call->origin = origin;
}

/* ---- default and unknown ---- */

static bool read_stricter(struct policy_ctx *ctx, const struct policy_node *node,
			  const struct filter *filter, struct spec_action *action)
{
	struct spec_action wanted;

	if (!filter_read_action(ctx, node, &wanted))
		return false;
	if (filter->has_parent && filter_strictness(wanted) < filter_strictness(*action)) {
		ctx_report(ctx, node->place, "weaker",
			   "seccomp.%s: %s is softer than the parent's %s", node->key, node->text,
			   filter_action_text(ctx, *action))
			->expected = "A child makes the default stricter or leaves it.";
		return false;
	}
	*action = wanted;
	return true;
}

static void apply_actions(struct policy_ctx *ctx, const struct policy_node *section,
			  struct filter *filter)
{
	const struct policy_node *node = doc_get(section, "default");

	if (node != NULL && read_stricter(ctx, node, filter, &filter->default_action)) {
		filter->default_origin = doc_origin(node->place);
		filter_follow_default(ctx, filter);
	}
	node = doc_get(section, "unknown");
	if (node != NULL && read_stricter(ctx, node, filter, &filter->unknown_action))
		filter->unknown_origin = doc_origin(node->place);
}

/* ---- allow ---- */

static void add_choice(struct policy_ctx *ctx, const struct filter_entry *entry, struct listed *one)
{
	if (one->choices == NULL)
		one->choices = ctx_array(ctx, 1, sizeof(*one->choices));
	if (one->choices == NULL)
		return;
	if (one->choices->n == FILTER_CHOICES_MAX)
		ctx_report(ctx, entry->node->place, "too-many",
			   "too many conditional entries for %s", entry->name);
	else
		one->choices->entries[one->choices->n++] = entry;
}

static void list_entry(struct policy_ctx *ctx, const struct filter_entry *entry,
		       const struct filter *filter, struct listed *listed)
{
	for (size_t number = 0; number < SYSCALLS_END; number++) {
		struct listed *one = &listed[number];

		if (!entry->set.has[number])
			continue;
		/* A permission of which nobody can tell whether it holds is none. */
		if (!filter_can_compare(filter, entry, filter->calls[number].name))
			continue;
		one->is_listed = true;
		one->is_logged |= entry->action.kind == ACT_LOG;
		if (one->node == NULL)
			one->node = entry->node;
		if (entry->n_conds > 0) {
			add_choice(ctx, entry, one);
		} else if (!entry->is_group) {
			one->is_outright = true;
		} else if (str_equal(entry->name, "@sandbox-default")) {
			one->is_from_default_group = true;
		} else {
			one->is_from_other_group = true;
		}
	}
}

/* Whether the call has a refusal with these very conditions. */
static bool has_conditions(const struct filter_call *call, const struct spec_cond *conds)
{
	for (size_t i = 0; i < call->n_rules; i++)
		if (call->rules[i].rule->conds == conds)
			return true;
	return false;
}

/* What @sandbox-default itself says about a call. */
static void apply_group_refusals(struct policy_ctx *ctx, struct filter_call *call,
				 const struct policy_node *node)
{
	const struct group_refusal *row = groups_sandbox_default_refusals();

	for (; row->call != NULL; row++) {
		struct spec_call_rule *rule;

		if (!str_equal(row->call, call->name))
			continue;
		if (has_conditions(call, row->conds))
			continue; /* the parent has its list from the same group */
		if (row->n_conds == 0) {
			answer_always(call, row->action, false, doc_origin(node->place));
			return;
		}
		rule = ctx_array(ctx, 1, sizeof(*rule));
		if (rule == NULL)
			return;
		*rule = (struct spec_call_rule){.conds = row->conds,
						.n_conds = row->n_conds,
						.action = row->action,
						.origin = doc_origin(node->place)};
		filter_insert_rule(ctx, call, call->n_rules, rule, false);
	}
}

/* The call as this layer's allow list alone has it, put onto what is already refused. */
static void permit(struct policy_ctx *ctx, struct filter_call *call, const struct listed *listed,
		   const struct filter *filter)
{
	bool is_bound =
		listed->is_from_default_group && !listed->is_outright && listed->has_group_refusal;

	bool is_whole = listed->is_outright || listed->is_from_default_group ||
			listed->is_from_other_group || filter_is_permission(filter->default_action);

	if (listed->choices != NULL && is_whole)
		ctx_warn(ctx, listed->choices->entries[0]->node->place,
			 "the conditions on %s do not matter: it is permitted without them, too",
			 call->name);
	if (listed->choices != NULL && !is_whole)
		filter_refuse_opposite(ctx, call, listed->choices, filter->default_action);
	if (is_bound)
		apply_group_refusals(ctx, call, listed->node);
}

/* One problem for all the calls that an entry permits beyond the parent. */
static void report_excess(struct policy_ctx *ctx, const struct policy_node *node,
			  const struct listed *listed, const struct filter *filter)
{
	struct policy_problem *problem;
	const char *names = "";
	const char *first = NULL;
	size_t n = 0;

	for (size_t number = 0; number < SYSCALLS_END; number++) {
		const char *name = filter->calls[number].name;

		if (!listed[number].is_excess || listed[number].node != node)
			continue;
		if (first == NULL)
			first = name;
		if (n++ < LISTED_NAMES_MAX)
			names = ctx_format(ctx, "%s%s%s", names, n > 1 ? ", " : "", name);
	}
	if (n == 0)
		return;
	problem = ctx_report(ctx, node->place, "weaker",
			     "this permits what the parent does not: %s%s", names,
			     n > LISTED_NAMES_MAX ? ", ..." : "");
	problem->expected = "A child's list only narrows the parent's.";
	problem->hint = ctx_format(ctx,
				   node->place.source->is_flag
					   ? "add  --waive \"seccomp.call:%s=REASON\""
					   : "add  waive: {\"seccomp.call:%s\": \"the reason\"}",
				   first);
}

/* One call that the list does not name: refused, no softer than it was. */
static void leave_out(struct filter_call *call, const struct filter *filter,
		      struct spec_origin origin)
{
	if (permits_anything(call) ||
	    filter_strictness(call->otherwise) < filter_strictness(filter->default_action))
		answer_always(call, filter->default_action, true, origin);
}

/* Whether the entry asks for a call only as a part of @sandbox-default, which refuses it itself. */
static bool is_refused_by_group(const struct listed *listed, const char *name)
{
	const struct group_refusal *row = groups_sandbox_default_refusals();

	for (; listed->has_group_refusal && row->call != NULL; row++)
		if (row->n_conds == 0 && str_equal(row->call, name))
			return listed->is_from_default_group && !listed->is_outright;
	return false;
}

/* A call that the list names. Returns false where the parent does not permit it. */
static bool apply_listed(struct policy_ctx *ctx, const struct listed *listed, bool is_free,
			 const struct filter *filter, struct filter_call *call)
{
	if (is_free)
		answer_always(call, (struct spec_action){.kind = ACT_ALLOW}, false,
			      doc_origin(listed->node->place));
	if (!permits_anything(call))
		return is_refused_by_group(listed, call->name);
	permit(ctx, call, listed, filter);
	if (listed->is_logged && call->otherwise.kind == ACT_ALLOW) {
		call->otherwise.kind = ACT_LOG;
		call->origin = doc_origin(listed->node->place);
	}
	return true;
}

static void apply_allow(struct policy_ctx *ctx, const struct policy_node *list,
			struct listed *listed, const struct waived *waived, struct filter *filter)
{
	for (size_t number = 0; number < SYSCALLS_END; number++) {
		struct filter_call *call = &filter->calls[number];
		bool is_free = !filter->has_parent || waived->nodes[number] != NULL;

		/* cordon's own last calls are permitted whatever the lists say. */
		if (call->name == NULL || filter_is_own_call(filter, number))
			continue;
		if (!listed[number].is_listed) {
			if (!list->appends && !is_free)
				leave_out(call, filter, doc_origin(list->place));
			continue;
		}
		listed[number].is_excess =
			!apply_listed(ctx, &listed[number], is_free, filter, call);
	}
	for (const struct policy_node *node = list->children; node != NULL; node = node->next)
		report_excess(ctx, node, listed, filter);
}

/* By number once: no name is compared for every call. */
static void mark_group_refusals(enum syscalls_abi abi, struct listed *listed)
{
	const struct group_refusal *row = groups_sandbox_default_refusals();

	for (; row->call != NULL; row++) {
		int32_t number = syscalls_number_on(abi, row->call);

		if (number >= 0)
			listed[number].has_group_refusal = true;
	}
}

/* Whether an earlier entry permits all that this one without conditions would. */
static bool is_permitted(const struct listed *one, const struct filter_entry *entry)
{
	bool is_from_group = one->is_from_default_group || one->is_from_other_group;

	if (entry->action.kind == ACT_LOG && !one->is_logged)
		return false;
	if (one->is_outright)
		return true;
	/* A name lifts the group's own refusals; @sandbox-default brings them along. */
	if (one->has_group_refusal &&
	    (!entry->is_group || str_equal(entry->name, "@sandbox-default")))
		return entry->is_group && one->is_from_default_group;
	return is_from_group;
}

static void warn_entry(struct policy_ctx *ctx, const struct filter_entry *entry,
		       const struct listed *listed)
{
	size_t n = 0;

	for (size_t number = 0; number < SYSCALLS_END; number++) {
		if (!entry->set.has[number])
			continue;
		n++;
		if (!is_permitted(&listed[number], entry))
			return;
	}
	if (n == 0)
		ctx_warn(ctx, entry->node->place, "%s: there is no such call on this architecture",
			 entry->name);
	else
		ctx_warn(ctx, entry->node->place, "%s is permitted already by an earlier entry",
			 entry->name);
}

/* The launcher's last calls are answered with a plain allow, so that none can be logged where it is
 * named. In a group they are passed over. */
static void check_own_calls(struct policy_ctx *ctx, const struct filter_entry *entry,
			    const struct filter *filter)
{
	for (size_t number = 0; number < SYSCALLS_END; number++)
		if (!entry->is_group && entry->set.has[number] &&
		    filter_is_own_call(filter, number) && entry->action.kind == ACT_LOG)
			ctx_report(ctx, entry->node->place, "own-call", "%s cannot be logged",
				   entry->name)
				->expected = "execve, write and exit_group are cordon's own last "
					     "calls, made under the filter.";
}

static void read_allow(struct policy_ctx *ctx, const struct policy_node *list,
		       const struct waived *waived, struct filter *filter)
{
	struct listed *listed = ctx_array(ctx, SYSCALLS_END, sizeof(*listed));

	if (listed == NULL)
		return;
	mark_group_refusals(filter->abi, listed);
	for (const struct policy_node *node = list->children; node != NULL; node = node->next) {
		struct filter_entry *entry = ctx_array(ctx, 1, sizeof(*entry));

		if (entry == NULL || !filter_read_entry(ctx, node, false, filter->abi, entry))
			continue;
		check_own_calls(ctx, entry, filter);
		if (ctx->request->wants_values && entry->n_conds == 0)
			warn_entry(ctx, entry, listed);
		list_entry(ctx, entry, filter, listed);
	}
	apply_allow(ctx, list, listed, waived, filter);
}

/* ---- one layer ---- */

static void apply_waivers(const struct waived *waived, struct filter *filter)
{
	for (size_t number = 0; number < SYSCALLS_END; number++)
		if (waived->nodes[number] != NULL)
			answer_always(&filter->calls[number],
				      (struct spec_action){.kind = ACT_ALLOW}, false,
				      doc_origin(waived->nodes[number]->key_place));
}

/* The file says the layer's default and its whole list: beside another one of either, which of them
 * holds would be a riddle. */
static bool read_docker(struct policy_ctx *ctx, const struct policy_node *section,
			const struct policy_node *docker, struct filter *filter)
{
	static const char *const others[] = {"default", "allow"};
	bool is_alone = true;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct policy_node *other = doc_get(section, others[i]);

		if (other == NULL)
			continue;
		is_alone = false;
		ctx_report(ctx, other->key_place, "impossible",
			   "seccomp.%s beside seccomp.docker_profile", others[i])
			->expected = "The file says both. A profile that extends this one can "
				     "narrow them.";
	}
	if (is_alone)
		filter_apply_docker(ctx, docker, filter);
	return is_alone;
}

void filter_apply_layer(struct policy_ctx *ctx, const struct policy_node *layer,
			struct filter *filter)
{
	const struct policy_node *section = doc_get(layer, "seccomp");
	const struct policy_node *allow = doc_get(section, "allow");
	const struct policy_node *deny = doc_get(section, "deny");
	const struct policy_node *docker = doc_get(section, "docker_profile");
	const struct waived *waived =
		filter->has_parent ? read_waivers(ctx, layer, filter->abi) : &nothing_waived;

	if (section != NULL)
		apply_actions(ctx, section, filter);
	apply_waivers(waived, filter);
	if (docker != NULL && !read_docker(ctx, section, docker, filter))
		allow = NULL;
	if (allow != NULL && filter->default_action.kind == ACT_ALLOW)
		ctx_report(ctx, allow->key_place, "impossible",
			   "an allow list under 'default: allow' refuses nothing")
			->hint = "Write 'default: errno(EPERM)' with a list of what is permitted.";
	if (allow != NULL)
		read_allow(ctx, allow, waived, filter);
	if (deny != NULL)
		filter_apply_deny(ctx, deny, filter);
	filter->has_parent = true;
}
