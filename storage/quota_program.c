/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs of e2fsprogs; see quota.h. Runs in the keeper. mke2fs, which reads nothing of anybody's,
 * has the keeper's user; e2fsck reads what a workload had the kernel write, and has an id of the
 * sandbox's. Neither has a capability, or more than one descriptor of a file. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota.h"

/* The tables of the largest file systems are gigabytes. */
enum { PATIENCE_MS = 120000, ABOVE = 16 };

const char *quota_program_path(const char *name)
{
	static const struct {
		const char *name, *path;
	} programs[] = {
		{"mke2fs", "/usr/sbin/mke2fs"},       {"mke2fs", "/sbin/mke2fs"},
		{"e2fsck", "/usr/sbin/e2fsck"},       {"e2fsck", "/sbin/e2fsck"},
		{"resize2fs", "/usr/sbin/resize2fs"}, {"resize2fs", "/sbin/resize2fs"},
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (str_equal(programs[i].name, name) && access(programs[i].path, X_OK) == 0)
			return programs[i].path;
	return NULL;
}

struct who {
	uint32_t id;
	pid_t parent;
};

/* Nothing here is undone: the process ends. */
static int confine(uint32_t id, pid_t parent)
{
	const struct rlimit no_core = {1, 1}; /* core(5): 1 keeps a handler away as well */
	const struct sys_caps none = {0};
	sigset_t empty;

	sigemptyset(&empty);
	if (id != 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0))
		return -errno;
	/* prctl(2): a change of ids clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
	    setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    sigprocmask(SIG_SETMASK, &empty, NULL) != 0 || chdir("/") != 0)
		return -EPERM;
	umask(077);
	/* With no_new_privs the exec of user 0 brings none back: capabilities(7). */
	return sys_capset(&none);
}

static _Noreturn void execute(const char *const argv[], int file, int output, const struct who *who)
{
	/* Its configuration is in its arguments. */
	static const char *const envp[] = {"MKE2FS_CONFIG=/dev/null", "E2FSCK_CONFIG=/dev/null",
					   "PATH=/usr/sbin:/sbin", "LC_ALL=C", NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int in = fcntl(null, F_DUPFD, ABOVE), out = fcntl(output, F_DUPFD, ABOVE);
	int theirs = fcntl(file, F_DUPFD, ABOVE);

	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
	    dup2(theirs, QUOTA_FILE_FD) < 0 || sys_close_range(QUOTA_FILE_FD + 1, ~0U, 0) < 0 ||
	    confine(who->id, who->parent) < 0)
		_exit(126);
	execve(argv[0], (char *const *)argv, (char *const *)envp);
	_exit(127);
}

/* Keeps the last line that is not empty. */
static void keep_line(const char *bytes, size_t n, char *line, size_t *len, char *said)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (*len + 1 < QUOTA_SAID_MAX)
				line[(*len)++] = bytes[i];
			continue;
		}
		line[*len] = '\0';
		if (*len > 0)
			str_format(said, QUOTA_SAID_MAX, "%s", line);
		*len = 0;
	}
}

/* Until it closes its end or the time is over. */
static int read_said(int fd, char *said)
{
	int64_t until = sys_monotonic_ms() + PATIENCE_MS;
	char bytes[512], line[QUOTA_SAID_MAX];
	size_t len = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int64_t left = until - sys_monotonic_ms();
		ssize_t n;

		if (left <= 0 || poll(&ready, 1, (int)left) == 0)
			return -ETIMEDOUT;
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		keep_line(bytes, n > 0 ? (size_t)n : 0, line, &len, said);
	}
	keep_line("\n", 1, line, &len, said);
	said[str_make_harmless(said, strlen(said))] = '\0';
	return 0;
}

int quota_program_run(const char *const argv[], int file, uint32_t id, char said[QUOTA_SAID_MAX])
{
	_cleanup_fd_ int ours = -EBADF, theirs = -EBADF;
	siginfo_t info = {0};
	const struct who who = {.id = id, .parent = getpid()};
	pid_t pid;
	int ends[2];
	int r, waited;

	said[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	pid = fork();
	if (pid == 0)
		execute(argv, file, theirs, &who);
	if (pid < 0)
		return -errno;
	close_fd(&theirs);
	r = read_said(ours, said);
	if (r < 0)
		kill(pid, SIGKILL);
	do
		waited = sys_waitid(P_PID, (id_t)pid, &info, WEXITED, NULL);
	while (waited == -EINTR);
	if (r == 0)
		r = waited;
	if (r < 0)
		return r;
	return info.si_code == CLD_EXITED ? info.si_status : -ECHILD;
}
