/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The form of every file that records keep: text, one field a line.
 *
 *     cordon-record 1        what it is, and the number of its format
 *     name web               a key, a blank, the value
 *     arg echo
 *     arg a%0ab              control characters and % are %XX
 *     end                    without this line the file is not whole
 *
 * A key may stand more than once: a list. The files are the caller's own (store.h), and still
 * nothing in them is believed that cannot be read whole: a number of a format that this build does
 * not know, a line without a key, and a file without its end are errors.
 */
#ifndef CORDON_RECORDS_FIELDS_H
#define CORDON_RECORDS_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct field {
	const char *key;
	const char *value;
	size_t len; /* of the value, which may hold NULs */
};

/* What was read. Release with fields_free. */
struct fields {
	char *text;
	struct field *list;
	size_t n;
};

enum { FIELDS_MAX_BYTES = 8 << 20 };

/*
 * Reads dir_fd/name. what: "record": the first word of the file is "cordon-record"; format: its
 * number. path: what messages call it. Errors: -ENOENT; ERR_SETUP for the rest, with a hint.
 */
int must_check fields_read(int dir_fd, const char *name, const char *what, uint32_t format,
			   const char *path, struct fields *ret, struct err *err);

/* What fields_read wants of a text, as its parameters. */
struct fields_form {
	const char *what;
	uint32_t format;
	const char *path;
};

/* As fields_read, of len bytes of text, which is terminated and taken over (malloc), also where it
 * is refused. */
int must_check fields_parse(char *text, size_t len, const struct fields_form *form,
			    struct fields *ret, struct err *err);
void fields_free(struct fields *fields);

/* The first value of a key; "" where there is none. */
const char *fields_text(const struct fields *fields, const char *key);
/* The same as a decimal number; otherwise where there is none, or it is not one. */
int64_t fields_number(const struct fields *fields, const char *key, int64_t otherwise);

/* A text that grows. Zeroed: empty. A lack of memory is found at the end (fields_finish). */
struct fields_writer {
	char *text;
	size_t len;
	size_t size;
	int failed; /* 0 or -errno */
};

void fields_begin(struct fields_writer *writer, const char *what, uint32_t format);
void fields_put(struct fields_writer *writer, const char *key, const char *value);
void fields_put_bytes(struct fields_writer *writer, const char *key, const char *bytes, size_t len);
void fields_put_number(struct fields_writer *writer, const char *key, int64_t value);
/* The last line. 0 or -errno; writer->text is the caller's to free in any case. */
int must_check fields_finish(struct fields_writer *writer);

#endif
