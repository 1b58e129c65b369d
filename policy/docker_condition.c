/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small things of Docker's and OCI's JSON, and one condition on an argument; see docker.h.
 *
 * A comparison is as wide as the kernel reads the argument (policy/syscalls.c), where libseccomp
 * always compares 64 bits: with high bits set, Docker's own rule about socket families lets through
 * what it means to refuse.
 */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "policy/docker.h"

bool docker_check_keys(struct policy_ctx *ctx, const struct policy_node *node,
		       const char *const *keys)
{
	bool is_good = true;
	size_t n = 0;

	while (keys[n] != NULL)
		n++;
	for (const struct policy_node *child = node->children; child != NULL; child = child->next) {
		bool is_known = false;

		for (size_t i = 0; i < n; i++)
			is_known |= str_equal(child->key, keys[i]);
		if (is_known)
			continue;
		ctx_suggest(ctx,
			    ctx_report(ctx, child->key_place, "unknown-key", "unknown key '%s'",
				       child->key),
			    child->key, keys, n);
		is_good = false;
	}
	return is_good;
}

const struct policy_node *docker_get(struct policy_ctx *ctx, const struct policy_node *node,
				     const char *key, enum policy_node_kind kind, bool *is_good)
{
	const struct policy_node *value = doc_get(node, key);

	if (value == NULL || value->kind == kind)
		return value;
	ctx_report(ctx, value->place, "bad-type", "%s is not %s", key,
		   kind == NODE_SCALAR     ? "a single value"
		   : kind == NODE_SEQUENCE ? "a list"
					   : "an object");
	*is_good = false;
	return NULL;
}

bool docker_read_number(struct policy_ctx *ctx, const struct policy_node *node, uint64_t *ret_value)
{
	if (node->kind == NODE_SCALAR && !node->is_quoted && parse_u64(node->text, ret_value) == 0)
		return true;
	ctx_report(ctx, node->place, "bad-value", "'%s' is no whole number from 0 to 2^64-1",
		   node->text);
	return false;
}

enum comparison { CMP_NE, CMP_LT, CMP_LE, CMP_EQ, CMP_GE, CMP_GT, CMP_MASKED_EQ, CMP_NONE };

static enum comparison read_op(struct policy_ctx *ctx, const struct policy_node *node)
{
	static const char *const names[] = {"SCMP_CMP_NE",       "SCMP_CMP_LT", "SCMP_CMP_LE",
					    "SCMP_CMP_EQ",       "SCMP_CMP_GE", "SCMP_CMP_GT",
					    "SCMP_CMP_MASKED_EQ"};

	for (size_t i = 0; i < CMP_NONE; i++)
		if (str_equal(node->text, names[i]))
			return (enum comparison)i;
	ctx_suggest(ctx,
		    ctx_report(ctx, node->place, "bad-value", "unknown comparison '%s'",
			       node->text),
		    node->text, names, CMP_NONE);
	return CMP_NONE;
}

/* The comparison as a condition of ours; values has room for two. False: it never holds. */
static bool fill_condition(enum comparison op, uint64_t value, uint64_t value_two, uint64_t *values,
			   struct spec_cond *cond)
{
	uint64_t max = cond->is_32bit ? UINT32_MAX : UINT64_MAX;

	cond->values = values;
	cond->n_values = op == CMP_EQ || op == CMP_NE || op == CMP_MASKED_EQ ? 1 : 2;
	values[0] = value;
	switch (op) {
	case CMP_EQ:
	case CMP_NE:
		cond->op = op == CMP_EQ ? COND_IN : COND_NOT_IN;
		return true;
	case CMP_MASKED_EQ:
		cond->op = COND_MASKED_EQ;
		cond->mask = value;
		values[0] = value_two;
		return (value_two & ~value) == 0;
	case CMP_LT:
	case CMP_LE:
		cond->op = COND_RANGE;
		values[0] = 0;
		values[1] = op == CMP_LT ? value - 1 : value;
		return op == CMP_LE || value > 0;
	case CMP_GE:
	case CMP_GT:
		cond->op = COND_RANGE;
		values[0] = op == CMP_GT ? value + 1 : value;
		values[1] = max;
		return op == CMP_GE || value < max;
	case CMP_NONE:
		break;
	}
	return false;
}

static bool check_value(struct policy_ctx *ctx, const struct policy_node *node,
			const struct spec_cond *cond, uint64_t value)
{
	if (!cond->is_32bit || value <= UINT32_MAX)
		return true;
	ctx_report(ctx, node->place, "bad-value", "'%s' is too large", node->text)->expected =
		"The kernel takes 32 bits of this argument.";
	return false;
}

bool docker_read_condition(struct policy_ctx *ctx, const char *call, const struct policy_node *node,
			   struct spec_cond *ret_cond)
{
	bool is_good = true;
	const struct policy_node *index = docker_get(ctx, node, "index", NODE_SCALAR, &is_good);
	const struct policy_node *value = docker_get(ctx, node, "value", NODE_SCALAR, &is_good);
	const struct policy_node *two = docker_get(ctx, node, "valueTwo", NODE_SCALAR, &is_good);
	const struct policy_node *op = docker_get(ctx, node, "op", NODE_SCALAR, &is_good);
	uint64_t *values = ctx_array(ctx, 2, sizeof(*values));
	uint64_t arg, number, second = 0;
	enum comparison comparison;

	if (!is_good || values == NULL)
		return false;
	if (index == NULL || value == NULL || op == NULL) {
		ctx_report(ctx, node->place, "missing-key", "a condition lacks %s",
			   index == NULL   ? "'index'"
			   : value == NULL ? "'value'"
					   : "'op'");
		return false;
	}
	comparison = read_op(ctx, op);
	if (comparison == CMP_NONE || !docker_read_number(ctx, index, &arg) ||
	    !docker_read_number(ctx, value, &number) ||
	    (two != NULL && !docker_read_number(ctx, two, &second)))
		return false;
	*ret_cond = (struct spec_cond){.arg = (uint32_t)arg};
	if (arg > 5 || syscalls_argument_width(call, ret_cond->arg, &ret_cond->is_32bit) < 0) {
		ctx_report(ctx, node->place, "argument-width",
			   "no condition can be made on argument %s of %s", index->text, call)
			->expected = "cordon compares only arguments whose width in the kernel it "
				     "knows, and never what a pointer points to.";
		return false;
	}
	if (!check_value(ctx, value, ret_cond, number) ||
	    (comparison == CMP_MASKED_EQ && two != NULL &&
	     !check_value(ctx, two, ret_cond, second)))
		return false;
	if (fill_condition(comparison, number, second, values, ret_cond))
		return true;
	ctx_report(ctx, node->place, "impossible", "this condition never holds");
	return false;
}
