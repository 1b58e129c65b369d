/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this host and this caller are, probed once by reading; tests hand in a made-up one. */
#ifndef CORDON_LAUNCHER_FACTS_H
#define CORDON_LAUNCHER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "cgroup/cgroup.h"
#include "launcher/apparmor.h"
#include "launcher/audit.h"
#include "policy/spec.h"
#include "rootfs/tree.h"

enum {
	FACTS_GROUPS_MAX = 256,
	FACTS_RLIMITS = 16, /* RLIM_NLIMITS */
	FACTS_NAMESPACES = 8,
	FACTS_LINK_MAX = 32,
	FACTS_FDS = 3 + SPEC_FDS_MAX,
};

enum fd_state {
	FD_USABLE,
	FD_CLOSED,
	FD_DIRECTORY,
	FD_PATH_ONLY,
	FD_KERNEL_OBJECT,
	FD_TERMINAL, /* of --fd alone */
};

/* Why a user namespace cannot be made; each has its own remedy. */
enum userns_state {
	USERNS_OK,
	USERNS_NO_KERNEL,
	USERNS_MAX_ZERO,
	USERNS_CLONE_SYSCTL,
	USERNS_APPARMOR,         /* a program without a profile */
	USERNS_APPARMOR_PROFILE, /* the profile that the caller is under */
};

/* Whoever enters a sandbox: whether its control groups can be joined from the caller's. */
enum way_in {
	WAY_IN_OPEN,
	WAY_IN_BARRED,
	WAY_IN_BY_SCOPE, /* from a scope for which systemd will be asked */
};

/* Why the writable root cannot be on a store of this kind; "" where it can. upper_probe. */
struct upper_facts {
	char image[192];
	char project[192];
	uint64_t memory_bytes; /* of the host; 0: not known */
};

struct host_facts {
	uint32_t kernel_major;
	uint32_t kernel_minor;
	uint32_t euid;
	uint32_t egid;
	uint32_t host_euid; /* euid as /proc/self/uid_map shows it one level up; euid itself at the
			       top */
	uint64_t caps_effective;
	bool in_initial_userns;
	bool maps_all_ids; /* /proc/self/uid_map and gid_map cover the whole range that blocks come
			      from */
	enum userns_state userns;
	bool namespaces[FACTS_NAMESPACES]; /* in the order of facts_namespace_names */
	char own_namespaces[FACTS_NAMESPACES]
			   [FACTS_LINK_MAX]; /* the caller's: "net:[4026531840]" */
	bool seccomp_filter;
	bool overlay;
	bool tmpfs_attributes; /* a tmpfs keeps user.* attributes (Linux 6.6): overlayfs marks
				  removed directories by them */
	bool keyrings;
	bool apparmor;          /* this and the next two: apparmor_probe */
	bool apparmor_confined; /* the caller is under a profile that holds */
	enum apparmor_profile_state apparmor_profile;
	int landlock_abi;         /* its version; or a negative errno, see facts_landlock_abi */
	enum audit_state audit;   /* where denials are explained: audit_probe */
	bool program_is_writable; /* cordon's own file, by the caller, while it runs */
	bool core_is_piped;       /* core dumps go to a program, which the kernel starts as root */
	uint64_t rlimit_hard[FACTS_RLIMITS]; /* SPEC_UNLIMITED for none */
	gid_t groups[FACTS_GROUPS_MAX];      /* supplementary */
	size_t n_groups;
	bool has_more_groups; /* than fit: then none is listed */
	/* Descriptors that the workload gets: 0, 1, 2, and then those of --fd (facts_fd). */
	int passed[SPEC_FDS_MAX];
	size_t n_passed;
	enum fd_state stdio[FACTS_FDS];
	bool stdio_is_pipe[FACTS_FDS];       /* an anonymous one */
	bool stdio_is_input_file[FACTS_FDS]; /* a named regular file, opened for reading alone */
	bool stdio_is_terminal[3];
	uint32_t stdio_terminal[3]; /* which one: its device number */
	/* These three: output_probe, where a limit asks for it. */
	bool stdio_is_output[3]; /* 1 and 2: can be written to */
	bool stdout_is_stderr;   /* what is written to both comes out in the order of writing */
	int other_way_out;       /* another descriptor that leads to where 1 or 2 does, or -1 */
	struct host_layout layout;
	struct cgroup_facts cgroup; /* probed where a limit asks for it */
	bool has_systemd;           /* as cgroup */
	char scope_runtime_dir[64]; /* where the manager's sockets are; see scope_probe */
	/* Controllers (bits) that systemd would give, were it not for the program that asks: */
	uint32_t scope_lost;
	int scope_errno; /* why that cannot be executed: ENOENT, EPERM */
	enum way_in way_in;
	struct upper_facts upper; /* where the policy asks for one */
};

extern const char *const facts_namespace_names[FACTS_NAMESPACES]; /* as in /proc/PID/ns */

/* Reads the facts. fds_closed[i]: descriptor i was closed when the program began
 * (facts_guard_stdio). Errors: what cannot be read at all. */
int must_check facts_probe(const bool fds_closed[3], struct host_facts *ret, struct err *err);

/* As facts_probe, for the descriptors of --fd. */
void facts_probe_passed(struct host_facts *facts, const int *fds, size_t n);

/* How many descriptors the workload gets, and the number of the i-th. */
size_t facts_n_fds(const struct host_facts *facts);
int facts_fd(const struct host_facts *facts, size_t i);

/*
 * Opens a placeholder at each of 0, 1, 2 that is closed, so that no file of ours lands there and is
 * passed on; the placeholders are CLOEXEC and go away with exec. To be called first of all. Returns
 * 0 or -errno.
 */
int must_check facts_guard_stdio(bool ret_closed[3]);

/* Read where the spec asks for what they decide, and by `doctor`: into core_is_piped, overlay and
 * landlock_abi, tmpfs_attributes. */
bool facts_core_is_piped(void);
bool facts_has_overlay(void);
bool facts_has_tmpfs_attributes(void);
/* The version of Landlock; -ENOSYS: the kernel is built without it; -EOPNOTSUPP: it is not among
 * those that the kernel was booted with. */
int facts_landlock_abi(void);

/* True where hard limits may be raised: setrlimit(2) asks for the capability in the initial user
 * namespace. */
bool facts_can_raise_limits(const struct host_facts *facts);

bool facts_has_cap(const struct host_facts *facts, int capability);

/* True where the sandbox gets a block of ids of its own: root's way. Else one id is mapped: a
 * user's way. */
bool facts_can_map_block(const struct host_facts *facts);

#endif
