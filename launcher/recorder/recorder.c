/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder: what the monitor is for a sandbox in the foreground, for one that is kept and runs
 * in the background. It reads the pipes that the workload has at 1 and 2, and writes what comes
 * into the sandbox's log files (log_writer.h).
 *
 * Theory of operation. The keeper opens everything and executes this from a sealed memfd of mode
 * 0111, in a session of its own. Before its first byte it drops all that it has: no capability,
 * no_new_privs, no new file or process, a Landlock domain that allows nothing, and a filter of
 * eleven system calls. It has the pipes or the pty's master, the log files, the keeper's socket,
 * and one for each of those who are attached, which come by that (launcher/attach.h). It looks at
 * no byte of the workload's, and of theirs at the first of a message.
 *
 * It waits for nobody but the log's disk, so the workload never waits for a reader, and what does
 * not fit there is counted and dropped. When the keeper is gone (end-of-file of the control socket)
 * so is the sandbox: what the pipes still hold is written, and that is all.
 */
#include <asm/termios.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "launcher/bare.h"
#include "launcher/bare_confine.h"
#include "launcher/monitor_image.h"
#include "launcher/recorder/log_writer.h"
#include "launcher/recorder_image.h"

/* Of a frame each: more than a pipe holds, unless its size was changed. */
enum { DRAIN_ROUNDS = 64, CLIENTS_MAX = 8 };

struct source {
	int fd;
	enum log_stream stream;
	bool has_ended;
};

struct recorder {
	int control_fd;
	struct source sources[RECORDER_SOURCES_MAX];
	int n_sources;
	int master_fd; /* of the workload's pty; -1: it has none */
	int input_fd;  /* what is typed goes there: the master, or a pipe; -1: nowhere (any more) */
	int clients[CLIENTS_MAX];
	int n_clients;
	/* One message of a client's; the next is read when the workload has taken it. With room for
	 * a byte more than there may be, by which one that is too long shows. */
	char message[1 + CLIENT_INPUT_MAX + 1];
	long input_start;
	long input_end;
	struct log_writer log;
	struct log_buffer buffer;
	uint64_t left;   /* until limits.output */
	uint64_t passed; /* kept, or lost for want of room */
	uint64_t reported;
	bool is_exceeded;
	bool report_due; /* MONITOR_REPORT is not answered yet */
	bool said_exceeded;
	bool said_drained;
};

/* ---- confinement ---- */

/* All that the recorder does from here on. */
static const struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 0, 14),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 13, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 12, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 11, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 10, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 9, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 8, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 7, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ftruncate, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvmsg, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 2),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TIOCSWINSZ, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* The second lock on the size of the files, where the caller has not a tighter one. */
static void limit_files(uint64_t max)
{
	uint64_t now[2] = {0, 0};

	if (bare_call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)now, 0) != 0)
		bare_exit(125);
	bare_no_more_of(RLIMIT_FSIZE, max < now[1] ? max : now[1]);
}

static void confine(const struct recorder *r)
{
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = (struct sock_filter *)filter};

	limit_files(r->log.max);
	/* And one that is refused for want of room. */
	bare_confine("cordon-recorder", (uint64_t)r->control_fd + 1 + CLIENTS_MAX + 1, &program);
}

/* ---- bytes ---- */

static void close_input(struct recorder *r)
{
	if (r->input_fd >= 0 && r->input_fd != r->master_fd)
		bare_call(SYS_close, r->input_fd, 0, 0, 0, 0);
	r->input_fd = -1;
	r->input_start = r->input_end = 0;
}

static void end_source(struct recorder *r, struct source *source)
{
	if (source->fd == r->master_fd) {
		close_input(r);
		r->master_fd = -1;
	}
	bare_call(SYS_close, source->fd, 0, 0, 0, 0);
	source->has_ended = true;
}

/* Reads once. One byte more than may be kept is asked for, and never kept. False: there is nothing
 * (yet). */
static bool record(struct recorder *r, struct source *source)
{
	bool is_last = r->left < LOG_FRAME_MAX;
	long n = bare_call(SYS_read, source->fd, (long)r->buffer.bytes,
			   is_last ? (long)r->left + 1 : (long)LOG_FRAME_MAX, 0, 0);

	if (n == -EAGAIN || n == -EINTR)
		return false;
	if (n <= 0) {
		end_source(r, source);
		return false;
	}
	if (is_last && (uint64_t)n > r->left) {
		n = (long)r->left;
		r->is_exceeded = true;
	}
	r->left -= (uint64_t)n;
	r->passed += (uint64_t)n;
	if (n > 0)
		log_put(&r->log, &r->buffer, source->stream, (uint32_t)n);
	return true;
}

static bool wants_bytes(const struct recorder *r, const struct source *source)
{
	return !source->has_ended && !r->is_exceeded;
}

static void drain(struct recorder *r)
{
	for (int i = 0; i < r->n_sources; i++)
		for (int round = 0; round < DRAIN_ROUNDS && wants_bytes(r, &r->sources[i]); round++)
			if (!record(r, &r->sources[i]))
				break;
	log_tell_lost(&r->log);
}

/* ---- those who are attached ---- */

static bool has_input(const struct recorder *r)
{
	return r->input_start < r->input_end;
}

/* Somebody who no longer reads is no reason to wait: it is the workload, who may be stopped. */
static void pass_input_on(struct recorder *r)
{
	long n = bare_call(SYS_write, r->input_fd, (long)(r->message + r->input_start),
			   r->input_end - r->input_start, 0, 0);

	if (n > 0)
		r->input_start += n;
	else if (n != -EAGAIN && n != -EINTR)
		close_input(r);
}

static void drop_client(struct recorder *r, int at)
{
	bare_call(SYS_close, r->clients[at], 0, 0, 0, 0);
	r->clients[at] = r->clients[--r->n_clients];
}

static void resize(const struct recorder *r)
{
	struct client_size size = {0};
	struct winsize window = {.ws_row = 0};

	for (unsigned long i = 0; i < sizeof(size); i++)
		((char *)&size)[i] = r->message[1 + i];
	window.ws_row = size.rows;
	window.ws_col = size.columns;
	/* The kernel tells the foreground group, where it is another size. */
	if (r->master_fd >= 0)
		bare_call(SYS_ioctl, r->master_fd, TIOCSWINSZ, (long)&window, 0, 0);
}

/* False: it is gone, or does not keep to the form. */
static bool take_message(struct recorder *r, int client)
{
	long n = bare_call(SYS_read, client, (long)r->message, sizeof(r->message), 0, 0);

	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n < 1 || n > 1 + CLIENT_INPUT_MAX)
		return false;
	if (r->message[0] == CLIENT_SIZE && n == 1 + (long)sizeof(struct client_size)) {
		resize(r);
		return true;
	}
	if (r->message[0] == CLIENT_END && n == 1) {
		if (r->input_fd != r->master_fd)
			close_input(r);
		return true;
	}
	if (r->message[0] != CLIENT_INPUT || n < 2)
		return false;
	if (r->input_fd >= 0) {
		r->input_start = 1;
		r->input_end = n;
		pass_input_on(r);
	}
	return true;
}

static void add_client(struct recorder *r, int fd)
{
	if (r->n_clients == CLIENTS_MAX)
		bare_call(SYS_close, fd, 0, 0, 0, 0);
	else
		r->clients[r->n_clients++] = fd;
}

/* ---- conversation ---- */

static void say(const struct recorder *r, int message)
{
	/* A keeper that is gone shows as end-of-file. */
	bare_call(SYS_write, r->control_fd, (long)&message, sizeof(message), 0, 0);
}

static bool is_done(const struct recorder *r)
{
	for (int i = 0; i < r->n_sources; i++)
		if (wants_bytes(r, &r->sources[i]))
			return false;
	return true;
}

/* What the keeper is to know of the output. */
static void report(struct recorder *r)
{
	if (r->is_exceeded && !r->said_exceeded) {
		r->said_exceeded = true;
		say(r, MONITOR_EXCEEDED);
	}
	if (r->report_due && r->passed != r->reported) {
		r->report_due = false;
		r->reported = r->passed;
		say(r, MONITOR_OUTPUT);
	}
	if (!r->said_drained && is_done(r)) {
		r->said_drained = true;
		say(r, MONITOR_DRAINED);
	}
}

static _Noreturn void finish(struct recorder *r)
{
	struct monitor_total total;

	drain(r);
	report(r);
	total.bytes = r->passed;
	bare_call(SYS_write, r->control_fd, (long)&total, sizeof(total), 0, 0);
	bare_exit(0);
}

/* A message, and the descriptor that comes with it, if one does. */
static long receive(int control_fd, int *ret_message, int *ret_fd)
{
	struct iovec part = {.iov_base = ret_message, .iov_len = sizeof(*ret_message)};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.bytes = {0}};
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = sizeof(control)};
	long n = bare_call(SYS_recvmsg, control_fd, (long)&header, MSG_CMSG_CLOEXEC, 0, 0);

	if (n > 0 && header.msg_controllen >= CMSG_LEN(sizeof(int)) &&
	    control.head.cmsg_level == SOL_SOCKET && control.head.cmsg_type == SCM_RIGHTS)
		*ret_fd = *(const int *)CMSG_DATA(&control.head);
	return n;
}

static void on_message(struct recorder *r)
{
	int message = 0;
	int fd = -1;
	long n = receive(r->control_fd, &message, &fd);

	if (n != sizeof(message) || message == MONITOR_FINISH)
		finish(r);
	if (message == MONITOR_CLIENT && fd >= 0)
		add_client(r, fd);
	r->report_due = r->report_due || message == MONITOR_REPORT;
	if (message == MONITOR_PING)
		say(r, MONITOR_PONG);
}

/* ---- one round ---- */

/* Control, sources, where input goes, clients: in this order. */
enum { WATCHED_MAX = 1 + RECORDER_SOURCES_MAX + 1 + CLIENTS_MAX };

struct watched {
	struct pollfd fds[WATCHED_MAX];
	int n;
};

static int watch(struct watched *w, int fd, int events)
{
	w->fds[w->n] = (struct pollfd){.fd = fd, .events = (short)events};
	return w->n++;
}

/* From the last to the first: one that is dropped leaves its place to the last. */
static void hear_clients(struct recorder *r, const struct watched *w, int first)
{
	for (int i = r->n_clients - 1; i >= 0; i--)
		if (w->fds[first + i].revents != 0 && !has_input(r) &&
		    !take_message(r, r->clients[i]))
			drop_client(r, i);
}

static void step(struct recorder *r)
{
	struct watched w = {.n = 0};
	struct source *sources[WATCHED_MAX];
	int first_client, input = -1;
	long ready;

	watch(&w, r->control_fd, POLLIN);
	for (int i = 0; i < r->n_sources; i++)
		if (wants_bytes(r, &r->sources[i]))
			sources[watch(&w, r->sources[i].fd, POLLIN)] = &r->sources[i];
	if (has_input(r))
		input = watch(&w, r->input_fd, POLLOUT);
	first_client = w.n;
	/* Not one of them is heard before the workload has taken what came before. */
	for (int i = 0; i < r->n_clients && !has_input(r); i++)
		watch(&w, r->clients[i], POLLIN);
	ready = bare_call(SYS_ppoll, (long)w.fds, w.n, 0, 0, 0);
	if (ready < 0 && ready != -EINTR)
		bare_exit(125);
	if (ready > 0 && first_client < w.n)
		hear_clients(r, &w, first_client);
	if (ready > 0 && input >= 0 && w.fds[input].revents != 0)
		pass_input_on(r);
	for (int i = 1; ready > 0 && i < (input >= 0 ? input : first_client); i++)
		if (w.fds[i].revents != 0)
			record(r, sources[i]);
	if (ready > 0 && w.fds[0].revents != 0)
		on_message(r);
	report(r);
}

/* ---- what it was started with ---- */

/* Decimal. */
static uint64_t parse_number(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

static void add_source(struct recorder *r, int fd, enum log_stream stream)
{
	if (r->n_sources == RECORDER_SOURCES_MAX)
		bare_exit(125);
	r->sources[r->n_sources++] = (struct source){.fd = fd, .stream = stream};
}

static void add_master(struct recorder *r, int fd)
{
	r->master_fd = r->input_fd = fd;
	add_source(r, fd, LOG_STDOUT);
}

static void take_descriptors(struct recorder *r, const char *letters)
{
	int fd = 0;

	r->n_sources = r->log.n = 0;
	r->master_fd = r->input_fd = -1;
	for (; *letters != '\0'; letters++, fd++) {
		if (*letters == RECORDER_HAS_STDOUT)
			add_source(r, fd, LOG_STDOUT);
		else if (*letters == RECORDER_HAS_STDERR)
			add_source(r, fd, LOG_STDERR);
		else if (*letters == RECORDER_HAS_STDIN)
			r->input_fd = fd;
		else if (*letters == RECORDER_HAS_MASTER)
			add_master(r, fd);
		else if (*letters == RECORDER_HAS_LOG && r->log.n < LOG_FILES_MAX)
			r->log.fds[r->log.n++] = fd;
		else
			bare_exit(125);
	}
	r->control_fd = fd;
}

_Noreturn void bare_main(long *stack)
{
	struct recorder r;

	if (stack[0] != 4)
		bare_exit(125);
	r.left = parse_number((const char *)stack[2]);
	r.log.max = parse_number((const char *)stack[4]);
	r.passed = r.reported = 0;
	r.n_clients = 0;
	r.input_start = r.input_end = 0;
	r.is_exceeded = r.report_due = r.said_exceeded = r.said_drained = false;
	take_descriptors(&r, (const char *)stack[3]);
	if (r.log.n == 0 || r.log.max < LOG_SIZE_LEAST)
		bare_exit(125);
	confine(&r);
	log_begin(&r.log, &r.buffer);
	say(&r, MONITOR_CONFINED);
	for (;;)
		step(&r);
}
