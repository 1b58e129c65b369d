/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Named sync points and error frames; see sync.h. */
#include "base/sync.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

struct frame {
	enum sync_point point;
	union {
		struct err err;
		int number;
	};
};
_Static_assert(sizeof(struct frame) <= PIPE_BUF, "an error must reach the keeper in one write");

struct number_frame {
	enum sync_point point;
	int number;
};
_Static_assert(offsetof(struct frame, number) == offsetof(struct number_frame, number),
	       "one is read as the other");

enum { SHORT_FRAME = sizeof(enum sync_point), NUMBER_FRAME = sizeof(struct number_frame) };

static bool has_number(enum sync_point point)
{
	return point == SYNC_LISTENER || point == SYNC_FORKED;
}

int sync_pair(int ret_fds[2])
{
	int on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) != 0)
		return -errno;
	/* The keeper learns the workload's pid from the kernel, not from what the child claims:
	 * unix(7). */
	if (setsockopt(ret_fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0)
		return -errno;
	return 0;
}

int sync_send(int fd, enum sync_point point)
{
	ssize_t n;

	do
		n = send(fd, &point, sizeof(point), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

union fd_control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int sync_send_with_fd(int fd, enum sync_point point, int passed)
{
	union fd_control control = {0};
	struct iovec iov = {.iov_base = &point, .iov_len = sizeof(point)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(passed));
	memcpy(CMSG_DATA(c), &passed, sizeof(passed));
	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void frame_fill(struct frame *frame, const struct err *err)
{
	memset(frame, 0, sizeof(*frame));
	frame->point = SYNC_ERROR;
	frame->err = *err;
}

int sync_send_error(int fd, const struct err *err)
{
	struct frame frame;
	ssize_t n;

	frame_fill(&frame, err);
	do
		n = send(fd, &frame, sizeof(frame), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int sync_write(int fd, enum sync_point point)
{
	return write(fd, &point, sizeof(point)) < 0 ? -errno : 0;
}

int sync_write_number(int fd, enum sync_point point, int number)
{
	struct number_frame frame = {.point = point, .number = number};

	return write(fd, &frame, sizeof(frame)) < 0 ? -errno : 0;
}

int sync_gate_make(void)
{
	uint64_t full = UINT64_MAX - 1;
	_cleanup_fd_ int gate = eventfd(0, EFD_CLOEXEC);

	if (gate < 0 || write(gate, &full, sizeof(full)) != sizeof(full))
		return -errno;
	return steal_fd(&gate);
}

int sync_gate_wait(int gate)
{
	uint64_t one = 1;
	ssize_t n;

	do
		n = write(gate, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int sync_gate_open(int gate)
{
	uint64_t count;

	return read(gate, &count, sizeof(count)) < 0 ? -errno : 0;
}

int sync_write_error(int fd, const struct err *err)
{
	struct frame frame;

	frame_fill(&frame, err);
	return write(fd, &frame, sizeof(frame)) < 0 ? -errno : 0;
}

/* The pid in a SCM_CREDENTIALS control message, 0 where there is none. */
static pid_t sender_of(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		struct ucred credentials;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
		return credentials.pid;
	}
	return 0;
}

/* Both ends are our own code, but what arrives is checked all the same: the keeper may be
 * privileged. */
static int check_frame(struct frame *frame, size_t size)
{
	if (size == SHORT_FRAME && frame->point > SYNC_ERROR &&
	    frame->point <= SYNC_FAULT_KILL_INIT && !has_number(frame->point))
		return 0;
	if (size == NUMBER_FRAME && has_number(frame->point) && frame->number >= 0)
		return 0;
	if (size != sizeof(*frame) || frame->point != SYNC_ERROR || frame->err.kind <= ERR_NONE ||
	    frame->err.kind > ERR_BUG)
		return -EPROTO;
	frame->err.step[sizeof(frame->err.step) - 1] = '\0';
	frame->err.text[sizeof(frame->err.text) - 1] = '\0';
	frame->err.hint[sizeof(frame->err.hint) - 1] = '\0';
	return 0;
}

/* The descriptor in a SCM_RIGHTS control message, -EBADF for none. Of several none is kept: padding
 * can make room for a second one. */
static int fd_of(struct msghdr *msg)
{
	int fd = -EBADF;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int one;

			memcpy(&one, CMSG_DATA(c) + at, sizeof(one));
			if (fd == -EBADF) {
				fd = one;
				continue;
			}
			close(one);
			if (fd >= 0)
				close(fd);
			fd = -EPROTO;
		}
	}
	return fd;
}

/* Room for what comes beside a message. */
struct control {
	void *buf;
	size_t size;
};

/* Takes a message, and the descriptor that control has room for. */
static int receive(int fd, struct control control, struct sync_message *ret, int *ret_fd)
{
	struct frame frame = {.point = SYNC_EOF};
	struct iovec iov = {.iov_base = &frame, .iov_len = sizeof(frame)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = control.size};
	int passed;
	ssize_t n;
	int r;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	/* A peer that died with our message unread resets the connection: it is gone, too. An empty
	 * message is none of ours and no end of file: only it has a sender. */
	if ((n == 0 && sender_of(&msg) == 0) || (n < 0 && errno == ECONNRESET)) {
		memset(ret, 0, sizeof(*ret));
		*ret_fd = -EBADF;
		return 0;
	}
	if (n < 0)
		return -errno;
	passed = fd_of(&msg);
	/* Longer than a frame, or with more beside it than there is room for: recvmsg(2) cuts
	 * either. */
	r = (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || passed == -EPROTO
		    ? -EPROTO
		    : check_frame(&frame, (size_t)n);
	if (r < 0) {
		if (passed >= 0)
			close(passed);
		return r;
	}
	*ret = (struct sync_message){.point = frame.point, .sender = sender_of(&msg)};
	if (frame.point == SYNC_ERROR)
		ret->err = frame.err;
	if (has_number(frame.point))
		ret->number = frame.number;
	*ret_fd = passed;
	return 0;
}

int sync_receive(int fd, struct sync_message *ret)
{
	/* Without room for a descriptor: one that comes all the same is cut off. */
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	int unwanted = -EBADF;
	int r = receive(fd, (struct control){&control, sizeof(control)}, ret, &unwanted);

	if (r == 0 && unwanted >= 0) {
		close(unwanted);
		return -EPROTO;
	}
	return r;
}

int sync_receive_with_fd(int fd, struct sync_message *ret, int *ret_fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;

	return receive(fd, (struct control){&control, sizeof(control)}, ret, ret_fd);
}

enum sync_last sync_take_error(int fd, struct err *ret)
{
	struct pollfd waiting = {.fd = fd, .events = POLLIN};
	struct sync_message message = {.point = SYNC_EOF};
	int brought = -EBADF;

	/* It may stand behind what was said before, which nobody will want any more. */
	while (poll(&waiting, 1, 0) == 1) {
		if (sync_receive_with_fd(fd, &message, &brought) < 0)
			return SYNC_LAST_NONE;
		close_fd(&brought);
		if (message.point == SYNC_EOF)
			return SYNC_LAST_EOF;
		if (message.point != SYNC_ERROR)
			continue;
		*ret = message.err;
		return SYNC_LAST_ERROR;
	}
	return SYNC_LAST_NONE;
}

const char *sync_point_name(enum sync_point point)
{
	switch (point) {
	case SYNC_EOF:
		return "end of file";
	case SYNC_ERROR:
		return "error";
	case SYNC_MAPPED:
		return "mapped";
	case SYNC_TERMINAL:
		return "terminal";
	case SYNC_STORE:
		return "store";
	case SYNC_READY:
		return "ready";
	case SYNC_FORKED:
		return "SYNC_FORKED";
	case SYNC_LISTENER:
		return "listener";
	case SYNC_EXEC:
		return "exec";
	case SYNC_FAULT_KILL_KEEPER:
		return "fault: kill the keeper";
	case SYNC_FAULT_KILL_INIT:
		return "fault: kill init";
	}
	return "unknown";
}
