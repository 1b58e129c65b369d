/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper of a kept sandbox: starts it, writes down how that went, starts it again where its
 * policy says so. One process for each sandbox that runs, and no daemon.
 *
 * Where nothing has to be started again the process that does this is the run's keeper itself
 * (launcher/run.c). A restart takes the privileges that a run's keeper drops; so where there may be
 * one, each start is a process of its own, and the first does nothing but wait for it: it reads a
 * message of fixed size, and passes on the signal that ends everything in order.
 */
#ifndef CORDON_RECORDS_KEEPER_H
#define CORDON_RECORDS_KEEPER_H

#include "records/record.h"
#include "records/status.h"
#include "records/store.h"

/* ---- a start that is being kept, in whatever process ---- */

struct keep {
	const struct records *records;
	const struct record *record;
	const struct sandbox *sandbox;
	int lock_fds[2]; /* of the record, and of RUN/sandboxes/ID, held */
	struct last_run last;
	struct live_run live;
};

/*
 * Takes the sandbox for this process, whose death gives it back, and writes down that it is being
 * started. -EBUSY with err where another keeper lives. Release with keep_release.
 */
int must_check keep_begin(const struct records *records, const struct record *record,
			  const struct sandbox *sandbox, struct keep *ret, struct err *err);

/* It runs. For run_options.started. */
void keep_started(struct keep *keep, const struct run_started *started);

/* Its restart policy starts it once more: the count, for who looks. */
void keep_note_restart(struct keep *keep);

/* What it prints is kept no more. For run_options.output_lost. */
void keep_output_lost(struct keep *keep);

/* A process beside it was killed, which nobody starts anew. For run_options.helper_lost. */
void keep_helper_lost(struct keep *keep, const char *helper);

/*
 * It has ended, or failed to start (result NULL, failure says why). result_json: as for --report,
 * or NULL. Writes it down; removes the sandbox where it is to remove itself.
 */
int must_check keep_end(struct keep *keep, const struct run_result *result, const char *result_json,
			const struct err *failure, struct err *err);
void keep_release(struct keep *keep);

/* The event of an end: keep_end's, and that of one behind which there is another start. */
void keep_note_end(const struct keep *keep, const struct run_result *result,
		   const struct err *failure);

/* ---- a keeper in the background ---- */

/*
 * Starts the sandbox and returns when its program runs: 0, with the keeper's pid, or why it could
 * not be started, which is in its state as well. The process that waits for it is a child that has
 * left the caller's session, terminal, descriptors and, once the program runs, directory.
 * Needs: the sandbox's lock; decision made with descriptors 0 to 2 as the keeper has them
 * (/dev/null).
 */
int must_check keeper_start(const struct run_request *roots, const struct record *record,
			    const struct sandbox *sandbox, const struct decision *decision,
			    pid_t *ret_pid, struct err *err);

/* Whether it is started again after this end. exit_code: as cordon_run's caller would end. */
bool keeper_restarts(const struct spec_supervision *policy, int64_t exit_code, int64_t restarts);

/* Milliseconds until the next start, after `failures` starts in a row that ended within ten
 * seconds: 100 ms, doubled each time, one minute at most. */
int64_t keeper_pause_ms(int64_t failures);

/* How many starts in a row have failed, with one that ran for so long. */
int64_t keeper_failures(int64_t failures, int64_t ran_ms);

/*
 * Tells the keeper to end the sandbox in order: signo (0: its policy's stop_signal), then SIGKILL
 * after grace_ms (-1: what its policy says). Returns its pidfd, which becomes readable when all is
 * gone; -ESRCH: there is no keeper any more.
 */
int must_check keeper_stop(const struct live_run *live, int64_t grace_ms, uint32_t signo);

#endif
