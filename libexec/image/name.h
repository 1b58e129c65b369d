/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of entries of an archive, as text: pure. */
#ifndef CORDON_LIBEXEC_IMAGE_NAME_H
#define CORDON_LIBEXEC_IMAGE_NAME_H

#include <stddef.h>

#include "base/err.h"

enum { NAME_SIZE = 4096, NAME_DEPTH_MAX = 256, NAME_PART_MAX = 255, NAME_ESCAPED = 4 * NAME_SIZE };

/*
 * An entry's name taken from the image's root: without leading '/', "." and empty parts, and
 * without a '/' at its end. "" is the root itself. buf has NAME_SIZE bytes. Returns the length;
 * -EXDEV for a part "..", which no archive needs; -ENAMETOOLONG for a name or a part that is too
 * long, or one that is too deep. A part that begins with ".wh." may be as much longer: it stands for
 * the absence of one that is not.
 */
int must_check name_clean(const char *name, char *buf);

/* Where the last part begins. */
const char *name_base(const char *clean);

/* A name as one word: blanks, backslashes, control characters and bytes above 126 as \ooo. size:
 * NAME_ESCAPED for any name. */
void name_escape(const char *name, char *buf, size_t size);

/* The reverse; -EINVAL for what name_escape does not write. buf has NAME_SIZE bytes. */
int must_check name_unescape(const char *text, size_t len, char *buf);

/*
 * The name of an extended attribute of its key in a pax header, which ends at '=': blanks, '%', '='
 * and what is no ASCII stand there as %XX (libarchive; of '%' and '=' GNU tar as well), and whatever
 * else begins with '%' for itself. -ENAMETOOLONG. buf has NAME_PART_MAX + 1 bytes.
 */
int must_check name_attribute_decode(const char *key, char *buf);

/* What could not stand in a line as one word becomes '?', in its place. */
void name_make_word(char *text);

#endif
