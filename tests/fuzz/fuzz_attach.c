/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzzes what the recorder makes of those who are attached: any messages, of clients that come and
 * go, for a workload that reads, does not read, or has closed its stdin. What keeps to the form
 * (log_format.h) arrives, whole and in order; who does not keep to it is sent away, and nobody
 * else is. The input is a list of steps: a letter, and for some of them bytes behind it.
 *
 *     m KIND LOW HIGH   a message of that many bytes, the first of which is KIND
 *     r N               the workload reads N * 64 bytes
 *     c                 it has read all, and closes its stdin
 *     n                 it has read all; another client is the one that sends
 *     x                 ... and the one that sends goes away
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the place of bare.h and bare_confine.h. */
#define CORDON_LAUNCHER_BARE_H
#define CORDON_LAUNCHER_BARE_CONFINE_H
#define BARE_NATIVE_ARCH 0

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
_Noreturn void bare_main(long *stack);

/* What the recorder would wait for is what comes with the next step. */
static long last_ready;

static long bare_call(long n, long a, long b, long c, long d, long e)
{
	struct timespec now = {0, 0}; /* which the call writes to */
	long result = syscall(n, a, b, n == SYS_ppoll ? (long)&now : c, d, e);

	result = result < 0 ? -errno : result;
	if (n == SYS_ppoll)
		last_ready = result;
	return result;
}

/* Nothing that a client does ends it. */
static _Noreturn void bare_exit(int code)
{
	(void)code;
	abort();
}

static void bare_no_more_of(int what, uint64_t max)
{
	(void)what;
	(void)max;
}

static void bare_confine(const char *name, uint64_t fds, const void *program)
{
	(void)name;
	(void)fds;
	(void)program;
}

#include "launcher/recorder/recorder.c"

enum { SENDERS_MAX = 12, MESSAGE_MAX = 4200, EXPECTED_MAX = 1 << 18, STEPS_MAX = 4096 };

struct world {
	struct recorder recorder;
	int workload_fd; /* where it reads */
	int senders[SENDERS_MAX];
	int n_senders;
	int n_heard;  /* how many of them are to be connected */
	bool is_gone; /* the last of them is to be sent away, or has left */
	bool has_ended, is_terminal;
	uint8_t next; /* of the bytes that are typed */
	uint8_t expected[EXPECTED_MAX];
	size_t n_expected, n_read;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* ---- the recorder ---- */

static void run(struct world *w)
{
	int n = 0;

	do {
		step(&w->recorder);
		check(n++ < STEPS_MAX); /* it would never wait */
	} while (last_ready > 0);
}

/* ---- the workload ---- */

static size_t read_some(struct world *w, size_t most)
{
	uint8_t bytes[8192];
	ssize_t n;

	if (w->workload_fd < 0 || most == 0)
		return 0;
	n = read(w->workload_fd, bytes, most < sizeof(bytes) ? most : sizeof(bytes));
	if (n <= 0)
		return 0;
	check((size_t)n <= w->n_expected - w->n_read);
	check(memcmp(bytes, w->expected + w->n_read, (size_t)n) == 0);
	w->n_read += (size_t)n;
	return (size_t)n;
}

static void read_all(struct world *w)
{
	do
		run(w);
	while (read_some(w, SIZE_MAX) > 0);
	check(w->n_read == w->n_expected || w->workload_fd < 0);
	check(w->recorder.n_clients == w->n_heard);
}

/* Small, so that they are full now and then. What goes to a terminal may go in parts. */
static void open_stdin(struct world *w)
{
	static const int least = 1;
	int ends[2];

	if (w->is_terminal) {
		check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
		check(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)) == 0);
		w->recorder.master_fd = ends[1];
	} else {
		check(pipe2(ends, O_NONBLOCK) == 0);
		check(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
	}
	w->recorder.input_fd = ends[1];
	w->workload_fd = ends[0];
}

/* ---- who is attached ---- */

static void add_sender(struct world *w)
{
	int ends[2];

	read_all(w);
	if (w->n_senders == SENDERS_MAX)
		return;
	check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
	w->senders[w->n_senders++] = ends[0];
	w->is_gone = w->n_heard == CLIENTS_MAX;
	w->n_heard += !w->is_gone;
	add_client(&w->recorder, ends[1]);
}

static void leave(struct world *w)
{
	int *fd = &w->senders[w->n_senders - 1];

	read_all(w);
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	w->n_heard -= !w->is_gone;
	w->is_gone = true;
}

static bool keeps_to_the_form(uint8_t kind, size_t len)
{
	if (kind == 'i')
		return len >= 2 && len <= 4097;
	return (kind == 'e' && len == 1) || (kind == 's' && len == 5);
}

static void send_message(struct world *w, uint8_t kind, size_t len)
{
	uint8_t message[MESSAGE_MAX];
	uint8_t next = w->next;

	message[0] = kind;
	for (size_t i = 1; i < len; i++)
		message[i] = next++;
	if (w->n_expected + len > EXPECTED_MAX ||
	    send(w->senders[w->n_senders - 1], message, len, MSG_NOSIGNAL) != (ssize_t)len)
		return;
	if (w->is_gone)
		return;
	if (!keeps_to_the_form(kind, len)) {
		w->is_gone = true;
		w->n_heard--;
	} else if (kind == 'e') {
		w->has_ended = w->has_ended || !w->is_terminal;
	} else if (kind == 'i' && !w->has_ended) {
		memcpy(w->expected + w->n_expected, message + 1, len - 1);
		w->n_expected += len - 1;
		w->next = next;
	}
}

/* ---- one input ---- */

static void take_steps(struct world *w, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 'm' && size - i > 3) {
			send_message(w, data[i + 1],
				     (data[i + 2] | (size_t)data[i + 3] << 8) % MESSAGE_MAX);
			i += 3;
		} else if (data[i] == 'r' && size - i > 1) {
			read_some(w, (size_t)data[++i] * 64);
		} else if (data[i] == 'c' && w->workload_fd >= 0) {
			read_all(w);
			close(w->workload_fd);
			w->workload_fd = -1;
			w->has_ended = true;
		} else if (data[i] == 'n') {
			add_sender(w);
		} else if (data[i] == 'x') {
			leave(w);
		}
		run(w);
	}
	read_all(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	int control[2];

	if (size == 0)
		return 0;
	signal(SIGPIPE, SIG_IGN);
	memset(&w, 0, offsetof(struct world, expected));
	w.n_expected = w.n_read = 0;
	w.is_terminal = data[0] == 't';
	w.recorder.master_fd = -1;
	check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, control) == 0);
	w.recorder.control_fd = control[1];
	open_stdin(&w);
	add_sender(&w);
	take_steps(&w, data + 1, size - 1);
	for (int i = 0; i < w.n_senders; i++)
		if (w.senders[i] >= 0)
			close(w.senders[i]);
	run(&w);
	check(w.recorder.n_clients == 0);
	if (w.workload_fd >= 0)
		close(w.workload_fd);
	if (w.recorder.input_fd >= 0)
		close(w.recorder.input_fd);
	else if (w.recorder.master_fd >= 0)
		close(w.recorder.master_fd);
	close(control[0]);
	close(control[1]);
	return 0;
}
