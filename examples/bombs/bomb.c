/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bombs: each takes all it can get of one thing, until it is refused or has reached a bound of
 * its own, and says how far it came. For a sandbox whose limits are to be seen at work; run without
 * one a bomb takes no more than its bound, and no longer than 20 seconds.
 *
 *	bomb list			the table: what each exhausts, and which limit stops it
 *	bomb [--wait] NAME [COUNT [DIR]]	set it off
 *
 * It says "N UNITS" or "N UNITS, then ERRNO" at standard error, and exits 0 or 42. With --wait it
 * says "ready" first and waits for a line of standard input, and for another one, or the end of
 * input, before it gives back what it took: time to read limits, and to look at the host meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/bombs/bombs.h"

enum { EXIT_STOPPED = 42, EXIT_USAGE = 2 };

static const struct bomb *const rooms[] = {
	bombs_of_tasks,
	bombs_of_memory,
	bombs_of_files,
	bombs_of_kernel,
};

static const struct bomb *find(const char *name)
{
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		for (const struct bomb *bomb = rooms[i]; bomb->name != NULL; bomb++)
			if (strcmp(bomb->name, name) == 0)
				return bomb;
	return NULL;
}

static int list(void)
{
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		for (const struct bomb *bomb = rooms[i]; bomb->name != NULL; bomb++)
			printf("%-10s %6lu %-9s %s; stopped by %s\n", bomb->name, bomb->count,
			       bomb->unit, bomb->exhausts, bomb->stopped_by);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: bomb list | bomb [--wait] NAME [COUNT [DIR]]\n");
	return EXIT_USAGE;
}

/* A line of standard input, or its end. Byte by byte: what follows is the next one's. */
static void wait_for_line(void)
{
	char byte = '\0';

	while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
		;
}

static int set_off(const struct bomb *bomb, struct charge *charge, bool waits)
{
	const char *name = NULL;
	int error;

	if (waits) {
		/* The test may take its time before, not after. */
		fprintf(stderr, "ready\n");
		wait_for_line();
	}
	alarm(BOMB_SECONDS);
	/* A file that may not grow is told by EFBIG as well: setrlimit(2). */
	signal(SIGXFSZ, SIG_IGN);
	error = bomb->run(charge);
	if (error != 0)
		name = strerrorname_np(error);
	fprintf(stderr, "%lu %s%s%s\n", charge->done, bomb->unit, error != 0 ? ", then " : "",
		error == 0     ? ""
		: name == NULL ? "an unknown error"
			       : name);
	if (waits) {
		alarm(BOMB_HOLD_SECONDS);
		wait_for_line();
	}
	if (bomb->give_back != NULL)
		bomb->give_back(charge);
	return error != 0 ? EXIT_STOPPED : 0;
}

int main(int argc, char **argv)
{
	struct charge charge = {0};
	const struct bomb *bomb;
	bool waits = argc > 1 && strcmp(argv[1], "--wait") == 0;
	char **args = argv + 1 + waits;
	int n = argc - 1 - waits;
	char *end = NULL;

	if (n == 1 && strcmp(args[0], "list") == 0)
		return list();
	if (n < 1 || n > 3)
		return usage();
	bomb = find(args[0]);
	if (bomb == NULL) {
		fprintf(stderr, "bomb: none is called '%s': see bomb list\n", args[0]);
		return EXIT_USAGE;
	}
	charge.count = n > 1 ? strtoul(args[1], &end, 10) : bomb->count;
	charge.dir = n > 2 ? args[2] : bomb->dir;
	if ((n > 1 && (end == args[1] || *end != '\0')) || charge.count > bomb->most) {
		fprintf(stderr, "bomb: %s takes a number up to %lu\n", bomb->name, bomb->most);
		return EXIT_USAGE;
	}
	return set_off(bomb, &charge, waits);
}
