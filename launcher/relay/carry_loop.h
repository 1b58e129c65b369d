/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One round of the worker (carry.h), and its beginning. */
#ifndef CORDON_LAUNCHER_RELAY_CARRY_LOOP_H
#define CORDON_LAUNCHER_RELAY_CARRY_LOOP_H

#include "launcher/relay/carry_tcp.h"
#include "launcher/relay/carry_udp.h"

struct carry_polled {
	struct pollfd control;
	struct pollfd ports[RELAY_PORTS_MAX];
	struct pollfd flows[CARRY_FLOWS_MAX];
	struct pollfd connections[CARRY_CONNECTIONS_MAX][2];
};
_Static_assert(sizeof(struct carry_polled) == CARRY_POLLED_MAX * sizeof(struct pollfd),
	       "an array of them");

/* When the next deadline is; -1: never. What is over by now ends. */
static inline int64_t carry_until(struct carry *c)
{
	int64_t until_ms = -1;

	for (unsigned i = 0; i < CARRY_FLOWS_MAX; i++) {
		if (c->flows[i].fd >= 0 && c->flows[i].until_ms <= c->now_ms)
			bare_close(&c->flows[i].fd);
		if (c->flows[i].fd >= 0)
			bare_sooner(c->flows[i].until_ms, &until_ms);
	}
	for (unsigned i = 0; i < CARRY_CONNECTIONS_MAX; i++) {
		struct carry_connection *connection = &c->connections[i];

		if (connection->fds[0] < 0 || connection->until_ms < 0)
			continue;
		if (connection->until_ms <= c->now_ms)
			carry_drop(connection);
		else
			bare_sooner(connection->until_ms, &until_ms);
	}
	return until_ms;
}

static inline void carry_watch_all(struct carry *c, struct carry_polled *polled)
{
	bool has_room = carry_free_one(c) != NULL;

	bare_poll_for(&polled->control, (int)c->n_ports, POLLIN);
	for (unsigned i = 0; i < RELAY_PORTS_MAX; i++)
		bare_poll_for(&polled->ports[i],
			      i < c->n_ports && (has_room || !c->is_tcp[i]) ? (int)i : -1, POLLIN);
	for (unsigned i = 0; i < CARRY_FLOWS_MAX; i++)
		bare_poll_for(&polled->flows[i], c->flows[i].fd, POLLIN);
	for (unsigned i = 0; i < CARRY_CONNECTIONS_MAX; i++)
		carry_watch(&c->connections[i], polled->connections[i]);
}

static inline void carry_on_ports(struct carry *c, const struct carry_polled *polled)
{
	for (unsigned port = 0; port < c->n_ports; port++) {
		if (polled->ports[port].revents == 0)
			continue;
		if (c->is_tcp[port])
			carry_accept(c, port);
		for (int i = 0; !c->is_tcp[port] && i < CARRY_AT_ONCE; i++)
			if (!carry_datagram(c, port))
				break;
	}
}

static inline void carry_round(struct carry *c, struct carry_polled *polled)
{
	int64_t until_ms = carry_until(c);
	long ready;

	carry_watch_all(c, polled);
	ready = bare_poll((struct pollfd *)polled, CARRY_POLLED_MAX, until_ms, c->now_ms);
	if (polled->control.revents != 0 || (ready < 0 && ready != -EINTR))
		bare_exit(0);
	c->now_ms = bare_clock_ms();
	if (ready <= 0)
		return;
	for (unsigned i = 0; i < CARRY_CONNECTIONS_MAX; i++)
		carry_step(c, &c->connections[i], polled->connections[i]);
	for (unsigned i = 0; i < CARRY_FLOWS_MAX; i++)
		for (int k = 0; polled->flows[i].revents != 0 && k < CARRY_AT_ONCE; k++)
			if (!carry_answer(c, &c->flows[i]))
				break;
	carry_on_ports(c, polled);
}

/* memory: struct carry, zeroed but for what the command line said. */
static inline void carry_work(void *memory, int watcher_fd)
{
	struct carry *c = memory;
	struct carry_polled polled;

	c->watcher_fd = watcher_fd;
	c->now_ms = bare_clock_ms();
	for (unsigned i = 0; i < CARRY_FLOWS_MAX; i++)
		c->flows[i].fd = -1;
	for (unsigned i = 0; i < CARRY_CONNECTIONS_MAX; i++)
		c->connections[i].fds[0] = c->connections[i].fds[1] = -1;
	carry_confine(c->n_ports);
	bare_say_ready(watcher_fd);
	for (;;)
		carry_round(c, &polled);
}

#endif
