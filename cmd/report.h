/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a result goes besides the exit code: --status-fd and --report. */
#ifndef CORDON_CMD_REPORT_H
#define CORDON_CMD_REPORT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "launcher/cordon.h"

struct report {
	int status_fd;    /* -EBADF: none */
	int dir_fd;       /* directory of the report, -EBADF: none */
	int file_fd;      /* unnamed file, until it is complete */
	const char *path; /* as the caller wrote it */
	const char *name; /* last part of path */
};

/* Opens what is needed before anything runs, so that a report that cannot be written stops the
 * start. */
int must_check report_open(struct report *ret, int status_fd, const char *path, struct err *err);

/* {"event":"started","pid":N} */
void report_started(const struct report *report, pid_t pid);

/* {"event":"sample",...}, where it can be written without waiting; else it is left out, for nothing
 * may hold up the keeper. */
void report_sample(const struct report *report, const struct run_sample *sample);

/* Whether anybody wants the result. */
bool report_is_wanted(const struct report *report);

/* The result, to both. The file appears whole under its name, or not at all. */
int must_check report_finish(struct report *report, const char *json, size_t len, struct err *err);

void report_release(struct report *report);

#endif
