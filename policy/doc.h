/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy_doc: a policy text as a tree of mappings, sequences and scalars that keeps where each node
 * stood. Scalars are text; the key table (policy/keys.h) gives them their types. Nodes live in the
 * arena of the reading and never leave policy/.
 */
#ifndef CORDON_POLICY_DOC_H
#define CORDON_POLICY_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/spec.h"

struct policy_ctx;
struct policy_shipped;

/* One text that nodes come from: a profile, or one flag of the command line. */
struct policy_source {
	const char *path; /* what messages call it */
	const char *dir;  /* where its relative paths start; "" for none */
	const char *text; /* not NUL-terminated */
	size_t len;
	uint32_t rank;        /* order of messages: parents first, the command line last */
	uint32_t column_base; /* columns that stand before the text in its first line */
	bool is_flag;         /* a flag: its origin has no line */
	bool is_taken;        /* a flag that stands for what another sandbox has */
	const char *digest;   /* "sha256:..."; "" for flags */
};

struct policy_place {
	const struct policy_source *source;
	uint32_t line; /* from 1 */
	uint32_t column;
};

enum policy_node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct policy_node {
	enum policy_node_kind kind;
	bool is_quoted;   /* scalar: '' or "" or a block; an unquoted empty one is "no value" */
	bool appends;     /* its key was written +name */
	bool is_damaged;  /* something below it was wrong, reported and taken out */
	const char *text; /* scalar, else "" */
	const char *key;  /* in a mapping, without '+'; else "" */
	struct policy_place place;
	struct policy_place key_place;
	struct policy_node *children;
	struct policy_node *next;
};

/* A new node at place, or NULL (and the reading is marked as out of memory). */
struct policy_node *doc_node(struct policy_ctx *ctx, enum policy_node_kind kind,
			     struct policy_place place);
/* A new scalar with the given key, for values that flags make. */
struct policy_node *doc_scalar(struct policy_ctx *ctx, const char *key, const char *text,
			       struct policy_place place);

/* The tree of a shipped profile, as yaml_parse would give it. NULL: out of memory, as above. */
struct policy_node *doc_of_shipped(struct policy_ctx *ctx, const struct policy_source *source,
				   const struct policy_shipped *shipped);

/* Puts child last. parent and child may be NULL (after an error): nothing happens. */
void doc_add(struct policy_node *parent, struct policy_node *child);

/* The entry of a mapping, NULL where there is none or node is NULL or no mapping. */
struct policy_node *doc_get(const struct policy_node *node, const char *key);
/* As doc_get along a path of keys "a.b.c". */
struct policy_node *doc_find(const struct policy_node *node, const char *path);

/* "NAME:" with nothing behind it. */
bool doc_has_no_value(const struct policy_node *node);

/* Origin of a place as the spec keeps it. */
struct spec_origin doc_origin(struct policy_place place);

/* The node written as one line of YAML flow text, in the arena; "" where memory ran out. */
const char *doc_flow_text(struct policy_ctx *ctx, const struct policy_node *node);

#endif
