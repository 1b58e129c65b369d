/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of the table of keys as words, for listings and for the documents that are made of it. */
#include <string.h>

#include "base/str.h"
#include "policy/keys.h"

const char *keys_type_name(enum policy_key_type type)
{
	switch (type) {
	case KEY_MAP:
		return "map";
	case KEY_FREE_MAP:
		return "names";
	case KEY_LIST:
		return "list";
	case KEY_TEXT_OR_MAP:
		return "text-or-map";
	case KEY_TEXT:
		return "text";
	case KEY_WORD:
		return "word";
	case KEY_NUMBER:
		return "number";
	case KEY_SIZE:
		return "size";
	case KEY_DURATION:
		return "duration";
	case KEY_DECIMAL:
		return "decimal";
	case KEY_RATE:
		return "rate";
	case KEY_BIT_RATE:
		return "bit-rate";
	case KEY_BOOL:
		return "boolean";
	case KEY_MODE:
		return "mode";
	case KEY_ANY:
		return "any";
	}
	return "";
}

/* The words "a|b" with another separator. */
static size_t put_words(char *buf, size_t size, const char *words, const char *separator)
{
	size_t len = 0;

	while (words != NULL && *words != '\0') {
		size_t n = strcspn(words, "|");

		len += str_format(buf + len, size - len, "%s%.*s", len > 0 ? separator : "", (int)n,
				  words);
		words += n + (words[n] == '|' ? 1 : 0);
	}
	return len;
}

size_t keys_type_text(const struct policy_key *key, char *buf, size_t size)
{
	bool has_words = key->words != NULL;
	size_t len = has_words ? put_words(buf, size, key->words, " | ") : 0;

	if (has_words && key->type == KEY_TEXT_OR_MAP)
		len += str_format(buf + len, size - len, " | map");
	else if (key->type == KEY_TEXT_OR_MAP)
		len += str_format(buf + len, size - len, "text | map");
	else if (!has_words)
		len += str_format(buf + len, size - len, "%s",
				  key->flags & KEY_LATER ? "-" : keys_type_name(key->type));
	if (key->flags & KEY_UNLIMITED)
		len += str_format(buf + len, size - len, " | unlimited");
	return len;
}

size_t keys_later_text(const struct policy_key *key, char *buf, size_t size)
{
	size_t len;

	if (key->flags & KEY_LATER)
		return str_format(buf, size, "not enforced yet");
	if (key->flags & KEY_ONLY_EMPTY)
		return str_format(buf, size, "not yet: anything in it");
	if (key->later == NULL)
		return str_format(buf, size, "%s", "");
	if (str_equal(key->later, "*"))
		return str_format(buf, size, "not yet: anything else");
	len = str_format(buf, size, "not yet: ");
	return len + put_words(buf + len, size - len, key->later, ", ");
}
