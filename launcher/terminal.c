/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper's part of the terminal; see terminal.h. Runs in the keeper, which stays in the
 * caller's session and process group and so can be asked about, and stopped, by the caller's shell.
 * It reads no byte of the terminal: only messages of one int, looked up in an enum.
 */
#include "launcher/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/child.h"
#include "launcher/launch.h"
#include "launcher/monitor_image.h"
#include "launcher/readback.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

enum {
	SPARE_FD = 10,       /* above what the monitor is started with */
	START_MS = 5000,     /* until it is confined */
	ANSWER_MS = 2000,    /* until it has put the modes back */
	FINISH_MS = 10000,   /* until it has passed everything on: it gives up after 2 s itself */
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
				      .monitor_pidfd = -EBADF};
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

/* Leaves exactly the monitor's descriptors, at the numbers that it expects. */
static int place_fds(const struct launch *launch, int control, int image)
{
	int tty = fcntl(launch->terminal.tty_fd, F_DUPFD_CLOEXEC, SPARE_FD);
	int master = fcntl(launch->terminal.master_fd, F_DUPFD_CLOEXEC, SPARE_FD);
	int r;

	control = fcntl(control, F_DUPFD_CLOEXEC, SPARE_FD);
	image = fcntl(image, F_DUPFD_CLOEXEC, SPARE_FD);
	if (tty < 0 || master < 0 || control < 0 || image < 0)
		return -errno;
	r = sys_close_range(MONITOR_FDS, ~0U, CLOSE_RANGE_CLOEXEC);
	if (r < 0)
		return r;
	if (dup2(tty, MONITOR_TTY_FD) < 0 || dup2(master, MONITOR_MASTER_FD) < 0 ||
	    dup2(control, MONITOR_CONTROL_FD) < 0)
		return -errno;
	return image;
}

/* As root it becomes the sandbox's init's id: no account's, and none of the workload's. */
static int become_nobody(const struct launch *launch, struct err *err)
{
	uint32_t id = launch->run.block_first + IDENTITY_INIT;
	int r = facts_has_cap(&launch->decision->facts, CAP_SETPCAP) ? child_drop_bounding_set(err)
								     : 0;

	if (r == 0 && launch->decision->plan.ids == IDS_BLOCK)
		r = child_become(launch, id, id, err);
	return r == 0 ? child_drop_capabilities(err) : r;
}

/* In the fork. Says nothing: the keeper sees that it is not there. */
static _Noreturn void monitor_main(const struct launch *launch, int control, int image)
{
	char *argv[] = {(char *)"cordon-monitor", NULL};
	char *envp[] = {NULL};
	struct err err;
	int fd;

	/* No group of the caller's, whose signals it would get, and no controlling terminal, whose
	 * job control would stop it. */
	if (setsid() < 0 || chdir("/") != 0 || become_nobody(launch, &err) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(1);
	fd = place_fds(launch, control, image);
	if (fd < 0)
		_exit(2);
	ignore_result(sys_execveat(fd, "", argv, envp, AT_EMPTY_PATH),
		      "it returns only on failure");
	_exit(3);
}

static int spawn_monitor(struct launch *launch, int control, struct err *err)
{
	_cleanup_fd_ int image =
		prepare_image("cordon-monitor", monitor_image, monitor_image_size, err);
	int pidfd = -EBADF;
	struct sys_clone_args args = {.flags = CLONE_PIDFD,
				      .pidfd = (uint64_t)(uintptr_t)&pidfd,
				      .exit_signal = SIGCHLD};
	pid_t pid;

	if (image < 0)
		return image;
	pid = sys_clone3(&args);
	if (pid == 0)
		monitor_main(launch, control, image);
	if (pid < 0)
		return err_set(err, ERR_SETUP, -pid, "fork the terminal's relay");
	launch->terminal.monitor_pid = pid;
	launch->terminal.monitor_pidfd = pidfd;
	return 0;
}

/* Returns the message, 0 where the monitor is gone, or -errno (-EAGAIN: none came in time). */
static int receive(const struct terminal *terminal, int timeout_ms)
{
	struct pollfd control = {.fd = terminal->control_fd, .events = POLLIN};
	int message = 0;
	int n;

	do
		n = poll(&control, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -EAGAIN;
	if (recv(terminal->control_fd, &message, sizeof(message), MSG_DONTWAIT) !=
	    (ssize_t)sizeof(message))
		return 0;
	return message;
}

int terminal_start_monitor(struct launch *launch, struct err *err)
{
	struct terminal *terminal = &launch->terminal;
	_cleanup_fd_ int theirs = -EBADF;
	int pair[2];
	int r;

	terminal->tty_fd = open_terminal(launch, err);
	if (terminal->tty_fd < 0)
		return terminal->tty_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_SETUP, errno, "socket pair for the terminal's relay");
	terminal->control_fd = pair[0];
	theirs = pair[1];
	r = spawn_monitor(launch, theirs, err);
	if (r < 0)
		return r;
	close_fd(&theirs);
	close_fd(&terminal->master_fd);
	if (receive(terminal, START_MS) != MONITOR_CONFINED)
		return err_set(err, ERR_SETUP, 0, "the terminal's relay did not start");
	return 0;
}

int terminal_verify_monitor(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	bool has_block = d->plan.ids == IDS_BLOCK;
	struct readback_want want = {
		.uid = has_block ? launch->run.block_first + IDENTITY_INIT : d->facts.euid,
		.gid = has_block ? launch->run.block_first + IDENTITY_INIT : d->facts.egid,
		.no_groups = has_block,
		.keeps_bounding_set = !facts_has_cap(&d->facts, CAP_SETPCAP),
		.filtered = true,
	};
	int r;

	if (launch->terminal.monitor_pid <= 0)
		return err_set(err, ERR_SETUP, 0, "the terminal has no relay");
	r = readback_process(launch->terminal.monitor_pid, &want, err);
	return r < 0 ? err_wrap(err, "the terminal's relay") : 0;
}

/* ---- conversation ---- */

static int relay_lost(struct launch *launch, struct err *err)
{
	/* Its modes may still be set: terminal_finish sees to that. */
	close_fd(&launch->terminal.control_fd);
	return err_set(err, ERR_SETUP, 0, "the terminal's relay ended unexpectedly");
}

static int say(struct launch *launch, enum monitor_message message, struct err *err)
{
	int text = (int)message;

	launch->terminal.holds_due += message == MONITOR_HOLD;
	/* A monitor that does not read is as good as dead. */
	return send(launch->terminal.control_fd, &text, sizeof(text),
		    MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(text)
		       ? relay_lost(launch, err)
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

	if (terminal->control_fd < 0 || terminal->state == TERMINAL_GONE)
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
	return launch->terminal.control_fd >= 0 ? say(launch, MONITOR_RESIZE, err) : 0;
}

/* Whether the monitor may read what is there. Asked before each read, so that nothing is read after
 * the shell took the terminal back. */
static int answer_input(struct launch *launch, struct err *err)
{
	if (launch->terminal.state == TERMINAL_RELAYED && may_read(launch))
		return say(launch, MONITOR_READ, err);
	return terminal_refresh(launch, err);
}

int terminal_on_message(struct launch *launch, bool *ret_hangup, struct err *err)
{
	int message = receive(&launch->terminal, 0);

	*ret_hangup = false;
	if (message == -EAGAIN)
		return 0;
	if (message <= 0)
		return relay_lost(launch, err);
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
	case MONITOR_CONFINED:
	case MONITOR_RELAY:
	case MONITOR_HOLD:
	case MONITOR_READ:
	case MONITOR_RESIZE:
	case MONITOR_FINISH:
		break;
	}
	return err_set(err, ERR_BUG, EPROTO, "message %d from the terminal's relay", message);
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
		int message = receive(terminal, ANSWER_MS);

		if (message == MONITOR_HELD)
			terminal->holds_due--;
		else if (message == MONITOR_HANGUP)
			terminal->state = TERMINAL_GONE;
		else if (message != MONITOR_INPUT) /* asked before it knew: answered by this */
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

void terminal_finish(struct launch *launch)
{
	struct terminal *terminal = &launch->terminal;
	struct pollfd ended = {.fd = terminal->monitor_pidfd, .events = POLLIN};
	siginfo_t info = {0};
	struct err err;
	int n;

	if (terminal->monitor_pidfd < 0)
		return;
	/* Before it the pty's last holder may be this process. */
	close_fd(&terminal->master_fd);
	if (terminal->control_fd >= 0 && say(launch, MONITOR_FINISH, &err) == 0) {
		do
			n = poll(&ended, 1, FINISH_MS);
		while (n < 0 && errno == EINTR);
	}
	ignore_result(sys_pidfd_send_signal(terminal->monitor_pidfd, SIGKILL, 0),
		      "it has ended as it should");
	ignore_result(sys_waitid(P_PIDFD, (id_t)terminal->monitor_pidfd, &info, WEXITED | __WALL,
				 NULL),
		      "our own child");
	if (info.si_code != CLD_EXITED || info.si_status != 0)
		restore(terminal);
	terminal->state = TERMINAL_GONE;
	close_fd(&terminal->monitor_pidfd);
	close_fd(&terminal->control_fd);
}
