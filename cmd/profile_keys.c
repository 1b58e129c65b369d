/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon profile keys [PATTERN]`: the table of policy/keys.c. */
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/document.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "policy/keys.h"

enum { KEY_WIDTH = 32, TYPE_WIDTH = 30, NARROW_TYPE_WIDTH = 20 };

/* '*' stands for any text. Nothing else is special: keys have brackets. */
static bool matches(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static bool is_wanted(const struct policy_key *key, const char *pattern)
{
	if (pattern == NULL)
		return true;
	return strchr(pattern, '*') != NULL ? matches(pattern, key->path)
					    : strstr(key->path, pattern) != NULL;
}

static void put_words(struct json *json, const char *name, const char *words)
{
	json_open(json, name, '[');
	while (words != NULL && *words != '\0') {
		size_t n = strcspn(words, "|");
		char word[64];

		str_format(word, sizeof(word), "%.*s", (int)n, words);
		json_text(json, NULL, word);
		words += n + (words[n] == '|' ? 1 : 0);
	}
	json_close(json, ']');
}

static void put_key(struct json *json, const struct policy_key *key)
{
	json_open(json, NULL, '{');
	json_text(json, "key", key->path);
	json_text(json, "type", keys_type_name(key->type));
	json_text(json, "description", key->doc);
	put_words(json, "words", key->words);
	put_words(json, "words_not_enforced", key->later);
	json_truth(json, "unlimited", (key->flags & KEY_UNLIMITED) != 0);
	json_truth(json, "only_empty", (key->flags & KEY_ONLY_EMPTY) != 0);
	json_truth(json, "enforced", (key->flags & KEY_LATER) == 0);
	json_close(json, '}');
}

static void print_key(const struct policy_key *key)
{
	size_t columns = table_columns();
	size_t type_width = columns > 0 ? NARROW_TYPE_WIDTH : TYPE_WIDTH;
	char type[128], later[128], left[256], text[512];
	size_t len = strlen(key->path);

	keys_type_text(key, type, sizeof(type));
	keys_later_text(key, later, sizeof(later));
	str_format(left, sizeof(left), "%s%.*s%s", key->path,
		   (int)(len < KEY_WIDTH ? KEY_WIDTH - len : 1),
		   "                                        ", type);
	str_format(text, sizeof(text), "%s%s%s%s", key->doc, later[0] != '\0' ? " (" : "", later,
		   later[0] != '\0' ? ")" : "");
	table_row(columns, KEY_WIDTH + type_width, left, text);
}

/* The keys that PATTERN names. Returns how many. */
static size_t each_key(const char *pattern, struct json *json)
{
	size_t n = 0;

	for (size_t i = 0; i < policy_n_keys; i++) {
		if (!is_wanted(&policy_keys[i], pattern))
			continue;
		n++;
		if (json != NULL)
			put_key(json, &policy_keys[i]);
		else
			print_key(&policy_keys[i]);
	}
	return n;
}

int cmd_profile_keys(const struct cmd_context *context, int argc, char **argv)
{
	struct document document;
	bool is_json;
	int exit_code;
	int n = command_words("profile keys", argv + 1, &is_json, &exit_code);
	const char *pattern = n == 1 ? argv[1] : NULL;

	(void)context;
	(void)argc;
	if (n < 0)
		return exit_code;
	if (n > 1) {
		print_note("usage: cordon profile keys [PATTERN]");
		return EXIT_CORDON;
	}
	if (is_json) {
		if (document_begin(&document, "cordon.profile-keys/1") < 0)
			return EXIT_CORDON;
		json_open(&document.json, "keys", '[');
		ignore_result(each_key(pattern, &document.json) == 0, "an empty list says it");
		json_close(&document.json, ']');
		return document_end(&document, 0);
	}
	if (each_key(pattern, NULL) > 0)
		return 0;
	print_note("no key matches '%s'", pattern);
	return EXIT_CORDON;
}
