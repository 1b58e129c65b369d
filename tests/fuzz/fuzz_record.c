/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what records are read from: a text that is taken for a record is written, read and written
 * again, which must give the same text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "records/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NULL: it is none. */
static char *rewrite(const void *data, size_t size, size_t *ret_len)
{
	static const struct fields_form form = {.what = "record",
						.format = RECORD_FORMAT,
						.path = "PATH"};
	struct fields_writer writer = {0};
	char *text = malloc(size + 1), id[RUN_ID_LEN + 1] = "";
	struct fields fields;
	struct record record;
	struct err err;

	memcpy(text, data, size);
	text[size] = '\0';
	if (fields_parse(text, size, &form, &fields, &err) < 0)
		return NULL;
	strncpy(id, fields_text(&fields, "id"), sizeof(id) - 1);
	if (record_take(&fields, id, &record) < 0)
		return NULL;
	if (record_text(&record, &writer) < 0)
		abort();
	record_free(&record);
	*ret_len = writer.len;
	return writer.text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first_len = 0, second_len = 0;
	char *first = rewrite(data, size, &first_len);
	char *second = first != NULL ? rewrite(first, first_len, &second_len) : NULL;

	if (first != NULL &&
	    (second == NULL || first_len != second_len || memcmp(first, second, first_len) != 0))
		abort();
	free(first);
	free(second);
	return 0;
}
