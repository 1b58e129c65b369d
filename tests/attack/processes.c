/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes sleeping processes that ignore SIGTERM until fork fails or MAX of them exist, says how many
 * there are with itself and why there are no more, and stays for SECONDS.
 *
 *	processes MAX [SECONDS]
 *
 * Prints "N processes" and, where fork failed, the name of the errno. Its children end when it does
 * only if somebody ends them.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void sleep_on(void)
{
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	long max = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	int error = 0;
	long n = 1;

	signal(SIGTERM, SIG_IGN);
	while (n < max && error == 0) {
		pid_t pid = fork();

		if (pid == 0)
			sleep_on();
		if (pid < 0)
			error = errno;
		else
			n++;
	}
	printf("%ld processes", n);
	if (error != 0)
		printf(", then %s", strerrorname_np(error));
	putchar('\n');
	fflush(stdout);
	sleep(seconds);
	return 0;
}
