/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cmd/usage.c: what the kernel counts of links, and numbers as texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/usage.h"

#define HEADS                                                                                      \
	"Inter-|   Receive                                                |  Transmit\n"           \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs " \
	"drop fifo colls carrier compressed\n"

static void links(void **state)
{
	struct link_counts counts = {.received_bytes = -1, .sent_bytes = -1};

	(void)state;
	assert_true(usage_sum_links(HEADS "    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n"
					  "  eth0: 100 2 0 0 0 0 0 0 2000 3 0 0 0 0 0 0\n"
					  "eth1:30 2 0 0 0 0 0 0 4 3 0 0 0 0 0 0\n",
				    &counts));
	assert_int_equal(counts.received_bytes, 130);
	assert_int_equal(counts.sent_bytes, 2004);
	assert_true(usage_sum_links(HEADS "  lo0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0\n", &counts));
	assert_int_equal(counts.received_bytes, 7);
	assert_true(usage_sum_links(HEADS, &counts));
	assert_int_equal(counts.received_bytes, 0);
	assert_false(usage_sum_links("", &counts));
	assert_false(usage_sum_links("one\n", &counts));
	assert_false(usage_sum_links(HEADS "  eth0: 100 2 0 0\n", &counts));
	assert_false(usage_sum_links(HEADS "  eth0: 100 2 0 0 0 0 0 0 2000 3", &counts));
	assert_false(usage_sum_links(HEADS "nothing\n", &counts));
}

static void texts(void **state)
{
	char text[32];

	(void)state;
	usage_size_text(-1, text, sizeof(text));
	assert_string_equal(text, "-");
	usage_size_text(1023, text, sizeof(text));
	assert_string_equal(text, "1023B");
	usage_size_text(1536, text, sizeof(text));
	assert_string_equal(text, "1.5KiB");
	usage_size_text((int64_t)3 << 30, text, sizeof(text));
	assert_string_equal(text, "3.0GiB");
	usage_percent_text(-1, text, sizeof(text));
	assert_string_equal(text, "-");
	usage_percent_text(1234, text, sizeof(text));
	assert_string_equal(text, "12.34%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
