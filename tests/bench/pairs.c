/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pairs ROUNDS NAME=BASE=COMMAND...: launches all commands once in each round, one after the other,
 * every other round in reverse, so that what the machine does meanwhile meets them alike. BASE is
 * the number of the case, from 0, that a case is compared with. Prints for each a line of
 * tab-separated fields, in microseconds: name, median, minimum, median of the differences to the
 * base in the same round, difference of the minimums, the quartiles of the differences in rounds,
 * median of processor time, and median of its differences in rounds. Processor time is that of all
 * processes that were waited for and of this one: what others do meanwhile adds least to it.
 *
 * A command is words with blanks between them. One is known here, which shows what the kernel takes
 * and no launcher can save:
 *
 *   @in GROUP... -- COMMAND...   fork, exec and wait in control groups that are made for it, given
 *                                limits, and removed afterwards; GROUP is DIR[:FILE=VALUE...]
 *
 * Ends with 1 where a launch failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CASES_MAX = 32, WORDS_MAX = 64, GROUPS_MAX = 8, WARM_UP = 5 };

struct bench_case {
	const char *name;
	size_t base;
	char *words[WORDS_MAX + 1];
	double *us; /* of each round */
	double *cpu_us;
};

struct took {
	double us;
	double cpu_us;
};

struct group {
	char dir[512];
	char *limits[WORDS_MAX]; /* FILE=VALUE */
	size_t n_limits;
	int fd;
	int tasks_fd; /* -1: v2 */
};

extern char **environ;

static void die(const char *what)
{
	fprintf(stderr, "pairs: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void await(pid_t pid, const char *what)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die(what);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "pairs: %s: ended with status %d\n", what, status);
		exit(1);
	}
}

/* ---- the floor ---- */

static void write_file(int dir, const char *file, const char *value)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(file);
	close(fd);
}

/* "DIR:FILE=VALUE:FILE=VALUE", taken apart once: it is not the text that is measured. */
static struct group parse_group(const char *text)
{
	struct group group = {.fd = -1, .tasks_fd = -1};
	char *copy = strdup(text), *rest = NULL;

	for (char *word = strtok_r(copy, ":", &rest); word != NULL;
	     word = strtok_r(NULL, ":", &rest))
		if (word == copy)
			snprintf(group.dir, sizeof(group.dir), "%s/pairs-%d", word, (int)getpid());
		else
			group.limits[group.n_limits++] = word;
	return group;
}

static void make_group(struct group *group)
{
	struct statfs fs;

	if (mkdir(group->dir, 0755) != 0)
		die(group->dir);
	group->fd = open(group->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group->fd < 0 || fstatfs(group->fd, &fs) != 0)
		die(group->dir);
	for (size_t i = 0; i < group->n_limits; i++) {
		char file[128];
		size_t len = strcspn(group->limits[i], "=");

		snprintf(file, sizeof(file), "%.*s", (int)len, group->limits[i]);
		write_file(group->fd, file, group->limits[i] + len + 1);
	}
	group->tasks_fd = -1;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return;
	group->tasks_fd = openat(group->fd, "tasks", O_WRONLY | O_CLOEXEC);
	if (group->tasks_fd < 0)
		die("tasks");
}

static pid_t start_in(const struct group *groups, size_t n, char **argv)
{
	struct clone_args args = {.exit_signal = SIGCHLD}; /* as fork(2) */
	pid_t pid;

	for (size_t i = 0; i < n; i++)
		if (groups[i].tasks_fd < 0) {
			args.flags |= CLONE_INTO_CGROUP;
			args.cgroup = (uint64_t)groups[i].fd;
		}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid != 0)
		return pid;
	for (size_t i = 0; i < n; i++)
		if (groups[i].tasks_fd >= 0 && write(groups[i].tasks_fd, "0", 1) != 1)
			_exit(2);
	execve(argv[0], argv, environ);
	_exit(3);
}

static void launch_in_groups(struct group *groups, size_t n, char **argv)
{
	pid_t pid;

	for (size_t i = 0; i < n; i++)
		make_group(&groups[i]);
	pid = start_in(groups, n, argv);
	if (pid < 0)
		die("clone3");
	await(pid, argv[0]);
	for (size_t i = 0; i < n; i++) {
		close(groups[i].fd);
		if (groups[i].tasks_fd >= 0)
			close(groups[i].tasks_fd);
		if (rmdir(groups[i].dir) != 0)
			die(groups[i].dir);
	}
}

/* ---- launches ---- */

static double spent_us(void)
{
	static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
	double us = 0;

	for (size_t i = 0; i < 2; i++) {
		struct rusage usage;

		getrusage(whose[i], &usage);
		us += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
		      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	}
	return us;
}

static struct took launch(const struct bench_case *c)
{
	struct group groups[GROUPS_MAX];
	bool is_ours = strcmp(c->words[0], "@in") == 0;
	double start, spent;
	size_t n = 0;
	pid_t pid;

	while (is_ours && n < GROUPS_MAX && strcmp(c->words[1 + n], "--") != 0) {
		groups[n] = parse_group(c->words[1 + n]);
		n++;
	}
	spent = spent_us();
	start = now_us();
	if (is_ours) {
		launch_in_groups(groups, n, (char **)&c->words[2 + n]);
	} else {
		if (posix_spawn(&pid, c->words[0], NULL, NULL, c->words, environ) != 0)
			die(c->words[0]);
		await(pid, c->words[0]);
	}
	return (struct took){.us = now_us() - start, .cpu_us = spent_us() - spent};
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double *sorted(const double *values, const double *minus, size_t n)
{
	double *copy = calloc(n, sizeof(*copy));

	if (copy == NULL)
		die("calloc");
	for (size_t i = 0; i < n; i++)
		copy[i] = values[i] - (minus != NULL ? minus[i] : 0);
	qsort(copy, n, sizeof(*copy), compare);
	return copy;
}

static void print(const struct bench_case *cases, const struct bench_case *c, size_t n)
{
	const struct bench_case *base = &cases[c->base];
	double *times = sorted(c->us, NULL, n), *base_times = sorted(base->us, NULL, n);
	double *differences = sorted(c->us, base->us, n);
	double *cpu_times = sorted(c->cpu_us, NULL, n);
	double *cpu_differences = sorted(c->cpu_us, base->cpu_us, n);

	printf("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\n", c->name, times[n / 2],
	       times[0], differences[n / 2], times[0] - base_times[0], differences[n / 4],
	       differences[n * 3 / 4], cpu_times[n / 2], cpu_differences[n / 2]);
	free(cpu_times);
	free(cpu_differences);
	free(times);
	free(base_times);
	free(differences);
}

static bool has_command(const struct bench_case *c)
{
	for (size_t i = 0; c->words[i] != NULL; i++)
		if (strcmp(c->words[i], "--") == 0)
			return c->words[i + 1] != NULL;
	return false;
}

static struct bench_case parse_case(char *text, size_t rounds)
{
	struct bench_case c = {.name = strsep(&text, "=")};
	char *base = strsep(&text, "="), *word;
	size_t n = 0;

	c.base = base != NULL ? strtoul(base, NULL, 10) : CASES_MAX;
	while ((word = strsep(&text, " ")) != NULL && n < WORDS_MAX)
		if (*word != '\0')
			c.words[n++] = word;
	c.us = calloc(rounds, sizeof(*c.us));
	c.cpu_us = calloc(rounds, sizeof(*c.cpu_us));
	if (c.us == NULL || c.cpu_us == NULL || n == 0 ||
	    (strcmp(c.words[0], "@in") == 0 && !has_command(&c)))
		die("NAME=BASE=COMMAND");
	return c;
}

int main(int argc, char **argv)
{
	struct bench_case cases[CASES_MAX];
	size_t rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, n = 0;

	if (rounds == 0 || argc - 2 > CASES_MAX) {
		fprintf(stderr, "pairs ROUNDS NAME=BASE=COMMAND...\n");
		return 125;
	}
	for (int i = 2; i < argc; i++)
		cases[n++] = parse_case(argv[i], rounds);
	for (size_t i = 0; i < n; i++)
		if (cases[i].base >= n)
			die("BASE is the number of a case");
	for (size_t round = 0; round < rounds + WARM_UP; round++)
		for (size_t i = 0; i < n; i++) {
			const struct bench_case *c = &cases[round % 2 == 0 ? i : n - 1 - i];
			struct took took = launch(c);

			if (round < WARM_UP)
				continue;
			c->us[round - WARM_UP] = took.us;
			c->cpu_us[round - WARM_UP] = took.cpu_us;
		}
	for (size_t i = 0; i < n; i++)
		print(cases, &cases[i], rounds);
	return 0;
}
