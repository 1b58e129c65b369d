/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of the DNS (RFC 1035), read and written: as much of them as a resolver needs that
 * answers for sandboxes and passes on what it does not know. Pure, and without libc beyond
 * memcpy(3) and its like: part of the resolver's image as well (launcher/resolver/).
 *
 * What is read comes from a workload or from a name server, so every length is checked, and a name
 * is followed through no more pointers than its labels could need, each to a place before the last
 * one.
 */
#ifndef CORDON_NET_DNS_H
#define CORDON_NET_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	DNS_HEADER = 12,
	DNS_NAME_MAX = 255,  /* on the wire, with the root's label */
	DNS_TEXT_MAX = 256,  /* of a plain name as text, with its NUL */
	DNS_UDP_LEAST = 512, /* what every client takes; more only where it says so (RFC 6891) */
	DNS_UDP_MOST = 1232, /* what fits everywhere into one packet */
	DNS_MESSAGE_MAX = 65535,
	DNS_QUERY_MAX = DNS_HEADER + DNS_NAME_MAX + 4 + 11, /* that dns_write_query writes */
};

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_IXFR = 251,
	DNS_ANY = 255
};
enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};
enum { DNS_IN = 1 };
enum dns_flag { DNS_QR = 0x8000, DNS_AA = 0x0400, DNS_TC = 0x0200, DNS_RD = 0x0100, DNS_RA = 0x80 };

/* As on the wire, without pointers, as it was written. */
struct dns_name {
	uint8_t bytes[DNS_NAME_MAX];
	size_t len;
};

struct dns_query {
	uint16_t id;
	uint16_t flags;
	struct dns_name name;
	uint16_t type;
	uint16_t class;
	bool has_edns;
	bool wants_dnssec;
	uint16_t udp_size; /* what the client takes over UDP: DNS_UDP_LEAST to DNS_UDP_MOST */
};

/*
 * Reads a client's message. 0; -EBADMSG where it is no query, or has not even a header: nothing is
 * answered then; or a dns_rcode to answer with, of which *ret has the id and the flags alone (its
 * name may be empty).
 */
int must_check dns_read_query(const uint8_t *message, size_t len, struct dns_query *ret);

/* The name at *at, which is moved behind it. 0 or -EBADMSG. */
int must_check dns_read_name(const uint8_t *message, size_t len, size_t *at, struct dns_name *ret);

struct dns_record {
	struct dns_name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl;
	size_t data; /* where it begins, in the message */
	size_t data_len;
};
/* The record at *at, which is moved behind it. 0 or -EBADMSG. */
int must_check dns_read_record(const uint8_t *message, size_t len, size_t *at,
			       struct dns_record *ret);

/*
 * Whether a name server's message answers what was asked with that id: its question is the same,
 * and all of its records can be read. The length of what was read, or -EBADMSG.
 */
ptrdiff_t must_check dns_check_answer(const uint8_t *message, size_t len,
				      const struct dns_query *asked, uint16_t id);

bool dns_same_name(const struct dns_name *a, const struct dns_name *b);

/* The name in small letters, with dots between its labels and none at its end. False where a label
 * has anything but letters, digits, - and _: such a name is nobody's here. */
bool dns_plain_text(const struct dns_name *name, char buf[DNS_TEXT_MAX]);
/* The other way. False where it does not fit. */
bool dns_name_of(const char *text, struct dns_name *ret);

/* An address that is asked for by a name, or the beginning of one. */
struct dns_reverse {
	uint8_t bytes[16];
	unsigned n_bits; /* that are known: 32 or 128 where it is whole */
	bool is_ipv6;
};
/* Of a name below in-addr.arpa or ip6.arpa. False: it is none. */
bool dns_read_reverse(const char *text, struct dns_reverse *ret);

/* ---- writing ---- */

/* Needs DNS_QUERY_MAX bytes. Returns how many it wrote. Nothing of the client's is passed on but
 * what it asks. */
size_t dns_write_query(const struct dns_query *query, uint16_t id, uint8_t *buf);

struct dns_answer {
	uint8_t *bytes;
	size_t size; /* that there is room for */
	size_t len;
	uint16_t n_answers;
	bool is_cut; /* something did not fit */
	const struct dns_query *query;
};

/* size: at least DNS_UDP_LEAST. */
void dns_begin_answer(struct dns_answer *answer, const struct dns_query *query, uint8_t *buf,
		      size_t size);
/* A record of the name that was asked for. */
void dns_put_record(struct dns_answer *answer, enum dns_type type, uint32_t ttl, const void *data,
		    size_t len);
/* Ends it: is_own, of a name that is ours. Returns its length. */
size_t dns_end_answer(struct dns_answer *answer, enum dns_rcode rcode, bool is_own);

/* A name server's message that was checked, as the client gets it: with its id, and cut to the
 * question where it is longer than most. Returns its length. */
size_t dns_pass_on(uint8_t *message, size_t len, const struct dns_query *query, size_t most);

#endif
