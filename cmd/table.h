/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of two parts on stdout: a name, and a text that may be long. On a terminal the text goes on
 * below itself where the line is full; into a pipe it stays one line, for grep and the like.
 */
#ifndef CORDON_CMD_TABLE_H
#define CORDON_CMD_TABLE_H

#include <stddef.h>

enum { TABLE_HELP_COLUMNS = 80 };

/* The terminal's columns, 0 where stdout is none. */
size_t table_columns(void);

/* How many columns a text takes: one for each character, two for those of East Asia. */
size_t table_width(const char *text);

/*
 * Prints left, and from column `at` on the text. columns 0: in one line. Values in both may be
 * anything: they are made harmless.
 */
void table_row(size_t columns, size_t at, const char *left, const char *text);

/* text, or as much of it as fits into so many columns, with dots behind it. Returns its length. */
size_t table_cut(const char *text, size_t columns, char *buf, size_t size);

/* Adds text to the line in buf behind its first len bytes, padded to a width as far as it fits.
 * Returns the new length. */
size_t table_cell(char *buf, size_t size, size_t len, const char *text, size_t width);

/* A line of n cells. columns: none goes beyond its width, nor the last one beyond these; 0: as long
 * as they are. */
void table_cells(const char *const *texts, const size_t *widths, size_t n, size_t columns);

/* A line of three parts, indented by two. On a terminal a long second one goes on below itself, and
 * the third stands in a line of its own. */
struct table_widths {
	size_t columns; /* table_columns */
	size_t first;
	size_t second;
};
void table_triple(struct table_widths widths, const char *first, const char *second,
		  const char *third);

#endif
