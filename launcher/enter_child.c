/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The processes between `cordon exec` and its program: supervisor, joiner, and the workload's own
 * process until it takes the rows of child.c on. enter.h has the theory. Nothing here allocates.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/child.h"
#include "launcher/enter.h"
#include "launcher/init_image.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

static int run_row(struct launch *launch, enum child_row row, struct err *err)
{
	return child_run_rows(launch, row, row + 1, err);
}

/* ---- workload ---- */

static bool is_file_system(int fd, unsigned long magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

/* Each of its namespaces is the one that the keeper held: by what /proc of the sandbox says of
 * itself, if that is the kernel's. */
static int verify_namespaces(const struct launch *launch, struct err *err)
{
	_cleanup_fd_ int dir = sys_open_proc();

	if (dir < 0)
		return err_set(err, ERR_SETUP, 0, "the sandbox's /proc is none");
	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		struct stat theirs, ours;
		char path[64];

		if (launch->target->namespace_fds[i] < 0)
			continue;
		str_format(path, sizeof(path), "self/ns/%s", facts_namespace_names[i]);
		if (fstat(launch->target->namespace_fds[i], &theirs) != 0 ||
		    fstatat(dir, path, &ours, 0) != 0 || theirs.st_ino != ours.st_ino ||
		    theirs.st_dev != ours.st_dev)
			return err_set(err, ERR_SETUP, 0, "not in the sandbox's %s namespace",
				       facts_namespace_names[i]);
	}
	return 0;
}

static _Noreturn void workload(struct launch *launch)
{
	struct err err;
	int r = cgroup_enter(&launch->target->groups, &err);

	if (r == 0)
		r = verify_namespaces(launch, &err);
	if (r == 0)
		r = run_row(launch, CHILD_SCHEDULING, &err);
	if (r == 0)
		r = run_row(launch, CHILD_BOUNDING_SET, &err);
	if (r < 0)
		child_give_up(launch, &err);
	_exit(child_workload_main(launch));
}

/* ---- joiner ---- */

/*
 * A network that is not the sandbox's own belongs to another user namespace: who enters it does so
 * before, as who one is outside. The caller's own is entered already.
 */
static bool enters_network_first(const struct launch *launch, int fd, size_t i)
{
	struct stat theirs, ours;

	if (launch->spec->network.kind == NETWORK_OF_ITS_OWN ||
	    !str_equal(facts_namespace_names[i], "net"))
		return false;
	return fstat(fd, &theirs) != 0 || stat("/proc/self/ns/net", &ours) != 0 ||
	       theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev;
}

/* The user namespace first: it is what gives the right to enter the others (setns(2)). */
static int join_namespaces(const struct launch *launch, struct err *err)
{
	bool is_foreign = launch->spec->network.kind != NETWORK_OF_ITS_OWN;

	for (size_t i = 0; is_foreign && i < FACTS_NAMESPACES; i++) {
		int fd = launch->target->namespace_fds[i];

		if (fd >= 0 && is_file_system(fd, NSFS_MAGIC) &&
		    enters_network_first(launch, fd, i) && setns(fd, CLONE_NEWNET) != 0)
			return err_set(err, ERR_SETUP, errno,
				       "enter the network that the sandbox is in");
	}
	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		int fd = launch->target->namespace_fds[i];

		if (fd < 0 || (is_foreign && str_equal(facts_namespace_names[i], "net")))
			continue;
		if (!is_file_system(fd, NSFS_MAGIC))
			return err_set(err, ERR_SETUP, 0, "what the keeper holds is no namespace");
		if (setns(fd, 0) != 0)
			return err_set(err, ERR_SETUP, errno, "enter the sandbox's %s namespace",
				       facts_namespace_names[i]);
	}
	return 0;
}

/* The sandbox's own /dev, as terminal_make has it from the rows that a launch has run. */
static int open_dev(struct launch *launch, struct err *err)
{
	launch->rootfs.dev_fd = sys_openat2(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
					    RESOLVE_NO_SYMLINKS);
	if (launch->rootfs.dev_fd < 0)
		return err_set(err, ERR_SETUP, -launch->rootfs.dev_fd, "the sandbox's /dev");
	return 0;
}

/* What other ids, or another user namespace, may do to a process (commit_creds in kernel/cred.c).
 * For tests: POINT:skip. */
static void become_dumpable_in_tests(const struct launch *launch, const char *point)
{
	if (fault_at(&launch->fault, point) == FAULT_SKIP)
		ignore_result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "then the test fails");
}

/* For tests: what there is to be taken where neither the row nor what reads it back is there. */
static bool is_blind_in_tests(const struct launch *launch)
{
	return fault_at(&launch->fault, "enter.blind") == FAULT_SKIP;
}

static int join(struct launch *launch, struct err *err)
{
	int r = join_namespaces(launch, err);

	if (r == 0)
		r = run_row(launch, CHILD_SETUP_IDS, err);
	become_dumpable_in_tests(launch, "enter.joined");
	return r == 0 ? enter_verify_undumpable(launch, err) : r;
}

/* The first of two joiners, where there is a terminal: its pair is made in the sandbox's devpts.
 * The controlling terminal is inherited by fork(2), so the supervisor has to have it before the
 * second one is there. */
static _Noreturn void make_terminal(struct launch *launch, int to_supervisor)
{
	struct err err;
	int r = join(launch, &err);

	if (r == 0)
		r = open_dev(launch, &err);
	if (r == 0)
		r = terminal_make_pair(launch, &err);
	if (r == 0 && sync_send_with_fd(to_supervisor, SYNC_TERMINAL, launch->terminal_slave) < 0)
		r = err_set(&err, ERR_SETUP, EPIPE, "hand the terminal to the supervisor");
	if (r < 0)
		child_give_up(launch, &err);
	_exit(0);
}

/*
 * With one id for all the limit is looked at by fork(2) alone, so the fork that makes the
 * workload's process is under it. The joiner counts as well for its last moment (setns(2) took its
 * count along): one more. The row nproc sets what stays.
 */
static int limit_fork(const struct launch *launch, struct err *err)
{
	uint64_t limit = launch->decision->plan.nproc_limit;
	struct rlimit both;

	if (launch->decision->plan.ids == IDS_BLOCK || limit == SPEC_UNLIMITED)
		return 0;
	if (getrlimit(RLIMIT_NPROC, &both) != 0)
		return err_set(err, ERR_SETUP, errno, "limits.nproc");
	if (limit < both.rlim_max)
		both.rlim_cur = limit + 1;
	return setrlimit(RLIMIT_NPROC, &both) != 0 ? err_set(err, ERR_SETUP, errno, "limits.nproc")
						   : 0;
}

static int explain_full(int result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "fork the workload's process");
	return result == -EAGAIN ? err_hint(err, "The sandbox has as many processes as it may "
						 "(limits.pids, limits.nproc): end something in "
						 "it first.")
				 : result;
}

static _Noreturn void fork_workload(struct launch *launch, int to_supervisor)
{
	struct sys_clone_args args = {.flags = CLONE_PARENT};
	struct err err;
	pid_t pid;
	int r = join(launch, &err);

	if (r == 0 && launch->decision->plan.child_wanted[CHILD_TERMINAL])
		r = terminal_verify_made(launch, &err);
	if (r == 0)
		r = limit_fork(launch, &err);
	if (r < 0)
		child_give_up(launch, &err);
	pid = sys_clone3(&args);
	if (pid == 0) {
		close_fd(&to_supervisor);
		workload(launch);
	}
	r = pid < 0 ? (int)pid : sync_write_number(to_supervisor, SYNC_FORKED, pid);
	if (r < 0) {
		ignore_result(explain_full(r, &err), "it is said next");
		child_give_up(launch, &err);
	}
	_exit(0);
}

/* ---- supervisor ---- */

/*
 * Forks a joiner, takes its one message with the descriptor that may come with it, and waits for
 * its end. One that failed has told the client why.
 */
static int ask_joiner(struct launch *launch, void (*joiner)(struct launch *, int),
		      struct sync_message *ret, int *ret_fd, struct err *err)
{
	_cleanup_fd_ int own = -EBADF, theirs = -EBADF;
	siginfo_t info;
	int pair[2];
	pid_t pid;
	int r = sync_pair(pair);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "socket pair");
	own = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork the joiner");
	if (pid == 0) {
		close_fd(&own);
		joiner(launch, theirs);
		_exit(125);
	}
	close_fd(&theirs);
	r = sync_receive_with_fd(own, ret, ret_fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "enter the sandbox");
	r = sys_waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL, NULL);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "wait for the joiner") : 0;
}

static int take_terminal(struct launch *launch, struct err *err)
{
	struct sync_message message = {.point = SYNC_EOF};
	int r = ask_joiner(launch, make_terminal, &message, &launch->terminal_slave, err);

	if (r < 0)
		return r;
	if (message.point != SYNC_TERMINAL || launch->terminal_slave < 0)
		return err_set(err, ERR_SETUP, EPROTO, "the program's terminal");
	if (ioctl(launch->terminal_slave, TIOCSCTTY, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "controlling terminal");
	return 0;
}

static int take_workload(struct launch *launch, struct err *err)
{
	struct sync_message message = {.point = SYNC_EOF};
	int none = -EBADF;
	int r = ask_joiner(launch, fork_workload, &message, &none, err);

	close_fd(&none);
	if (r == 0 && message.point != SYNC_FORKED)
		return err_set(err, ERR_SETUP, EPROTO, "enter the sandbox");
	launch->workload_pid_inside = r == 0 ? message.number : 0;
	return r;
}

/* The program's ids, by their numbers on the host: the signal that a parent's death sends is
 * refused like any other where the parent might not send it (kernel/exit.c, reparent_leader;
 * kernel/signal.c, check_kill_permission). Nobody inside has a pid for this process. */
static int become_workload_id(const struct launch *launch, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	uint32_t first = launch->run.block_first;
	int r = 0;

	if (facts_has_cap(&launch->decision->facts, CAP_SETPCAP))
		r = child_drop_bounding_set(err);
	if (r == 0 && launch->decision->plan.ids == IDS_BLOCK)
		r = child_become(launch, first + id->uid, first + id->gid, err);
	return r;
}

static void close_target(const struct launch *launch)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		if (launch->target->namespace_fds[i] >= 0)
			ignore_result(close(launch->target->namespace_fds[i]),
				      "only the joiner needs it");
	for (size_t i = 0; i < launch->target->places.n; i++)
		ignore_result(close(launch->target->places.list[i].fd), "the rules are made");
}

/* Anybody who shares a pid namespace with a process may read how it was called, dumpable or not
 * (proc_pid_cmdline_read in fs/proc/base.c). This is a copy of the client's memory. */
static void forget_command_line(const struct launch *launch)
{
	memset(launch->target->command_line, 0, launch->target->command_line_size);
}

/* After SYNC_MAPPED: until then the client writes to its files in /proc, which are root's from here
 * on. */
int enter_undumpable(struct launch *launch, struct err *err)
{
	if (is_blind_in_tests(launch))
		return 0;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0
		       ? err_set(err, ERR_SETUP, errno, "not dumpable")
		       : 0;
}

/* 2 is readable by the host's root alone: proc_sys_fs(5), suid_dumpable. */
int enter_verify_undumpable(struct launch *launch, struct err *err)
{
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	return dumpable == 0 || dumpable == 2 || is_blind_in_tests(launch)
		       ? 0
		       : err_set(err, ERR_SETUP, 0,
				 "what runs in the sandbox could look into cordon: it is dumpable");
}

int enter_verify_ids_taken(struct launch *launch, struct err *err)
{
	int r = child_verify_parent_death_signal(launch, err);

	become_dumpable_in_tests(launch, "enter.taken");
	return r == 0 ? enter_verify_undumpable(launch, err) : r;
}

void enter_main(struct launch *launch)
{
	struct err err;
	int r = child_take_ends(launch, &err);

	forget_command_line(launch);

	if (r == 0)
		r = child_wait_for(launch, SYNC_MAPPED, &err);
	if (r == 0)
		r = run_row(launch, CHILD_UNDUMPABLE, &err);
	if (r == 0)
		r = run_row(launch, CHILD_PARENT_DEATH_SIGNAL, &err);
	if (r == 0)
		r = run_row(launch, CHILD_SESSION, &err);
	if (r == 0 && launch->decision->plan.child_wanted[CHILD_TERMINAL])
		r = take_terminal(launch, &err);
	if (r == 0)
		r = take_workload(launch, &err);
	close_target(launch);
	if (r == 0)
		r = become_workload_id(launch, &err);
	if (r == 0)
		ignore_result(child_become_init(launch, &err), "it returns only to say why");
	child_give_up(launch, &err);
}
