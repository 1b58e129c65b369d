/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See document.h. */
#include "cmd/document.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/print.h"

/* Address space: only what is written costs memory. */
enum { DOCUMENT_MAX = 32 << 20 };

int document_alloc(struct document *ret)
{
	void *buf = mmap(NULL, DOCUMENT_MAX, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (buf == MAP_FAILED) {
		print_note("no memory for a document");
		return -ENOMEM;
	}
	ret->buf = buf;
	json_init(&ret->json, ret->buf, DOCUMENT_MAX);
	return 0;
}

void document_free(struct document *document)
{
	munmap(document->buf, DOCUMENT_MAX);
}

int document_begin(struct document *ret, const char *schema)
{
	int r = document_alloc(ret);

	if (r < 0)
		return r;
	json_open(&ret->json, NULL, '{');
	json_text(&ret->json, "schema", schema);
	return 0;
}

int document_end(struct document *document, int exit_code)
{
	ssize_t len;

	json_close(&document->json, '}');
	len = json_finish(&document->json);
	if (len < 0) {
		print_note("the document is larger than %d bytes", DOCUMENT_MAX);
		exit_code = EXIT_CORDON;
	} else {
		document->buf[len] = '\n';
		if (io_write_all(STDOUT_FILENO, document->buf, (size_t)len + 1) < 0)
			exit_code = EXIT_CORDON;
	}
	document_free(document);
	return exit_code;
}

void document_origin(struct json *json, struct spec_origin origin)
{
	bool has_file = origin.file != NULL && origin.file[0] != '\0';

	json_text(json, "file", has_file ? origin.file : NULL);
	if (has_file && origin.line > 0)
		json_number(json, "line", origin.line);
	else
		json_null(json, "line");
}

/* Texts that are "" where there is none. */
static void put_text(struct json *json, const char *name, const char *text)
{
	json_text(json, name, text != NULL && text[0] != '\0' ? text : NULL);
}

static void put_problem(struct json *json, const struct policy_problem *problem)
{
	json_open(json, NULL, '{');
	document_origin(json, problem->origin);
	if (problem->origin.line > 0 || problem->origin.column > 0)
		json_number(json, "column", problem->origin.column);
	else
		json_null(json, "column");
	json_text(json, "rule", problem->rule);
	json_text(json, "text", problem->text);
	put_text(json, "expected", problem->expected);
	put_text(json, "hint", problem->hint);
	json_close(json, '}');
}

static void put_missing(struct json *json, const struct misses *misses)
{
	json_open(json, "missing", '[');
	for (size_t i = 0; i < misses->n; i++) {
		const struct miss *miss = &misses->list[i];

		json_open(json, NULL, '{');
		put_text(json, "key", miss->key);
		document_origin(json, miss->origin);
		json_text(json, "text", miss->text);
		put_text(json, "hint", miss->hint);
		put_text(json, "command", miss->command);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void document_refusal(struct json *json, const struct verdict *verdict, const char *file)
{
	const struct policy_problems *problems = &verdict->problems;
	const struct err *err = &verdict->err;

	json_open(json, "problems", '[');
	for (size_t i = 0; i < problems->n; i++)
		put_problem(json, &problems->list[i]);
	if (problems->n == 0 && err->kind != ERR_NONE && verdict->misses.n == 0)
		put_problem(json, &(struct policy_problem){.origin = {.file = file},
							   .rule = "error",
							   .text = err->text,
							   .expected = "",
							   .hint = err->hint});
	json_close(json, ']');
	json_number(json, "problems_dropped", (int64_t)problems->n_dropped);
	put_missing(json, &verdict->misses);
}
