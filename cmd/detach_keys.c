/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See detach_keys.h. */
#include "cmd/detach_keys.h"

#include <errno.h>
#include <string.h>

enum { CONTROL = 0x1f };

/* One key of len bytes of text. */
static bool read_key(const char *text, size_t len, char *ret)
{
	static const char prefix[] = "ctrl-";
	size_t before = sizeof(prefix) - 1;
	char c = text[len - 1];

	if (len == 1) {
		*ret = c;
		return true;
	}
	if (len != before + 1 || strncmp(text, prefix, before) != 0)
		return false;
	*ret = (char)(c & CONTROL);
	return (c >= 'a' && c <= 'z') || (c != '\0' && strchr("@[\\]^_", c) != NULL);
}

int detach_keys_parse(const char *text, struct detach_keys *ret)
{
	struct detach_keys keys = {.n = 0};

	for (;;) {
		size_t len = strcspn(text, ",");

		if (len == 0 || keys.n == DETACH_KEYS_MAX ||
		    !read_key(text, len, &keys.keys[keys.n]))
			return -EINVAL;
		keys.n++;
		text += len;
		if (*text == '\0')
			break;
		text++;
	}
	*ret = keys;
	return 0;
}

/* What was held back is not the keys, beginning with its first byte: that is passed on, and the
 * rest looked at anew. Returns how many bytes are. */
static size_t give_back(struct detach_keys *keys, char *out)
{
	size_t n = 0;

	do {
		out[n] = keys->keys[n];
		n++;
	} while (n < keys->n_typed && memcmp(keys->keys + n, keys->keys, keys->n_typed - n) != 0);
	keys->n_typed -= n;
	return n;
}

size_t detach_keys_take(struct detach_keys *keys, const char *typed, size_t n, char *out,
			bool *ret_detached)
{
	size_t len = 0;

	*ret_detached = false;
	for (size_t i = 0; i < n && !*ret_detached; i++) {
		while (keys->n_typed > 0 && keys->keys[keys->n_typed] != typed[i])
			len += give_back(keys, out + len);
		if (keys->n > 0 && keys->keys[keys->n_typed] == typed[i])
			keys->n_typed++;
		else
			out[len++] = typed[i];
		*ret_detached = keys->n > 0 && keys->n_typed == keys->n;
	}
	return len;
}
