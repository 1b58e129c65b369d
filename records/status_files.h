/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of status_files.c status.c alone reads. Internal to records/. */
#ifndef CORDON_RECORDS_STATUS_FILES_H
#define CORDON_RECORDS_STATUS_FILES_H

#include "records/status.h"

/* A sandbox without the file was never started. Errors: a file that is damaged. */
int must_check status_read_last(const struct records *records, const struct sandbox *sandbox,
				struct last_run *ret, struct err *err);

/* The keeper writes it first of all: without it there is nothing to see yet. */
void status_read_live(const char *run, const char *id, struct live_run *ret);

/* RUN/sandboxes/ID below that run root; -EPERM where it is another user's. */
int must_check status_open_below(const char *run, const char *id);

#endif
