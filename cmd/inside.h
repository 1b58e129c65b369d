/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sandbox whose tree a command looks at or changes. */
#ifndef CORDON_CMD_INSIDE_H
#define CORDON_CMD_INSIDE_H

#include "cmd/cmd.h"
#include "records/record.h"
#include "records/store.h"
#include "records/target.h"

/* Valid during the call of what it is handed to. */
struct inside {
	const struct cmd_context *context;
	const struct records *records;
	const struct sandbox *sandbox;
	const struct record *record;
	const struct run_target *target;
	const char *ref; /* as it was named */
	bool is_stopped; /* it does not run, and its lock is held */
};

struct inside_work {
	const char *ref;
	enum target_use use;
	int (*run)(void *ctx, const struct inside *inside, struct err *err); /* 0 or negative */
	void *ctx;
};

/* Finds the sandbox, opens it, and lets work->run have it. Returns the exit code; what is wrong has
 * been said. */
int must_check inside_do(const struct cmd_context *context, const struct inside_work *work);

/* diff.c: the directory that its overlay writes to, for a confined reader. Returns the descriptor,
 * or a negative errno: it has none, or is made of nothing that it could be compared with. */
int must_check inside_open_upper(const struct inside *inside, struct err *err);

/* inside_stopped.c: the same of a sandbox that does not run, whose root is kept. found: without a
 * target. */
int must_check inside_do_stopped(const struct inside_work *work, const struct inside *found,
				 struct err *err);

#endif
