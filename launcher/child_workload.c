/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows of the process that becomes the workload, and of the one that becomes init: each gives up
 * what it has until only the program is left. Nothing here allocates. The order and the reasons
 * stand in child.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/child.h"
#include "launcher/init_image.h"

/* ---- resets ---- */

int child_signals(struct launch *launch, struct err *err)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	(void)launch;
	for (int signo = 1; signo < _NSIG; signo++) {
		/* Raw, so that the two that libc keeps for itself are reset, too; KILL and STOP
		 * cannot be. */
		long r = syscall(SYS_rt_sigaction, signo, &action, NULL, _NSIG / 8);

		if (r != 0 && signo != SIGKILL && signo != SIGSTOP)
			return err_set(err, ERR_SETUP, errno, "reset signal %d", signo);
	}
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		return err_set(err, ERR_SETUP, errno, "reset the signal mask");
	return 0;
}

int child_process_group(struct launch *launch, struct err *err)
{
	(void)launch;
	return setpgid(0, 0) != 0 ? err_set(err, ERR_SETUP, errno, "process group") : 0;
}

/* ---- resource limits ---- */

static rlim_t as_rlim(uint64_t value)
{
	return value == SPEC_UNLIMITED ? RLIM_INFINITY : value;
}

static int set_limit(int resource, uint64_t value)
{
	rlim_t limit = as_rlim(value);
	struct rlimit both = {.rlim_cur = limit, .rlim_max = limit};

	return setrlimit((__rlimit_resource_t)resource, &both) != 0 ? -errno : 0;
}

static bool has_limit(int resource, uint64_t value)
{
	rlim_t limit = as_rlim(value);
	struct rlimit both;

	return getrlimit((__rlimit_resource_t)resource, &both) == 0 && both.rlim_cur == limit &&
	       both.rlim_max == limit;
}

int child_rlimits(struct launch *launch, struct err *err)
{
	const struct spec_limits *limits = &launch->spec->limits;

	for (size_t i = 0; i < limits->n_rlimits; i++) {
		int r = set_limit(limits->rlimits[i].resource, limits->rlimits[i].value);

		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "limits.ulimits.%s",
				       limits->rlimits[i].name);
	}
	return 0;
}

int child_verify_rlimits(struct launch *launch, struct err *err)
{
	const struct spec_limits *limits = &launch->spec->limits;

	for (size_t i = 0; i < limits->n_rlimits; i++)
		if (!has_limit(limits->rlimits[i].resource, limits->rlimits[i].value))
			return err_set(err, ERR_SETUP, 0,
				       "limits.ulimits.%s: reads back as something else",
				       limits->rlimits[i].name);
	return 0;
}

/*
 * Who comes into a sandbox that runs becomes its user in the row identity, and setresuid(2) looks
 * at how many processes that user has without this one; execve(2) then fails with EAGAIN where they
 * were too many (flag_nproc_exceeded in kernel/sys.c). So for that row there is room for one less.
 */
static uint64_t nproc_until_identity(const struct launch *launch)
{
	const struct plan *plan = &launch->decision->plan;
	bool has_company = launch->decision->enters && plan->ids == IDS_BLOCK;

	return has_company && plan->nproc_limit != SPEC_UNLIMITED && plan->nproc_limit > 0
		       ? plan->nproc_limit - 1
		       : plan->nproc_limit;
}

static int set_nproc(const struct launch *launch, uint64_t soft, struct err *err)
{
	struct rlimit both = {.rlim_cur = as_rlim(soft),
			      .rlim_max = as_rlim(launch->decision->plan.nproc_limit)};

	return setrlimit(RLIMIT_NPROC, &both) != 0 ? err_set(err, ERR_SETUP, errno, "limits.nproc")
						   : 0;
}

static int verify_nproc(const struct launch *launch, uint64_t soft, struct err *err)
{
	struct rlimit both;

	return getrlimit(RLIMIT_NPROC, &both) == 0 && both.rlim_cur == as_rlim(soft) &&
			       both.rlim_max == as_rlim(launch->decision->plan.nproc_limit)
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "limits.nproc: reads back as something else");
}

int child_nproc(struct launch *launch, struct err *err)
{
	return set_nproc(launch, nproc_until_identity(launch), err);
}

int child_verify_nproc(struct launch *launch, struct err *err)
{
	return verify_nproc(launch, nproc_until_identity(launch), err);
}

/* ---- privileges ---- */

/* By raw calls: glibc's would synchronise threads that do not exist here. */
int child_become(const struct launch *launch, uint32_t uid, uint32_t gid, struct err *err)
{
	/* With one id mapped setgroups is denied for good, and the ids are these already; the
	 * caller's supplementary groups stay, and the plan says so. */
	if (launch->decision->plan.ids == IDS_BLOCK && syscall(SYS_setgroups, 0, NULL) != 0)
		return err_set(err, ERR_SETUP, errno, "drop supplementary groups");
	if (syscall(SYS_setresgid, gid, gid, gid) != 0)
		return err_set(err, ERR_SETUP, errno, "become gid %u", gid);
	if (syscall(SYS_setresuid, uid, uid, uid) != 0)
		return err_set(err, ERR_SETUP, errno, "become uid %u", uid);
	return 0;
}

int child_identity(struct launch *launch, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	uint64_t whole = launch->decision->plan.nproc_limit;
	int r = child_become(launch, id->uid, id->gid, err);

	if (r < 0 || nproc_until_identity(launch) == whole)
		return r;
	r = set_nproc(launch, whole, err);
	return r == 0 ? verify_nproc(launch, whole, err) : r;
}

int child_keyring(struct launch *launch, struct err *err)
{
	long r = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);

	(void)launch;
	if (r >= 0)
		return 0;
	err_set(err, ERR_SETUP, (int)-r, "new session keyring");
	return r == -EDQUOT
		       ? err_hint(err,
				  "The user's quota of keys is used up (kernel.keys.maxkeys): run "
				  "fewer of these at once, or do not allow keyctl.")
		       : (int)r;
}

int child_drop_capabilities(struct err *err)
{
	struct sys_caps none = {0};
	int r;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "clear the ambient capabilities");
	r = sys_capset(&none);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "drop all capabilities") : 0;
}

int child_capabilities(struct launch *launch, struct err *err)
{
	(void)launch;
	return child_drop_capabilities(err);
}

int child_verify_capabilities(struct launch *launch, struct err *err)
{
	struct sys_caps caps;
	int r = sys_capget(&caps);

	(void)launch;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "read capabilities back");
	if ((caps.effective | caps.permitted | caps.inheritable) != 0)
		return err_set(err, ERR_SETUP, 0, "capabilities are left after all were dropped");
	return 0;
}

static int set_no_new_privs(struct err *err)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
		       ? err_set(err, ERR_SETUP, errno, "no_new_privs")
		       : 0;
}

int child_no_new_privs(struct launch *launch, struct err *err)
{
	(void)launch;
	return set_no_new_privs(err);
}

int child_verify_no_new_privs(struct launch *launch, struct err *err)
{
	(void)launch;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1
		       ? 0
		       : err_set(err, ERR_SETUP, 0, "no_new_privs: reads back as off");
}

/* ---- the filter ---- */

int child_seccomp(struct launch *launch, struct err *err)
{
	bool asks = denials_are_explained(launch->decision);
	const struct sock_fprog program = {.len = (unsigned short)(asks ? launch->n_asking_filter
									: launch->n_filter),
					   .filter = asks ? launch->asking_filter : launch->filter};
	/* A call that somebody is answering already is not restarted by a signal: it would be
	 * counted twice. */
	unsigned flags =
		asks ? SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
		     : 0;
	int r = sys_seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);

	if (r >= 0 && asks)
		launch->listener_inside = r;
	if (r == -EBUSY && asks) {
		err_set(err, ERR_SETUP, -r, "load the system call filter with a listener");
		return err_hint(err, "cordon itself runs under a filter that has one, and there "
				     "can be only one: run without --explain-denials.");
	}
	return r < 0 ? err_set(err, ERR_SETUP, -r, "load the system call filter") : 0;
}

/* ---- init ---- */

/* Leaves exactly three descriptors, and the terminal where there is one, at the numbers that init
 * expects. */
static int place_init_fds(const struct launch *launch, int *ret_image_fd, struct err *err)
{
	int status = fcntl(launch->status_write, F_DUPFD_CLOEXEC, INIT_SPARE_FD);
	int lifeline = fcntl(launch->lifeline_read, F_DUPFD_CLOEXEC, INIT_SPARE_FD);
	int image = fcntl(launch->init_image_fd, F_DUPFD_CLOEXEC, INIT_SPARE_FD);
	/* Who enters a sandbox has no journal: something has to be at that number. */
	int lock = launch->decision->enters ? launch->lifeline_read : launch->run.journal_fd;
	int journal = fcntl(lock, F_DUPFD_CLOEXEC, INIT_SPARE_FD);
	bool has_terminal = launch->decision->plan.child_wanted[CHILD_TERMINAL];
	int terminal = has_terminal ? fcntl(launch->terminal_slave, F_DUPFD_CLOEXEC, INIT_SPARE_FD)
				    : -EBADF;
	int r = 0;

	if (status < 0 || lifeline < 0 || image < 0 || journal < 0 ||
	    (has_terminal && terminal < 0))
		return err_set(err, ERR_SETUP, errno, "init's descriptors");
	/* sync_child, which is needed for a last error, stands above these (child_main). */
	r = sys_close_range(0, 2, 0);
	if (r == 0)
		r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	/* Their locks last as long as init, as the journal's does. */
	for (size_t i = 0; r == 0 && i < launch->n_placeholders; i++)
		if (fcntl(launch->placeholders[i].fd, F_DUPFD, INIT_SPARE_FD) < 0)
			r = -errno;
	if (r < 0 || dup2(status, INIT_STATUS_FD) < 0 || dup2(lifeline, INIT_LIFELINE_FD) < 0 ||
	    dup2(journal, INIT_LOCK_FD) < 0 ||
	    (has_terminal && dup2(terminal, INIT_TERMINAL_FD) < 0))
		return err_set(err, ERR_SETUP, r < 0 ? -r : errno, "init's descriptors");
	*ret_image_fd = image;
	return 0;
}

int child_become_init(struct launch *launch, struct err *err)
{
	const struct plan *plan = &launch->decision->plan;
	char pid[16];
	char *argv[] = {(char *)"cordon-init", pid,
			plan->child_wanted[CHILD_TERMINAL] ? (char *)"terminal" : NULL, NULL};
	char *envp[] = {NULL};
	int image = -EBADF;
	sigset_t all;
	int r;

	/* Stop signals, too: init changes the terminal's foreground group from another one. */
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, NULL) != 0)
		return err_set(err, ERR_SETUP, errno, "block init's signals");
	str_format(pid, sizeof(pid), "%d", launch->workload_pid_inside);
	/* Outside of a sandbox (enter_child.c) that has been done, by other numbers. */
	r = launch->decision->enters ? 0
				     : child_become(launch, plan->init_uid, plan->init_gid, err);
	if (r == 0)
		r = child_drop_capabilities(err);
	if (r == 0)
		r = set_no_new_privs(err);
	if (r == 0)
		r = place_init_fds(launch, &image, err);
	if (r < 0)
		return r;
	r = sys_execveat(image, "", argv, envp, AT_EMPTY_PATH);
	return err_set(err, ERR_SETUP, -r, "execute init");
}
