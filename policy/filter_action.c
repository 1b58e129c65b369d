/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small things about actions, conditions and rules; see filter.h. */
#include <string.h>

#include "policy/constants.h"
#include "policy/filter.h"

unsigned filter_strictness(struct spec_action action)
{
	switch (action.kind) {
	case ACT_ALLOW:
		return 0;
	case ACT_LOG:
		return 1;
	case ACT_ERRNO:
		return 2;
	case ACT_TRAP:
		return 3;
	case ACT_KILL:
		return 4;
	}
	return 4;
}

bool filter_is_permission(struct spec_action action)
{
	return filter_strictness(action) <= 1;
}

const char *filter_action_text(struct policy_ctx *ctx, struct spec_action action)
{
	const char *name;

	switch (action.kind) {
	case ACT_ALLOW:
		return "allow";
	case ACT_LOG:
		return "log";
	case ACT_TRAP:
		return "trap";
	case ACT_KILL:
		return "kill";
	case ACT_ERRNO:
		name = constants_errno_name(action.errno_value);
		return name != NULL ? ctx_format(ctx, "errno(%s)", name)
				    : ctx_format(ctx, "errno(%u)", action.errno_value);
	}
	return "";
}

struct spec_cond filter_opposite(const struct spec_cond *cond)
{
	struct spec_cond opposite = *cond;

	switch (cond->op) {
	case COND_IN:
		opposite.op = COND_NOT_IN;
		break;
	case COND_NOT_IN:
		opposite.op = COND_IN;
		break;
	case COND_MASKED_EQ:
		opposite.op = COND_MASKED_NE;
		break;
	case COND_MASKED_NE:
		opposite.op = COND_MASKED_EQ;
		break;
	}
	return opposite;
}

void filter_insert_rule(struct policy_ctx *ctx, struct filter_call *call, size_t at,
			const struct spec_call_rule *rule, bool is_default)
{
	if (call->rules == NULL)
		call->rules = ctx_array(ctx, FILTER_RULES_MAX, sizeof(*call->rules));
	if (call->rules == NULL)
		return;
	if (call->n_rules == FILTER_RULES_MAX) {
		struct policy_source source = {.path = rule->origin.file, .text = ""};
		struct policy_place place = {.source = &source,
					     .line = rule->origin.line,
					     .column = rule->origin.column};

		ctx_report(ctx, place, "too-many", "more than %d rules for %s", FILTER_RULES_MAX,
			   call->name);
		return;
	}
	memmove(&call->rules[at + 1], &call->rules[at],
		(call->n_rules - at) * sizeof(call->rules[0]));
	call->rules[at] = (struct filter_rule){.rule = rule, .is_default = is_default};
	call->n_rules++;
}
