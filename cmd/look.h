/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One sandbox as it is listed and inspected: its record, and what it is doing. Looked at without a
 * lock, so that nobody is waited for; what is removed meanwhile was not there.
 */
#ifndef CORDON_CMD_LOOK_H
#define CORDON_CMD_LOOK_H

#include "cmd/page.h"
#include "records/record.h"
#include "records/status.h"
#include "records/store.h"

struct look {
	char id[RUN_ID_LEN + 1];
	bool is_kept;
	bool is_alive; /* its keeper lives, whatever can be read of it */
	/* Which of the two files could be read; damage says why the first other one could not. */
	bool has_record;
	bool has_status;
	struct err damage;
	struct record record;
	struct sandbox_status status;
	/* What the result says was reached, "" for none. */
	char limit[128];
};

/* Looks at the sandbox with this whole id. Returns 1, or 0 where there is none (any more). Errors:
 * none, what cannot be read is in ret->damage. Release with look_release where it is 1. */
int must_check look_read(const struct records *records, const char *id, struct look *ret);
void look_release(struct look *look);

bool look_is_damaged(const struct look *look);

/* What it is doing, as filters and JSON name it: sandbox_state_name, or "damaged". */
const char *look_state(const struct look *look);

/* Why it ended, in a few words; "" where the program ended by itself, or runs. */
const char *look_reason(const struct look *look);

/* "Up 3 minutes (Paused)", "Exited (137) 2 hours ago: limits.memory". now_ms: since 1970. */
void look_status_text(const struct look *look, int64_t now_ms, struct page *ret);

/* The program and its arguments, a blank between them. */
void look_command(const struct look *look, struct page *ret);

/* ---- times, of milliseconds since 1970 ---- */

/* How long it is, as a person says it: "About an hour". */
void look_duration(int64_t ms, char *buf, size_t size);
/* "2026-11-29 10:47:22 +0000 UTC". */
void look_date(int64_t ms, char *buf, size_t size);
/* RFC 3339: "2026-11-29T10:47:22.123Z". */
void look_timestamp(int64_t ms, char *buf, size_t size);

#endif
