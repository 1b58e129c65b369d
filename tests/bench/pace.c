/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pace WORKERS SECONDS FILE COMMAND...: each worker launches the command again and again, with FILE
 * open as descriptor 9. Prints the launches of all workers in a second, and the largest resident
 * set of a process of a launch in KiB (what wait4(2) says of a child and of those it has waited
 * for; this program's own set, which a child has before its exec, is the least that can show). Ends
 * with 1 where a launch failed.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct tally {
	uint64_t launches;
	uint64_t failures;
	uint64_t rss_kib;
	double seconds;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void launch(const char *file, char **argv, struct tally *tally)
{
	pid_t pid = fork();
	struct rusage usage;
	int status = 0;

	if (pid == 0) {
		dup2(open(file, O_RDONLY | O_CLOEXEC), 9);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid || status != 0)
		tally->failures++;
	else if ((uint64_t)usage.ru_maxrss > tally->rss_kib)
		tally->rss_kib = (uint64_t)usage.ru_maxrss;
	tally->launches++;
}

int main(int argc, char **argv)
{
	long workers = argc > 4 ? strtol(argv[1], NULL, 10) : 0;
	double limit = argc > 4 ? strtod(argv[2], NULL) : 0;
	size_t size = sizeof(struct tally) * (size_t)(workers > 0 ? workers : 1);
	struct tally *tallies =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	double rate = 0;
	uint64_t rss = 0;
	uint64_t failures = 0;

	if (workers < 1 || tallies == MAP_FAILED)
		return 125;
	for (long i = 0; i < workers; i++)
		if (fork() == 0) {
			double start = now();

			do
				launch(argv[3], argv + 4, &tallies[i]);
			while (now() - start < limit);
			tallies[i].seconds = now() - start;
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	for (long i = 0; i < workers; i++) {
		rate += (double)tallies[i].launches / tallies[i].seconds;
		failures += tallies[i].failures;
		rss = tallies[i].rss_kib > rss ? tallies[i].rss_kib : rss;
	}
	printf("%.1f %llu\n", rate, (unsigned long long)rss);
	return failures > 0;
}
