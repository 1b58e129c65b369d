/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mistakes as text; see problems.h. */
#include "policy/problems.h"

#include <string.h>

#include "base/str.h"

enum { PROBLEM_TEXT_MAX = 16384, LINE_SHOWN_MAX = 160 };

struct rendering {
	char *buf;
	size_t size;
	size_t len;
};

static void put(struct rendering *out, const char *fmt, ...) printf_like(2, 3);

static void put(struct rendering *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	out->len += str_vformat(out->buf + out->len, out->size - out->len, fmt, ap);
	va_end(ap);
}

/* Bytes of a file may be anything; what reaches a terminal may not drive it. */
static void put_line(struct rendering *out, const char *line, size_t len)
{
	put(out, "    ");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		put(out, "%c", (c < 0x20 && c != '\t') || c == 0x7f ? '?' : line[i]);
	}
	put(out, "\n");
}

/* Spaces up to the column, which counts characters, with the line's own tabs kept. */
static void put_caret(struct rendering *out, const char *line, size_t len, uint32_t column)
{
	uint32_t at = 1;

	put(out, "    ");
	for (size_t i = 0; i < len && at < column; i++) {
		bool is_inside_character = ((unsigned char)line[i] & 0xc0) == 0x80;

		if (is_inside_character)
			continue;
		put(out, "%c", line[i] == '\t' ? '\t' : ' ');
		at++;
	}
	put(out, "^\n");
}

size_t problems_render(const struct policy_problem *problem, char *buf, size_t size)
{
	const struct spec_origin *origin = &problem->origin;
	struct rendering out = {.buf = buf, .size = size};
	size_t shown = strlen(problem->line_text);

	if (size == 0)
		return 0;
	buf[0] = '\0';
	put(&out, "%s:", origin->file);
	if (origin->line > 0)
		put(&out, "%u:%u:", origin->line, origin->column);
	put(&out, " error: %s [%s]\n", problem->text, problem->rule);
	if (shown > 0) {
		if (shown > LINE_SHOWN_MAX)
			shown = LINE_SHOWN_MAX;
		put_line(&out, problem->line_text, shown);
		if (origin->column > 0 && origin->column <= shown + 1)
			put_caret(&out, problem->line_text, shown, origin->column);
	}
	if (problem->expected[0] != '\0')
		put(&out, "    expected: %s\n", problem->expected);
	if (problem->hint[0] != '\0')
		put(&out, "    hint: %s\n", problem->hint);
	return out.len;
}

void problems_render_all(const struct policy_problems *problems,
			 void (*put_text)(void *ctx, const char *text, size_t len), void *ctx)
{
	char text[PROBLEM_TEXT_MAX];

	for (size_t i = 0; i < problems->n; i++)
		put_text(ctx, text, problems_render(&problems->list[i], text, sizeof(text)));
	if (problems->n_dropped > 0)
		put_text(ctx, text,
			 str_format(text, sizeof(text), "and %zu more\n", problems->n_dropped));
}
