/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Helpers of the keeper that can do nothing else: programs without libc (bare_confine.h), executed
 * from a sealed memfd of mode 0111 in a session of their own, as root under the id of the sandbox's
 * init. Internal to launcher/.
 */
#ifndef CORDON_LAUNCHER_CONFINED_H
#define CORDON_LAUNCHER_CONFINED_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct launch;

enum { CONFINED_FDS_MAX = 128, CONFINED_ARGS_MAX = 3 };

struct confined_image {
	const char *name;
	const char *bytes;
	size_t size;
	const char *what;                    /* in messages: "the terminal's relay" */
	const char *args[CONFINED_ARGS_MAX]; /* behind its name; NULL: no more */
	/* What it is started with, as 0 and up; behind them stands its end of the control socket.
	 */
	int fds[CONFINED_FDS_MAX];
	size_t n_fds;
};

/* One that runs. Its messages are ints over a SOCK_SEQPACKET socket. */
struct confined {
	pid_t pid;
	int pidfd;
	int control_fd;
};

/* For its command line: 2 * n digits, no NUL behind them. */
void confined_put_hex(const uint8_t *bytes, size_t n, char *to);

/* Runs in: keeper. Returns 0, or -errno with err filled. */
int must_check confined_start(const struct launch *launch, const struct confined_image *image,
			      struct confined *ret, struct err *err);

/* Reads its ids, capabilities, no_new_privs and filter from the kernel. pid 0: there is none. */
int must_check confined_verify(const struct launch *launch, pid_t pid, const char *what,
			       struct err *err);

/* Returns its message, 0 where it is gone, or -errno (-EAGAIN: none came in time). */
int must_check confined_receive(int control_fd, int timeout_ms);

/* Returns 0, or -EPIPE: one that does not read is as good as dead. */
int must_check confined_say(int control_fd, int message);

/* Waits for its end, kills it when that does not come in time, reaps it and closes pidfd. Returns
 * its exit code, or -ECHILD where it ended in another way. */
int must_check confined_end(int *pidfd, int timeout_ms);

#endif
