/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes system calls that are denied, in ways that try whoever lists them.
 *
 *	deny count N		keyctl N times, 0.1 s apart; prints what each is told
 *	deny flood N		N processes that do nothing else, for ever
 *	deny families N		a socket of each family from 0 to N - 1
 *	deny every		each number of a call with zeros, but for the three that are always
 *admitted, and for those of probes, which kill without asking a filter (kernel/seccomp.c) deny
 *listener		makes a listener of its own, has a child call keyctl, and lets the call go
 *on: prints what the child is told, or why there is no listener deny under CMD... runs CMD under a
 *filter that has a listener
 *
 * Exits 0, 42 where `listener` was stopped.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EXIT_STOPPED = 42,
	NUMBERS = 1100,
#ifdef __x86_64__
	URETPROBE = 335,
	UPROBE = 336,
#else
	URETPROBE = -1,
	UPROBE = -1,
#endif
};

static const char *told(long result)
{
	return result >= 0 ? "ok" : strerrorname_np(errno);
}

/* KEYCTL_GET_KEYRING_ID of the session keyring, without making one. */
static long call_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 0);
}

static int count(int n)
{
	for (int i = 0; i < n; i++) {
		if (i > 0)
			usleep(100000);
		puts(told(call_keyctl()));
		fflush(stdout);
	}
	return 0;
}

static _Noreturn void flood(int n)
{
	for (int i = 1; i < n; i++)
		if (fork() == 0)
			break;
	for (;;)
		call_keyctl();
}

static int families(int n)
{
	for (int i = 0; i < n; i++)
		close(socket(i, SOCK_STREAM, 0));
	return 0;
}

static int every(void)
{
	for (int i = 0; i < NUMBERS; i++)
		if (i != SYS_write && i != SYS_execve && i != SYS_exit_group && i != URETPROBE &&
		    i != UPROBE)
			syscall(i, 0, 0, 0, 0, 0, 0);
	return 0;
}

/* A filter that asks about one call, and its listener; or -1. */
static int make_listener(unsigned number)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = filter};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

static int listener(void)
{
	struct seccomp_notif_resp go_on = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	struct seccomp_notif request = {0};
	int fd = make_listener(SYS_keyctl);
	struct pollfd asked = {.fd = fd, .events = POLLIN};
	int status = 0;
	pid_t child;

	if (fd < 0) {
		printf("no listener: %s\n", told(fd));
		return EXIT_STOPPED;
	}
	fflush(stdout);
	child = fork();
	if (child == 0) {
		const char *text = told(call_keyctl());

		puts(text);
		fflush(stdout);
		_exit(strcmp(text, "ok") == 0 ? 0 : EXIT_STOPPED);
	}
	/* Where another filter refuses by itself, nobody asks. */
	while (waitpid(child, &status, WNOHANG) == 0) {
		if (poll(&asked, 1, 20) != 1 || ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
			continue;
		go_on.id = request.id;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &go_on);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* The listener lives as long as the parent. */
static int under(char **argv)
{
	int fd = make_listener(SYS_kexec_load);
	int status = 0;
	pid_t child;

	if (fd < 0)
		return 1;
	child = fork();
	if (child == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;

	if (strcmp(mode, "count") == 0)
		return count(n);
	if (strcmp(mode, "flood") == 0)
		flood(n);
	if (strcmp(mode, "families") == 0)
		return families(n);
	if (strcmp(mode, "every") == 0)
		return every();
	if (strcmp(mode, "listener") == 0)
		return listener();
	if (strcmp(mode, "under") == 0 && argc > 2)
		return under(argv + 2);
	fprintf(stderr, "usage: deny count|flood|families|every|listener|under ...\n");
	return 2;
}
