/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper's table: what is done outside the sandbox, top to bottom in the order of execution,
 * and how each row is undone. Runs in the keeper. Privileged rows decide from the spec alone, never
 * from what the child sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/audit.h"
#include "launcher/enter.h"
#include "launcher/host_proc.h"
#include "launcher/host_sources.h"
#include "launcher/images.h"
#include "launcher/keyring.h"
#include "launcher/launch.h"
#include "launcher/limits.h"
#include "launcher/network.h"
#include "launcher/placeholders.h"
#include "launcher/reach.h"
#include "launcher/readback.h"
#include "launcher/relay.h"
#include "launcher/resolver.h"
#include "launcher/scope.h"
#include "launcher/stdio.h"
#include "launcher/traffic.h"

/* ---- run directory ---- */

static int apply_run_directory(struct launch *launch, struct err *err)
{
	int r = state_root_open(launch->decision->state_path, &launch->state, err);

	return r < 0 ? r : state_run_create(&launch->state, &launch->run, err);
}

static int verify_run_directory(struct launch *launch, struct err *err)
{
	/* Without a journal nothing could be undone after a kill. */
	return launch->run.journal_fd < 0 ? err_set(err, ERR_SETUP, 0, "the run has no journal")
					  : 0;
}

static int undo_run_directory(struct launch *launch, struct err *err)
{
	bool is_shared;
	int r;

	if (launch->state.runs_fd < 0 || launch->run.id[0] == '\0')
		return 0;
	is_shared = state_run_is_shared(&launch->state, launch->run.id);
	r = state_run_remove(&launch->state, launch->run.id,
			     launch->decision->plan.parent_wanted[PARENT_PLACEHOLDERS], err);
	return r == 0 ? network_forget(launch, is_shared, err) : r;
}

/* ---- block of host ids ---- */

static bool has_block(const struct decision *d)
{
	return d->plan.ids == IDS_BLOCK;
}

static bool has_one_id(const struct decision *d)
{
	return d->plan.ids == IDS_ONE;
}

static int apply_id_block(struct launch *launch, struct err *err)
{
	/* The record's, which gives it back. */
	if (launch->id_block != 0) {
		launch->run.has_block = true;
		launch->run.block_first = launch->id_block;
		return 0;
	}
	return state_block_claim(&launch->state, &launch->run, err);
}

static int verify_id_block(struct launch *launch, struct err *err)
{
	/* A map that starts at 0 would be the host's own root. */
	return !launch->run.has_block || launch->run.block_first < IDENTITY_BLOCK
		       ? err_set(err, ERR_SETUP, 0, "the sandbox has no block of host ids")
		       : 0;
}

static int undo_id_block(struct launch *launch, struct err *err)
{
	int r = launch->run.has_block && launch->id_block == 0
			? state_block_release(&launch->state, launch->run.id,
					      launch->run.block_number, err)
			: 0;

	return r < 0 ? r : 0;
}

/* As a user the child does it, in its own mount namespace (row open_stdio_files). */
static bool wants_stdio_files(const struct decision *d)
{
	return has_block(d) && stdio_has_input_files(d);
}

static bool is_kept(const struct decision *d)
{
	return d->is_kept && !d->enters;
}

static bool wants_places(const struct decision *d)
{
	return is_kept(d) && landlock_is_wanted(d);
}

static bool wants_member(const struct decision *d)
{
	return limits_has_group(d) || d->enters;
}

static int verify_member(struct launch *launch, struct err *err)
{
	return launch->decision->enters ? enter_verify_member(launch, err)
					: limits_verify_member(launch, err);
}

/* ---- session keyring ---- */

static bool wants_shared_keyring(const struct decision *d)
{
	/* A user's keys are counted: a keyring for each sandbox runs into the quota of 200. So all
	 * of a user's sandboxes stand on one empty keyring, which none of them can reach, for their
	 * filters admit no key calls. Where one does, the child makes a keyring of its own instead
	 * (row keyring). */
	return d->facts.keyrings && has_one_id(d) && !d->spec.seccomp.admits_key_calls;
}

/* ---- sources, as root ---- */

static bool wants_sources(const struct decision *d)
{
	return has_block(d) && decision_has_sources(d);
}

static int apply_sources(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	int r = 0;

	if (launch->spec->rootfs.kind == ROOTFS_DIR)
		r = host_sources_open(launch, &d->root_source, &launch->root_source, err);
	else if (launch->spec->rootfs.kind == ROOTFS_IMAGE)
		r = images_open_layers(launch, err);
	for (size_t i = 0; r == 0 && i < launch->spec->n_mounts; i++)
		if (launch->spec->mounts[i].type == MOUNT_BIND)
			r = host_sources_open(launch, &d->sources[i], &launch->sources[i], err);
	return r;
}

/* ---- after SYNC_READY ---- */

static int apply_read_back(struct launch *launch, struct err *err)
{
	return readback_workload(launch, err);
}

/* What undo and supervision need: to signal its ids, to write where the front door has to. */
static uint64_t keeper_needs(const struct launch *launch)
{
	uint64_t needs = launch->decision->plan.ids == IDS_BLOCK ? 1ULL << CAP_KILL : 0;

	/* To remove the group from a directory that is read-only for its owner, too. */
	if (launch->keeps_file_rights || cgroup_removal_is_privileged(&launch->cgroup))
		needs |= 1ULL << CAP_DAC_OVERRIDE;
	/* To take them away from a directory of another owner's, also from a sticky one. */
	if (launch->n_placeholders > 0 || upper_is_removed_by_us(launch) ||
	    volumes_are_removed(launch))
		needs |= 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER;
	/* To take the rules of its port out of the host's. */
	needs |= network_is_wanted(launch->decision) ? 1ULL << CAP_NET_ADMIN : 0;
	return needs & launch->decision->facts.caps_effective;
}

static int apply_keeper_privileges(struct launch *launch, struct err *err)
{
	const uint64_t needs = keeper_needs(launch);
	struct sys_caps caps = {.effective = needs, .permitted = needs};
	int r = sys_capset(&caps);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "drop the keeper's capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "no_new_privs for the keeper");
	return 0;
}

static int verify_keeper_privileges(struct launch *launch, struct err *err)
{
	const uint64_t needs = keeper_needs(launch);
	struct sys_caps caps;
	int r = sys_capget(&caps);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "read back the keeper's capabilities");
	if (caps.effective != needs || caps.permitted != needs || caps.inheritable != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(err, ERR_SETUP, 0, "the keeper kept more privileges than it needs");
	return 0;
}

/* ---- the table ---- */

const struct parent_row_def parent_rows[PARENT_ROWS] = {
	[PARENT_RUN_DIRECTORY] = {"run_directory",
				  "journal and lock, so that gc can finish what a kill cut short",
				  NULL, apply_run_directory, verify_run_directory,
				  undo_run_directory},
	[PARENT_ID_BLOCK] = {"id_block", "65,536 host ids that no account and no other sandbox has",
			     has_block, apply_id_block, verify_id_block, undo_id_block},
	[PARENT_OUTPUT_PIPES] = {"output_pipes",
				 "pipes of its own for stdout and stderr, so that output is "
				 "counted",
				 output_has_pipes, output_make_pipes, output_verify_pipes, NULL},
	[PARENT_STDIO_PIPES] = {"stdio_pipes",
				"pipes at 0 to 2 can be opened anew as /dev/stdout and the like",
				stdio_wants_pipes, stdio_lend_pipes, NULL, NULL},
	[PARENT_STDIO_FILES] = {"stdio_files", "a file that is read cannot be opened for writing",
				wants_stdio_files, stdio_freeze_in_keeper, stdio_verify_frozen,
				NULL},
	[PARENT_HARD_LIMITS] = {"hard_limits",
				"the policy asks for more than this process's hard limits",
				limits_exceed_hard, limits_raise_hard, NULL, NULL},
	[PARENT_SESSION_KEYRING] = {"session_keyring", "the caller's keys stay with the caller",
				    wants_shared_keyring, keyring_join, keyring_verify, NULL},
	[PARENT_SOURCES] = {"sources",
			    "host paths as detached mounts that show only their owner's id",
			    wants_sources, apply_sources, NULL, NULL},
	[PARENT_VOLUMES] = {"named_volumes",
			    "volumes, found or made, and held; as root as detached mounts that "
			    "show their ids as the sandbox's",
			    volumes_are_wanted, volumes_take, NULL, volumes_give_back},
	[PARENT_ROOT_STORE] = {"root_store",
			       "a file system of limited size for what is written to the root, "
			       "mounted nowhere",
			       upper_is_made, upper_make, upper_verify, upper_undo},
	[PARENT_PLACEHOLDERS] = {"placeholders",
				 "an empty directory where a protected path is missing: a mount "
				 "wants a place",
				 placeholders_wanted, placeholders_make, NULL, placeholders_undo},
	[PARENT_SCOPE] = {"scope",
			  "systemd is asked for a group that the caller may divide (a scope with "
			  "Delegate=yes, by the program cordon-scope)",
			  scope_is_wanted, scope_ask, scope_verify, NULL},
	[PARENT_CGROUP_LEAF] = {"cgroup_leaf",
				"v2: a group whose children have limits has no processes, so the "
				"keeper leaves the caller's for one below it",
				limits_wants_leaf, limits_enter_leaf, limits_verify_leaf,
				limits_leave_leaf},
	[PARENT_CGROUP] = {"cgroup",
			   "a control group, with its limits set and read back while it is empty",
			   limits_has_group, limits_make_group, limits_verify_group,
			   limits_remove_group},
	[PARENT_NETWORK] = {"network", "each network's bridge, and an address of its own in it",
			    network_is_wanted, network_join, NULL, network_leave},
	[PARENT_NAME_FILES] = {"name_files", "/etc/hosts and /etc/resolv.conf of its own",
			       network_is_wanted, network_files_make, NULL, NULL},
	[PARENT_NETWORK_SHARED] = {"network_shared",
				   "another sandbox's network, and not the host's",
				   network_is_shared, network_share, NULL, NULL},
	[PARENT_AUDITOR] = {"auditor",
			    "a process that can do nothing else reads what Landlock and AppArmor "
			    "deny, in the kernel's audit stream",
			    audit_is_wanted, audit_start_auditor, audit_verify_auditor, NULL},
	[PARENT_DENY_SETGROUPS] = {"deny_setgroups", "the kernel's condition for a user's gid map",
				   has_one_id, host_proc_deny_setgroups, NULL, NULL},
	[PARENT_OOM_SCORE] = {"oom_score",
			      "short of memory, the kernel takes the sandbox first (with "
			      "CAP_SYS_RESOURCE for good; else the program may take it back)",
			      NULL, host_proc_oom_score, NULL, NULL},
	[PARENT_UID_MAP] = {"uid_map", "host uid 0 is in no map", NULL, host_proc_uid_map, NULL,
			    NULL},
	[PARENT_GID_MAP] = {"gid_map", "as the uid map", NULL, host_proc_gid_map, NULL, NULL},
	[PARENT_RESOLVER] =
		{"resolver",
		 "a process that can do little else answers the DNS inside, of who is in "
		 "the same network",
		 resolver_is_wanted, resolver_start, NULL, NULL},
	[PARENT_NETWORK_LINK] = {"network_link",
				 "a link to each of them, by which only its own frames pass",
				 network_is_wanted, network_make_links, network_verify_links,
				 network_forget_links},
	[PARENT_RELAY] = {"relay",
			  "a process that can do little else passes on what comes for published "
			  "ports by the host's loopback",
			  relay_is_wanted, relay_start, relay_verify, NULL},
	[PARENT_EGRESS_DENIALS] =
		{"egress_denials",
		 "the kernel counts what its rules deny, by destination, in lists "
		 "of a fixed size",
		 reach_is_listed, reach_list, reach_verify_list, NULL},
	[PARENT_TRAFFIC] = {"traffic",
			    "what it sends and receives goes through buckets on the host, which "
			    "let through so much in a second",
			    traffic_is_wanted, traffic_set, traffic_verify, NULL},
	[PARENT_RESOLVER_CONFINED] = {"resolver_confined",
				      "that process has given up what it can do without; read back",
				      resolver_is_wanted, resolver_await, resolver_verify, NULL},
	[PARENT_NAMES] = {"names", "others in its network find it by its names", resolver_is_wanted,
			  resolver_publish_names, resolver_verify_names, resolver_forget_names},
	/* While init still detaches the host's tree. */
	[PARENT_READ_BACK] = {"read_back",
			      "ids, five capability sets, no_new_privs, eight namespaces of the "
			      "workload",
			      NULL, apply_read_back, NULL, NULL},
	[PARENT_VOLUMES_FILLED] = {"filled_volumes",
				   "what an empty volume got from the root is on the disk",
				   volumes_can_be_filled, volumes_filled, NULL, NULL},
	[PARENT_NAMESPACES] = {"namespaces",
			       "held open, so that `cordon exec` can enter them whatever the "
			       "workload does",
			       is_kept, enter_hold_namespaces, enter_verify_namespaces, NULL},
	[PARENT_LANDLOCK_PLACES] = {"landlock_places",
				    "held open as well: what `cordon exec` starts has the same "
				    "rules, whatever lies at their paths then",
				    wants_places, landlock_hold_places, landlock_verify_places,
				    NULL},
	[PARENT_CGROUP_MEMBER] = {"cgroup_member",
				  "the kernel says that the workload is in the group", wants_member,
				  verify_member, NULL, NULL},
	[PARENT_INIT_GONE_AHEAD] =
		{"init_gone_ahead",
		 "the host's tree is detached, pid 1 has executed its own image and holds nothing",
		 NULL, readback_await_init, readback_verify_init, NULL},
	[PARENT_AUDIT_SUBJECT] = {"audit_subject",
				  "the auditor is told whose denials are asked for",
				  audit_is_wanted, audit_tell_subject, audit_verify_subject, NULL},
	[PARENT_MONITOR] = {"monitor",
			    "a process that can do nothing else passes the bytes of terminal and "
			    "output on",
			    monitor_is_wanted, terminal_start_monitor, terminal_verify_monitor,
			    NULL},
	[PARENT_NOTIFIER] = {"notifier",
			     "a process that can do nothing else answers denied calls as the "
			     "filter would, and counts them",
			     denials_are_explained, denials_start_notifier, denials_verify_notifier,
			     NULL},
	[PARENT_KEEPER_PRIVILEGES] = {"keeper_privileges",
				      "the keeper drops what undo does not need", NULL,
				      apply_keeper_privileges, verify_keeper_privileges, NULL},
};

#define MUST_PRECEDE(a, b, why) _Static_assert((int)(a) < (int)(b), why)
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_ID_BLOCK, "the claim is journalled before it is made");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_OUTPUT_PIPES, "the new group is of the block");
MUST_PRECEDE(PARENT_OUTPUT_PIPES, PARENT_FIRST_AFTER_SPAWN, "the child inherits them");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_STDIO_PIPES, "the new group is of the block");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_SOURCES, "an idmapped mount needs the block's ids");
MUST_PRECEDE(PARENT_SOURCES, PARENT_FIRST_AFTER_SPAWN, "the child inherits the detached mounts");
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_VOLUMES, "a volume that goes with the run names it");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_VOLUMES, "an idmapped mount needs the block's ids");
MUST_PRECEDE(PARENT_VOLUMES, PARENT_FIRST_AFTER_SPAWN, "the child inherits the detached mounts");
MUST_PRECEDE(PARENT_VOLUMES_FILLED, PARENT_KEEPER_PRIVILEGES, "an id of the sandbox's owns data");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_ROOT_STORE, "what is written to belongs to the block");
MUST_PRECEDE(PARENT_ROOT_STORE, PARENT_FIRST_AFTER_SPAWN, "the child inherits the mount");
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_PLACEHOLDERS, "journalled before they are made");
MUST_PRECEDE(PARENT_PLACEHOLDERS, PARENT_FIRST_AFTER_SPAWN, "init inherits their locks");
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_CGROUP, "journalled before it is made");
MUST_PRECEDE(PARENT_SCOPE, PARENT_CGROUP_LEAF, "the leaf is made in the scope");
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_CGROUP_LEAF, "journalled before it is made");
MUST_PRECEDE(PARENT_CGROUP_LEAF, PARENT_CGROUP, "cgroup-v2.rst, No Internal Process Constraint");
MUST_PRECEDE(PARENT_CGROUP, PARENT_FIRST_AFTER_SPAWN,
	     "limits are set while the group is empty: cgroup-v2.rst, memory.max reclaims else");
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_NETWORK, "the address belongs to the run's directory");
MUST_PRECEDE(PARENT_NETWORK, PARENT_FIRST_AFTER_SPAWN, "what can be refused is, before a child is");
MUST_PRECEDE(PARENT_NETWORK_SHARED, PARENT_FIRST_AFTER_SPAWN, "the child is made in it");
MUST_PRECEDE(PARENT_NETWORK, PARENT_NAME_FILES, "they say its addresses");
MUST_PRECEDE(PARENT_NETWORK_LINK, PARENT_EGRESS_DENIALS, "its chains are there");
MUST_PRECEDE(PARENT_NETWORK_LINK, PARENT_TRAFFIC, "its ports are what it is about");
MUST_PRECEDE(PARENT_NETWORK_LINK, PARENT_KEEPER_PRIVILEGES, "setns(2): it takes CAP_SYS_ADMIN");
MUST_PRECEDE(PARENT_RELAY, PARENT_KEEPER_PRIVILEGES, "as for the monitor");
MUST_PRECEDE(PARENT_RESOLVER, PARENT_KEEPER_PRIVILEGES, "setns(2), and as for the monitor");
MUST_PRECEDE(PARENT_RESOLVER, PARENT_RESOLVER_CONFINED, "it is read back");
MUST_PRECEDE(PARENT_RESOLVER_CONFINED, PARENT_READ_BACK, "before the program can ask");
MUST_PRECEDE(PARENT_NETWORK_LINK, PARENT_NAMES, "who finds it is answered");
MUST_PRECEDE(PARENT_DENY_SETGROUPS, PARENT_GID_MAP, "user_namespaces(7): setgroups first");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_AUDITOR, "it has the id of the sandbox's init");
MUST_PRECEDE(PARENT_AUDITOR, PARENT_FIRST_AFTER_SPAWN,
	     "the domain's first record tells whose it is, and no child inherits the stream");
MUST_PRECEDE(PARENT_AUDITOR, PARENT_KEEPER_PRIVILEGES, "audit_multicast_bind: CAP_AUDIT_READ");
MUST_PRECEDE(PARENT_INIT_GONE_AHEAD, PARENT_KEEPER_PRIVILEGES, "ptrace(2): CAP_SYS_PTRACE");
MUST_PRECEDE(PARENT_MONITOR, PARENT_KEEPER_PRIVILEGES, "its bounding set: CAP_SETPCAP");
MUST_PRECEDE(PARENT_NOTIFIER, PARENT_KEEPER_PRIVILEGES,
	     "pidfd_getfd(2): as root it takes CAP_SYS_PTRACE; and as for the monitor");
MUST_PRECEDE(PARENT_NAMESPACES, PARENT_KEEPER_PRIVILEGES, "as for read_back");
MUST_PRECEDE(PARENT_LANDLOCK_PLACES, PARENT_KEEPER_PRIVILEGES, "as for read_back");
MUST_PRECEDE(PARENT_READ_BACK, PARENT_KEEPER_PRIVILEGES, "/proc/PID/ns: CAP_SYS_PTRACE");

static int run_row(struct launch *launch, enum parent_row row, struct err *err)
{
	const struct parent_row_def *def = &parent_rows[row];
	enum fault_action fault = fault_at(&launch->fault, def->name);
	int r = 0;

	if (fault == FAULT_STOP)
		kill(getpid(), SIGSTOP);
	if (fault == FAULT_KILL_KEEPER)
		kill(getpid(), SIGKILL);
	if (fault == FAULT_KILL_INIT && launch->init_pidfd >= 0)
		ignore_result(sys_pidfd_send_signal(launch->init_pidfd, SIGKILL, 0), "test build");
	/* Marked before it is applied: undo is idempotent, and a row may fail halfway. */
	launch->applied[row] = true;
	if (fault == FAULT_FAIL)
		r = err_set(err, ERR_SETUP, EIO, "injected fault");
	if (r == 0 && fault != FAULT_SKIP)
		r = def->apply(launch, err);
	if (r == 0 && def->verify != NULL)
		r = def->verify(launch, err);
	if (r < 0)
		str_format(err->step, sizeof(err->step), "%s", def->name);
	return r;
}

int host_steps_run(struct launch *launch, enum parent_row first, enum parent_row end,
		   struct err *err)
{
	for (enum parent_row row = first; row < end; row++) {
		int r = launch->decision->plan.parent_wanted[row] ? run_row(launch, row, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

int host_steps_undo(struct launch *launch, struct err *err)
{
	int result = 0;

	for (int row = PARENT_ROWS - 1; row >= 0; row--) {
		int r;

		if (!launch->applied[row] || parent_rows[row].undo == NULL)
			continue;
		r = parent_rows[row].undo(launch, err);
		result = r < 0 ? r : result;
		launch->applied[row] = false;
	}
	return result;
}
