/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/egress_list.c: lists of rules as ranges that do not meet. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "net/egress_list.h"

enum { RULES = 12, ROUNDS = 300 };

/* The same rules at each run: an order without meaning is enough (Numerical Recipes' ranqd1). */
static unsigned any_below(unsigned end)
{
	static uint32_t last = 12;

	last = last * 1664525U + 1013904223U;
	return (last >> 16) % end;
}

/* Of few addresses and ports, so that they meet. */
static struct spec_egress_rule random_rule(void)
{
	struct spec_egress_rule rule = {.family = AF_INET,
					.address = {10, 0, 0, (uint8_t)(any_below(16))},
					.length = (uint8_t)(28 + any_below(5)),
					.protocol = IPPROTO_TCP,
					.first = (uint16_t)(any_below(16))};

	rule.address[3] &= (uint8_t)(0xff << (32 - rule.length));
	rule.last = (uint16_t)(rule.first + any_below(8));
	return rule;
}

static size_t count_ranges(const struct egress_ranges *ranges, uint8_t last_byte, uint16_t port)
{
	const uint8_t address[16] = {10, 0, 0, last_byte};
	size_t n = 0;

	for (size_t i = 0; i < ranges->n; i++)
		n += memcmp(ranges->list[i].first, address, 16) <= 0 &&
		     memcmp(ranges->list[i].last, address, 16) >= 0 &&
		     ranges->list[i].first_port <= port && ranges->list[i].last_port >= port;
	return n;
}

static bool is_named(const struct spec_egress_rule *rules, uint8_t last_byte, uint16_t port)
{
	for (size_t i = 0; i < RULES; i++)
		if ((last_byte & (0xff << (32 - rules[i].length))) == rules[i].address[3] &&
		    rules[i].first <= port && rules[i].last >= port)
			return true;
	return false;
}

static void ranges_are_the_rules_and_do_not_meet(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct spec_egress_rule rules[RULES];
		struct egress_ranges ranges = {.list = NULL};

		for (size_t i = 0; i < RULES; i++)
			rules[i] = random_rule();
		assert_int_equal(egress_ranges_add(rules, RULES, AF_INET, IPPROTO_TCP, &ranges), 0);
		for (unsigned byte = 0; byte < 32; byte++)
			for (uint16_t port = 0; port < 32; port++)
				assert_int_equal(count_ranges(&ranges, (uint8_t)byte, port),
						 is_named(rules, (uint8_t)byte, port));
		egress_ranges_free(&ranges);
	}
}

static void only_of_that_family_and_protocol(void **state)
{
	const struct spec_egress_rule rules[] = {
		{.family = AF_INET, .protocol = IPPROTO_TCP, .last = UINT16_MAX},
		{.family = AF_INET6, .protocol = IPPROTO_TCP, .last = UINT16_MAX},
		{.family = AF_INET, .protocol = IPPROTO_UDP, .first = 53, .last = 53},
	};
	struct egress_ranges ranges = {.list = NULL};
	static const uint8_t all4[16] = {0xff, 0xff, 0xff, 0xff};

	(void)state;
	assert_int_equal(egress_ranges_add(rules, 3, AF_INET, IPPROTO_TCP, &ranges), 0);
	assert_int_equal(ranges.n, 1);
	assert_memory_equal(ranges.list[0].last, all4, sizeof(all4));
	assert_int_equal(egress_ranges_add(rules, 3, AF_INET6, IPPROTO_TCP, &ranges), 0);
	assert_int_equal(ranges.n, 2);
	assert_int_equal(ranges.list[1].last[15], 0xff);
	assert_int_equal(egress_ranges_add(rules, 3, AF_INET, IPPROTO_UDP, &ranges), 0);
	assert_int_equal(ranges.n, 3);
	assert_int_equal(ranges.list[2].first_port, 53);
	egress_ranges_free(&ranges);
}

/* Each /32 with ports of its own below each /24: what grows is bounded. */
static void too_many_pieces_are_an_error(void **state)
{
	enum { N = 600 };
	static struct spec_egress_rule rules[N];
	struct egress_ranges ranges = {.list = NULL};

	(void)state;
	for (size_t i = 0; i < N; i++)
		rules[i] = (struct spec_egress_rule){.family = AF_INET,
						     .address = {10, 0,
								 (uint8_t)(i < N / 2 ? i >> 8 : 0),
								 (uint8_t)(i < N / 2 ? i : 0)},
						     .length = i < N / 2 ? 32 : 16,
						     .protocol = IPPROTO_TCP,
						     .first = (uint16_t)(1 + 2 * i),
						     .last = (uint16_t)(1 + 2 * i)};
	assert_int_equal(egress_ranges_add(rules, N, AF_INET, IPPROTO_TCP, &ranges), -E2BIG);
	egress_ranges_free(&ranges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_the_rules_and_do_not_meet),
		cmocka_unit_test(only_of_that_family_and_protocol),
		cmocka_unit_test(too_many_pieces_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
