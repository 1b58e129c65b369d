/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks for a text in the memory and the environment of a process, from outside and with the rights
 * of whoever runs it.
 *
 *	reader PID TEXT
 *
 * Exits 0 where it is there, 42 where it is not, 3 where the memory could not be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ABSENT = 42, EXIT_UNREADABLE = 3 };

static bool range_has(int mem, unsigned long from, unsigned long to, const char *text)
{
	size_t size = to - from;
	char *copy = malloc(size);
	ssize_t n = copy != NULL ? pread(mem, copy, size, (off_t)from) : -1;
	bool found = n > 0 && memmem(copy, (size_t)n, text, strlen(text)) != NULL;

	free(copy);
	return found;
}

int main(int argc, char **argv)
{
	char path[64], line[512];
	bool found = false;
	int ranges = 0;
	FILE *maps;
	int mem;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "re");
	if (mem < 0 || maps == NULL)
		return EXIT_UNREADABLE;
	while (fgets(line, sizeof(line), maps) != NULL) {
		char *end;
		unsigned long from = strtoul(line, &end, 16), to = strtoul(end + 1, &end, 16);

		if (end[1] != 'r' || to <= from)
			continue;
		ranges++;
		found = found || range_has(mem, from, to, argv[2]);
	}
	if (ranges == 0)
		return EXIT_UNREADABLE;
	return found ? 0 : EXIT_ABSENT;
}
