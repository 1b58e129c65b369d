/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See confined.h. Runs in the keeper; confined_main in the fork, until it executes the image. */
#include "launcher/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/child.h"
#include "launcher/launch.h"
#include "launcher/readback.h"

enum { BEGINNING_STACK = 32 << 10 };

void confined_put_hex(const uint8_t *bytes, size_t n, char *to)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
}

/* ---- its process ---- */

/* Leaves exactly its descriptors, at the numbers that it expects. Returns that of the image. */
static int place_fds(const struct confined_image *image, int control, int image_fd)
{
	/* Above what it is started with, and no more: the caller may have few. */
	const int spare_fd = (int)image->n_fds + 1;
	int fds[CONFINED_FDS_MAX + 1];
	int r;

	for (size_t i = 0; i <= image->n_fds; i++) {
		fds[i] = fcntl(i < image->n_fds ? image->fds[i] : control, F_DUPFD_CLOEXEC,
			       spare_fd);
		if (fds[i] < 0)
			return -errno;
	}
	image_fd = fcntl(image_fd, F_DUPFD_CLOEXEC, spare_fd);
	if (image_fd < 0)
		return -errno;
	r = sys_close_range((unsigned)image->n_fds + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	if (r < 0)
		return r;
	for (size_t i = 0; i <= image->n_fds; i++)
		if (dup2(fds[i], (int)i) < 0)
			return -errno;
	return image_fd;
}

/* As root it becomes the sandbox's init's id: no account's, and none of the workload's. */
static int become_nobody(const struct launch *launch, struct err *err)
{
	uint32_t id = launch->run.block_first + IDENTITY_INIT;
	int r = facts_has_cap(&launch->decision->facts, CAP_SETPCAP) ? child_drop_bounding_set(err)
								     : 0;

	if (r == 0 && launch->decision->plan.ids == IDS_BLOCK)
		r = child_become(launch, id, id, err);
	return r == 0 ? child_drop_capabilities(err) : r;
}

struct beginning {
	const struct launch *launch;
	const struct confined_image *image;
	int control;
	int image_fd;
};

/* Says nothing: the keeper sees that it is not there. What it returns is its exit code. */
static int confined_main(void *arg)
{
	const struct beginning *from = arg;
	const struct confined_image *image = from->image;
	char *argv[CONFINED_ARGS_MAX + 2] = {(char *)image->name};
	char *envp[] = {NULL};
	struct err err;
	int fd;

	for (size_t i = 0; i < CONFINED_ARGS_MAX; i++)
		argv[i + 1] = (char *)image->args[i];
	/* No group of the caller's, whose signals it would get, and no controlling terminal, whose
	 * job control would stop it. */
	if (setsid() < 0 || chdir("/") != 0 || become_nobody(from->launch, &err) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return 1;
	fd = place_fds(image, from->control, from->image_fd);
	if (fd < 0)
		return 2;
	ignore_result(sys_execveat(fd, "", argv, envp, AT_EMPTY_PATH),
		      "it returns only on failure");
	return 3;
}

/* The process uses the keeper's memory until it executes its image, and the keeper waits for that:
 * a copy would cost more than all that it does there. */
static pid_t begin(const struct beginning *from)
{
	_Alignas(16) char stack[BEGINNING_STACK];
	struct beginning own = *from;
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	sigset_t all, before;
	pid_t pid;

	/* A process that the terminal stops before it has a session of its own would be waited for
	 * by one that cannot be stopped. */
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &before) != 0)
		return -errno;
	pid = sys_clone_sharing(confined_main, stack, sizeof(stack), &own, CLONE_VFORK);
	ignore_result(sigprocmask(SIG_SETMASK, &before, NULL), "a mask that it had");
	sys_stack_is_left(stack, sizeof(stack));
	/* Dumpable is the memory, and it took another id: commit_creds in the kernel's
	 * kernel/cred.c. */
	if (dumpable == 1)
		ignore_result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "then less can be read of it");
	return pid;
}

int confined_start(const struct launch *launch, const struct confined_image *image,
		   struct confined *ret, struct err *err)
{
	_cleanup_fd_ int image_fd = prepare_image(image->name, image->bytes, image->size, err);
	_cleanup_fd_ int own = -EBADF, theirs = -EBADF;
	siginfo_t info;
	int pair[2];
	pid_t pid;
	int pidfd;

	if (image_fd < 0)
		return image_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_SETUP, errno, "socket pair for %s", image->what);
	own = pair[0];
	theirs = pair[1];
	pid = begin(&(struct beginning){launch, image, theirs, image_fd});
	if (pid < 0)
		return err_set(err, ERR_SETUP, -pid, "fork %s", image->what);
	pidfd = sys_pidfd_open(pid, 0);
	if (pidfd < 0) {
		kill(pid, SIGKILL);
		ignore_result(sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL), "our own child");
		return err_set(err, ERR_SETUP, -pidfd, "handle on %s", image->what);
	}
	*ret = (struct confined){.pid = pid, .pidfd = pidfd, .control_fd = steal_fd(&own)};
	return 0;
}

int confined_verify(const struct launch *launch, pid_t pid, const char *what, struct err *err)
{
	const struct decision *d = launch->decision;
	bool has_block = d->plan.ids == IDS_BLOCK;
	struct readback_want want = {
		.uid = has_block ? launch->run.block_first + IDENTITY_INIT : d->facts.euid,
		.gid = has_block ? launch->run.block_first + IDENTITY_INIT : d->facts.egid,
		.no_groups = has_block,
		.keeps_bounding_set = !facts_has_cap(&d->facts, CAP_SETPCAP),
		.filtered = true,
	};
	int r;

	if (pid <= 0)
		return err_set(err, ERR_SETUP, 0, "%s was not started", what);
	r = readback_process(pid, &want, err);
	return r < 0 ? err_wrap(err, "%s", what) : 0;
}

/* ---- conversation ---- */

int confined_receive(int control_fd, int timeout_ms)
{
	struct pollfd control = {.fd = control_fd, .events = POLLIN};
	int message = 0;
	int n;

	do
		n = poll(&control, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -EAGAIN;
	if (recv(control_fd, &message, sizeof(message), MSG_DONTWAIT) != (ssize_t)sizeof(message))
		return 0;
	return message;
}

int confined_say(int control_fd, int message)
{
	return send(control_fd, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT) !=
			       (ssize_t)sizeof(message)
		       ? -EPIPE
		       : 0;
}

int confined_end(int *pidfd, int timeout_ms)
{
	struct pollfd ended = {.fd = *pidfd, .events = POLLIN};
	siginfo_t info = {0};
	int n;

	do
		n = poll(&ended, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	ignore_result(sys_pidfd_send_signal(*pidfd, SIGKILL, 0), "it has ended as it should");
	ignore_result(sys_waitid(P_PIDFD, (id_t)*pidfd, &info, WEXITED | __WALL, NULL),
		      "our own child");
	close_fd(pidfd);
	return info.si_code == CLD_EXITED ? info.si_status : -ECHILD;
}
