/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts and ends the confined processes; see worker.h. */
#include "libexec/image/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"

enum { SPARE_FD = 20 };

/* Two ends of the conversation about id maps: the worker says that it has its user namespace, the
 * importer that the maps are written. */
struct mapping {
	int ready[2];
	int go[2];
};

static void mapping_release(struct mapping *m)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&m->ready[i]);
		close_fd(&m->go[i]);
	}
}

/* ---- in the worker ---- */

static int place_fds(const struct worker_job *job, int report)
{
	int fds[WORKER_FDS];

	for (int i = 0; i < WORKER_FDS; i++) {
		int from = i == WORKER_REPORT ? report : job->fds[i];

		fds[i] = from < 0 ? -EBADF : fcntl(from, F_DUPFD_CLOEXEC, SPARE_FD);
		if (from >= 0 && fds[i] < 0)
			return -errno;
	}
	for (int i = 0; i < WORKER_FDS; i++) {
		if (fds[i] < 0)
			close(i);
		else if (dup2(fds[i], i) < 0)
			return -errno;
	}
	return sys_close_range(WORKER_FDS, ~0U, 0);
}

/* A user namespace in which the foreign ids are 0 to 65535, and id 0 of it. */
static int enter_foreign_ids(struct mapping *m, struct err *err)
{
	char byte = 0;

	if (unshare(CLONE_NEWUSER) != 0) {
		err_set(err, ERR_SETUP, errno, "a user namespace for the unpacker");
		return err_hint(err, "`cordon doctor` says what keeps user namespaces from being "
				     "made.");
	}
	if (write(m->ready[1], &byte, 1) != 1)
		return err_set(err, ERR_SETUP, errno, "id maps of the unpacker");
	if (read(m->go[0], &byte, 1) != 1)
		return err_set(err, ERR_SETUP, 0, "id maps of the unpacker: not written");
	if (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "ids of the unpacker");
	return 0;
}

/* The sandbox's user namespace, which gives every right in it, and none outside; and its groups,
 * so that what is written counts to its limits. No other namespace: what this process opens by a
 * path, or loads, is the host's. */
static int enter_sandbox(const struct worker_inside *inside, struct err *err)
{
	for (size_t i = 0; i < inside->n_groups; i++) {
		int r = io_write_all(inside->groups[i], "0", 1);

		if (r < 0) {
			err_set(err, ERR_SETUP, -r, "join the sandbox's control groups");
			return err_hint(err, "The caller may not move a process into them from "
					     "here; `cordon doctor` says from where.");
		}
	}
	if (setns(inside->userns, CLONE_NEWUSER) != 0)
		return err_set(err, ERR_SETUP, errno, "enter the sandbox's user namespace");
	if (inside->has_block &&
	    (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
		return err_set(err, ERR_SETUP, errno, "ids of the sandbox");
	return 0;
}

static _Noreturn void worker_main(const struct worker_job *job, struct mapping *m, int report_fd,
				  pid_t importer)
{
	struct worker_report report = {0};
	int r;

	/* A terminal's ^C is the importer's to answer: it ends its workers itself. */
	signal(SIGPIPE, SIG_IGN);
	umask(0);
	r = job->kind == CONFINE_UNPACK && job->is_root ? enter_foreign_ids(m, &report.err) : 0;
	if (r == 0 && job->inside != NULL)
		r = enter_sandbox(job->inside, &report.err);
	/* Behind the last change of ids, which clears it. */
	if (r == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != importer))
		_exit(1);
	if (r == 0) {
		r = place_fds(job, report_fd);
		if (r < 0)
			_exit(1);
		report_fd = WORKER_REPORT;
		r = confine(job->kind, WORKER_DIR, job->is_root, &report.err);
	}
	if (r == 0)
		r = job->run(job, &report);
	if (r < 0 && report.err.kind == ERR_NONE)
		err_set(&report.err, ERR_BUG, -r, "%s", job->what);
	_exit(io_write_all(report_fd, &report, sizeof(report)) < 0);
}

/* ---- in the importer ---- */

static int write_map(pid_t pid, const char *name, struct err *err)
{
	char path[64], line[64];
	int r;

	str_format(path, sizeof(path), "/proc/%d/%s", pid, name);
	str_format(line, sizeof(line), "0 %u %u\n", STORE_FOREIGN_FIRST, STORE_FOREIGN_COUNT);
	r = io_write_text(AT_FDCWD, path, line);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s of the unpacker", name) : 0;
}

static int write_maps(pid_t pid, struct mapping *m, struct err *err)
{
	char byte = 0;
	int r;

	close_fd(&m->ready[1]);
	/* It has failed before: its report says why. */
	if (read(m->ready[0], &byte, 1) != 1)
		return 0;
	r = write_map(pid, "gid_map", err);
	if (r == 0)
		r = write_map(pid, "uid_map", err);
	if (r == 0 && write(m->go[1], &byte, 1) != 1)
		r = err_set(err, ERR_SETUP, errno, "id maps of the unpacker");
	return r;
}

int worker_start(const struct worker_job *job, struct worker *ret, struct err *err)
{
	struct mapping m = {{-EBADF, -EBADF}, {-EBADF, -EBADF}};
	bool is_mapped = job->kind == CONFINE_UNPACK && job->is_root;
	_cleanup_fd_ int theirs = -EBADF, ours = -EBADF;
	pid_t importer = getpid();
	int report[2], r = 0;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "a pipe for %s", job->what);
	ours = report[0];
	theirs = report[1];
	if (is_mapped && (pipe2(m.ready, O_CLOEXEC) != 0 || pipe2(m.go, O_CLOEXEC) != 0))
		r = err_set(err, ERR_SETUP, errno, "pipes for %s", job->what);
	pid = r == 0 ? fork() : 0;
	if (r == 0 && pid == 0)
		worker_main(job, &m, theirs, importer);
	if (pid < 0)
		r = err_set(err, ERR_SETUP, errno, "fork %s", job->what);
	*ret = (struct worker){.what = job->what, .pid = r == 0 ? pid : -1, .report_fd = -EBADF};
	if (r == 0 && is_mapped)
		r = write_maps(pid, &m, err);
	mapping_release(&m);
	if (r < 0) {
		worker_stop(ret);
		return r;
	}
	ret->report_fd = steal_fd(&ours);
	return 0;
}

/* Whatever the worker has written, it is text when it is read here. */
static void make_harmless(struct err *err)
{
	err->text[sizeof(err->text) - 1] = err->hint[sizeof(err->hint) - 1] = '\0';
	err->step[0] = '\0';
	err->text[str_make_harmless(err->text, strlen(err->text))] = '\0';
	err->hint[str_make_harmless(err->hint, strlen(err->hint))] = '\0';
	err->kind = ERR_SETUP;
	if (err->sys_errno < 0 || err->sys_errno > 4095)
		err->sys_errno = 0;
}

static ssize_t read_report(int fd, struct worker_report *report)
{
	char *at = (char *)report;
	size_t len = 0;

	while (len < sizeof(*report)) {
		ssize_t n = read(fd, at + len, sizeof(*report) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int worker_finish(struct worker *worker, struct worker_report *ret, struct err *err)
{
	struct worker_report report;
	bool is_whole = read_report(worker->report_fd, &report) == (ssize_t)sizeof(report);
	siginfo_t info = {0};
	int r = sys_waitid(P_PID, (id_t)worker->pid, &info, WEXITED, NULL);
	const char *what = worker->what;

	worker->pid = -1;
	close_fd(&worker->report_fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "wait for %s", what);
	if (info.si_code != CLD_EXITED && info.si_status == SIGSYS)
		return err_set(err, ERR_SETUP, 0,
			       "%s was ended: it asked for a system call that is none of its",
			       what);
	if (info.si_code != CLD_EXITED)
		return err_set(err, ERR_SETUP, 0, "%s was ended by signal %d", what,
			       info.si_status);
	if (!is_whole)
		return err_set(err, ERR_SETUP, 0, "%s ended without a word", what);
	if (report.err.kind != ERR_NONE) {
		make_harmless(&report.err);
		*err = report.err;
		return report.err.sys_errno > 0 ? -report.err.sys_errno : -EINVAL;
	}
	*ret = report;
	return 0;
}

void worker_stop(struct worker *worker)
{
	siginfo_t info;

	if (worker->pid <= 0)
		return;
	ignore_result(kill(worker->pid, SIGKILL), "it may have ended already");
	ignore_result(sys_waitid(P_PID, (id_t)worker->pid, &info, WEXITED, NULL), "our own child");
	worker->pid = -1;
	close_fd(&worker->report_fd);
}
