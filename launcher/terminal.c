/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper's part of the terminal; see terminal.h. Runs in the keeper, which stays in the
 * caller's session and process group and so can be asked about, and stopped, by the caller's shell.
 * It reads no byte of the terminal: only messages of one int, looked up in an enum.
 */
#include "launcher/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/confined.h"
#include "launcher/launch.h"
#include "launcher/monitor_image.h"

static const char *monitor_what(const struct decision *decision)
{
	return decision->keeps_output         ? "the output's recorder"
	       : terminal_is_wanted(decision) ? "the terminal's relay"
					      : "the output's relay";
}

enum {
	SPARE_FD = 10,    /* above descriptors with a meaning */
	START_MS = 5000,  /* until it is confined */
	ANSWER_MS = 2000, /* until it has put the modes back */
	/* Until it has passed everything on: it gives up after 2 s itself. With LEAVE_MS less than
	 * the 10 s after which a command that ends the sandbox kills its keeper: a monitor that
	 * hangs would outlive that. A recorder may wait for its disk. */
	FINISH_MS = 5000,
	RECORDER_FINISH_MS = 10000,
	FOREGROUND_MS = 250, /* between two looks whether we are in the foreground */
};

/* ---- pure ---- */

int terminal_descriptor(const struct decision *decision)
{
	for (int fd = 0; fd < 3; fd++)
		if (decision->facts.stdio_is_terminal[fd])
			return fd;
	return -1;
}

bool terminal_is_wanted(const struct decision *decision)
{
	return terminal_descriptor(decision) >= 0;
}

bool monitor_is_wanted(const struct decision *decision)
{
	return terminal_is_wanted(decision) || output_has_pipes(decision);
}

bool terminal_is_interactive(const struct decision *decision)
{
	return decision->facts.stdio_is_terminal[0] && decision->facts.stdio_is_terminal[1];
}

bool terminal_is_foreground(pid_t result, int sys_errno, pid_t own_group)
{
	return result >= 0 ? result == own_group : sys_errno == ENOTTY;
}

/* ---- life ---- */

void terminal_init(struct terminal *terminal)
{
	*terminal = (struct terminal){.tty_fd = -EBADF,
				      .master_fd = -EBADF,
				      .control_fd = -EBADF,
				      .monitor_pidfd = -EBADF,
				      .output_bytes = RESULT_NONE};
}

void terminal_release(struct terminal *terminal)
{
	close_fd(&terminal->tty_fd);
	close_fd(&terminal->master_fd);
	close_fd(&terminal->control_fd);
	close_fd(&terminal->monitor_pidfd);
}

int terminal_accept_master(struct launch *launch, int fd, struct err *err)
{
	unsigned number;

	launch->terminal.master_fd = fd;
	/* TIOCGPTN is answered by masters alone: ioctl_tty(2). */
	if (fd < 0 || ioctl(fd, TIOCGPTN, &number) != 0)
		return err_set(err, ERR_SETUP, 0, "the sandbox sent no terminal");
	if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) != 0)
		return err_set(err, ERR_SETUP, errno, "the sandbox's terminal");
	return 0;
}

/* ---- the caller's terminal ---- */

static bool is_terminal(int fd, uint32_t device)
{
	unsigned own;

	return fd >= 0 && ioctl(fd, TIOCGDEV, &own) == 0 && own == device;
}

/*
 * Opened anew: O_NONBLOCK is a property of the open file description, and the caller's is shared
 * with the caller. After su(1) the user may not open the device by its name, but /dev/tty; where
 * that is another one, the descriptor that was given has to do.
 */
static int open_terminal(const struct launch *launch, struct err *err)
{
	const struct host_facts *facts = &launch->decision->facts;
	int given = terminal_descriptor(launch->decision);
	const int flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	const char *paths[4] = {NULL};
	char names[3][32];
	size_t n = 0;
	int copy = -EBADF;

	for (int fd = 0; fd < 3; fd++)
		if (facts->stdio_is_terminal[fd]) {
			str_format(names[fd], sizeof(names[fd]), "/proc/self/fd/%d", fd);
			paths[n++] = names[fd];
		}
	paths[n++] = "/dev/tty";
	for (size_t i = 0; i < n; i++) {
		_cleanup_fd_ int fd = sys_openat(AT_FDCWD, paths[i], flags, 0);

		if (is_terminal(fd, facts->stdio_terminal[given]))
			return steal_fd(&fd);
	}
	for (int fd = 0; fd < 3 && copy < 0; fd++)
		if (facts->stdio_is_terminal[fd] && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
			copy = fcntl(fd, F_DUPFD_CLOEXEC, SPARE_FD);
	if (copy >= 0)
		return copy;
	err_set(err, ERR_SETUP, EACCES, "descriptor %d: open the terminal", given);
	return err_hint(err, "It must be open for reading and for writing: cordon run ... | cat.");
}

/* ---- the monitor's process ---- */

/* Its letters (monitor_image.h), and the descriptors that they stand for. */
static void add_descriptors(const struct launch *launch, char *letters,
			    struct confined_image *image)
{
	const struct decision *d = launch->decision;

	if (terminal_is_wanted(d)) {
		*letters++ = MONITOR_HAS_TERMINAL;
		image->fds[image->n_fds++] = launch->terminal.tty_fd;
		image->fds[image->n_fds++] = launch->terminal.master_fd;
	}
	for (size_t i = 0; i < OUTPUT_PIPES_MAX; i++) {
		if (output_pipe_of(d, output_target(i)) != (int)i)
			continue;
		*letters++ = MONITOR_HAS_PIPE;
		image->fds[image->n_fds++] = launch->output.read_fd[i];
		image->fds[image->n_fds++] = output_target(i);
	}
	*letters = '\0';
}

static int start_relay(struct launch *launch, struct confined *ret, struct err *err)
{
	const struct decision *d = launch->decision;
	struct terminal *terminal = &launch->terminal;
	char letters[MONITOR_PAIRS_MAX + 1], limit[24];
	struct confined_image image = {.name = "cordon-monitor",
				       .bytes = monitor_image,
				       .size = monitor_image_size,
				       .what = monitor_what(d),
				       .args = {limit, letters}};

	if (terminal_is_wanted(d)) {
		terminal->tty_fd = open_terminal(launch, err);
		if (terminal->tty_fd < 0)
			return terminal->tty_fd;
	}
	str_format(limit, sizeof(limit), "%llu", (unsigned long long)output_limit(d));
	add_descriptors(launch, letters, &image);
	return confined_start(launch, &image, ret, err);
}

static int start_recorder(const struct launch *launch, struct confined *ret, struct err *err)
{
	struct recorder_words words;
	struct confined_image image;
	int r = recorder_describe(launch, &words, &image, err);

	return r == 0 ? confined_start(launch, &image, ret, err) : r;
}

int terminal_start_monitor(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	struct terminal *terminal = &launch->terminal;
	struct confined started = {.pidfd = -EBADF, .control_fd = -EBADF};
	int r = d->keeps_output ? start_recorder(launch, &started, err)
				: start_relay(launch, &started, err);

	if (r < 0)
		return r;
	terminal->monitor_pid = started.pid;
	terminal->monitor_pidfd = started.pidfd;
	terminal->control_fd = started.control_fd;
	terminal->is_drained = !output_has_pipes(d);
	if (!d->keeps_output)
		close_fd(&terminal->master_fd);
	close_fd(&launch->output.input_write_fd);
	/* With the reading end of a pipe the recorder's death is not the workload's. */
	if (!d->keeps_output)
		output_release(&launch->output);
	if (confined_receive(terminal->control_fd, START_MS) != MONITOR_CONFINED)
		return err_set(err, ERR_SETUP, 0, "%s did not start", monitor_what(d));
	return 0;
}

int terminal_verify_monitor(struct launch *launch, struct err *err)
{
	return confined_verify(launch, launch->terminal.monitor_pid, monitor_what(launch->decision),
			       err);
}

/* ---- conversation ---- */

static int relay_lost(struct launch *launch, struct err *err)
{
	/* Its modes may still be set: terminal_finish sees to that. */
	close_fd(&launch->terminal.control_fd);
	return err_set(err, ERR_SETUP, 0, "%s ended unexpectedly", monitor_what(launch->decision));
}

static int say(struct launch *launch, enum monitor_message message, struct err *err)
{
	launch->terminal.holds_due += message == MONITOR_HOLD;
	return confined_say(launch->terminal.control_fd, (int)message) < 0 ? relay_lost(launch, err)
									   : 0;
}

static bool may_read(const struct launch *launch)
{
	const struct terminal *terminal = &launch->terminal;
	pid_t group;

	if (!terminal->wants_input)
		return false;
	group = tcgetpgrp(terminal->tty_fd);
	return terminal_is_foreground(group, errno, getpgrp());
}

int terminal_refresh(struct launch *launch, struct err *err)
{
	struct terminal *terminal = &launch->terminal;
	bool is_relayed = terminal->state == TERMINAL_RELAYED;
	bool is_first = !terminal->has_begun;

	if (terminal->control_fd < 0 || terminal->tty_fd < 0 || terminal->state == TERMINAL_GONE)
		return 0;
	terminal->has_begun = true;
	if (!may_read(launch)) {
		terminal->state = TERMINAL_HELD;
		return is_relayed || is_first ? say(launch, MONITOR_HOLD, err) : 0;
	}
	if (!is_relayed && tcgetattr(terminal->tty_fd, &terminal->saved) != 0)
		return 0; /* hung up: the monitor says so */
	terminal->state = TERMINAL_RELAYED;
	return say(launch, MONITOR_RELAY, err);
}

int terminal_resize(struct launch *launch, struct err *err)
{
	const struct terminal *terminal = &launch->terminal;

	return terminal->control_fd >= 0 && terminal->tty_fd >= 0 ? say(launch, MONITOR_RESIZE, err)
								  : 0;
}

int terminal_ask_for_output(struct launch *launch, struct err *err)
{
	struct terminal *terminal = &launch->terminal;

	terminal->has_output = false;
	/* One question at a time: a monitor that waits for a reader answers later. */
	if (terminal->control_fd < 0 || terminal->report_due)
		return 0;
	terminal->report_due = true;
	return say(launch, MONITOR_REPORT, err);
}

/* Whether the monitor may read what is there. Asked before each read, so that nothing is read after
 * the shell took the terminal back. */
static int answer_input(struct launch *launch, struct err *err)
{
	if (launch->terminal.state == TERMINAL_RELAYED && may_read(launch))
		return say(launch, MONITOR_READ, err);
	return terminal_refresh(launch, err);
}

/* What the program prints is lost: it cannot be told any more, the caller can. */
static int cannot_write(int message, struct err *err)
{
	return err_set(err, ERR_SETUP, message - MONITOR_UNWRITABLE,
		       "write what the program prints to where stdout or stderr leads");
}

/* Messages about output. False: it is none of them. */
static bool note_output(struct terminal *terminal, int message)
{
	terminal->is_exceeded = terminal->is_exceeded || message == MONITOR_EXCEEDED;
	terminal->is_drained = terminal->is_drained || message == MONITOR_DRAINED;
	terminal->has_output = terminal->has_output || message == MONITOR_OUTPUT;
	terminal->report_due = terminal->report_due && message != MONITOR_OUTPUT;
	return message == MONITOR_EXCEEDED || message == MONITOR_DRAINED ||
	       message == MONITOR_OUTPUT;
}

int terminal_on_message(struct launch *launch, bool *ret_hangup, struct err *err)
{
	int message = confined_receive(launch->terminal.control_fd, 0);

	*ret_hangup = false;
	if (message == -EAGAIN)
		return 0;
	if (message <= 0)
		return relay_lost(launch, err);
	if (message > MONITOR_UNWRITABLE && message <= MONITOR_UNWRITABLE_MAX)
		return cannot_write(message, err);
	if (note_output(&launch->terminal, message))
		return 0;
	switch ((enum monitor_message)message) {
	case MONITOR_INPUT:
		return answer_input(launch, err);
	case MONITOR_HANGUP:
		launch->terminal.state = TERMINAL_GONE;
		*ret_hangup = true;
		return 0;
	case MONITOR_HELD:
		launch->terminal.holds_due--;
		return 0;
	case MONITOR_PONG:
		launch->recorder.answer_ms = 0;
		return 0;
	case MONITOR_CONFINED:
	case MONITOR_PING:
	case MONITOR_CLIENT:
	case MONITOR_RELAY:
	case MONITOR_HOLD:
	case MONITOR_READ:
	case MONITOR_RESIZE:
	case MONITOR_REPORT:
	case MONITOR_FINISH:
	case MONITOR_OUTPUT:
	case MONITOR_EXCEEDED:
	case MONITOR_DRAINED:
	case MONITOR_UNWRITABLE:
	case MONITOR_UNWRITABLE_MAX:
		break;
	}
	return err_set(err, ERR_BUG, EPROTO, "message %d from %s", message,
		       monitor_what(launch->decision));
}

int terminal_hold(struct launch *launch, struct err *err)
{
	struct terminal *terminal = &launch->terminal;
	int r;

	if (terminal->control_fd < 0 || terminal->state != TERMINAL_RELAYED)
		return 0;
	r = say(launch, MONITOR_HOLD, err);
	terminal->state = TERMINAL_HELD;
	while (r == 0 && terminal->holds_due > 0) {
		int message = confined_receive(terminal->control_fd, ANSWER_MS);

		if (message == MONITOR_HELD)
			terminal->holds_due--;
		else if (message == MONITOR_HANGUP)
			terminal->state = TERMINAL_GONE;
		else if (message > MONITOR_UNWRITABLE && message <= MONITOR_UNWRITABLE_MAX)
			return cannot_write(message, err);
		else if (!note_output(terminal, message) &&
			 message != MONITOR_INPUT) /* asked before it knew: answered by this */
			return relay_lost(launch, err);
	}
	return r;
}

int terminal_patience(const struct launch *launch)
{
	const struct terminal *terminal = &launch->terminal;

	return terminal->control_fd >= 0 && terminal->wants_input &&
			       terminal->state == TERMINAL_HELD
		       ? FOREGROUND_MS
		       : -1;
}

/* ---- end ---- */

/* The monitor died with the terminal in raw mode. */
static void restore(struct terminal *terminal)
{
	sigset_t ttou, old;

	if (terminal->state != TERMINAL_RELAYED)
		return;
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	if (sigprocmask(SIG_BLOCK, &ttou, &old) != 0)
		return;
	tcsetattr(terminal->tty_fd, TCSANOW, &terminal->saved);
	tcflush(terminal->tty_fd, TCIFLUSH);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* Its last message, and what it said before of output. */
static int64_t read_total(struct terminal *terminal)
{
	int control_fd = terminal->control_fd;
	char bytes[sizeof(struct monitor_total) + 1];
	struct monitor_total total;
	int message;

	for (;;) {
		ssize_t n = recv(control_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		/* One that ended with a message of ours unread resets the connection: once. */
		if (n < 0 && errno == ECONNRESET)
			n = recv(control_fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n <= 0)
			return RESULT_NONE;
		if (n == (ssize_t)sizeof(total))
			break;
		if (n == (ssize_t)sizeof(message)) {
			memcpy(&message, bytes, sizeof(message));
			ignore_result(note_output(terminal, message), "others mean nothing now");
		}
	}
	memcpy(&total, bytes, sizeof(total));
	return total.bytes <= INT64_MAX ? (int64_t)total.bytes : RESULT_NONE;
}

void terminal_finish(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;
	struct err err;
	bool is_told;
	int patience_ms;

	if (terminal->monitor_pidfd < 0)
		return;
	/* Before it the pty's last holder may be this process. */
	close_fd(&terminal->master_fd);
	is_told = terminal->control_fd >= 0 && say(launch, MONITOR_FINISH, &err) == 0;
	patience_ms = launch->decision->keeps_output ? RECORDER_FINISH_MS : FINISH_MS;
	if (confined_end(&terminal->monitor_pidfd, is_told ? patience_ms : 0) != 0) {
		launch->recorder.is_lost = launch->decision->keeps_output;
		restore(terminal);
	}
	terminal->state = TERMINAL_GONE;
	if (terminal->control_fd >= 0)
		terminal->output_bytes = read_total(terminal);
	close_fd(&terminal->control_fd);
}
