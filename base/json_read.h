/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads JSON (RFC 8259) in place, for texts of cordon's own writing that are looked into again: one
 * value of an object, and whether a text is JSON at all. No heap, no recursion.
 */
#ifndef CORDON_BASE_JSON_READ_H
#define CORDON_BASE_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { JSON_DEPTH_MAX = 64 };

/* A value within a text. It is not terminated. */
struct json_slice {
	const char *text;
	size_t len;
};

/* How many of len bytes the value at text takes. -EBADMSG: there is none, it is cut off, or it has
 * more than JSON_DEPTH_MAX brackets around a value. */
ssize_t must_check json_value_length(const char *text, size_t len);

/* The whole of a text as one value, white space around it apart. 0 or -EBADMSG. */
int must_check json_read(const char *text, size_t len, struct json_slice *ret);

/*
 * The member of an object behind *at bytes, which is moved on; 0 to begin with. ret_name is a
 * string with its quotes. Returns 1, or 0 where there is no more or value is no object. Needs:
 * value was read by json_read.
 */
int must_check json_next(struct json_slice value, size_t *at, struct json_slice *ret_name,
			 struct json_slice *ret);

/* The member whose name is these len bytes, as it stands between the quotes. -ENOENT. */
int must_check json_find(struct json_slice value, const char *name, size_t len,
			 struct json_slice *ret);

/* A string without quotes and escapes, as UTF-8 and terminated; what does not fit is cut. Returns
 * its length. Anything else is copied as it is. */
size_t json_copy_text(struct json_slice value, char *buf, size_t size);

#endif
