/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What supervise.c, whose theory of operation stands there, shares with supervise_output.c.
 * Internal to launcher/. */
#ifndef CORDON_LAUNCHER_SUPERVISE_H
#define CORDON_LAUNCHER_SUPERVISE_H

#include "launcher/init_image.h"
#include "launcher/launch.h"
#include "launcher/limits.h"

struct watch {
	struct launch *launch;
	int signal_fd;
	const struct run_options *options;
	int64_t start_ms;
	int64_t deadline_ms;
	int64_t stop_deadline_ms; /* of an end in order: then all is killed. INT64_MAX: none */
	int64_t next_sample_ms;   /* INT64_MAX: none is wanted */
	bool is_ended;            /* by a limit: everything has been killed */
	bool gives_up;            /* what has not been taken of the output is not waited for */
	int asked_to_end;   /* the last of SIGHUP, SIGINT, SIGQUIT, SIGTERM passed on; 0: none */
	bool asked_to_stop; /* SIGTSTP has been passed on */
	bool has_end;       /* init's last word */
	bool status_closed;
	struct init_status end;
	struct limits_watch limits;
	struct run_result *result;
};

/* Milliseconds until the deadline for poll(2), -1 for none. Rounded up, so that the last wait is
 * not a spin. */
int supervise_time_left(int64_t deadline_ms);

/* Stops this process, and its group where `whole_group`, as ^Z stops any other. In a group without
 * a shell that could continue it (orphaned: setpgid(2)) the kernel drops the signal, and nothing
 * happens. */
void supervise_stop_self(const struct watch *watch, bool whole_group);

int must_check supervise_on_monitor(struct watch *watch, struct err *err);

/* Ends everything: it was cordon that did. */
void supervise_end_by_limit(struct watch *watch, enum run_kind kind, const char *limit);

/* What the monitor has said of output; and the next question, at each look at processor time. */
int must_check supervise_follow_output(struct watch *watch, struct err *err);

/* Whether it asks a program to end. */
bool supervise_asks_to_end(int signo);

/* The sandbox is gone: waits until what it wrote has been taken, or the run is ended otherwise. */
int must_check supervise_output(struct watch *watch, struct err *err);

#endif
