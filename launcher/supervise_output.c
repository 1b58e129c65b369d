/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last bytes: after the sandbox's end, until what it wrote has been taken. Runs in the keeper;
 * supervise.c has the theory. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "launcher/supervise.h"

enum { LEAVE_MS = 2000 }; /* for who was asked to end, and did, with output left */

bool supervise_asks_to_end(int signo)
{
	return signo == SIGHUP || signo == SIGINT || signo == SIGQUIT || signo == SIGTERM;
}

static void end_by_signal(struct watch *watch, int signo)
{
	watch->gives_up = true;
	if (watch->is_ended)
		return;
	watch->result->kind = RUN_SIGNALLED;
	watch->result->limit = NULL;
	watch->result->signal = signo;
	watch->result->exit_code = RESULT_NONE;
}

static void on_late_signal(struct watch *watch, int signo)
{
	if (signo == SIGTSTP)
		supervise_stop_self(watch, false);
	if (supervise_asks_to_end(signo))
		end_by_signal(watch, signo);
}

/* What ends a run ends the wait. */
static void enforce_late_limits(struct watch *watch)
{
	int64_t now = sys_monotonic_ms();
	bool is_idle = limits_check(watch->launch, &watch->limits, now) == LIMIT_IDLE_TIME;
	bool is_late = now >= watch->deadline_ms;

	if (watch->launch->terminal.is_exceeded && !watch->is_ended)
		supervise_end_by_limit(watch, RUN_OUTPUT, limits_key(LIMIT_OUTPUT));
	watch->gives_up = watch->gives_up || is_idle || is_late;
	if (watch->is_ended || !(is_idle || is_late))
		return;
	if (is_idle)
		supervise_end_by_limit(watch, RUN_IDLE_TIME, limits_key(LIMIT_IDLE_TIME));
	else
		supervise_end_by_limit(watch, RUN_WALL_TIME, "limits.wall_time");
}

/* Whoever was ended by its own clock, or because nobody read, has had its time. */
static bool is_waited_for(const struct watch *watch)
{
	return !watch->is_ended || watch->result->kind == RUN_OUTPUT ||
	       watch->result->kind == RUN_CPU_TIME || watch->result->kind == RUN_OOM;
}

static int sleep_in_poll(struct watch *watch, int64_t leave_ms, bool *ret_message, bool *ret_signal,
			 struct err *err)
{
	int64_t now = sys_monotonic_ms();
	int left =
		supervise_time_left(leave_ms < watch->deadline_ms ? leave_ms : watch->deadline_ms);
	int look = limits_patience(&watch->limits, now);
	struct pollfd fds[] = {
		{.fd = watch->launch->terminal.control_fd, .events = POLLIN},
		{.fd = watch->signal_fd, .events = POLLIN},
	};
	int n = poll(fds, sizeof(fds) / sizeof(fds[0]),
		     left < 0 || (look >= 0 && look < left) ? look : left);

	if (n < 0 && errno != EINTR)
		return err_set(err, ERR_SETUP, errno, "poll");
	*ret_message = n > 0 && fds[0].revents != 0;
	*ret_signal = n > 0 && fds[1].revents != 0;
	return 0;
}

int supervise_output(struct watch *watch, struct err *err)
{
	struct terminal *terminal = &watch->launch->terminal;
	/* The signal may have found a program that had just ended. */
	int64_t leave_ms = watch->asked_to_end != 0 ? sys_monotonic_ms() + LEAVE_MS : INT64_MAX;
	int r;

	/* A recorder waits for no reader: it takes what is left when it is told to finish. */
	if (terminal->control_fd < 0 || terminal->is_drained || !is_waited_for(watch) ||
	    watch->launch->decision->keeps_output)
		return 0;
	/* ^C is the caller's way to give up: a terminal that is raw would swallow it. */
	r = terminal_hold(watch->launch, err);
	limits_note_activity(&watch->limits, sys_monotonic_ms());
	while (r == 0 && !terminal->is_drained && !watch->gives_up) {
		struct signalfd_siginfo info;
		bool has_message = false, has_signal = false;

		r = sleep_in_poll(watch, leave_ms, &has_message, &has_signal, err);
		if (r == 0 && has_message)
			r = supervise_on_monitor(watch, err);
		while (r == 0 && has_signal &&
		       read(watch->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			on_late_signal(watch, (int)info.ssi_signo);
		if (r == 0)
			r = supervise_follow_output(watch, err);
		if (!terminal->is_drained && sys_monotonic_ms() >= leave_ms)
			end_by_signal(watch, watch->asked_to_end);
		enforce_late_limits(watch);
	}
	return r;
}
