/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * limits.output and limits.idle_time need to know what the program writes to stdout and stderr.
 * Then each of the two that is no terminal is a pipe of the sandbox's own, and the monitor
 * (monitor/monitor.c), which relays terminals as well, passes on what comes and counts it. Internal
 * to launcher/; docs/decisions/021-output-and-idle.md has the reasons.
 */
#ifndef CORDON_LAUNCHER_OUTPUT_H
#define CORDON_LAUNCHER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct decision;
struct host_facts;
struct launch;
struct misses;
struct run_result;

enum { OUTPUT_PIPES_MAX = 2 };

/* As the keeper and its child have it; closed where the other side needs the end of file. */
struct output_pipes {
	int read_fd[OUTPUT_PIPES_MAX];
	int write_fd[OUTPUT_PIPES_MAX];
	/* stdin, where the decision keeps_stdin */
	int input_read_fd;
	int input_write_fd;
};

/* ---- pure ---- */

/* Whether the spec asks for anything that takes a relay: then there are facts to be probed. */
bool output_is_asked_for(const struct decision *decision);
/* Whether output is counted at all, by pipes or by the terminal's relay. */
bool output_is_counted(const struct decision *decision);
/* Which pipe descriptor fd becomes: its index, or -1 for none. Where 1 and 2 lead to one place
 * there is one pipe, so that the order of what is written stays. */
int output_pipe_of(const struct decision *decision, int fd);
bool output_has_pipes(const struct decision *decision);
size_t output_n_pipes(const struct decision *decision);
/* Descriptor of the caller's that the pipe's bytes go to. */
int output_target(size_t pipe);
/* How many bytes may be passed on; SPEC_UNLIMITED. */
uint64_t output_limit(const struct decision *decision);

/* A descriptor by which the program could write past the count is a miss. */
void preflight_output(const struct decision *decision, struct misses *misses);

/* ---- reading ---- */

void output_probe(struct host_facts *facts);

/* ---- rows ---- */

/* Keeper, before the child: it inherits them. */
int must_check output_make_pipes(struct launch *launch, struct err *err);
int must_check output_verify_pipes(struct launch *launch, struct err *err);
/* The workload's process. */
int must_check output_replace_stdio(struct launch *launch, struct err *err);
int must_check output_verify_stdio(struct launch *launch, struct err *err);

/* After the monitor's end: how much there was, and the reason where it was too much. */
void output_collect(const struct launch *launch, struct run_result *result);

void output_init(struct output_pipes *pipes);
/* The child has its copies: else the end of file would never come. */
void output_close_write_ends(struct output_pipes *pipes);
void output_release(struct output_pipes *pipes);

#endif
