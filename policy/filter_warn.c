/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Entries that can never matter: calls that this architecture has not, refusals of what is refused
 * anyway, conditions on what is permitted without. They are no mistakes, since a list is written
 * for several machines and parents, but worth a line where somebody looks at a policy (explain,
 * profile check). A run does not look for them.
 */
#include <string.h>

#include "base/str.h"
#include "policy/filter.h"

/* ---- which condition follows from which ---- */

static bool is_in(const struct spec_cond *cond, uint64_t value)
{
	for (size_t i = 0; i < cond->n_values; i++)
		if (cond->values[i] == value)
			return true;
	return false;
}

static bool holds(const struct spec_cond *cond, uint64_t value)
{
	switch (cond->op) {
	case COND_IN:
		return is_in(cond, value);
	case COND_NOT_IN:
		return !is_in(cond, value);
	case COND_MASKED_EQ:
		return (value & cond->mask) == cond->values[0];
	case COND_MASKED_NE:
		return (value & cond->mask) != cond->values[0];
	case COND_RANGE:
		return value >= cond->values[0] && value <= cond->values[1];
	case COND_NOT_RANGE:
		return value < cond->values[0] || value > cond->values[1];
	}
	return false;
}

static bool is_equal(const struct spec_cond *a, const struct spec_cond *b)
{
	return a->op == b->op && a->mask == b->mask && a->n_values == b->n_values &&
	       memcmp(a->values, b->values, a->n_values * sizeof(a->values[0])) == 0;
}

/* Whether b holds wherever a does, as far as that is easily seen. */
static bool implies(const struct spec_cond *a, const struct spec_cond *b)
{
	if (a->arg != b->arg)
		return false;
	if (is_equal(a, b))
		return true;
	if (a->op == COND_IN) {
		for (size_t i = 0; i < a->n_values; i++)
			if (!holds(b, a->values[i]))
				return false;
		return true;
	}
	if (a->op == COND_NOT_IN && b->op == COND_NOT_IN) {
		for (size_t i = 0; i < b->n_values; i++)
			if (!is_in(a, b->values[i]))
				return false;
		return true;
	}
	return a->op == COND_RANGE && b->op == COND_RANGE && holds(b, a->values[0]) &&
	       holds(b, a->values[1]);
}

/* Whether the rule matches wherever the entry does. */
static bool covers(const struct spec_call_rule *rule, const struct filter_entry *entry)
{
	for (size_t i = 0; i < rule->n_conds; i++) {
		bool follows = false;

		for (size_t j = 0; j < entry->n_conds; j++)
			follows |= implies(&entry->conds[j], &rule->conds[i]);
		if (!follows)
			return false;
	}
	return true;
}

/* ---- refusals ---- */

static bool is_as_strict(struct spec_action action, const struct filter_entry *entry)
{
	return filter_strictness(action) > filter_strictness(entry->action) ||
	       filter_is_same_action(action, entry->action);
}

/* What answers the call in the entry's place, whatever the entry says; file NULL: nothing does. */
static struct spec_origin answered_by(const struct filter_call *call,
				      const struct filter_entry *entry, size_t n_own)
{
	bool rules_are_as_strict = true;

	for (size_t i = 0; i < call->n_rules; i++) {
		const struct spec_call_rule *rule = call->rules[i].rule;

		/* This layer's own rules are tried first; those of its parent only where stricter.
		 */
		if (entry->n_conds > 0 && covers(rule, entry) &&
		    (i < n_own || is_as_strict(rule->action, entry)))
			return rule->origin;
		rules_are_as_strict &= is_as_strict(rule->action, entry);
	}
	if (rules_are_as_strict && is_as_strict(call->otherwise, entry))
		return call->origin;
	return (struct spec_origin){.file = NULL};
}

void filter_warn_deny(struct policy_ctx *ctx, const struct filter_entry *entry,
		      const uint16_t *n_own, const struct filter *filter)
{
	struct spec_origin first = {.file = NULL};
	size_t n = 0;

	for (size_t number = 0; number < SYSCALLS_END; number++) {
		struct spec_origin origin;

		if (!entry->set.has[number] || filter->calls[number].name == NULL)
			continue;
		origin = answered_by(&filter->calls[number], entry, n_own[number]);
		if (origin.file == NULL)
			return;
		if (n++ == 0)
			first = origin;
	}
	if (n == 0)
		ctx_warn(ctx, entry->node->place, "%s: there is no such call on this architecture",
			 entry->name);
	else if (first.line > 0)
		ctx_warn(ctx, entry->node->place, "%s is refused already, by %s:%u", entry->name,
			 first.file, first.line);
	else
		ctx_warn(ctx, entry->node->place, "%s is refused already (%s)", entry->name,
			 first.file);
}
