/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a log is shown: parsing of the times, and lines out of frames. Pure but for the writing,
 * which is the caller's. */
#ifndef CORDON_CMD_LOGS_H
#define CORDON_CMD_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "records/logs.h"

enum { LOGS_TIME_MAX = 40, LOGS_STREAMS = LOG_STDERR + 1 };

/*
 * A moment as Docker takes it: 2026-11-29T10:00:00Z (seconds, fraction and zone may be missing, and
 * so may the time; without a zone it is the caller's), seconds since 1970 with a fraction, or a
 * time before now: 10m, 1h30m. Returns 0, or -EINVAL.
 */
int must_check logs_parse_time(const char *text, int64_t now_ns, int64_t *ret_ns);

/* 2026-11-29T10:00:00.123456789Z. Returns its length. */
size_t logs_format_time(int64_t ns, char buf[LOGS_TIME_MAX]);

/* Which lines are shown. A line is what stands between newlines of one stream, and has the moment
 * of its first byte. */
struct logs_filter {
	bool streams[LOGS_STREAMS];
	bool timestamps;
	int64_t since_ns; /* INT64_MIN: all */
	int64_t until_ns; /* INT64_MAX: all */
	uint64_t skip;    /* so many lines of those are not shown */
	/* where the walk is */
	struct {
		bool is_in_line; /* the last byte was no newline */
		bool is_shown;   /* the line that it is in */
	} at[LOGS_STREAMS];
	uint64_t n_lines; /* that passed, shown or skipped */
};

void logs_filter_init(struct logs_filter *filter);

/* An inotify descriptor that is readable when something was written to the sandbox's files, or
 * -EBADF where there is none. */
int logs_watch(const struct sandbox *sandbox);

/* Calls show for each part of the piece that is to be seen. A result that is not 0 ends it. */
int logs_filter_piece(struct logs_filter *filter, const struct log_piece *piece,
		      int (*show)(void *ctx, enum log_stream stream, const char *bytes, size_t len),
		      void *ctx);

#endif
