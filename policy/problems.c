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

/* Text with values of the file in it, which may be any bytes: they may neither drive the terminal
 * nor look like lines of ours. */
static void put_value(struct rendering *out, const char *text)
{
	char *start = out->buf + out->len;
	size_t len = str_format(start, out->size - out->len, "%s", text);

	len = str_make_harmless(start, len);
	start[len] = '\0';
	out->len += len;
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

/* As much of a source line as is shown, whole characters, one for each of the line. */
static size_t shown_line(const char *text, char line[LINE_SHOWN_MAX + 1])
{
	size_t n = strlen(text);
	size_t len = 0;

	while (len < n) {
		size_t step = str_utf8_length(text + len, n - len);

		step = step > 0 ? step : 1;
		if (len + step > LINE_SHOWN_MAX)
			break;
		len += step;
	}
	memcpy(line, text, len);
	len = str_make_harmless(line, len);
	line[len] = '\0';
	return len;
}

static void put_remark(struct rendering *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	put(out, "    %s: ", name);
	put_value(out, text);
	put(out, "\n");
}

size_t problems_render(const struct policy_problem *problem, char *buf, size_t size)
{
	const struct spec_origin *origin = &problem->origin;
	struct rendering out = {.buf = buf, .size = size};
	char line[LINE_SHOWN_MAX + 1];
	size_t shown = shown_line(problem->line_text, line);

	if (size == 0)
		return 0;
	buf[0] = '\0';
	put_value(&out, origin->file);
	put(&out, ":");
	if (origin->line > 0)
		put(&out, "%u:%u:", origin->line, origin->column);
	put(&out, " error: ");
	put_value(&out, problem->text);
	put(&out, " [%s]\n", problem->rule);
	if (shown > 0) {
		put(&out, "    %s\n", line);
		if (origin->column > 0 && origin->column <= shown + 1)
			put_caret(&out, line, shown, origin->column);
	}
	put_remark(&out, "expected", problem->expected);
	put_remark(&out, "hint", problem->hint);
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
