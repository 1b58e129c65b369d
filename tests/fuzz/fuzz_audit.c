/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the reader of audit records: one byte for the type, then the record. Texts end, and hold
 * nothing that could start a line or drive a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "launcher/audit_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		abort();
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {AUDIT_TYPE_AVC, AUDIT_TYPE_LANDLOCK_ACCESS,
					 AUDIT_TYPE_LANDLOCK_DOMAIN, 1300};
	struct audit_record record;
	char *text;

	if (size == 0)
		return 0;
	/* Of exactly its length. */
	text = malloc(size > 1 ? size - 1 : 1);
	memcpy(text, data + 1, size - 1);
	audit_record_read(types[data[0] % 4], text, size - 1, &record);
	check_text(record.what, sizeof(record.what));
	check_text(record.detail, sizeof(record.detail));
	check_text(record.path, sizeof(record.path));
	check_text(record.profile, sizeof(record.profile));
	free(text);
	return 0;
}
