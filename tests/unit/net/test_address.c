/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/address.c: addresses and subnets as text, numbers and link addresses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net/address.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct net_prefix prefix(const char *text)
{
	struct net_prefix p = {0};

	assert_int_equal(address_parse_prefix(text, &p), 0);
	return p;
}

static struct net_prefix address(const char *text)
{
	struct net_prefix p = {0};

	assert_int_equal(address_parse(text, &p), 0);
	return p;
}

static void reads_and_writes(void **state)
{
	static const char *const good[] = {"10.0.0.0/8",         "0.0.0.0/0", "192.168.1.77/24",
					   "255.255.255.255/32", "fd00::/64", "::/0",
					   "fd00::1/128"};
	static const char *const bad[] = {
		"",
		"10.0.0.0",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0/8",
		"10.0.0.0/8 ",
		"fd00::1",
		"fd00::/129",
		" fd00::/64",
		"10.0.0.0/-1",
		"10.0.0.0/+8",
		"a/8",
		"10.0.0.0/08x",
		"010.0.0.0/8",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa::/8"};
	char text[ADDRESS_TEXT_MAX];
	struct net_prefix p;

	(void)state;
	for (size_t i = 0; i < N(good); i++) {
		p = prefix(good[i]);
		address_format_prefix(&p, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < N(bad); i++)
		assert_int_equal(address_parse_prefix(bad[i], &p), -EINVAL);
	p = (struct net_prefix){0};
	address_format_prefix(&p, text);
	assert_string_equal(text, "");
}

static void compares(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlaps;
	} rows[] = {
		{"10.0.0.0/8", "10.1.0.0/16", true},
		{"10.0.0.0/8", "11.0.0.0/8", false},
		{"172.16.0.0/12", "172.31.255.0/24", true},
		{"172.16.0.0/12", "172.32.0.0/16", false},
		{"0.0.0.0/0", "1.2.3.4/32", true},
		{"fd00::/64", "fd00::1/128", true},
		{"fd00::/64", "fd00:0:0:1::/64", false},
		{"::/0", "0.0.0.0/0", false},
		{"10.0.0.0/31", "10.0.0.1/32", true},
		{"10.0.0.0/31", "10.0.0.2/32", false},
	};
	static const char *const private[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/24",
					      "100.64.0.0/16", "fd12::/64"};
	static const char *const public[] = {"8.8.8.0/24",    "172.32.0.0/16", "192.0.0.0/8",
					     "2001:db8::/64", "0.0.0.0/0",     "fe80::/64"};
	struct net_prefix a, b;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		a = prefix(rows[i].a);
		b = prefix(rows[i].b);
		assert_int_equal(address_overlaps(&a, &b), rows[i].overlaps);
		assert_int_equal(address_overlaps(&b, &a), rows[i].overlaps);
	}
	for (size_t i = 0; i < N(private); i++) {
		a = prefix(private[i]);
		assert_true(address_is_private(&a));
	}
	for (size_t i = 0; i < N(public); i++) {
		a = prefix(public[i]);
		assert_false(address_is_private(&a));
	}
	a = prefix("10.1.2.3/24");
	assert_false(address_is_network(&a));
	a = address_network(&a);
	b = prefix("10.1.2.0/24");
	assert_true(address_equal(&a, &b));
	assert_true(address_is_network(&b));
}

static void counts(void **state)
{
	static const struct {
		const char *subnet;
		uint64_t n;
		const char *address; /* NULL: there is none */
	} rows[] = {
		{"10.0.0.0/24", 0, "10.0.0.0"},   {"10.0.0.0/24", 255, "10.0.0.255"},
		{"10.0.0.0/24", 256, NULL},       {"10.0.0.128/25", 1, "10.0.0.129"},
		{"10.0.0.0/16", 258, "10.0.1.2"}, {"fd00::/64", 0x12345, "fd00::1:2345"},
		{"fd00::/120", 256, NULL},        {"fd00::/64", 1ULL << 32, NULL},
	};
	struct net_prefix subnet, got, want;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		subnet = prefix(rows[i].subnet);
		assert_int_equal(address_nth(&subnet, rows[i].n, &got), rows[i].address != NULL);
		if (rows[i].address == NULL)
			continue;
		want = address(rows[i].address);
		assert_true(address_equal(&got, &want));
		assert_int_equal(address_number(&subnet, &want), rows[i].n);
	}
	subnet = prefix("10.0.0.0/24");
	want = address("10.0.1.0");
	assert_true(address_number(&subnet, &want) == UINT64_MAX);
	subnet = prefix("fd00::/64");
	want = address("fd00::1:0:0:0");
	assert_true(address_number(&subnet, &want) == UINT64_MAX);
	want = address("10.0.1.0");
	assert_true(address_number(&subnet, &want) == UINT64_MAX);
}

static void makes_link_addresses(void **state)
{
	struct net_prefix a = address("172.17.0.2");
	char text[MAC_TEXT_MAX];
	uint8_t mac[MAC_LEN];

	(void)state;
	address_mac(&a, mac);
	address_format_mac(mac, text);
	assert_string_equal(text, "02:c0:ac:11:00:02");
	/* Locally administered, of one station: IEEE 802. */
	assert_int_equal(mac[0] & 3, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_writes),
		cmocka_unit_test(compares),
		cmocka_unit_test(counts),
		cmocka_unit_test(makes_link_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
