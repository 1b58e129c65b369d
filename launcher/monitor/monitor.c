/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The relay of terminal and output: between the caller's terminal and the pty that the workload has
 * in its place, and from the pipes that it has in the place of stdout and stderr (output.h). It has
 * either or both; of both it counts the output.
 *
 * Theory of operation. The keeper executes this from a sealed memfd of mode 0111, in a session of
 * its own: nothing of the keeper's memory is left, no `kill -9` of the keeper's group reaches it,
 * and the kernel's job control does not concern it. It has dropped everything before it reads its
 * first byte: no capability, no_new_privs, no new descriptor, file or process, a Landlock domain
 * that allows nothing, and a filter of six system calls. It has three to seven descriptors
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
#include "launcher/monitor/output.h"
#include "launcher/monitor_image.h"

enum {
	DRAIN_ROUNDS = 16,  /* of a buffer: more than the two buffers of a pty hold */
	FINISH_SECONDS = 2, /* without a byte that goes on: the terminal is held by ^S, or stuck */
};

struct monitor {
	int tty_fd;
	int master_fd;
	int control_fd;
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
	struct output_pipe pipes[MONITOR_PIPES_MAX];
	int n_pipes;
	struct output_count count;
	uint64_t reported; /* what the keeper knows of */
	bool report_due;   /* MONITOR_REPORT is not answered yet */
	bool said_exceeded;
	bool said_drained;
};

/* Descriptors to look at. They are put side by side: ppoll refuses more than RLIMIT_NOFILE. */
struct watched {
	struct pollfd fds[MONITOR_FDS_MAX];
	int n;
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

static void confine(const struct monitor *m)
{
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	/* stdout may be a file, whose size is then the caller's to limit. */
	if (m->n_pipes == 0)
		bare_no_more_of(RLIMIT_FSIZE, 0);
	bare_confine("cordon-monitor", (uint64_t)m->control_fd + 1, &program);
}

/* ---- modes ---- */

static void say(const struct monitor *m, int message)
{
	/* A keeper that is gone shows as end-of-file. */
	bare_call(SYS_write, m->control_fd, (long)&message, sizeof(message), 0, 0);
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

	if (!m->has_relayed && get_modes(m->master_fd, &now) && is_same(&now, &m->first))
		set_modes(m->master_fd, modes);
	m->has_relayed = true;
}

/* cfmakeraw(3), but for the bits of a serial line, which are the line's. */
static void relay(struct monitor *m)
{
	struct termios now = {0};

	if (m->tty_gone || m->finishes || !get_modes(m->tty_fd, &now))
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
	set_modes(m->tty_fd, &now);
	if (!get_modes(m->tty_fd, &m->raw))
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
	if (!was_relaying || m->tty_gone || !get_modes(m->tty_fd, &now) ||
	    (!always && !is_same(&now, &m->raw)))
		return;
	set_modes(m->tty_fd, &m->saved);
	bare_call(SYS_ioctl, m->tty_fd, TCFLSH, TCIFLUSH, 0, 0);
}

static void resize(const struct monitor *m)
{
	struct winsize size;

	/* The kernel tells the pty's foreground group, where it is another size. */
	if (bare_call(SYS_ioctl, m->tty_fd, TIOCGWINSZ, (long)&size, 0, 0) == 0)
		bare_call(SYS_ioctl, m->master_fd, TIOCSWINSZ, (long)&size, 0, 0);
}

/* ---- bytes ---- */

static bool wants_output(const struct monitor *m)
{
	return !m->master_gone && !m->count.is_exceeded && direction_is_empty(&m->output);
}

static void close_master(struct monitor *m)
{
	if (!m->master_gone)
		bare_call(SYS_close, m->master_fd, 0, 0, 0, 0);
	m->master_gone = true;
	direction_forget(&m->input);
}

/* The workload's terminal goes with the caller's: the kernel hangs up a pty without a master. */
static void on_tty_gone(struct monitor *m)
{
	if (m->tty_gone)
		return;
	m->tty_gone = true;
	close_master(m);
	direction_forget(&m->output);
	say(m, MONITOR_HANGUP);
}

static void write_output(struct monitor *m)
{
	if (output_drain(&m->output, m->tty_fd, &m->count) < 0)
		on_tty_gone(m);
}

/* While the caller's modes are in force its line discipline makes CR LF of LF, as the pty's has
 * done already: a CR too many. */
static void undo_line_ends(const struct monitor *m, struct direction *d)
{
	const tcflag_t makes_crlf = OPOST | ONLCR;
	struct termios now = {0};
	long end = 0;

	if (m->relays || !get_modes(m->tty_fd, &now) || (now.c_oflag & makes_crlf) != makes_crlf)
		return;
	for (long i = 0; i < d->end; i++)
		if (d->bytes[i] != '\r' || i + 1 == d->end || d->bytes[i + 1] != '\n')
			d->bytes[end++] = d->bytes[i];
	d->end = end;
}

static void read_output(struct monitor *m)
{
	/* EIO: the last holder of the slave is gone. */
	if (!output_fill(&m->output, m->master_fd, &m->count))
		close_master(m);
	else
		undo_line_ends(m, &m->output);
}

static void write_input(struct monitor *m)
{
	if (direction_drain(&m->input, m->master_fd) < 0)
		close_master(m);
}

/* What the workload wrote before it stopped is shown before the shell's next word. */
static void pass_on_what_is_there(struct monitor *m)
{
	for (int i = 0; i < DRAIN_ROUNDS && !m->tty_gone; i++) {
		if (wants_output(m))
			read_output(m);
		if (direction_is_empty(&m->output))
			return;
		write_output(m);
	}
}

/* ---- conversation ---- */

static void on_message(struct monitor *m)
{
	int message = 0;
	long n = bare_call(SYS_read, m->control_fd, (long)&message, sizeof(message), 0, 0);

	if (n != sizeof(message)) {
		restore(m, false);
		bare_exit(0);
	}
	m->begun = m->begun || message == MONITOR_RELAY || message == MONITOR_HOLD ||
		   message == MONITOR_FINISH;
	m->report_due = m->report_due || message == MONITOR_REPORT;
	m->relay_due = message == MONITOR_RELAY || (m->relay_due && message != MONITOR_HOLD);
	if (message == MONITOR_HOLD) {
		pass_on_what_is_there(m);
		restore(m, false);
		say(m, MONITOR_HELD);
	}
	if (message == MONITOR_RESIZE && !m->tty_gone && !m->master_gone)
		resize(m);
	if (message == MONITOR_READ && m->asks) {
		m->asks = false;
		if (m->relays && !m->tty_gone && direction_is_empty(&m->input) &&
		    !direction_fill(&m->input, m->tty_fd, DIRECTION_BUFFER))
			on_tty_gone(m);
	}
	if (message == MONITOR_FINISH) {
		m->finishes = true;
		direction_forget(&m->input);
	}
}

static void on_tty(struct monitor *m, int events)
{
	if (events & (POLLHUP | POLLERR | POLLNVAL)) {
		on_tty_gone(m);
		return;
	}
	if ((events & POLLOUT) && !direction_is_empty(&m->output))
		write_output(m);
	if ((events & POLLIN) && m->relays && !m->asks) {
		m->asks = true;
		say(m, MONITOR_INPUT);
	}
}

static void on_master(struct monitor *m, int events)
{
	if ((events & POLLOUT) && !direction_is_empty(&m->input))
		write_input(m);
	if ((events & ~POLLOUT) && wants_output(m))
		read_output(m);
}

static void move(struct monitor *m, struct output_pipe *pipe, int from, int to)
{
	long error = output_on_events(pipe, from, to, &m->count);

	if (error != 0)
		say(m, MONITOR_UNWRITABLE + (int)error);
}

static bool are_pipes_done(const struct monitor *m)
{
	for (int i = 0; i < m->n_pipes; i++)
		if (!output_is_done(&m->pipes[i], &m->count))
			return false;
	return true;
}

/* What the keeper is to know of the output. */
static void report(struct monitor *m)
{
	uint64_t moved = m->count.taken + m->count.passed;

	if (m->count.is_exceeded && !m->said_exceeded) {
		m->said_exceeded = true;
		say(m, MONITOR_EXCEEDED);
	}
	if (m->report_due && moved != m->reported) {
		m->report_due = false;
		m->reported = moved;
		say(m, MONITOR_OUTPUT);
	}
	if (m->n_pipes > 0 && !m->said_drained && are_pipes_done(m)) {
		m->said_drained = true;
		say(m, MONITOR_DRAINED);
	}
}

static _Noreturn void finish(struct monitor *m)
{
	struct monitor_total total = {.bytes = m->count.passed};

	restore(m, true);
	bare_call(SYS_write, m->control_fd, (long)&total, sizeof(total), 0, 0);
	bare_exit(0);
}

/* ---- one round ---- */

static int watch(struct watched *w, int fd, int events)
{
	w->fds[w->n] = (struct pollfd){.fd = fd, .events = (short)events};
	return w->n++;
}

static int seen(const struct watched *w, int at)
{
	return at >= 0 ? w->fds[at].revents : 0;
}

/* Where each stands in what is watched; -1: nowhere. */
struct places {
	int tty;
	int master;
	int from[MONITOR_PIPES_MAX];
	int to[MONITOR_PIPES_MAX];
};

static struct places look_at(const struct monitor *m, struct watched *w)
{
	bool wants_input = m->relays && !m->asks && !m->finishes && direction_is_empty(&m->input);
	int tty = (wants_input ? POLLIN : 0) | (direction_is_empty(&m->output) ? 0 : POLLOUT);
	int master = (wants_output(m) ? POLLIN : 0) | (direction_is_empty(&m->input) ? 0 : POLLOUT);
	struct places at = {.tty = -1, .master = -1};

	watch(w, m->control_fd, POLLIN);
	if (!m->tty_gone)
		at.tty = watch(w, m->tty_fd, tty);
	/* A pty without a slave says POLLHUP whatever it is asked: it is asked when there is room.
	 */
	if (m->begun && !m->master_gone && master != 0)
		at.master = watch(w, m->master_fd, master);
	for (int i = 0; i < m->n_pipes; i++) {
		const struct output_pipe *pipe = &m->pipes[i];
		bool is_empty = direction_is_empty(&pipe->bytes);

		at.from[i] =
			output_wants_bytes(pipe, &m->count) ? watch(w, pipe->from, POLLIN) : -1;
		/* Also where there is nothing to write: its reader may leave. */
		at.to[i] = pipe->is_closed ? -1 : watch(w, pipe->to, is_empty ? 0 : POLLOUT);
	}
	return at;
}

static void step(struct monitor *m)
{
	struct timespec patience = {.tv_sec = FINISH_SECONDS};
	struct watched w = {.n = 0};
	struct places at = look_at(m, &w);
	long n = bare_call(SYS_ppoll, (long)w.fds, w.n, m->finishes ? (long)&patience : 0, 0, 0);

	if (n < 0 && n != -EINTR) {
		restore(m, true);
		bare_exit(125);
	}
	if (n > 0 && seen(&w, at.tty) != 0)
		on_tty(m, seen(&w, at.tty));
	if (n > 0 && seen(&w, at.master) != 0)
		on_master(m, seen(&w, at.master));
	for (int i = 0; n > 0 && i < m->n_pipes; i++)
		move(m, &m->pipes[i], seen(&w, at.from[i]), seen(&w, at.to[i]));
	if (n > 0 && seen(&w, 0) != 0)
		on_message(m);
	/* Its lines end for the caller's modes (undo_line_ends). */
	if (m->relay_due && direction_is_empty(&m->output)) {
		m->relay_due = false;
		relay(m);
	}
	report(m);
	if (m->finishes &&
	    (n == 0 || (are_pipes_done(m) &&
			(m->tty_gone || (direction_is_empty(&m->output) && !wants_output(m))))))
		finish(m);
}

/* ---- what it was started with ---- */

static void take_descriptors(struct monitor *m, const char *letters)
{
	int fd = 0;

	m->tty_gone = m->master_gone = true;
	m->n_pipes = 0;
	for (; *letters != '\0'; letters++, fd += 2) {
		if (*letters == MONITOR_HAS_TERMINAL) {
			m->tty_gone = m->master_gone = false;
			m->tty_fd = fd;
			m->master_fd = fd + 1;
		} else {
			if (*letters != MONITOR_HAS_PIPE || m->n_pipes == MONITOR_PIPES_MAX)
				bare_exit(125);
			output_init(&m->pipes[m->n_pipes++], fd, fd + 1);
		}
	}
	m->control_fd = fd;
}

_Noreturn void bare_main(long *stack)
{
	struct monitor m;

	if (stack[0] != 3)
		bare_exit(125);
	direction_forget(&m.input);
	direction_forget(&m.output);
	m.begun = m.relay_due = m.relays = m.has_relayed = m.asks = m.finishes = false;
	m.count = (struct output_count){.left = output_parse_limit((const char *)stack[2])};
	m.reported = 0;
	m.report_due = m.said_exceeded = m.said_drained = false;
	take_descriptors(&m, (const char *)stack[3]);
	confine(&m);
	if (!m.master_gone && !get_modes(m.master_fd, &m.first))
		bare_exit(125);
	say(&m, MONITOR_CONFINED);
	for (;;)
		step(&m);
}
