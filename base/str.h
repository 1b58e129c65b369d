/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text without stdio and without the heap: usable between clone and exec. */
#ifndef CORDON_BASE_STR_H
#define CORDON_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

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

#endif
