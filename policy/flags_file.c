/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * --env-file and --label-file: Docker's files of names and values. A line is NAME=VALUE, where the
 * value is all that follows, quotes and blanks included; or NAME. Blanks before a line, empty lines
 * and those that begin with '#' mean nothing. Pure; the bytes may be anybody's.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "policy/flags.h"
#include "policy/paths.h"

enum { LINES_MAX = 4096 };

static bool load(struct policy_ctx *ctx, const struct policy_source *flag, const char *path,
		 struct policy_source *ret_file)
{
	const struct policy_host *host = ctx->host;
	struct policy_text text = {.text = NULL};
	struct err err = {0};

	if (path[0] == '\0' || (path[0] != '/' && flag->dir[0] != '/')) {
		flags_refuse(ctx, flag, "'%s' is not a path that can be resolved", path);
		return false;
	}
	if (host->read_file == NULL)
		err_set(&err, ERR_POLICY, ENOSYS, "%s", path);
	else
		ignore_result(host->read_file(host->ctx, ctx->arena,
					      paths_absolute(ctx, flag->dir, path), &text, &err),
			      "text stays NULL");
	if (text.text == NULL) {
		flags_refuse(ctx, flag, "%s", err.text)->hint =
			ctx_copy(ctx, err.hint, strlen(err.hint));
		return false;
	}
	*ret_file = (struct policy_source){.path = ctx_copy(ctx, path, strlen(path)),
					   .dir = "",
					   .text = text.text,
					   .len = text.len,
					   .rank = flag->rank,
					   .digest = ""};
	return true;
}

/* Whether the bytes are text: UTF-8 without NUL. */
static bool is_text(const char *text, size_t len)
{
	while (len > 0) {
		size_t n = str_utf8_length(text, len);

		if (n == 0 || *text == '\0')
			return false;
		text += n;
		len -= n;
	}
	return true;
}

/* One line, without its end, into the map. */
static void read_line(struct policy_ctx *ctx, struct policy_place place, const char *line,
		      size_t len, struct policy_node *map)
{
	const char *equals = memchr(line, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - line) : len;
	const char *name = ctx_copy(ctx, line, name_len);
	struct policy_node *node, *old;

	if (!is_text(line, len)) {
		ctx_report(ctx, place, "bad-line", "this line is not text in UTF-8");
		return;
	}
	if (name_len == 0 || strpbrk(name, " \t\v\f\r") != NULL) {
		ctx_report(ctx, place, "bad-line",
			   name_len == 0 ? "a line without a name" : "a name with blanks in it")
			->expected = "A line is NAME=VALUE or NAME, without blanks around '='.";
		return;
	}
	node = doc_scalar(ctx, name,
			  equals != NULL ? ctx_copy(ctx, equals + 1, len - name_len - 1) : "",
			  place);
	if (node == NULL)
		return;
	node->key_place = place;
	node->is_quoted = equals != NULL;
	/* As in Docker the last one counts. */
	old = doc_get(map, name);
	if (old == NULL) {
		doc_add(map, node);
		return;
	}
	node->next = old->next;
	*old = *node;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The file as a map of names; NULL: reported. */
static struct policy_node *read_map(struct policy_ctx *ctx, const struct policy_source *flag,
				    const char *path)
{
	struct policy_source *file = ctx_array(ctx, 1, sizeof(*file));
	struct policy_node *map = doc_node(ctx, NODE_MAPPING, flags_place(flag));
	const char *line, *end, *next;
	uint32_t number = 0, n_said = 0;

	if (file == NULL || map == NULL || !load(ctx, flag, path, file))
		return NULL;
	end = file->text + file->len;
	line = file->text;
	if (file->len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3;
	for (; line < end; line = next) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *last = newline != NULL ? newline : end;
		const char *first = line;

		next = newline != NULL ? newline + 1 : end;
		number++;
		if (last > first && last[-1] == '\r')
			last--;
		while (first < last && is_blank(*first))
			first++;
		if (first == last || *first == '#')
			continue;
		if (n_said++ == LINES_MAX) {
			flags_refuse(ctx, flag, "%s has more than %d names", path, LINES_MAX);
			return NULL;
		}
		read_line(ctx,
			  (struct policy_place){.source = file,
						.line = number,
						.column = (uint32_t)(first - line) + 1},
			  first, (size_t)(last - first), map);
	}
	return map;
}

struct policy_node *flags_env_file(struct policy_ctx *ctx, struct policy_source *source,
				   const char *text)
{
	return flags_nest(ctx, "process.environment", read_map(ctx, source, text));
}

struct policy_node *flags_label_file(struct policy_ctx *ctx, struct policy_source *source,
				     const char *text)
{
	struct policy_node *map = read_map(ctx, source, text);

	/* A label without a value is an empty one. */
	for (struct policy_node *node = map != NULL ? map->children : NULL; node != NULL;
	     node = node->next)
		node->is_quoted = true;
	return flags_nest(ctx, "labels", map);
}
