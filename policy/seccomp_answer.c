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

static bool is_within(const struct spec_cond *cond, uint64_t argument)
{
	uint64_t value = cond->is_32bit ? argument & UINT32_MAX : argument;

	return value >= cond->values[0] && value <= cond->values[1];
}

static bool holds(const struct spec_cond *cond, const uint64_t args[6])
{
	bool wants_match = cond->op == COND_IN || cond->op == COND_MASKED_EQ;

	if (cond->op == COND_RANGE || cond->op == COND_NOT_RANGE)
		return is_within(cond, args[cond->arg]) == (cond->op == COND_RANGE);

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

static const struct spec_call *find_call(const struct spec_calls *calls, int32_t number)
{
	for (size_t i = 0; i < calls->n; i++)
		if (calls->calls[i].number == number)
			return &calls->calls[i];
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

/* name: the call's, NULL where none is known. */
static struct policy_seccomp_answer answer_among(const struct spec_seccomp *seccomp,
						 const struct spec_calls *calls, int32_t number,
						 const char *name, const uint64_t args[6])
{
	const struct spec_call *call = find_call(calls, number);

	if (name == NULL)
		return (struct policy_seccomp_answer){.action = seccomp->unknown_action,
						      .origin = seccomp->unknown_origin};
	if (call != NULL)
		return answer_of(call, args);
	return (struct policy_seccomp_answer){.action = seccomp->default_action,
					      .origin = seccomp->default_origin,
					      .call = name};
}

struct policy_seccomp_answer policy_seccomp_answer(const struct spec_seccomp *seccomp,
						   int32_t number, const uint64_t args[6])
{
	const struct spec_calls calls = {.calls = seccomp->calls, .n = seccomp->n_calls};

	if (policy_seccomp_admits_always(number))
		return (struct policy_seccomp_answer){.action = {.kind = ACT_ALLOW},
						      .origin = {.file = "built-in"},
						      .call = syscalls_name(number)};
	return answer_among(seccomp, &calls, number, syscalls_name(number), args);
}

struct policy_seccomp_answer policy_seccomp_answer_second(const struct spec_seccomp *seccomp,
							  int32_t number, const uint64_t args[6])
{
	int32_t place = syscalls_place(ABI_SECOND, number);

	if (!seccomp->has_second)
		return (struct policy_seccomp_answer){.action = {.kind = ACT_KILL},
						      .origin = {.file = "built-in"}};
	return answer_among(seccomp, &seccomp->second, number, syscalls_name_on(ABI_SECOND, place),
			    args);
}
