/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The conversation of keeper and child: named points and error frames over one socketpair of type
 * SOCK_SEQPACKET, so that a message is whole or not there. End-of-file without a frame means that
 * every copy of the child's end is closed; after SYNC_EXEC that is "exec happened", for both ends
 * are CLOEXEC.
 */
#ifndef CORDON_BASE_SYNC_H
#define CORDON_BASE_SYNC_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum sync_point {
	SYNC_EOF,      /* never sent: the peer is gone */
	SYNC_ERROR,    /* child: a row failed, the err follows in the same message */
	SYNC_MAPPED,   /* keeper: the id maps are written */
	SYNC_TERMINAL, /* setup process: the master of the sandbox's pty comes with it */
	SYNC_STORE, /* setup process: an O_PATH descriptor of a tmpfs of the sandbox comes with it
		     */
	SYNC_READY, /* workload process: all rows before seccomp are applied; read me back */
	SYNC_LISTENER, /* workload process: the filter is loaded; the number of its listener */
	SYNC_FORKED,   /* where a sandbox is entered: the pid of the workload's process */
	SYNC_EXEC,     /* workload process: read back, the filter is loaded, about to execute */
	SYNC_FAULT_KILL_KEEPER, /* test builds: keeper, die here */
	SYNC_FAULT_KILL_INIT,   /* test builds: kill the sandbox's init now */
};

struct sync_message {
	enum sync_point point;
	pid_t sender;   /* received: the sender's pid as the kernel vouches for it, in our pid
			   namespace */
	int number;     /* SYNC_LISTENER and SYNC_FORKED only */
	struct err err; /* SYNC_ERROR only */
};

/* ret_fds[0] is the keeper's end, ret_fds[1] the child's. Returns 0 or -errno. */
int must_check sync_pair(int ret_fds[2]);

/* Returns 0 or -errno (-EPIPE: the peer is gone; never raises SIGPIPE). */
int must_check sync_send(int fd, enum sync_point point);
int must_check sync_send_error(int fd, const struct err *err);

/* As above, by write(2) alone: for what is said under the workload's own filter. */
int must_check sync_write(int fd, enum sync_point point);
int must_check sync_write_error(int fd, const struct err *err);
int must_check sync_write_number(int fd, enum sync_point point, int number);

/* Sends a point together with one descriptor, by SCM_RIGHTS: unix(7). */
int must_check sync_send_with_fd(int fd, enum sync_point point, int passed);

/*
 * A gate: the child waits at it under the workload's own filter, in which write(2) may be all that
 * is left. An eventfd(2) that is full: writing to it waits until somebody has read it.
 * sync_gate_make returns the descriptor (CLOEXEC), the others 0, or -errno. Whoever waits is not
 * woken by the other side's death: the keeper's death kills it by another way.
 */
int must_check sync_gate_make(void);
int must_check sync_gate_wait(int gate);
int must_check sync_gate_open(int gate);

/* Waits for one message. A message with a descriptor is none. Returns 0, with point SYNC_EOF at
 * end-of-file, or -errno (-EPROTO: not one of ours). */
int must_check sync_receive(int fd, struct sync_message *ret);

/* As sync_receive, and takes the one descriptor that a message may bring: *ret_fd is the caller's,
 * CLOEXEC, or -EBADF where none came. More than one is -EPROTO, and nothing of it stays open. */
int must_check sync_receive_with_fd(int fd, struct sync_message *ret, int *ret_fd);

/* What the other side has said last, at the keeper's end; does not wait. What came before an error
 * is thrown away. *ret is written with SYNC_LAST_ERROR alone. */
enum sync_last { SYNC_LAST_NONE, SYNC_LAST_ERROR, SYNC_LAST_EOF };
enum sync_last sync_take_error(int fd, struct err *ret);

const char *sync_point_name(enum sync_point point);

#endif
