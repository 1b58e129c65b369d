/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a call is answered as it is: policy_seccomp_answer of policy.h. The program that answers is
 * made from the same spec by seccomp.c; tests/unit/policy/test_answer.c compares the two. Pure.
 */
#include <stddef.h>

#include "policy/policy.h"
#include "policy/syscalls.h"

static bool is_equal(const struct spec_cond *cond, uint64_t argument, uint64_t value)
{
	uint64_t width = cond->is_32bit ? UINT32_MAX : UINT64_MAX;
	bool is_masked = cond->op == COND_MASKED_EQ || cond->op == COND_MASKED_NE;
	uint64_t mask = is_masked ? cond->mask & width : width;

	return (argument & mask) == (value & width);
}

static bool holds(const struct spec_cond *cond, const uint64_t args[6])
{
	bool wants_match = cond->op == COND_IN || cond->op == COND_MASKED_EQ;

	for (size_t i = 0; i < cond->n_values; i++)
		if (is_equal(cond, args[cond->arg], cond->values[i]))
			return wants_match;
	return !wants_match;
}

static bool all_hold(const struct spec_call_rule *rule, const uint64_t args[6])
{
	for (size_t i = 0; i < rule->n_conds; i++)
		if (!holds(&rule->conds[i], args))
			return false;
	return true;
}

static const struct spec_call *find_call(const struct spec_seccomp *seccomp, int32_t number)
{
	for (size_t i = 0; i < seccomp->n_calls; i++)
		if (seccomp->calls[i].number == number)
			return &seccomp->calls[i];
	return NULL;
}

static struct policy_seccomp_answer answer_of(const struct spec_call *call, const uint64_t args[6])
{
	for (size_t i = 0; i < call->n_rules; i++)
		if (all_hold(&call->rules[i], args))
			return (struct policy_seccomp_answer){.action = call->rules[i].action,
							      .origin = call->rules[i].origin,
							      .call = call->name,
							      .rule = &call->rules[i],
							      .is_fixed = call->rules[i].is_fixed};
	return (struct policy_seccomp_answer){.action = call->otherwise,
					      .origin = call->origin,
					      .call = call->name,
					      .is_fixed = call->is_fixed};
}

struct policy_seccomp_answer policy_seccomp_answer(const struct spec_seccomp *seccomp,
						   int32_t number, const uint64_t args[6])
{
	const struct spec_call *call = find_call(seccomp, number);

	if (policy_seccomp_admits_always(number))
		return (struct policy_seccomp_answer){.action = {.kind = ACT_ALLOW},
						      .origin = {.file = "built-in"},
						      .call = syscalls_name(number)};
	if (!syscalls_is_known(number))
		return (struct policy_seccomp_answer){.action = seccomp->unknown_action,
						      .origin = seccomp->unknown_origin};
	if (call != NULL)
		return answer_of(call, args);
	return (struct policy_seccomp_answer){.action = seccomp->default_action,
					      .origin = seccomp->default_origin,
					      .call = syscalls_name(number)};
}
