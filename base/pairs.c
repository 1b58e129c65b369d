/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See pairs.h. */
#include "base/pairs.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

const char *pairs_next(const char *text, size_t len, size_t *at)
{
	const char *pair = text + *at;

	if (*at >= len)
		return NULL;
	*at += strlen(pair) + 1;
	return pair;
}

int pairs_add(char *text, size_t size, size_t *len, const char *pair)
{
	size_t n = strlen(pair), name_len = strcspn(pair, "=");
	char *end = text + *len;

	/* With "=" and the NUL. */
	if (n + 2 > size - *len)
		return -ENOSPC;
	memcpy(end, pair, n);
	/* One line of text that can be shown as it is. */
	if (name_len == 0 || strcspn(pair, " \t") < name_len || strchr(pair, '\t') != NULL ||
	    str_make_harmless(end, n) != n || memcmp(end, pair, n) != 0)
		return -EINVAL;
	str_format(end, size - *len, "%s%s", pair, pair[name_len] == '\0' ? "=" : "");
	*len += strlen(end) + 1;
	return 0;
}
