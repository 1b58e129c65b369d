/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Swaps two names again and again, in one step each, until it is ended or its parent is: a
 * directory that is a symlink half of the time, for whoever walks through it.
 *
 *	swap ONE OTHER
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
	if (argc != 3 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return 2;
	for (;;) {
		if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) != 0) {
			perror("swap");
			return 1;
		}
	}
}
