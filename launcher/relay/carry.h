/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The worker of a sandbox's relay (relay.c has the theory): passes on what programs of the host and
 * the sandbox say to each other.
 *
 * One poll(2) of everything; nothing is waited for alone. All that can grow has a bound: when
 * connections are used up, further ones wait in the sockets' queues; of UDP who was silent longest
 * gives way. What one side does not take is not read from the other.
 */
#ifndef CORDON_LAUNCHER_RELAY_CARRY_H
#define CORDON_LAUNCHER_RELAY_CARRY_H

#include "launcher/bare_watch.h"
#include "launcher/relay/carry_filter.h"
#include "launcher/relay_image.h"

enum {
	CARRY_CONNECTIONS_MAX = 256,
	CARRY_FLOWS_MAX = 64, /* of UDP: who asks, and at which port */
	CARRY_POLLED_MAX = 1 + RELAY_PORTS_MAX + CARRY_FLOWS_MAX + 2 * CARRY_CONNECTIONS_MAX,
	CARRY_FDS_MAX = CARRY_POLLED_MAX + 16,
	CARRY_BYTES = 16 << 10,
	CARRY_AT_ONCE = 32,         /* datagrams of one socket in a round */
	CARRY_CONNECT_MS = 10000,   /* how long the sandbox has to answer */
	CARRY_HALF_OPEN_MS = 60000, /* silence, once one side has said its last */
	CARRY_FLOW_MS = 90000,
};

/* From one side to the other. */
struct carry_way {
	bool has_ended; /* no more will be read */
	bool is_closed; /* nor written, which the other side was told */
	size_t at;      /* bytes that were written, */
	size_t len;     /* of those that were read */
	uint8_t *bytes; /* CARRY_BYTES */
};

struct carry_connection {
	int fds[2]; /* the host's side, the sandbox's; -1: none */
	bool is_connecting;
	int64_t until_ms;         /* -1: any time */
	struct carry_way ways[2]; /* from fds[0], from fds[1] */
};

struct carry_flow {
	int fd; /* to the sandbox; -1: none */
	unsigned port;
	socklen_t from_len;
	struct sockaddr_in6 from; /* or of IPv4 */
	int64_t until_ms;
};

struct carry {
	unsigned n_ports; /* descriptors 0 and up, behind them the control socket */
	bool is_tcp[RELAY_PORTS_MAX];
	int watcher_fd;
	int64_t now_ms;
	struct carry_flow flows[CARRY_FLOWS_MAX];
	struct carry_connection connections[CARRY_CONNECTIONS_MAX];
	uint8_t datagram[65536];
	/* By themselves: what was never used is not there. */
	uint8_t bytes[CARRY_CONNECTIONS_MAX][2][CARRY_BYTES];
};

/* ---- confinement ---- */

static inline void carry_confine(unsigned n_ports)
{
	struct sock_filter filter[] = CARRY_FILTER(n_ports);
	const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]),
					   .filter = filter};

	bare_work_confine("cordon-ports", CARRY_FDS_MAX, &program);
}

#endif
