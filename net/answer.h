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

struct answer_way {
	const struct book *names;
	const char *run;   /* who asks */
	bool has_upstream; /* there is a name server */
	bool is_udp;
};

enum { ANSWER_MAX = 2048, ANSWER_TTL = 0 };

struct answer {
	struct dns_query query;
	size_t len;
	uint8_t bytes[ANSWER_MAX];
};

enum answer_kind answer_query(const struct answer_way *way, const uint8_t *message, size_t len,
			      struct answer *ret);

/* An answer that says only that. Returns its length. */
size_t answer_say(const struct dns_query *query, enum dns_rcode rcode, uint8_t buf[ANSWER_MAX]);

#endif
