/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a sandbox's resolver does with a message: answers from the table of names, refuses, or
 * passes it on. Pure; part of the resolver's image as well. */
#ifndef CORDON_NET_ANSWER_H
#define CORDON_NET_ANSWER_H

#include "net/book.h"

enum answer_kind {
	ANSWER_NOTHING, /* it is no query */
	ANSWER_SEND,    /* the bytes */
	ANSWER_ASK,     /* a name server is to be asked what the query says */
};

/*
 * The names that may be asked for beyond the host, a line each: "0 pypi.org", "1 *.example.org",
 * where the digit is the number of a group of ports (policy/spec.h). In small letters.
 */
struct answer_rules {
	const char *text;
	size_t len;
};

struct answer_way {
	const struct answer_rules *rules; /* NULL: all names may be asked for */
	const struct book *names;
	const char *run;   /* who asks */
	bool has_upstream; /* there is a name server */
	bool is_udp;
};

enum { ANSWER_MAX = 2048, ANSWER_TTL = 0 };

struct answer {
	struct dns_query query;
	bool is_forbidden; /* it is refused because no rule allows the name */
	size_t len;
	uint8_t bytes[ANSWER_MAX];
};

enum answer_kind answer_query(const struct answer_way *way, const uint8_t *message, size_t len,
			      struct answer *ret);

/* An answer that says only that. Returns its length. */
size_t answer_say(const struct dns_query *query, enum dns_rcode rcode, uint8_t buf[ANSWER_MAX]);

/* The groups, as bits, of all rules that name it. name: in small letters (dns_plain_text). */
unsigned answer_find_rules(const struct answer_rules *rules, const char *name);

enum { ANSWER_ADDRESSES_MAX = 16 };

/* The addresses of an answer that dns_check_answer has found good. */
struct answer_addresses {
	bool is_ipv6;
	uint32_t ttl; /* the shortest on the way */
	uint8_t list[ANSWER_ADDRESSES_MAX][16];
	size_t n;
};

/*
 * Those of the name that was asked for, over whatever chain of aliases: whoever has that name says
 * where it leads. False where there is an address of anybody else, or the chain is too long: then
 * it is no answer. What is beyond ANSWER_ADDRESSES_MAX is left out.
 */
bool answer_read_addresses(const uint8_t *message, size_t len, const struct dns_query *query,
			   struct answer_addresses *ret);

/* An answer with these addresses, as the client gets it. Returns its length. */
size_t answer_say_addresses(const struct dns_query *query, const struct answer_addresses *addresses,
			    size_t most, uint8_t buf[ANSWER_MAX]);

#endif
