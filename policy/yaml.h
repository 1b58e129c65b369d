/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YAML text to a policy_doc. */
#ifndef CORDON_POLICY_YAML_H
#define CORDON_POLICY_YAML_H

#include "policy/doc.h"

enum {
	YAML_MAX_BYTES = 1024 * 1024,
	YAML_MAX_DEPTH = 16,
	YAML_MAX_NODES = 32768,
};

/*
 * Reads len bytes at text, which belong to source, as one YAML document. Returns its root (any
 * kind), or NULL where there is none or the text could not be read to its end; every mistake is
 * reported to ctx. What is refused beyond YAML's own rules stands at the top of yaml.c.
 */
struct policy_node *yaml_parse(struct policy_ctx *ctx, const struct policy_source *source,
			       const char *text, size_t len);

#endif
