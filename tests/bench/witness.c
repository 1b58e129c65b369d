/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * witness PROCESSOR SECONDS: how many million steps of a loop a program gets through on that
 * processor in that time, whatever else runs there. Prints the number.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	cpu_set_t set;
	volatile uint64_t step = 0;
	double end;

	if (argc != 3)
		return 125;
	CPU_ZERO(&set);
	CPU_SET((size_t)strtoul(argv[1], NULL, 10), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		return 125;
	end = now() + strtod(argv[2], NULL);
	while (now() < end)
		for (int i = 0; i < 10000; i++)
			step++;
	printf("%.1f\n", (double)step / 1e6);
	return 0;
}
