/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is called what in which network: the table that the sandboxes' resolvers read. Pure, and
 * without libc beyond memcpy(3) and its like: part of the resolver's image as well. Written by
 * book_store.h.
 *
 * One file for all networks of a state root, BOOK_FILE_SIZE bytes of address space, sparse: two
 * slots, of which the one with the higher generation counts. Who changes the table writes the other
 * one, and its head at last; so whoever reads, without a lock and at any moment, finds one that is
 * whole, and a writer that is killed leaves the one that was. What a slot's sum does not fit is
 * nobody's. After a boot all of it is nobody's.
 *
 * The text is lines of words, one space between two:
 *
 *     at RUN NETWORK-ID NETWORK-NAME out|in IPV4 IPV6|- NAME...
 *     link RUN NETWORK-ID ALIAS NAME
 *
 * RUN is the id of the run whose endpoint it is (a kept sandbox has another one at each start);
 * out: the network is not --internal. Addresses are hex digits. `link`: what ALIAS means to that
 * run alone, whether there is somebody of that NAME in that network or not.
 */
#ifndef CORDON_NET_BOOK_H
#define CORDON_NET_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/dns.h"

enum {
	BOOK_TEXT_MAX = (4 << 20) - 4096,
	BOOK_SLOT = 4 << 20, /* where the second one begins */
	BOOK_BOOT_MAX = 40,
	BOOK_OWN_MAX = 32,   /* networks of one sandbox that are looked at */
	BOOK_FOUND_MAX = 32, /* addresses of one name */
};

struct book_head {
	char magic[8];
	uint64_t generation;
	uint64_t length; /* of the text behind it */
	uint64_t sum;
	char boot[BOOK_BOOT_MAX];
};

extern const char book_magic[8];

/* Of the head, whose own sum is left out, and the text. */
uint64_t book_sum(const struct book_head *head, const char *text);

struct book {
	const char *text;
	size_t len;
};

/* As pread(2), -errno. */
struct book_file {
	long (*read_at)(void *ctx, void *buf, size_t size, uint64_t offset);
	void *ctx;
};

/*
 * Reads the table, where it is newer than *generation: 1, with *ret_head and head->length bytes at
 * text (room for BOOK_TEXT_MAX), else 0. -ENOENT: there is none that is whole (any more).
 * *ret_slot: which one it is.
 */
int must_check book_load(const struct book_file *file, uint64_t generation,
			 struct book_head *ret_head, char *text, unsigned *ret_slot);

struct book_word {
	const char *at;
	size_t len;
};

struct book_line {
	bool is_link;
	struct book_word run;
	struct book_word network; /* its id */
	/* at: */
	struct book_word network_name;
	bool may_leave;
	uint8_t ip[4];
	bool has_ipv6;
	uint8_t ip6[16];
	struct book_word names; /* with spaces between them */
	/* link: */
	struct book_word alias;
	struct book_word target;
};

/* The line at *at, which is moved on; lines that are none are passed over. False behind the last.
 */
bool book_next(const struct book *names, size_t *at, struct book_line *ret);
/* The word at *at of those. False behind the last. */
bool book_next_word(const struct book_word *words, size_t *at, struct book_word *ret);
/* Whatever the case of their letters. */
bool book_word_is(const struct book_word *word, const char *text);

/* The networks that a run is in. */
struct book_own {
	struct {
		struct book_word id;
		struct book_word name;
		bool may_leave;
	} list[BOOK_OWN_MAX];
	size_t n;
	bool may_leave; /* one of them */
};
void book_own_of(const struct book *names, const char *run, struct book_own *ret);

struct book_found {
	struct {
		uint8_t ip[4];
		bool has_ipv6;
		uint8_t ip6[16];
	} list[BOOK_FOUND_MAX];
	size_t n;
};

/*
 * Who has that name for the run: an alias of its own first, then a name in one of its networks,
 * plain or with the network's behind it. name: in small letters (dns_plain_text). Returns whether
 * the name is one that nobody beyond the host could know, found or not.
 */
bool book_find(const struct book *names, const char *run, const char *name, struct book_found *ret);

/* NAME.NETWORK of who has the address in one of the run's networks. False: nobody. */
bool book_find_address(const struct book *names, const char *run, const struct dns_reverse *address,
		       char buf[DNS_TEXT_MAX]);

#endif
