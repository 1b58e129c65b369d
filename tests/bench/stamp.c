/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As true.c, and says first when it began: the time of CLOCK_MONOTONIC, to standard output. */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void _start(void);

void _start(void)
{
	struct timespec now;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	syscall(SYS_write, STDOUT_FILENO, &now, sizeof(now));
	syscall(SYS_exit_group, 0);
	__builtin_unreachable();
}
