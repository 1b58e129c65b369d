/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker (serve.h): questions over UDP. */
#ifndef CORDON_LAUNCHER_RESOLVER_SERVE_UDP_H
#define CORDON_LAUNCHER_RESOLVER_SERVE_UDP_H

#include "launcher/resolver/serve.h"

/* One that cannot be sent at once is as good as lost on the way. */
static inline void serve_send(const struct sockaddr_in *to, const uint8_t *bytes, size_t len)
{
	bare_send(RESOLVER_UDP_FD, bytes, len, to, sizeof(*to));
}

static inline void serve_try(struct serve *s, struct serve_ask *ask)
{
	uint8_t query[DNS_QUERY_MAX];

	while (serve_reach(s, &ask->way, BARE_UDP)) {
		long len = (long)dns_write_query(&ask->way.query, ask->way.id, query);

		if (bare_call(SYS_write, ask->way.fd, (long)query, len, 0, 0) == len)
			return;
		serve_next(s, &ask->way);
	}
	serve_send(&ask->from, s->answer.bytes, serve_fail(s, &ask->way.query));
}

static inline void serve_ask(struct serve *s, const struct dns_query *query,
			     const struct sockaddr_in *from)
{
	for (unsigned i = 0; i < SERVE_ASKS_MAX; i++) {
		struct serve_ask *ask = &s->asks[i];

		if (ask->way.fd >= 0)
			continue;
		ask->way.query = *query;
		ask->from = *from;
		serve_begin(s, &ask->way);
		serve_try(s, ask);
		return;
	}
	serve_send(from, s->answer.bytes, serve_fail(s, query));
}

static inline void serve_hear(struct serve *s, struct serve_ask *ask)
{
	struct serve_way *way = &ask->way;
	const uint8_t *bytes;
	size_t size;
	long n = bare_call(SYS_read, way->fd, (long)s->message, sizeof(s->message), 0, 0);
	ptrdiff_t len;

	if (n == -EAGAIN || n == -EINTR)
		return;
	len = n > 0 ? dns_check_answer(s->message, (size_t)n, &way->query, way->id) : -EBADMSG;
	if (n >= 0 && len < 0 && ++way->wrong < SERVE_WRONG_MAX)
		return;
	if (len < 0 || serve_is_no_answer(s, way, s->message)) {
		serve_next(s, way);
		serve_try(s, ask);
		return;
	}
	s->preferred = way->upstream;
	bare_close(&way->fd);
	size = (size_t)len;
	bytes = serve_finish(s, &way->query, s->message, &size, way->query.udp_size);
	serve_send(&ask->from, bytes, size);
}

/* Returns whether there was one. */
static inline bool serve_question(struct serve *s)
{
	struct sockaddr_in from = {.sin_family = 0};
	struct iovec part = {.iov_base = s->message, .iov_len = SERVE_QUESTION_MAX};
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &part,
				 .msg_iovlen = 1};
	long n = bare_call(SYS_recvmsg, RESOLVER_UDP_FD, (long)&message, MSG_DONTWAIT, 0, 0);

	if (n < 0)
		return false;
	switch (serve_decide(s, s->message, (size_t)n, true)) {
	case ANSWER_SEND:
		serve_send(&from, s->answer.bytes, s->answer.len);
		break;
	case ANSWER_ASK:
		serve_ask(s, &s->answer.query, &from);
		break;
	case ANSWER_NOTHING:
		break;
	}
	return true;
}

#endif
