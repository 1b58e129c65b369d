/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of the sandbox as a whole: which are enforced, by what, and what became of them.
 * Internal to launcher/. */
#ifndef CORDON_LAUNCHER_LIMITS_H
#define CORDON_LAUNCHER_LIMITS_H

#include "launcher/launch.h"
#include "launcher/result.h"

/* Whether spec or request ask for anything that only a control group gives: then there are facts to
 * be probed. */
bool limits_want_group(const struct decision *decision);

/* The controllers that are asked for, as bits: of which facts are to be probed. */
uint32_t limits_asked(const struct decision *decision);

/* Whether some of it has no other way, as limits.pids mostly has. */
bool limits_need_group(const struct decision *decision);

/* Decides decision->limits from spec and facts. Misses for what is required and cannot be had;
 * what stands below when_possible goes to decision->not_enforced. Pure. */
void preflight_limits(struct decision *decision, struct misses *misses);

/* Rows of the keeper. */
bool limits_exceed_hard(const struct decision *decision);
int must_check limits_raise_hard(struct launch *launch, struct err *err);
bool limits_has_group(const struct decision *decision);
bool limits_has_v1_group(const struct decision *decision);
int must_check limits_make_group(struct launch *launch, struct err *err);
int must_check limits_verify_group(struct launch *launch, struct err *err);
int must_check limits_remove_group(struct launch *launch, struct err *err);
int must_check limits_verify_member(struct launch *launch, struct err *err);
/* v2: the keeper steps aside in the caller's own group (cgroup/leaf.c). */
bool limits_wants_leaf(const struct decision *decision);
int must_check limits_enter_leaf(struct launch *launch, struct err *err);
int must_check limits_verify_leaf(struct launch *launch, struct err *err);
int must_check limits_leave_leaf(struct launch *launch, struct err *err);
/* Removes the groups that a dead keeper's journal names. */
int must_check limits_gc(const char *journal, struct err *err);

/* The first row of the child. */
int must_check limits_join_group(struct launch *launch, struct err *err);

/* ---- supervision ---- */

struct limits_watch {
	int64_t cpu_limit_us;   /* INT64_MAX: none */
	int64_t short_until_ms; /* of memory: what became of it is looked at until then */
	int64_t next_cpu_ms;    /* when to look again, CLOCK_MONOTONIC; INT64_MAX: never */
	/* limits.idle_time */
	int64_t idle_limit_ms; /* INT64_MAX: none, and the rest means nothing */
	int64_t active_ms;     /* when it was last seen to be at work */
	int64_t looked_ms;     /* the last look, */
	int64_t looked_cpu_us; /* and the processor time then */
	int64_t next_idle_ms;
	bool wants_output; /* whether there was output since the last look is to be asked */
};

/* Pure: milliseconds between two looks at a sandbox that may be idle; and whether that much
 * processor time between two looks is more than the timers of programs that sleep take. */
int64_t limits_idle_pause(int64_t idle_limit_ms);
bool limits_is_work(int64_t used_us, int64_t elapsed_ms);

void limits_watch_init(const struct launch *launch, int64_t now_ms, struct limits_watch *ret);
/* Milliseconds until limits_check wants to be called, for poll(2); -1: never. */
int limits_patience(const struct limits_watch *watch, int64_t now_ms);
/* The limit that has been reached, SPEC_LIMITS for none. */
enum spec_limit limits_check(const struct launch *launch, struct limits_watch *watch,
			     int64_t now_ms);
/* It was at work just now: the time of idleness begins anew. */
void limits_note_activity(struct limits_watch *watch, int64_t now_ms);
/* The keeper stops. Whether something has to be looked at meanwhile; what whoever does it leaves
 * out: a job that its user stopped is not idle. */
bool limits_want_looks(const struct launch *launch, const struct limits_watch *watch);
void limits_forget_idle(struct limits_watch *watch);
/* And goes on: nobody has looked since, or somebody else. */
void limits_go_on(const struct launch *launch, struct limits_watch *watch, int64_t now_ms);
/* v1: the event of a lack of memory. */
void limits_on_memory_event(const struct launch *launch, struct limits_watch *watch,
			    int64_t now_ms);
/* What is used now; wall_ms is left alone. */
void limits_sample(const struct launch *launch, struct run_sample *ret);
/* After the end of all processes: numbers, and the reason where a limit was it. */
void limits_collect(const struct launch *launch, struct run_result *result);

#endif
