/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a sandbox is doing. Two files say it. `state`, beside the record: how its last start went;
 * written by its keeper, and by commands while there is no keeper. `live`, below the run root: what
 * runs now; written by its keeper alone. Whether there is a keeper the kernel says: the lock that
 * it holds goes with it, however it ends. So nobody has to answer for a sandbox to be looked at,
 * and what a killed keeper could not write down is known all the same.
 */
#ifndef CORDON_RECORDS_STATUS_H
#define CORDON_RECORDS_STATUS_H

#include "cgroup/cgroup.h"
#include "records/record.h"
#include "records/store.h"

enum { STATUS_FORMAT = 1, STATUS_TEXT_MAX = 2048 };

enum sandbox_state {
	SANDBOX_CREATED,  /* never started, or not yet */
	SANDBOX_STARTING, /* a keeper is making it */
	SANDBOX_RUNNING,
	SANDBOX_PAUSED,
	SANDBOX_RESTARTING, /* between two starts, which its restart policy asks for */
	SANDBOX_EXITED,
};

const char *sandbox_state_name(enum sandbox_state state);

/* A process, told from others that may get its number: proc(5), starttime. pid 0: none. */
struct process_mark {
	pid_t pid;
	int64_t start_ticks; /* since the boot */
};

/* How the last start went, and how often there was another. Milliseconds are since 1970. */
struct last_run {
	bool is_running; /* as far as its keeper could say */
	char boot_id[STATE_BOOT_ID_SIZE];
	char run[PATH_MAX];         /* the run root of its keeper, which may be another than ours */
	struct process_mark keeper; /* for where that run root is gone */
	int64_t started_ms;         /* RESULT_NONE: never */
	int64_t finished_ms;        /* RESULT_NONE: not yet */
	int64_t restarts;           /* starts by the restart policy since the last one by command */
	int64_t exit_code;          /* as `cordon run` would have ended; RESULT_NONE: not yet */
	bool is_output_lost;        /* from some moment on: its recorder died, or hung */
	char kind[24];              /* result_kind_name, or "keeper_lost", "power_lost" */
	char text[STATUS_TEXT_MAX]; /* one line of why, "" where it ended by itself */
	char *result; /* the result as JSON, "" for none; malloc, freed by status_release */
};

struct live_run {
	struct process_mark keeper;
	struct process_mark workload; /* pid 0: nothing runs */
	struct process_mark init;
	char run_id[RUN_ID_LEN + 1];
	int64_t started_ms;
	int64_t next_start_ms; /* restarting: when; else RESULT_NONE */
	/* Who launched it, which holds its namespaces open, and by which descriptors there, in the
	 * order of facts_namespace_names; -EBADF: none. */
	struct process_mark launcher;
	int namespace_fds[FACTS_NAMESPACES];
	struct landlock_places places; /* what Landlock's rules are for, likewise */
	int upper_fd;                  /* what is written to its root, likewise */
	uint64_t nproc_limit;          /* RLIMIT_NPROC of its processes; SPEC_UNLIMITED */
	/* Of starts by the restart policy: how many, and how the one before ended; RESULT_NONE
	 * where there was none. */
	int64_t restarts;
	int64_t last_exit_code;
	int64_t last_finished_ms;
	char helpers_lost[32]; /* processes beside it that were killed: "resolver relay" */
	int64_t stop_grace_ms; /* what a stop gives it, where nobody says otherwise */
	/* How it ended, where `state` could not be written; end_kind is "" else. */
	int64_t end_ms;
	int64_t end_code;
	char end_kind[24];
	size_t n_groups;
	struct cgroup_known groups[CGROUP_HIERARCHIES_MAX];
};

struct sandbox_status {
	enum sandbox_state state;
	bool has_keeper;
	/* Its keeper did not live to write down the end: last.kind and last.text do. */
	bool is_lost;
	struct last_run last; /* restarts is that of this moment */
	struct live_run live; /* where has_keeper */
};

/* Looks, without a lock. Release with status_release. Errors: a file that is damaged. */
int must_check status_read(const struct records *records, const struct sandbox *sandbox,
			   struct sandbox_status *ret, struct err *err);
void status_release(struct sandbox_status *status);

/* Writes `state`. 0 or -errno. */
int must_check status_write_last(const struct sandbox *sandbox, const struct last_run *last);

/* What can be known of the keeper where `state` cannot be read: enough to tell it to end. */
void status_read_keeper(const struct records *records, const struct sandbox *sandbox,
			struct sandbox_status *ret);

/* RUN/sandboxes/ID of the run root that its keeper uses: a descriptor, or -errno. The roots of two
 * commands differ where XDG_RUNTIME_DIR does. */
int must_check status_open_run_dir(const struct records *records, const struct sandbox *sandbox);

/* Writes RUN/sandboxes/ID/live. Runs in the keeper. 0 or -errno. */
int must_check status_write_live(const struct records *records, const char *id,
				 const struct live_run *live);

/* Notes that it is paused, or is not any more. Needs: the lock. 0 or -errno with err. */
int must_check status_mark_paused(const struct records *records, const struct sandbox *sandbox,
				  bool is_paused, struct err *err);

/* Notes that its control groups are being changed, and may not say what its record says;
 * is_updating false: they do. Who finds it with the lock in hand sets them by the record. Needs:
 * the lock. 0 or -errno with err. */
int must_check status_mark_updating(const struct records *records, const struct sandbox *sandbox,
				    bool is_updating, struct err *err);
bool status_is_updating(const struct records *records, const struct sandbox *sandbox);

/* Opens the file in which one that removes itself leaves its exit code for whoever waits: read it
 * when the keeper is gone. A descriptor or -errno. */
int must_check status_open_left(const struct sandbox *sandbox);
/* Fills it, where somebody waits. Runs in the keeper. */
void status_leave(const struct sandbox *sandbox, int64_t exit_code);

/* Undoes what a run that was killed has left on the host, below the run root `run`; waits a moment
 * for its last process, which holds its journal, and which goes on first where it is paused: on v1
 * what is frozen does not die. -EBUSY where it does not end. 0 or -errno with err. */
int must_check status_clean_run(const char *run, const struct sandbox *sandbox, struct err *err);

/* Where the last keeper was lost: writes its end down and removes what it left below RUN/runs.
 * Files that a crash left half written go in any case. Needs: the sandbox's lock; where a keeper
 * lives nothing is done. Returns 1 where a keeper was lost, else 0. */
int must_check status_settle(const struct records *records, const struct sandbox *sandbox,
			     struct err *err);

/* ---- whether it is to run ---- */

/* What the last command wanted: true after start and restart, false after stop and kill. */
bool status_is_wanted(const struct sandbox *sandbox);
/* true: on the disk when `state` has been written behind it, which a keeper does before it starts
 * anything. false: whoever asks next is told so; on the disk after status_flush_wanted. */
int must_check status_want(const struct sandbox *sandbox, bool is_wanted, struct err *err);
int must_check status_flush_wanted(const struct sandbox *sandbox, struct err *err);

/* ---- processes ---- */

/* The mark of a process that lives; pid 0 where there is none. */
struct process_mark process_mark_of(pid_t pid);
/* A pidfd of the very process; -ESRCH where it is gone, whoever has its number. */
int must_check process_open(const struct process_mark *mark);

#endif
