/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The relay of a sandbox's published ports, launcher/relay/relay.c: its bytes (launcher/image.S),
 * and what it is started with. */
#ifndef CORDON_LAUNCHER_RELAY_IMAGE_H
#define CORDON_LAUNCHER_RELAY_IMAGE_H

extern const char relay_image[];
extern const unsigned int relay_image_size;

enum {
	RELAY_PORTS_MAX = 128, /* sockets of the host's loopback: of IPv4 and IPv6 each */
	RELAY_PORT_DIGITS = 6,
	RELAY_ADDRESS_DIGITS = 32,
};

/*
 * Its descriptors: those sockets, bound and listening, and the control socket behind them. argv[1]
 * and argv[2] are the sandbox's addresses, as 32 hex digits of IPv6 (::ffff:a.b.c.d); argv[3] says
 * of each socket with RELAY_PORT_DIGITS characters where it leads: t or u, the number of the
 * address, 1 or 2, and the port as four hex digits.
 */

/* What it says. Nothing is said to it: it ends with the other end of its control socket. */
enum relay_message {
	RELAY_CONFINED = 1, /* it can do no more than it has to, and passes on */
};

#endif
