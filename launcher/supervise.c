/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phase 14: waits for the sandbox's end.
 *
 * Theory of operation. The keeper sleeps in one poll(2) on three things: the pidfd of init
 * (readable when the whole pid namespace is gone), a signalfd (what the caller sends to cordon is
 * passed on to the workload), and the clock of limits.wall_time. init writes 8 bytes to the status
 * pipe when the workload's first process has ended, then exits; the kernel then kills what is left,
 * and the pidfd becomes readable only after that. No byte of the workload is ever read here.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/init_image.h"
#include "launcher/launch.h"

/* Not passed on: those that cannot be caught, those about us ourselves, and the faults. Stop
 * signals stop cordon as they would stop any program. */
static const int not_forwarded[] = {
	SIGKILL, SIGSTOP, SIGCHLD, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU,
	SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGSYS,
};

static bool is_forwarded(int signo)
{
	struct sigaction action;

	for (size_t i = 0; i < sizeof(not_forwarded) / sizeof(not_forwarded[0]); i++)
		if (signo == not_forwarded[i])
			return false;
	/* What the caller had ignored (nohup) is not meant for the workload either. sigaction
	 * refuses the two signals that libc keeps for itself. */
	return sigaction(signo, NULL, &action) == 0 && action.sa_handler != SIG_IGN;
}

static int open_signals(struct err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (int signo = 1; signo < _NSIG; signo++)
		if (is_forwarded(signo))
			sigaddset(&set, signo);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, ERR_SETUP, errno, "signalfd") : fd;
}

/* What a terminal sends goes to the whole foreground group of a program that runs directly; so it
 * does here. */
static void forward_signal(const struct launch *launch, int signal_fd)
{
	struct signalfd_siginfo info;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		bool from_terminal = info.ssi_code == SI_KERNEL;
		unsigned flags = from_terminal ? SYS_PIDFD_SIGNAL_PROCESS_GROUP : 0;
		int signo = (int)info.ssi_signo;
		int r = sys_pidfd_send_signal(launch->workload_pidfd, signo, flags);

		if (r == -EINVAL && from_terminal) /* before kernel 6.9 */
			r = sys_pidfd_send_signal(launch->workload_pidfd, signo, 0);
		ignore_result(r, "ESRCH: it has just ended");
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t to_ms(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

/* Milliseconds until the deadline for poll(2), -1 for none. Rounded up, so that the last wait is
 * not a spin. */
static int time_left(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms == INT64_MAX)
		return -1;
	left = deadline_ms - now_ms();
	if (left <= 0)
		return 0;
	return left > INT32_MAX ? INT32_MAX : (int)left;
}

void launch_kill(struct launch *launch)
{
	siginfo_t info;

	if (launch->init_pidfd < 0)
		return;
	/* init's death takes every process of its pid namespace along: pid_namespaces(7). */
	ignore_result(sys_pidfd_send_signal(launch->init_pidfd, SIGKILL, 0),
		      "it may be dead already");
	ignore_result(sys_waitid(P_PIDFD, (id_t)launch->init_pidfd, &info, WEXITED | __WALL, NULL),
		      "our own child");
	close_fd(&launch->init_pidfd);
}

static int wait_for_end(struct launch *launch, int64_t deadline_ms, struct run_result *result,
			struct err *err)
{
	_cleanup_fd_ int signal_fd = open_signals(err);

	if (signal_fd < 0)
		return signal_fd;
	for (;;) {
		struct pollfd fds[] = {{.fd = launch->init_pidfd, .events = POLLIN},
				       {.fd = signal_fd, .events = POLLIN}};
		int n = poll(fds, 2, time_left(deadline_ms));

		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_SETUP, errno, "poll");
		if (n > 0 && fds[0].revents != 0)
			return 0;
		if (n > 0 && fds[1].revents != 0)
			forward_signal(launch, signal_fd);
		if (n == 0 && deadline_ms != INT64_MAX && now_ms() >= deadline_ms) {
			result->kind = RUN_WALL_TIME;
			result->limit = "limits.wall_time";
			deadline_ms = INT64_MAX;
			ignore_result(sys_pidfd_send_signal(launch->init_pidfd, SIGKILL, 0),
				      "it may have just ended");
		}
	}
}

/* How the workload's first process ended, from init's 8 bytes. Without them init itself was killed.
 */
static void read_status(const struct launch *launch, struct run_result *result)
{
	struct init_status status;
	bool has_status =
		read(launch->status_read, &status, sizeof(status)) == (ssize_t)sizeof(status);

	if (has_status && status.code == CLD_EXITED) {
		result->kind = RUN_EXITED;
		result->exit_code = status.status & 0xff;
		return;
	}
	result->signal = has_status ? status.status : SIGKILL;
	result->kind = result->signal == SIGSYS ? RUN_POLICY_KILL : RUN_SIGNALLED;
	if (result->kind == RUN_POLICY_KILL)
		result->limit = "seccomp";
}

int supervise(struct launch *launch, struct run_result *ret_result, struct err *err)
{
	uint64_t wall_time_ms = launch->spec->limits.wall_time_ms;
	int64_t start_ms = now_ms();
	int64_t deadline_ms = INT64_MAX;
	struct run_result result = {.kind = RUN_EXITED,
				    .exit_code = RESULT_NONE,
				    .signal = RESULT_NONE,
				    .memory_peak_bytes = RESULT_NONE,
				    .pids_peak = RESULT_NONE};
	struct rusage usage;
	siginfo_t info;
	int r;

	if (wall_time_ms < (uint64_t)(INT64_MAX - start_ms))
		deadline_ms = start_ms + (int64_t)wall_time_ms;
	r = wait_for_end(launch, deadline_ms, &result, err);
	if (r < 0)
		return r;
	r = sys_waitid(P_PIDFD, (id_t)launch->init_pidfd, &info, WEXITED | __WALL, &usage);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "wait for the sandbox's end");
	close_fd(&launch->init_pidfd);
	result.wall_ms = now_ms() - start_ms;
	result.cpu_user_ms = to_ms(usage.ru_utime);
	result.cpu_system_ms = to_ms(usage.ru_stime);
	if (result.kind == RUN_WALL_TIME)
		result.signal = SIGKILL;
	else
		read_status(launch, &result);
	*ret_result = result;
	return 0;
}
