/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control groups: cgroup v1, v2 and machines that have both, behind one interface.
 *
 *   probe.c   where a group may be made, for each controller; reads only
 *   mounts.c  the places that hierarchies usually have, without a list of all mounts
 *   place.c   the same for v2, which has rules of its own; reads only
 *   table.c   which limit is which file, in which form, in v1 and v2
 *   group.c   make, limit, join, kill, remove
 *   freeze.c  freeze and thaw
 *   leaf.c    v2: the caller steps aside, so that its own group can be the parent
 *   change.c  other limits for groups that are in use
 *   usage.c   what was used, and which limits were hit
 *
 * A sandbox has one group in each hierarchy that a wanted controller belongs to: one at all on v2,
 * and up to one for each controller on v1. They are made where what bounds the caller bounds the
 * sandbox, too: in its own group, or (v2) beside it in the group that was delegated to it. The one
 * exception is root at the top of v2 without a group of its own to divide, who is bound by nothing
 * that it could not lift. Nothing here prints, and nothing is made by probing.
 *
 * Sources: cgroups(7); Documentation/admin-guide/cgroup-v1/ and cgroup-v2.rst of the kernel.
 */
#ifndef CORDON_CGROUP_CGROUP_H
#define CORDON_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "policy/spec.h"

enum cgroup_controller {
	CGROUP_PIDS,
	CGROUP_MEMORY,
	CGROUP_CPU,
	CGROUP_CPUACCT, /* processor time used; on v2 every group has it */
	CGROUP_CPUSET,
	CGROUP_IO,      /* v1: blkio */
	CGROUP_FREEZER, /* for `pause`, no limit; on v2 every group has it */
	CGROUP_CONTROLLERS,
};

#define CGROUP_ALL ((1U << CGROUP_CONTROLLERS) - 1)

enum cgroup_version { CGROUP_V1 = 1, CGROUP_V2 = 2 };

/* Why no group can be made for a controller; each has its own remedy. */
enum cgroup_obstacle {
	CGROUP_ABSENT, /* this kernel has not got it, or it is mounted nowhere */
	CGROUP_USABLE,
	CGROUP_NOT_SHOWN,     /* the caller's own group lies outside what is mounted */
	CGROUP_NO_PARENT,     /* the group that the caller named is not there */
	CGROUP_READ_ONLY,     /* it is mounted so */
	CGROUP_NOT_DELEGATED, /* the caller may not make a group there */
	CGROUP_NOT_ENABLED,   /* v2: the place has not got the controller; v1: it has no cpuset */
	CGROUP_BUSY,          /* v2: other processes live in the group that would be the parent */
	CGROUP_MANAGED,       /* v2: the group that would be the parent is systemd's to arrange */
};

enum { CGROUP_HIERARCHIES_MAX = 8, CGROUP_DIR_MAX = 1024, CGROUP_NAME_MAX = 32 };

struct cgroup_hierarchy {
	enum cgroup_version version;
	uint32_t controllers; /* bit n: controller n can be limited or read here */
	uint32_t present;     /* bit n: controller n is this hierarchy's, usable or not */
	/* v2: those of them that the parent does not hand on to its children yet */
	uint32_t to_enable;
	bool makes_parent;             /* v2: the parent, "cordon", is ours to make */
	bool steps_aside;              /* v2: the parent is the caller's own group (leaf.c) */
	bool asks_scope;               /* v2: which systemd has yet to make (launcher/scope.c) */
	char top[CGROUP_DIR_MAX];      /* where the hierarchy is mounted */
	char own_path[CGROUP_DIR_MAX]; /* the caller's own group, as /proc/PID/cgroup has it */
	char parent[CGROUP_DIR_MAX]; /* absolute path of the directory that the group is made in */
	char parent_path[CGROUP_DIR_MAX]; /* the same as /proc/PID/cgroup has it */
};

/* What there is. About 32 KiB, of which as much is written as there are hierarchies. */
struct cgroup_facts {
	size_t n_hierarchies;
	enum cgroup_obstacle obstacle[CGROUP_CONTROLLERS];
	enum cgroup_version version[CGROUP_CONTROLLERS]; /* which carries it; 0: none */
	bool counts_swap;
	bool has_uncounted_swap; /* some is in use on this host, and is not counted */
	uint32_t n_cpus;         /* 0 where processor time is not asked for */
	pid_t caller;            /* the process that started this one: for the remedies */
	struct cgroup_hierarchy hierarchies[CGROUP_HIERARCHIES_MAX];
};

extern const char *const cgroup_controller_names[CGROUP_CONTROLLERS]; /* as on v2 */

/*
 * Fills *ret. parent: the group to make groups in, below each hierarchy's root ("judges/a"), or
 * NULL: the caller's own on v1; on v2 see place.c. wanted: the controllers that are asked for, as
 * bits; of others nothing is known then, they cannot be used, and hierarchies that have none of
 * them are not looked at. CGROUP_ALL: whatever there is. Errors: what cannot be read at all.
 */
int must_check cgroup_probe(const char *parent, uint32_t wanted, struct cgroup_facts *ret,
			    struct err *err);

/* Fills has_swap and counts_swap; part of cgroup_probe, and to be called again by whoever adds
 * memory to what a hierarchy has. */
void cgroup_look_at_swap(struct cgroup_facts *facts);

/* The same from the texts of /proc/self/cgroup and /proc/self/mountinfo, for tests. */
void cgroup_probe_texts(const char *self_cgroup, const char *mountinfo, const char *parent,
			uint32_t wanted, struct cgroup_facts *ret);

/* The hierarchy that has a controller, usable or not; NULL where none is shown. */
const struct cgroup_hierarchy *cgroup_hierarchy_of(const struct cgroup_facts *facts,
						   enum cgroup_controller controller);

/* v2: the controllers that a group has, as bits; none where it cannot be read. */
uint32_t cgroup_read_controllers(const char *dir);

/* The controller that enforces a limit; CGROUP_CONTROLLERS for those that need none. */
enum cgroup_controller cgroup_controller_of(enum spec_limit limit);

/* The processors of LIMIT_CPUSET as the kernel prints them: "0-1,4". */
void cgroup_format_cpuset(const struct spec_limits *spec, char *buf, size_t size);

/* ---- one sandbox's groups ---- */

struct cgroup_place {
	enum cgroup_version version;
	bool parent_is_ours; /* v2: made for our sandboxes, and gone with the last of them */
	uint32_t controllers;
	size_t hierarchy; /* index in the facts */
	int dir_fd;
	int tasks_fd; /* v1: for cgroup_join; after cgroup_open: both */
	char path[CGROUP_DIR_MAX + CGROUP_NAME_MAX];      /* of the directory */
	char self_path[CGROUP_DIR_MAX + CGROUP_NAME_MAX]; /* as /proc/PID/cgroup has it */
};

struct cgroup {
	size_t n;
	struct cgroup_place places[CGROUP_HIERARCHIES_MAX];
	int oom_event_fd; /* v1: readable when memory was short; -EBADF where there is none */
};

/* Plans the groups for the wanted controllers (bits, all usable): paths, nothing made. */
void cgroup_plan(const struct cgroup_facts *facts, uint32_t controllers, const char *id,
		 struct cgroup *ret);

/* Makes them, empty. What was made before a failure is left for cgroup_remove. */
int must_check cgroup_make(const struct cgroup_facts *facts, struct cgroup *group, struct err *err);

/*
 * Sets and reads back every limit whose bit n is set in `limits` (spec_limit n). extra_tasks: tasks
 * of ours that will be in the group, beside those of LIMIT_PIDS. To be called while it is empty.
 */
int must_check cgroup_limit(struct cgroup *group, const struct spec_limits *spec, uint32_t limits,
			    uint32_t extra_tasks, struct err *err);

/* v2: the descriptor for CLONE_INTO_CGROUP; -EBADF where there is no v2 group. */
int cgroup_clone_fd(const struct cgroup *group);

/*
 * Moves the calling process, which has one thread, into the v1 groups. By the kernel's v1 code only
 * a thread that moves itself does without the lock of all thread groups, whose writer waits for an
 * RCU grace period: 2 to 14 ms (cgroup_procs_write_start in kernel/cgroup/cgroup.c, Linux 5.14 and
 * later). What it may is what cgroup_make's caller may, who opened the file (Linux 5.17).
 */
int must_check cgroup_join(const struct cgroup *group, struct err *err);

/* A group that is there, as its keeper knows it. */
struct cgroup_known {
	enum cgroup_version version;
	uint32_t controllers;
	char path[CGROUP_DIR_MAX + CGROUP_NAME_MAX];
	char self_path[CGROUP_DIR_MAX + CGROUP_NAME_MAX];
};

/* Opens a sandbox's groups for cgroup_enter and cgroup_verify_member. Release with cgroup_release.
 * Errors: one that is gone, or that the caller may not move a process to. */
int must_check cgroup_open(const struct cgroup_known *known, size_t n, struct cgroup *ret,
			   struct err *err);

/*
 * Whether the caller may move a process there that is in the group own_path of v2 (cgroup_path_of):
 * that takes the right to write to cgroup.procs of the nearest group above both as well
 * (cgroup-v2.rst, "Delegation Containment"). Reads only.
 */
bool cgroup_may_enter(const struct cgroup *group, const char *own_path);

/* The group of v2 of a process ("self", "12"), of the line "0::PATH" of /proc/PID/cgroup; false
 * where it has none. One that lies outside of the caller's cgroup namespace begins with "/..". */
bool cgroup_path_of(const char *pid, char *buf, size_t size);

/* Moves the calling process, which has one thread, into groups that were opened, v1 and v2. */
int must_check cgroup_enter(const struct cgroup *group, struct err *err);

/* The processes in a group that was opened, host numbers; others than the caller's may come and go
 * meanwhile. Returns how many, in *ret_pids (malloc, the caller's), or -errno. */
ssize_t must_check cgroup_list(const struct cgroup *group, pid_t **ret_pids);

/* Whether /proc/PID/cgroup says that it is in every one of the groups. */
int must_check cgroup_verify_member(const struct cgroup *group, pid_t pid, struct err *err);

/* Kills what is in it, v2 (cgroup.kill); v1 has no such thing, and what is frozen there is thawed.
 * To be called when init has been killed. */
void cgroup_kill(const struct cgroup *group);

/* ---- freezing ---- */

enum { CGROUP_FREEZE_MS = 5000 };

/*
 * Freezes all that is in the group of this path, which has CGROUP_FREEZER, or lets it go on; then
 * reads back until that is so, for CGROUP_FREEZE_MS at most. What could not be frozen goes on.
 */
int must_check cgroup_freeze(const char *path, enum cgroup_version version, bool freezes,
			     struct err *err);

/* Whether all of it is frozen; false where there is no group for that. */
bool cgroup_is_frozen(const struct cgroup *group);

/* Lets it go on. On v1 what is frozen outlives SIGKILL until then. */
void cgroup_thaw(const struct cgroup *group);
/* The same by the path of any group of a sandbox's, in gc. */
void cgroup_thaw_path(const char *path);

/* Whether removing the groups takes CAP_DAC_OVERRIDE: the owner of the directory that they are in
 * may not write to it, as with the top of each hierarchy. */
bool cgroup_removal_is_privileged(const struct cgroup *group);

/* Closes the descriptors. */
void cgroup_release(struct cgroup *group);

/* Removes one group by its path; waits up to two seconds for its last processes. One that is gone
 * is no error. parent_is_ours: also the parent, where nothing else is in it. */
int must_check cgroup_remove(const char *path, bool parent_is_ours, struct err *err);

/* ---- a sandbox that runs ---- */

/* After cgroup_open: adds the controllers that the groups have beside those they were made for. */
void cgroup_widen(struct cgroup *group);

/* Whether the groups can hold this limit. */
bool cgroup_can_limit(const struct cgroup *group, enum spec_limit limit);

/*
 * Whether spec allows more of it than what is in force, of any of its files and devices.
 * LIMIT_MEMORY and LIMIT_SWAP go together, by memory where that changes. extra_tasks: as
 * cgroup_limit.
 */
bool cgroup_would_loosen(const struct cgroup *group, const struct spec_limits *spec,
			 enum spec_limit limit, uint32_t extra_tasks);

/*
 * As cgroup_limit, for groups that are in use: limits (bits) that spec does not ask for are lifted.
 * LIMIT_MEMORY and LIMIT_SWAP go together. Memory that is in use and cannot be freed is no
 * reason to kill: -EBUSY. Either all are changed, or, after a failure, none. Needs:
 * cgroup_can_limit of each.
 */
int must_check cgroup_change(struct cgroup *group, const struct spec_limits *spec, uint32_t limits,
			     uint32_t extra_tasks, struct err *err);

/* Reads all of it back at once. Groups that are gone say nothing, which is no error. */
int must_check cgroup_verify_change(const struct cgroup *group, const struct spec_limits *spec,
				    uint32_t limits, uint32_t extra_tasks, struct err *err);

/* ---- v2: the caller's own group as the parent ---- */

struct cgroup_leaf {
	char path[CGROUP_DIR_MAX + CGROUP_NAME_MAX]; /* "": none */
	uint32_t controllers; /* which the caller's group hands on for this sandbox's sake */
};

/* Whether a sandbox with these controllers needs one. */
bool cgroup_wants_leaf(const struct cgroup_facts *facts, uint32_t controllers);
/* Plans it, nothing made. After: cgroup_wants_leaf. */
void cgroup_leaf_plan(const struct cgroup_facts *facts, uint32_t controllers, const char *id,
		      struct cgroup_leaf *ret);
/* Makes it below the caller's own group and moves this process there. Read back. */
int must_check cgroup_leaf_enter(const struct cgroup_leaf *leaf, struct err *err);
/* Whether this process is in it, and nobody in the group above. */
int must_check cgroup_leaf_verify(const struct cgroup_leaf *leaf, struct err *err);
/*
 * The way back: takes the controllers away again unless other groups need them, moves this
 * process back where moves_back (not in gc), and removes the leaf. Idempotent.
 * After: the sandbox's groups are removed.
 */
int must_check cgroup_leaf_leave(const struct cgroup_leaf *leaf, bool moves_back, struct err *err);

/* ---- what was used ---- */

#define CGROUP_UNKNOWN (-1)

/* CGROUP_UNKNOWN: not measured here. */
struct cgroup_usage {
	int64_t memory_bytes;
	int64_t memory_peak_bytes;
	int64_t swap_bytes;
	int64_t oom_kills;         /* processes that the kernel killed for want of memory */
	int64_t memory_limit_hits; /* v2: times that its own limit was what killed */
	int64_t pids;              /* our init is counted */
	int64_t pids_peak;
	int64_t pids_refused; /* forks refused by limits.pids */
	int64_t cpu_us;       /* user and system */
	int64_t cpu_user_us;
	int64_t cpu_system_us;
	int64_t io_read_bytes;
	int64_t io_write_bytes;
};

/* What is wanted of it: each file takes as long to read as a limit to set. */
enum {
	CGROUP_NOW = 1U << 0,    /* memory, swap, tasks, processor time, io */
	CGROUP_TOTALS = 1U << 1, /* peaks, counts, processor time with its split, io */
};

/* Reads these parts as far as the group has them; the others are unknown. Never fails: what cannot
 * be read is unknown. */
void cgroup_read_usage(const struct cgroup *group, unsigned parts, struct cgroup_usage *ret);
/* Limits that are in force in the groups, whoever set them. CGROUP_UNKNOWN: there is no such group;
 * CGROUP_UNLIMITED: none. */
#define CGROUP_UNLIMITED INT64_MAX
struct cgroup_bounds {
	int64_t memory_bytes;
	int64_t pids; /* our init is counted */
};
struct cgroup_bounds cgroup_read_bounds(const struct cgroup *group);

/* Processor time alone, microseconds or CGROUP_UNKNOWN. */
int64_t cgroup_read_cpu_us(const struct cgroup *group);

#endif
