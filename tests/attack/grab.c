/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waits for each new process of its sandbox and tries to get hold of it before it executes the
 * program that it is for: it is called "cordon" until then.
 *
 *	grab SECONDS [stop]
 *
 * With "stop" each is stopped first, so that there is time. It looks at AHEAD numbers behind the
 * last one that it saw: what comes and goes between two of its looks takes some, too. Ends SECONDS
 * later, or when the file /tmp/enough is there. Prints what it met and what it got:
 *
 *	met N [WAY N]...
 *
 * Exits 0 where any way led anywhere, 42 where none did, 3 where nobody was met.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_STOPPED = 42, EXIT_NOBODY = 3, AHEAD = 64, WAYS = 13 };

static const char *const names[WAYS] = {
	"mem",         "environ", "maps", "auxv", "fd",    "cwd",
	"root",        "ns/mnt",  "exe",  "args", "seize", "process_vm_readv",
	"pidfd_getfd",
};
static long got[WAYS];

/* Dead ones have nothing any more. */
static bool is_before_exec(int pid)
{
	char path[64], text[64] = "", state = 'Z';
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return sscanf(text, "%*d (cordon) %c", &state) == 1 && state != 'Z' && state != 'X';
}

/* True where the file has a byte for whoever asks. */
static bool can_read(int pid, const char *name)
{
	char path[64], byte;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, &byte, 1);
	close(fd);
	return n == 1;
}

static bool can_follow(int pid, const char *name)
{
	char path[64], to[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return readlink(path, to, sizeof(to)) > 0;
}

static bool can_write_memory(int pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool can_list_fds(int pid)
{
	char path[64];
	DIR *dir;
	bool any = false;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		any = any || entry->d_name[0] != '.';
	closedir(dir);
	return any;
}

/* What the client was called with: one byte of it that is none of the zeros. */
static bool can_read_args(int pid)
{
	char path[64], text[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] != '\0')
			return true;
	return false;
}

/* In a process of its own, with which the tracing ends: one that runs cannot be detached from. */
static bool can_seize(int pid, int *ret_last_pid)
{
	int status = 1;
	pid_t child = fork();

	*ret_last_pid = child;

	if (child == 0)
		_exit(ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0);
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Where the program lies that this one is a fork of: any address will do, for what is asked is
 * whether it is refused. */
static bool can_read_memory(int pid)
{
	char byte;
	struct iovec to = {.iov_base = &byte, .iov_len = 1};
	struct iovec from = {.iov_base = (void *)16, .iov_len = 1};

	return process_vm_readv(pid, &to, 1, &from, 1, 0) == 1 || errno == EFAULT;
}

static bool can_take_fd(int pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool taken = false;

	if (pidfd < 0)
		return false;
	for (int fd = 0; fd < 12 && !taken; fd++) {
		int theirs = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

		taken = theirs >= 0;
		if (taken)
			close(theirs);
	}
	close(pidfd);
	return taken;
}

/* One look after the other, each of which counts where it was still the client's memory after it.
 */
static void attack(int pid, int *ret_last_pid)
{
	for (int way = 0; way < WAYS; way++) {
		bool is_in = false;

		switch (way) {
		case 0:
			is_in = can_write_memory(pid);
			break;
		case 4:
			is_in = can_list_fds(pid);
			break;
		case 9:
			is_in = can_read_args(pid);
			break;
		case 10:
			is_in = can_seize(pid, ret_last_pid);
			break;
		case 11:
			is_in = can_read_memory(pid);
			break;
		case 12:
			is_in = can_take_fd(pid);
			break;
		default:
			is_in = way < 4 ? can_read(pid, names[way]) : can_follow(pid, names[way]);
		}
		if (is_in && is_before_exec(pid))
			got[way]++;
	}
}

static int report(long met)
{
	bool any = false;

	printf("met %ld", met);
	for (int way = 0; way < WAYS; way++) {
		if (got[way] > 0)
			printf(" %s %ld", names[way], got[way]);
		any = any || got[way] > 0;
	}
	putchar('\n');
	if (met == 0)
		return EXIT_NOBODY;
	return any ? 0 : EXIT_STOPPED;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 1);
	bool stops = argc > 2 && strcmp(argv[2], "stop") == 0;
	int next = getpid() + 1, last = 0;
	long met = 0;

	puts("waits");
	fflush(stdout);
	while (time(NULL) < end && access("/tmp/enough", F_OK) != 0)
		for (int pid = next; pid < next + AHEAD; pid++) {
			if (kill(pid, stops ? SIGSTOP : 0) != 0 && errno == ESRCH)
				continue;
			if (is_before_exec(pid)) {
				met++;
				/* A little further each time: what it has given up does not
				 * protect it any more. */
				do {
					attack(pid, &last);
					if (stops && kill(pid, SIGCONT) == 0)
						usleep(100);
				} while (is_before_exec(pid) &&
					 kill(pid, stops ? SIGSTOP : 0) == 0);
			}
			if (stops)
				kill(pid, SIGCONT);
			next = (pid > last ? pid : last) + 1;
		}
	return report(met);
}
