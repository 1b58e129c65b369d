/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One entry of seccomp.allow or seccomp.deny:
 *
 *   name | "@group" | {call: name, args: {0: CONDITION, ...}, action: ACTION}
 *   ACTION     allow or log in an allow list; errno(NAME), trap or kill in a deny list
 *   CONDITION  {eq: V} {in: [V, ...]} {not_in: [V, ...]} {masked: {mask: V, eq: V}} or ne
 *              {range: [LOWEST, HIGHEST]} {below: V} {above: V}
 *   V          a number, 0x..., or constants joined by '|'
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/constants.h"
#include "policy/filter.h"
#include "policy/keys.h"

enum { GROUPS_MAX = 64, VALUES_MAX = 64 };

static const char condition_form[] =
	"A condition is one of {eq: V}, {in: [V]}, {not_in: [V]}, {masked: {mask: V, eq: V}}, "
	"{masked: {mask: V, ne: V}}, {range: [LOWEST, HIGHEST]}, {below: V}, {above: V}.";

bool filter_read_action(struct policy_ctx *ctx, const struct policy_node *node,
			struct spec_action *ret_action)
{
	static const struct {
		const char *name;
		enum spec_action_kind kind;
	} words[] = {{"allow", ACT_ALLOW},
		     {"kill", ACT_KILL},
		     {"trap", ACT_TRAP},
		     {"log", ACT_LOG}};
	const char *text = node->text;
	size_t len = strlen(text);
	struct policy_problem *problem;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal(text, words[i].name)) {
			*ret_action = (struct spec_action){.kind = words[i].kind};
			return true;
		}
	}
	if (str_equal(text, "notify")) {
		keys_refuse_later(ctx, node->place, "the action notify");
		return false;
	}
	if (str_has_prefix(text, "errno(") && text[len - 1] == ')') {
		const char *name = ctx_copy(ctx, text + 6, len - 7);
		const char *nearest;
		struct spec_action action = {.kind = ACT_ERRNO};

		if (constants_errno(name, &action.errno_value) == 0) {
			*ret_action = action;
			return true;
		}
		problem = ctx_report(ctx, node->place, "bad-value", "unknown errno '%s'", name);
		nearest = constants_nearest_errno(name);
		if (nearest != NULL)
			problem->hint = ctx_format(ctx, "did you mean '%s'?", nearest);
		return false;
	}
	ctx_report(ctx, node->place, "bad-value", "unknown action '%s'", text)->expected =
		"An action is one of: allow, errno(NAME), kill, trap, log.";
	return false;
}

static bool read_value(struct policy_ctx *ctx, const struct policy_node *node, bool is_32bit,
		       uint64_t *ret_value)
{
	const char *nearest;
	struct policy_problem *problem;

	if (node->kind != NODE_SCALAR || constants_argument(node->text, ret_value) < 0) {
		problem =
			ctx_report(ctx, node->place, "bad-value", "unknown value '%s'", node->text);
		nearest = constants_nearest_argument(node->text);
		problem->expected = "It is a number, 0x..., or a constant such as AF_UNIX.";
		if (nearest != NULL)
			problem->hint = ctx_format(ctx, "did you mean '%s'?", nearest);
		return false;
	}
	if (is_32bit && *ret_value > UINT32_MAX) {
		ctx_report(ctx, node->place, "bad-value", "'%s' is too large", node->text)
			->expected = "The kernel takes 32 bits of this argument.";
		return false;
	}
	return true;
}

/* The values of {in: [...]} or of one {eq: ...}. */
static bool read_values(struct policy_ctx *ctx, const struct policy_node *node,
			struct spec_cond *cond)
{
	bool is_list = node->kind == NODE_SEQUENCE;
	const struct policy_node *item = is_list ? node->children : node;
	uint64_t *values = ctx_array(ctx, VALUES_MAX, sizeof(*values));

	for (; item != NULL && values != NULL; item = is_list ? item->next : NULL) {
		if (cond->n_values == VALUES_MAX) {
			ctx_report(ctx, item->place, "too-many", "more than %d values", VALUES_MAX);
			return false;
		}
		if (!read_value(ctx, item, cond->is_32bit, &values[cond->n_values++]))
			return false;
	}
	cond->values = values;
	if (cond->n_values > 0)
		return true;
	ctx_report(ctx, node->place, "no-value", "no values to compare with");
	return false;
}

static bool read_masked(struct policy_ctx *ctx, const struct policy_node *node,
			struct spec_cond *cond)
{
	const struct policy_node *mask = doc_get(node, "mask");
	const struct policy_node *eq = doc_get(node, "eq");
	const struct policy_node *ne = doc_get(node, "ne");
	size_t n = 0;

	for (const struct policy_node *child = node->children; child != NULL; child = child->next)
		n++;
	if (mask == NULL || (eq == NULL) == (ne == NULL) || n != 2) {
		ctx_report(ctx, node->place, "bad-value", "not a condition")->expected =
			condition_form;
		return false;
	}
	cond->op = eq != NULL ? COND_MASKED_EQ : COND_MASKED_NE;
	if (!read_value(ctx, mask, cond->is_32bit, &cond->mask) ||
	    !read_values(ctx, eq != NULL ? eq : ne, cond))
		return false;
	if (cond->n_values == 1 && (cond->values[0] & ~cond->mask) == 0)
		return true;
	ctx_report(ctx, node->place, "impossible", "the value has bits outside the mask");
	return false;
}

/* The range that `below` or `above` a value is. */
static bool read_open_range(struct policy_ctx *ctx, const struct policy_node *node, uint64_t *range,
			    bool is_32bit)
{
	bool is_below = str_equal(node->key, "below");
	uint64_t limit;

	if (!read_value(ctx, node, is_32bit, &limit))
		return false;
	range[0] = 0;
	range[1] = is_32bit ? UINT32_MAX : UINT64_MAX;
	if (limit == range[is_below ? 0 : 1]) {
		ctx_report(ctx, node->place, "impossible", "no value is %s '%s'", node->key,
			   node->text);
		return false;
	}
	if (is_below)
		range[1] = limit - 1;
	else
		range[0] = limit + 1;
	return true;
}

static bool read_range(struct policy_ctx *ctx, const struct policy_node *node,
		       struct spec_cond *cond)
{
	const struct policy_node *low = node->children;
	uint64_t *range = ctx_array(ctx, 2, sizeof(*range));

	cond->op = COND_RANGE;
	cond->values = range;
	cond->n_values = 2;
	if (range == NULL)
		return false;
	if (node->kind == NODE_SCALAR)
		return read_open_range(ctx, node, range, cond->is_32bit);
	if (low == NULL || low->next == NULL || low->next->next != NULL) {
		ctx_report(ctx, node->place, "bad-value", "a range has two ends")->expected =
			condition_form;
		return false;
	}
	if (!read_value(ctx, low, cond->is_32bit, &range[0]) ||
	    !read_value(ctx, low->next, cond->is_32bit, &range[1]))
		return false;
	if (range[0] <= range[1])
		return true;
	ctx_report(ctx, node->place, "impossible", "the range is empty")->expected =
		"The lowest value stands first; both belong to it.";
	return false;
}

static bool is_range(const struct policy_node *op)
{
	if (str_equal(op->key, "range"))
		return op->kind == NODE_SEQUENCE;
	return (str_equal(op->key, "below") || str_equal(op->key, "above")) &&
	       op->kind == NODE_SCALAR;
}

static bool read_condition(struct policy_ctx *ctx, const char *call, const struct policy_node *node,
			   struct spec_cond *cond)
{
	const struct policy_node *op = node->kind == NODE_MAPPING ? node->children : NULL;

	if (parse_u32(node->key, &cond->arg) < 0 || cond->arg > 5) {
		ctx_report(ctx, node->key_place, "bad-value", "no argument '%s'", node->key)
			->expected = "Arguments are counted from 0 to 5.";
		return false;
	}
	if (syscalls_argument_width(call, cond->arg, &cond->is_32bit) < 0) {
		ctx_report(ctx, node->key_place, "argument-width",
			   "no condition can be made on argument %u of %s", cond->arg, call)
			->expected = "cordon compares only arguments whose width in the kernel it "
				     "knows, and never what a pointer points to.";
		return false;
	}
	if (op == NULL || op->next != NULL) {
		ctx_report(ctx, node->place, "bad-value", "not a condition")->expected =
			condition_form;
		return false;
	}
	if (str_equal(op->key, "masked") && op->kind == NODE_MAPPING)
		return read_masked(ctx, op, cond);
	if (is_range(op))
		return read_range(ctx, op, cond);
	cond->op = str_equal(op->key, "not_in") ? COND_NOT_IN : COND_IN;
	if ((str_equal(op->key, "eq") && op->kind == NODE_SCALAR) ||
	    ((str_equal(op->key, "in") || str_equal(op->key, "not_in")) &&
	     op->kind == NODE_SEQUENCE))
		return read_values(ctx, op, cond);
	ctx_report(ctx, op->key_place, "bad-value", "unknown condition '%s'", op->key)->expected =
		condition_form;
	return false;
}

static bool read_args(struct policy_ctx *ctx, const struct policy_node *args,
		      struct filter_entry *entry)
{
	bool is_good = true;

	if (args->kind != NODE_MAPPING || args->children == NULL || entry->is_group) {
		ctx_report(ctx, args->place, "bad-type",
			   entry->is_group ? "conditions on the group '%s'"
					   : "no conditions for '%s'",
			   entry->name)
			->expected = "Conditions are a map from an argument's number to a "
				     "condition, for one call.";
		return false;
	}
	entry->conds = ctx_array(ctx, FILTER_CONDS_MAX, sizeof(*entry->conds));
	if (entry->conds == NULL)
		return false;
	for (const struct policy_node *arg = args->children; arg != NULL; arg = arg->next) {
		if (entry->n_conds == FILTER_CONDS_MAX)
			return false; /* "0" and "00" and the like; each argument stands once */
		is_good &= read_condition(ctx, entry->name, arg, &entry->conds[entry->n_conds]) &&
			   filter_check_values(ctx, arg, entry->set.abi,
					       &entry->conds[entry->n_conds]);
		entry->n_conds++;
	}
	return is_good;
}

static void report_unknown_call(struct policy_ctx *ctx, const struct policy_node *node,
				const char *name)
{
	const char *names[SYSCALLS_END];
	size_t n = 0;
	struct policy_problem *problem =
		ctx_report(ctx, node->place, "unknown-call", "unknown system call '%s'", name);

	for (int32_t number = 0; number < SYSCALLS_END; number++)
		names[n++] = syscalls_name(number);
	ctx_suggest(ctx, problem, name, names, n);
}

/* Fills the set of calls that the entry is about, which says of which architecture. */
static bool read_name(struct policy_ctx *ctx, const struct policy_node *node,
		      struct filter_entry *entry)
{
	const char *names[GROUPS_MAX];
	struct policy_problem *problem;

	entry->is_group = entry->name[0] == '@';
	if (entry->is_group) {
		if (groups_add(entry->name, &entry->set) == 0)
			return true;
		problem = ctx_report(ctx, node->place, "unknown-group", "unknown group '%s'",
				     entry->name);
		ctx_suggest(ctx, problem, entry->name, names, groups_names(names, GROUPS_MAX));
		return false;
	}
	if (syscalls_number(entry->name) == -ENOENT) {
		report_unknown_call(ctx, node, entry->name);
		return false;
	}
	/* A call of another architecture only: the entry is right, and about nothing here. */
	groups_put(&entry->set, entry->name, true);
	return true;
}

static bool read_entry_action(struct policy_ctx *ctx, const struct policy_node *action,
			      bool is_deny, struct filter_entry *entry)
{
	if (!filter_read_action(ctx, action, &entry->action))
		return false;
	if (filter_is_permission(entry->action) != is_deny)
		return true;
	ctx_report(ctx, action->place, "bad-value",
		   is_deny ? "'%s' refuses nothing" : "'%s' permits nothing", action->text)
		->expected = is_deny ? "The action of a refusal is errno(NAME), kill or trap."
				     : "The action of a permission is allow or log.";
	return false;
}

bool filter_read_entry(struct policy_ctx *ctx, const struct policy_node *node, bool is_deny,
		       enum syscalls_abi abi, struct filter_entry *ret_entry)
{
	const struct policy_node *call = node->kind == NODE_MAPPING ? doc_get(node, "call") : node;
	const struct policy_node *args = doc_get(node, "args");
	const struct policy_node *action = doc_get(node, "action");

	*ret_entry = (struct filter_entry){
		.node = node,
		.set = {.abi = abi, .with_forms = is_deny && abi == ABI_SECOND},
		.action = {.kind = is_deny ? ACT_ERRNO : ACT_ALLOW,
			   .errno_value = is_deny ? EPERM : 0},
	};
	if (node->is_damaged)
		return false; /* already reported */
	if (call == NULL) {
		ctx_report(ctx, node->place, "missing-key", "this entry lacks 'call'");
		return false;
	}
	ret_entry->name = call->text;
	if (!read_name(ctx, call, ret_entry))
		return false;
	if (args != NULL && !read_args(ctx, args, ret_entry))
		return false;
	return action == NULL || read_entry_action(ctx, action, is_deny, ret_entry);
}
