/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libcordon: the engine's whole public face. Nothing here prints or exits.
 *
 *     cordon_decide   everything that can go wrong because of the user or the host: policy,
 * preflight, plan. Changes nothing. `explain` stops here. cordon_run      carries a decision out
 * and waits for the end. Changes are undone before it returns. cordon_gc       finishes what killed
 * keepers could not undo.
 */
#ifndef CORDON_LAUNCHER_CORDON_H
#define CORDON_LAUNCHER_CORDON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroup/cgroup.h"
#include "launcher/access.h"
#include "launcher/denials.h"
#include "launcher/facts.h"
#include "launcher/grow.h"
#include "launcher/landlock.h"
#include "launcher/limits_text.h"
#include "launcher/log_format.h"
#include "launcher/plan.h"
#include "launcher/result.h"
#include "launcher/state.h"
#include "launcher/upper.h"
#include "launcher/visit.h"
#include "policy/policy.h"
#include "policy/spec.h"
#include "rootfs/tree.h"

#define CORDON_VERSION "0.1.0"

/* A file of the policy as it was read: the answer to one call of policy_host.load_profile. */
struct policy_file {
	const char *ref;
	const char *relative_to;
	const char *path;
	const char *dir;
	const char *text; /* len bytes */
	size_t len;
};

enum { POLICY_FILES_MAX = 32 };

struct policy_files {
	struct policy_file list[POLICY_FILES_MAX];
	size_t n;
};

/* What the front door was asked for: text only, nothing opened. */
struct terminal_size {
	uint16_t rows;
	uint16_t columns;
};

struct run_request {
	struct policy_request policy;
	/* A kept sandbox's: what the policy reads is what it read when the sandbox was made, and no
	 * file of today's. NULL: the files. The ceiling is today's in any case. */
	const struct policy_files *files;
	const char *root_dir;    /* --root, NULL for the default places */
	const char *runtime_dir; /* $XDG_RUNTIME_DIR, NULL where unset */
	bool fds_closed[3];      /* from facts_guard_stdio */
	const char *const *environment;
	const char *home;
	bool explains_denials;     /* with policy.wants_origins */
	const char *cgroup_parent; /* --cgroup-parent, NULL for the place that is found */
	const char *kept_dir;      /* the state root, which no sandbox is shown; NULL: by root_dir,
				      environment and home */
	bool wants_usage;          /* what is used will be asked for while it runs */
	bool counts_usage;         /* the same, where a group can be had; no reason to refuse */
	bool is_kept;              /* other programs may be started in it (cordon_run, enters) */
	bool keeps_output;         /* what it prints goes into files (run_options.logs) */
	/* With keeps_output: what those who attach type is the program's stdin; it has a terminal
	 * of its own, whether the caller has one or not. */
	bool keeps_stdin;
	bool keeps_terminal;
	struct terminal_size terminal_size; /* its first one; 0 by 0: nobody knows yet */
	/* Another program is to be started in a sandbox that this request describes: what is asked
	 * of the host is what that takes, and RLIMIT_NPROC is that of the sandbox's start. */
	bool enters;
	uint64_t enters_nproc_limit;
	const struct cgroup *enters_groups; /* the sandbox's (run_target.groups) */
	bool wants_pause;                   /* a group that can be frozen, where it can be had */
	/* A kept sandbox's: the id of the image that it was made from; NULL: that of its name. */
	const char *image_id;
};

struct held_image; /* storage/held.h */

/* A host path that the spec shows, as it was when it was checked. */
struct source_fact {
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t ino;
	uint32_t uid;
	uint32_t gid;
	bool is_dir;
	bool is_open_program; /* a regular file that everybody may read and execute */
	bool shows_owner;     /* as root: the owner's id becomes the workload's */
	const char *path;     /* real path, free of links; in the decision's arena */
	const struct tree_protected *protected; /* one for each of the mount's; NULL: not a bind */
};

enum { MISSES_MAX = 32 };

/* Something that was asked for and that this host cannot give. */
struct miss {
	char key[64]; /* the policy key, "" for what every sandbox needs */
	struct spec_origin origin;
	char text[256];
	char hint[768];
	char command[LIMITS_COMMAND_MAX]; /* what the hint says, for a shell; "" for none */
	int exec_errno; /* the program itself is what cannot be reached, and why; else 0 */
};

struct misses {
	struct miss list[MISSES_MAX];
	size_t n;
	size_t n_dropped;
};

/* Which limits of the whole sandbox are enforced, and by what. */
struct limits_decision {
	uint32_t enforced;    /* bit n: spec_limit n */
	uint32_t controllers; /* bit n: cgroup_controller n; 0: no group is made */
	bool pids_by_nproc;   /* without a group: by RLIMIT_NPROC */
};

/* Everything that is decided before the first change: frozen when cordon_decide returns 0. */
struct decision {
	struct arena arena;
	struct sandbox_spec spec;
	struct host_facts facts;
	const struct source_fact *sources; /* one for each spec.mounts */
	const struct source_fact *secrets; /* one for each spec.secrets */
	struct source_fact root_source;    /* rootfs dir:PATH */
	/* rootfs image:NAME: held until cordon_release, in what is forked as well; NULL: none, and
	 * image_err says why. */
	struct held_image *image;
	struct err image_err;
	const int *held_fds; /* what it is held by: descriptors, as held_image_find has them */
	size_t n_held;
	uint64_t image_owners;            /* entries whose owners or bits are in its books alone */
	const struct source_fact *layers; /* of the image, lowest first */
	size_t n_layers;
	bool names_image; /* the command line does (FLAG_IMAGE) */
	struct tree tree;
	struct landlock_rules landlock;
	struct plan plan;
	enum spec_writable writable; /* the spec's, or what its auto comes to here */
	/* Keys that stand below when_possible and that this host cannot enforce. */
	const char *not_enforced[RESULT_NOT_ENFORCED_MAX];
	size_t n_not_enforced;
	struct limits_decision limits;
	bool explains_denials;
	bool wants_usage;
	bool counts_usage;
	bool is_kept;
	bool keeps_output;
	bool keeps_stdin; /* a pipe; where it has a terminal that is its stdin */
	bool keeps_terminal;
	bool enters;
	uint64_t enters_nproc_limit;
	bool wants_pause;
	bool names_group;      /* --cgroup-parent: the sandbox is in that group, limits or none */
	char state_path[4096]; /* the run root */
	char kept_path[4096];  /* the state root, "" where there is no place for one */
	struct policy_files files; /* all that the policy read, in the arena */
};

/*
 * Fills *ret (about 20 KiB and an arena: release it with cordon_release, also after a failure).
 * Errors: ERR_POLICY with *problems filled; ERR_PREFLIGHT with *misses filled, all at once;
 * ERR_USAGE.
 */
int must_check cordon_decide(const struct run_request *request, struct decision *ret,
			     struct policy_problems *problems, struct misses *misses,
			     struct err *err);
void cordon_release(struct decision *decision);

/* From its decision on nothing can be removed from the store of images. To be called where a record
 * says by now that the image is needed; cordon_run does so as well. */
void cordon_let_images_go(const struct decision *decision);

/* Looks at the host's control groups and fills facts->cgroup; parent: --cgroup-parent or NULL;
 * controllers: as bits, which of them (cgroup_probe). */
int must_check cordon_probe_groups(struct host_facts *facts, const char *parent,
				   uint32_t controllers, struct err *err);

/* After it, for the same controllers: adds what systemd would give to a run with a limit that
 * nothing else can hold. */
void cordon_probe_scope(const struct run_request *request, uint32_t controllers,
			struct host_facts *facts);

/* What the sandbox uses at one moment; RESULT_NONE for what is not measured. */
struct run_sample {
	int64_t wall_ms;
	int64_t memory_bytes;
	int64_t swap_bytes;
	int64_t pids; /* the workload's tasks */
	int64_t cpu_us;
	int64_t io_read_bytes;
	int64_t io_write_bytes;
};

/* What there is once the workload runs; valid during the call. */
struct run_started {
	pid_t workload_pid;
	pid_t init_pid;
	const char *run_id;          /* of the journal below the run root */
	const struct cgroup *cgroup; /* n 0: none */
	uint64_t nproc_limit;        /* RLIMIT_NPROC of the workload */
	uint64_t stop_grace_ms;      /* what the policy says */
	const int *namespace_fds;    /* FACTS_NAMESPACES of them, where the decision is_kept */
	const struct landlock_places *places; /* likewise, where there are rules of Landlock's */
	const char *lent_links; /* of the host's, that forward since this start; "": none */
	/* Where the root is an overlay that is written to: O_PATH, what has `upper` in it; else
	 * -EBADF. */
	int upper_fd;
};

/* The sandbox that is entered, in the caller's hands. */
struct run_target {
	/* In the order of facts_namespace_names. */
	int namespace_fds[FACTS_NAMESPACES];
	struct landlock_places places;
	struct cgroup groups; /* cgroup_open; n 0: none */
	uint32_t id_block;    /* 0: as a user */
	int upper_fd;         /* what was written to its root: run_started's, or -EBADF */
	/* Where the kernel has the caller's arguments: nobody inside is to read them. */
	char *command_line;
	size_t command_line_size;
};

/* Where a decision that keeps_output puts it: log_format.h. */
struct run_logs {
	int fds[LOG_FILES_MAX]; /* open for reading and writing, the caller's to close */
	size_t n;
	uint64_t max_size; /* bytes of each */
};

/* Whom links in the default network mean: the runs, in the order of network.links. */
struct run_links {
	char runs[SPEC_ALIASES_MAX][RUN_ID_LEN + 1];
	size_t n;
};

/* Whether there are any. */
bool cordon_has_links(const struct spec_network *network);

struct run_options {
	/* Called once the workload runs. NULL: none. */
	void (*started)(void *ctx, const struct run_started *started);
	void *ctx;
	/* Called instead of letting the workload go, when all else is done: the sandbox ends when
	 * it returns, and no program of it has run. Nothing is said of it in *ret_result. NULL:
	 * none. */
	void (*at_gate)(void *ctx, const struct run_started *started);
	/* Called every sample_ms while it runs, where the decision wants_usage. It may not block:
	 * meanwhile no limit is looked at. NULL: none. */
	void (*sampled)(void *ctx, const struct run_sample *sample);
	uint64_t sample_ms;
	struct denials *denials; /* filled where the decision explains them; may be NULL else */
	struct access_denials *access; /* likewise, where the audit stream can be read */
	struct reach_denials *reach;   /* likewise, where it has network.egress */
	/* As root: the first of a block of host ids that the caller has claimed (ids.h) and gives
	 * back; 0: the run claims one of its own. */
	uint32_t id_block;
	/* As root: the directory, the caller's alone, where what is written to the root is kept
	 * from one start to the next, in a file `layer`; removed with it. NULL: it goes with the
	 * run. */
	const int *layer_dir_fd;
	const struct run_target *target; /* where the decision enters */
	const struct run_logs *logs;     /* where the decision keeps_output */
	/* Likewise: a socket that listens (SOCK_SEQPACKET), for those who attach: attach.h; the
	 * caller's to close. -EBADF: none. */
	int attach_fd;
	struct terminal_size terminal_size; /* where the decision keeps_terminal */
	/* Called once when what it prints can be kept no more: the process that does has died, or
	 * does not answer and was killed. The sandbox goes on. NULL: none. */
	void (*output_lost)(void *ctx);
	/* Called once for each process beside the sandbox that somebody has killed: "resolver",
	 * "relay" (their watchers; they start their workers anew themselves). The sandbox goes on
	 * without. NULL: none. */
	void (*helper_lost)(void *ctx, const char *helper);
	/* SIGTERM ends the sandbox in order: stop_signal, stop_grace_period (or what
	 * pidfd_send_signal's si_value says, in milliseconds), then all is killed. */
	bool stops_in_order;
	/* The same for a SIGTERM that comes with such a value alone: of a run in the foreground
	 * that is kept any other is passed on, as ever. */
	bool stops_by_command;
	/* Of a kept sandbox: the path of its record, which its addresses belong to, so that it has
	 * them again at the next start. NULL: they end with the run. */
	const char *network_holder;
	const char *sandbox_name; /* by which others of its networks find it; NULL: none */
	/* NETWORK_OF_A_SANDBOX: that one's network namespace, the caller's to close. NULL: none. */
	const int *shared_network_fd;
	/* Where there are links in the default network; NULL: none. */
	const struct run_links *links;
	/* Of a sandbox that has a record: its id, by which it finds its anonymous volumes again.
	 * NULL: they are the run's. */
	const char *sandbox_id;
	bool keeps_volumes;     /* its anonymous volumes stay when it ends */
	bool keeps_file_rights; /* as root, the front door still has to write where root needs
				   CAP_DAC_OVERRIDE */
};

/*
 * Launches, supervises, undoes. Takes the process over: signals are blocked and forwarded,
 * descriptors 0 and 1 are given up once the workload has them, and the keeper drops the privileges
 * that undo does not need. Returns 0 with *ret_result filled (whatever the workload did), or a
 * negative errno with err filled and ret_result->kind RUN_SETUP_FAILED.
 */
int must_check cordon_run(const struct decision *decision, const struct run_options *options,
			  struct run_result *ret_result, struct err *err);

/* The name of the volume that a mount of the spec's shows: its own, or where it is anonymous one
 * that follows from whose it is and where it is shown. sandbox: a record's id. */
enum { CORDON_VOLUME_NAME_SIZE = 256 };
void cordon_volume_name(const char *sandbox, const struct spec_mount *mount,
			char buf[CORDON_VOLUME_NAME_SIZE]);

/* Makes those of the spec's volumes that are not there; sandbox: as above. */
int must_check cordon_make_volumes(const struct decision *decision, const char *sandbox,
				   struct err *err);

/* Calls each(ctx, name, path) for every profile that a name can mean: shipped ones (path ""), then
 * those of /etc/cordon/profiles and of the caller. */
void cordon_profile_list(const struct run_request *request,
			 void (*each)(void *ctx, const char *name, const char *path), void *ctx);

/* The text of a profile, by name or path, with the same checks as for a run. Allocated in arena. */
int must_check cordon_profile_load(const struct run_request *request, const char *ref,
				   struct arena *arena, const char **ret_text, size_t *ret_len,
				   struct err *err);

int must_check cordon_gc(const char *root_dir, const char *runtime_dir,
			 struct gc_report *ret_report, struct err *err);

/*
 * Removes what a crash left of networks, and gives back the addresses of runs and sandboxes that
 * are gone. run and state: the two roots. Needs: networks_lock. Adds to *n_removed.
 */
struct networks;
int must_check cordon_sweep_networks(const struct networks *networks, const char *run,
				     const char *state, uint32_t *n_removed, struct err *err);

enum traffic_change { TRAFFIC_TIGHTEN, TRAFFIC_SET };

/*
 * Of one that runs: its rates are what network says: set and read back; or only those that become
 * less. Where it is in no network there are none. As root; an ordinary user's sandbox is in none.
 */
int must_check cordon_change_traffic(const char *run_id, const struct spec_network *network,
				     enum traffic_change change, struct err *err);

/* Whether this kernel holds rates: tried in a network namespace of a child's. As root. 0, or -errno
 * with err. */
int must_check cordon_probe_traffic(struct err *err);

/* The rows of both tables with the decision's verdict on each, for `explain`. NULL name: end. */
struct row_view {
	const char *process; /* "keeper", "setup", "workload", "init" */
	const char *name;
	const char *why;
	bool wanted;
};
struct row_view cordon_row(const struct decision *decision, size_t index);

#endif
