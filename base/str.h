/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text without stdio and without the heap: usable between clone and exec. */
#ifndef CORDON_BASE_STR_H
#define CORDON_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 * A small printf into a buffer: %s (NULL prints as "(none)"), %.*s, %c, %d %i %u %x %o with the
 * lengths l, ll and z, and %%. No widths, no floats. Always terminates when size > 0; output that
 * does not fit is cut. Returns the number of bytes written without the NUL (so at most size - 1),
 * which makes chained calls on buf + len safe.
 */
size_t str_format(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);
size_t str_vformat(char *buf, size_t size, const char *fmt, va_list args);

bool str_equal(const char *a, const char *b);
bool str_has_prefix(const char *text, const char *prefix);

/*
 * The entry of names (n of them, NULL entries are passed over) nearest to word by edit distance,
 * or NULL where none is near enough to be a likely slip (more than 1 + len/3 edits).
 */
const char *str_nearest(const char *word, const char *const *names, size_t n);

/* Length of the well-formed UTF-8 sequence at text (Unicode, table 3-7), of which len > 0 bytes may
 * be read; a NUL ends it as well. 0 where there is none. */
size_t str_utf8_length(const char *text, size_t len);

/*
 * Makes foreign text fit to be shown within a line of ours: what would start a new line, move the
 * cursor, drive the terminal or turn the direction of writing becomes '?', and so does what is not
 * UTF-8. These are the control characters but the tab (C0, DEL, and C1, ECMA-48), U+2028 and
 * U+2029, and those of the bidirectional algorithm (CVE-2021-42574). In place; returns the new
 * length, which is at most len. Does not terminate.
 */
size_t str_make_harmless(char *text, size_t len);

/* The character of the well-formed sequence of n bytes at text where str_make_harmless would
 * replace it, else 0. All of them are below U+10000. */
uint32_t str_harmful_character(const char *text, size_t n);

#endif
