/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --format: the part of Go's templates that command lines use. Text, \t and \n, {{.FIELD}},
 * {{.A.B}}, {{json .}}, {{json .FIELD}} and {{.Label "NAME"}}; anything else in braces is an error.
 */
#ifndef CORDON_CMD_TEMPLATE_H
#define CORDON_CMD_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { TEMPLATE_PARTS_MAX = 64, TEMPLATE_TEXT_MAX = 4096 };

enum template_kind {
	TEMPLATE_TEXT,
	TEMPLATE_FIELD, /* {{.A.B}}: word is "A.B" */
	TEMPLATE_JSON,  /* {{json .A}}: word is "A"; "" for all of it */
	TEMPLATE_LABEL, /* {{.Label "NAME"}}: word is NAME */
};

struct template_part {
	enum template_kind kind;
	const char *word;
};

struct template
{
	bool is_table; /* "table " stood before it */
	struct template_part parts[TEMPLATE_PARTS_MAX];
	size_t n;
	char memory[TEMPLATE_TEXT_MAX]; /* where the words lie */
	size_t used;
};

/* Reads a format. known: the forms and fields that messages name, "{{.ID}}, ...". ERR_USAGE. */
int must_check template_read(const char *format, const char *known, struct template *ret,
			     struct err *err);

/* ERR_USAGE for a field, a form, that the caller has not got. */
int template_refuse(const char *action, const char *known, struct err *err);

#endif
