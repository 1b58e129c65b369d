/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The output's relay, part of the monitor (monitor.c): from the pipes that the workload has at 1
 * and 2 to where the caller's lead. Nothing is read before what was read has been passed on, so a
 * reader that is slow makes the workload wait, as it would without a relay.
 */
#ifndef CORDON_LAUNCHER_MONITOR_OUTPUT_H
#define CORDON_LAUNCHER_MONITOR_OUTPUT_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "launcher/bare.h"
#include "launcher/monitor_image.h"

/* Not more than PIPE_BUF: what poll(2) has room for in a pipe that blocks is written without
 * waiting. */
enum { DIRECTION_BUFFER = 4096 };

struct direction {
	char bytes[DIRECTION_BUFFER];
	long start;
	long end;
};

struct output_count {
	uint64_t left;   /* until the limit */
	uint64_t taken;  /* read from pipes and pty */
	uint64_t passed; /* written on */
	bool is_exceeded;
};

struct output_pipe {
	int from;
	int to;
	struct direction bytes;
	bool has_ended; /* from is closed: nothing will come */
	bool is_closed; /* so is to */
};

static inline bool direction_is_empty(const struct direction *d)
{
	return d->start == d->end;
}

static inline void direction_forget(struct direction *d)
{
	d->start = d->end = 0;
}

/* Reads once into an empty buffer. False: nothing will come any more. */
static inline bool direction_fill(struct direction *d, int fd, long most)
{
	long n = bare_call(SYS_read, fd, (long)d->bytes, most, 0, 0);

	d->start = 0;
	d->end = n > 0 ? n : 0;
	return n > 0 || n == -EAGAIN || n == -EINTR;
}

/* As direction_fill, of output: one byte more than may be passed on is asked for, and never passed
 * on. (A pipe in packet mode would throw away what is not asked for.) */
static inline bool output_fill(struct direction *d, int fd, struct output_count *count)
{
	bool is_last = count->left < DIRECTION_BUFFER;
	bool goes_on =
		direction_fill(d, fd, is_last ? (long)count->left + 1 : (long)DIRECTION_BUFFER);

	if (is_last && d->end > (long)count->left) {
		d->end = (long)count->left;
		count->is_exceeded = true;
	}
	count->left -= (uint64_t)d->end;
	count->taken += (uint64_t)d->end;
	return goes_on;
}

/* Writes once. Returns 0, also where it has to be tried again, or -errno. */
static inline long direction_drain(struct direction *d, int fd)
{
	long n = bare_call(SYS_write, fd, (long)(d->bytes + d->start), d->end - d->start, 0, 0);

	if (n > 0)
		d->start += n;
	return n >= 0 || n == -EAGAIN || n == -EINTR ? 0 : n;
}

static inline long output_drain(struct direction *d, int fd, struct output_count *count)
{
	long before = d->start;
	long result = direction_drain(d, fd);

	count->passed += (uint64_t)(d->start - before);
	return result;
}

/* Decimal. */
static inline uint64_t output_parse_limit(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

static inline void output_init(struct output_pipe *pipe, int from, int to)
{
	pipe->from = from;
	pipe->to = to;
	pipe->has_ended = pipe->is_closed = false;
	direction_forget(&pipe->bytes);
}

static inline void output_end(struct output_pipe *pipe)
{
	if (!pipe->has_ended)
		bare_call(SYS_close, pipe->from, 0, 0, 0, 0);
	pipe->has_ended = true;
}

/* A reader of what goes to `to` sees the end. */
static inline void output_close(struct output_pipe *pipe)
{
	output_end(pipe);
	if (!pipe->is_closed)
		bare_call(SYS_close, pipe->to, 0, 0, 0, 0);
	pipe->is_closed = true;
	direction_forget(&pipe->bytes);
}

/* Returns 0, or the errno of a write that failed for another reason than that nobody reads. Either
 * way the workload's next write fails. */
static inline long output_write(struct output_pipe *pipe, struct output_count *count)
{
	long result = output_drain(&pipe->bytes, pipe->to, count);

	if (result < 0)
		output_close(pipe);
	return result == -EPIPE || result == -ECONNRESET ? 0 : -result;
}

static inline bool output_wants_bytes(const struct output_pipe *pipe,
				      const struct output_count *count)
{
	return !pipe->has_ended && !count->is_exceeded && direction_is_empty(&pipe->bytes);
}

static inline void output_read(struct output_pipe *pipe, struct output_count *count)
{
	if (!output_fill(&pipe->bytes, pipe->from, count))
		output_end(pipe);
}

/* What ppoll(2) says of its two ends. Returns as output_write. */
static inline long output_on_events(struct output_pipe *pipe, int from, int to,
				    struct output_count *count)
{
	long error = 0;

	if (from != 0 && output_wants_bytes(pipe, count))
		output_read(pipe, count);
	if (to != 0 && !direction_is_empty(&pipe->bytes))
		error = output_write(pipe, count);
	else if (to & (POLLERR | POLLHUP | POLLNVAL)) /* nobody reads any more */
		output_close(pipe);
	if (pipe->has_ended && direction_is_empty(&pipe->bytes))
		output_close(pipe);
	return error;
}

/* Whether all that it will bring has been passed on. */
static inline bool output_is_done(const struct output_pipe *pipe, const struct output_count *count)
{
	return direction_is_empty(&pipe->bytes) && (pipe->has_ended || count->is_exceeded);
}

#endif
