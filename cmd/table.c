/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See table.h. */
#include "cmd/table.h"

#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/print.h"

enum { ROOM_MIN = 20, COLUMNS_DEFAULT = 80, TAB_COLUMNS = 8 };

size_t table_columns(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) != 1)
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

/* Of three bytes. Characters of two columns begin at U+1100, "\xe1\x84\x80". Some of one column are
 * among them: a line that ends early does no harm. Punctuation (U+2000, the dots of what was cut)
 * and lines (U+2500) are not. */
static bool is_wide(const unsigned char *text)
{
	bool is_plain = text[0] == 0xe2 && (text[1] < 0x8c || text[1] == 0x94 || text[1] == 0x95);

	return text[0] >= 0xe1 && !is_plain;
}

/* Bytes of the character at text; its columns in *ret_columns. What is no UTF-8 is one '?' each. */
static size_t character(const char *text, size_t *ret_columns)
{
	size_t n = str_utf8_length(text, 4);

	*ret_columns = n == 4 || (n == 3 && is_wide((const unsigned char *)text)) ? 2 : 1;
	/* To the next stop, wherever that is. */
	if (text[0] == '\t')
		*ret_columns = TAB_COLUMNS;
	return n > 0 ? n : 1;
}

size_t table_width(const char *text)
{
	size_t width = 0;

	while (*text != '\0') {
		size_t columns;

		text += character(text, &columns);
		width += columns;
	}
	return width;
}

size_t table_cut(const char *text, size_t columns, char *buf, size_t size)
{
	static const char dots[] = "\xe2\x80\xa6";
	size_t at = 0, used = 0, all = table_width(text);

	while (text[at] != '\0' && at + sizeof(dots) + 4 < size) {
		size_t width;
		size_t n = character(text + at, &width);

		if (all > columns && used + width + 1 > columns)
			break;
		used += width;
		memcpy(buf + at, text + at, n);
		at += n;
	}
	return at + str_format(buf + at, size - at, "%s", text[at] != '\0' ? dots : "");
}

/* Bytes of the longest beginning of text that fits: whole words, or as much of one as there is
 * room for. */
static size_t fitting(const char *text, size_t room)
{
	size_t at = 0, used = 0, word_end = 0;

	while (text[at] != '\0') {
		size_t columns;
		size_t n = character(text + at, &columns);

		if (text[at] == ' ')
			word_end = at;
		if (used + columns > room)
			return word_end > 0 ? word_end : at > 0 ? at : n;
		used += columns;
		at += n;
	}
	return at;
}

static void print_spaces(size_t n)
{
	for (; n > 0; n--)
		print_out(" ");
}

/* Without the spaces at its end, which are made anew where they are wanted. */
static size_t trimmed(const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == ' ')
		len--;
	return len;
}

void table_row(size_t columns, size_t at, const char *left, const char *text)
{
	size_t len = trimmed(left);
	size_t left_width = table_width(left) - (strlen(left) - len);
	size_t room = columns > at + ROOM_MIN ? columns - at : ROOM_MIN;

	print_out("%.*s", (int)len, left);
	if (text[0] == '\0') {
		print_out("\n");
		return;
	}
	if (left_width < at) {
		print_spaces(at - left_width);
	} else if (columns == 0) {
		print_spaces(1);
	} else {
		print_out("\n");
		print_spaces(at);
	}
	while (columns > 0 && table_width(text) > room) {
		size_t n = fitting(text, room);

		print_out("%.*s\n", (int)n, text);
		text += n;
		text += strspn(text, " ");
		if (text[0] == '\0')
			return;
		print_spaces(at);
	}
	print_out("%s\n", text);
}

size_t table_cell(char *buf, size_t size, size_t len, const char *text, size_t width)
{
	size_t used = table_width(text);
	size_t start = len;

	len += str_format(buf + len, size - len, "%s", text);
	for (; used < width && len + 1 < size; used++)
		len += str_format(buf + len, size - len, " ");
	/* Never without a space between two. */
	if (len > start && buf[len - 1] != ' ')
		len += str_format(buf + len, size - len, " ");
	return len;
}

void table_cells(const char *const *texts, const size_t *widths, size_t n, size_t columns)
{
	char line[4096], cut[256];
	size_t at = 0, len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t left = columns > at ? columns - at : 1;
		size_t room = i + 1 < n && widths[i] <= left ? widths[i] - 1 : left;

		if (columns > 0 && table_width(texts[i]) > room) {
			table_cut(texts[i], room, cut, sizeof(cut));
			len = table_cell(line, sizeof(line), len, cut, widths[i]);
		} else {
			len = table_cell(line, sizeof(line), len, texts[i], widths[i]);
		}
		at += widths[i];
	}
	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	print_out("%s\n", line);
}

void table_triple(struct table_widths widths, const char *first, const char *second,
		  const char *third)
{
	size_t third_at = 2 + widths.first + widths.second;
	char left[4096] = "  ";
	size_t len = table_cell(left, sizeof(left), 2, first, widths.first);

	if (widths.columns > 0 && table_width(second) >= widths.second) {
		/* The long text of the line is the second here. */
		table_row(widths.columns, 2 + widths.first, left, second);
		table_row(widths.columns, third_at, "", third);
		return;
	}
	table_cell(left, sizeof(left), len, second, widths.second);
	table_row(widths.columns, third_at, left, third);
}
