/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only mutable state of a run, and the shape of the two tables. Internal to launcher/. */
#ifndef CORDON_LAUNCHER_LAUNCH_H
#define CORDON_LAUNCHER_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/sync.h"
#include "cgroup/cgroup.h"
#include "launcher/audit.h"
#include "launcher/cordon.h"
#include "launcher/denials.h"
#include "launcher/fault.h"
#include "launcher/network.h"
#include "launcher/network_links.h"
#include "launcher/output.h"
#include "launcher/placeholders.h"
#include "launcher/recorder.h"
#include "launcher/relay.h"
#include "launcher/resolver.h"
#include "launcher/state.h"
#include "launcher/stores.h"
#include "launcher/terminal.h"
#include "launcher/upper.h"
#include "launcher/volumes.h"
#include "rootfs/apply.h"

enum { WORKLOAD_STACK = 256 << 10 }; /* of which a few KiB are used */

struct launch {
	const struct decision *decision;
	const struct sandbox_spec *spec; /* = &decision->spec */

	/* prepared before anything changes */
	void *filter; /* struct sock_filter[n_filter], malloc */
	size_t n_filter;
	void *asking_filter; /* loaded in its place where denials are explained, else NULL */
	size_t n_asking_filter;
	int init_image_fd;                /* sealed memfd */
	char *workload_stack;             /* mapping of WORKLOAD_STACK bytes, a guard page below */
	struct rootfs_source *sources;    /* malloc, spec->n_mounts */
	struct tree_protected *protected; /* malloc, of all sources one after another */
	uint64_t *own_mounts;             /* malloc, for rootfs_run */
	struct rootfs_source root_source;
	struct rootfs_source *layers; /* malloc, decision->n_layers */
	size_t n_layers;
	char *secret_memory; /* mmap: wiped once the child has it */
	size_t secret_memory_size;
	struct rootfs_secret secrets[SPEC_SECRETS_MAX];
	struct rootfs_run rootfs;

	/* what the keeper changed on the host */
	struct state_root state;
	struct state_run run;
	struct placeholder placeholders[PLACEHOLDERS_MAX];
	size_t n_placeholders;
	struct cgroup cgroup;
	struct cgroup_leaf cgroup_leaf;
	/* Where groups are made: the decision's, or once systemd has made a scope, the second. */
	const struct cgroup_facts *cgroup_facts;
	struct cgroup_facts scope_facts;
	long session_keyring; /* as a user: its serial number */
	bool applied[PARENT_ROWS];

	/* conversation */
	int sync_keeper;
	int sync_child;
	int gate;        /* closed until the keeper has read the workload's state back */
	int status_read; /* init reports the workload's end here */
	int status_write;
	int lifeline_read; /* end-of-file: the keeper is gone */
	int lifeline_write;
	int init_gone_read; /* end-of-file: init has executed its own image */
	int init_gone_write;
	pid_t keeper_pid;

	/* processes, as the keeper knows them */
	pid_t init_pid;
	int init_pidfd;
	pid_t workload_pid;
	int workload_pidfd;
	struct terminal terminal;
	struct output_pipes output;
	struct recorder_watch recorder;
	struct stores stores;
	struct upper_store upper;
	struct notifier_process notifier;
	struct auditor_process auditor;
	struct sandbox_network network;
	struct network_links links;
	struct resolver_process resolver;
	struct relay_process relay;
	struct sandbox_volumes volumes;

	/* in the child */
	int listener_inside; /* of the workload's process, until its exec */
	pid_t workload_pid_inside;
	int terminal_slave;
	char start_dir[4096];    /* the caller's directory where it is visible inside, else "" */
	char program_path[4096]; /* what will be executed, absolute */
	bool keeps_file_rights;
	uint32_t id_block; /* the caller's, 0: none */
	const struct run_target *target;
	const struct run_logs *logs;
	struct terminal_size terminal_size;
	const int *layer_dir_fd;             /* run_options */
	const char *network_holder;          /* run_options' */
	const char *sandbox_name;            /* likewise */
	const int *shared_network_fd;        /* likewise */
	const struct run_links *linked;      /* likewise */
	int namespace_fds[FACTS_NAMESPACES]; /* of the sandbox, where it is kept */
	struct landlock_places places;       /* likewise, where Landlock has rules */
	int landlock_ruleset; /* of who enters, until the row landlock; else -EBADF */
	struct fault fault;   /* test builds */
};

/* One step of the keeper. `undo` is idempotent and needs only what the journal holds. */
struct parent_row_def {
	const char *name;
	const char *why;
	bool (*wanted)(const struct decision *decision); /* NULL: always */
	int (*apply)(struct launch *launch, struct err *err);
	int (*verify)(struct launch *launch, struct err *err); /* NULL: apply is its own proof */
	int (*undo)(struct launch *launch,
		    struct err *err); /* NULL: nothing outlives the process */
};

struct child_row_def {
	const char *name;
	const char *why;
	bool (*wanted)(const struct decision *decision);
	int (*apply)(struct launch *launch, struct err *err);
	int (*verify)(struct launch *launch, struct err *err);
};

extern const struct parent_row_def parent_rows[PARENT_ROWS];
extern const struct child_row_def child_rows[CHILD_ROWS];

/* Runs rows [first, end) of the keeper. */
int must_check host_steps_run(struct launch *launch, enum parent_row first, enum parent_row end,
			      struct err *err);
/* Undoes applied rows in reverse; failures are collected in err, and never stop the walk. */
int must_check host_steps_undo(struct launch *launch, struct err *err);

/* The child's whole life between clone3 and exec; does not return. */
_Noreturn void child_main(struct launch *launch);

/* Prepares everything that can be prepared without a change of the host. */
int must_check prepare_launch(struct launch *launch, struct err *err);
void launch_release(struct launch *launch);

/* A sealed memfd of mode 0111 with the program's bytes; CLOEXEC. */
int must_check prepare_image(const char *name, const char *bytes, size_t size, struct err *err);

/* Closes the keeper's copies of what the child has. */
void spawn_close_childs_ends(struct launch *launch);

/* clone3 by the plan's shape. Returns in the keeper only. */
int must_check spawn_sandbox(struct launch *launch, struct err *err);

/* Waits for the end. options: who wants samples. */
int must_check supervise(struct launch *launch, const struct run_options *options,
			 struct run_result *ret_result, struct err *err);

/* Tells once that output can be kept no more (run_options.output_lost). */
void supervise_tell_loss(struct launch *launch, const struct run_options *options);

/* Kills the whole sandbox and waits until it is gone. Idempotent. */
void launch_kill(struct launch *launch);

#endif
