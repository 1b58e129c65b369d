/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker (carry.h): datagrams. One that cannot be sent at once is as good as lost on the way.
 */
#ifndef CORDON_LAUNCHER_RELAY_CARRY_UDP_H
#define CORDON_LAUNCHER_RELAY_CARRY_UDP_H

#include "launcher/relay/carry.h"

static inline struct carry_flow *carry_find_flow(struct carry *c, unsigned port,
						 const struct sockaddr_in6 *from, socklen_t len)
{
	for (unsigned i = 0; i < CARRY_FLOWS_MAX; i++) {
		struct carry_flow *flow = &c->flows[i];

		if (flow->fd >= 0 && flow->port == port && flow->from_len == len &&
		    memcmp(&flow->from, from, len) == 0)
			return flow;
	}
	return NULL;
}

/* A free one, or the one that was silent longest. */
static inline struct carry_flow *carry_new_flow(struct carry *c, unsigned port)
{
	struct carry_flow *flow = &c->flows[0];

	for (unsigned i = 0; flow->fd >= 0 && i < CARRY_FLOWS_MAX; i++)
		if (c->flows[i].fd < 0 || c->flows[i].until_ms < flow->until_ms)
			flow = &c->flows[i];
	bare_close(&flow->fd);
	flow->port = port;
	flow->fd = bare_borrow(c->watcher_fd, BARE_UDP, port);
	return flow;
}

/* Returns whether there was one. */
static inline bool carry_datagram(struct carry *c, unsigned port)
{
	struct sockaddr_in6 from = {.sin6_family = 0};
	struct iovec part = {.iov_base = c->datagram, .iov_len = sizeof(c->datagram)};
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &part,
				 .msg_iovlen = 1};
	long n = bare_call(SYS_recvmsg, port, (long)&message, MSG_DONTWAIT, 0, 0);
	struct carry_flow *flow;

	if (n < 0)
		return false;
	flow = carry_find_flow(c, port, &from, message.msg_namelen);
	if (flow == NULL) {
		flow = carry_new_flow(c, port);
		flow->from = from;
		flow->from_len = message.msg_namelen;
	}
	if (flow->fd < 0)
		return true;
	flow->until_ms = c->now_ms + CARRY_FLOW_MS;
	bare_call(SYS_write, flow->fd, (long)c->datagram, n, 0, 0);
	return true;
}

/* Likewise: what the sandbox answers. That nobody listens there ends nothing. */
static inline bool carry_answer(struct carry *c, struct carry_flow *flow)
{
	long n = bare_call(SYS_read, flow->fd, (long)c->datagram, sizeof(c->datagram), 0, 0);

	if (n < 0)
		return false;
	flow->until_ms = c->now_ms + CARRY_FLOW_MS;
	bare_send((int)flow->port, c->datagram, (size_t)n, &flow->from, flow->from_len);
	return true;
}

#endif
