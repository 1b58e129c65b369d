/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any text as a size, a duration, a number, a mode, ids, a constant: read or refused, with outputs
 * untouched where it is refused.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "policy/constants.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { UNTOUCHED = 0x5a5a5a5a };

static void check64(int (*parse)(const char *, uint64_t *), const char *text)
{
	uint64_t value = UNTOUCHED;
	int r = parse(text, &value);

	if (r != 0 && (value != UNTOUCHED || (r != -EINVAL && r != -ERANGE)))
		abort();
}

static void check32(int (*parse)(const char *, uint32_t *), const char *text)
{
	uint32_t value = UNTOUCHED;
	int r = parse(text, &value);

	if (r != 0 && (value != UNTOUCHED || (r != -EINVAL && r != -ERANGE)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1);
	uint32_t uid = UNTOUCHED, gid = UNTOUCHED;
	bool has_gid = false;

	memcpy(text, data, size);
	check64(parse_u64, text);
	check64(parse_size, text);
	check64(parse_duration, text);
	check64(constants_argument, text);
	check32(parse_u32, text);
	check32(parse_mode, text);
	check32(constants_errno, text);
	check32(constants_signal, text);
	if (parse_ids(text, &uid, &gid, &has_gid) != 0 && (uid != UNTOUCHED || gid != UNTOUCHED))
		abort();
	free(text);
	return 0;
}
