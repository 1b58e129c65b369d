/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the hostile program is told to go after, and the list of what it can try. */
#ifndef HOSTILE_PLAN_H
#define HOSTILE_PLAN_H

#include <stddef.h>

struct plan {
	const char *secret; /* a file that the user planted */
	const char *home;   /* the user's home directory */
	const char *token;  /* name of an environment variable with a secret in it */
	const char *name;   /* argv[0] of the decoy; also its abstract socket's name */
	int fd;             /* an open secret that was left for children to inherit */
	int pid;            /* the decoy process */
	int port;           /* where it listens on 127.0.0.1 */
	int shm;            /* its System V shared memory segment */
};

/* What came of one attempt. Written by the attempt's own process, at most PIPE_BUF. */
struct outcome {
	int error; /* 0: it worked; OUTCOME_*, or an errno */
	char detail[160];
};

/* Not errno values: the call went through, but nothing was won. */
enum { OUTCOME_UNCHANGED = -1 };

/*
 * Each attempt runs in a process of its own, so none can spoil the next. It returns 0 where it
 * worked, an errno, or OUTCOME_UNCHANGED, may say more in detail (size bytes), and does no harm
 * where it works.
 */
struct attempt {
	const char *name;
	int (*run)(const struct plan *plan, char *detail, size_t size);
};

/* Both end with an entry whose name is NULL. */
extern const struct attempt attempts_on_user[];
extern const struct attempt attempts_on_kernel[];

#endif
