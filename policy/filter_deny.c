/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The deny list of one layer; see filter.c for what it may do. */
#include "policy/filter.h"

static void deny_call(struct policy_ctx *ctx, const struct filter_entry *entry, size_t at,
		      struct filter_call *call)
{
	struct spec_origin origin = doc_origin(entry->node->place);
	unsigned strictness = filter_strictness(entry->action);
	struct spec_call_rule *rule;
	bool is_softer = false;

	for (size_t i = 0; i < call->n_rules; i++)
		is_softer |= filter_strictness(call->rules[i].rule->action) > strictness;
	if (entry->n_conds == 0) {
		/* Stricter refusals of single cases stay in front. */
		if (!is_softer)
			call->n_rules = 0;
		if (strictness >= filter_strictness(call->otherwise)) {
			call->otherwise = entry->action;
			call->is_default = false;
			call->origin = origin;
		}
		return;
	}
	if (filter_strictness(call->otherwise) > strictness)
		return; /* all of it is refused more strictly already */
	rule = ctx_array(ctx, 1, sizeof(*rule));
	if (rule == NULL)
		return;
	*rule = (struct spec_call_rule){.conds = entry->conds,
					.n_conds = entry->n_conds,
					.action = entry->action,
					.origin = origin};
	filter_insert_rule(ctx, call, is_softer || at > call->n_rules ? call->n_rules : at, rule,
			   false);
}

/* All of a call whose arguments the entry's conditions cannot be put to. */
static void deny_undecided(struct policy_ctx *ctx, const struct filter_entry *entry,
			   struct filter_call *call)
{
	struct filter_entry whole = {.node = entry->node,
				     .name = entry->name,
				     .action = filter_undecided()};

	if (filter_is_permission(call->otherwise))
		deny_call(ctx, &whole, 0, call);
}

void filter_apply_deny(struct policy_ctx *ctx, const struct policy_node *list,
		       struct filter *filter)
{
	uint16_t *n_own = ctx_array(ctx, SYSCALLS_END, sizeof(*n_own));
	struct filter_entry *entry = ctx_array(ctx, 1, sizeof(*entry));

	if (n_own == NULL || entry == NULL)
		return;
	for (const struct policy_node *node = list->children; node != NULL; node = node->next) {
		if (!filter_read_entry(ctx, node, true, filter->abi, entry))
			continue;
		if (ctx->request->wants_values)
			filter_warn_deny(ctx, entry, n_own, filter);
		for (size_t number = 0; number < SYSCALLS_END; number++) {
			struct filter_call *call = &filter->calls[number];

			if (!entry->set.has[number] || call->name == NULL)
				continue;
			if (filter_is_own_call(filter, number)) {
				ctx_report(ctx, node->place, "own-call", "%s cannot be denied",
					   call->name)
					->expected =
					"execve, write and exit_group are cordon's own "
					"last calls, made under the filter.";
				continue;
			}
			if (filter_can_compare(filter, entry, call->name))
				deny_call(ctx, entry, n_own[number]++, call);
			else
				deny_undecided(ctx, entry, call);
		}
	}
}
