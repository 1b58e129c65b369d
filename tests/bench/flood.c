/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * flood MIB [SECONDS]: writes so much to stdout, in lines of 100 bytes, 4 KiB at once as stdio
 * does, and then, in a line of its own, how many microseconds that took. Waits so long before it
 * ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 100, AT_ONCE = 4096, MIB = 1 << 20 };

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int write_all(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	size_t left = argc > 1 ? strtoul(argv[1], NULL, 10) * MIB : 0;
	unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	static char lines[AT_ONCE * LINE];
	double start = now_us();
	char text[64];
	size_t at = 0;

	memset(lines, 'x', sizeof(lines));
	for (size_t i = LINE - 1; i < sizeof(lines); i += LINE)
		lines[i] = '\n';
	for (; left >= AT_ONCE; left -= AT_ONCE, at = (at + AT_ONCE) % sizeof(lines))
		if (write_all(lines + at, AT_ONCE) < 0)
			return 1;
	snprintf(text, sizeof(text), "\n%.0f\n", now_us() - start);
	if (write_all(text, strlen(text)) < 0)
		return 1;
	return (int)sleep(seconds);
}
