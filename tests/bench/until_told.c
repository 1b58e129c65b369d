/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waits for SIGTERM and ends at once: also as process 1, which ignores what it has no handler for.
 */
#include <signal.h>
#include <unistd.h>

int main(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return sigwait(&set, &sig);
}
