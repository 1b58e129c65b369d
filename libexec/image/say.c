/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordon-image's own lines on stderr; see importer.h. Values may be anything: none of them drives
 * the terminal. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "libexec/image/importer.h"

enum { LINE_SIZE = 4096, PROGRESS_MS = 200 };

void say_note(const char *fmt, ...)
{
	char line[LINE_SIZE] = "cordon: ";
	size_t head = strlen(line), len;
	va_list ap;

	va_start(ap, fmt);
	len = head + str_vformat(line + head, sizeof(line) - head - 1, fmt, ap);
	va_end(ap);
	len = str_make_harmless(line, len);
	line[len++] = '\n';
	ignore_result(write(STDERR_FILENO, line, len) < 0, "there is nobody else to tell");
}

void say_err(const struct err *err)
{
	say_note("%s", err->text);
	if (err->hint[0] != '\0')
		say_note("  hint: %s", err->hint);
}

void say_size(uint64_t bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;
	uint64_t tenths = bytes * 10;

	while (tenths >= 10240 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		tenths /= 1024;
		unit++;
	}
	if (unit == 0)
		str_format(buf, size, "%llu B", (unsigned long long)bytes);
	else
		str_format(buf, size, "%llu.%llu %s", (unsigned long long)(tenths / 10),
			   (unsigned long long)(tenths % 10), units[unit]);
}

/* One line that is written over itself; nothing where stderr is no terminal. */
void say_progress(const struct importer *im, uint64_t n_bytes, bool is_last)
{
	char size[32], line[256];
	size_t len;

	if (!im->shows_progress)
		return;
	say_size(n_bytes, size, sizeof(size));
	len = str_format(line, sizeof(line), "cordon: %s: %s", im->what, size);
	len = str_make_harmless(line, len);
	fprintf(stderr, "\r%.*s\033[K%s", (int)len, line, is_last ? "\r\033[K" : "");
}
