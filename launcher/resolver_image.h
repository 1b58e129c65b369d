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
 * (net/book.h), the names that may be asked for (net/answer.h; empty: all), memory for its notes,
 * the control socket. */
enum {
	RESOLVER_UDP_FD,
	RESOLVER_TCP_FD,
	RESOLVER_NAMES_FD,
	RESOLVER_RULES_FD,
	RESOLVER_NOTES_FD,
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

/*
 * What it remembers for the list of what network.egress denied: struct resolver_notes, shared with
 * the keeper, which reads it once at the end and believes none of it. Without is_wanted nothing is
 * written. Names are in small letters.
 */
enum { RESOLVER_NOTED_NAME_MAX = 256, RESOLVER_REFUSED_MAX = 32, RESOLVER_KNOWN_MAX = 128 };

struct resolver_refused {
	uint32_t count;
	char name[RESOLVER_NOTED_NAME_MAX];
};

struct resolver_known {
	uint8_t is_ipv6;
	uint8_t address[16];
	char name[RESOLVER_NOTED_NAME_MAX];
};

struct resolver_notes {
	uint32_t is_wanted;
	uint32_t n_refused;
	uint32_t others; /* questions for names that found no place in the list */
	uint32_t n_known;
	uint32_t next_known; /* whose place is taken when the list is full */
	struct resolver_refused refused[RESOLVER_REFUSED_MAX];
	struct resolver_known known[RESOLVER_KNOWN_MAX];
};

#endif
