/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --json: one document on stdout, whose first field is `schema`, "cordon.NAME/1". A field is never
 * left out: what is not known is null. Fields may be added within a version, none changes its
 * meaning.
 */
#ifndef CORDON_CMD_DOCUMENT_H
#define CORDON_CMD_DOCUMENT_H

#include "base/json.h"
#include "cmd/verdict.h"

struct document {
	struct json json;
	char *buf;
};

/* Room for a document, empty. -ENOMEM: said. */
int must_check document_alloc(struct document *ret);
void document_free(struct document *document);

/* Opens the outermost object. -ENOMEM: said. End it with document_end. */
int must_check document_begin(struct document *ret, const char *schema);

/* Closes it, prints it with a newline and frees it. Returns exit_code, or 125 where it could not be
 * printed as a whole. */
int must_check document_end(struct document *document, int exit_code);

/* "file" and "line" of an origin, null where it has none. */
void document_origin(struct json *json, struct spec_origin origin);

/*
 * "problems" (file, line, column, rule, text, expected, hint), "problems_dropped", and "missing"
 * (key, file, line, text, hint): all that verdict_decide refused. An error that is neither becomes
 * a problem without a place, of file and with the rule "error". Empty where nothing is wrong.
 */
void document_refusal(struct json *json, const struct verdict *verdict, const char *file);

#endif
