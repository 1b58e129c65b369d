/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A seccomp file of Docker's or of OCI's (the object linux.seccomp of a runtime specification), as
 * what it says about each call of this architecture. Read by docker.c, put over the other layers by
 * filter_docker.c.
 */
#ifndef CORDON_POLICY_DOCKER_H
#define CORDON_POLICY_DOCKER_H

#include "policy/filter.h"

struct docker_call {
	bool has_always; /* an entry names it without conditions */
	struct spec_action always;
	struct spec_origin origin; /* of `always` */
	/* Entries with conditions, in the order of the file. NULL: none. */
	struct filter_choices *some;
};

struct docker_profile {
	enum syscalls_abi abi; /* whose calls these are: set before it is read */
	struct spec_action default_action;
	struct spec_origin origin;              /* of the default */
	struct docker_call calls[SYSCALLS_END]; /* by place (syscalls.h) */
	/* Names that no architecture has, as far as this build knows; the first, and whether any
	 * of them is refused. */
	const struct policy_node *unknown;
	size_t n_unknown;
	bool refuses_unknown;
};

/*
 * Reads the file's tree: what holds with these capabilities in the workload, on this machine and
 * the running kernel. False: reported.
 */
bool docker_read(struct policy_ctx *ctx, const struct policy_node *root, uint64_t capabilities,
		 struct docker_profile *ret_profile);

/* ---- docker_condition.c ---- */
/* One element of `args` for a call. False: reported. */
bool docker_read_condition(struct policy_ctx *ctx, const char *call, const struct policy_node *node,
			   struct spec_cond *ret_cond);
/* Whether an object has only keys of the list, which ends with NULL. Reports those it has not. */
bool docker_check_keys(struct policy_ctx *ctx, const struct policy_node *node,
		       const char *const *keys);
/* The value of a key where it has that kind; NULL: not there, or reported and *is_good false. */
const struct policy_node *docker_get(struct policy_ctx *ctx, const struct policy_node *node,
				     const char *key, enum policy_node_kind kind, bool *is_good);
/* A number without sign, fraction and exponent. False: reported. */
bool docker_read_number(struct policy_ctx *ctx, const struct policy_node *node,
			uint64_t *ret_value);

/* ---- docker_when.c ---- */
/* Whether `includes` and `excludes` of an entry let it hold here. False in *is_good: reported. */
bool docker_holds(struct policy_ctx *ctx, const struct policy_node *entry, uint64_t capabilities,
		  bool *is_good);
/* Whether "CAP_..." is a capability; reported at place where it is none. */
bool docker_knows_capability(struct policy_ctx *ctx, struct policy_place place, const char *name);

#endif
