/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The witness: one who lives on the host while a bomb goes off, and wants what any program wants.
 * Ten times a second (less often where that would take more than a fifth of its processor), and
 * whenever it reads a line, it forks, uses 64 MiB, writes a file, and takes one of each thing that
 * the kernel counts for a user, and gives all of it back.
 *
 *	witness DIR
 *
 * Answers each line of standard input with one of its own: "ok" where nothing has failed since the
 * last one, else what did: "fork EAGAIN, file ENOSPC". Ends with its input.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of what the kernel gives back late, also from those who have just ended, one alone would tell
 * nothing. */
enum { SEVERAL = 8 };

enum {
	PAUSE_MS = 100,
	MEMORY = 64 << 20,
	PAGE = 4096,
	FILE_BYTES = 1 << 20,
	PIPE_BYTES = 1 << 16,
};

static int try_fork(const char *dir)
{
	int status = 0;
	pid_t pid = fork();

	(void)dir;
	if (pid == 0)
		_exit(7);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : ECHILD;
}

static int try_memory(const char *dir)
{
	char *p = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)dir;
	if (p == MAP_FAILED)
		return errno;
	for (size_t i = 0; i < MEMORY; i += PAGE)
		p[i] = 1;
	munmap(p, MEMORY);
	return 0;
}

static int try_file(const char *dir)
{
	static char bytes[FILE_BYTES];
	char path[PATH_MAX];
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/witness", dir);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, FILE_BYTES) != FILE_BYTES)
		error = errno;
	if (fd >= 0)
		close(fd);
	unlink(path);
	return error;
}

static int try_inotify(const char *dir)
{
	int fds[SEVERAL], n = 0, error = 0;

	for (; error == 0 && n < SEVERAL; n++) {
		fds[n] = inotify_init1(IN_CLOEXEC);
		error = fds[n] < 0 || inotify_add_watch(fds[n], dir, IN_MODIFY) < 0 ? errno : 0;
	}
	while (n-- > 0)
		if (fds[n] >= 0)
			close(fds[n]);
	return error;
}

static int try_terminal(const char *dir)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)dir;
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_timer(const char *dir)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	timer_t timer;

	(void)dir;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		return errno;
	timer_delete(timer);
	return 0;
}

/* A user who has too many gets small ones (pipe(7), pipe-user-pages-soft). */
static int try_pipe(const char *dir)
{
	int fds[2], size;

	(void)dir;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	size = fcntl(fds[1], F_GETPIPE_SZ);
	close(fds[0]);
	close(fds[1]);
	return size < PIPE_BYTES ? ENOBUFS : 0;
}

static int try_passing(const char *dir)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	char byte = 0;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int pair[2], error = 0;

	(void)dir;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0)
		return errno;
	memcpy(CMSG_DATA(&control.header), &pair[0], sizeof(int));
	if (sendmsg(pair[0], &message, MSG_DONTWAIT) < 0)
		error = errno;
	close(pair[0]);
	close(pair[1]);
	return error;
}

static int try_keys(const char *dir)
{
	int error = 0;

	(void)dir;
	for (int i = 0; error == 0 && i < SEVERAL; i++) {
		char name[] = "cordon-witness-0";

		name[sizeof(name) - 2] = (char)('0' + i);
		if (syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_PROCESS_KEYRING) < 0)
			error = errno;
	}
	syscall(SYS_keyctl, KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING);
	return error;
}

static const struct want {
	bool is_late; /* not taken unasked: its room comes back late, and would be the witness's */
	const char *name;
	int (*try)(const char *dir);
} wants[] = {
	{false, "fork", try_fork},         {false, "memory", try_memory},
	{false, "file", try_file},         {true, "inotify", try_inotify},
	{false, "terminal", try_terminal}, {false, "timer", try_timer},
	{false, "pipe", try_pipe},         {false, "passing", try_passing},
	{true, "keys", try_keys},
};

enum { N_WANTS = sizeof(wants) / sizeof(wants[0]) };

static void one_round(const char *dir, bool is_asked, int errors[N_WANTS])
{
	for (size_t i = 0; i < N_WANTS; i++) {
		int error;

		if (!is_asked && wants[i].is_late)
			continue;
		error = wants[i].try(dir);
		if (error != 0)
			errors[i] = error;
	}
}

static void answer(int errors[N_WANTS])
{
	bool is_first = true;

	for (size_t i = 0; i < N_WANTS; i++) {
		const char *name = strerrorname_np(errors[i]);

		if (errors[i] == 0)
			continue;
		printf("%s%s %s", is_first ? "" : ", ", wants[i].name,
		       name == NULL ? "unknown" : name);
		errors[i] = 0;
		is_first = false;
	}
	printf("%s\n", is_first ? "ok" : "");
	fflush(stdout);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A round, and how long to rest after it. */
static int periodic_round(const char *dir, int errors[N_WANTS])
{
	int64_t begin_ms = now_ms(), took_ms;

	one_round(dir, false, errors);
	took_ms = now_ms() - begin_ms;
	return took_ms < PAUSE_MS / 4 ? PAUSE_MS : (int)(took_ms * 4);
}

int main(int argc, char **argv)
{
	int errors[N_WANTS] = {0};

	if (argc != 2) {
		fprintf(stderr, "usage: witness DIR\n");
		return 2;
	}
	for (;;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		char byte = '\0';

		if (poll(&input, 1, periodic_round(argv[1], errors)) == 0)
			continue;
		while (byte != '\n')
			if (read(STDIN_FILENO, &byte, 1) != 1)
				return 0;
		/* Once more: what is asked for is now. */
		one_round(argv[1], true, errors);
		answer(errors);
	}
}
