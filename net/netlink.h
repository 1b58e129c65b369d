/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small encoder and reader of netlink (netlink(7), RFC 3549), as rtnetlink wants it: one request,
 * one answer. Ours and no library's: what is needed of the protocol is this page, and the launch
 * path gets no allocator and no caches of a library's from it.
 *
 * Whoever holds the socket holds the privileges of whoever opened it, and the network namespace
 * that it was opened in.
 */
#ifndef CORDON_NET_NETLINK_H
#define CORDON_NET_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct nlmsghdr;

enum { NETLINK_REQUEST_MAX = 1024, NETLINK_TEXT_MAX = 160, NETLINK_BATCH_MAX = 32768 };

/* ---- requests ---- */

/* A request that is being written. What does not fit is noticed when it is sent. */
struct netlink_request {
	_Alignas(4) unsigned char bytes[NETLINK_REQUEST_MAX];
	size_t len;
	bool overflow;
};

/* type: RTM_*; flags: NLM_F_* beside REQUEST; header: the family's own, size bytes. */
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
		   const void *header, size_t size);
void netlink_put(struct netlink_request *request, uint16_t type, const void *data, size_t size);
void netlink_put_u8(struct netlink_request *request, uint16_t type, uint8_t value);
void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value);
/* With its NUL. */
void netlink_put_text(struct netlink_request *request, uint16_t type, const char *text);
/* A header without an attribute around it: what VETH_INFO_PEER begins with. */
void netlink_put_raw(struct netlink_request *request, const void *data, size_t size);
/* Returns where it begins, for netlink_nest_end. */
size_t netlink_nest_begin(struct netlink_request *request, uint16_t type);
void netlink_nest_end(struct netlink_request *request, size_t begin);

/* ---- answers; pure ---- */

struct netlink_message {
	uint16_t type;
	uint16_t flags;
	uint32_t sequence;
	const unsigned char *payload;
	size_t len;
};

/* The message at *at of a datagram, which is moved on. 1, 0 behind the last, -EBADMSG. */
int must_check netlink_next(const void *data, size_t len, size_t *at, struct netlink_message *ret);

struct netlink_attribute {
	uint16_t type; /* without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
	const unsigned char *data;
	size_t len;
};

/* The attribute at *at of len bytes of attributes, likewise. */
int must_check netlink_next_attribute(const void *data, size_t len, size_t *at,
				      struct netlink_attribute *ret);

/* The first one of that type: 1, 0 where there is none, -EBADMSG. */
int must_check netlink_find(const void *data, size_t len, uint16_t type,
			    struct netlink_attribute *ret);

/* Exactly that many bytes. False: it is no such number. */
bool netlink_get_u8(const struct netlink_attribute *attribute, uint8_t *ret);
bool netlink_get_u32(const struct netlink_attribute *attribute, uint32_t *ret);
/* A text with its NUL, made harmless (base/str.h). False: it does not end, or does not fit. */
bool netlink_get_text(const struct netlink_attribute *attribute, char *buf, size_t size);

/* What NLMSG_ERROR says. */
struct netlink_verdict {
	int error;                   /* 0 or a positive errno */
	char text[NETLINK_TEXT_MAX]; /* the kernel's own words (NLMSGERR_ATTR_MSG), or "" */
};

/* Of a message of type NLMSG_ERROR, or NLMSG_DONE. 0 or -EBADMSG. */
int must_check netlink_read_verdict(const struct netlink_message *message,
				    struct netlink_verdict *ret);

/* ---- talking ---- */

struct netlink {
	int fd; /* -EBADF when not open */
	uint32_t sequence;
};

/* protocol: NETLINK_ROUTE, or NETLINK_NETFILTER. In the network namespace that the caller is in. */
int must_check netlink_open(int protocol, struct netlink *ret, struct err *err);
void netlink_close(struct netlink *netlink);

/*
 * Sends it and waits for the kernel's verdict. Returns 0, or -errno with err filled: "WHAT: the
 * kernel's words: strerror".
 */
int must_check netlink_do(struct netlink *netlink, struct netlink_request *request,
			  const char *what, struct err *err);

/* Several that take effect together or not at all (nfnetlink); the first and the last are its
 * bounds.
 */
struct netlink_batch {
	_Alignas(4) unsigned char bytes[NETLINK_BATCH_MAX];
	size_t len;
	uint32_t n;      /* messages */
	uint32_t n_asks; /* of which so many ask for a verdict */
	bool overflow;
};
void netlink_batch_add(struct netlink_batch *batch, const struct netlink_request *request,
		       bool asks);
int must_check netlink_do_batch(struct netlink *netlink, struct netlink_batch *batch,
				const char *what, struct err *err);

/* Who is shown the messages of an answer. A negative number ends it, and is passed on. */
struct netlink_reader {
	int (*each)(void *ctx, const struct netlink_message *message, struct err *err);
	void *ctx;
};

/*
 * Likewise for what is answered by messages: with NLM_F_DUMP any number of them, else one. An
 * answer that changed while it was given (NLM_F_DUMP_INTR) is -EAGAIN.
 */
int must_check netlink_ask(struct netlink *netlink, struct netlink_request *request,
			   const char *what, const struct netlink_reader *reader, struct err *err);

#endif
