/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker (serve.h): questions over TCP, which are passed on over TCP. */
#ifndef CORDON_LAUNCHER_RESOLVER_SERVE_TCP_H
#define CORDON_LAUNCHER_RESOLVER_SERVE_TCP_H

#include "launcher/resolver/serve.h"

static inline void serve_drop(struct serve_client *client)
{
	bare_close(&client->way.fd);
	bare_close(&client->fd);
}

static inline void serve_accept(struct serve *s)
{
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++) {
		struct serve_client *client = &s->clients[i];

		if (client->fd >= 0)
			continue;
		client->fd = (int)bare_call(SYS_accept4, RESOLVER_TCP_FD, 0, 0,
					    SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		client->state = SERVE_READS;
		client->have = 0;
		client->until_ms = s->now_ms + SERVE_IDLE_MS;
		return;
	}
}

/* Its message is behind the two bytes of its length. */
static inline void serve_reply(struct serve *s, struct serve_client *client, size_t len)
{
	client->bytes[0] = (uint8_t)(len >> 8);
	client->bytes[1] = (uint8_t)len;
	client->size = 2 + len;
	client->have = 0;
	client->state = SERVE_WRITES;
	client->until_ms = s->now_ms + SERVE_IDLE_MS;
}

static inline void serve_reply_own(struct serve *s, struct serve_client *client, size_t len)
{
	memcpy(client->bytes + 2, s->answer.bytes, len);
	serve_reply(s, client, len);
}

static inline void serve_try_tcp(struct serve *s, struct serve_client *client)
{
	client->state = SERVE_ASKS;
	if (!serve_reach(s, &client->way, BARE_TCP))
		serve_reply_own(s, client, serve_fail(s, &client->way.query));
}

/* Reads on, from the workload or a name server. 1: a whole message is there; 0: not yet; -1: there
 * will be none. */
static inline int serve_read_on(struct serve_client *client, int fd)
{
	size_t want = client->have < 2 ? 2 : 2 + ((size_t)client->bytes[0] << 8 | client->bytes[1]);
	long n = bare_call(SYS_read, fd, (long)(client->bytes + client->have),
			   (long)(want - client->have), 0, 0);

	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n <= 0)
		return -1;
	client->have += (size_t)n;
	if (client->have < 2)
		return 0;
	want = 2 + ((size_t)client->bytes[0] << 8 | client->bytes[1]);
	if (want < 2 + DNS_HEADER)
		return -1;
	return client->have == want;
}

static inline void serve_on_question(struct serve *s, struct serve_client *client)
{
	int r = serve_read_on(client, client->fd);

	if (r < 0 || (client->have >= 2 &&
		      (size_t)(client->bytes[0] << 8 | client->bytes[1]) > SERVE_QUESTION_MAX)) {
		serve_drop(client);
		return;
	}
	if (r == 0)
		return;
	switch (serve_decide(s, client->bytes + 2, client->have - 2, false)) {
	case ANSWER_SEND:
		serve_reply_own(s, client, s->answer.len);
		break;
	case ANSWER_ASK:
		client->way.query = s->answer.query;
		serve_begin(s, &client->way);
		serve_try_tcp(s, client);
		break;
	case ANSWER_NOTHING:
		serve_drop(client);
		break;
	}
}

static inline void serve_ask_tcp(struct serve *s, struct serve_client *client)
{
	uint8_t query[2 + DNS_QUERY_MAX];
	size_t len = dns_write_query(&client->way.query, client->way.id, query + 2);

	query[0] = (uint8_t)(len >> 8);
	query[1] = (uint8_t)len;
	len += 2;
	/* It is smaller than any buffer of a connection. */
	if (bare_call(SYS_write, client->way.fd, (long)query, (long)len, 0, 0) == (long)len) {
		client->state = SERVE_HEARS;
		client->have = 0;
		return;
	}
	serve_next(s, &client->way);
	serve_try_tcp(s, client);
}

static inline void serve_hear_tcp(struct serve *s, struct serve_client *client)
{
	struct serve_way *way = &client->way;
	int r = serve_read_on(client, way->fd);
	ptrdiff_t len;
	size_t size;

	if (r == 0)
		return;
	len = r < 0 ? -EBADMSG
		    : dns_check_answer(client->bytes + 2, client->have - 2, &way->query, way->id);
	if (len < 0 || serve_is_no_answer(s, way, client->bytes + 2)) {
		serve_next(s, way);
		serve_try_tcp(s, client);
		return;
	}
	s->preferred = way->upstream;
	bare_close(&way->fd);
	size = (size_t)len;
	if (serve_finish(s, &way->query, client->bytes + 2, &size, DNS_MESSAGE_MAX) ==
	    s->answer.bytes)
		serve_reply_own(s, client, size);
	else
		serve_reply(s, client, size);
}

static inline void serve_write_on(struct serve *s, struct serve_client *client)
{
	long n = bare_send(client->fd, client->bytes + client->have, client->size - client->have,
			   NULL, 0);

	if (n == -EAGAIN || n == -EINTR)
		return;
	if (n <= 0) {
		serve_drop(client);
		return;
	}
	client->have += (size_t)n;
	if (client->have < client->size)
		return;
	client->state = SERVE_READS;
	client->have = 0;
	client->until_ms = s->now_ms + SERVE_IDLE_MS;
}

static inline void serve_client_step(struct serve *s, struct serve_client *client)
{
	switch (client->state) {
	case SERVE_READS:
		serve_on_question(s, client);
		break;
	case SERVE_ASKS:
		serve_ask_tcp(s, client);
		break;
	case SERVE_HEARS:
		serve_hear_tcp(s, client);
		break;
	case SERVE_WRITES:
		serve_write_on(s, client);
		break;
	}
}

#endif
