/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bombs of what the kernel counts for each user. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "examples/bombs/bombs.h"

static int run_inotify(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++)
		if (inotify_init1(IN_CLOEXEC) < 0)
			return errno;
	return 0;
}

static int run_watches(struct charge *charge)
{
	int watcher = inotify_init1(IN_CLOEXEC);

	if (watcher < 0)
		return errno;
	for (; charge->done < charge->count; charge->done++) {
		char path[64];
		int fd = bomb_make_file(charge, charge->done);

		if (fd < 0)
			return errno;
		/* By its descriptor: the name is the other room's. */
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (inotify_add_watch(watcher, path, IN_MODIFY) < 0) {
			int error = errno;

			close(fd);
			bomb_remove_file(charge, charge->done);
			return error;
		}
		close(fd);
	}
	return 0;
}

static int run_pty(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++)
		if (posix_openpt(O_RDWR | O_NOCTTY) < 0)
			return errno;
	return 0;
}

static int run_timers(struct charge *charge)
{
	/* Each has its signal allocated with it: timer_create(2). */
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};

	for (; charge->done < charge->count; charge->done++) {
		timer_t timer;

		if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
			return errno;
	}
	return 0;
}

static int run_signals(struct charge *charge)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (; charge->done < charge->count; charge->done++)
		if (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) != 0)
			return errno;
	return 0;
}

static int run_mqueues(struct charge *charge)
{
	struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 1024};

	for (; charge->done < charge->count; charge->done++) {
		char name[64];
		mqd_t queue;

		snprintf(name, sizeof(name), "/bomb-%d-%lu", getpid(), charge->done);
		queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attr);
		if (queue < 0)
			return errno;
		/* It stays until it is closed, and no name is left behind. */
		mq_unlink(name);
	}
	return 0;
}

static int run_keys(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		char name[64];

		snprintf(name, sizeof(name), "bomb-%lu", charge->done);
		if (syscall(SYS_add_key, "user", name, "x", 1, KEY_SPEC_PROCESS_KEYRING) < 0)
			return errno;
	}
	return 0;
}

/* Descriptors in messages that nobody receives are no process's any more: they are counted for the
 * user, against the sender's limit of open files (unix(7), ETOOMANYREFS). */
static int run_inflight(struct charge *charge)
{
	int pair[2] = {-1, -1};
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

	while (charge->done < charge->count) {
		if (pair[0] >= 0 && sendmsg(pair[0], &message, MSG_DONTWAIT) >= 0) {
			charge->done++;
			continue;
		}
		if (pair[0] >= 0 && errno != EAGAIN)
			return errno;
		/* This one's buffer is full: the next. */
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
			return errno;
		memcpy(CMSG_DATA(&control.header), &pair[0], sizeof(int));
	}
	return 0;
}

const struct bomb bombs_of_kernel[] = {
	{"inotify", "instances", 100, 128, run_inotify, "inotify instances",
	 "cordon, at 32: EMFILE", NULL, NULL},
	{"watches", "watches", 20000, 20000, run_watches, "inotify watches",
	 "cordon, at 16384: ENOSPC", "/tmp", bomb_remove_files},
	{"pty", "terminals", 100, 200, run_pty, "pseudo terminals", "cordon, at 64: ENOSPC", NULL,
	 NULL},
	{"timers", "timers", 5000, 20000, run_timers, "timers", "ulimits.sigpending: EAGAIN", NULL,
	 NULL},
	{"signals", "signals", 5000, 20000, run_signals, "signals that wait",
	 "ulimits.sigpending: EAGAIN", NULL, NULL},
	{"mqueues", "queues", 100, 200, run_mqueues, "POSIX message queues",
	 "ulimits.msgqueue: EMFILE", NULL, NULL},
	{"keys", "keys", 150, 400, run_keys, "keys of the user", "the filter: EPERM", NULL, NULL},
	{"inflight", "files", 2000, 4000, run_inflight, "descriptors in messages",
	 "ulimits.nofile: ETOOMANYREFS", NULL, NULL},
	{.name = NULL},
};
