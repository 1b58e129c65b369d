/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a keeper in the background leaves its caller (keeper.c): whoever reads the caller's output
 * sees its end, a terminal or session that ends does not matter, and what the caller did with
 * signals is the caller's own. Runs in the keeper, right after fork.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/sys.h"
#include "records/internal.h"

/* A caller that ignores SIGTERM (nohup, a shell's trap) does not mean the keeper, which is told to
 * end by it; one that ignores SIGCHLD would have it never learn how its children end. */
static int leave_signals(void)
{
	sigset_t all;

	/* What ends it in order waits until it can. */
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) != 0)
		return -errno;
	/* EINVAL: the two that cannot be caught, and the two that libc keeps for itself. */
	for (int signo = 1; signo < _NSIG; signo++)
		if (signal(signo, SIG_DFL) == SIG_ERR && errno != EINVAL)
			return -errno;
	return 0;
}

/* From here on it has 0 to 2 on /dev/null, the way to its caller, and its caller's lock. */
static int leave_descriptors(int report_fd, int sandbox_fd)
{
	/* Out of each other's way first. */
	int report = fcntl(report_fd, F_DUPFD_CLOEXEC, KEEPER_FREE_FD);
	int sandbox = fcntl(sandbox_fd, F_DUPFD_CLOEXEC, KEEPER_FREE_FD);
	int opened = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
	int null = opened < 0 ? opened : fcntl(opened, F_DUPFD_CLOEXEC, KEEPER_FREE_FD);

	if (opened < 0)
		return opened;
	if (null < 0 || report < 0 || sandbox < 0 ||
	    dup3(report, KEEPER_REPORT_FD, O_CLOEXEC) < 0 ||
	    dup3(sandbox, KEEPER_SANDBOX_FD, O_CLOEXEC) < 0)
		return -errno;
	for (int fd = 0; fd < KEEPER_REPORT_FD; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	return sys_close_range(KEEPER_FREE_FD, ~0U, 0);
}

int keeper_leave_caller(int report_fd, int sandbox_fd)
{
	int r = setsid() < 0 ? -errno : leave_signals();

	return r < 0 ? r : leave_descriptors(report_fd, sandbox_fd);
}
