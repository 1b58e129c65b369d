/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A text for stdout that grows, and is written as a whole: for lists that may be long, whose lines
 * have no greatest length. A lack of memory is found at the end.
 */
#ifndef CORDON_CMD_PAGE_H
#define CORDON_CMD_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Zeroed: empty. */
struct page {
	char *text; /* terminated; NULL while it is empty */
	size_t len;
	size_t size;
	bool failed;
};

/* As it is. */
void page_put(struct page *page, const char *text, size_t len);
void page_text(struct page *page, const char *text);
void page_format(struct page *page, const char *fmt, ...) printf_like(2, 3);

/* A value that may be anything: harmless (str_make_harmless), and in one line. */
void page_value(struct page *page, const char *value);

/* What stands in the page; "" for nothing. */
const char *page_string(const struct page *page);

/* Frees it; a page that is zero again. */
void page_free(struct page *page);

/* Writes it to stdout and frees it. Returns exit_code, or 125 where it could not be written whole;
 * which has been said where there was no memory for it. */
int page_print(struct page *page, int exit_code);

#endif
