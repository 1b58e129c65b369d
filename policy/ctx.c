/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory and mistakes of one reading; see ctx.h. Runs in the process that reads the policy. */
#include "policy/ctx.h"

#include <string.h>

#include "base/str.h"

void *ctx_array(struct policy_ctx *ctx, size_t n, size_t size)
{
	void *memory = arena_array(ctx->arena, n, size);

	if (memory == NULL)
		ctx->out_of_memory = true;
	return memory;
}

const char *ctx_copy(struct policy_ctx *ctx, const char *text, size_t len)
{
	const char *copy = arena_copy(ctx->arena, text, len);

	if (copy == NULL) {
		ctx->out_of_memory = true;
		return "";
	}
	return copy;
}

static const char *ctx_vformat(struct policy_ctx *ctx, const char *fmt, va_list ap)
{
	char text[8192];
	size_t len = str_vformat(text, sizeof(text), fmt, ap);

	return ctx_copy(ctx, text, len);
}

const char *ctx_format(struct policy_ctx *ctx, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = ctx_vformat(ctx, fmt, ap);
	va_end(ap);
	return text;
}

/* The line of the source that place lies in; a flag is its own line. */
static const char *line_text(struct policy_ctx *ctx, struct policy_place place)
{
	const char *start = place.source->text;
	const char *end = start + place.source->len;
	const char *newline;
	uint32_t line = 1;

	if (place.source->is_flag)
		return ctx_copy(ctx, start, place.source->len);
	for (; line < place.line; line++) {
		newline = memchr(start, '\n', (size_t)(end - start));
		if (newline == NULL)
			return "";
		start = newline + 1;
	}
	newline = memchr(start, '\n', (size_t)(end - start));
	if (newline != NULL)
		end = newline;
	if (end > start && end[-1] == '\r')
		end--;
	return ctx_copy(ctx, start, (size_t)(end - start));
}

struct policy_problem *ctx_report(struct policy_ctx *ctx, struct policy_place place,
				  const char *rule, const char *fmt, ...)
{
	struct policy_problems *problems = ctx->problems;
	struct policy_problem *problem = &ctx->dropped;
	va_list ap;

	if (problems->n < POLICY_PROBLEMS_MAX) {
		ctx->ranks[problems->n] = place.source->rank;
		problem = &problems->list[problems->n++];
	} else {
		problems->n_dropped++;
	}
	va_start(ap, fmt);
	*problem = (struct policy_problem){
		.origin = doc_origin(place),
		.text = ctx_vformat(ctx, fmt, ap),
		.expected = "",
		.hint = "",
		.line_text = line_text(ctx, place),
		.rule = rule,
	};
	va_end(ap);
	return problem;
}

void ctx_warn(struct policy_ctx *ctx, struct policy_place place, const char *fmt, ...)
{
	va_list ap;

	if (!ctx->request->wants_values || ctx->n_warnings == CTX_WARNINGS_MAX)
		return;
	if (ctx->warnings == NULL)
		ctx->warnings = ctx_array(ctx, CTX_WARNINGS_MAX, sizeof(*ctx->warnings));
	if (ctx->warnings == NULL)
		return;
	va_start(ap, fmt);
	ctx->warnings[ctx->n_warnings++] = (struct spec_warning){.origin = doc_origin(place),
								 .text = ctx_vformat(ctx, fmt, ap)};
	va_end(ap);
}

void ctx_suggest(struct policy_ctx *ctx, struct policy_problem *problem, const char *word,
		 const char *const *names, size_t n)
{
	const char *nearest = str_nearest(word, names, n);

	if (nearest != NULL)
		problem->hint = ctx_format(ctx, "did you mean '%s'?", nearest);
}

static bool stands_before(const struct policy_ctx *ctx, size_t a, size_t b)
{
	const struct policy_problem *list = ctx->problems->list;

	if (ctx->ranks[a] != ctx->ranks[b])
		return ctx->ranks[a] < ctx->ranks[b];
	if (list[a].origin.line != list[b].origin.line)
		return list[a].origin.line < list[b].origin.line;
	return list[a].origin.column < list[b].origin.column;
}

void ctx_sort_problems(struct policy_ctx *ctx)
{
	struct policy_problem *list = ctx->problems->list;

	/* Insertion keeps the order of equals; there are at most POLICY_PROBLEMS_MAX. */
	for (size_t i = 1; i < ctx->problems->n; i++) {
		for (size_t j = i; j > 0 && stands_before(ctx, j, j - 1); j--) {
			struct policy_problem problem = list[j];
			uint32_t rank = ctx->ranks[j];

			list[j] = list[j - 1];
			ctx->ranks[j] = ctx->ranks[j - 1];
			list[j - 1] = problem;
			ctx->ranks[j - 1] = rank;
		}
	}
}
