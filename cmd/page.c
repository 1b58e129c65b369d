/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See page.h. */
#include "cmd/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/print.h"

enum { PAGE_ROOM = 4096, FORMAT_MAX = 1024 };

void page_put(struct page *page, const char *text, size_t len)
{
	if (!page->failed && page->len + len + 1 > page->size) {
		size_t size = 2 * (page->len + len) + PAGE_ROOM;
		char *grown = realloc(page->text, size);

		page->failed = grown == NULL;
		if (grown != NULL) {
			page->text = grown;
			page->size = size;
		}
	}
	if (page->failed)
		return;
	memcpy(page->text + page->len, text, len);
	page->len += len;
	page->text[page->len] = '\0';
}

void page_text(struct page *page, const char *text)
{
	page_put(page, text, strlen(text));
}

void page_format(struct page *page, const char *fmt, ...)
{
	char text[FORMAT_MAX];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = str_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_put(page, text, len);
}

void page_value(struct page *page, const char *value)
{
	size_t begin = page->len, len = strlen(value);

	page_put(page, value, len);
	if (page->failed)
		return;
	page->len = begin + str_make_harmless(page->text + begin, len);
	page->text[page->len] = '\0';
	/* Only a tab is left that moves the cursor, and here it would part two values. */
	for (char *tab = page->text + begin; (tab = strchr(tab, '\t')) != NULL;)
		*tab = ' ';
}

const char *page_string(const struct page *page)
{
	return page->text != NULL ? page->text : "";
}

void page_free(struct page *page)
{
	free(page->text);
	*page = (struct page){0};
}

int page_print(struct page *page, int exit_code)
{
	if (page->failed) {
		print_note("no memory for a list of this length");
		exit_code = EXIT_CORDON;
	} else if (page->len > 0 && io_write_all(STDOUT_FILENO, page->text, page->len) < 0) {
		exit_code = EXIT_CORDON;
	}
	page_free(page);
	return exit_code;
}
