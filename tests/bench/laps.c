/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * laps [--begun] ROUNDS TOOL/STEP=COMMAND...: in each round every tool's steps once, in their
 * order; the tools take turns, every other round in reverse, so that what the machine does
 * meanwhile meets them alike. A tool's steps stand together. A command is words with blanks between
 * them; its output is dropped. A step whose name begins with '-' is run and not listed. Prints for
 * each step, after some rounds that do not count, a line of tab-separated fields: tool, step,
 * median, minimum, in microseconds. Ends with 1 where a command fails. --begun: each command has
 * stamp.c run, and two more fields say how long it took until that began.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS_MAX = 64, WORDS_MAX = 160, WARM_UP = 2 };

struct step {
	const char *tool;
	const char *name;
	char *words[WORDS_MAX + 1];
	double *us;    /* of each round, to its end */
	double *begun; /* to the stamp */
};

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "laps: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double us_of(const struct timespec *ts)
{
	return (double)ts->tv_sec * 1e6 + (double)ts->tv_nsec / 1e3;
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return us_of(&ts);
}

/* All that comes is one stamp. */
static double read_stamp(int fd, const struct step *step)
{
	struct timespec stamp;
	char *to = (char *)&stamp;
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, to + n, sizeof(stamp) - n)) > 0 && n + (size_t)got < sizeof(stamp))
		n += (size_t)got;
	if (got <= 0) {
		fprintf(stderr, "laps: %s, %s: no stamp\n", step->tool, step->name);
		exit(1);
	}
	return us_of(&stamp);
}

static void take(const struct step *step, bool is_stamped, double *ret_end, double *ret_begun)
{
	posix_spawn_file_actions_t actions;
	int ends[2] = {-1, -1}, status;
	double start;
	pid_t pid;

	if (is_stamped && pipe2(ends, O_CLOEXEC) != 0)
		die("pipe");
	start = now_us();
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (is_stamped)
		posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	else
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, step->words[0], &actions, NULL, step->words, environ);
	if (errno != 0)
		die(step->words[0]);
	if (is_stamped) {
		close(ends[1]);
		*ret_begun = read_stamp(ends[0], step) - start;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "laps: %s, %s: ended with status %#x\n", step->tool, step->name,
			(unsigned)status);
		exit(1);
	}
	*ret_end = now_us() - start;
	if (is_stamped)
		close(ends[0]);
}

static struct step parse_step(char *text, size_t rounds)
{
	struct step step = {.tool = strsep(&text, "/")};
	size_t n = 0;
	char *word;

	step.name = strsep(&text, "=");
	while ((word = strsep(&text, " ")) != NULL && n < WORDS_MAX)
		if (*word != '\0')
			step.words[n++] = word;
	step.us = calloc(rounds, sizeof(*step.us));
	step.begun = calloc(rounds, sizeof(*step.begun));
	if (step.us == NULL || step.begun == NULL || n == 0)
		die("TOOL/STEP=COMMAND");
	return step;
}

/* The first step behind those of the tool at `at`. */
static size_t tool_end(const struct step *steps, size_t n, size_t at)
{
	const char *tool = steps[at].tool;

	while (at < n && strcmp(steps[at].tool, tool) == 0)
		at++;
	return at;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct step *step, size_t rounds, bool is_stamped)
{
	if (step->name[0] == '-')
		return;
	qsort(step->us, rounds, sizeof(*step->us), compare);
	qsort(step->begun, rounds, sizeof(*step->begun), compare);
	printf("%s\t%s\t%.0f\t%.0f", step->tool, step->name, step->us[rounds / 2], step->us[0]);
	if (is_stamped)
		printf("\t%.0f\t%.0f", step->begun[rounds / 2], step->begun[0]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	bool is_stamped = argc > 1 && strcmp(argv[1], "--begun") == 0;
	size_t rounds, n = 0, n_tools = 0;
	struct step steps[STEPS_MAX];
	size_t starts[STEPS_MAX];

	argc -= is_stamped;
	argv += is_stamped;
	rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (rounds == 0 || argc - 2 > STEPS_MAX) {
		fprintf(stderr, "laps [--begun] ROUNDS TOOL/STEP=COMMAND...\n");
		return 125;
	}
	for (int i = 2; i < argc; i++)
		steps[n++] = parse_step(argv[i], rounds);
	for (size_t at = 0; at < n; at = tool_end(steps, n, at))
		starts[n_tools++] = at;
	for (size_t round = 0; round < rounds + WARM_UP; round++)
		for (size_t t = 0; t < n_tools; t++) {
			size_t first = starts[round % 2 == 0 ? t : n_tools - 1 - t];
			size_t to = round < WARM_UP ? 0 : round - WARM_UP;

			for (size_t i = first; i < tool_end(steps, n, first); i++)
				take(&steps[i], is_stamped, &steps[i].us[to], &steps[i].begun[to]);
		}
	for (size_t i = 0; i < n; i++)
		report(&steps[i], rounds, is_stamped);
	return 0;
}
