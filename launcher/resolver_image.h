/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The resolver of a sandbox in a network, launcher/resolver/resolver.c: its bytes
 * (launcher/image.S), and what it is started with. */
#ifndef CORDON_LAUNCHER_RESOLVER_IMAGE_H
#define CORDON_LAUNCHER_RESOLVER_IMAGE_H

#include <stdint.h>

extern const char resolver_image[];
extern const unsigned int resolver_image_size;

/* Where it answers, in the sandbox's network namespace. Docker's address, which programs know. */
#define RESOLVER_ADDRESS "127.0.0.11"

enum { RESOLVER_PORT = 53 };

/* Its descriptors: bound sockets of the sandbox's namespace, the table of names to read
 * (net/book.h), the names that may be asked for (net/answer.h; empty: all), the control socket. */
enum {
	RESOLVER_UDP_FD,
	RESOLVER_TCP_FD,
	RESOLVER_NAMES_FD,
	RESOLVER_RULES_FD,
	RESOLVER_CONTROL_FD,
	RESOLVER_FDS
};

enum { RESOLVER_RULES_MAX = 1 << 20 };

/*
 * argv[1] is the run's id, argv[2] the host's name servers: each 32 hex digits of an IPv6 address
 * (an IPv4 one as ::ffff:a.b.c.d), and 8 of its scope; "" for none.
 */
enum {
	RESOLVER_UPSTREAMS_MAX = 3, /* resolv.conf(5): MAXNS */
	RESOLVER_UPSTREAM_DIGITS = 40,
};

/* What it says: it ends with the other end of its control socket. */
enum resolver_message {
	RESOLVER_CONFINED = 1, /* it can do no more than it has to, and answers */
};

/* What it asks for where there are names that may be asked for: that the sandbox may reach this
 * address, for one of them is said to have it. The answer is an int, 1 or 0. */
struct resolver_wish {
	uint32_t group; /* policy/spec.h */
	uint32_t ttl;
	uint8_t is_ipv6;
	uint8_t address[16];
};

#endif
