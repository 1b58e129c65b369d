/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See address.h. */
#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"

uint8_t address_bits(const struct net_prefix *address)
{
	return address->family == AF_INET ? 32 : address->family == AF_INET6 ? 128 : 0;
}

int address_parse(const char *text, struct net_prefix *ret)
{
	struct net_prefix address = {.family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET};

	if (inet_pton(address.family, text, address.bytes) != 1)
		return -EINVAL;
	address.length = address_bits(&address);
	*ret = address;
	return 0;
}

int address_parse_prefix(const char *text, struct net_prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[ADDRESS_TEXT_MAX];
	struct net_prefix prefix;
	uint32_t length;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address) ||
	    parse_u32(slash + 1, &length) < 0)
		return -EINVAL;
	str_format(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (address_parse(address, &prefix) < 0 || length > address_bits(&prefix))
		return -EINVAL;
	prefix.length = (uint8_t)length;
	*ret = prefix;
	return 0;
}

void address_format(const struct net_prefix *address, char buf[ADDRESS_TEXT_MAX])
{
	if (address->family == 0 ||
	    inet_ntop(address->family, address->bytes, buf, ADDRESS_TEXT_MAX) == NULL)
		buf[0] = '\0';
}

void address_format_prefix(const struct net_prefix *prefix, char buf[ADDRESS_TEXT_MAX])
{
	size_t len;

	address_format(prefix, buf);
	len = strlen(buf);
	if (len > 0)
		str_format(buf + len, ADDRESS_TEXT_MAX - len, "/%u", prefix->length);
}

bool address_equal(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, address_bits(a) / 8) == 0;
}

struct net_prefix address_network(const struct net_prefix *prefix)
{
	struct net_prefix network = *prefix;

	for (unsigned bit = network.length; bit < address_bits(prefix); bit++)
		network.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
	return network;
}

bool address_is_network(const struct net_prefix *prefix)
{
	struct net_prefix network = address_network(prefix);

	return address_equal(prefix, &network);
}

bool address_is_within(const struct net_prefix *address, const struct net_prefix *subnet)
{
	struct net_prefix theirs = *address, ours = address_network(subnet);

	if (address->family != subnet->family || address->length < subnet->length)
		return false;
	theirs.length = subnet->length;
	theirs = address_network(&theirs);
	return address_equal(&theirs, &ours);
}

bool address_overlaps(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->length >= b->length ? address_is_within(a, b) : address_is_within(b, a);
}

uint64_t address_count(const struct net_prefix *subnet)
{
	unsigned bits = (unsigned)(address_bits(subnet) - subnet->length);

	return 1ULL << (bits > 32 ? 32 : bits);
}

bool address_nth(const struct net_prefix *subnet, uint64_t n, struct net_prefix *ret)
{
	struct net_prefix address = address_network(subnet);

	if (n >= address_count(subnet))
		return false;
	for (unsigned at = address_bits(subnet) / 8U; n > 0; n >>= 8)
		address.bytes[--at] |= (uint8_t)n;
	address.length = address_bits(subnet);
	*ret = address;
	return true;
}

uint64_t address_number(const struct net_prefix *subnet, const struct net_prefix *address)
{
	struct net_prefix network = address_network(subnet);
	uint64_t number = 0;

	if (!address_is_within(address, subnet))
		return UINT64_MAX;
	for (unsigned at = 0; at < address_bits(subnet) / 8U; at++) {
		if (number >> 32 != 0)
			return UINT64_MAX;
		number = number << 8 | (uint8_t)(address->bytes[at] ^ network.bytes[at]);
	}
	return number < address_count(subnet) ? number : UINT64_MAX;
}

bool address_is_private(const struct net_prefix *prefix)
{
	static const char *const spaces[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
					     "100.64.0.0/10", "fc00::/7"};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		struct net_prefix space;

		if (address_parse_prefix(spaces[i], &space) == 0 &&
		    address_is_within(prefix, &space))
			return true;
	}
	return false;
}

void address_mac(const struct net_prefix *address, uint8_t ret[MAC_LEN])
{
	ret[0] = 0x02;
	ret[1] = 0xc0;
	memcpy(ret + 2, address->bytes, 4);
}

void address_format_mac(const uint8_t mac[MAC_LEN], char buf[MAC_TEXT_MAX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < MAC_LEN; i++) {
		buf[3 * i] = digits[mac[i] >> 4];
		buf[3 * i + 1] = digits[mac[i] & 15];
		buf[3 * i + 2] = i + 1 < MAC_LEN ? ':' : '\0';
	}
}
