/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who is in a network, as it lies in a file: what each is called there, and where it is. Written
 * under the store's lock (names.c), read by whoever has the file open, without any.
 *
 *     head       NAMES_PAGE bytes
 *     half 0     NAMES_MAX entries
 *     half 1     likewise
 *
 * The half that counts is the lowest bit of head.generation. A change writes the other one and then
 * the generation, in one call: a writer that is killed has changed nothing. Who has read a half
 * reads the generation again: where it has moved by two, the half may have been written meanwhile.
 */
#ifndef CORDON_NET_NAMES_FORMAT_H
#define CORDON_NET_NAMES_FORMAT_H

#include <stdint.h>

#define NAMES_MAGIC UINT32_C(0x316e6463) /* "cdn1" */

enum {
	NAMES_PAGE = 4096,
	NAMES_MAX = 2048, /* sandboxes in one network that have a link */
	NAMES_ID_SIZE = 24,
	NAMES_OWN_SIZE = 240,
	NAMES_LINKS_SIZE = 199,
};

struct names_head {
	uint32_t magic;
	uint32_t generation;
	uint32_t n[2]; /* entries in each half */
};

struct names_entry {
	char id[NAMES_ID_SIZE];  /* of the sandbox; of one without a record the run's */
	char run[NAMES_ID_SIZE]; /* of the run: gone with RUN/runs/RUN */
	uint8_t address[4];
	uint8_t address6[16]; /* zeroes: none */
	uint8_t mac[6];
	uint8_t number;  /* of its link: 0 is eth0 */
	uint8_t has_mac; /* it was asked for */
	/* Each with a NUL; behind the last another one. */
	char names[NAMES_OWN_SIZE];   /* its own here: name, short id, aliases */
	char links[NAMES_LINKS_SIZE]; /* pairs: what it calls somebody, and whom */
	uint8_t is_ruled;             /* 1: it has rules of its own (egress.h) */
};

_Static_assert(sizeof(struct names_entry) == 516, "as it lies in the file");

#endif
