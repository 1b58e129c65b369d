/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of `cordon ps`: columns as wide as their widest cell, and on a terminal no wider than
 * that. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/ps_line.h"
#include "cmd/table.h"

enum { GAP = 3, NARROW_GAP = 2, COLUMNS_MAX = 16 };

/* How far each column of the default table gives way, first to the one, then to the other: which is
 * 80 with the gaps. */
static const size_t usual_widths[] = {12, 10, 12, 17, 28, 24, 20};
static const size_t least_widths[] = {12, 6, 8, 8, 16, 8, 10};

/* Lines whose cells are parted by tabs, which no value has. */
struct grid {
	size_t widths[COLUMNS_MAX];
	size_t n_columns;
	size_t gap;
};

/* The cell at text, in buf; behind it the next one, or NULL. */
static const char *next_cell(const char *text, struct page *cell)
{
	size_t len = strcspn(text, "\t\n");

	cell->len = 0;
	page_put(cell, text, len);
	return text[len] == '\t' ? text + len + 1 : NULL;
}

static void measure(struct grid *grid, const char *text)
{
	struct page cell = {0};

	for (size_t column = 0; text != NULL && column < COLUMNS_MAX; column++) {
		size_t width;

		text = next_cell(text, &cell);
		width = table_width(page_string(&cell));
		if (width > grid->widths[column])
			grid->widths[column] = width;
		if (column == grid->n_columns)
			grid->n_columns++;
	}
	page_free(&cell);
}

static size_t total_width(const struct grid *grid)
{
	size_t total = grid->n_columns > 0 ? (grid->n_columns - 1) * grid->gap : 0;

	for (size_t i = 0; i < grid->n_columns; i++)
		total += grid->widths[i];
	return total;
}

/* Makes columns narrower until all fit: each time the one that is farthest above what it keeps. */
static void narrow(struct grid *grid, const size_t *keeps, size_t columns)
{
	while (total_width(grid) > columns) {
		size_t widest = 0, most = 0;

		for (size_t i = 0; i < grid->n_columns; i++) {
			if (grid->widths[i] <= keeps[i] + most)
				continue;
			most = grid->widths[i] - keeps[i];
			widest = i;
		}
		if (most == 0)
			return;
		grid->widths[widest]--;
	}
}

static void fit(struct grid *grid, size_t columns)
{
	if (total_width(grid) > columns)
		grid->gap = NARROW_GAP;
	narrow(grid, usual_widths, columns);
	narrow(grid, least_widths, columns);
}

static void put_grid_line(const struct grid *grid, const char *text, struct page *page)
{
	struct page cell = {0};

	for (size_t column = 0; text != NULL; column++) {
		size_t width = column < COLUMNS_MAX ? grid->widths[column] : SIZE_MAX;
		size_t begin = page->len;

		text = next_cell(text, &cell);
		ps_cut(page, page_string(&cell), width);
		if (text == NULL || page->failed || column >= COLUMNS_MAX)
			continue;
		for (size_t used = table_width(page->text + begin); used < width + grid->gap;
		     used++)
			page_text(page, " ");
	}
	page_text(page, "\n");
	page_free(&cell);
}

/* What cannot be read has no cells: a line across them. */
static void put_damaged(const struct grid *grid, const struct ps_list *list,
			const struct ps_row *row, struct page *page)
{
	ps_put_id(list, row, page);
	for (size_t i = 0; i < grid->gap; i++)
		page_text(page, " ");
	page_value(page, row->status);
	page_text(page, "\n");
}

/* lines: the headings, then one for each row. */
static void put_lines(const struct ps_list *list, bool fits, char *const *lines, struct page *page)
{
	size_t columns = table_columns();
	struct grid grid = {.gap = GAP};

	for (size_t i = 0; i <= list->n; i++)
		if (lines[i] != NULL && (i == 0 || !fits || !list->rows[i - 1]->is_damaged))
			measure(&grid, lines[i]);
	if (fits && columns > 0)
		fit(&grid, columns);
	for (size_t i = 0; i <= list->n && lines[i] != NULL; i++) {
		if (i > 0 && fits && list->rows[i - 1]->is_damaged)
			put_damaged(&grid, list, list->rows[i - 1], page);
		else
			put_grid_line(&grid, lines[i], page);
	}
}

/* The headings, then the rows. */
static void make_lines(const struct ps_list *list, const struct template *template,
		       struct ps_line *line, char **lines)
{
	*lines++ = ps_line_make(line, NULL, template);
	for (size_t i = 0; i < list->n; i++)
		*lines++ = ps_line_make(line, list->rows[i], template);
}

int ps_print_table(const struct ps_list *list, const struct template *template, bool fits,
		   int exit_code)
{
	char **lines = calloc(list->n + 1, sizeof(*lines));
	struct page page = {0};
	struct ps_line line;

	if (lines == NULL || ps_line_begin(&line, list) < 0) {
		free(lines);
		return EXIT_CORDON;
	}
	make_lines(list, template, &line, lines);
	put_lines(list, fits, lines, &page);
	page.failed |= line.page.failed;
	for (size_t i = 0; i <= list->n; i++)
		free(lines[i]);
	free(lines);
	ps_line_end(&line);
	return page_print(&page, exit_code);
}
