/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The seccomp section while layers are put over each other: what each system call is answered so
 * far. Read by filter_entry.c (one entry of a list), filter.c (one layer over its parent's result)
 * and resolve_seccomp.c (all layers, then into the spec).
 *
 * Normal form of a call: refusals (conditions, an action), tried in order, and one answer for the
 * rest. A permission that holds under conditions only is turned into the refusals of its opposite,
 * so that two layers that both permit under conditions permit together what both permit: their
 * refusals stand one behind the other.
 */
#ifndef CORDON_POLICY_FILTER_H
#define CORDON_POLICY_FILTER_H

#include "policy/ctx.h"
#include "policy/groups.h"
#include "policy/layers.h"
#include "policy/resolve.h"
#include "policy/spec.h"
#include "policy/syscalls.h"

enum { FILTER_RULES_MAX = 32, FILTER_CONDS_MAX = 6, FILTER_CHOICES_MAX = 16 };

struct filter_rule {
	const struct spec_call_rule *rule;
	bool is_default; /* its action follows seccomp.default */
};

struct filter_call {
	const char *name; /* NULL: the filter's architecture has no such call */
	struct filter_rule *rules;
	size_t n_rules;
	struct spec_action otherwise;
	bool is_default; /* otherwise follows seccomp.default */
	bool is_fixed;   /* otherwise is no layer's */
	struct spec_origin origin;
};

/* A file that a layer names, read once for both architectures. */
struct filter_file {
	const struct policy_node *path; /* where the layer names it */
	const struct policy_node *root; /* NULL: reported */
};

/* On one architecture; each has its own. */
struct filter {
	enum syscalls_abi abi;
	struct spec_action default_action;
	struct spec_action unknown_action;
	struct spec_origin default_origin;
	struct spec_origin unknown_origin;
	struct filter_call calls[SYSCALLS_END]; /* by place (syscalls.h) */
	struct filter_file files[LAYERS_MAX];
	size_t n_files;
	bool has_parent;       /* a layer has been read: the next one may only narrow */
	uint64_t capabilities; /* of the workload, for conditions of a Docker file */
};

/* One entry of an allow or deny list. */
struct filter_entry {
	const struct policy_node *node;
	const char *name; /* as written: a call or a @group */
	struct syscall_set set;
	bool is_group;
	struct spec_cond *conds; /* all must hold; none: always */
	size_t n_conds;
	struct spec_action action; /* deny */
};

/* Conditional permissions of one call: any of them suffices. */
struct filter_choices {
	const struct filter_entry *entries[FILTER_CHOICES_MAX];
	size_t n;
};

/* ---- filter_entry.c ---- */
/* Reads an entry. False: reported. A refusal is also one of the other forms of its calls. */
bool filter_read_entry(struct policy_ctx *ctx, const struct policy_node *node, bool is_deny,
		       enum syscalls_abi abi, struct filter_entry *ret_entry);
/* "errno(EPERM)", "kill", ... False: reported. */
bool filter_read_action(struct policy_ctx *ctx, const struct policy_node *node,
			struct spec_action *ret_action);

/* ---- filter_action.c ---- */
/* How much an action refuses: allow 0, log 1, errno 2, trap 3, kill 4. */
unsigned filter_strictness(struct spec_action action);
bool filter_is_permission(struct spec_action action);
bool filter_is_same_action(struct spec_action a, struct spec_action b);
const char *filter_action_text(struct policy_ctx *ctx, struct spec_action action);
struct spec_cond filter_opposite(const struct spec_cond *cond);
/* Puts a rule at index `at`. Reports where a call gets too many. */
void filter_insert_rule(struct policy_ctx *ctx, struct filter_call *call, size_t at,
			const struct spec_call_rule *rule, bool is_default);

/*
 * "Permitted where one of these entries holds" as refusals: refused where each entry has a
 * condition that does not hold, so one refusal for each way of choosing one condition of every
 * entry.
 */
void filter_refuse_opposite(struct policy_ctx *ctx, struct filter_call *call,
			    const struct filter_choices *choices, struct spec_action action);
/* The default has changed: everything that follows it changes too. */
void filter_follow_default(struct policy_ctx *ctx, struct filter *filter);

/* ---- filter_warn.c ---- */
/* Warns of a refusal that changes nothing, before it is put into the filter. n_own: by number, how
 * many rules of the layer's own a call has. */
void filter_warn_deny(struct policy_ctx *ctx, const struct filter_entry *entry,
		      const uint16_t *n_own, const struct filter *filter);

/* ---- filter_docker.c ---- */
/*
 * Puts the Docker or OCI file that the layer names over the filter. A profile without a parent is
 * then what the file says; a child is what both permit, with the stricter answer of the two.
 */
void filter_apply_docker(struct policy_ctx *ctx, const struct policy_node *path,
			 struct filter *filter);

/* ---- filter_deny.c ---- */
/* Puts the refusals of one layer's deny list into the filter. */
void filter_apply_deny(struct policy_ctx *ctx, const struct policy_node *list,
		       struct filter *filter);

/* ---- filter_second.c ---- */
/* Whether the entry's conditions are comparisons of this call's arguments. Always so on the native
 * architecture. */
bool filter_can_compare(const struct filter *filter, const struct filter_entry *entry,
			const char *name);
/* What is answered to a call whose arguments cannot be compared. */
struct spec_action filter_undecided(void);
/* Whether an argument of the second architecture's can have the condition's values. False:
 * reported. */
bool filter_check_values(struct policy_ctx *ctx, const struct policy_node *node,
			 enum syscalls_abi abi, const struct spec_cond *cond);
/* The rule's conditions as comparisons of 32 bits: a program of 64 bits that makes a call by int
 * 0x80 has the filter see all of its registers, and the kernel takes half. */
const struct spec_cond *filter_narrow(struct policy_ctx *ctx, const struct spec_call_rule *rule);
/* socketcall and ipc say of each of their parts what its own call is answered. */
void filter_apply_parts(struct policy_ctx *ctx, struct filter *filter);

/* ---- filter.c ---- */
/* Whether cordon makes this call itself under the filter (policy_seccomp_admits_always). */
bool filter_is_own_call(const struct filter *filter, size_t place);
/* Puts the seccomp section and the waivers of a layer's tree over the filter. */
void filter_apply_layer(struct policy_ctx *ctx, const struct policy_node *layer,
			struct filter *filter);

#endif
