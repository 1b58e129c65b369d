/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text as the tree of doc.h. */
#ifndef CORDON_POLICY_JSON_DOC_H
#define CORDON_POLICY_JSON_DOC_H

#include "policy/ctx.h"
#include "policy/doc.h"

enum { JSON_MAX_DEPTH = 16, JSON_MAX_NODES = 16384, JSON_MAX_KEYS = 64 };

/*
 * Reads the source's text as one JSON value (RFC 8259). Strings are quoted scalars; numbers, true,
 * false and null are scalars as they were written. A key whose value is null is left out, which is
 * how the readers of Docker and OCI understand it. Stops at the first mistake: reported, NULL.
 */
struct policy_node *json_doc_parse(struct policy_ctx *ctx, const struct policy_source *source);

#endif
