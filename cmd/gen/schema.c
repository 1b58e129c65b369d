/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * profiles/schema.json: the table of keys as JSON Schema 2020-12, for editors. It says what the
 * table says: names, places, types and units. What depends on more than one value (an unknown
 * system call, a path, a waiver) stays with `cordon profile check`.
 *
 * A YAML reader of an editor gives `16`, `true` and `"16"` different types; cordon takes the text
 * and the key decides. So numbers and words are accepted in both spellings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cmd/gen/documents.h"

enum { SCHEMA_MAX = 1 << 20, PATH_MAX_KEY = 256 };

static const char size_pattern[] =
	"^[0-9]+([.][0-9]+)?(B|KiB|MiB|GiB|TiB|k|m|g|t|kB|KB|MB|GB|TB)?$";
static const char bit_rate_pattern[] = "^[0-9]+([.][0-9]+)?([kKmMgG]?bit)$";
static const char rate_pattern[] = "^[0-9]+([.][0-9]+)?(B|[KMGT]iB|[kmgt]|[kKMGT]B)?/s$";
static const char duration_pattern[] = "^(0|([0-9]+([.][0-9]+)?(ms|s|m|h|d))+)$";

static void put_value(struct json *json, const struct policy_key *key);

static void put_types(struct json *json, const char *first, const char *second)
{
	json_open(json, "type", '[');
	json_text(json, NULL, first);
	json_text(json, NULL, second);
	json_close(json, ']');
}

/* The words as text, and as the number or boolean that they look like. */
static void put_words(struct json *json, const char *words)
{
	json_open(json, "enum", '[');
	while (*words != '\0') {
		size_t n = strcspn(words, "|");
		char word[64];

		str_format(word, sizeof(word), "%.*s", (int)n, words);
		if (str_equal(word, "true") || str_equal(word, "false"))
			json_truth(json, NULL, str_equal(word, "true"));
		if (word[0] >= '0' && word[0] <= '9')
			json_number(json, NULL, strtoll(word, NULL, 10));
		json_text(json, NULL, word);
		words += n + (words[n] == '|' ? 1 : 0);
	}
	json_close(json, ']');
}

/* A number, or a text of that form. */
static void put_number(struct json *json, const struct policy_key *key, const char *pattern)
{
	char text[256];

	put_types(json, "integer", "string");
	json_number(json, "minimum", 0);
	if (key->flags & KEY_UNLIMITED)
		str_format(text, sizeof(text), "(%s)|^unlimited$", pattern);
	else
		str_format(text, sizeof(text), "%s", pattern);
	json_text(json, "pattern", text);
	if (key->type == KEY_DURATION)
		json_number(json, "maximum", 0);
}

/* As put_number; a number with a fraction is one, too. */
static void put_decimal(struct json *json, const struct policy_key *key)
{
	put_types(json, "number", "string");
	json_number(json, "minimum", 0);
	json_text(json, "pattern",
		  key->flags & KEY_UNLIMITED ? "(^[0-9]+([.][0-9]{1,6})?$)|^unlimited$"
					     : "^[0-9]+([.][0-9]{1,6})?$");
}

/* What a key of any kind says beside its type. */
static void put_description(struct json *json, const struct policy_key *key)
{
	char later[128], text[512];

	keys_later_text(key, later, sizeof(later));
	str_format(text, sizeof(text), "%s%s%s%s", key->doc, later[0] != '\0' ? " (" : "", later,
		   later[0] != '\0' ? ")" : "");
	json_text(json, "description", text);
}

/* Below when_possible stand keys of the top. */
static bool stands_below(const struct policy_key *key, const char *path)
{
	return keys_is_child(key, path) ||
	       (str_equal(path, "when_possible") && (key->flags & KEY_WHEN_POSSIBLE) != 0);
}

static void put_children(struct json *json, const char *path)
{
	json_text(json, "type", "object");
	json_open(json, "properties", '{');
	for (size_t i = 0; i < policy_n_keys; i++) {
		const struct policy_key *key = &policy_keys[i];
		const char *dot = strrchr(key->path, '.');
		const char *name = dot != NULL ? dot + 1 : key->path;
		char append[64];

		if (!stands_below(key, path))
			continue;
		str_format(append, sizeof(append), "+%s", name);
		for (int k = 0; k < (key->type == KEY_LIST ? 2 : 1); k++) {
			json_open(json, k == 0 ? name : append, '{');
			put_description(json, key);
			put_value(json, key);
			json_close(json, '}');
		}
	}
	json_close(json, '}');
	json_truth(json, "additionalProperties", false);
}

/* The schema of what stands below path, "a[]" or "a.*". */
static void put_below(struct json *json, const char *name, const char *path, const char *end)
{
	char below[PATH_MAX_KEY];
	const struct policy_key *key;

	str_format(below, sizeof(below), "%s%s", path, end);
	key = keys_find(below);
	if (key == NULL)
		return;
	json_open(json, name, '{');
	put_description(json, key);
	put_value(json, key);
	json_close(json, '}');
}

/* No value passes the caller's variable on; nowhere else may a value be missing. */
static void put_text_type(struct json *json, const struct policy_key *key)
{
	json_open(json, "type", '[');
	json_text(json, NULL, "string");
	json_text(json, NULL, "number");
	json_text(json, NULL, "boolean");
	if (str_equal(key->path, "process.environment.*"))
		json_text(json, NULL, "null");
	json_close(json, ']');
}

static void put_text_or_map(struct json *json, const struct policy_key *key)
{
	json_open(json, "anyOf", '[');
	json_open(json, NULL, '{');
	if (key->words != NULL)
		put_words(json, key->words);
	else
		json_text(json, "type", "string");
	json_close(json, '}');
	json_open(json, NULL, '{');
	put_children(json, key->path);
	json_close(json, '}');
	json_close(json, ']');
}

/* The conditions of a system call: by argument, 0 to 5. */
static void put_any(struct json *json, const struct policy_key *key)
{
	const char *dot = strrchr(key->path, '.');

	if (dot == NULL || !str_equal(dot, ".args"))
		return;
	json_text(json, "type", "object");
	json_open(json, "patternProperties", '{');
	json_open(json, "^[0-5]$", '{');
	json_text(json, "type", "object");
	json_close(json, '}');
	json_close(json, '}');
	json_truth(json, "additionalProperties", false);
}

static void put_value(struct json *json, const struct policy_key *key)
{
	if (key->flags & KEY_LATER) {
		json_open(json, "not", '{'); /* whatever it is */
		json_close(json, '}');
		return;
	}
	switch (key->type) {
	case KEY_MAP:
		put_children(json, key->path);
		return;
	case KEY_FREE_MAP:
		json_text(json, "type", "object");
		put_below(json, "additionalProperties", key->path, ".*");
		return;
	case KEY_LIST:
		json_text(json, "type", "array");
		if (key->flags & KEY_ONLY_EMPTY)
			json_number(json, "maxItems", 0);
		put_below(json, "items", key->path, "[]");
		return;
	case KEY_TEXT_OR_MAP:
		put_text_or_map(json, key);
		return;
	case KEY_TEXT:
		put_text_type(json, key);
		return;
	case KEY_WORD:
		put_words(json, key->words);
		return;
	case KEY_NUMBER:
		put_number(json, key, "^[0-9]+$");
		return;
	case KEY_SIZE:
		put_number(json, key, size_pattern);
		return;
	case KEY_DURATION:
		put_number(json, key, duration_pattern);
		return;
	case KEY_DECIMAL:
		put_decimal(json, key);
		return;
	case KEY_RATE:
		put_number(json, key, rate_pattern);
		return;
	case KEY_BIT_RATE:
		put_number(json, key, bit_rate_pattern);
		return;
	case KEY_BOOL:
		put_words(json, "true|false");
		return;
	case KEY_MODE:
		put_number(json, key, "^[0-7]{3,4}$");
		return;
	case KEY_ANY:
		put_any(json, key);
		return;
	}
}

static void new_line(unsigned depth)
{
	printf("\n%*s", (int)(2 * depth), "");
}

/* A text with its quotes. Returns its last byte. */
static const char *print_string(const char *p)
{
	putchar(*p);
	for (p++; *p != '"'; p++) {
		putchar(*p);
		if (*p == '\\')
			putchar(*++p);
	}
	putchar(*p);
	return p;
}

/* A line for each member, so that differences can be read. */
static void print_indented(const char *text)
{
	unsigned depth = 0;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"') {
			p = print_string(p);
			continue;
		}
		if ((*p == '}' || *p == ']') && p[-1] != '{' && p[-1] != '[')
			new_line(--depth);
		putchar(*p);
		if (*p == ',')
			new_line(depth);
		else if (*p == ':')
			putchar(' ');
		else if ((*p == '{' || *p == '[') && p[1] != '}' && p[1] != ']')
			new_line(++depth);
	}
	putchar('\n');
}

int documents_schema(void)
{
	char *buf = malloc(SCHEMA_MAX);
	struct json json;
	ssize_t len;

	if (buf == NULL)
		return 1;
	json_init(&json, buf, SCHEMA_MAX);
	json_open(&json, NULL, '{');
	json_text(&json, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_text(&json, "$id", "cordon.profile/1");
	json_text(&json, "title", "A policy profile of cordon");
	json_text(&json, "description",
		  "Made by `make docs` from policy/keys.c. `cordon profile check` says more.");
	put_children(&json, "");
	json_open(&json, "required", '[');
	json_text(&json, NULL, "cordon");
	json_close(&json, ']');
	json_close(&json, '}');
	len = json_finish(&json);
	if (len >= 0)
		print_indented(buf);
	free(buf);
	return len >= 0 ? 0 : 1;
}
