/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log files of a sandbox, log.0 and up beside its record. Their form is launcher/log_format.h;
 * they are written by the recorder of a sandbox that runs, and read here, without a lock, whether
 * it runs or not.
 */
#ifndef CORDON_RECORDS_LOGS_H
#define CORDON_RECORDS_LOGS_H

#include "records/record.h"

/* Of a sandbox that is bound to the boot: its files are memory. */
enum { LOGS_BOOT_SIZE = 1 << 20, LOGS_BOOT_FILES = 2 };

/*
 * Opens them for a start, and makes what is missing. Waits, some seconds at most, for the recorder
 * of the last start where that was killed and still writes. ret is released with logs_release.
 */
int must_check logs_open(const struct sandbox *sandbox, const struct spec_logging *logging,
			 struct run_logs *ret, struct err *err);
void logs_release(struct run_logs *logs);

/*
 * Opens those of a sandbox that removes itself for reading, so that what it printed last outlives
 * it. makes: what is missing is made, before a start; needs the sandbox's lock. Released with
 * logs_release.
 */
int must_check logs_hold(const struct sandbox *sandbox, bool makes, struct run_logs *ret,
			 struct err *err);

/* ---- reading ---- */

struct log_piece {
	enum log_stream stream;
	int64_t time_ns;
	const char *bytes; /* until the next call */
	size_t len;
};

enum { LOG_READER_BUFFER = 64 << 10 };

struct log_reader {
	int dir_fd; /* the caller's, as held: where its files have been opened; NULL: by name */
	const struct run_logs *held;
	int fd; /* -EBADF: before the first */
	uint64_t number;
	uint64_t offset; /* in the file, of bytes[start] */
	size_t start;
	size_t end;
	bool has_missed; /* files were emptied before they were read */
	char bytes[LOG_READER_BUFFER];
};

void log_reader_init(struct log_reader *reader, int dir_fd);
void log_reader_release(struct log_reader *reader);

/* The next frame, oldest first. Returns 1, or 0 where there is none yet, or -errno. */
int must_check log_reader_next(struct log_reader *reader, struct log_piece *ret);

#endif
