/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * YAML by libyaml's event interface.
 *
 * A policy must mean the same to every reader, so the parts of YAML in which one text has several
 * readings, or in which a short text stands for a long one, are refused: anchors and aliases, tags,
 * merge keys, duplicate keys, keys that are not scalars, more than one document. Depth, length and
 * the number of values are bounded before libyaml or the tree can grow. A scalar is text; nothing
 * here turns `no` into a boolean or `1:30` into ninety.
 *
 * Runs in the caller's process with the caller's rights, on bytes that may be hostile (a profile
 * from elsewhere); tests/fuzz/fuzz_yaml.c feeds it.
 */
#include "policy/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/str.h"
#include "policy/ctx.h"

struct reader {
	struct policy_ctx *ctx;
	const struct policy_source *source;
	yaml_parser_t parser;
	unsigned n_nodes;
	bool has_failed; /* no further event can be had */
};

static void reader_release(struct reader *reader)
{
	yaml_parser_delete(&reader->parser);
}

static void event_release(yaml_event_t *event)
{
	yaml_event_delete(event);
}

#define _cleanup_reader_ __attribute__((cleanup(reader_release)))
#define _cleanup_event_  __attribute__((cleanup(event_release)))

static struct policy_place place_at(const struct policy_source *source, size_t line, size_t column)
{
	/* The end of a flag is to libyaml the beginning of a next line. */
	if (source->is_flag && line > 0)
		return (struct policy_place){.source = source,
					     .line = 1,
					     .column = (uint32_t)source->len + 1};
	return (struct policy_place){
		.source = source,
		.line = (uint32_t)line + 1,
		.column = (uint32_t)column + 1 + (line == 0 ? source->column_base : 0),
	};
}

static struct policy_place event_place(const struct reader *reader, const yaml_event_t *event)
{
	return place_at(reader->source, event->start_mark.line, event->start_mark.column);
}

static const char quote_star[] = "What begins with * stands in quotes: \"*.example.org:443\".";

static bool next_event(struct reader *reader, yaml_event_t *event)
{
	const yaml_parser_t *parser = &reader->parser;
	struct policy_problem *problem;

	if (reader->has_failed)
		return false;
	if (yaml_parser_parse(&reader->parser, event))
		return true;
	reader->has_failed = true;
	memset(event, 0, sizeof(*event));
	if (parser->error == YAML_MEMORY_ERROR) {
		reader->ctx->out_of_memory = true;
		return false;
	}
	problem = ctx_report(reader->ctx,
			     place_at(reader->source, parser->problem_mark.line,
				      parser->problem_mark.column),
			     "yaml-syntax", "not valid YAML: %s", parser->problem);
	if (parser->problem_mark.index < reader->source->len &&
	    reader->source->text[parser->problem_mark.index] == '\t')
		problem->hint = "YAML is indented with spaces, never with tabs.";
	if (parser->context != NULL && strstr(parser->context, "an alias") != NULL)
		problem->hint = quote_star;
	return false;
}

static void stop_with(struct reader *reader, struct policy_place place, const char *rule,
		      const char *text)
{
	ctx_report(reader->ctx, place, rule, "%s", text);
	reader->has_failed = true;
}

static void stop_at_alias(struct reader *reader, struct policy_place place)
{
	ctx_report(reader->ctx, place, "yaml-anchor", "aliases (*name) are not accepted")->hint =
		quote_star;
	reader->has_failed = true;
}

static const char *event_anchor(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.anchor;
	default: /* libyaml's other events carry none */
		return NULL;
	}
}

static const char *event_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.tag;
	default: /* libyaml's other events carry none */
		return NULL;
	}
}

static void refuse_indirection(struct reader *reader, const yaml_event_t *event)
{
	struct policy_place place = event_place(reader, event);

	if (event_anchor(event) != NULL)
		ctx_report(reader->ctx, place, "yaml-anchor", "anchors (&%s) are not accepted",
			   event_anchor(event))
			->expected = "Each value is written where it is used.";
	if (event_tag(event) != NULL)
		ctx_report(reader->ctx, place, "yaml-tag", "tags (%s) are not accepted",
			   event_tag(event))
			->expected = "Every key has one type, which cordon knows.";
}

static struct policy_node *read_node(struct reader *reader, const yaml_event_t *event,
				     unsigned depth);

static struct policy_node *read_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct policy_node *node = doc_node(reader->ctx, NODE_SCALAR, event_place(reader, event));
	const char *text = (const char *)event->data.scalar.value;

	if (node == NULL)
		return NULL;
	node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	/* The escape "\0" is the one way for a NUL to get into a scalar. */
	if (memchr(text, '\0', event->data.scalar.length) != NULL) {
		ctx_report(reader->ctx, node->place, "yaml-nul", "a NUL byte inside a value");
		return node;
	}
	node->text = ctx_copy(reader->ctx, text, event->data.scalar.length);
	return node;
}

/* Reads the value that belongs to a key event and puts it into the mapping. */
static void read_entry(struct reader *reader, struct policy_node *mapping,
		       const yaml_event_t *key_event, unsigned depth)
{
	struct policy_place place = event_place(reader, key_event);
	_cleanup_event_ yaml_event_t value_event = {0};
	struct policy_node *key = read_node(reader, key_event, depth);
	struct policy_node *value;
	const char *name;

	if (!next_event(reader, &value_event))
		return;
	value = read_node(reader, &value_event, depth);
	if (key == NULL || value == NULL)
		return;
	if (key->kind != NODE_SCALAR) {
		ctx_report(reader->ctx, place, "yaml-key", "a key must be plain text");
		return;
	}
	name = key->text;
	if (str_equal(name, "<<")) {
		ctx_report(reader->ctx, place, "yaml-merge", "merge keys (<<) are not accepted")
			->expected = "Profiles inherit by 'extends'.";
		return;
	}
	value->appends = name[0] == '+' && name[1] != '\0';
	value->key = value->appends ? name + 1 : name;
	value->key_place = place;
	if (doc_get(mapping, value->key) != NULL)
		ctx_report(reader->ctx, place, "duplicate-key", "'%s' is said twice", value->key)
			->expected = ctx_format(reader->ctx, "It is first said in line %u.",
						doc_get(mapping, value->key)->key_place.line);
	else
		doc_add(mapping, value);
}

static struct policy_node *read_collection(struct reader *reader, const yaml_event_t *start,
					   unsigned depth)
{
	bool is_mapping = start->type == YAML_MAPPING_START_EVENT;
	struct policy_node *node = doc_node(reader->ctx, is_mapping ? NODE_MAPPING : NODE_SEQUENCE,
					    event_place(reader, start));

	if (depth >= YAML_MAX_DEPTH) {
		stop_with(reader, event_place(reader, start), "yaml-depth", "nested too deeply");
		return NULL;
	}
	while (node != NULL) {
		_cleanup_event_ yaml_event_t event = {0};

		if (!next_event(reader, &event))
			return NULL;
		if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT)
			break;
		if (is_mapping)
			read_entry(reader, node, &event, depth + 1);
		else
			doc_add(node, read_node(reader, &event, depth + 1));
	}
	return node;
}

static struct policy_node *read_node(struct reader *reader, const yaml_event_t *event,
				     unsigned depth)
{
	struct policy_place place = event_place(reader, event);

	/* Also bounds the search for duplicate keys, which is quadratic. */
	if (++reader->n_nodes > YAML_MAX_NODES) {
		stop_with(reader, place, "yaml-size", "too many values");
		return NULL;
	}
	refuse_indirection(reader, event);
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(reader, event);
	if (event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT)
		return read_collection(reader, event, depth);
	if (event->type == YAML_ALIAS_EVENT)
		stop_at_alias(reader, place);
	else
		stop_with(reader, place, "yaml-syntax", "not valid YAML here");
	return NULL;
}

static bool is_clean_text(struct policy_ctx *ctx, const struct policy_source *source,
			  const char *text, size_t len)
{
	size_t line = 0, column = 0;

	if (len > YAML_MAX_BYTES) {
		ctx_report(ctx, place_at(source, 0, 0), "yaml-size", "%zu bytes are too many", len)
			->expected = "A policy file has at most 256 KiB.";
		return false;
	}
	for (size_t i = 0; i < len;) {
		size_t n = str_utf8_length(text + i, len - i);

		if (n == 0 || text[i] == '\0') {
			ctx_report(ctx, place_at(source, line, column),
				   n == 0 ? "yaml-utf8" : "yaml-nul",
				   n == 0 ? "not valid UTF-8" : "a NUL byte");
			return false;
		}
		column++;
		if (text[i] == '\n') {
			line++;
			column = 0;
		}
		i += n;
	}
	return true;
}

/* Behind the first document only the end of the stream may follow. */
static void expect_end(struct reader *reader)
{
	_cleanup_event_ yaml_event_t document_end = {0};
	_cleanup_event_ yaml_event_t stream_end = {0};

	if (!next_event(reader, &document_end) || !next_event(reader, &stream_end))
		return;
	if (stream_end.type != YAML_STREAM_END_EVENT)
		stop_with(reader, event_place(reader, &stream_end), "yaml-documents",
			  "a second document in one file");
}

struct policy_node *yaml_parse(struct policy_ctx *ctx, const struct policy_source *source,
			       const char *text, size_t len)
{
	_cleanup_reader_ struct reader reader = {.ctx = ctx, .source = source};
	_cleanup_event_ yaml_event_t stream = {0};
	_cleanup_event_ yaml_event_t document = {0};
	_cleanup_event_ yaml_event_t first = {0};
	struct policy_node *root;

	if (!is_clean_text(ctx, source, text, len))
		return NULL;
	if (!yaml_parser_initialize(&reader.parser)) {
		ctx->out_of_memory = true;
		return NULL;
	}
	/* Without it a byte order mark could make the same bytes another text. */
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
	if (!next_event(&reader, &stream) || !next_event(&reader, &document))
		return NULL;
	if (document.type == YAML_STREAM_END_EVENT) {
		ctx_report(ctx, place_at(source, 0, 0), "yaml-empty", "there is nothing in it");
		return NULL;
	}
	if (!next_event(&reader, &first))
		return NULL;
	root = read_node(&reader, &first, 0);
	if (root != NULL)
		expect_end(&reader);
	return reader.has_failed ? NULL : root;
}
