/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the reader of events: what it takes for a line is, written and read again, the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "records/events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct event *a, const struct event *b)
{
	if (a->time_ns != b->time_ns || strcmp(a->type, b->type) != 0 ||
	    strcmp(a->action, b->action) != 0 || strcmp(a->id, b->id) != 0 ||
	    strcmp(a->name, b->name) != 0 || a->n_attributes != b->n_attributes)
		abort();
	for (size_t i = 0; i < a->n_attributes; i++)
		if (strcmp(a->attributes[i].key, b->attributes[i].key) != 0 ||
		    strcmp(a->attributes[i].value, b->attributes[i].value) != 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event first, again, last;
	char *line = malloc(size + 1); /* of exactly its length, and the NUL */
	char text[8 * EVENT_LINE_MAX], copy[8 * EVENT_LINE_MAX];
	ssize_t len;

	memcpy(line, data, size);
	if (event_from_line(line, size, &first) == 0) {
		/* What is not UTF-8 is replaced: from then on it stays. */
		len = event_to_line(&first, text, sizeof(text));
		if (len <= 0 || event_from_line(text, (size_t)len - 1, &again) < 0)
			abort();
		len = event_to_line(&again, copy, sizeof(copy));
		if (len <= 0 || event_from_line(copy, (size_t)len - 1, &last) < 0)
			abort();
		check_same(&again, &last);
	}
	free(line);
	return 0;
}
