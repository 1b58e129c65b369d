/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See attach.h. Runs in the keeper, as root without the right to look into other processes. */
#include "launcher/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/passing.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/monitor_image.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

enum { PROC_TEXT_MAX = 4096 };

/* ---- who is it ---- */

/* As a handle, of the very process where the kernel has one to give. */
static int open_peer(int fd, pid_t pid)
{
	int pidfd = -EBADF;
	socklen_t size = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0)
		return pidfd;
	return errno == ENOPROTOOPT ? sys_pidfd_open(pid, 0) : -errno;
}

static bool read_proc(pid_t pid, const char *name, char buf[PROC_TEXT_MAX])
{
	char path[64];

	str_format(path, sizeof(path), "/proc/%d/%s", pid, name);
	return io_read_text(AT_FDCWD, path, buf, PROC_TEXT_MAX) > 0;
}

/* How many pid namespaces deep, seen from here: one number for each. 0: unknown. */
static int depth_of(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	int n = 0;

	if (line == NULL)
		return 0;
	for (line += strlen("\nNSpid:"); *line == '\t' || *line == ' '; n++)
		line += 1 + strspn(line + 1, "0123456789");
	return n;
}

/* What everybody may read: the map of its user namespace, and how deep its pids are. */
static bool looks_outside(pid_t pid)
{
	char theirs[PROC_TEXT_MAX], own[PROC_TEXT_MAX];

	if (!read_proc(pid, "uid_map", theirs) || !read_proc(getpid(), "uid_map", own) ||
	    !str_equal(theirs, own))
		return false;
	if (!read_proc(pid, "status", theirs) || !read_proc(getpid(), "status", own))
		return false;
	return depth_of(own) > 0 && depth_of(theirs) == depth_of(own);
}

/* -1: nobody tells. */
static int has_same_namespace(pid_t pid, const char *name)
{
	char theirs[64], own[64], path[64];
	ssize_t a, b;

	str_format(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	a = readlink(path, theirs, sizeof(theirs));
	if (a < 0)
		return errno == EACCES || errno == EPERM ? -1 : 0;
	str_format(path, sizeof(path), "/proc/self/ns/%s", name);
	b = readlink(path, own, sizeof(own));
	return a == b && memcmp(theirs, own, (size_t)a) == 0;
}

static bool is_outside(pid_t pid)
{
	int user = has_same_namespace(pid, "user");
	int pids = has_same_namespace(pid, "pid");

	/* A client of root's has rights that its keeper has dropped, and then the links may not be
	 * read: ptrace(2). No workload has uid 0. A user's can be read. */
	if ((user < 0 || pids < 0) && geteuid() != 0)
		return false;
	return user != 0 && pids != 0 && looks_outside(pid);
}

bool attach_is_ours(int fd)
{
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);
	_cleanup_fd_ int pidfd = -EBADF;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0 ||
	    peer.uid != geteuid())
		return false;
	pidfd = open_peer(fd, peer.pid);
	/* It lives before and after the look: then the look was at it. */
	return pidfd >= 0 && sys_pidfd_send_signal(pidfd, 0, 0) == 0 && is_outside(peer.pid) &&
	       sys_pidfd_send_signal(pidfd, 0, 0) == 0;
}

/* ---- handing over ---- */

static void hand_over(int control_fd, int fd)
{
	int word = MONITOR_CLIENT;
	const struct passing message = {.bytes = &word, .size = sizeof(word), .fds = &fd, .n = 1};

	ignore_result(passing_send(control_fd, &message, MSG_DONTWAIT),
		      "a recorder that does not read: the client sees the end");
}

void attach_accept(struct launch *launch, int listen_fd)
{
	_cleanup_fd_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0 && launch->terminal.control_fd >= 0 && attach_is_ours(fd))
		hand_over(launch->terminal.control_fd, fd);
}
