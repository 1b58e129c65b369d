/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of elements, part by part; see nft_message.h. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "net/nft_message.h"

static void append(struct nft_value *value, const void *data, size_t len, size_t room)
{
	if (room > sizeof(value->bytes) - value->len) {
		value->len = 0;
		return;
	}
	memset(value->bytes + value->len, 0, room);
	memcpy(value->bytes + value->len, data, len);
	value->len += room;
}

void nft_value_name(struct nft_value *value, const char *link)
{
	append(value, link, strnlen(link, IFNAMSIZ - 1), IFNAMSIZ);
}

void nft_value_mac(struct nft_value *value, const uint8_t mac[MAC_LEN])
{
	append(value, mac, MAC_LEN, 8);
}

void nft_value_address(struct nft_value *value, const struct net_prefix *address)
{
	size_t len = address_bits(address) / 8U;

	append(value, address->bytes, len, len);
}

void nft_value_protocol(struct nft_value *value, uint8_t protocol)
{
	append(value, &protocol, sizeof(protocol), 4);
}

void nft_value_port(struct nft_value *value, uint16_t port)
{
	uint16_t number = htons(port);

	append(value, &number, sizeof(number), 4);
}
