/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small things about actions, conditions and rules; see filter.h. */
#include <string.h>

#include "base/str.h"
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

bool filter_is_same_action(struct spec_action a, struct spec_action b)
{
	return a.kind == b.kind && (a.kind != ACT_ERRNO || a.errno_value == b.errno_value);
}

const char *policy_action_text(struct spec_action action, char *buf, size_t size)
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
		/* Errno 0 is the answer "done" to a call that was not made. */
		name = action.errno_value == 0 ? "0" : constants_errno_name(action.errno_value);
		if (name != NULL)
			str_format(buf, size, "errno(%s)", name);
		else
			str_format(buf, size, "errno(%u)", action.errno_value);
		return buf;
	}
	return "";
}

const char *filter_action_text(struct policy_ctx *ctx, struct spec_action action)
{
	char buf[64];
	const char *text = policy_action_text(action, buf, sizeof(buf));

	return ctx_copy(ctx, text, strlen(text));
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
	case COND_RANGE:
		opposite.op = COND_NOT_RANGE;
		break;
	case COND_NOT_RANGE:
		opposite.op = COND_RANGE;
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

static struct spec_call_rule *copy_rule(struct policy_ctx *ctx, const struct spec_call_rule *rule,
					struct spec_action action)
{
	struct spec_call_rule *copy = ctx_array(ctx, 1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	*copy = *rule;
	copy->action = action;
	return copy;
}

void filter_follow_default(struct policy_ctx *ctx, struct filter *filter)
{
	for (size_t number = 0; number < SYSCALLS_END; number++) {
		struct filter_call *call = &filter->calls[number];

		if (call->is_default) {
			call->otherwise = filter->default_action;
			call->origin = filter->default_origin;
		}
		for (size_t i = 0; i < call->n_rules; i++) {
			const struct spec_call_rule *copy;

			if (!call->rules[i].is_default)
				continue;
			copy = copy_rule(ctx, call->rules[i].rule, filter->default_action);
			if (copy != NULL)
				call->rules[i].rule = copy;
		}
	}
}

/* One refusal, last in the call's rules. */
static void append_refusal(struct policy_ctx *ctx, struct filter_call *call,
			   const struct spec_call_rule *like)
{
	struct spec_call_rule *rule = copy_rule(ctx, like, like->action);
	struct spec_cond *copy = ctx_array(ctx, like->n_conds, sizeof(*copy));

	if (rule == NULL || copy == NULL)
		return;
	memcpy(copy, like->conds, like->n_conds * sizeof(*copy));
	rule->conds = copy;
	filter_insert_rule(ctx, call, call->n_rules, rule, true);
}

void filter_refuse_opposite(struct policy_ctx *ctx, struct filter_call *call,
			    const struct filter_choices *choices, struct spec_action action)
{
	size_t chosen[FILTER_CHOICES_MAX] = {0};
	const struct policy_node *node = choices->entries[0]->node;
	struct spec_cond conds[FILTER_CHOICES_MAX];
	struct spec_call_rule like = {.conds = conds,
				      .n_conds = choices->n,
				      .action = action,
				      .origin = doc_origin(node->place)};
	size_t next = 0;

	while (next < choices->n) {
		size_t n_before = call->n_rules;

		for (size_t i = 0; i < choices->n; i++)
			conds[i] = filter_opposite(&choices->entries[i]->conds[chosen[i]]);
		append_refusal(ctx, call, &like);
		if (call->n_rules == n_before)
			return; /* too many: reported */
		for (next = 0; next < choices->n; next++) {
			if (++chosen[next] < choices->entries[next]->n_conds)
				break;
			chosen[next] = 0;
		}
	}
}
