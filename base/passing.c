/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See passing.h. */
#include "base/passing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(PASSING_MAX * sizeof(int))];
	struct cmsghdr align;
};

int passing_send(int socket, const struct passing *what, int flags)
{
	union control control = {0};
	struct iovec iov = {.iov_base = what->bytes, .iov_len = what->size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (what->n > PASSING_MAX)
		return -EINVAL;
	if (what->n > 0) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = c;
		msg.msg_controllen = CMSG_SPACE(what->n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(what->n * sizeof(int));
		memcpy(CMSG_DATA(c), what->fds, what->n * sizeof(int));
	}
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL | flags);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* How many came in a message, their numbers in fds. */
static size_t take(struct msghdr *msg, int fds[PASSING_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = 0; n < PASSING_MAX && CMSG_LEN(at + sizeof(int)) <= c->cmsg_len;
		     at += sizeof(int))
			memcpy(&fds[n++], CMSG_DATA(c) + at, sizeof(int));
	}
	return n;
}

int passing_receive(int socket, const struct passing *what)
{
	union control control = {0};
	struct iovec iov = {.iov_base = what->bytes, .iov_len = what->size};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	int fds[PASSING_MAX];
	ssize_t size;
	size_t n;

	do
		size = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (size < 0 && errno == EINTR);
	if (size <= 0)
		return size < 0 ? -errno : -EPIPE;
	n = take(&msg, fds);
	if ((size_t)size == what->size && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	    (n == 0 || n == what->n)) {
		memcpy(what->fds, fds, n * sizeof(int));
		return (int)n;
	}
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	return -EPROTO;
}
