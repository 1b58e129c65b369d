/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --format of rows: a text with {{.Field}} in it, the part of Docker's templates that listings use.
 */
#ifndef CORDON_CMD_FILL_H
#define CORDON_CMD_FILL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* What the fields are. */
struct fill_fields {
	/* The value of a field, NULL where there is none of that name. */
	const char *(*look_up)(void *ctx, const char *field);
	void *ctx;
};

/* Whether the format is Docker's word for JSON: "json" or "{{json .}}". */
bool fill_is_json(const char *format);

/*
 * Fills the format in, with \t and \n understood and a newline behind it. Returns its length, cut
 * where buf is too small, or ERR_USAGE: what is no {{.Field}}, or a field that there is not.
 */
int must_check fill(const char *format, const struct fill_fields *fields, char *buf, size_t size,
		    struct err *err);

#endif
