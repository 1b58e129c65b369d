/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sandbox in the background prints goes into its log files. The process that writes them
 * (recorder/recorder.c) takes the monitor's place: it is started by the same row and spoken to by
 * the same messages (terminal.h). When it is lost the sandbox goes on, and its output goes nowhere.
 * Internal to launcher/; docs/decisions/025-kept-output.md has the reasons.
 */
#ifndef CORDON_LAUNCHER_RECORDER_H
#define CORDON_LAUNCHER_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "launcher/confined.h"
#include "launcher/recorder_image.h"

struct launch;

struct recorder_watch {
	int64_t next_ping_ms; /* 0: none was sent yet */
	int64_t answer_ms;    /* until when an answer is due; 0: none is */
	bool is_lost;
	bool was_told; /* of the loss */
};

/* The words of its command line, for as long as it is started. */
struct recorder_words {
	char letters[RECORDER_FDS_MAX + 1];
	char output_max[24];
	char file_max[24];
};

_Static_assert((int)RECORDER_FDS_MAX <= (int)CONFINED_FDS_MAX,
	       "confined.h has room for its descriptors");

/* ERR_BUG where the caller brought no log files. */
int must_check recorder_describe(const struct launch *launch, struct recorder_words *words,
				 struct confined_image *ret, struct err *err);

/* Asks whether it is there, now and then; one that does not answer is lost. */
void recorder_look(struct launch *launch, int64_t now_ms);
/* Milliseconds until the next look, -1 for never. */
int recorder_patience(const struct launch *launch, int64_t now_ms);

/* Whether the run may go on without one that is gone: not where it counted for limits.output. */
bool recorder_may_be_lost(const struct launch *launch);
/* It is gone, or is killed now. */
void recorder_lose(struct launch *launch);
/* What the workload writes then goes nowhere, without a look at it: else it would wait for ever.
 * The pipes of stdout and stderr, and the master of its terminal: what poll(2) is to look at, -1
 * for none. */
enum { RECORDER_UNREAD = 3 };
int recorder_unread(struct launch *launch, size_t i);
void recorder_pass_over(struct launch *launch, size_t i);

#endif
