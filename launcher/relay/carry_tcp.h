/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker (carry.h): connections. */
#ifndef CORDON_LAUNCHER_RELAY_CARRY_TCP_H
#define CORDON_LAUNCHER_RELAY_CARRY_TCP_H

#include "launcher/relay/carry.h"

static inline void carry_drop(struct carry_connection *connection)
{
	bare_close(&connection->fds[0]);
	bare_close(&connection->fds[1]);
}

/* One that was accepted in vain is closed: the sandbox has refused it. */
static inline void carry_begin(struct carry *c, struct carry_connection *connection, int fd,
			       unsigned port)
{
	connection->fds[0] = fd;
	connection->fds[1] = bare_borrow(c->watcher_fd, BARE_TCP, port);
	connection->is_connecting = true;
	connection->until_ms = c->now_ms + CARRY_CONNECT_MS;
	for (unsigned i = 0; i < 2; i++) {
		connection->ways[i].has_ended = connection->ways[i].is_closed = false;
		connection->ways[i].at = connection->ways[i].len = 0;
		connection->ways[i].bytes = c->bytes[connection - c->connections][i];
	}
	if (connection->fds[1] < 0)
		carry_drop(connection);
}

static inline struct carry_connection *carry_free_one(struct carry *c)
{
	for (unsigned i = 0; i < CARRY_CONNECTIONS_MAX; i++)
		if (c->connections[i].fds[0] < 0)
			return &c->connections[i];
	return NULL;
}

static inline void carry_accept(struct carry *c, unsigned port)
{
	struct carry_connection *connection;

	for (int i = 0; i < CARRY_AT_ONCE && (connection = carry_free_one(c)) != NULL; i++) {
		long fd = bare_call(SYS_accept4, port, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0)
			return;
		carry_begin(c, connection, (int)fd, port);
	}
}

/* ---- one way ---- */

static inline bool carry_is_empty(const struct carry_way *way)
{
	return way->at == way->len;
}

static inline bool carry_wants_read(const struct carry_way *way)
{
	return carry_is_empty(way) && !way->has_ended;
}

/* False: the connection is of no use any more. */
static inline bool carry_read(struct carry_way *way, int from)
{
	long n = bare_call(SYS_read, from, (long)way->bytes, CARRY_BYTES, 0, 0);

	if (n == -EAGAIN || n == -EINTR)
		return true;
	if (n < 0)
		return false;
	way->at = 0;
	way->len = (size_t)n;
	way->has_ended = n == 0;
	return true;
}

static inline bool carry_write(struct carry_way *way, int to)
{
	long n;

	if (carry_is_empty(way))
		return true;
	n = bare_send(to, way->bytes + way->at, way->len - way->at, NULL, 0);
	if (n == -EAGAIN || n == -EINTR)
		return true;
	way->at += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* What was said last is passed on as such, and the other way stays open. */
static inline void carry_close_way(struct carry_way *way, int to)
{
	if (!way->has_ended || way->is_closed || !carry_is_empty(way))
		return;
	bare_call(SYS_shutdown, to, SHUT_WR, 0, 0, 0);
	way->is_closed = true;
}

static inline bool carry_pass(struct carry_connection *connection, unsigned i)
{
	struct carry_way *way = &connection->ways[i];
	int from = connection->fds[i], to = connection->fds[1 - i];

	if (carry_wants_read(way) && !carry_read(way, from))
		return false;
	if (!carry_write(way, to))
		return false;
	carry_close_way(way, to);
	return true;
}

/* ---- one round ---- */

static inline void carry_watch(const struct carry_connection *connection, struct pollfd polled[2])
{
	for (unsigned i = 0; i < 2; i++) {
		const struct carry_way *from = &connection->ways[i];
		const struct carry_way *to = &connection->ways[1 - i];
		short events = (short)((carry_wants_read(from) ? POLLIN : 0) |
				       (carry_is_empty(to) ? 0 : POLLOUT));

		bare_poll_for(&polled[i], events != 0 ? connection->fds[i] : -1, events);
	}
	/* Nothing is read for a sandbox that has not answered. */
	if (connection->is_connecting && connection->fds[0] >= 0) {
		bare_poll_for(&polled[0], -1, 0);
		bare_poll_for(&polled[1], connection->fds[1], POLLOUT);
	}
}

static inline void carry_step(const struct carry *c, struct carry_connection *connection,
			      const struct pollfd polled[2])
{
	bool goes_on = true;

	if (polled[0].revents == 0 && polled[1].revents == 0)
		return;
	if (connection->is_connecting && (polled[1].revents & (POLLERR | POLLHUP)) != 0) {
		carry_drop(connection);
		return;
	}
	connection->is_connecting = false;
	for (unsigned i = 0; goes_on && i < 2; i++)
		goes_on = carry_pass(connection, i);
	if (!goes_on || (connection->ways[0].is_closed && connection->ways[1].is_closed)) {
		carry_drop(connection);
		return;
	}
	connection->until_ms = connection->ways[0].is_closed || connection->ways[1].is_closed
				       ? c->now_ms + CARRY_HALF_OPEN_MS
				       : -1;
}

#endif
