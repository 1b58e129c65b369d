/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper stops itself, as any job that ^Z stops; the limits hold meanwhile. Runs in the keeper,
 * and in a fork of it (the guard) with the same privileges.
 *
 * The workload decides when this happens: it stops its first process, and the others go on. So what
 * the keeper would have looked at has to be looked at all the same: the clock, processor time, and
 * on v1 a lack of memory. The guard does. For the clock it continues the keeper, which ends the
 * sandbox; for the others it ends the sandbox itself, and the keeper finds the reason in the groups
 * as ever. It continues the keeper until that has ended it: a SIGCONT that comes before the stop is
 * thrown away by it (signal(7)), which a timer's would be as well. The guard is in a session of its
 * own, where no job control stops it, and dies with the keeper.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/supervise.h"

int supervise_time_left(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == INT64_MAX)
		return -1;
	left = deadline_ms - sys_monotonic_ms();
	if (left <= 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

enum { WAKE_MS = 20 }; /* between two signals to the keeper: one is enough but for a race */

/* ---- guard ---- */

static void end_sandbox(const struct launch *launch)
{
	ignore_result(sys_pidfd_send_signal(launch->init_pidfd, SIGKILL, 0),
		      "it may have just ended");
	cgroup_kill(&launch->cgroup);
}

/* Returns when the keeper has something to do. */
static void wait_for_limit(const struct watch *watch)
{
	const struct launch *launch = watch->launch;
	struct limits_watch limits = watch->limits;
	bool has_ended = launch->init_pidfd < 0;

	limits_forget_idle(&limits);
	while (sys_monotonic_ms() < watch->deadline_ms) {
		struct pollfd fds[] = {
			{.fd = has_ended ? -1 : launch->init_pidfd, .events = POLLIN},
			{.fd = has_ended ? -1 : launch->cgroup.oom_event_fd, .events = POLLIN},
		};
		int left = supervise_time_left(watch->deadline_ms);
		int look = has_ended ? -1 : limits_patience(&limits, sys_monotonic_ms());
		int n = poll(fds, sizeof(fds) / sizeof(fds[0]),
			     left < 0 || (look >= 0 && look < left) ? look : left);

		has_ended = has_ended || (n > 0 && fds[0].revents != 0);
		if (n > 0 && fds[1].revents != 0)
			limits_on_memory_event(launch, &limits, sys_monotonic_ms());
		if (has_ended || ((n >= 0 || errno == EINTR) &&
				  limits_check(launch, &limits, sys_monotonic_ms()) == SPEC_LIMITS))
			continue;
		end_sandbox(launch);
		return;
	}
}

static _Noreturn void guard_main(const struct watch *watch, pid_t keeper)
{
	/* Of the signals only SIGKILL gets through: the keeper's mask has the rest. */
	if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		end_sandbox(watch->launch);
	else if (getppid() == keeper)
		wait_for_limit(watch);
	while (getppid() == keeper) {
		kill(keeper, SIGCONT);
		poll(NULL, 0, WAKE_MS);
	}
	_exit(0);
}

/* Returns a pidfd, -EBADF where none is needed, or -errno. */
static int start_guard(const struct watch *watch)
{
	int pidfd = -EBADF;
	struct sys_clone_args args = {.flags = CLONE_PIDFD,
				      .pidfd = (uint64_t)(uintptr_t)&pidfd,
				      .exit_signal = SIGCHLD};
	pid_t keeper = getpid();
	pid_t pid;

	if (watch->deadline_ms == INT64_MAX && !limits_want_looks(watch->launch, &watch->limits))
		return -EBADF;
	pid = sys_clone3(&args);
	if (pid == 0)
		guard_main(watch, keeper);
	return pid < 0 ? (int)pid : pidfd;
}

static void end_guard(int *pidfd)
{
	siginfo_t info;

	if (*pidfd < 0)
		return;
	ignore_result(sys_pidfd_send_signal(*pidfd, SIGKILL, 0), "it may have ended");
	ignore_result(sys_waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED | __WALL, NULL),
		      "our own child");
	close_fd(pidfd);
}

/* ---- stop ---- */

void supervise_stop_self(const struct watch *watch, bool whole_group)
{
	const struct timespec now = {0};
	sigset_t tstp, cont;
	int guard = start_guard(watch);

	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	/* Without a guard there is no stop: the limits come first. */
	if (guard >= 0 || guard == -EBADF) {
		kill(whole_group ? 0 : getpid(), SIGTSTP);
		sigprocmask(SIG_UNBLOCK, &tstp, NULL); /* here */
		sigprocmask(SIG_BLOCK, &tstp, NULL);
	}
	end_guard(&guard);
	while (sigtimedwait(&cont, NULL, &now) > 0) /* what continued us is dealt with here */
		;
}
