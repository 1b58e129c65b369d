/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon run` with -d, which is create and start, or at a terminal with -it and --name, which
 * attaches as well. */
#ifndef CORDON_CMD_CREATE_H
#define CORDON_CMD_CREATE_H

#include "cmd/verdict.h"
#include "records/keeper.h"
#include "records/record.h"
#include "records/store.h"

/* The options have been read. Prints the id, or is attached until the end; returns the exit code. A
 * sandbox that cannot be started is removed. */
int create_and_start(const struct cmd_context *context, struct verdict *verdict);

/*
 * A run in the foreground whose sandbox has a name, and so a record that stays. Between the two the
 * caller runs it, and calls keep_started of ret->keep.
 */
struct named_run {
	struct records records;
	struct record record;
	struct sandbox sandbox;
	struct keep keep;
};
int must_check create_named(const struct cmd_context *context, struct verdict *verdict,
			    struct named_run *ret);
/* result NULL: it failed, and failure says why; where that was before its program ran, the record
 * is removed. Returns the exit code: exit_code, or cordon's own where what is kept could not be
 * written. */
int must_check create_named_end(struct named_run *named, const struct run_result *result,
				const char *result_json, const struct err *failure, int exit_code);

#endif
