/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a run ended. Numbers carry their units in the name; what was not measured is RESULT_NONE and
 * null in JSON. */
#ifndef CORDON_LAUNCHER_RESULT_H
#define CORDON_LAUNCHER_RESULT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "launcher/auditor_image.h"
#include "launcher/denials.h"
#include "launcher/reach.h"
#include "policy/spec.h"

#define RESULT_NONE INT64_MIN

/* In an initializer: the numbers that only a control group or a relay gives. */
#define RESULT_UNMEASURED                                                                      \
	.caller_signal = RESULT_NONE, .cpu_ms = RESULT_NONE, .memory_peak_bytes = RESULT_NONE, \
	.oom_kills = RESULT_NONE, .pids_peak = RESULT_NONE, .pids_refused = RESULT_NONE,       \
	.io_read_bytes = RESULT_NONE, .io_write_bytes = RESULT_NONE, .output_bytes = RESULT_NONE

enum { RESULT_NOT_ENFORCED_MAX = 16 };

enum run_kind {
	RUN_SETUP_FAILED, /* the workload never ran */
	RUN_EXITED,
	RUN_SIGNALLED,
	RUN_WALL_TIME,
	RUN_POLICY_KILL, /* killed by the system call filter (SIGSYS) */
	RUN_CPU_TIME,
	RUN_IDLE_TIME,
	RUN_OUTPUT,
	RUN_OOM,       /* the kernel killed for want of memory; limit NULL: of the host's */
	RUN_PIDS,      /* its own end, a failure, after limits.pids had refused forks */
	RUN_FSIZE,     /* ended by SIGXFSZ: limits.ulimits.fsize */
	RUN_DISK_FULL, /* its own end, a failure, with a store of the sandbox full */
};

struct run_result {
	enum run_kind kind;
	int64_t exit_code; /* RUN_EXITED */
	int64_t signal;    /* the signal that ended the workload */
	/* The last signal of the caller's that was passed on: where it is `signal`, the caller
	 * ended the run. RESULT_NONE for none. */
	int64_t caller_signal;
	const char *limit; /* key of the limit that ended the run, NULL for none */
	int64_t wall_ms;   /* from the start of the program to its end */
	/* Of the workload and of every process in it that was waited for; a process whose parent
	 * ignores SIGCHLD is in nobody's account, so these are lower bounds (getrusage(2)). */
	int64_t cpu_user_ms;
	int64_t cpu_system_ms;
	/* From here on RESULT_NONE where there was no control group that measures it. With one the
	 * two numbers above are those of the whole sandbox, and cpu_ms is what limits.cpu_time is
	 * compared with. */
	int64_t cpu_ms;
	int64_t memory_peak_bytes;
	int64_t oom_kills;    /* processes that the kernel killed for want of memory */
	int64_t pids_peak;    /* of the workload's tasks */
	int64_t pids_refused; /* forks that limits.pids refused */
	int64_t io_read_bytes;
	int64_t io_write_bytes;
	int64_t output_bytes; /* RESULT_NONE: not relayed */
	/* Policy keys below when_possible that this host could not enforce. */
	const char *not_enforced[RESULT_NOT_ENFORCED_MAX];
	size_t n_not_enforced;
	const struct denials *denials;       /* NULL: not asked for; else spec is that of the run */
	const struct access_denials *access; /* NULL: not asked for, or not to be had */
	const struct reach_denials *reach;   /* NULL: it has no network.egress */
};

/* 0-255 as the workload's own, 128+n, or 137 where cordon ended the run. Not for RUN_SETUP_FAILED.
 */
int result_exit_code(const struct run_result *result);
/*
 * Where the workload was killed as RLIMIT_CPU kills (SIGXCPU, or SIGKILL: the soft and the hard
 * limit are one) and its processor time reached limits.ulimits.cpu, sets ret->limit and returns
 * that limit; else returns NULL. The time is that of all processes, so another SIGKILL after as
 * much of it is taken for the limit's.
 */
const struct spec_rlimit *result_find_cpu_limit(struct run_result *ret,
						const struct spec_limits *limits);
/* Where the first process was ended by SIGXFSZ, as the kernel ends one that lets a file grow beyond
 * limits.ulimits.fsize, the result is RUN_FSIZE. */
void result_explain_fsize(struct run_result *ret, const struct spec_limits *limits);
/* The whole key of a limit: "limits.memory"; NULL for SPEC_LIMITS. */
const char *limits_key(enum spec_limit limit);
const char *result_kind_name(enum run_kind kind);

/* One JSON object on one line (schema cordon.result/1, docs/result.schema.json), NUL-terminated,
 * without a newline. setup_error is the message for RUN_SETUP_FAILED, else NULL. spec may be NULL
 * where the policy failed. Returns the length, or -ENOSPC. */
ssize_t result_to_json(const struct run_result *result, const struct sandbox_spec *spec,
		       const char *setup_error, int setup_exit_code, char *buf, size_t size);

#endif
