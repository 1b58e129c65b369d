/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the readers of what the kernel answers by netlink: a datagram of messages, each read as
 * whatever it says it is. Texts end and are harmless, lengths are within their address. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/link.h"
#include "net/qdisc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size)
		abort();
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
			abort();
}

static void check_prefix(const struct net_prefix *prefix)
{
	if (prefix->length > address_bits(prefix))
		abort();
}

static void read_one(const struct netlink_message *message)
{
	struct netlink_verdict verdict;
	struct net_prefix address;
	struct net_route route;
	struct net_link link;
	int index;
	struct qdisc_bucket bucket;
	struct qdisc_diversion diversion = {.n = 0};

	if (qdisc_read(message, &bucket) == 0 || qdisc_count_filter(message, &diversion) == 0)
		return;
	if (link_read(message, &link) == 0) {
		check_text(link.name, sizeof(link.name));
		check_text(link.kind, sizeof(link.kind));
		check_text(link.alias, sizeof(link.alias));
	}
	if (link_read_route(message, &route) == 0)
		check_prefix(&route.to);
	if (link_read_address(message, &index, &address) == 0)
		check_prefix(&address);
	if ((message->type == NLMSG_ERROR || message->type == NLMSG_DONE) &&
	    netlink_read_verdict(message, &verdict) == 0) {
		if (verdict.error < 0)
			abort();
		check_text(verdict.text, sizeof(verdict.text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly its length. */
	unsigned char *copy = malloc(size > 0 ? size : 1);
	struct netlink_message message;
	size_t at = 0;

	memcpy(copy, data, size);
	while (netlink_next(copy, size, &at, &message) > 0)
		read_one(&message);
	free(copy);
	return 0;
}
