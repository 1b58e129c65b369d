/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Netlink as bytes; see netlink.h. Pure. The kernel is trusted, and still nothing of an answer is
 * read behind its end: lengths are checked before they are used (tests/fuzz/fuzz_netlink.c).
 */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "base/str.h"
#include "net/netlink.h"

/* NLA_HDRLEN and NLA_TYPE_MASK are signed. */
static const size_t head_size = sizeof(struct nlattr);
static const uint16_t type_mask = 0x3fff;

/* ---- writing ---- */

static size_t aligned(size_t len)
{
	return (len + NLMSG_ALIGNTO - 1) & ~(size_t)(NLMSG_ALIGNTO - 1);
}

/* Zeroed room for size bytes, and what aligns them; NULL where there is none. */
static unsigned char *take_room(struct netlink_request *request, size_t size)
{
	unsigned char *room = request->bytes + request->len;

	if (request->overflow || size > sizeof(request->bytes) ||
	    aligned(size) > sizeof(request->bytes) - request->len) {
		request->overflow = true;
		return NULL;
	}
	memset(room, 0, aligned(size));
	request->len += aligned(size);
	return room;
}

void netlink_put_raw(struct netlink_request *request, const void *data, size_t size)
{
	unsigned char *room = take_room(request, size);

	if (room != NULL)
		memcpy(room, data, size);
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
		   const void *header, size_t size)
{
	struct nlmsghdr head = {.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST};

	request->len = 0;
	request->overflow = false;
	netlink_put_raw(request, &head, sizeof(head));
	netlink_put_raw(request, header, size);
}

void netlink_put(struct netlink_request *request, uint16_t type, const void *data, size_t size)
{
	size_t len = head_size + size;
	struct nlattr head = {.nla_type = type, .nla_len = (uint16_t)len};
	unsigned char *room = size < UINT16_MAX - head_size ? take_room(request, len) : NULL;

	if (room == NULL) {
		request->overflow = true;
		return;
	}
	memcpy(room, &head, sizeof(head));
	if (size > 0)
		memcpy(room + head_size, data, size);
}

void netlink_put_u8(struct netlink_request *request, uint16_t type, uint8_t value)
{
	netlink_put(request, type, &value, sizeof(value));
}

void netlink_put_u32(struct netlink_request *request, uint16_t type, uint32_t value)
{
	netlink_put(request, type, &value, sizeof(value));
}

void netlink_put_text(struct netlink_request *request, uint16_t type, const char *text)
{
	netlink_put(request, type, text, strlen(text) + 1);
}

size_t netlink_nest_begin(struct netlink_request *request, uint16_t type)
{
	size_t begin = request->len;

	netlink_put(request, type | NLA_F_NESTED, NULL, 0);
	return begin;
}

void netlink_nest_end(struct netlink_request *request, size_t begin)
{
	uint16_t len = (uint16_t)(request->len - begin);

	if (!request->overflow)
		memcpy(request->bytes + begin + offsetof(struct nlattr, nla_len), &len,
		       sizeof(len));
}

void netlink_batch_add(struct netlink_batch *batch, const struct netlink_request *request,
		       bool asks)
{
	struct nlmsghdr head;

	if (batch->overflow || request->overflow ||
	    request->len > sizeof(batch->bytes) - batch->len) {
		batch->overflow = true;
		return;
	}
	memcpy(&head, request->bytes, sizeof(head));
	head.nlmsg_len = (uint32_t)request->len;
	head.nlmsg_seq = batch->n++;
	head.nlmsg_flags |= asks ? NLM_F_ACK : 0;
	batch->n_asks += asks;
	memcpy(batch->bytes + batch->len, request->bytes, request->len);
	memcpy(batch->bytes + batch->len, &head, sizeof(head));
	batch->len += request->len;
}

/* ---- reading ---- */

int netlink_next(const void *data, size_t len, size_t *at, struct netlink_message *ret)
{
	const unsigned char *bytes = data;
	struct nlmsghdr head;

	if (*at >= len)
		return 0;
	if (len - *at < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes + *at, sizeof(head));
	if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > len - *at)
		return -EBADMSG;
	*ret = (struct netlink_message){
		.type = head.nlmsg_type,
		.flags = head.nlmsg_flags,
		.sequence = head.nlmsg_seq,
		.payload = bytes + *at + NLMSG_HDRLEN,
		.len = head.nlmsg_len - NLMSG_HDRLEN,
	};
	/* The last one may end without what would align the next. */
	*at += aligned(head.nlmsg_len);
	return 1;
}

int netlink_next_attribute(const void *data, size_t len, size_t *at, struct netlink_attribute *ret)
{
	const unsigned char *bytes = data;
	struct nlattr head;

	if (*at >= len)
		return 0;
	if (len - *at < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes + *at, sizeof(head));
	if (head.nla_len < head_size || head.nla_len > len - *at)
		return -EBADMSG;
	*ret = (struct netlink_attribute){
		.type = head.nla_type & type_mask,
		.data = bytes + *at + head_size,
		.len = head.nla_len - head_size,
	};
	*at += aligned(head.nla_len);
	return 1;
}

int netlink_find(const void *data, size_t len, uint16_t type, struct netlink_attribute *ret)
{
	struct netlink_attribute attribute;
	size_t at = 0;
	int r;

	while ((r = netlink_next_attribute(data, len, &at, &attribute)) > 0)
		if (attribute.type == type) {
			*ret = attribute;
			return 1;
		}
	return r;
}

bool netlink_get_u8(const struct netlink_attribute *attribute, uint8_t *ret)
{
	if (attribute->len != sizeof(*ret))
		return false;
	*ret = attribute->data[0];
	return true;
}

bool netlink_get_u32(const struct netlink_attribute *attribute, uint32_t *ret)
{
	if (attribute->len != sizeof(*ret))
		return false;
	memcpy(ret, attribute->data, sizeof(*ret));
	return true;
}

bool netlink_get_text(const struct netlink_attribute *attribute, char *buf, size_t size)
{
	size_t len =
		attribute->len > 0 ? strnlen((const char *)attribute->data, attribute->len) : 0;

	if (len == attribute->len || len >= size)
		return false;
	memcpy(buf, attribute->data, len);
	buf[str_make_harmless(buf, len)] = '\0';
	return true;
}

int netlink_read_verdict(const struct netlink_message *message, struct netlink_verdict *ret)
{
	struct netlink_attribute words;
	struct nlmsghdr ours;
	int32_t error;
	size_t at = sizeof(error);

	*ret = (struct netlink_verdict){0};
	if (message->len < sizeof(error))
		return -EBADMSG;
	memcpy(&error, message->payload, sizeof(error));
	if (error > 0 || error < -4095) /* MAX_ERRNO of the kernel's */
		return -EBADMSG;
	ret->error = -error;
	if (message->type == NLMSG_ERROR) {
		/* Our request is told again: whole, or capped to its header. */
		if (message->len < at + sizeof(ours))
			return -EBADMSG;
		memcpy(&ours, message->payload + at, sizeof(ours));
		if (ours.nlmsg_len < sizeof(ours))
			return -EBADMSG;
		at += (message->flags & NLM_F_CAPPED) != 0 ? sizeof(ours) : aligned(ours.nlmsg_len);
	}
	if ((message->flags & NLM_F_ACK_TLVS) == 0 || at >= message->len)
		return 0;
	if (netlink_find(message->payload + at, message->len - at, NLMSGERR_ATTR_MSG, &words) > 0 &&
	    !netlink_get_text(&words, ret->text, sizeof(ret->text)))
		ret->text[0] = '\0';
	return 0;
}
