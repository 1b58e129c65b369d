/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands of a sandbox's life share: one after another, with what each has to say. */
#ifndef CORDON_CMD_LIFE_H
#define CORDON_CMD_LIFE_H

#include "base/json.h"
#include "cmd/kept.h"
#include "cmd/words.h"

struct life {
	const struct cmd_context *context;
	const struct records *records;
	const void *how; /* the command's own */
};

/* Does it with one sandbox, which was called ref. Returns an exit code; what is wrong was said. */
typedef int (*life_fn)(const struct life *life, struct sandbox *sandbox, const char *ref);

/* Calls one for each word and goes on after a failure. Prints the word where it worked, as Docker
 * does, unless is_quiet. Returns the exit code: 0 where all worked. */
int must_check life_for_each(const struct cmd_context *context, char **words, life_fn one,
			     const void *how, bool is_quiet);

/* Reads flags and words of the command. Returns how many words there are, or -1 where *ret_exit
 * says how to end; least: fewer words are refused. */
int must_check life_parse(const char *command, char **argv, int least, struct words *ret,
			  int *ret_exit);

/* Says that they are too few. */
void life_refuse_few(const char *command, int least, int n);
/* Of a command with --all: either that, or words. 0, or -1 where that has been said. */
int must_check life_check_all(const char *command, const struct words *words, char *const *argv);

/* Prints the error; returns its exit code. */
int life_say(const struct err *err);
/* Prints a document on a line, or says that it did not fit. Returns an exit code. */
int life_print_json(struct json *json);

/* The value of a flag that names a signal, `otherwise` where it is not given. 0 or ERR_USAGE. */
int must_check life_signal(const struct words *words, uint32_t otherwise, uint32_t *ret_signo,
			   struct err *err);

/* Prints the warning, and asks. 1: yes, 0: no, -EINVAL: there is nobody to ask, and that has been
 * said. (life_remove.c) */
int must_check life_ask(const char *command, const char *warning);

/* ---- ending (life_end.c) ---- */

struct life_end {
	int64_t grace_ms;  /* -1: what its policy says */
	uint32_t signo;    /* 0: its policy's stop_signal */
	bool keeps_wanted; /* it is to run again: a restart, a shutdown */
};

/* --timeout and --signal, of stop and restart. 0 or ERR_USAGE. */
int must_check life_read_how(const struct words *words, struct life_end *ret, struct err *err);

/*
 * Ends a sandbox with all that is in it, and returns when it is gone: in order, and by force where
 * its keeper does not answer. One that does not run is left alone. A paused one goes on first.
 * Takes its lock for a moment; none is held while it waits.
 */
int must_check life_end(const struct records *records, struct sandbox *sandbox,
			const struct life_end *how, struct err *err);

/* ---- pausing (life_pause.c) ---- */

/* Lets it go on where it is paused. Needs: its lock. */
int must_check life_unpause(const struct records *records, const struct sandbox *sandbox,
			    const struct sandbox_status *status, struct err *err);

#endif
