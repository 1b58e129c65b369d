/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See grow.h. Runs in commands, as the caller; the child has the ids of the sandbox's root. Source:
 * fspick(2), tmpfs(5): what it may take can change while it is mounted. */
#include "launcher/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/cordon.h"

static int read_size(const struct run_target *target, uint64_t *ret, struct err *err)
{
	struct statfs fs;

	if (target->upper_fd >= 0 && fstatfs(target->upper_fd, &fs) != 0)
		return err_set(err, ERR_SETUP, errno, "its root");
	if (target->upper_fd < 0 || fs.f_type != TMPFS_MAGIC) {
		err_set(err, ERR_USAGE, 0, "its root does not grow while it runs");
		return err_hint(err, "Stop it first: cordon stop. Memory that an image's root, or "
				     "dir:PATH's, is written to can grow at once.");
	}
	*ret = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize;
	return 0;
}

int grow_check(const struct run_target *target, uint64_t size_bytes, struct err *err)
{
	uint64_t now = 0;
	int r = read_size(target, &now, err);

	if (r < 0 || now <= size_bytes)
		return r;
	err_set(err, ERR_USAGE, 0, "its root may take %llu bytes, and gets no less while it runs",
		(unsigned long long)now);
	return err_hint(err, "Stop it first: cordon stop.");
}

static int reconfigure(int mount_fd, uint64_t size_bytes, struct err *err)
{
	_cleanup_fd_ int fs = sys_fspick(mount_fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	char text[24];
	int r = fs < 0 ? fs : 0;

	str_format(text, sizeof(text), "%llu", (unsigned long long)size_bytes);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "size", text, 0);
	if (r == 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "give its root more room") : 0;
}

/* It says what went wrong, or nothing. */
static _Noreturn void child(const struct run_target *target, uint64_t size_bytes, int to_client)
{
	struct err err = {0};
	int r = visit_enter(target, &err);

	if (r == 0)
		r = reconfigure(target->upper_fd, size_bytes, &err);
	_exit(io_write_all(to_client, (const char *)&err, sizeof(err)) < 0 || r < 0);
}

static int run_child(const struct run_target *target, uint64_t size_bytes, struct err *err)
{
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	siginfo_t info;
	struct err said;
	ssize_t n;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(err, ERR_SETUP, errno, "a pipe");
	ours = ends[0];
	theirs = ends[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SETUP, errno, "fork");
	if (pid == 0)
		child(target, size_bytes, theirs);
	close_fd(&theirs);
	/* One write of less than PIPE_BUF. */
	n = read(ours, &said, sizeof(said));
	if (sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL) < 0 || n != (ssize_t)sizeof(said))
		return err_set(err, ERR_SETUP, ECHILD, "give its root more room");
	if (said.kind == ERR_NONE)
		return 0;
	*err = said;
	return said.sys_errno > 0 ? -said.sys_errno : -EINVAL;
}

int grow_root(const struct run_target *target, uint64_t size_bytes, struct err *err)
{
	uint64_t now = 0;
	int r = run_child(target, size_bytes, err);

	if (r == 0)
		r = read_size(target, &now, err);
	/* It is rounded up to whole pages. */
	if (r == 0 && (now < size_bytes || now - size_bytes >= (uint64_t)sysconf(_SC_PAGESIZE)))
		r = err_set(err, ERR_SETUP, 0, "its root reads back as %llu bytes",
			    (unsigned long long)now);
	return r;
}
