/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See explain_calls.h. Prints to stdout; reads nothing but the spec. */
#include "cmd/explain_calls.h"

#include <string.h>

#include "base/str.h"
#include "cmd/condition.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "policy/arch.h"
#include "policy/policy.h"

enum {
	ANSWER_WIDTH = 24,
	CALLS_WIDTH = 50,
	ANSWER_NARROW = 22,
	CALLS_NARROW = 30,
	NAMES_MAX = 5,
	GROUPS_MAX = 128,
};

/* ---- text ---- */

struct text {
	char buf[1024];
	size_t len;
};

static void put(struct text *text, const char *word)
{
	text->len += str_format(text->buf + text->len, sizeof(text->buf) - text->len, "%s", word);
}

/* ---- one call ---- */

static void print_triple(const char *left, const char *middle, const char *right)
{
	size_t columns = table_columns();
	const struct table_widths widths = {
		.columns = columns,
		.first = columns > 0 ? ANSWER_NARROW : ANSWER_WIDTH,
		.second = columns > 0 ? CALLS_NARROW : CALLS_WIDTH,
	};

	table_triple(widths, left, middle, right);
}

static void print_line(const char *left, const char *middle, struct spec_origin origin)
{
	char where[512];

	print_origin(origin, where, sizeof(where));
	print_triple(left, middle, where);
}

/* Its rules in the order in which they are tried, then the answer for the rest. */
static void print_call(const struct spec_call *call)
{
	char answer[64];

	for (size_t i = 0; i < call->n_rules; i++) {
		const struct spec_call_rule *rule = &call->rules[i];
		char condition[CONDITION_TEXT_MAX];
		struct text text = {.len = 0};

		put(&text, policy_action_text(rule->action, answer, sizeof(answer)));
		for (size_t j = 0; j < rule->n_conds; j++) {
			put(&text, j == 0 ? " where " : " and ");
			condition_text(&rule->conds[j], condition, sizeof(condition));
			put(&text, condition);
		}
		print_line(i == 0 ? call->name : "", text.buf, rule->origin);
	}
	print_line(call->n_rules == 0 ? call->name : "",
		   policy_action_text(call->otherwise, answer, sizeof(answer)), call->origin);
}

/* ---- groups ---- */

/* Calls that get one answer, as said by one file. */
struct group {
	struct spec_action answer;
	struct spec_origin first;
	uint32_t last_line;
	size_t n;
	const char *names[NAMES_MAX];
};

static bool belongs(const struct group *group, const struct spec_call *call)
{
	return group->answer.kind == call->otherwise.kind &&
	       group->answer.errno_value == call->otherwise.errno_value &&
	       str_equal(group->first.file, call->origin.file);
}

/* False: no room for one group more. */
static bool add_call(struct group *groups, size_t *n, const struct spec_call *call)
{
	struct group *group = groups;

	while (group < groups + *n && !belongs(group, call))
		group++;
	if (group == groups + *n) {
		if (*n == GROUPS_MAX)
			return false;
		(*n)++;
		group->answer = call->otherwise;
		group->first = call->origin;
		group->last_line = call->origin.line;
	}
	if (call->origin.line < group->first.line)
		group->first = call->origin;
	if (call->origin.line > group->last_line)
		group->last_line = call->origin.line;
	if (group->n < NAMES_MAX)
		group->names[group->n] = call->name;
	group->n++;
	return true;
}

static void print_group(const struct group *group)
{
	char answer[64], where[512];
	struct text calls = {.len = 0};

	for (size_t i = 0; group->n <= NAMES_MAX && i < group->n; i++) {
		put(&calls, i > 0 ? " " : "");
		put(&calls, group->names[i]);
	}
	if (group->n > NAMES_MAX) {
		str_format(calls.buf, sizeof(calls.buf), "%zu calls", group->n);
	}
	print_origin(group->first, where, sizeof(where));
	if (group->last_line != group->first.line) {
		size_t len = strlen(where);

		str_format(where + len, sizeof(where) - len, "-%u", group->last_line);
	}
	print_triple(policy_action_text(group->answer, answer, sizeof(answer)), calls.buf, where);
}

static void print_groups(struct spec_calls list)
{
	struct group groups[GROUPS_MAX] = {{.n = 0}};
	size_t n = 0;

	for (size_t i = 0; i < list.n; i++)
		if (list.calls[i].n_rules == 0 && !add_call(groups, &n, &list.calls[i]))
			print_call(&list.calls[i]);
	for (size_t i = 0; i < n; i++)
		print_group(&groups[i]);
	for (size_t i = 0; i < list.n; i++)
		if (list.calls[i].n_rules > 0)
			print_call(&list.calls[i]);
}

/* ---- one architecture ---- */

static void print_list(const struct spec_seccomp *seccomp, struct spec_calls list, bool wants_all)
{
	char answer[64];

	for (size_t i = 0; wants_all && i < list.n; i++)
		print_call(&list.calls[i]);
	if (!wants_all)
		print_groups(list);
	print_line("(unknown calls)",
		   policy_action_text(seccomp->unknown_action, answer, sizeof(answer)),
		   seccomp->unknown_origin);
}

struct explain_counts explain_count(struct spec_calls list)
{
	struct explain_counts counts = {.allowed = 0};

	for (size_t i = 0; i < list.n; i++) {
		counts.allowed += list.calls[i].otherwise.kind == ACT_ALLOW;
		counts.by_arguments += list.calls[i].n_rules > 0;
	}
	return counts;
}

static void print_second(const struct spec_seccomp *seccomp, bool wants_all)
{
	struct explain_counts counts = explain_count(seccomp->second);
	struct text text = {.len = 0};

	print_out("\nsystem calls of " POLICY_SECOND_NAME "\n");
	str_format(text.buf, sizeof(text.buf), "%zu allowed, %zu of all decided by their arguments",
		   counts.allowed, counts.by_arguments);
	table_row(table_columns(), 2, "  ", text.buf);
	print_list(seccomp, seccomp->second, wants_all);
}

void explain_calls(const struct spec_seccomp *seccomp, bool wants_all)
{
	const struct spec_calls native = {.calls = seccomp->calls, .n = seccomp->n_calls};
	const char *const *always = policy_seccomp_always_admitted();
	struct explain_counts counts = explain_count(native);
	struct text text = {.len = 0};

	print_out("\nsystem calls\n");
	str_format(text.buf, sizeof(text.buf),
		   "%zu allowed, %zu of all decided by their arguments; setuid and setgid bits %s",
		   counts.allowed, counts.by_arguments,
		   seccomp->denies_setid_bits ? "refused" : "not filtered");
	table_row(table_columns(), 2, "  ", text.buf);
	put(&text, "always admitted for the launcher's last steps:");
	for (; *always != NULL; always++) {
		put(&text, " ");
		put(&text, *always);
	}
	table_row(table_columns(), 2, "  ", text.buf);
	print_list(seccomp, native, wants_all);
	if (seccomp->has_second)
		print_second(seccomp, wants_all);
	print_line("(other architectures)", "kill", (struct spec_origin){.file = "built-in"});
}
