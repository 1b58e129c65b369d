/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The caller's terminal never reaches the workload. Where descriptors 0 to 2 are one, the workload
 * has a pty of the sandbox's own in its place, and the monitor (monitor/monitor.c) passes the bytes
 * on. Internal to launcher/; docs/decisions/007-terminal.md has the reasons.
 *
 *     keeper    decides raw or not, for it alone has the caller's controlling terminal
 *     monitor   reads and writes; knows two descriptors and five requests
 *     setup     makes the pty in the sandbox's devpts, sends its master to the keeper
 *     workload  puts the slave at each of 0 to 2 that was a terminal
 */
#ifndef CORDON_LAUNCHER_TERMINAL_H
#define CORDON_LAUNCHER_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "base/err.h"

struct decision;
struct launch;

enum terminal_state {
	TERMINAL_HELD,    /* the caller's modes, nothing is read */
	TERMINAL_RELAYED, /* raw */
	TERMINAL_GONE,    /* hung up, or the monitor is dead */
};

/* The keeper's part of a run with a monitor; without one all descriptors are -EBADF. */
struct terminal {
	/* the caller's, where possible by an open file description of our own; -EBADF: the monitor
	 * has pipes alone */
	int tty_fd;
	int master_fd;  /* until the monitor has it */
	int control_fd; /* to the monitor */
	int monitor_pidfd;
	pid_t monitor_pid;
	bool has_begun;   /* the monitor has been told how the terminal stands */
	bool wants_input; /* the workload has the terminal, or has asked for it */
	enum terminal_state state;
	unsigned holds_due; /* MONITOR_HOLD that are not answered yet */
	bool is_exceeded;   /* there is more output than limits.output */
	bool is_drained;    /* all that the pipes of output.h brought has been passed on */
	bool has_output;    /* since terminal_ask_for_output */
	bool report_due;
	int64_t output_bytes; /* after terminal_finish; RESULT_NONE where nobody told */
	struct termios saved; /* the modes before the last MONITOR_RELAY */
};

/* ---- pure ---- */

/* The first of descriptors 0 to 2 that is a terminal, or -1. */
int terminal_descriptor(const struct decision *decision);
bool terminal_is_wanted(const struct decision *decision);

/* Whether there is anything to relay: a terminal, or output that is counted (output.h). */
bool monitor_is_wanted(const struct decision *decision);

/* Whether stdin and stdout both are: then the workload has the terminal from its beginning, else
 * when it first asks for it (a pipeline's keys may be another program's). */
bool terminal_is_interactive(const struct decision *decision);

/* Whether a job may read the terminal: its group is the foreground group, or there is no job
 * control (ENOTTY: the terminal does not control this session). result and sys_errno are
 * tcgetpgrp(3)'s. */
bool terminal_is_foreground(pid_t result, int sys_errno, pid_t own_group);

/* ---- rows of the child; terminal_child.c ---- */

/* The pair, sent to the keeper; whose controlling terminal it is is for the caller to see to. */
int must_check terminal_make_pair(struct launch *launch, struct err *err);
int must_check terminal_make(struct launch *launch, struct err *err);
int must_check terminal_verify_made(struct launch *launch, struct err *err);
int must_check terminal_replace_stdio(struct launch *launch, struct err *err);
int must_check terminal_verify_stdio(struct launch *launch, struct err *err);
int must_check terminal_take_foreground(struct launch *launch, struct err *err);
int must_check terminal_verify_foreground(struct launch *launch, struct err *err);

/* ---- the keeper; terminal.c ---- */

void terminal_init(struct terminal *terminal);
void terminal_release(struct terminal *terminal);

/* Takes the master that the child has sent. Owns fd, also on failure. */
int must_check terminal_accept_master(struct launch *launch, int fd, struct err *err);

/* Row monitor: starts it, and waits until it is confined. */
int must_check terminal_start_monitor(struct launch *launch, struct err *err);
int must_check terminal_verify_monitor(struct launch *launch, struct err *err);

/* Decides between raw and the caller's modes anew, and tells the monitor. After exec, SIGCONT, and
 * whenever something may have changed. */
int must_check terminal_refresh(struct launch *launch, struct err *err);

/* has_output becomes true when the monitor has moved any since the last time, and once. */
int must_check terminal_ask_for_output(struct launch *launch, struct err *err);

/* The window may have another size. */
int must_check terminal_resize(struct launch *launch, struct err *err);

/* Puts the caller's modes back and waits for that. Before the keeper stops itself. */
int must_check terminal_hold(struct launch *launch, struct err *err);

/* Reads one message. *ret_hangup: the caller's terminal is gone. Fails where the monitor is dead.
 */
int must_check terminal_on_message(struct launch *launch, bool *ret_hangup, struct err *err);

/* Milliseconds after which terminal_refresh is due, -1 for never: nothing tells a job that the
 * shell has put it in the foreground when it was running. */
int terminal_patience(const struct launch *launch);

/* The sandbox is gone: passes its last output on, puts the modes back, and waits for the monitor's
 * end, in bounded time. Idempotent. */
void terminal_finish(struct launch *launch);

#endif
