/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what cordon-image reads itself: one byte for the kind, then JSON of an archive (0 to 3),
 * the name of an entry (4), a word of a layer's books (5), a record (6), or what the composer reads
 * (7). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "libexec/image/name.h"
#include "libexec/image/stages.h"
#include "storage/image_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each line is a key, a blank and a value, whole. */
static void check_lines(const char *text, size_t len)
{
	if (len > 0 && text[len - 1] != '\n')
		abort();
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0')
			abort();
}

static void parse(enum parse_kind kind, const char *text, size_t len)
{
	static char buf[RECORD_TEXT_MAX];
	struct parsed_text out = {.buf = buf, .size = sizeof(buf)};
	struct err err;

	if (parse_document(kind, text, len, &out, &err) == 0)
		check_lines(buf, out.len);
}

/* What it writes is a configuration. */
static void compose(const char *text, size_t len)
{
	static char buf[PARSE_MAX_BYTES];
	struct parsed_text out = {.buf = buf, .size = sizeof(buf)};
	struct err err;

	if (compose_config(text, len, &out, &err) == 0 && (out.len < 2 || buf[0] != '{'))
		abort();
}

/* No part of a clean name leads anywhere but down, and a word stands for one name. */
static void check_name(const char *text)
{
	static char clean[NAME_SIZE], word[NAME_ESCAPED], back[NAME_SIZE];

	if (name_clean(text, clean) < 0)
		return;
	if (clean[0] == '/' || strstr(clean, "//") != NULL || str_equal(clean, "..") ||
	    str_has_prefix(clean, "../") || strstr(clean, "/../") != NULL)
		abort();
	name_escape(clean, word, sizeof(word));
	if (strpbrk(word, " \n") != NULL || name_unescape(word, strlen(word), back) != 0 ||
	    !str_equal(back, clean))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct image_record record;
	static char back[NAME_SIZE];
	struct err err;
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 8 < 4)
		parse((enum parse_kind)(data[0] % 8), text, size - 1);
	else if (data[0] % 8 == 4)
		check_name(text);
	else if (data[0] % 8 == 5)
		ignore_result(name_unescape(text, size - 1, back), "it must not crash");
	else if (data[0] % 8 == 7)
		compose(text, size - 1);
	else
		ignore_result(image_record_parse(text, &record, &err), "likewise");
	free(text);
	return 0;
}
