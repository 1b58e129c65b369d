/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program of the build (make docs): prints the documents that follow from the tables of keys,
 * flags and commands. It ends in no package; what it prints is kept in docs/ and profiles/, and a
 * test compares the two.
 */
#ifndef CORDON_CMD_GEN_DOCUMENTS_H
#define CORDON_CMD_GEN_DOCUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/keys.h"

/* Text between tables. `code` stands in backticks. */
struct prose {
	const char *title;
	const char *const *paragraphs; /* ends with NULL */
};

extern const struct prose prose_before[]; /* the keys; both end with title NULL */
extern const struct prose prose_after[];

/* The section that a key stands in: its own first part, or "" for a key that is all by itself. */
const char *documents_section(const struct policy_key *key, char *buf, size_t size);

/* What profile `default` has for a key, in one line; "" where it has nothing. Into buf. */
const char *documents_default(const struct policy_key *key, char *buf, size_t size);

/* Text of ours as roff: what is special there is not, and what stands in backticks is bold. */
void documents_man_text(const char *text);

/* A paragraph of Markdown in lines, broken at spaces, and an empty line. (reference.c) */
void documents_paragraph(const char *text);
/* Text in a cell of a table of Markdown, which '|' would end. (reference.c) */
void documents_cell(const char *text);

/* Each prints one document to stdout. Returns the exit code. */
int documents_schema(void);
int documents_man(void);         /* cordon-profile(5) */
int documents_man_program(void); /* cordon(1) */
int documents_reference(void);
int documents_completion(void);
int documents_docker(void);
int documents_commands(void);
/* The YAML file as JSON, with the types that a YAML 1.2 reader gives: for the test of the schema.
 */
int documents_tree(const char *path);

#endif
