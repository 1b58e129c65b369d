/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kept output as it lies in files; docs/decisions/025-kept-output.md. Written by the recorder
 * (recorder/recorder.c, without libc), read by `cordon logs`.
 *
 *     file    head, then frames without a gap; each file has a number, and the highest is written
 * to frame   head and bytes, written with one call: what a crash cuts off is no whole frame
 *
 * A file is emptied before it gets another number, so a reader that finds the number it knew has
 * read what belongs to it. Numbers are in the machine's byte order: a log is read where it was
 * made.
 */
#ifndef CORDON_LAUNCHER_LOG_FORMAT_H
#define CORDON_LAUNCHER_LOG_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_MAGIC UINT64_C(0x31676f6c64726f63) /* "cordlog1" */
#define LOG_MARK  UINT32_C(0x6c6f6700)         /* with the stream in its lowest byte */

enum {
	LOG_FILES_MAX = 8,
	LOG_FRAME_MAX = 16 << 10, /* bytes in one frame */
	LOG_SIZE_LEAST = 64 << 10 /* of a file: some frames */
};

enum log_stream {
	LOG_STDOUT = 1,
	LOG_STDERR = 2,
	LOG_LOST = 3, /* 8 bytes: how many of output could not be written before this */
};

/*
 * What somebody who is attached sends, one message each (SOCK_SEQPACKET): a letter, and behind it
 * what belongs to that. Anything else ends the connection. Nothing is ever sent back.
 */
#define CLIENT_INPUT 'i' /* 1 to CLIENT_INPUT_MAX bytes for the program's stdin */
#define CLIENT_END   'e' /* stdin is over; a terminal has no such thing */
#define CLIENT_SIZE  's' /* struct client_size: the client's terminal */
enum { CLIENT_INPUT_MAX = 4096 };

struct client_size {
	uint16_t rows;
	uint16_t columns;
};

struct log_head {
	uint64_t magic;
	uint64_t number;   /* 1 and up */
	uint64_t previous; /* how long the file with the number before was in the end */
};

struct log_frame {
	uint32_t mark;
	uint32_t len;
	int64_t time_ns; /* CLOCK_REALTIME */
};

static inline bool log_head_is_valid(const struct log_head *head)
{
	return head->magic == LOG_MAGIC && head->number > 0;
}

/* What a frame's head says may be anything: the file may have been cut by a loss of power. */
static inline bool log_frame_is_valid(const struct log_frame *frame)
{
	uint32_t stream = frame->mark & 0xff;

	return (frame->mark & ~UINT32_C(0xff)) == LOG_MARK && stream >= LOG_STDOUT &&
	       stream <= LOG_LOST && frame->len > 0 && frame->len <= LOG_FRAME_MAX &&
	       (stream != LOG_LOST || frame->len == sizeof(uint64_t));
}

/* How many of the n bytes at `bytes` are whole frames. */
static inline uint64_t log_whole(const char *bytes, uint64_t n)
{
	uint64_t at = 0;
	struct log_frame frame;

	while (n - at >= sizeof(frame)) {
		for (uint64_t i = 0; i < sizeof(frame); i++)
			((char *)&frame)[i] = bytes[at + i];
		if (!log_frame_is_valid(&frame) || n - at - sizeof(frame) < frame.len)
			break;
		at += sizeof(frame) + frame.len;
	}
	return at;
}

#endif
