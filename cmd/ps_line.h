/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the lines and the table of `cordon ps` share: ps_print.c makes the one of the other. */
#ifndef CORDON_CMD_PS_LINE_H
#define CORDON_CMD_PS_LINE_H

#include "cmd/document.h"
#include "cmd/ps.h"

struct ps_line {
	const struct ps_list *list;
	struct document document; /* room for JSON */
	struct page page;
};

/* -ENOMEM: said. */
int must_check ps_line_begin(struct ps_line *line, const struct ps_list *list);
void ps_line_end(struct ps_line *line);

/* Adds to the line's page. Values have neither tabs nor newlines: those are the template's. */
void ps_line_put(struct ps_line *line, const struct ps_row *row, const struct template *template);
void ps_line_put_headings(struct ps_line *line, const struct template *template);

/* The line of one row, or (NULL) of the headings, malloc; NULL where there is no memory, which the
 * page remembers. */
char *ps_line_make(struct ps_line *line, const struct ps_row *row, const struct template *template);

void ps_put_id(const struct ps_list *list, const struct ps_row *row, struct page *page);

/* Cuts a text to so many columns; the last one says that there is more. */
void ps_cut(struct page *page, const char *text, size_t columns);

#endif
