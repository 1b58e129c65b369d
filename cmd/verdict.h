/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What run, explain, doctor and profile check have in common: the flags, the decision that they ask
 * the engine for, and all that may be said against it. On the heap, since it is large and the stack
 * may be small (ulimit -s).
 */
#ifndef CORDON_CMD_VERDICT_H
#define CORDON_CMD_VERDICT_H

#include "cmd/cmd.h"
#include "cmd/options.h"

/* Enough for the longest list of denied calls. Only what is written costs memory. */
enum { VERDICT_JSON_MAX = 2 << 20 };

struct verdict {
	struct options options;
	struct decision decision;
	struct policy_problems problems;
	struct misses misses;
	struct err err;
	struct denials denials;
	struct access_denials access;
	struct arena taken; /* texts of the flags that --volumes-from stands for; may be empty */
	char json[VERDICT_JSON_MAX]; /* result of a run: made before it, so that none is lost */
	struct reach_denials reach;
};

/* All zero. NULL where there is no memory, which is said. */
struct verdict *verdict_new(void);

/* Releases the decision, too. Takes NULL. */
void verdict_free(struct verdict *verdict);

/* cordon_decide: 0, or its negative errno with the refusal in problems, misses and err. */
int must_check verdict_decide(struct verdict *verdict, const struct cmd_context *context,
			      const struct policy_request *policy);

/*
 * Reads one profile, a name or a path, with all that it inherits and without a command. 0 where the
 * policy itself is right, whatever this host can enforce of it; else as verdict_decide.
 */
int must_check verdict_read_profile(struct verdict *verdict, const struct cmd_context *context,
				    const char *profile);

/* Whether the policy was resolved, whatever the host lacks: the decision has its spec then. r: what
 * was returned. */
bool verdict_is_resolved(const struct verdict *verdict, int r);

/* Refuses a decision without a program, with ERR_USAGE in verdict->err. command: "run", "create".
 */
int must_check verdict_check_program(struct verdict *verdict, const char *command);

/* The notes that stand before a start: what was waived, what is not enforced here. */
void verdict_print_notes(const struct verdict *verdict);

/* Says what verdict_decide refused. */
void verdict_print_refusal(const struct verdict *verdict);

static inline void cleanup_verdict(struct verdict **verdict)
{
	verdict_free(*verdict);
}

#define _cleanup_verdict_ __attribute__((cleanup(cleanup_verdict)))

#endif
