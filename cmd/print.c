/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordon's own words; see print.h. Writes whole lines, so that lines of several sandboxes do not
 * mix. */
#include "cmd/print.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "policy/problems.h"

enum { LINE_MAX_BYTES = 4096 };

static void write_text(int fd, const char *text, size_t len)
{
	ignore_result(io_write_all(fd, text, len), "nobody left to tell");
}

/* What comes from files and arguments is made harmless, newlines too: the last one alone is ours.
 */
void print_note(const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	size_t len = str_format(text, sizeof(text) - 1, "cordon: ");
	va_list ap;

	va_start(ap, fmt);
	len += str_vformat(text + len, sizeof(text) - 1 - len, fmt, ap);
	va_end(ap);
	len = str_make_harmless(text, len);
	text[len++] = '\n';
	write_text(STDERR_FILENO, text, len);
}

/* As print_note; ours are the newlines at fmt's ends, and also those within where nothing is filled
 * in. */
void print_out(const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	size_t n_first = strspn(fmt, "\n");
	size_t fmt_len = strlen(fmt);
	size_t n_last = 0;
	size_t len;
	va_list ap;

	if (strchr(fmt, '%') == NULL) {
		write_text(STDOUT_FILENO, fmt, fmt_len);
		return;
	}
	while (fmt[fmt_len - n_last - 1] == '\n')
		n_last++;
	va_start(ap, fmt);
	len = str_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = n_first + str_make_harmless(text + n_first, len - n_first - n_last);
	memset(text + len, '\n', n_last);
	write_text(STDOUT_FILENO, text, len + n_last);
}

void print_command(int fd, const char *command)
{
	enum { COLUMNS = 80, INDENT = 4, TAIL = 2 }; /* TAIL: a blank and the backslash */
	char line[LINE_MAX_BYTES];

	while (command[0] != '\0') {
		size_t len = strlen(command), n = len;

		if (len > COLUMNS - INDENT) {
			n = COLUMNS - INDENT - TAIL;
			while (n > 0 && command[n] != ' ')
				n--;
			/* A word that is wider than a line has one for itself. */
			if (n == 0)
				n = strcspn(command, " ");
		}
		str_format(line, sizeof(line), "    %.*s", (int)n, command);
		str_make_harmless(line, strlen(line));
		write_text(fd, line, strlen(line));
		command += n + strspn(command + n, " ");
		write_text(fd, command[0] != '\0' ? " \\\n" : "\n", command[0] != '\0' ? 3 : 1);
	}
}

void print_lines(const char *text)
{
	write_text(STDOUT_FILENO, text, strlen(text));
}

void print_err(const struct err *err)
{
	if (err->step[0] != '\0')
		print_note("step %s: %s", err->step, err->text);
	else
		print_note("%s", err->text);
	if (err->hint[0] != '\0')
		print_note("  hint: %s", err->hint);
}

const char *print_origin(struct spec_origin origin, char *buf, size_t size)
{
	if (origin.file == NULL || origin.file[0] == '\0')
		str_format(buf, size, "built in");
	else if (origin.line == 0)
		str_format(buf, size, "%s", origin.file);
	else
		str_format(buf, size, "%s:%u", origin.file, origin.line);
	return buf;
}

void print_warnings(const struct spec_provenance *provenance)
{
	char origin[512];

	for (size_t i = 0; i < provenance->n_warnings; i++)
		print_note("%s: warning: %s",
			   print_origin(provenance->warnings[i].origin, origin, sizeof(origin)),
			   provenance->warnings[i].text);
}

/* Harmless already; see problems.c. What was too long has lost its end. */
static void put_problem(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	write_text(STDERR_FILENO, text, len);
	if (len > 0 && text[len - 1] != '\n')
		write_text(STDERR_FILENO, "\n", 1);
}

/* One remedy for several misses is said once, behind the last of them. */
static bool is_said_later(const struct misses *misses, size_t i)
{
	for (size_t k = i + 1; k < misses->n; k++)
		if (str_equal(misses->list[k].hint, misses->list[i].hint) &&
		    str_equal(misses->list[k].command, misses->list[i].command))
			return true;
	return false;
}

static void put_remedy(const struct miss *miss)
{
	print_note("  hint: %s", miss->hint);
	print_command(STDERR_FILENO, miss->command);
}

static void print_misses(const struct misses *misses)
{
	for (size_t i = 0; i < misses->n; i++) {
		const struct miss *miss = &misses->list[i];
		char origin[512];

		if (miss->origin.file != NULL && miss->origin.file[0] != '\0')
			print_note("%s (asked for by %s)", miss->text,
				   print_origin(miss->origin, origin, sizeof(origin)));
		else
			print_note("%s", miss->text);
		if (miss->hint[0] != '\0' && !is_said_later(misses, i))
			put_remedy(miss);
	}
	if (misses->n_dropped > 0)
		print_note("and %zu more", misses->n_dropped);
}

void print_refusal(const struct policy_problems *problems, const struct misses *misses,
		   const struct err *err)
{
	if (problems->n > 0)
		problems_render_all(problems, put_problem, NULL);
	else if (misses->n > 0)
		print_misses(misses);
	else
		print_err(err);
}
