/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Phase 14: waits for the sandbox's end.
 *
 * Theory of operation. The keeper sleeps in one poll(2) on six things: the pidfd of init (readable
 * when the whole pid namespace is gone), init's status pipe, a signalfd (what the caller sends to
 * cordon is passed on to the workload), the monitor where there is a terminal, the resolver where
 * names may be reached, and the clock of limits.wall_time. init writes 8 bytes to the status pipe
 * when the workload's first process has stopped or ended, and exits after its end; the kernel then
 * kills what is left, and the pidfd becomes readable only after that. No byte of the workload is
 * ever read here.
 *
 * Output. Where it is counted (output.h) the monitor may still have some when the sandbox is gone.
 * A program that runs directly would still be in its last write(2): so the run goes on until all
 * has been taken, and what ends a run ends that, too.
 *
 * An end in order. A kept sandbox is asked to end by SIGTERM to its keeper, by `cordon stop` or by
 * whoever ends all processes (a shutdown): the keeper sends the stop signal, and kills what is left
 * after the grace period; what is paused goes on for that. The one number that comes with it
 * (sigqueue(3)) is another grace period in its lower half, and another signal in the upper one.
 *
 * Stopping. ^Z comes in one of two ways: as a signal to cordon, which is passed on, or, where the
 * terminal is relayed, as a byte that the pty makes a signal of. Either way the workload may catch
 * it, so cordon stops when the workload has. A workload cannot stop cordon otherwise, and not for
 * longer than its limits: supervise_stop.c.
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
#include "launcher/admission.h"
#include "launcher/attach.h"
#include "launcher/init_image.h"
#include "launcher/launch.h"
#include "launcher/limits.h"
#include "launcher/supervise.h"

/* Not passed on: those that cannot be caught, those about us ourselves, and the faults. Of the stop
 * signals only ^Z is: the other two are about a terminal that the workload does not have. */
static const int not_forwarded[] = {
	SIGKILL, SIGSTOP, SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU,
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

/* What poll(2) looks at: seven things, the pipes or the terminal of a recorder that is lost, and
 * the watchers of resolver and relay. */
enum { HELPERS = 7 + RECORDER_UNREAD, WATCHED = HELPERS + 2 };

static sigset_t only(int signo)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	return set;
}

static int open_signals(struct err *err)
{
	sigset_t set, tstp = only(SIGTSTP);
	int fd;

	if (sigprocmask(SIG_BLOCK, &tstp, NULL) != 0)
		return err_set(err, ERR_SETUP, errno, "block SIGTSTP");
	sigemptyset(&set);
	for (int signo = 1; signo < _NSIG; signo++)
		if (is_forwarded(signo))
			sigaddset(&set, signo);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_set(err, ERR_SETUP, errno, "signalfd") : fd;
}

static void send_to_workload(const struct launch *launch, int signo, bool whole_group)
{
	unsigned flags = whole_group ? SYS_PIDFD_SIGNAL_PROCESS_GROUP : 0;
	int r = sys_pidfd_send_signal(launch->workload_pidfd, signo, flags);

	if (r == -EINVAL && whole_group) /* before kernel 6.9 */
		r = sys_pidfd_send_signal(launch->workload_pidfd, signo, 0);
	ignore_result(r, "ESRCH: it has just ended");
}

static int64_t to_ms(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

void launch_kill(struct launch *launch)
{
	siginfo_t info;

	if (launch->init_pidfd < 0)
		return;
	/* One that was started in another's pid namespace; its supervisor may not have known it. */
	if (launch->decision->enters && launch->workload_pidfd >= 0)
		ignore_result(sys_pidfd_send_signal(launch->workload_pidfd, SIGKILL, 0),
			      "it may be dead already");
	/* init's death takes every process of its pid namespace along: pid_namespaces(7). */
	ignore_result(sys_pidfd_send_signal(launch->init_pidfd, SIGKILL, 0),
		      "it may be dead already");
	cgroup_kill(&launch->cgroup);
	ignore_result(sys_waitid(P_PIDFD, (id_t)launch->init_pidfd, &info, WEXITED | __WALL, NULL),
		      "our own child");
	close_fd(&launch->init_pidfd);
}

/* ---- stop and go on ---- */

static int go_on(struct watch *watch, struct err *err)
{
	int r = terminal_resize(watch->launch, err);

	watch->asked_to_stop = false;
	limits_go_on(watch->launch, &watch->limits, sys_monotonic_ms());
	if (r == 0)
		r = terminal_refresh(watch->launch, err);
	send_to_workload(watch->launch, SIGCONT, true);
	return r;
}

static int on_stopped(struct watch *watch, int signo, struct err *err)
{
	struct terminal *terminal = &watch->launch->terminal;
	bool was_relayed = terminal->state == TERMINAL_RELAYED;
	int r;

	/* init has given it the terminal, and continued it. */
	if (terminal->tty_fd >= 0 && (signo == SIGTTIN || signo == SIGTTOU)) {
		terminal->wants_input = true;
		return terminal_refresh(watch->launch, err);
	}
	if (!was_relayed && !watch->asked_to_stop)
		return 0;
	r = terminal_hold(watch->launch, err);
	if (r < 0)
		return r;
	/* ^Z as a byte was not seen by the rest of a pipeline. */
	supervise_stop_self(watch, was_relayed);
	return go_on(watch, err);
}

/* ---- events ---- */

static int on_status(struct watch *watch, struct err *err)
{
	struct init_status status;
	ssize_t n = read(watch->launch->status_read, &status, sizeof(status));

	if (n != (ssize_t)sizeof(status)) {
		watch->status_closed = true;
		return 0;
	}
	if (status.code == CLD_STOPPED)
		return on_stopped(watch, status.status, err);
	watch->end = status;
	watch->has_end = true;
	return 0;
}

static void end_in_order(struct watch *watch, const struct signalfd_siginfo *info)
{
	const struct spec_process *process = &watch->launch->spec->process;
	uint64_t grace_ms = process->stop_grace_period_ms;
	int64_t now = sys_monotonic_ms();
	int signo = (int)process->stop_signal;

	if (info->ssi_code == SI_QUEUE && info->ssi_int >= 0)
		grace_ms = (uint64_t)info->ssi_int;
	if (info->ssi_code == SI_QUEUE && info->ssi_ptr >> 32 > 0 && info->ssi_ptr >> 32 < _NSIG)
		signo = (int)(info->ssi_ptr >> 32);
	watch->stop_deadline_ms =
		grace_ms < (uint64_t)(INT64_MAX - now) ? now + (int64_t)grace_ms : INT64_MAX;
	watch->asked_to_end = SIGTERM;
	watch->result->caller_signal = signo;
	send_to_workload(watch->launch, signo, false);
	cgroup_thaw(&watch->launch->cgroup);
}

static int on_signal(struct watch *watch, const struct signalfd_siginfo *info, struct err *err)
{
	struct launch *launch = watch->launch;
	int signo = (int)info->ssi_signo;

	if (signo == SIGTERM &&
	    (watch->options->stops_in_order ||
	     (watch->options->stops_by_command && info->ssi_code == SI_QUEUE))) {
		end_in_order(watch, info);
		return 0;
	}

	if (signo == SIGCONT)
		return go_on(watch, err);
	/* The kernel tells who is in the foreground of the workload's terminal. */
	if (signo == SIGWINCH && launch->terminal.tty_fd >= 0)
		return terminal_resize(launch, err);
	if (signo == SIGTSTP)
		watch->asked_to_stop = true;
	if (supervise_asks_to_end(signo))
		watch->asked_to_end = signo;
	/* What a terminal sends goes to the whole foreground group of a program that runs directly;
	 * so it does here. */
	send_to_workload(launch, signo, info->ssi_code == SI_KERNEL);
	watch->result->caller_signal = signo;
	return 0;
}

void supervise_tell_loss(struct launch *launch, const struct run_options *options)
{
	if (!launch->recorder.is_lost || launch->recorder.was_told)
		return;
	launch->recorder.was_told = true;
	if (options->output_lost != NULL)
		options->output_lost(options->ctx);
}

int supervise_on_monitor(struct watch *watch, struct err *err)
{
	bool hangup = false;
	int r = terminal_on_message(watch->launch, &hangup, err);

	if (r < 0 && recorder_may_be_lost(watch->launch)) {
		recorder_lose(watch->launch);
		return 0;
	}
	if (hangup && is_forwarded(SIGHUP)) {
		send_to_workload(watch->launch, SIGHUP, true);
		watch->result->caller_signal = SIGHUP;
	}
	return r;
}

static void lose_helper(struct watch *watch, bool *is_lost, const char *name)
{
	*is_lost = true;
	if (watch->options->helper_lost != NULL)
		watch->options->helper_lost(watch->options->ctx, name);
}

static int on_events(struct watch *watch, const struct pollfd fds[WATCHED], struct err *err)
{
	struct signalfd_siginfo info;
	int r = 0;

	if (fds[1].revents != 0)
		r = on_status(watch, err);
	while (r == 0 && fds[2].revents != 0 &&
	       read(watch->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		r = on_signal(watch, &info, err);
	if (r == 0 && fds[3].revents != 0)
		r = supervise_on_monitor(watch, err);
	if (fds[4].revents != 0)
		limits_on_memory_event(watch->launch, &watch->limits, sys_monotonic_ms());
	if (fds[5].revents != 0)
		attach_accept(watch->launch, watch->options->attach_fd);
	if (fds[6].revents != 0)
		admission_answer(watch->launch, sys_monotonic_ms());
	if (fds[HELPERS].revents != 0)
		lose_helper(watch, &watch->launch->resolver.is_lost, "resolver");
	if (fds[HELPERS + 1].revents != 0)
		lose_helper(watch, &watch->launch->relay.is_lost, "relay");
	for (size_t i = 0; i < RECORDER_UNREAD; i++)
		if (fds[7 + i].revents & POLLIN)
			recorder_pass_over(watch->launch, i);
	return r;
}

static int shorter(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

void supervise_end_by_limit(struct watch *watch, enum run_kind kind, const char *limit)
{
	watch->result->kind = kind;
	watch->result->limit = limit;
	watch->is_ended = true;
	ignore_result(sys_pidfd_send_signal(watch->launch->init_pidfd, SIGKILL, 0),
		      "it may have just ended");
	cgroup_kill(&watch->launch->cgroup);
}

static enum run_kind kind_of_limit(enum spec_limit limit)
{
	switch (limit) {
	case LIMIT_CPU_TIME:
		return RUN_CPU_TIME;
	case LIMIT_IDLE_TIME:
		return RUN_IDLE_TIME;
	case LIMIT_OUTPUT:
		return RUN_OUTPUT;
	default:
		return RUN_OOM;
	}
}

static void enforce_limits(struct watch *watch)
{
	int64_t now = sys_monotonic_ms();
	enum spec_limit limit;

	if (watch->is_ended)
		return;
	limit = limits_check(watch->launch, &watch->limits, now);
	if (watch->launch->terminal.is_exceeded)
		limit = LIMIT_OUTPUT;
	if (limit != SPEC_LIMITS)
		supervise_end_by_limit(watch, kind_of_limit(limit), limits_key(limit));
	else if (now >= watch->deadline_ms)
		supervise_end_by_limit(watch, RUN_WALL_TIME, "limits.wall_time");
	if (watch->is_ended || now < watch->stop_deadline_ms)
		return;
	supervise_end_by_limit(watch, RUN_SIGNALLED, NULL);
	watch->result->caller_signal = SIGKILL;
}

int supervise_follow_output(struct watch *watch, struct err *err)
{
	struct terminal *terminal = &watch->launch->terminal;

	if (terminal->has_output)
		limits_note_activity(&watch->limits, sys_monotonic_ms());
	terminal->has_output = false;
	if (!watch->limits.wants_output)
		return 0;
	watch->limits.wants_output = false;
	return terminal_ask_for_output(watch->launch, err);
}

/* A sample that is late does not draw the next ones nearer. */
static void take_sample(struct watch *watch)
{
	int64_t now = sys_monotonic_ms();
	struct run_sample sample;

	if (now < watch->next_sample_ms || watch->is_ended)
		return;
	limits_sample(watch->launch, &sample);
	sample.wall_ms = now - watch->start_ms;
	watch->options->sampled(watch->options->ctx, &sample);
	watch->next_sample_ms = now + (int64_t)watch->options->sample_ms;
}

/* How long poll(2) may sleep. */
static int patience(const struct watch *watch)
{
	int result = terminal_patience(watch->launch);

	if (watch->is_ended)
		return result;
	result = shorter(result, supervise_time_left(watch->deadline_ms));
	result = shorter(result, supervise_time_left(watch->stop_deadline_ms));
	result = shorter(result, supervise_time_left(watch->next_sample_ms));
	result = shorter(result, recorder_patience(watch->launch, sys_monotonic_ms()));
	result = shorter(result, admission_patience(watch->launch, sys_monotonic_ms()));
	return shorter(result, limits_patience(&watch->limits, sys_monotonic_ms()));
}

static int wait_for_end(struct watch *watch, struct err *err)
{
	struct launch *launch = watch->launch;
	int r = terminal_refresh(launch, err);

	while (r == 0) {
		struct pollfd fds[WATCHED] = {
			{.fd = launch->init_pidfd, .events = POLLIN},
			{.fd = watch->status_closed ? -1 : launch->status_read, .events = POLLIN},
			{.fd = watch->signal_fd, .events = POLLIN},
			{.fd = launch->terminal.control_fd, .events = POLLIN},
			{.fd = launch->cgroup.oom_event_fd, .events = POLLIN},
			{.fd = launch->decision->keeps_output ? watch->options->attach_fd : -1,
			 .events = POLLIN},
			{.fd = admission_fd(launch, sys_monotonic_ms()), .events = POLLIN},
			{.fd = recorder_unread(launch, 0), .events = POLLIN},
			{.fd = recorder_unread(launch, 1), .events = POLLIN},
			{.fd = recorder_unread(launch, 2), .events = POLLIN},
			{.fd = resolver_watch_fd(launch), .events = POLLIN},
			{.fd = relay_watch_fd(launch), .events = POLLIN},
		};
		int n = poll(fds, WATCHED, patience(watch));

		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_SETUP, errno, "poll");
		if (n > 0 && fds[0].revents != 0)
			return 0;
		if (n > 0)
			r = on_events(watch, fds, err);
		if (n == 0 && terminal_patience(launch) >= 0)
			r = terminal_refresh(launch, err);
		if (r == 0)
			r = supervise_follow_output(watch, err);
		/* Each time: events may come without an end. */
		enforce_limits(watch);
		take_sample(watch);
		recorder_look(launch, sys_monotonic_ms());
		supervise_tell_loss(launch, watch->options);
	}
	return r;
}

/* How the workload's first process ended, from init's 8 bytes. Without them init itself was killed.
 */
static void read_status(struct watch *watch)
{
	struct run_result *result = watch->result;
	struct init_status status;

	while (!watch->has_end && !watch->status_closed) {
		ssize_t n = read(watch->launch->status_read, &status, sizeof(status));

		watch->status_closed = n != (ssize_t)sizeof(status);
		watch->has_end = !watch->status_closed && status.code != CLD_STOPPED;
		if (watch->has_end)
			watch->end = status;
	}
	if (watch->has_end && watch->end.code == CLD_EXITED) {
		result->kind = RUN_EXITED;
		result->exit_code = watch->end.status & 0xff;
		return;
	}
	result->signal = watch->has_end ? watch->end.status : SIGKILL;
	result->kind = result->signal == SIGSYS ? RUN_POLICY_KILL : RUN_SIGNALLED;
	if (result->kind == RUN_POLICY_KILL)
		result->limit = "seccomp";
}

int supervise(struct launch *launch, const struct run_options *options,
	      struct run_result *ret_result, struct err *err)
{
	/* The sandbox's time is its keeper's business. */
	uint64_t wall_time_ms =
		launch->decision->enters ? SPEC_UNLIMITED : launch->spec->limits.wall_time_ms;
	int64_t start_ms = sys_monotonic_ms();
	struct run_result result = {.kind = RUN_EXITED,
				    .exit_code = RESULT_NONE,
				    .signal = RESULT_NONE,
				    RESULT_UNMEASURED};
	_cleanup_fd_ int signal_fd = open_signals(err);
	struct watch watch = {.launch = launch,
			      .signal_fd = signal_fd,
			      .options = options,
			      .start_ms = start_ms,
			      .deadline_ms = INT64_MAX,
			      .stop_deadline_ms = INT64_MAX,
			      .next_sample_ms = options->sampled != NULL ? start_ms : INT64_MAX,
			      .result = &result};
	struct rusage usage;
	siginfo_t info;
	int r;

	if (signal_fd < 0)
		return signal_fd;
	launch->terminal.wants_input =
		terminal_is_interactive(launch->decision) && !launch->decision->keeps_output;
	if (wall_time_ms < (uint64_t)(INT64_MAX - start_ms))
		watch.deadline_ms = start_ms + (int64_t)wall_time_ms;
	limits_watch_init(launch, start_ms, &watch.limits);
	r = wait_for_end(&watch, err);
	if (r < 0)
		return r;
	r = sys_waitid(P_PIDFD, (id_t)launch->init_pidfd, &info, WEXITED | __WALL, &usage);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "wait for the sandbox's end");
	close_fd(&launch->init_pidfd);
	result.cpu_user_ms = to_ms(usage.ru_utime);
	result.cpu_system_ms = to_ms(usage.ru_stime);
	if (!watch.is_ended)
		read_status(&watch);
	r = supervise_output(&watch, err);
	if (r < 0)
		return r;
	result.wall_ms = sys_monotonic_ms() - start_ms;
	if (watch.is_ended) {
		result.signal = SIGKILL;
		result.exit_code = RESULT_NONE;
	}
	limits_collect(launch, &result);
	result_explain_fsize(&result, &launch->spec->limits);
	stores_collect(launch, &result);
	*ret_result = result;
	return 0;
}
