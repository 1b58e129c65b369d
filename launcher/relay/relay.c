/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The relay of one sandbox: what comes for its published ports by the host's own loopback, which
 * nf_tables cannot translate (no packet of 127.0.0.0/8 or ::1 leaves the host), is passed on to the
 * sandbox's address.
 *
 * Theory of operation. The keeper binds the sockets before the sandbox is made, to loopback
 * addresses alone, and executes this from a sealed memfd of mode 0111, under the id of the
 * sandbox's init, in the host's network namespace. There are two processes (bare_watch.h):
 *
 *   watcher   this file. Connects sockets to the sandbox's address, at one of the published ports;
 *             it is asked for the number of one. Nothing else can it reach over TCP, by Landlock.
 *   worker    carry.h. Passes bytes on, which it does not look at. It can open nothing, and connect
 *             to nothing. No capability, no_new_privs, a Landlock domain that allows nothing, a
 *             filter of ten system calls.
 *
 * Both end with the keeper. For the sandbox such a connection comes from the gateway's address.
 */
#include <errno.h>

#include "launcher/bare_string.h"
#include "launcher/bare_watch.h"
#include "launcher/relay/carry_loop.h"
#include "launcher/relay_image.h"

static const struct sock_filter watcher_filter[] = BARE_WATCH_FILTER(BARE_ALLOW(SYS_shutdown));

/* Where each socket leads. Returns how many there are. */
static unsigned parse_ports(long *stack, struct bare_peer *peers, struct carry *carry)
{
	const char *text = (const char *)stack[4];
	size_t len = strlen(text);
	unsigned n = 0;

	while (n < RELAY_PORTS_MAX && (n + 1) * (size_t)RELAY_PORT_DIGITS <= len) {
		const char *port = text + n * (size_t)RELAY_PORT_DIGITS;

		bare_hex_address((const char *)stack[port[1] == '1' ? 2 : 3], peers[n].address);
		peers[n].scope = 0;
		peers[n].port = (uint16_t)bare_hex(port + 2, 4);
		carry->is_tcp[n++] = port[0] == 't';
	}
	return n;
}

_Noreturn void bare_main(long *stack)
{
	const struct sock_fprog program = {.len = sizeof(watcher_filter) /
						  sizeof(watcher_filter[0]),
					   .filter = (struct sock_filter *)watcher_filter};
	struct bare_peer peers[RELAY_PORTS_MAX];
	uint16_t numbers[RELAY_PORTS_MAX];
	struct bare_ports reached = {.list = numbers};
	const struct bare_watch_limits limits = {.name = "cordon-relay",
						 .ports = &reached,
						 .n_fds = CARRY_FDS_MAX};
	struct bare_watch w = {.confined = RELAY_CONFINED, .peers = peers, .work = carry_work};
	struct carry *memory = bare_memory(sizeof(*memory));

	if (stack[0] != 4)
		bare_exit(125);
	w.n_peers = reached.n = memory->n_ports = parse_ports(stack, peers, memory);
	for (unsigned i = 0; i < w.n_peers; i++)
		numbers[i] = peers[i].port;
	w.control_fd = (int)w.n_peers;
	w.memory = memory;
	bare_watch_confine(&limits, &program);
	bare_watch(&w);
}
