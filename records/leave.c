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

/* The lowest from `from` on that the decision holds its image by, or -1. */
static int next_held(const struct decision *decision, int from)
{
	int next = -1;

	for (size_t i = 0; i < decision->n_held; i++)
		if (decision->held_fds[i] >= from && (next < 0 || decision->held_fds[i] < next))
			next = decision->held_fds[i];
	return next;
}

/* From here on it has 0 to 2 on /dev/null, the way to its caller, its caller's lock, and what holds
 * the image: that begins behind KEEPER_FREE_FD, too (held_image_find). */
static int leave_descriptors(int report_fd, int sandbox_fd, const struct decision *decision)
{
	int from = KEEPER_FREE_FD, r = 0;
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
	for (int held; r == 0 && (held = next_held(decision, from)) >= 0; from = held + 1)
		if (held > from)
			r = sys_close_range((unsigned)from, (unsigned)held - 1, 0);
	return r == 0 ? sys_close_range((unsigned)from, ~0U, 0) : r;
}

int keeper_leave_caller(int report_fd, int sandbox_fd, const struct decision *decision)
{
	int r = setsid() < 0 ? -errno : leave_signals();

	return r < 0 ? r : leave_descriptors(report_fd, sandbox_fd, decision);
}
