/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Other limits, in a sandbox's groups and in its record. What becomes tighter is written to the
 * groups before the record, what becomes looser after it: whoever is killed in between leaves the
 * sandbox with less than its record says, and never with more. Where memory and swap go in two
 * directions they go by memory.
 *
 * RUN/sandboxes/ID/updating stands there from before the first change until both say the same. Who
 * finds it later, `cordon update` and `cordon gc`, sets the groups by the record, whichever of the
 * two that is. After an error that is done at once, by the record of before.
 */
#ifndef CORDON_CMD_UPDATE_APPLY_H
#define CORDON_CMD_UPDATE_APPLY_H

#include "cmd/kept.h"
#include "records/status.h"
#include "records/target.h"

struct update {
	const struct cmd_context *context;
	const struct records *records;
	const struct sandbox *sandbox; /* locked */
	const char *ref;
	uint32_t limits; /* which change: bits */
	bool traffic;    /* its rates change, and it runs */
	struct record record;
	struct sandbox_status status;
	struct cgroup groups; /* n 0: none are changed */
	struct run_target target;
	bool has_target;  /* its root gets another size while it runs: memory, */
	bool grows_layer; /* or a project's limit */
};

void update_release(struct update *update);

/* Limits that a group holds: those that can be changed while it runs. */
bool update_is_limit_of_group(enum spec_limit limit);

/* Whether it runs: what of it changes at once. Else err says what to do. */
int must_check update_check_runs(const struct update *update, struct err *err);

/* Opens the groups of one that runs; that they can hold each limit is checked. */
int must_check update_open_groups(struct update *update, struct err *err);

/* Changes groups and record. `changed`: the record with the flags that the spec comes from. */
int must_check update_apply(struct update *update, const struct record *changed,
			    const struct sandbox_spec *spec, struct err *err);

/* Where an update was cut off: sets the groups by the record. Needs: the sandbox's lock. Returns 1
 * where that was done, 0 where there was nothing to do, or nothing yet; or -errno with err. */
int must_check update_settle(const struct cmd_context *context, const struct records *records,
			     const struct sandbox *sandbox, const char *ref, struct err *err);

#endif
