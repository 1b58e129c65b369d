/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of the recorder (recorder.c; log_format.h has their form). As many as there are, each
 * no longer than its limit: when one is full, the oldest is emptied and goes on. What cannot be
 * written is counted, and the count is written when something can be again: a full disk keeps
 * nobody waiting.
 */
#ifndef CORDON_LAUNCHER_RECORDER_LOG_WRITER_H
#define CORDON_LAUNCHER_RECORDER_LOG_WRITER_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "launcher/bare.h"
#include "launcher/log_format.h"

/* A frame while it is filled: the head stands in front of the bytes, so that both are one write. */
struct log_buffer {
	struct log_frame frame;
	char bytes[LOG_FRAME_MAX];
};

struct log_writer {
	int fds[LOG_FILES_MAX];
	int n;
	int at;        /* the one that is written to */
	bool is_ready; /* it has its head */
	uint64_t number;
	uint64_t previous; /* log_head */
	uint64_t offset;
	uint64_t max;
	uint64_t lost; /* bytes since the last frame of that kind */
};

static inline bool log_write_all(int fd, const void *data, uint64_t size, uint64_t offset)
{
	uint64_t done = 0;

	while (done < size) {
		long n = bare_call(SYS_pwrite64, fd, (long)((const char *)data + done),
				   (long)(size - done), (long)(offset + done), 0);

		if (n <= 0 && n != -EINTR)
			return false;
		done += n > 0 ? (uint64_t)n : 0;
	}
	return true;
}

/* What was written of a frame that failed must not be taken for the heads of others. */
static inline bool log_append(struct log_writer *w, const void *data, uint64_t size)
{
	if (log_write_all(w->fds[w->at], data, size, w->offset)) {
		w->offset += size;
		return true;
	}
	bare_call(SYS_ftruncate, w->fds[w->at], (long)w->offset, 0, 0, 0);
	return false;
}

/* Empties the file that is written to, and gives it its number. */
static inline void log_open_file(struct log_writer *w)
{
	struct log_head head = {.magic = LOG_MAGIC, .number = w->number, .previous = w->previous};

	w->offset = 0;
	w->is_ready = bare_call(SYS_ftruncate, w->fds[w->at], 0, 0, 0, 0) == 0 &&
		      log_append(w, &head, sizeof(head));
}

static inline void log_next_file(struct log_writer *w)
{
	w->previous = w->offset;
	w->at = (w->at + 1) % w->n;
	w->number++;
	log_open_file(w);
}

/* Where the whole frames of the file end: after a crash there may be a part of one. */
static inline uint64_t log_find_end(int fd, struct log_buffer *buffer)
{
	uint64_t offset = sizeof(struct log_head);

	for (;;) {
		long n = bare_call(SYS_pread64, fd, (long)buffer, sizeof(*buffer), (long)offset, 0);
		uint64_t whole = n > 0 ? log_whole((const char *)buffer, (uint64_t)n) : 0;

		if (whole == 0)
			return offset;
		offset += whole;
	}
}

/* Goes on where the last recorder of the sandbox ended. */
static inline void log_begin(struct log_writer *w, struct log_buffer *buffer)
{
	w->number = w->previous = 0;
	w->at = 0;
	w->lost = 0;
	for (int i = 0; i < w->n; i++) {
		struct log_head head = {0};
		long n = bare_call(SYS_pread64, w->fds[i], (long)&head, sizeof(head), 0, 0);

		if (n != sizeof(head) || !log_head_is_valid(&head) || head.number <= w->number)
			continue;
		w->number = head.number;
		w->at = i;
	}
	if (w->number == 0) {
		w->number = 1;
		log_open_file(w);
		return;
	}
	w->offset = log_find_end(w->fds[w->at], buffer);
	w->is_ready = bare_call(SYS_ftruncate, w->fds[w->at], (long)w->offset, 0, 0, 0) == 0;
}

static inline bool log_put_frame(struct log_writer *w, const void *frame, uint64_t size)
{
	if (w->is_ready && w->offset + size > w->max)
		log_next_file(w);
	else if (!w->is_ready)
		log_open_file(w);
	return w->is_ready && log_append(w, frame, size);
}

static inline int64_t log_now_ns(void)
{
	struct {
		int64_t seconds;
		int64_t nanoseconds;
	} now = {0, 0};

	/* CLOCK_REALTIME is 0. */
	bare_call(SYS_clock_gettime, 0, (long)&now, 0, 0, 0);
	return now.seconds * 1000000000 + now.nanoseconds;
}

static inline void log_tell_lost(struct log_writer *w)
{
	struct {
		struct log_frame frame;
		uint64_t lost;
	} told = {{LOG_MARK | LOG_LOST, sizeof(uint64_t), log_now_ns()}, w->lost};

	if (w->lost > 0 && log_put_frame(w, &told, sizeof(told)))
		w->lost = 0;
}

/* Writes the buffer's len bytes, which are more than none, as output of a stream. */
static inline void log_put(struct log_writer *w, struct log_buffer *buffer, enum log_stream stream,
			   uint32_t len)
{
	buffer->frame = (struct log_frame){LOG_MARK | (uint32_t)stream, len, log_now_ns()};
	log_tell_lost(w);
	if (w->lost > 0 || !log_put_frame(w, buffer, sizeof(buffer->frame) + len))
		w->lost += len;
}

#endif
