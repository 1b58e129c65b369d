/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A strict reader of JSON (RFC 8259); see json_doc.h.
 *
 * Of what the grammar leaves open, the reading that two programs could differ in is refused: a key
 * said twice, bytes that are no UTF-8, half a surrogate pair, NUL in a string, anything behind the
 * value. Depth, values and keys are bounded before the tree can grow. It gives the tree of a
 * profile, each node with its line and column, so that mistakes are shown as those of a profile
 * are; why json-c is not used: docs/decisions/012-docker-seccomp.md.
 *
 * Runs in the process that reads the policy, on bytes that may be hostile;
 * tests/fuzz/fuzz_docker.c feeds it.
 */
#include "policy/json_doc.h"

#include <string.h>

#include "base/str.h"

struct reader {
	struct policy_ctx *ctx;
	const struct policy_source *source;
	const char *at;
	const char *end;
	/* Line and column of `mark`, which follows `at`: each byte is counted once. */
	const char *mark;
	uint32_t line;
	uint32_t column;
	unsigned n_nodes;
};

static struct policy_place here(struct reader *reader)
{
	for (; reader->mark < reader->at; reader->mark++) {
		if (*reader->mark == '\n') {
			reader->line++;
			reader->column = 1;
		} else if (((unsigned char)*reader->mark & 0xc0) != 0x80) {
			reader->column++; /* characters, not bytes */
		}
	}
	return (struct policy_place){.source = reader->source,
				     .line = reader->line,
				     .column = reader->column};
}

static void *refuse(struct reader *reader, const char *text)
{
	ctx_report(reader->ctx, here(reader), "json-syntax", "not valid JSON: %s", text);
	return NULL;
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && *reader->at != '\0' &&
	       strchr(" \t\n\r", *reader->at) != NULL)
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

/* ---- strings ---- */

/* Four hex digits at text; -1 where there are none. The caller has seen that they can be read. */
static int32_t hex4(const char *text)
{
	int32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = text[i];
		int digit;

		if (c >= '0' && c <= '9')
			digit = c - '0';
		else if (c >= 'a' && c <= 'f')
			digit = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = c - 'A' + 10;
		else
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* "uXXXX" at `at`, or two of them for a surrogate pair. Returns the bytes put out; 0: refused. */
static size_t read_unicode(struct reader *reader, char *out)
{
	const char *at = reader->at;
	int32_t c = reader->end - at >= 5 ? hex4(at + 1) : -1;
	int32_t low;

	if (c <= 0 || (c >= 0xdc00 && c <= 0xdfff))
		return 0; /* NUL cannot be kept, and half a pair is no character */
	reader->at += 5;
	if (c < 0xd800 || c > 0xdfff)
		return put_utf8(out, (uint32_t)c);
	at = reader->at;
	if (reader->end - at < 6 || at[0] != '\\' || at[1] != 'u')
		return 0;
	low = hex4(at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	reader->at += 6;
	return put_utf8(out, 0x10000U + ((uint32_t)(c - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
}

/* What stands behind a backslash. Returns the bytes put out; 0: refused. */
static size_t read_escape(struct reader *reader, char *out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (reader->at == reader->end || *reader->at == '\0')
		return 0;
	if (*reader->at == 'u')
		return read_unicode(reader, out);
	name = strchr(names, *reader->at);
	if (name == NULL)
		return 0;
	reader->at++;
	*out = values[name - names];
	return 1;
}

/* The string that begins here, without its quotes; NULL: refused. */
static const char *read_string(struct reader *reader)
{
	const char *quote = reader->at + 1;
	char *text;
	size_t n = 0, added;

	if (!take(reader, '"'))
		return refuse(reader, "a string in double quotes is wanted");
	while (quote < reader->end && *quote != '"')
		quote += *quote == '\\' ? 2 : 1;
	if (quote >= reader->end)
		return refuse(reader, "a string without its end");
	/* No escape is shorter than what it stands for. */
	text = ctx_array(reader->ctx, (size_t)(quote - reader->at) + 1, 1);
	if (text == NULL)
		return NULL;
	while (*reader->at != '"') {
		if ((unsigned char)*reader->at < 0x20)
			return refuse(reader, "a control character in a string");
		if (*reader->at != '\\') {
			text[n++] = *reader->at++;
			continue;
		}
		reader->at++;
		added = read_escape(reader, text + n);
		if (added == 0)
			return refuse(reader, "an escape that means nothing");
		n += added;
	}
	reader->at++;
	return text;
}

/* ---- other scalars ---- */

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *text)
{
	size_t n;

	text += *text == '-' ? 1 : 0;
	n = digits(text);
	if (n == 0 || (text[0] == '0' && n > 1))
		return false;
	text += n;
	if (*text == '.') {
		n = digits(text + 1);
		if (n == 0)
			return false;
		text += n + 1;
	}
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-' ? 1 : 0;
		n = digits(text);
		if (n == 0)
			return false;
		text += n;
	}
	return *text == '\0';
}

static struct policy_node *read_word(struct reader *reader)
{
	static const char ends[] = " \t\n\r,:[]{}\"";
	struct policy_node *node = doc_node(reader->ctx, NODE_SCALAR, here(reader));
	const char *start = reader->at;
	const char *text;

	while (reader->at < reader->end && strchr(ends, *reader->at) == NULL)
		reader->at++;
	text = ctx_copy(reader->ctx, start, (size_t)(reader->at - start));
	if (node == NULL)
		return NULL;
	node->text = text;
	if (str_equal(text, "true") || str_equal(text, "false") || str_equal(text, "null") ||
	    is_number(text))
		return node;
	reader->at = start;
	return refuse(reader, "a value is wanted");
}

/* ---- values ---- */

static struct policy_node *read_value(struct reader *reader, unsigned depth);

/* One `"key": value`. False: refused. */
static bool read_entry(struct reader *reader, struct policy_node *object, struct policy_node ***end,
		       unsigned depth)
{
	struct policy_place place = here(reader);
	const char *key = read_string(reader);
	struct policy_node *value;

	if (key == NULL)
		return false;
	if (doc_get(object, key) != NULL) {
		ctx_report(reader->ctx, place, "duplicate-key", "'%s' is said twice", key);
		return false;
	}
	skip_space(reader);
	if (!take(reader, ':')) {
		refuse(reader, "':' is wanted behind a key");
		return false;
	}
	value = read_value(reader, depth);
	if (value == NULL)
		return false;
	if (value->kind == NODE_SCALAR && !value->is_quoted && str_equal(value->text, "null"))
		return true;
	value->key = key;
	value->key_place = place;
	**end = value;
	*end = &value->next;
	return true;
}

static bool read_item(struct reader *reader, struct policy_node ***end, unsigned depth)
{
	struct policy_node *value = read_value(reader, depth);

	if (value == NULL)
		return false;
	**end = value;
	*end = &value->next;
	return true;
}

static struct policy_node *read_collection(struct reader *reader, char close, unsigned depth)
{
	bool is_object = close == '}';
	struct policy_node *node =
		doc_node(reader->ctx, is_object ? NODE_MAPPING : NODE_SEQUENCE, here(reader));
	struct policy_node **end = node != NULL ? &node->children : NULL;
	unsigned n = 0;

	if (node == NULL)
		return NULL;
	if (depth == JSON_MAX_DEPTH)
		return refuse(reader, "nested too deeply");
	reader->at++;
	skip_space(reader);
	if (take(reader, close))
		return node;
	do {
		/* Each key is looked for among those before it. */
		if (is_object && n++ == JSON_MAX_KEYS)
			return refuse(reader, "too many keys");
		skip_space(reader);
		if (is_object ? !read_entry(reader, node, &end, depth + 1)
			      : !read_item(reader, &end, depth + 1))
			return NULL;
		skip_space(reader);
	} while (take(reader, ','));
	if (take(reader, close))
		return node;
	return refuse(reader, is_object ? "',' or '}' is wanted" : "',' or ']' is wanted");
}

static struct policy_node *read_value(struct reader *reader, unsigned depth)
{
	struct policy_node *node;

	skip_space(reader);
	if (reader->at == reader->end)
		return refuse(reader, "it ends too early");
	if (++reader->n_nodes > JSON_MAX_NODES)
		return refuse(reader, "too many values");
	if (*reader->at == '{' || *reader->at == '[')
		return read_collection(reader, *reader->at == '{' ? '}' : ']', depth);
	if (*reader->at != '"')
		return read_word(reader);
	node = doc_node(reader->ctx, NODE_SCALAR, here(reader));
	if (node == NULL)
		return NULL;
	node->is_quoted = true;
	node->text = read_string(reader);
	return node->text != NULL ? node : NULL;
}

static bool is_utf8(struct reader *reader)
{
	while (reader->at < reader->end) {
		size_t n = str_utf8_length(reader->at, (size_t)(reader->end - reader->at));

		if (n == 0 || *reader->at == '\0') {
			refuse(reader, n == 0 ? "not UTF-8" : "a NUL byte");
			return false;
		}
		reader->at += n;
	}
	reader->at = reader->mark = reader->source->text;
	reader->line = reader->column = 1;
	return true;
}

struct policy_node *json_doc_parse(struct policy_ctx *ctx, const struct policy_source *source)
{
	struct reader reader = {.ctx = ctx,
				.source = source,
				.at = source->text,
				.end = source->text + source->len,
				.mark = source->text,
				.line = 1,
				.column = 1};
	struct policy_node *root;

	if (!is_utf8(&reader))
		return NULL;
	root = read_value(&reader, 0);
	if (root == NULL)
		return NULL;
	skip_space(&reader);
	return reader.at == reader.end ? root : refuse(&reader, "something behind the value");
}
