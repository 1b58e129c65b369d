/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One round of the worker (serve.h), and its beginning. */
#ifndef CORDON_LAUNCHER_RESOLVER_SERVE_LOOP_H
#define CORDON_LAUNCHER_RESOLVER_SERVE_LOOP_H

#include "launcher/resolver/serve_tcp.h"
#include "launcher/resolver/serve_udp.h"

/* ---- deadlines ---- */

static inline bool serve_is_asking(const struct serve_client *client)
{
	return client->state == SERVE_ASKS || client->state == SERVE_HEARS;
}

static inline void serve_give_up(struct serve *s)
{
	for (unsigned i = 0; i < SERVE_ASKS_MAX; i++)
		if (s->asks[i].way.fd >= 0 && s->asks[i].way.until_ms <= s->now_ms) {
			serve_next(s, &s->asks[i].way);
			serve_try(s, &s->asks[i]);
		}
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++) {
		struct serve_client *client = &s->clients[i];

		if (client->fd < 0)
			continue;
		if (serve_is_asking(client) && client->way.until_ms <= s->now_ms) {
			serve_next(s, &client->way);
			serve_try_tcp(s, client);
		} else if (!serve_is_asking(client) && client->until_ms <= s->now_ms) {
			serve_drop(client);
		}
	}
}

/* When the next deadline is; -1: never. */
static inline int64_t serve_until(const struct serve *s)
{
	int64_t until_ms = s->left > 0 ? -1 : s->now_ms + SERVE_REST_MS;

	for (unsigned i = 0; i < SERVE_ASKS_MAX; i++)
		if (s->asks[i].way.fd >= 0)
			bare_sooner(s->asks[i].way.until_ms, &until_ms);
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++)
		if (s->clients[i].fd >= 0)
			bare_sooner(serve_is_asking(&s->clients[i]) ? s->clients[i].way.until_ms
								    : s->clients[i].until_ms,
				    &until_ms);
	return until_ms;
}

/* ---- one round ---- */

/* In the order of struct serve_polled; -1 where nothing is waited for. */
struct serve_polled {
	struct pollfd control;
	struct pollfd udp;
	struct pollfd tcp;
	struct pollfd asks[SERVE_ASKS_MAX];
	struct pollfd clients[SERVE_CLIENTS_MAX];
};
_Static_assert(sizeof(struct serve_polled) == SERVE_POLLED_MAX * sizeof(struct pollfd),
	       "an array of them");

static inline void serve_watch_client(const struct serve *s, const struct serve_client *client,
				      struct pollfd *polled)
{
	switch (client->state) {
	case SERVE_READS:
		bare_poll_for(polled, s->left > 0 ? client->fd : -1, POLLIN);
		break;
	case SERVE_ASKS:
		bare_poll_for(polled, client->way.fd, POLLOUT);
		break;
	case SERVE_HEARS:
		bare_poll_for(polled, client->way.fd, POLLIN);
		break;
	case SERVE_WRITES:
		bare_poll_for(polled, client->fd, POLLOUT);
		break;
	}
}

static inline void serve_watch_all(const struct serve *s, struct serve_polled *polled)
{
	bool has_room = false;

	for (unsigned i = 0; i < SERVE_ASKS_MAX; i++)
		bare_poll_for(&polled->asks[i], s->asks[i].way.fd, POLLIN);
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++) {
		bare_poll_for(&polled->clients[i], -1, 0);
		has_room = has_room || s->clients[i].fd < 0;
		if (s->clients[i].fd >= 0)
			serve_watch_client(s, &s->clients[i], &polled->clients[i]);
	}
	bare_poll_for(&polled->control, RESOLVER_CONTROL_FD, POLLIN);
	bare_poll_for(&polled->udp, s->left > 0 ? RESOLVER_UDP_FD : -1, POLLIN);
	bare_poll_for(&polled->tcp, has_room ? RESOLVER_TCP_FD : -1, POLLIN);
}

static inline void serve_look_at_clock(struct serve *s)
{
	int64_t now_ms = bare_clock_ms();

	s->left += now_ms - s->now_ms;
	/* Whole ones, and what is left over counts the next time. */
	s->admissions += now_ms / SERVE_ADMISSION_MS - s->now_ms / SERVE_ADMISSION_MS;
	if (s->admissions > SERVE_ADMISSIONS)
		s->admissions = SERVE_ADMISSIONS;
	if (s->left > SERVE_BURST)
		s->left = SERVE_BURST;
	s->now_ms = now_ms;
}

static inline void serve_step(struct serve *s, struct serve_polled *polled)
{
	long ready;

	serve_watch_all(s, polled);
	ready = bare_poll((struct pollfd *)polled, SERVE_POLLED_MAX, serve_until(s), s->now_ms);
	if (polled->control.revents != 0 || (ready < 0 && ready != -EINTR))
		bare_exit(0);
	serve_look_at_clock(s);
	for (unsigned i = 0; ready > 0 && i < SERVE_ASKS_MAX; i++)
		if (polled->asks[i].revents != 0)
			serve_hear(s, &s->asks[i]);
	serve_look_at_names(s);
	for (unsigned i = 0; ready > 0 && i < SERVE_CLIENTS_MAX; i++)
		if (polled->clients[i].revents != 0)
			serve_client_step(s, &s->clients[i]);
	for (int i = 0; ready > 0 && polled->udp.revents != 0 && i < SERVE_AT_ONCE; i++)
		if (!serve_question(s))
			break;
	if (ready > 0 && polled->tcp.revents != 0)
		serve_accept(s);
	serve_give_up(s);
}

/* ---- the beginning ---- */

/* memory: struct serve, zeroed but for what the command line said. */
static inline void serve(void *memory, int watcher_fd)
{
	struct serve *s = memory;
	struct serve_polled polled;

	s->watcher_fd = watcher_fd;
	s->now_ms = bare_clock_ms();
	s->left = SERVE_BURST;
	s->admissions = SERVE_ADMISSIONS;
	for (unsigned i = 0; i < SERVE_ASKS_MAX; i++)
		s->asks[i].way.fd = -1;
	for (unsigned i = 0; i < SERVE_CLIENTS_MAX; i++)
		s->clients[i].fd = s->clients[i].way.fd = -1;
	serve_confine();
	bare_say_ready(watcher_fd);
	for (;;)
		serve_step(s, &polled);
}

#endif
