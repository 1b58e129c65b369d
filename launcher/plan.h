/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What will be done: the launch shape and which rows are on. Made from spec and facts alone,
 * printed by `explain`. */
#ifndef CORDON_LAUNCHER_PLAN_H
#define CORDON_LAUNCHER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum launch_shape {
	SHAPE_SINGLE,
	SHAPE_ENTER, /* no sandbox is made: another program is started in one (enter.c) */
};

/* Whose ids the sandbox has on the host. */
enum id_mode {
	IDS_BLOCK, /* a block of 65,536 of its own: as root */
	IDS_ONE,   /* the caller's one: as a user */
};

/* Rows of the keeper, in the order of execution; the table is launcher/host_steps.c. */
enum parent_row {
	PARENT_RUN_DIRECTORY,
	PARENT_ID_BLOCK,
	PARENT_OUTPUT_PIPES,
	PARENT_STDIO_PIPES,
	PARENT_STDIO_FILES,
	PARENT_HARD_LIMITS,
	PARENT_SESSION_KEYRING,
	PARENT_SOURCES,
	PARENT_VOLUMES,
	PARENT_ROOT_STORE,
	PARENT_PLACEHOLDERS,
	PARENT_SCOPE,
	PARENT_CGROUP_LEAF,
	PARENT_CGROUP,
	PARENT_NETWORK,
	PARENT_NAME_FILES,
	PARENT_NETWORK_SHARED,
	PARENT_AUDITOR,
	/* the child is made here */
	PARENT_OOM_SCORE,
	PARENT_DENY_SETGROUPS,
	PARENT_UID_MAP,
	PARENT_GID_MAP,
	/* SYNC_MAPPED: from here on at the same time as the child's rows */
	PARENT_RESOLVER,
	PARENT_NETWORK_LINK,
	PARENT_RELAY,
	PARENT_EGRESS_DENIALS,
	PARENT_TRAFFIC,
	PARENT_RESOLVER_CONFINED,
	PARENT_NAMES,
	/* SYNC_TERMINAL and SYNC_STORE, where there are any, and SYNC_READY come back */
	PARENT_READ_BACK,
	PARENT_VOLUMES_FILLED,
	PARENT_NAMESPACES,
	PARENT_LANDLOCK_PLACES,
	PARENT_CGROUP_MEMBER,
	PARENT_INIT_GONE_AHEAD,
	PARENT_AUDIT_SUBJECT,
	PARENT_MONITOR,
	/* SYNC_LISTENER, where denials are explained */
	PARENT_NOTIFIER,
	PARENT_KEEPER_PRIVILEGES,
	PARENT_ROWS,
	PARENT_FIRST = PARENT_RUN_DIRECTORY,
	PARENT_FIRST_AFTER_SPAWN = PARENT_OOM_SCORE,
	PARENT_FIRST_AFTER_MAPPED = PARENT_RESOLVER,
	PARENT_FIRST_AFTER_READY = PARENT_READ_BACK,
	PARENT_FIRST_AFTER_FILTER = PARENT_NOTIFIER,
};

/* Rows of the child, in the order of execution; the table is launcher/child.c. */
enum child_row {
	/* setup process: later the sandbox's init */
	CHILD_CGROUP_JOIN,
	CHILD_UNDUMPABLE,
	CHILD_SETUP_IDS,
	CHILD_PARENT_DEATH_SIGNAL,
	CHILD_SESSION,
	CHILD_PRIVATE_MOUNTS,
	CHILD_SOURCES,
	CHILD_STDIO_FILES,
	CHILD_LOOPBACK,
	CHILD_HOSTNAME,
	CHILD_ROOT,
	CHILD_SYSTEM,
	CHILD_ETC,
	CHILD_DEV,
	CHILD_TERMINAL,
	CHILD_PROC,
	CHILD_FORBID_USERNS,
	CHILD_KERNEL_QUOTAS,
	CHILD_KERNEL_PATHS,
	CHILD_VOLUMES,
	CHILD_STORES,
	CHILD_PROTECTED,
	CHILD_SECRETS,
	CHILD_SHOW_NAME_FILES,
	CHILD_SEAL,
	CHILD_PIVOT,
	CHILD_CGROUP_NAMESPACE,
	CHILD_SCHEDULING,
	CHILD_BOUNDING_SET,
	/* forked here: the setup process goes on beside the workload's process, then becomes init
	 */
	CHILD_OLD_ROOT,
	/* workload process */
	CHILD_SIGNALS,
	CHILD_PROCESS_GROUP,
	CHILD_TERMINAL_STDIO,
	CHILD_TERMINAL_FOREGROUND,
	CHILD_OUTPUT_STDIO,
	CHILD_RLIMITS,
	CHILD_NPROC,
	CHILD_IDENTITY,
	CHILD_KEYRING,
	CHILD_CAPABILITIES,
	CHILD_ENTERED_DEATH_SIGNAL,
	CHILD_NO_NEW_PRIVS,
	CHILD_DESCRIPTORS,
	CHILD_WORKING_DIR,
	CHILD_PROGRAM,
	/* SYNC_READY; the keeper reads back meanwhile, then opens the gate */
	CHILD_APPARMOR,
	CHILD_LANDLOCK,
	CHILD_SECCOMP,
	CHILD_ROWS,
	CHILD_FIRST = CHILD_CGROUP_JOIN,
	CHILD_FIRST_AFTER_FORK = CHILD_OLD_ROOT,
	CHILD_FIRST_IN_WORKLOAD = CHILD_SIGNALS,
	CHILD_FIRST_AFTER_READY = CHILD_APPARMOR,
};

struct plan {
	enum launch_shape shape;
	enum id_mode ids;
	uint64_t namespaces; /* CLONE_NEW* made by clone3 */
	bool parent_wanted[PARENT_ROWS];
	bool child_wanted[CHILD_ROWS];
	uint32_t init_uid; /* inside */
	uint32_t init_gid;
	uint32_t setup_uid;
	uint32_t setup_gid;
	uint64_t nproc_limit; /* RLIMIT_NPROC that gives the workload what it was promised */
};

struct decision;

/* True where the spec shows any path of the host's besides those of rootfs host. */
bool decision_has_sources(const struct decision *decision);

void plan_make(struct decision *decision);

#endif
