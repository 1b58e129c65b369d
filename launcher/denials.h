/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which system calls a run was denied (run_request.explains_denials). The workload's filter asks a
 * listener where it would answer errno; the notifier (notifier/notifier.c) gives that answer and
 * counts. docs/decisions/016-denials.md has the reasons.
 *
 *     workload  loads the filter and says which descriptor its listener has; exec closes it
 *     keeper    takes the listener while the workload waits at the gate, hands it to the notifier
 *     notifier  answers, and says at the end what it has counted
 */
#ifndef CORDON_LAUNCHER_DENIALS_H
#define CORDON_LAUNCHER_DENIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "launcher/notifier_image.h"
#include "policy/spec.h"

struct decision;
struct launch;

enum { DENIAL_TEXT_MAX = 96 };

/* One denial, for people. */
struct denial_view {
	char call[DENIAL_TEXT_MAX];     /* "socket", "400" where no name is known */
	const char *architecture;       /* "x86", "" for the native one */
	char argument[DENIAL_TEXT_MAX]; /* "AF_VSOCK", "" for none */
	char answer[DENIAL_TEXT_MAX];   /* "EPERM", "0" */
	char waiver[DENIAL_TEXT_MAX];   /* "seccomp.call:socket", "" where none lifts it */
	bool has_rules;                 /* the waiver lifts other refusals of this call, too */
	bool is_listable;               /* or the call's name in seccomp.allow of origin.file */
	struct spec_origin origin;      /* of the rule */
};

/* Pure. spec must have been resolved with policy_request.wants_origins. */
void denial_describe(const struct sandbox_spec *spec, const struct denial *denial,
		     struct denial_view *ret);

/* ---- the rest is internal to launcher/ ---- */

struct notifier_process {
	int listener_fd; /* until the notifier has it */
	int control_fd;  /* to the notifier */
	int pidfd;
	pid_t pid;
	int listener_number; /* the workload's, while it waits at the gate */
};

bool denials_are_explained(const struct decision *decision);

/* The keeper's row notifier. */
int must_check denials_start_notifier(struct launch *launch, struct err *err);
int must_check denials_verify_notifier(struct launch *launch, struct err *err);

/* The sandbox is gone: asks what was counted, in bounded time, and waits for the notifier's end.
 * ret may be NULL. Idempotent. */
void denials_finish(struct launch *launch, struct denials *ret);

#endif
