/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ceiling: what the administrator of a host lets its users ask for, a policy file with some of
 * the same keys (policy_host.load_ceiling).
 *
 *   limits    no limit is higher. What the caller itself asks beyond is refused; what a shipped
 *             profile says, or nobody, is lowered to it.
 *   waive     if it is there: only these waivers, by name, or by a beginning ("seccomp.call:*")
 *   volumes   if it is there: of the host only what lies at or below these paths is shown, PATH
 *             read-only and PATH:rw also writable
 *
 * It binds those who use this cordon; it is no protection against who runs another program.
 */
#ifndef CORDON_POLICY_CEILING_H
#define CORDON_POLICY_CEILING_H

#include "policy/ctx.h"
#include "policy/doc.h"
#include "policy/spec.h"

/* The tree, checked, or NULL where there is none. Mistakes in it are reported to ctx, as the host's
 * error is. */
const struct policy_node *ceiling_load(struct policy_ctx *ctx);

/* Lowers the limits of the merged tree. ceiling may be NULL, here and below. */
void ceiling_bound_limits(struct policy_ctx *ctx, const struct policy_node *ceiling,
			  struct policy_node *root);

/* Reports waivers and host paths of the spec that lie beyond. */
void ceiling_check(struct policy_ctx *ctx, const struct policy_node *ceiling,
		   const struct sandbox_spec *spec);

#endif
