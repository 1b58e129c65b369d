/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hostile program's attempts on the kernel: devices, mounts, modules, privileges. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/kexec.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/hostile/plan.h"

static int open_socket(int family, int type, int protocol)
{
	return socket(family, type | SOCK_CLOEXEC, protocol) >= 0 ? 0 : errno;
}

static int socket_packet(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	snprintf(detail, size, "AF_PACKET");
	return open_socket(AF_PACKET, SOCK_RAW, 0);
}

static int socket_raw(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	snprintf(detail, size, "AF_INET, SOCK_RAW");
	return open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int socket_vsock(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	snprintf(detail, size, "AF_VSOCK");
	return open_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int socket_alg(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	snprintf(detail, size, "AF_ALG");
	return open_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static int make_scratch(char *path, size_t size)
{
	snprintf(path, size, "/tmp/hostile.XXXXXX");
	return mkdtemp(path) != NULL ? 0 : errno;
}

/* In a mount namespace that ends with this process; without the right to one, it undoes. */
static int mount_tmpfs(const struct plan *plan, char *detail, size_t size)
{
	char dir[32];
	int own, result = make_scratch(dir, sizeof(dir));

	(void)plan;
	if (result != 0)
		return result;
	own = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	if (mount("hostile", dir, "tmpfs", MS_NOSUID, "size=4k") != 0)
		result = errno;
	else
		umount2(dir, MNT_DETACH);
	rmdir(dir);
	snprintf(detail, size, "tmpfs%s", own ? " in its own namespace" : "");
	return result;
}

static int make_device(const struct plan *plan, char *detail, size_t size)
{
	char dir[32], path[48];
	int result = make_scratch(dir, sizeof(dir));

	(void)plan;
	if (result != 0)
		return result;
	snprintf(path, sizeof(path), "%s/null", dir);
	if (mknod(path, S_IFCHR | 0600, makedev(1, 3)) != 0)
		result = errno;
	unlink(path);
	rmdir(dir);
	snprintf(detail, size, "character device 1:3");
	return result;
}

/* Four bytes are no module, but who may not load one is told so before they are looked at. */
static int load_module(const struct plan *plan, char *detail, size_t size)
{
	int fd = memfd_create("module", MFD_CLOEXEC);

	(void)plan;
	if (fd < 0 || write(fd, "none", 4) != 4)
		return errno;
	if (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != ENOEXEC && errno != EINVAL)
		return errno;
	snprintf(detail, size, "the loader looked at it");
	return 0;
}

/* More segments than there can be: refused, but only after the question of privileges. Fewer
 * could unload what is loaded (kexec_load(2)). */
static int load_kernel(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	if (syscall(SYS_kexec_load, 0, KEXEC_SEGMENT_MAX + 1, NULL, KEXEC_ARCH_DEFAULT) != 0 &&
	    errno != EINVAL)
		return errno;
	snprintf(detail, size, "the request was looked at");
	return 0;
}

static int write_sysctl(const struct plan *plan, char *detail, size_t size)
{
	static const char path[] = "/proc/sys/kernel/core_pattern";
	char value[256];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t n;

	(void)plan;
	if (fd < 0)
		return errno;
	n = pread(fd, value, sizeof(value), 0);
	if (n <= 0 || pwrite(fd, value, (size_t)n, 0) != n)
		return errno;
	snprintf(detail, size, "core_pattern written back");
	return 0;
}

static int new_user_namespace(const struct plan *plan, char *detail, size_t size)
{
	(void)plan;
	snprintf(detail, size, "unshare(CLONE_NEWUSER)");
	return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

static int setup_io_uring(const struct plan *plan, char *detail, size_t size)
{
	struct io_uring_params params = {0};

	(void)plan;
	snprintf(detail, size, "a ring of one entry");
	return syscall(SYS_io_uring_setup, 1, &params) >= 0 ? 0 : errno;
}

static int make_bpf_map(const struct plan *plan, char *detail, size_t size)
{
	union bpf_attr attr;

	(void)plan;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	snprintf(detail, size, "BPF_MAP_CREATE");
	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) >= 0 ? 0 : errno;
}

static int open_perf_event(const struct plan *plan, char *detail, size_t size)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = 1,
	};

	(void)plan;
	snprintf(detail, size, "a clock of its own");
	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) >= 0 ? 0 : errno;
}

/* ---- the setuid file ---- */

static const char *find_setuid_program(void)
{
	static const char *const candidates[] = {"/usr/bin/mount", "/usr/bin/su", "/usr/bin/passwd",
						 "/usr/bin/chsh", "/usr/bin/gpasswd"};
	struct stat st;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
		if (stat(candidates[i], &st) == 0 && (st.st_mode & S_ISUID) != 0)
			return candidates[i];
	return NULL;
}

/* Executes the program with a full pipe as its output, so that it waits in write(2) to be looked
 * at. `--help` is all it would say. */
static void exec_blocked(const char *program)
{
	static const char filling[4096];
	int out[2];

	if (pipe(out) != 0 || fcntl(out[1], F_SETFL, O_NONBLOCK) != 0)
		_exit(126);
	while (write(out[1], filling, sizeof(filling)) > 0)
		;
	/* root has nothing to gain: be somebody else first, where that is allowed. */
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		_exit(126);
	if (fcntl(out[1], F_SETFL, 0) != 0 || dup2(out[1], STDOUT_FILENO) < 0)
		_exit(126);
	execl(program, program, "--help", (char *)NULL);
	_exit(126);
}

/* What stands behind "KEY:" and white space in a line of /proc/PID/status; NULL for other lines. */
static const char *status_value(const char *line, const char *key)
{
	size_t len = strlen(key);

	if (strncmp(line, key, len) != 0 || line[len] != ':')
		return NULL;
	return line + len + 1 + strspn(line + len + 1, "\t ");
}

/* The state letter, effective uid and no_new_privs flag of a process. */
static int read_status(pid_t pid, char *state, unsigned long *euid, unsigned long *no_new_privs)
{
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *value = status_value(line, "State");
		char *end;

		if (value != NULL)
			*state = *value;
		value = status_value(line, "Uid"); /* real, effective, saved, file system */
		if (value != NULL) {
			strtoul(value, &end, 10);
			*euid = strtoul(end, NULL, 10);
		}
		value = status_value(line, "NoNewPrivs");
		if (value != NULL)
			*no_new_privs = strtoul(value, NULL, 10);
	}
	fclose(file);
	return 0;
}

static int wait_until_blocked(pid_t pid, unsigned long *euid, unsigned long *no_new_privs)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	int asleep = 0;

	/* Asleep four times in a row: it is not starting up any more. */
	for (int i = 0; i < 400 && asleep < 4; i++) {
		char state = '?';

		if (read_status(pid, &state, euid, no_new_privs) != 0 || state == 'Z')
			return -1;
		asleep = state == 'S' ? asleep + 1 : 0;
		nanosleep(&pause, NULL);
	}
	return asleep == 4 ? 0 : -1;
}

static int gain_by_setuid(const struct plan *plan, char *detail, size_t size)
{
	const char *program = find_setuid_program();
	unsigned long euid = 65534, no_new_privs = 0;
	int status, blocked;
	pid_t pid;

	(void)plan;
	if (program == NULL)
		return ENOENT;
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0)
		exec_blocked(program);
	blocked = wait_until_blocked(pid, &euid, &no_new_privs);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (blocked != 0)
		return ECHILD;
	snprintf(detail, size, "uid %lu by %s%s", euid, program,
		 no_new_privs == 1 ? ", no_new_privs" : "");
	return euid == 0 ? 0 : OUTCOME_UNCHANGED;
}

const struct attempt attempts_on_kernel[] = {
	{"packet", socket_packet},
	{"raw", socket_raw},
	{"vsock", socket_vsock},
	{"af-alg", socket_alg},
	{"mount", mount_tmpfs},
	{"mknod", make_device},
	{"module", load_module},
	{"sysctl", write_sysctl},
	{"setuid-file", gain_by_setuid},
	{"user-namespace", new_user_namespace},
	{"io-uring", setup_io_uring},
	{"bpf", make_bpf_map},
	{"perf-event", open_perf_event},
	{"kexec", load_kernel},
	{NULL, NULL},
};
