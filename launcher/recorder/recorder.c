/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The recorder: what the monitor is for a sandbox in the foreground, for one that is kept and runs
 * in the background. It reads the pipes that the workload has at 1 and 2, and writes what comes
 * into the sandbox's log files (log_writer.h).
 *
 * Theory of operation. The keeper opens everything and executes this from a sealed memfd of mode
 * 0111, in a session of its own. Before its first byte it drops all that it has: no capability,
 * no_new_privs, no new descriptor, file or process, a Landlock domain that allows nothing, and a
 * filter of nine system calls. It has two pipes, the log files and the keeper's socket. It looks at
 * no byte of the workload's.
 *
 * It waits for nobody but the log's disk, so the workload never waits for a reader, and what does
 * not fit there is counted and dropped. When the keeper is gone (end-of-file of the control socket)
 * so is the sandbox: what the pipes still hold is written, and that is all.
 */
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
#include "launcher/recorder/log_writer.h"
#include "launcher/recorder_image.h"

/* Of a frame each: more than a pipe holds, unless its size was changed. */
enum { DRAIN_ROUNDS = 64 };

struct source {
	int fd;
	enum log_stream stream;
	bool has_ended;
};

struct recorder {
	int control_fd;
	struct source sources[RECORDER_SOURCES_MAX];
	int n_sources;
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
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BARE_NATIVE_ARCH, 0, 10),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 9, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 8, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 7, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 6, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 5, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 4, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pread64, 3, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ftruncate, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
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
	bare_confine("cordon-recorder", (uint64_t)r->control_fd + 1, &program);
}

/* ---- bytes ---- */

static void end_source(struct source *source)
{
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
		end_source(source);
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

static void on_message(struct recorder *r)
{
	int message = 0;
	long n = bare_call(SYS_read, r->control_fd, (long)&message, sizeof(message), 0, 0);

	if (n != sizeof(message) || message == MONITOR_FINISH)
		finish(r);
	r->report_due = r->report_due || message == MONITOR_REPORT;
	if (message == MONITOR_PING)
		say(r, MONITOR_PONG);
}

/* ---- one round ---- */

static void step(struct recorder *r)
{
	struct pollfd fds[1 + RECORDER_SOURCES_MAX];
	struct source *sources[1 + RECORDER_SOURCES_MAX];
	int n = 1;
	long ready;

	fds[0] = (struct pollfd){.fd = r->control_fd, .events = POLLIN};
	for (int i = 0; i < r->n_sources; i++) {
		if (!wants_bytes(r, &r->sources[i]))
			continue;
		sources[n] = &r->sources[i];
		fds[n++] = (struct pollfd){.fd = r->sources[i].fd, .events = POLLIN};
	}
	ready = bare_call(SYS_ppoll, (long)fds, n, 0, 0, 0);
	if (ready < 0 && ready != -EINTR)
		bare_exit(125);
	for (int i = 1; ready > 0 && i < n; i++)
		if (fds[i].revents != 0)
			record(r, sources[i]);
	if (ready > 0 && fds[0].revents != 0)
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

static void take_descriptors(struct recorder *r, const char *letters)
{
	int fd = 0;

	r->n_sources = r->log.n = 0;
	for (; *letters != '\0'; letters++, fd++) {
		if (*letters == RECORDER_HAS_STDOUT)
			add_source(r, fd, LOG_STDOUT);
		else if (*letters == RECORDER_HAS_STDERR)
			add_source(r, fd, LOG_STDERR);
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
