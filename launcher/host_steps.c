/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keeper's table: what is done outside the sandbox, top to bottom in the order of execution,
 * and how each row is undone. Runs in the keeper. Privileged rows decide from the spec alone, never
 * from what the child sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/readback.h"

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
	if (launch->state.runs_fd < 0 || launch->run.id[0] == '\0')
		return 0;
	return state_run_remove(&launch->state, launch->run.id, err);
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
	int r = launch->run.has_block ? state_block_release(&launch->state, launch->run.id,
							    launch->run.block_number, err)
				      : 0;

	return r < 0 ? r : 0;
}

/* ---- stdin, stdout, stderr ---- */

/* Scripts write to /dev/stderr and read /dev/stdin, which opens the pipe anew: then its owner
 * counts. */
static bool wants_stdio_owner(const struct decision *d)
{
	const bool *is_pipe = d->facts.stdio_is_pipe;

	return has_block(d) && facts_has_cap(&d->facts, CAP_CHOWN) &&
	       (is_pipe[0] || is_pipe[1] || is_pipe[2]);
}

static int apply_stdio_owner(struct launch *launch, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	uint32_t first = launch->run.block_first;

	for (int fd = 0; fd < 3; fd++)
		if (launch->decision->facts.stdio_is_pipe[fd] &&
		    fchown(fd, first + id->uid, first + id->gid) != 0)
			return err_set(err, ERR_SETUP, errno, "give pipe %d to the workload's user",
				       fd);
	return 0;
}

/* ---- hard limits ---- */

static uint64_t wanted_limit(const struct decision *d, size_t i)
{
	return i < d->spec.limits.n_rlimits ? d->spec.limits.rlimits[i].value : d->plan.nproc_limit;
}

static int limit_resource(const struct decision *d, size_t i)
{
	return i < d->spec.limits.n_rlimits ? d->spec.limits.rlimits[i].resource : RLIMIT_NPROC;
}

static bool wants_more_than_hard(const struct decision *d)
{
	for (size_t i = 0; i <= d->spec.limits.n_rlimits; i++)
		if (wanted_limit(d, i) > d->facts.rlimit_hard[limit_resource(d, i)])
			return true;
	return false;
}

/* Only the hard limits are raised, never the soft ones lowered: the soft RLIMIT_NPROC of the moment
 * of clone would bind the whole user namespace (user_namespaces(7) and kernel/ucount.c). */
static int apply_hard_limits(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;

	for (size_t i = 0; i <= d->spec.limits.n_rlimits; i++) {
		uint64_t wanted = wanted_limit(d, i);
		int resource = limit_resource(d, i);
		struct rlimit limit;

		if (wanted <= d->facts.rlimit_hard[resource])
			continue;
		if (getrlimit((__rlimit_resource_t)resource, &limit) != 0)
			return err_set(err, ERR_SETUP, errno, "read limit %d", resource);
		limit.rlim_max = wanted == SPEC_UNLIMITED ? RLIM_INFINITY : wanted;
		if (setrlimit((__rlimit_resource_t)resource, &limit) != 0)
			return err_set(err, ERR_SETUP, errno, "raise hard limit %d", resource);
	}
	return 0;
}

/* ---- session keyring ---- */

/* Rights of a key, keyctl_setperm(3): the possessor everything; the user to find and see it. */
enum { KEY_POSSESSOR_ALL = 0x3f000000, KEY_USER_VIEW = 0x00010000, KEY_USER_SEARCH = 0x00080000 };

static bool wants_shared_keyring(const struct decision *d)
{
	/* A user's keys are counted: a keyring for each sandbox runs into the quota of 200. So all
	 * of a user's sandboxes stand on one empty keyring, which none of them can reach, for their
	 * filters admit no key calls. Where one does, the child makes a keyring of its own instead
	 * (row keyring). */
	return d->facts.keyrings && has_one_id(d) && !d->spec.seccomp.admits_key_calls;
}

static const char shared_keyring[] = "cordon";

static int apply_session_keyring(struct launch *launch, struct err *err)
{
	unsigned long rights = KEY_POSSESSOR_ALL | KEY_USER_SEARCH | KEY_USER_VIEW;
	long r = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)shared_keyring, 0, 0, 0);

	(void)launch;
	if (r < 0)
		return err_set(err, ERR_SETUP, (int)-r, "leave the caller's session keyring");
	/* So that the next run finds it by name instead of making another. It may be an older
	 * run's: then the rights are set already, and setting them again is refused or the same. */
	r = sys_keyctl(KEYCTL_SETPERM, (unsigned long)KEY_SPEC_SESSION_KEYRING, rights, 0, 0);
	if (r < 0 && r != -EACCES)
		return err_set(err, ERR_SETUP, (int)-r, "rights of the shared session keyring");
	return 0;
}

/* The kernel describes a key as "keyring;UID;GID;RIGHTS;NAME". */
static int verify_session_keyring(struct launch *launch, struct err *err)
{
	char text[128];
	long n = sys_keyctl(KEYCTL_DESCRIBE, (unsigned long)KEY_SPEC_SESSION_KEYRING,
			    (unsigned long)text, sizeof(text), 0);
	const char *name = n > 0 && n <= (long)sizeof(text) ? strrchr(text, ';') : NULL;

	(void)launch;
	return name == NULL || !str_equal(name + 1, shared_keyring)
		       ? err_set(err, ERR_SETUP, 0, "the session keyring is still the caller's")
		       : 0;
}

/* ---- sources, as root ---- */

/* A host directory is shown with one pair of ids: its owner's is the workload's, all others are
 * nobody's. */
static int open_source(struct launch *launch, const char *path, const struct source_fact *fact,
		       struct rootfs_source *source, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	uint32_t first = launch->run.block_first;
	_cleanup_fd_ int userns = -EBADF;
	_cleanup_fd_ int fd =
		sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	/* Private: the clone of a shared mount is its peer, and what the host mounts below it later
	 * would show inside, without nosuid and with the host's ids. */
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .propagation = MS_PRIVATE};
	struct statx st;
	int r;

	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s: open", path);
	r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: stat", path);
	if (st.stx_ino != fact->ino || st.stx_dev_major != fact->dev_major ||
	    st.stx_dev_minor != fact->dev_minor)
		return err_set(err, ERR_SETUP, ESTALE, "%s: was replaced meanwhile", path);
	userns = identity_pair_namespace(fact->uid, fact->gid, first + id->uid, first + id->gid,
					 err);
	if (userns < 0)
		return err_wrap(err, "%s", path);
	attr.userns_fd = (__u64)userns;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "%s: show it with the sandbox's ids", path);
		return err_hint(
			err,
			"Its file system, or one mounted below it, cannot be idmapped: copy it to "
			"one that can (ext4, xfs, btrfs, tmpfs).");
	}
	source->tree_fd = steal_fd(&fd);
	return 0;
}

static bool wants_sources(const struct decision *d)
{
	return has_block(d) && decision_has_sources(d);
}

static int apply_sources(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	int r = 0;

	if (launch->spec->rootfs.kind == ROOTFS_DIR)
		r = open_source(launch, launch->spec->rootfs.dir, &d->root_source,
				&launch->root_source, err);
	for (size_t i = 0; r == 0 && i < launch->spec->n_mounts; i++)
		if (launch->spec->mounts[i].type == MOUNT_BIND)
			r = open_source(launch, launch->spec->mounts[i].source, &d->sources[i],
					&launch->sources[i], err);
	return r;
}

/* ---- id maps ---- */

static int write_proc(const struct launch *launch, const char *file, const char *text,
		      struct err *err)
{
	char path[64];
	int r;

	str_format(path, sizeof(path), "/proc/%d/%s", launch->init_pid, file);
	r = io_write_text(AT_FDCWD, path, text);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "write the sandbox's %s", file) : 0;
}

static int apply_deny_setgroups(struct launch *launch, struct err *err)
{
	/* The kernel wants this before an unprivileged gid_map: user_namespaces(7). */
	return write_proc(launch, "setgroups", "deny", err);
}

static void map_text(const struct launch *launch, uint32_t inside, uint32_t outside, char *buf,
		     size_t size)
{
	if (launch->decision->plan.ids == IDS_BLOCK)
		str_format(buf, size, "0 %u %d\n", launch->run.block_first, IDENTITY_BLOCK);
	else
		str_format(buf, size, "%u %u 1\n", inside, outside);
}

static int apply_uid_map(struct launch *launch, struct err *err)
{
	char text[IDENTITY_MAP_TEXT];

	map_text(launch, launch->spec->identity.uid, launch->decision->facts.euid, text,
		 sizeof(text));
	return write_proc(launch, "uid_map", text, err);
}

static int apply_gid_map(struct launch *launch, struct err *err)
{
	char text[IDENTITY_MAP_TEXT];

	map_text(launch, launch->spec->identity.gid, launch->decision->facts.egid, text,
		 sizeof(text));
	return write_proc(launch, "gid_map", text, err);
}

/* ---- after SYNC_READY ---- */

static int apply_read_back(struct launch *launch, struct err *err)
{
	return readback_sandbox(launch, err);
}

/* What undo and supervision need: to signal the sandbox's ids, and to write where the front door
 * still has to. */
static uint64_t keeper_needs(const struct launch *launch)
{
	uint64_t needs = 0;

	if (launch->decision->plan.ids == IDS_BLOCK)
		needs |= 1ULL << CAP_KILL;
	if (launch->keeps_file_rights)
		needs |= 1ULL << CAP_DAC_OVERRIDE;
	return needs & launch->decision->facts.caps_effective;
}

static int apply_keeper_privileges(struct launch *launch, struct err *err)
{
	struct sys_caps caps = {.effective = keeper_needs(launch),
				.permitted = keeper_needs(launch)};
	int r = sys_capset(&caps);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "drop the keeper's capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "no_new_privs for the keeper");
	return 0;
}

static int verify_keeper_privileges(struct launch *launch, struct err *err)
{
	struct sys_caps caps;
	int r = sys_capget(&caps);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "read back the keeper's capabilities");
	if (caps.effective != keeper_needs(launch) || caps.permitted != keeper_needs(launch) ||
	    caps.inheritable != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
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
	[PARENT_STDIO_OWNER] = {"stdio_owner",
				"pipes at 0 to 2 can be opened anew as /dev/stdout and the like",
				wants_stdio_owner, apply_stdio_owner, NULL, NULL},
	[PARENT_HARD_LIMITS] = {"hard_limits",
				"the policy asks for more than this process's hard limits",
				wants_more_than_hard, apply_hard_limits, NULL, NULL},
	[PARENT_SESSION_KEYRING] = {"session_keyring", "the caller's keys stay with the caller",
				    wants_shared_keyring, apply_session_keyring,
				    verify_session_keyring, NULL},
	[PARENT_SOURCES] = {"sources",
			    "host paths as detached mounts that show only their owner's id",
			    wants_sources, apply_sources, NULL, NULL},
	[PARENT_DENY_SETGROUPS] = {"deny_setgroups", "the kernel's condition for a user's gid map",
				   has_one_id, apply_deny_setgroups, NULL, NULL},
	[PARENT_UID_MAP] = {"uid_map", "host uid 0 is in no map", NULL, apply_uid_map, NULL, NULL},
	[PARENT_GID_MAP] = {"gid_map", "as the uid map", NULL, apply_gid_map, NULL, NULL},
	[PARENT_READ_BACK] = {"read_back",
			      "ids, five capability sets, no_new_privs, eight namespaces of the "
			      "workload and of init",
			      NULL, apply_read_back, NULL, NULL},
	[PARENT_KEEPER_PRIVILEGES] = {"keeper_privileges",
				      "the keeper drops what undo does not need", NULL,
				      apply_keeper_privileges, verify_keeper_privileges, NULL},
};

#define MUST_PRECEDE(a, b, why) _Static_assert((int)(a) < (int)(b), why)
MUST_PRECEDE(PARENT_RUN_DIRECTORY, PARENT_ID_BLOCK, "the claim is journalled before it is made");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_STDIO_OWNER, "the new owner is of the block");
MUST_PRECEDE(PARENT_ID_BLOCK, PARENT_SOURCES, "an idmapped mount needs the block's ids");
MUST_PRECEDE(PARENT_SOURCES, PARENT_FIRST_AFTER_SPAWN, "the child inherits the detached mounts");
MUST_PRECEDE(PARENT_DENY_SETGROUPS, PARENT_GID_MAP, "user_namespaces(7): setgroups first");
MUST_PRECEDE(PARENT_READ_BACK, PARENT_KEEPER_PRIVILEGES,
	     "reading another user's /proc/PID/ns takes CAP_SYS_PTRACE");

static int run_row(struct launch *launch, enum parent_row row, struct err *err)
{
	const struct parent_row_def *def = &parent_rows[row];
	enum fault_action fault = fault_at(&launch->fault, def->name);
	int r = 0;

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
