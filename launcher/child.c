/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The child's table: everything that happens inside, top to bottom in the order of execution.
 *
 * Theory of operation. clone3 makes the setup process: pid 1 of new user, mount, pid, net, ipc and
 * uts namespaces. It waits for SYNC_MAPPED (the keeper has written the id maps, and goes on with
 * what the network takes), builds the tree, and pivots into it. Then it forks. The parent of that
 * fork detaches the host's tree, gives up all privileges and executes init's image
 * (launcher/init/init.c): from then on pid 1 holds nothing of the caller's memory. The fork's
 * child, on a stack of its own in the same memory (copying it would cost more than all rows that
 * follow), gives up its privileges row by row at the same time, and says SYNC_READY. The keeper
 * waits until init has gone ahead and reads the state of both from the kernel, while the workload's
 * process loads the filter and waits at the gate, by write(2), which every filter admits. Then it
 * executes the program.
 *
 * Privileges: the setup process has every capability in its own user namespace, none outside.
 * Before the fork nothing of the workload's is executed, and only openat2 in the new root touches
 * its files. Nothing here allocates, uses stdio, or looks up names. An error is one frame to the
 * keeper, and the end of the process.
 */
#include "launcher/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/enter.h"
#include "launcher/init_image.h"
#include "launcher/limits.h"
#include "launcher/stdio.h"

static bool as_block(const struct decision *d)
{
	return d->plan.ids == IDS_BLOCK;
}

static bool as_user_with_sources(const struct decision *d)
{
	return d->plan.ids == IDS_ONE && decision_has_sources(d);
}

static bool as_user_with_input_files(const struct decision *d)
{
	return d->plan.ids == IDS_ONE && stdio_has_input_files(d);
}

static bool has_own_network(const struct decision *d)
{
	return d->spec.network.kind == NETWORK_OF_ITS_OWN;
}

static bool has_host_rootfs(const struct decision *d)
{
	return d->spec.rootfs.kind == ROOTFS_HOST;
}

static bool has_volumes(const struct decision *d)
{
	return d->spec.n_mounts > 0;
}

static bool has_protected(const struct decision *d)
{
	for (size_t i = 0; i < d->tree.n_ops; i++)
		if (d->tree.ops[i].stage == TREE_PROTECTED && d->tree.ops[i].kind != TREE_AS_IT_IS)
			return true;
	return false;
}

static bool has_secrets(const struct decision *d)
{
	return d->spec.n_secrets > 0;
}

/* As a user with a filter that admits no key calls, the keeper's row session_keyring has done it.
 */
static bool wants_own_keyring(const struct decision *d)
{
	return d->facts.keyrings && (as_block(d) || d->spec.seccomp.admits_key_calls);
}

static bool is_entering(const struct decision *d)
{
	return d->enters;
}

const struct child_row_def child_rows[CHILD_ROWS] = {
	/* setup process */
	[CHILD_CGROUP_JOIN] = {"cgroup_join",
			       "in its group before anything else (on v2 it was made there)",
			       limits_has_v1_group, limits_join_group, NULL},
	[CHILD_UNDUMPABLE] =
		{"undumpable",
		 "nobody in a sandbox that runs looks into what comes in, before its exec",
		 is_entering, enter_undumpable, enter_verify_undumpable},
	[CHILD_SETUP_IDS] =
		{"setup_ids",
		 "files made for the sandbox get ids of the sandbox; supplementary groups go",
		 as_block, child_setup_ids, NULL},
	[CHILD_PARENT_DEATH_SIGNAL] = {"parent_death_signal",
				       "kill -9 of the keeper ends the sandbox", NULL,
				       child_parent_death_signal, child_verify_parent_death_signal},
	[CHILD_SESSION] = {"session", "no controlling terminal of the caller's", NULL,
			   child_session, NULL},
	[CHILD_PRIVATE_MOUNTS] = {"private_mounts", "no mount travels in or out", NULL,
				  child_private_mounts, NULL},
	[CHILD_SOURCES] = {"open_sources",
			   "host paths are opened anew in this namespace and compared",
			   as_user_with_sources, child_sources, NULL},
	[CHILD_STDIO_FILES] = {"open_stdio_files",
			       "a file that is read cannot be opened for writing",
			       as_user_with_input_files, stdio_freeze_in_child,
			       stdio_verify_frozen},
	[CHILD_LOOPBACK] = {"loopback", "a network of its own, whose loopback is up",
			    has_own_network, child_loopback, NULL},
	[CHILD_HOSTNAME] = {"hostname", "the host's name does not show", NULL, child_hostname,
			    NULL},
	[CHILD_ROOT] = {"root", "tmpfs with a limit of bytes and inodes", NULL, child_root, NULL},
	[CHILD_SYSTEM] = {"system", "programs and libraries, read-only", has_host_rootfs,
			  child_system, NULL},
	[CHILD_ETC] = {"etc", "an allow list of files; accounts are made", has_host_rootfs,
		       child_etc, NULL},
	[CHILD_DEV] = {"dev", "six harmless devices, own terminals, shared memory", NULL, child_dev,
		       NULL},
	[CHILD_TERMINAL] = {"terminal", "a terminal of its own, not the caller's",
			    terminal_is_wanted, terminal_make, terminal_verify_made},
	[CHILD_PROC] = {"proc", "only processes of the sandbox", NULL, child_proc, NULL},
	[CHILD_FORBID_USERNS] = {"forbid_userns",
				 "no nested user namespace, so no capability ever again", NULL,
				 child_forbid_userns, child_verify_forbid_userns},
	[CHILD_KERNEL_QUOTAS] = {"kernel_quotas",
				 "its share of what the kernel counts for each user", NULL,
				 child_kernel_quotas, child_verify_kernel_quotas},
	[CHILD_KERNEL_PATHS] = {"kernel_paths", "paths of /proc that are hidden or read-only", NULL,
				child_kernel_paths, NULL},
	[CHILD_VOLUMES] = {"volumes", "what the policy shows at its place", has_volumes,
			   child_volumes, NULL},
	[CHILD_STORES] = {"stores", "the keeper can see at the end whether one was full",
			  stores_are_watched, stores_send, NULL},
	[CHILD_PROTECTED] = {"protected_paths", "read_only_below and hide_below of what is bound",
			     has_protected, child_protected, child_verify_protected},
	[CHILD_SECRETS] = {"secrets", "on a tmpfs of their own, from memory that is then wiped",
			   has_secrets, child_secrets, child_verify_secrets},
	[CHILD_SHOW_NAME_FILES] = {"show_name_files", "those files, which nobody inside can change",
				   network_is_wanted, network_files_show, network_files_verify},
	[CHILD_SEAL] = {"seal", "/dev and the root become read-only", NULL, child_seal,
			child_verify_seal},
	[CHILD_PIVOT] = {"pivot", "the new tree is the root", NULL, child_pivot, NULL},
	[CHILD_CGROUP_NAMESPACE] = {"cgroup_namespace", "the host's cgroup path does not show",
				    NULL, child_cgroup_namespace, NULL},
	[CHILD_SCHEDULING] =
		{"scheduling",
		 "policy, nice, affinity, i/o priority, personality, timer slack, umask reset",
		 NULL, child_scheduling, NULL},
	[CHILD_BOUNDING_SET] = {"bounding_set",
				"no program can bring a capability back, nor can init", NULL,
				child_bounding_set, NULL},
	[CHILD_OLD_ROOT] = {"old_root", "the host's tree is gone before init and workload are",
			    NULL, child_old_root, child_verify_old_root},
	/* workload process */
	[CHILD_SIGNALS] = {"signals", "dispositions and mask reset", NULL, child_signals, NULL},
	[CHILD_PROCESS_GROUP] = {"process_group",
				 "a group of its own, which signals can be sent to", NULL,
				 child_process_group, NULL},
	[CHILD_TERMINAL_STDIO] = {"terminal_stdio",
				  "each of 0 to 2 that is the caller's terminal becomes its own",
				  terminal_is_wanted, terminal_replace_stdio,
				  terminal_verify_stdio},
	[CHILD_TERMINAL_FOREGROUND] = {"terminal_foreground", "^C and ^Z are the program's",
				       terminal_is_interactive, terminal_take_foreground,
				       terminal_verify_foreground},
	[CHILD_OUTPUT_STDIO] = {"output_stdio",
				"each of 1 and 2 that is counted becomes a pipe of its own",
				output_has_pipes, output_replace_stdio, output_verify_stdio},
	[CHILD_RLIMITS] = {"rlimits", "limits.ulimits", NULL, child_rlimits, child_verify_rlimits},
	[CHILD_NPROC] = {"nproc", "processes of this sandbox alone", NULL, child_nproc,
			 child_verify_nproc},
	[CHILD_IDENTITY] = {"identity", "process.user", NULL, child_identity, NULL},
	[CHILD_KEYRING] = {"keyring", "a session keyring of its own", wants_own_keyring,
			   child_keyring, NULL},
	[CHILD_CAPABILITIES] = {"capabilities", "all sets empty", NULL, child_capabilities,
				child_verify_capabilities},
	[CHILD_ENTERED_DEATH_SIGNAL] = {"entered_death_signal",
					"what was started in a sandbox by `cordon exec` ends with "
					"that, whoever kills it",
					is_entering, child_parent_death_signal,
					enter_verify_ids_taken},
	[CHILD_NO_NEW_PRIVS] = {"no_new_privs", "setuid files give nothing", NULL,
				child_no_new_privs, child_verify_no_new_privs},
	[CHILD_DESCRIPTORS] = {"descriptors",
			       "nothing stays open but 0, 1, 2 and what --fd names, before a path "
			       "of the sandbox's is followed",
			       NULL, child_descriptors, child_verify_descriptors},
	[CHILD_WORKING_DIR] = {"working_dir", "entered with the workload's own rights", NULL,
			       child_working_dir, child_verify_working_dir},
	[CHILD_PROGRAM] = {"program", "found in the sandbox's own tree", NULL, child_program, NULL},
	[CHILD_APPARMOR] = {"apparmor", "the program's profile, from its exec on",
			    apparmor_is_wanted, apparmor_ask, apparmor_verify},
	[CHILD_LANDLOCK] = {"landlock", "of each mount what it is for, of all else nothing",
			    landlock_is_wanted, landlock_restrict, landlock_verify},
	[CHILD_SECCOMP] = {"seccomp", "the system call filter", NULL, child_seccomp, NULL},
};

#define MUST_PRECEDE(a, b, why) _Static_assert((int)(a) < (int)(b), why)
MUST_PRECEDE(CHILD_CGROUP_JOIN, CHILD_CGROUP_NAMESPACE,
	     "cgroup_namespaces(7): its root is where the process is when it is made");
MUST_PRECEDE(CHILD_SETUP_IDS, CHILD_PARENT_DEATH_SIGNAL,
	     "prctl(2): setresuid clears the death signal");
MUST_PRECEDE(CHILD_PRIVATE_MOUNTS, CHILD_SOURCES,
	     "mount_namespaces(7): else mounts could propagate");
MUST_PRECEDE(CHILD_PRIVATE_MOUNTS, CHILD_STDIO_FILES, "as for sources");
MUST_PRECEDE(CHILD_STDIO_FILES, CHILD_ROOT, "as for sources");
MUST_PRECEDE(CHILD_SOURCES, CHILD_ROOT,
	     "the root's tmpfs covers a host directory that a source may lie in");
MUST_PRECEDE(CHILD_DEV, CHILD_KERNEL_PATHS, "hidden files are covered by our own /dev/null");
MUST_PRECEDE(CHILD_SESSION, CHILD_TERMINAL,
	     "ioctl_tty(2): only a session leader gets a controlling terminal");
MUST_PRECEDE(CHILD_DEV, CHILD_TERMINAL, "it is made in the sandbox's own devpts");
MUST_PRECEDE(CHILD_TERMINAL, CHILD_TERMINAL_STDIO, "0 to 2 are the caller's until then");
MUST_PRECEDE(CHILD_PIVOT, CHILD_TERMINAL_STDIO, "it opens the sandbox's /dev/tty");
MUST_PRECEDE(CHILD_SIGNALS, CHILD_TERMINAL_FOREGROUND, "the mask is put back to what it was");
MUST_PRECEDE(CHILD_PROCESS_GROUP, CHILD_TERMINAL_FOREGROUND, "it is that group");
MUST_PRECEDE(CHILD_OUTPUT_STDIO, CHILD_DESCRIPTORS, "1 and 2 are the caller's until then");
MUST_PRECEDE(CHILD_PROC, CHILD_FORBID_USERNS, "the limit is written through the new /proc");
MUST_PRECEDE(CHILD_KERNEL_QUOTAS, CHILD_KERNEL_PATHS, "/proc/sys becomes read-only there");
MUST_PRECEDE(CHILD_FORBID_USERNS, CHILD_KERNEL_PATHS, "/proc/sys becomes read-only there");
MUST_PRECEDE(CHILD_DEV, CHILD_PROTECTED, "hidden files are covered by our own /dev/null");
MUST_PRECEDE(CHILD_VOLUMES, CHILD_PROTECTED, "what is protected lies in a volume");
MUST_PRECEDE(CHILD_TERMINAL, CHILD_STORES, "the keeper takes them in this order");
MUST_PRECEDE(CHILD_VOLUMES, CHILD_STORES, "they are made there");
MUST_PRECEDE(CHILD_PROTECTED, CHILD_SECRETS, "a secret may be shown over what is hidden");
MUST_PRECEDE(CHILD_SECRETS, CHILD_SEAL, "mount points are made in the root");
MUST_PRECEDE(CHILD_SHOW_NAME_FILES, CHILD_SEAL, "as for secrets");
MUST_PRECEDE(CHILD_SECRETS, CHILD_PIVOT, "the tmpfs goes away with the old root");
MUST_PRECEDE(CHILD_VOLUMES, CHILD_SEAL, "mount points are made in the root");
MUST_PRECEDE(CHILD_SEAL, CHILD_PIVOT, "sealing works on descriptors of the staging tree");
MUST_PRECEDE(CHILD_PIVOT, CHILD_PROGRAM, "the program is looked up in the sandbox's tree");
MUST_PRECEDE(CHILD_PIVOT, CHILD_OLD_ROOT, "pivot_root(2): it lies on the new root then");
MUST_PRECEDE(CHILD_BOUNDING_SET, CHILD_FIRST_AFTER_FORK, "init and the workload both inherit it");
MUST_PRECEDE(CHILD_BOUNDING_SET, CHILD_IDENTITY, "capabilities(7): dropping needs CAP_SETPCAP");
MUST_PRECEDE(CHILD_IDENTITY, CHILD_KEYRING,
	     "keyrings(7): keys are counted for the user who makes them");
MUST_PRECEDE(CHILD_IDENTITY, CHILD_CAPABILITIES, "capabilities(7): setresuid needs CAP_SETUID");
MUST_PRECEDE(CHILD_IDENTITY, CHILD_ENTERED_DEATH_SIGNAL,
	     "prctl(2): setresuid clears the death signal");
MUST_PRECEDE(CHILD_CAPABILITIES, CHILD_WORKING_DIR, "the workload's rights decide, not ours");
MUST_PRECEDE(CHILD_NO_NEW_PRIVS, CHILD_SECCOMP,
	     "seccomp(2): without privileges it is the condition");
MUST_PRECEDE(CHILD_PIVOT, CHILD_APPARMOR, "asked for through the sandbox's own /proc");
MUST_PRECEDE(CHILD_APPARMOR, CHILD_LANDLOCK, "nothing in /proc can be written after it");
MUST_PRECEDE(CHILD_NO_NEW_PRIVS, CHILD_LANDLOCK,
	     "landlock_restrict_self(2): without privileges it is the condition");
MUST_PRECEDE(CHILD_PROGRAM, CHILD_LANDLOCK, "a program that is not there is said as such");
MUST_PRECEDE(CHILD_LANDLOCK, CHILD_SECCOMP, "its calls may not be in the workload's filter");
MUST_PRECEDE(CHILD_DESCRIPTORS, CHILD_SECCOMP, "close_range may not be in the workload's filter");
MUST_PRECEDE(CHILD_DESCRIPTORS, CHILD_WORKING_DIR,
	     "CVE-2024-21626: a link to /proc/self/fd/N leads to a directory of the host's");
MUST_PRECEDE(CHILD_DESCRIPTORS, CHILD_PROGRAM, "likewise, also as an interpreter of the program's");
MUST_PRECEDE(CHILD_TERMINAL_FOREGROUND, CHILD_DESCRIPTORS, "the terminal's own descriptor goes");

static void obey_fault(struct launch *launch, enum fault_action fault)
{
	enum sync_point point =
		fault == FAULT_KILL_KEEPER ? SYNC_FAULT_KILL_KEEPER : SYNC_FAULT_KILL_INIT;
	struct pollfd lifeline = {.fd = launch->lifeline_read, .events = POLLIN};

	/* As somebody inside could, who has the same user. */
	if (fault == FAULT_STOP)
		kill(getpid(), SIGSTOP); /* raise(3) knows the number of before the clone */
	if (fault != FAULT_KILL_KEEPER && fault != FAULT_KILL_INIT)
		return;
	/* The keeper does it: pid 1 cannot kill itself, and nobody inside can name the keeper. */
	if (sync_send(launch->sync_child, point) != 0)
		return;
	/* Without a keeper the rows go on, as they would after any kill -9: what must end the
	 * sandbox is a row of ours, and may still be to come. */
	while (fault == FAULT_KILL_KEEPER && poll(&lifeline, 1, -1) < 0 && errno == EINTR)
		;
	if (fault == FAULT_KILL_INIT)
		for (;;)
			pause();
}

static int run_row(struct launch *launch, enum child_row row, struct err *err)
{
	const struct child_row_def *def = &child_rows[row];
	enum fault_action fault = fault_at(&launch->fault, def->name);
	int r = 0;

	obey_fault(launch, fault);
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

int child_run_rows(struct launch *launch, enum child_row first, enum child_row end, struct err *err)
{
	for (enum child_row row = first; row < end; row++) {
		int r = launch->decision->plan.child_wanted[row] ? run_row(launch, row, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

_Noreturn void child_give_up(const struct launch *launch, const struct err *err)
{
	/* A frame that cannot be sent means that the keeper is gone, and the sandbox with it. */
	ignore_result(sync_send_error(launch->sync_child, err), "the keeper may be gone");
	_exit(125);
}

int child_wait_for(const struct launch *launch, enum sync_point point, struct err *err)
{
	struct sync_message message;
	int r = sync_receive(launch->sync_child, &message);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "wait for %s", sync_point_name(point));
	if (message.point != point)
		return err_set(err, ERR_SETUP, EPROTO, "wait for %s, got %s",
			       sync_point_name(point), sync_point_name(message.point));
	return 0;
}

static int announce(const struct launch *launch, enum sync_point point, struct err *err)
{
	int r = sync_send(launch->sync_child, point);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "say %s", sync_point_name(point)) : 0;
}

/* The keeper takes it from this process (pidfd_getfd(2)): sending it takes a call that the filter
 * may refuse, and nobody answers yet. */
static int announce_listener(const struct launch *launch)
{
	if (!denials_are_explained(launch->decision))
		return 0;
	return launch->listener_inside < 0 ? -EBADF
					   : sync_write_number(launch->sync_child, SYNC_LISTENER,
							       launch->listener_inside);
}

/*
 * Does not return. Until init's exec the memory is the setup process's, too, which detaches the old
 * root and becomes init meanwhile: what that reads no row here may write, but for init_gone_write,
 * which only the exec closes there. errno is shared as well. It is written by calls that fail, and
 * among those that the setup process still makes none fails but to end the sandbox. The keeper
 * opens the gate only after init has gone ahead.
 */
int child_workload_main(void *arg)
{
	struct launch *launch = arg;
	struct err err;
	int r;

	close_fd(&launch->init_gone_write);
	r = child_run_rows(launch, CHILD_FIRST_IN_WORKLOAD, CHILD_FIRST_AFTER_READY, &err);
	if (r == 0)
		r = announce(launch, SYNC_READY, &err);
	/* The keeper reads back what was given up while the kernel translates the filter. */
	if (r == 0)
		r = child_run_rows(launch, CHILD_FIRST_AFTER_READY, CHILD_ROWS, &err);
	if (r < 0)
		child_give_up(launch, &err);
	/* Under the workload's filter: write(2), execve(2) and exit_group(2) are what it always
	 * admits. */
	r = announce_listener(launch);
	if (r == 0)
		r = sync_gate_wait(launch->gate);
	if (r == 0)
		r = sync_write(launch->sync_child, SYNC_EXEC);
	if (r < 0)
		err_set(&err, ERR_SETUP, -r, "wait for the keeper");
	else
		ignore_result(child_execute(launch, &err), "it returns only to say why it failed");
	ignore_result(sync_write_error(launch->sync_child, &err), "nobody else to tell");
	syscall(SYS_exit_group, 125);
	__builtin_unreachable();
}

/* The keeper's ends, which would keep its death from being seen. The journal stays: its lock is
 * init's, too, so that gc undoes nothing while a process of the sandbox is left. */
int child_take_ends(struct launch *launch, struct err *err)
{
	int sync_child = fcntl(launch->sync_child, F_DUPFD_CLOEXEC, INIT_SPARE_FD);

	close_fd(&launch->sync_keeper);
	close_fd(&launch->status_read);
	close_fd(&launch->lifeline_write);
	close_fd(&launch->state.runs_fd);
	close_fd(&launch->state.fd);
	if (sync_child < 0)
		return err_set(err, ERR_SETUP, errno, "descriptor of the conversation");
	/* Out of the way of those that init is given. */
	close_fd(&launch->sync_child);
	launch->sync_child = sync_child;
	return 0;
}

void child_main(struct launch *launch)
{
	struct err err;
	pid_t pid;
	int r = child_take_ends(launch, &err);

	if (r == 0)
		r = child_wait_for(launch, SYNC_MAPPED, &err);
	if (r == 0)
		r = child_run_rows(launch, CHILD_FIRST, CHILD_FIRST_AFTER_FORK, &err);
	if (r < 0)
		child_give_up(launch, &err);
	pid = sys_clone_sharing(child_workload_main, launch->workload_stack, WORKLOAD_STACK, launch,
				0);
	if (pid < 0) {
		err_set(&err, ERR_SETUP, -pid, "fork the workload's process");
		child_give_up(launch, &err);
	}
	launch->workload_pid_inside = pid;
	if (child_run_rows(launch, CHILD_FIRST_AFTER_FORK, CHILD_FIRST_IN_WORKLOAD, &err) < 0)
		child_give_up(launch, &err);
	fault_slow(&launch->fault, parent_rows[PARENT_INIT_GONE_AHEAD].name);
	ignore_result(child_become_init(launch, &err), "it returns only to say why it failed");
	str_format(err.step, sizeof(err.step), "init");
	child_give_up(launch, &err);
}
