/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A writer of JSON (RFC 8259) into a buffer of the caller's, for results and events. Names are
 * literals of ours; text values may be anything: what is not UTF-8 becomes U+FFFD, and what would
 * drive a terminal (str_make_harmless) is escaped, so that a document can be looked at. No heap.
 */
#ifndef CORDON_BASE_JSON_H
#define CORDON_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct json {
	char *buf;
	size_t size;
	size_t len;
	bool needs_comma;
	bool overflow;
};

void json_init(struct json *json, char *buf, size_t size);

/* name NULL: an element of an array, or the outermost value. */
void json_open(struct json *json, const char *name, char bracket);      /* '{' or '[' */
void json_close(struct json *json, char bracket);                       /* '}' or ']' */
void json_text(struct json *json, const char *name, const char *value); /* NULL: null */
void json_number(struct json *json, const char *name, int64_t value);
void json_truth(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);
/* A value that is JSON already: json_value_length has read it (json_read.h). */
void json_value(struct json *json, const char *name, const char *text, size_t len);

/* Terminates the text. Returns its length, or -ENOSPC where the buffer was too small. */
ssize_t json_finish(struct json *json);

#endif
