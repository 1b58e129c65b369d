/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses, subnets and link addresses as values. Pure. */
#ifndef CORDON_NET_ADDRESS_H
#define CORDON_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { ADDRESS_TEXT_MAX = 64, MAC_LEN = 6, MAC_TEXT_MAX = 18 };

/* An address, or a subnet: the address and how many of its bits are the network's. */
struct net_prefix {
	int family; /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16];
	uint8_t length; /* 0 to 32, or 128; of one host: all */
};

/* "172.20.0.1", "fd00::1". 0 or -EINVAL. */
int must_check address_parse(const char *text, struct net_prefix *ret);
/* "172.20.0.0/16": with bits behind the length (172.20.0.1/16) too. 0 or -EINVAL. */
int must_check address_parse_prefix(const char *text, struct net_prefix *ret);

/* Without and with "/LENGTH"; "" of none. */
void address_format(const struct net_prefix *address, char buf[ADDRESS_TEXT_MAX]);
void address_format_prefix(const struct net_prefix *prefix, char buf[ADDRESS_TEXT_MAX]);

uint8_t address_bits(const struct net_prefix *address);
bool address_equal(const struct net_prefix *a, const struct net_prefix *b);
/* Whether the bits behind the length are zero. */
bool address_is_network(const struct net_prefix *prefix);
/* Those bits made zero. */
struct net_prefix address_network(const struct net_prefix *prefix);
bool address_is_within(const struct net_prefix *address, const struct net_prefix *subnet);
bool address_overlaps(const struct net_prefix *a, const struct net_prefix *b);

/* Address number n of the subnet, of one host; false behind its end. */
bool address_nth(const struct net_prefix *subnet, uint64_t n, struct net_prefix *ret);
/* Which number it has; UINT64_MAX: not within, or too far. */
uint64_t address_number(const struct net_prefix *subnet, const struct net_prefix *address);
/* How many addresses: 2^(bits - length), at most 2^32. */
uint64_t address_count(const struct net_prefix *subnet);

/* Private or of a shared space, or unique local: RFC 1918, RFC 6598, RFC 4193. */
bool address_is_private(const struct net_prefix *prefix);

/* A locally administered one that an IPv4 address has and no other: 02:c0 and its four bytes. */
void address_mac(const struct net_prefix *address, uint8_t ret[MAC_LEN]);
void address_format_mac(const uint8_t mac[MAC_LEN], char buf[MAC_TEXT_MAX]);

#endif
