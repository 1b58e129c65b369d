/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a filter of the second architecture needs beside its own numbers; see filter.h and
 * docs/decisions/017-second-architecture.md. Whatever a filter cannot decide there is refused.
 *
 * - Conditions whose arguments the call takes elsewhere (x86's old mmap: from memory) refuse the
 *   whole call with ENOSYS.
 * - socketcall and ipc take the arguments of their parts from memory, or moved. The part is in the
 *   first argument, so a part that is refused is refused there as well; one whose answer depends on
 *   its arguments gets ENOSYS.
 * - The kernel takes 32 bits of each argument, whatever its type; the filter sees 64, and int 0x80
 *   from a program of 64 bits sets those above as it likes. So 32 are compared.
 * - A condition with a value that no argument can have is an error: as a
 *   refusal it would do nothing, and -1 means something else there.
 */
#include <errno.h>

#include "base/str.h"
#include "policy/arch.h"
#include "policy/filter.h"
#include "policy/forms.h"

struct spec_action filter_undecided(void)
{
	return (struct spec_action){.kind = ACT_ERRNO, .errno_value = ENOSYS};
}

bool filter_can_compare(const struct filter *filter, const struct filter_entry *entry,
			const char *name)
{
	for (size_t i = 0; filter->abi == ABI_SECOND && i < entry->n_conds; i++)
		if (name == NULL || !forms_compare(entry->name, name, entry->conds[i].arg))
			return false;
	return true;
}

/* Bits of a mask do no harm: none of the argument's is lost, and the value lies within. */
static bool can_have(const struct spec_cond *cond)
{
	/* The highest of a range may be beyond: it is the end of `above`. */
	size_t n = cond->op == COND_RANGE || cond->op == COND_NOT_RANGE ? 1 : cond->n_values;

	for (size_t i = 0; i < n; i++)
		if (cond->values[i] > UINT32_MAX)
			return false;
	return true;
}

bool filter_check_values(struct policy_ctx *ctx, const struct policy_node *node,
			 enum syscalls_abi abi, const struct spec_cond *cond)
{
	if (abi == ABI_NATIVE || can_have(cond))
		return true;
	ctx_report(ctx, node->place, "argument-width",
		   "no argument of a call on " POLICY_SECOND_NAME " has such a value")
		->expected = "Arguments have 32 bits there; without " POLICY_SECOND_NAME
			     " in seccomp.architectures this condition can be made.";
	return false;
}

static uint64_t *narrow_values(struct policy_ctx *ctx, const struct spec_cond *cond)
{
	uint64_t *values = ctx_array(ctx, cond->n_values, sizeof(*values));

	/* Only the end of a range can be beyond. */
	for (size_t i = 0; values != NULL && i < cond->n_values; i++)
		values[i] = cond->values[i] > UINT32_MAX ? UINT32_MAX : cond->values[i];
	return values;
}

const struct spec_cond *filter_narrow(struct policy_ctx *ctx, const struct spec_call_rule *rule)
{
	struct spec_cond *conds = ctx_array(ctx, rule->n_conds, sizeof(*conds));

	for (size_t i = 0; conds != NULL && i < rule->n_conds; i++) {
		conds[i] = rule->conds[i];
		if (conds[i].is_32bit)
			continue;
		conds[i].is_32bit = true;
		conds[i].mask &= UINT32_MAX;
		conds[i].values = narrow_values(ctx, &rule->conds[i]);
	}
	return conds;
}

/* ---- calls that are many in one ---- */

static const uint64_t *part_numbers(struct policy_ctx *ctx, const struct forms_part *part)
{
	uint64_t *number = ctx_array(ctx, 1, sizeof(*number));

	if (number != NULL)
		*number = part->number;
	return number;
}

static bool has_same_answer(const struct spec_call_rule *rule, const struct forms_part *part,
			    struct spec_action action, struct spec_origin origin)
{
	return rule->n_conds == 1 && rule->conds[0].op == COND_IN && part->mask == UINT32_MAX &&
	       filter_is_same_action(rule->action, action) && rule->origin.line == origin.line &&
	       str_equal(rule->origin.file, origin.file);
}

/* Adds the part to the rule before, where that gives the same answer for the same reason. */
static bool join_rule(struct policy_ctx *ctx, const struct forms_part *part,
		      const struct spec_call_rule *like, struct filter_call *call)
{
	const struct spec_call_rule *last =
		call->n_rules > 0 ? call->rules[call->n_rules - 1].rule : NULL;
	struct spec_call_rule *rule;
	struct spec_cond *cond;
	uint64_t *values;

	if (last == NULL || !has_same_answer(last, part, like->action, like->origin))
		return false;
	values = ctx_array(ctx, last->conds[0].n_values + 1, sizeof(*values));
	cond = ctx_array(ctx, 1, sizeof(*cond));
	rule = ctx_array(ctx, 1, sizeof(*rule));
	if (values == NULL || cond == NULL || rule == NULL)
		return true;
	*cond = last->conds[0];
	for (size_t i = 0; i < cond->n_values; i++)
		values[i] = cond->values[i];
	values[cond->n_values++] = part->number;
	cond->values = values;
	*rule = *last;
	rule->conds = cond;
	call->rules[call->n_rules - 1].rule = rule;
	return true;
}

static void add_part(struct policy_ctx *ctx, const struct forms_part *part,
		     const struct spec_call_rule *like, struct filter_call *call)
{
	struct spec_call_rule *rule;
	struct spec_cond *cond;

	if (join_rule(ctx, part, like, call))
		return;
	rule = ctx_array(ctx, 1, sizeof(*rule));
	cond = ctx_array(ctx, 1, sizeof(*cond));
	if (rule == NULL || cond == NULL)
		return;
	*cond = (struct spec_cond){.arg = 0,
				   .is_32bit = true,
				   .op = part->mask == UINT32_MAX ? COND_IN : COND_MASKED_EQ,
				   .mask = part->mask,
				   .values = part_numbers(ctx, part),
				   .n_values = 1};
	if (cond->op == COND_IN)
		cond->mask = 0;
	*rule = *like;
	rule->conds = cond;
	rule->n_conds = 1;
	filter_insert_rule(ctx, call, call->n_rules, rule, false);
}

/* own: the part's own call. */
static void apply_part(struct policy_ctx *ctx, const struct forms_part *part,
		       const struct filter_call *own, struct filter_call *call)
{
	struct spec_call_rule like = {.action = own->otherwise,
				      .origin = own->origin,
				      .is_fixed = own->is_fixed};

	if (filter_is_permission(own->otherwise) && own->n_rules > 0) {
		like.action = filter_undecided();
		like.origin = own->rules[0].rule->origin;
		like.is_fixed = own->rules[0].rule->is_fixed;
	} else if (filter_strictness(own->otherwise) <= filter_strictness(call->otherwise)) {
		return;
	}
	add_part(ctx, part, &like, call);
}

void filter_apply_parts(struct policy_ctx *ctx, struct filter *filter)
{
	for (const struct forms_part *part = forms_parts();
	     filter->abi == ABI_SECOND && part->call != NULL; part++) {
		int32_t whole = syscalls_number_on(ABI_SECOND, part->multiplexer);
		int32_t own = syscalls_number_on(ABI_SECOND, part->call);
		/* tests/unit/policy/test_second.c: there is none that the table has not. */
		struct filter_call unknown = {.otherwise = filter_undecided(),
					      .origin = {.file = "built-in"}};

		if (whole >= 0 && filter_is_permission(filter->calls[whole].otherwise))
			apply_part(ctx, part, own >= 0 ? &filter->calls[own] : &unknown,
				   &filter->calls[whole]);
	}
}
