/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See target.h. Runs in `cordon exec` and the like, as the record's owner. */
#include "records/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

static int refuse_state(const struct sandbox_status *status, const char *ref, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "sandbox %s is %s", ref, sandbox_state_name(status->state));
	if (status->state == SANDBOX_PAUSED)
		return err_hint(err, "Let it go on first: cordon unpause %s.", ref);
	if (status->state == SANDBOX_STARTING || status->state == SANDBOX_RESTARTING)
		return err_hint(err, "Try again in a moment.");
	return err_hint(err, "Start it first: cordon start %s.", ref);
}

/*
 * What runs inside may come to have this program's file open: by /proc/self/exe as the interpreter
 * of a script, which is looked up while the process is still a copy of this one. It cannot write to
 * it while anything runs from it (ETXTBSY), and the keeper does as long as there is a sandbox. As
 * root the file is not the workload's.
 */
static int check_program(int proc, const char *ref, struct err *err)
{
	struct stat theirs, own;

	if (geteuid() == 0)
		return 0;
	if (fstatat(proc, "exe", &theirs, 0) != 0 || stat("/proc/self/exe", &own) != 0)
		return err_set(err, ERR_SETUP, errno, "sandbox %s: its keeper's program", ref);
	if ((theirs.st_dev == own.st_dev && theirs.st_ino == own.st_ino) ||
	    (own.st_uid != geteuid() && access("/proc/self/exe", W_OK) != 0))
		return 0;
	err_set(err, ERR_USAGE, 0,
		"sandbox %s runs by another file than this program, which what runs in it could "
		"write to",
		ref);
	return err_hint(
		err,
		"Start it anew by this one: cordon stop %s, cordon start %s. Or have cordon "
		"belong to root.",
		ref, ref);
}

static int open_places(int proc, const struct landlock_places *held, struct landlock_places *ret)
{
	char path[64];

	for (size_t i = 0; i < held->n; i++) {
		int fd;

		str_format(path, sizeof(path), "fd/%d", held->list[i].fd);
		fd = sys_openat(proc, path, O_PATH | O_CLOEXEC, 0);
		if (fd < 0)
			return fd;
		ret->list[ret->n++] =
			(struct landlock_place){.fd = fd, .access = held->list[i].access};
	}
	return 0;
}

/*
 * The descriptors of the process that launched it, by its directory in /proc, which stays that
 * process's: whatever gets its number later is not found in there.
 */
static int open_held(const struct target_request *request, struct run_target *target,
		     struct err *err)
{
	const struct live_run *live = &request->status->live;
	char path[64];
	_cleanup_fd_ int pidfd = process_open(&live->launcher);
	_cleanup_fd_ int proc = -EBADF;
	int r;

	if (pidfd < 0)
		return pidfd;
	str_format(path, sizeof(path), "/proc/%d", live->launcher.pid);
	proc = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	/* Opened between two looks at the one process: it is that one's. */
	if (proc >= 0 && sys_pidfd_send_signal(pidfd, 0, 0) < 0)
		return -ESRCH;
	if (proc < 0)
		return proc;
	r = check_program(proc, request->ref, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < FACTS_NAMESPACES; i++) {
		if (live->namespace_fds[i] < 0)
			continue;
		str_format(path, sizeof(path), "fd/%d", live->namespace_fds[i]);
		target->namespace_fds[i] = sys_openat(proc, path, O_RDONLY | O_CLOEXEC, 0);
		if (target->namespace_fds[i] < 0)
			return target->namespace_fds[i];
	}
	if (live->upper_fd >= 0) {
		str_format(path, sizeof(path), "fd/%d", live->upper_fd);
		target->upper_fd = sys_openat(proc, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (target->upper_fd < 0)
			return target->upper_fd;
	}
	return open_places(proc, &live->places, &target->places);
}

/* What is read of one that is paused asks nothing of its processes. */
static bool is_open_to(const struct sandbox_status *status, enum target_use use)
{
	return status->state == SANDBOX_RUNNING ||
	       (use == TARGET_READ && status->state == SANDBOX_PAUSED);
}

/* Its keeper removes the groups when the last process is gone. */
static bool has_ended(const struct sandbox_status *status)
{
	_cleanup_fd_ int pidfd = process_open(&status->live.workload);

	return pidfd < 0;
}

int target_open(const struct target_request *request, struct run_target *ret, struct err *err)
{
	const struct record *record = request->record;
	const struct sandbox_status *status = request->status;
	const char *ref = request->ref;
	struct run_target target = {.groups = {.oom_event_fd = -EBADF},
				    .id_block = record->id_block,
				    .upper_fd = -EBADF};
	int r;

	if (!is_open_to(status, request->use))
		return refuse_state(status, ref, err);
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		target.namespace_fds[i] = -EBADF;
	*err = (struct err){0};
	r = open_held(request, &target, err);
	if (r == -ESRCH || r == -ENOENT)
		err_set(err, ERR_USAGE, ESRCH, "sandbox %s has ended meanwhile", ref);
	else if (r < 0 && err->kind == ERR_NONE)
		err_set(err, ERR_SETUP, -r, "sandbox %s: open what its keeper holds", ref);
	if (r == 0)
		r = cgroup_open(status->live.groups, status->live.n_groups, &target.groups, err);
	if ((r == -ENOENT || r == -ENODEV) && err->sys_errno != ESRCH && has_ended(status))
		err_set(err, ERR_USAGE, ESRCH, "sandbox %s has ended meanwhile", ref);
	if (r < 0) {
		target_release(&target);
		return r;
	}
	*ret = target;
	return 0;
}

void target_release(struct run_target *target)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		close_fd(&target->namespace_fds[i]);
	for (size_t i = 0; i < target->places.n; i++)
		close_fd(&target->places.list[i].fd);
	target->places.n = 0;
	close_fd(&target->upper_fd);
	cgroup_release(&target->groups);
}

/* ---- a network that is shared ---- */

int target_network_of(const struct sandbox_status *status)
{
	_cleanup_fd_ int pidfd = -EBADF, fd = -EBADF;
	char path[64];

	if (!status->has_keeper || status->live.workload.pid <= 0)
		return -ESRCH;
	pidfd = process_open(&status->live.workload);
	str_format(path, sizeof(path), "/proc/%d/ns/net", status->live.workload.pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	/* Opened between two looks at the one process: it is that one's. */
	if (pidfd < 0 || fd < 0 || sys_pidfd_send_signal(pidfd, 0, 0) < 0)
		return -ESRCH;
	return steal_fd(&fd);
}

static int open_network(const struct records *records, const struct sandbox *sandbox,
			const char *ref, struct err *err)
{
	struct sandbox_status status;
	int fd, r = status_read(records, sandbox, &status, err);

	if (r < 0)
		return r;
	/* First, so that its end cannot have passed it by while the namespace is opened. */
	r = status.has_keeper ? state_run_share(records->run, status.live.run_id) : 0;
	fd = target_network_of(&status);
	status_release(&status);
	if (fd >= 0 && r < 0) {
		close_fd(&fd);
		return err_set(err, ERR_SETUP, -r, "network container:%s: note that it is shared",
			       ref);
	}
	if (fd >= 0)
		return fd;
	err_set(err, ERR_SETUP, ESRCH, "network container:%s: that sandbox does not run", ref);
	return err_hint(err, "Start it first: cordon start %s.", ref);
}

int target_open_network(const struct records *records, const struct spec_network *network,
			int *ret_fd, struct err *err)
{
	struct sandbox sandbox;
	int fd, r;

	if (network->kind != NETWORK_OF_A_SANDBOX)
		return 0;
	r = records_find(records, network->sandbox, &sandbox, err);
	if (r < 0)
		return r;
	fd = open_network(records, &sandbox, network->sandbox, err);
	sandbox_release(&sandbox);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}
