/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of kept sandboxes have in common: from flags to a record, from a record to a
 * sandbox that runs. */
#ifndef CORDON_CMD_KEPT_H
#define CORDON_CMD_KEPT_H

#include "cmd/verdict.h"
#include "records/keeper.h"
#include "records/record.h"
#include "records/store.h"

/* The caller's records. makes: see records_open. Returns 0, or -1 and it has been said. */
int must_check kept_open(const struct cmd_context *context, bool makes, struct records *ret);

/* Says why an event could not be written, if that was so, and releases them. */
void kept_close(struct records *records);

/* Decides as a sandbox in the background will be started: with 0 to 2 on /dev/null. As
 * verdict_decide. files and request: of a record, or NULL. */
int must_check kept_decide(struct verdict *verdict, const struct run_request *request);

/* The same by a record, for who only looks: where it was made, and back. -EBADF: not back, where
 * the caller's relative paths begin. */
int must_check kept_decide_record(const struct cmd_context *context, const struct record *record,
				  struct verdict *verdict);

/* The same for a start in which no program runs: nothing is kept of what it prints. */
int must_check kept_decide_silent(struct verdict *verdict, const struct run_request *request);

/* The request of a command line. */
void kept_request(struct verdict *verdict, const struct cmd_context *context,
		  struct run_request *ret);

/*
 * Makes the record of what was decided. Returns 0 with *ret_record filled (kept_free_record) or a
 * negative errno with err filled.
 */
int must_check kept_create(const struct records *records, const struct verdict *verdict,
			   const struct run_request *request, struct record *ret_record,
			   struct err *err);
/* "no", "on-failure:3": as the policy says it. */
void kept_restart_text(const struct spec_supervision *policy, char *buf, size_t size);
void kept_free_record(struct record *record);

/*
 * Starts a sandbox that does not run, in the background. Takes its lock. is_wanted: a command asks
 * for it (else `start --all`, which changes nothing of what is wanted). Returns the exit code; what
 * is wrong has been said.
 */
int must_check kept_start(const struct cmd_context *context, const struct records *records,
			  const struct sandbox *sandbox);

/* Where a sandbox has ended and its keeper is just about to: waits for that, some seconds at most.
 * To be called before what runs is left as it is, and without the sandbox's lock. */
void kept_await_end(const struct records *records, const struct sandbox *sandbox);

/* Whether it could be started, as far as that is known before: decides it anew and changes nothing,
 * also while it runs. Returns the exit code, 0 where it could; what is wrong has been said. */
int must_check kept_check(const struct cmd_context *context, const struct records *records,
			  const struct sandbox *sandbox);

/* Where it was made is where its relative paths begin. */
int must_check kept_enter_directory(const struct record *record, struct err *err);

/* The request that a start in the background begins with: as cmd_request_init, and the size of the
 * caller's terminal. */
void kept_roots(const struct cmd_context *context, struct run_request *ret);

/* Refuses the flags that mean nothing for a sandbox in the background. 0 or ERR_USAGE. */
int must_check kept_check_flags(const struct options *options, struct err *err);

#endif
