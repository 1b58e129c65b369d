/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The conversation with the kernel; see netlink.h. Runs in the keeper and in commands, as root. */
#include "net/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { ANSWER_MAX = 32768 }; /* what the kernel gives at most in one datagram (af_netlink.c) */

int netlink_open(int protocol, struct netlink *ret, struct err *err)
{
	_cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	struct sockaddr_nl any = {.nl_family = AF_NETLINK};
	int yes = 1;

	if (fd < 0)
		return err_set(err, ERR_SETUP, errno, "netlink: open a socket");
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		return err_set(err, ERR_SETUP, errno, "netlink: bind the socket");
	/* The kernel's own words, without our request told again. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof(yes)) != 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes)) != 0)
		return err_set(err, ERR_SETUP, errno, "netlink: ask for reasons");
	*ret = (struct netlink){.fd = steal_fd(&fd)};
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	close_fd(&netlink->fd);
}

static int refuse(const struct netlink_verdict *verdict, const char *what, struct err *err)
{
	if (verdict->text[0] == '\0')
		return err_set(err, ERR_SETUP, verdict->error, "%s", what);
	return err_set(err, ERR_SETUP, verdict->error, "%s: %s", what, verdict->text);
}

static int send_bytes(const struct netlink *netlink, const void *bytes, size_t len,
		      const char *what, struct err *err)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(netlink->fd, bytes, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_set(err, ERR_SETUP, errno, "%s", what) : 0;
}

static int send_request(struct netlink *netlink, struct netlink_request *request, const char *what,
			struct err *err)
{
	struct nlmsghdr head;

	if (request->overflow)
		return err_set(err, ERR_BUG, EMSGSIZE, "%s", what);
	memcpy(&head, request->bytes, sizeof(head));
	head.nlmsg_len = (uint32_t)request->len;
	head.nlmsg_seq = ++netlink->sequence;
	memcpy(request->bytes, &head, sizeof(head));
	return send_bytes(netlink, request->bytes, request->len, what, err);
}

/* One datagram of the kernel's: others may send to the socket as well (netlink(7)). */
static ssize_t receive(const struct netlink *netlink, void *buf, size_t size, int flags)
{
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec part = {.iov_base = buf, .iov_len = size};
		struct msghdr head = {.msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &part,
				      .msg_iovlen = 1};
		ssize_t n = recvmsg(netlink->fd, &head, flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((head.msg_flags & MSG_TRUNC) != 0)
			return -EMSGSIZE;
		if (head.msg_namelen == sizeof(from) && from.nl_pid == 0)
			return n;
	}
}

struct asking {
	const char *what;
	const struct netlink_reader *reader; /* NULL: a verdict alone */
};

/* 1: that was the last one. */
static int take(const struct asking *asking, const struct netlink_message *message, struct err *err)
{
	struct netlink_verdict verdict;
	int r;

	if ((message->flags & NLM_F_DUMP_INTR) != 0)
		return err_set(err, ERR_SETUP, EAGAIN, "%s: changed meanwhile", asking->what);
	if (message->type == NLMSG_ERROR || message->type == NLMSG_DONE) {
		r = netlink_read_verdict(message, &verdict);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s", asking->what);
		return verdict.error != 0 ? refuse(&verdict, asking->what, err) : 1;
	}
	if (message->type < NLMSG_MIN_TYPE || asking->reader == NULL)
		return 0;
	r = asking->reader->each(asking->reader->ctx, message, err);
	return r < 0 ? r : 0;
}

/* Reads until the verdict, also where one of the messages is refused: the next answer is another
 * request's. */
static int converse(struct netlink *netlink, const struct asking *asking, struct err *err)
{
	_Alignas(8) unsigned char buf[ANSWER_MAX];
	struct err ignored;
	bool is_over = false;
	int result = 0;

	while (!is_over) {
		ssize_t n = receive(netlink, buf, sizeof(buf), 0);
		struct netlink_message message;
		size_t at = 0;
		int r;

		if (n < 0)
			return err_set(err, ERR_SETUP, (int)-n, "%s: the kernel's answer",
				       asking->what);
		while ((r = netlink_next(buf, (size_t)n, &at, &message)) > 0) {
			if (message.sequence != netlink->sequence)
				continue;
			r = take(asking, &message, result < 0 ? &ignored : err);
			is_over = is_over || r == 1 || message.type == NLMSG_ERROR ||
				  message.type == NLMSG_DONE;
			result = r < 0 && result == 0 ? r : result;
		}
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: the kernel's answer", asking->what);
	}
	return result;
}

int netlink_do(struct netlink *netlink, struct netlink_request *request, const char *what,
	       struct err *err)
{
	const struct asking asking = {.what = what};
	struct nlmsghdr head;
	int r;

	memcpy(&head, request->bytes, sizeof(head));
	head.nlmsg_flags |= NLM_F_ACK;
	memcpy(request->bytes, &head, sizeof(head));
	r = send_request(netlink, request, what, err);
	return r < 0 ? r : converse(netlink, &asking, err);
}

int netlink_ask(struct netlink *netlink, struct netlink_request *request, const char *what,
		const struct netlink_reader *reader, struct err *err)
{
	const struct asking asking = {.what = what, .reader = reader};
	struct nlmsghdr head;
	int r;

	/* A dump ends with NLMSG_DONE; what is asked for alone is followed by a verdict. */
	memcpy(&head, request->bytes, sizeof(head));
	if ((head.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		head.nlmsg_flags |= NLM_F_ACK;
	memcpy(request->bytes, &head, sizeof(head));
	r = send_request(netlink, request, what, err);
	return r < 0 ? r : converse(netlink, &asking, err);
}

/* ---- batches ---- */

struct telling {
	const struct netlink_batch *batch;
	const char *what;
	uint32_t first; /* sequence number of its first message */
	uint32_t n_told;
	int result;
};

/* The verdicts of one datagram. A refusal of any message is the whole batch's: the kernel has done
 * nothing of it. */
static int take_verdicts(struct telling *telling, const void *data, size_t len, struct err *err)
{
	struct netlink_message message;
	struct netlink_verdict verdict;
	size_t at = 0;
	int r;

	while ((r = netlink_next(data, len, &at, &message)) > 0) {
		if (message.type != NLMSG_ERROR ||
		    message.sequence - telling->first >= telling->batch->n)
			continue;
		r = netlink_read_verdict(&message, &verdict);
		if (r < 0)
			return r;
		telling->n_told++;
		if (verdict.error != 0 && telling->result == 0)
			telling->result = refuse(&verdict, telling->what, err);
	}
	return r;
}

static void number(struct netlink *netlink, struct netlink_batch *batch)
{
	struct nlmsghdr head;

	for (size_t at = 0; at < batch->len; at += head.nlmsg_len) {
		memcpy(&head, batch->bytes + at, sizeof(head));
		head.nlmsg_seq = ++netlink->sequence;
		memcpy(batch->bytes + at, &head, sizeof(head));
	}
}

int netlink_do_batch(struct netlink *netlink, struct netlink_batch *batch, const char *what,
		     struct err *err)
{
	_Alignas(8) unsigned char buf[ANSWER_MAX];
	struct telling telling = {.batch = batch, .what = what, .first = netlink->sequence + 1};
	ssize_t n;
	int r;

	if (batch->overflow)
		return err_set(err, ERR_BUG, EMSGSIZE, "%s", what);
	number(netlink, batch);
	r = send_bytes(netlink, batch->bytes, batch->len, what, err);
	if (r < 0)
		return r;
	/* It was carried out within sendto(2), and all that there is to say is here. */
	while ((n = receive(netlink, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		r = take_verdicts(&telling, buf, (size_t)n, err);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: the kernel's answer", what);
	}
	if (telling.result < 0)
		return telling.result;
	if (n != -EAGAIN || telling.n_told != batch->n_asks)
		return err_set(err, ERR_SETUP, n != -EAGAIN ? (int)-n : EPROTO,
			       "%s: the kernel's answer", what);
	return 0;
}
