/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The terminal's relay: between the caller's terminal and the pty that the workload has in its
 * place.
 *
 * Theory of operation. The keeper executes this from a sealed memfd of mode 0111, in a session of
 * its own: nothing of the keeper's memory is left, no `kill -9` of the keeper's group reaches it,
 * and the kernel's job control does not concern it. It has dropped everything before it reads its
 * first byte: no capability, no_new_privs, no new descriptor, file or process, a Landlock domain
 * that allows nothing, and a filter of six system calls. It has three descriptors
 * (monitor_image.h). The bytes that it moves are the workload's and the user's; it looks at none
 * but the ends of lines (undo_line_ends).
 *
 * It may not know whether the caller's job is in the foreground: that takes the controlling
 * terminal, which the keeper has. So it asks before each read of the terminal. A keeper that is
 * stopped does not answer, and what is typed at the shell's prompt then is the shell's.
 *
 * The modes of the terminal are put back when the keeper says so, and when the keeper dies
 * (end-of-file of the control socket). Input that came meanwhile is flushed with it: a terminal
 * answers escape sequences by typing, and the answers to an untrusted program's must not land in
 * the caller's shell.
 */
#include <asm/termios.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "launcher/bare.h"
#include "launcher/bare_confine.h"
#include "launcher/monitor_image.h"

enum {
	BUFFER = 4096,
	DRAIN_ROUNDS = 16,  /* of BUFFER: more than the two buffers of a pty hold */
	FINISH_SECONDS = 2, /* without a byte that goes on: the terminal is held by ^S, or stuck */
};

struct direction {
	char bytes[BUFFER];
	long start;
	long end;
};

struct monitor {
	struct direction input;  /* from the terminal to the pty */
	struct direction output; /* from the pty to the terminal */
	struct termios saved;    /* the caller's modes */
	struct termios raw;      /* ours, as they read back */
	struct termios first;    /* the pty's, before the workload runs */
	bool begun; /* the keeper has said how the terminal stands: until then nothing is shown */
	bool relay_due; /* when what was read under the caller's modes has been written */
	bool relays;
	bool has_relayed;
	bool asks; /* MONITOR_INPUT is not answered yet */
	bool finishes;
	bool tty_gone;
	bool master_gone;
};

/* ---- confinement ---- */

/* All that the monitor does from here on. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 0, 13),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 12, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 11, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 10, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 9, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 8, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 6),
	/* Modes and sizes; not TIOCSTI, which types. */
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCGETS, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCSETS, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TCFLSH, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCGWINSZ, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSWINSZ, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static void confine(void)
{
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	bare_confine("cordon-monitor", MONITOR_FDS, &program);
}

/* ---- modes ---- */

static void say(int message)
{
	/* A keeper that is gone shows as end-of-file. */
	bare_call(SYS_write, MONITOR_CONTROL_FD, (long)&message, sizeof(message), 0, 0);
}

static bool get_modes(int fd, struct termios *ret)
{
	return bare_call(SYS_ioctl, fd, TCGETS, (long)ret, 0, 0) == 0;
}

static void set_modes(int fd, const struct termios *modes)
{
	/* At once, not when the output has drained: a terminal that ^S holds never drains. */
	bare_call(SYS_ioctl, fd, TCSETS, (long)modes, 0, 0);
}

static bool is_same(const struct termios *a, const struct termios *b)
{
	for (unsigned i = 0; i < sizeof(a->c_cc) / sizeof(a->c_cc[0]); i++)
		if (a->c_cc[i] != b->c_cc[i])
			return false;
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && a->c_line == b->c_line;
}

/* A run that began in the background copied whatever modes the shell's prompt had. What the
 * workload has set itself stays. */
static void set_first_modes(struct monitor *m, const struct termios *modes)
{
	struct termios now = {0};

	if (!m->has_relayed && get_modes(MONITOR_MASTER_FD, &now) && is_same(&now, &m->first))
		set_modes(MONITOR_MASTER_FD, modes);
	m->has_relayed = true;
}

/* cfmakeraw(3), but for the bits of a serial line, which are the line's. */
static void relay(struct monitor *m)
{
	struct termios now = {0};

	if (m->tty_gone || m->finishes || !get_modes(MONITOR_TTY_FD, &now))
		return;
	/* After a stop that nobody announced the shell may have set its own. */
	if (!m->relays || !is_same(&now, &m->raw))
		m->saved = now;
	set_first_modes(m, &m->saved);
	now.c_iflag &=
		~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	now.c_oflag &= ~(tcflag_t)OPOST;
	now.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	set_modes(MONITOR_TTY_FD, &now);
	if (!get_modes(MONITOR_TTY_FD, &m->raw))
		m->raw = now;
	m->relays = true;
}

/* Unless always: only where the modes are still ours. The shell may have taken the terminal back.
 */
static void restore(struct monitor *m, bool always)
{
	struct termios now = {0};
	bool was_relaying = m->relays;

	m->relays = false;
	m->asks = false;
	if (!was_relaying || m->tty_gone || !get_modes(MONITOR_TTY_FD, &now) ||
	    (!always && !is_same(&now, &m->raw)))
		return;
	set_modes(MONITOR_TTY_FD, &m->saved);
	bare_call(SYS_ioctl, MONITOR_TTY_FD, TCFLSH, TCIFLUSH, 0, 0);
}

static void resize(void)
{
	struct winsize size;

	/* The kernel tells the pty's foreground group, where it is another size. */
	if (bare_call(SYS_ioctl, MONITOR_TTY_FD, TIOCGWINSZ, (long)&size, 0, 0) == 0)
		bare_call(SYS_ioctl, MONITOR_MASTER_FD, TIOCSWINSZ, (long)&size, 0, 0);
}

/* ---- bytes ---- */

static bool is_empty(const struct direction *d)
{
	return d->start == d->end;
}

static void forget(struct direction *d)
{
	d->start = d->end = 0;
}

/* Reads once into an empty buffer. False: nothing will come any more. */
static bool fill(struct direction *d, int fd)
{
	long n = bare_call(SYS_read, fd, (long)d->bytes, BUFFER, 0, 0);

	d->start = 0;
	d->end = n > 0 ? n : 0;
	return n > 0 || n == -EAGAIN || n == -EINTR;
}

/* Writes once. False: nobody is there to take it. */
static bool drain(struct direction *d, int fd)
{
	long n = bare_call(SYS_write, fd, (long)(d->bytes + d->start), d->end - d->start, 0, 0);

	if (n > 0)
		d->start += n;
	return n >= 0 || n == -EAGAIN || n == -EINTR;
}

static void close_master(struct monitor *m)
{
	if (!m->master_gone)
		bare_call(SYS_close, MONITOR_MASTER_FD, 0, 0, 0, 0);
	m->master_gone = true;
	forget(&m->input);
}

/* The workload's terminal goes with the caller's: the kernel hangs up a pty without a master. */
static void on_tty_gone(struct monitor *m)
{
	if (m->tty_gone)
		return;
	m->tty_gone = true;
	close_master(m);
	forget(&m->output);
	say(MONITOR_HANGUP);
}

static void write_output(struct monitor *m)
{
	if (!drain(&m->output, MONITOR_TTY_FD))
		on_tty_gone(m);
}

/* While the caller's modes are in force its line discipline makes CR LF of LF, as the pty's has
 * done already: a CR too many. */
static void undo_line_ends(const struct monitor *m, struct direction *d)
{
	const tcflag_t makes_crlf = OPOST | ONLCR;
	struct termios now = {0};
	long end = 0;

	if (m->relays || !get_modes(MONITOR_TTY_FD, &now) ||
	    (now.c_oflag & makes_crlf) != makes_crlf)
		return;
	for (long i = 0; i < d->end; i++)
		if (d->bytes[i] != '\r' || i + 1 == d->end || d->bytes[i + 1] != '\n')
			d->bytes[end++] = d->bytes[i];
	d->end = end;
}

static void read_output(struct monitor *m)
{
	/* EIO: the last holder of the slave is gone. */
	if (!fill(&m->output, MONITOR_MASTER_FD))
		close_master(m);
	else
		undo_line_ends(m, &m->output);
}

static void write_input(struct monitor *m)
{
	if (!drain(&m->input, MONITOR_MASTER_FD))
		close_master(m);
}

/* What the workload wrote before it stopped is shown before the shell's next word. */
static void pass_on_what_is_there(struct monitor *m)
{
	for (int i = 0; i < DRAIN_ROUNDS && !m->tty_gone; i++) {
		if (is_empty(&m->output) && !m->master_gone)
			read_output(m);
		if (is_empty(&m->output))
			return;
		write_output(m);
	}
}

/* ---- conversation ---- */

static void on_message(struct monitor *m)
{
	int message = 0;
	long n = bare_call(SYS_read, MONITOR_CONTROL_FD, (long)&message, sizeof(message), 0, 0);

	if (n != sizeof(message)) {
		restore(m, false);
		bare_exit(0);
	}
	m->begun = m->begun || message != MONITOR_RESIZE;
	m->relay_due = message == MONITOR_RELAY || (m->relay_due && message != MONITOR_HOLD);
	if (message == MONITOR_HOLD) {
		pass_on_what_is_there(m);
		restore(m, false);
		say(MONITOR_HELD);
	}
	if (message == MONITOR_RESIZE && !m->tty_gone && !m->master_gone)
		resize();
	if (message == MONITOR_READ && m->asks) {
		m->asks = false;
		if (m->relays && !m->tty_gone && is_empty(&m->input) &&
		    !fill(&m->input, MONITOR_TTY_FD))
			on_tty_gone(m);
	}
	if (message == MONITOR_FINISH) {
		m->finishes = true;
		forget(&m->input);
	}
}

static void on_tty(struct monitor *m, int events)
{
	if (events & (POLLHUP | POLLERR | POLLNVAL)) {
		on_tty_gone(m);
		return;
	}
	if ((events & POLLOUT) && !is_empty(&m->output))
		write_output(m);
	if ((events & POLLIN) && m->relays && !m->asks) {
		m->asks = true;
		say(MONITOR_INPUT);
	}
}

static void on_master(struct monitor *m, int events)
{
	if ((events & POLLOUT) && !is_empty(&m->input))
		write_input(m);
	if ((events & ~POLLOUT) && is_empty(&m->output) && !m->master_gone)
		read_output(m);
}

static void step(struct monitor *m)
{
	struct timespec patience = {.tv_sec = FINISH_SECONDS};
	bool wants_input = m->relays && !m->asks && !m->finishes && is_empty(&m->input);
	short tty = (short)((wants_input ? POLLIN : 0) | (is_empty(&m->output) ? 0 : POLLOUT));
	short master =
		(short)((is_empty(&m->output) ? POLLIN : 0) | (is_empty(&m->input) ? 0 : POLLOUT));
	/* A pty without a slave says POLLHUP whatever it is asked: it is asked when there is room.
	 */
	struct pollfd fds[3] = {
		{.fd = MONITOR_CONTROL_FD, .events = POLLIN},
		{.fd = m->tty_gone ? -1 : MONITOR_TTY_FD, .events = tty},
		{.fd = m->begun && !m->master_gone && master != 0 ? MONITOR_MASTER_FD : -1,
		 .events = master},
	};
	long n = bare_call(SYS_ppoll, (long)fds, 3, m->finishes ? (long)&patience : 0, 0, 0);

	if (n < 0 && n != -EINTR) {
		restore(m, true);
		bare_exit(125);
	}
	if (n > 0 && fds[1].revents != 0)
		on_tty(m, fds[1].revents);
	if (n > 0 && fds[2].revents != 0)
		on_master(m, fds[2].revents);
	if (n > 0 && fds[0].revents != 0)
		on_message(m);
	/* Its lines end for the caller's modes (undo_line_ends). */
	if (m->relay_due && is_empty(&m->output)) {
		m->relay_due = false;
		relay(m);
	}
	if (m->finishes && (n == 0 || m->tty_gone || (m->master_gone && is_empty(&m->output)))) {
		restore(m, true);
		bare_exit(0);
	}
}

_Noreturn void bare_main(long *stack)
{
	struct monitor m;

	(void)stack;
	forget(&m.input);
	forget(&m.output);
	m.begun = m.relay_due = m.relays = m.has_relayed = m.asks = m.finishes = m.tty_gone =
		m.master_gone = false;
	confine();
	if (!get_modes(MONITOR_MASTER_FD, &m.first))
		bare_exit(125);
	say(MONITOR_CONFINED);
	for (;;)
		step(&m);
}
