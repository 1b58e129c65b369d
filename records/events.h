/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happened to the sandboxes of one state root: lines of JSON, written by whoever does
 * something.
 *
 *     HOME/events     the newest ones
 *     HOME/events.1   those before; what was there is gone
 *
 * A line is one write(2) to a descriptor opened with O_APPEND, so that it is whole, whoever else
 * writes. A writer holds the file's flock meanwhile; the one who finds EVENTS_FILE_MAX reached
 * renames it. A stopped process that holds the lock keeps nobody waiting: after EVENTS_WAIT_MS the
 * line is written without it. Nothing is fsynced: a crash of the machine may cost the last lines,
 * and a reader passes over what is no line.
 *
 * An event that cannot be written never stops what it tells of: records->event_errno says it to the
 * command at its end (events_trouble).
 */
#ifndef CORDON_RECORDS_EVENTS_H
#define CORDON_RECORDS_EVENTS_H

#include "records/store.h"

enum {
	EVENTS_FILE_MAX = 1 << 20,
	EVENTS_WAIT_MS = 1000,
	EVENT_LINE_MAX = 4096, /* with its newline; PIPE_BUF */
	EVENT_ATTRIBUTES_MAX = 160,
};

#define EVENTS_FILE     "events"
#define EVENTS_OLD_FILE "events.1"
#define EVENT_SCHEMA    "cordon.event/1"

struct event_attribute {
	const char *key;
	const char *value;
};

struct event {
	int64_t time_ns;    /* since 1970 */
	const char *type;   /* "container": Docker's word for a sandbox */
	const char *action; /* Docker's words: create, start, die, oom, ... */
	const char *id;
	const char *name; /* "": none */
	size_t n_attributes;
	struct event_attribute attributes[EVENT_ATTRIBUTES_MAX];
};

/*
 * Notes what happened to a sandbox, whose name and labels are read from its record. attributes: n
 * of them, Docker's keys where it has them; the labels stand behind them as far as the line has
 * room. Runs in commands and in keepers.
 */
void events_note(const struct records *records, const struct sandbox *sandbox, const char *action,
		 const struct event_attribute *attributes, size_t n);

/* The same by its whole id. */
void events_note_id(const struct records *records, const char *id, const char *action,
		    const struct event_attribute *attributes, size_t n);

/* Appends one line. time_ns 0: now. 0 or -errno. */
int must_check events_append(const struct records *records, const struct event *event);

/* Why an event could not be written since the records were opened: 0, or an errno, which is then
 * forgotten. */
int events_trouble(const struct records *records);

/* Its line with the newline. Attributes that it has no room for are left out, from the last one on.
 * Returns its length, or -ENOSPC. */
ssize_t must_check event_to_line(const struct event *event, char *buf, size_t size);

/*
 * Reads a line as event_to_line makes it, without its newline, and is strict about it: the file is
 * the caller's own, but may have been cut off. In place: the texts lie in line, which needs
 * line[len] to be writable. 0 or -EBADMSG. Pure.
 */
int must_check event_from_line(char *line, size_t len, struct event *ret);

/* ---- reading ---- */

enum { EVENTS_BUFFER = 64 << 10 };

struct events_reader {
	int home_fd;       /* the records', not its own */
	int fds[2];        /* in the order of reading; -EBADF: none */
	int64_t since_ns;  /* older ones are passed over */
	uint64_t n_broken; /* lines that were none */
	size_t begin, end; /* what is unread in text */
	char text[EVENTS_BUFFER + 1];
};

/* Begins at the oldest line, or (only_new) at the end. Returns 0 or -errno. About 64 KiB. */
int must_check events_open(const struct records *records, bool only_new, struct events_reader *ret);
void events_close(struct events_reader *reader);

/* The next event, whose texts are valid until the next call. Returns 1; 0: there is none now; or
 * -errno. */
int must_check events_next(struct events_reader *reader, struct event *ret);

#endif
