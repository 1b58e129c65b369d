/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See visit.h. The visitor allocates nothing and reads no file. */
#include "launcher/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/passing.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/cordon.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

enum { LINKS_MAX = 40, RENAMED_TRIES = 100, EXIT_VISITED = 0 };

/* ---- looking up ---- */

/* Where paths begin, and how they are followed. */
struct origin {
	int root;
	uint64_t resolve;
};

static const struct origin host = {.root = AT_FDCWD};

/* The kernel asks to try again where something on the way was renamed meanwhile. */
static int look_up(const struct origin *origin, const char *path, int flags)
{
	int fd = -EAGAIN;

	for (int i = 0; fd == -EAGAIN && i < RENAMED_TRIES; i++)
		fd = sys_openat2(origin->root, path, (uint64_t)(flags | O_CLOEXEC), 0,
				 origin->resolve);
	return fd;
}

static int refuse(struct err *err, int code, const char *path, const char *why)
{
	return code != 0 ? err_set(err, ERR_USAGE, code, "%s", path)
			 : err_set(err, ERR_USAGE, 0, "%s: %s", path, why);
}

static enum visit_type type_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return VISIT_NOTHING;
	return S_ISDIR(st.st_mode)   ? VISIT_DIRECTORY
	       : S_ISREG(st.st_mode) ? VISIT_FILE
	       : S_ISLNK(st.st_mode) ? VISIT_LINK
				     : VISIT_NOTHING;
}

/* Twice: what is opened for reading is a file or a directory, as far as the first look tells, and
 * the second look is at what was opened. */
static int find_source(const struct origin *origin, const struct visit_request *request,
		       struct visit_found *ret, struct err *err)
{
	int flags = request->follows ? 0 : O_NOFOLLOW;
	_cleanup_fd_ int seen = look_up(origin, request->path, O_PATH | flags);
	_cleanup_fd_ int fd = -EBADF;

	if (seen < 0)
		return refuse(err, -seen, request->path, "");
	ret->type = type_of(seen);
	if (ret->type == VISIT_LINK) {
		ret->fd = steal_fd(&seen);
		return 0;
	}
	if (ret->type == VISIT_NOTHING)
		return refuse(err, 0, request->path, "is no file, no directory and no link");
	fd = look_up(origin, request->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | flags);
	if (fd < 0)
		return refuse(err, -fd, request->path, "");
	ret->type = type_of(fd);
	if (ret->type != VISIT_DIRECTORY && ret->type != VISIT_FILE)
		return refuse(err, ESTALE, request->path, "");
	ret->fd = steal_fd(&fd);
	return 0;
}

/* path becomes what the link at it says, as text. */
static int follow(int link, char *path, size_t size)
{
	char target[PATH_MAX], whole[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);
	const char *slash = strrchr(path, '/');
	size_t len;

	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	target[n] = '\0';
	len = str_format(whole, sizeof(whole), "%.*s%s",
			 target[0] == '/' || slash == NULL ? 0 : (int)(slash - path) + 1, path,
			 target);
	if (len >= sizeof(whole) - 1)
		return -ENAMETOOLONG;
	str_format(path, size, "%s", whole);
	return 0;
}

/* The directory that path's last part is in, which is no link. */
static int open_parent(const struct origin *origin, char *path, struct visit_found *ret)
{
	char *slash = strrchr(path, '/');
	const char *base = slash != NULL ? slash + 1 : path;
	int fd;

	if (base[0] == '\0' || str_equal(base, ".") || str_equal(base, "..") ||
	    strlen(base) > NAME_MAX)
		return -ENOENT;
	str_format(ret->base, sizeof(ret->base), "%s", base);
	if (slash == NULL)
		return look_up(origin, ".", O_PATH | O_DIRECTORY);
	slash[slash == path] = '\0';
	fd = look_up(origin, path, O_PATH | O_DIRECTORY);
	return fd;
}

static int find_sink(const struct origin *origin, const struct visit_request *request,
		     struct visit_found *ret, struct err *err)
{
	char path[PATH_MAX];
	int r = 0;

	str_format(path, sizeof(path), "%s", request->path);
	for (int i = 0; r == 0 && i < LINKS_MAX; i++) {
		_cleanup_fd_ int fd = look_up(origin, path, O_PATH | O_DIRECTORY);

		if (fd >= 0) {
			ret->type = VISIT_DIRECTORY;
			ret->fd = steal_fd(&fd);
			return 0;
		}
		fd = look_up(origin, path, O_PATH | O_NOFOLLOW);
		if (fd < 0 && fd != -ENOENT)
			return refuse(err, -fd, request->path, "");
		ret->type = fd < 0 ? VISIT_NOTHING : type_of(fd);
		if (fd >= 0 && ret->type == VISIT_LINK) {
			r = follow(fd, path, sizeof(path));
			continue;
		}
		/* Whatever it is but a directory, a file may take its place. */
		if (fd >= 0)
			ret->type = VISIT_FILE;
		ret->fd = open_parent(origin, path, ret);
		return ret->fd < 0 ? refuse(err, -ret->fd, request->path, "") : 0;
	}
	return refuse(err, r < 0 ? -r : ELOOP, request->path, "");
}

static int find(const struct origin *origin, const struct visit_request *request,
		struct visit_found *ret, struct err *err)
{
	*ret = (struct visit_found){.fd = -EBADF};
	if (strlen(request->path) >= PATH_MAX)
		return refuse(err, ENAMETOOLONG, "a path", "");
	return request->is_sink ? find_sink(origin, request, ret, err)
				: find_source(origin, request, ret, err);
}

int visit_host(const struct visit_request *request, struct visit_found *ret, struct err *err)
{
	return find(&host, request, ret, err);
}

/* ---- the visitor ---- */

/* What it says: in one message, with the descriptor. */
struct answer {
	int result;
	struct err err;
	struct visit_found found;
};

static int enter(int fd, int type, const char *what, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) != 0 || (unsigned long)fs.f_type != NSFS_MAGIC)
		return err_set(err, ERR_SETUP, 0, "what the keeper holds is no namespace");
	return setns(fd, type) != 0
		       ? err_set(err, ERR_SETUP, errno, "enter the sandbox's %s namespace", what)
		       : 0;
}

int visit_enter(const struct run_target *target, struct err *err)
{
	int r = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0
			? err_set(err, ERR_SETUP, errno, "undumpable")
			: enter(target->namespace_fds[0], CLONE_NEWUSER, "user", err);

	if (r == 0 && target->id_block != 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
		r = err_set(err, ERR_SETUP, errno, "ids of the sandbox");
	if (r == 0)
		r = enter(target->namespace_fds[1], CLONE_NEWNS, "mnt", err);
	return r;
}

static int visit(const struct run_target *target, const struct visit_request *request,
		 struct answer *answer)
{
	struct origin origin = {.root = -EBADF, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int r = visit_enter(target, &answer->err);

	if (r < 0)
		return r;
	origin.root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (origin.root < 0)
		return err_set(&answer->err, ERR_SETUP, -origin.root, "the sandbox's root");
	r = find(&origin, request, &answer->found, &answer->err);
	close_fd(&origin.root);
	return r;
}

static _Noreturn void visitor(const struct run_target *target, const struct visit_request *request,
			      int to_client)
{
	struct answer answer = {.found = {.fd = -EBADF}};
	struct passing message = {.bytes = &answer,
				  .size = sizeof(answer),
				  .fds = &answer.found.fd};

	answer.result = visit(target, request, &answer);
	message.n = answer.result == 0 ? 1 : 0;
	_exit(passing_send(to_client, &message, 0) < 0 ? 1 : EXIT_VISITED);
}

/* ---- the client ---- */

static int receive(int socket, struct answer *answer)
{
	int fd = -EBADF;
	const struct passing message = {.bytes = answer,
					.size = sizeof(*answer),
					.fds = &fd,
					.n = 1};
	int n = passing_receive(socket, &message);

	if (n < 0)
		return n;
	answer->found.fd = fd;
	return (answer->result == 0) == (n == 1) ? 0 : -EPROTO;
}

int visit_sandbox(const struct run_target *target, const struct visit_request *request,
		  struct visit_found *ret, struct err *err)
{
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	struct answer answer;
	siginfo_t info;
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, ERR_SETUP, errno, "socket pair");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork the visitor");
	if (pid == 0)
		visitor(target, request, theirs);
	close_fd(&theirs);
	r = receive(ours, &answer);
	if (sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL) < 0 && r == 0)
		r = -ECHILD;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "look into the sandbox");
	if (answer.result < 0) {
		*err = answer.err;
		return answer.result;
	}
	*ret = answer.found;
	return 0;
}
