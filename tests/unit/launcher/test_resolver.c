/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/resolver_upstreams.c: the host's resolv.conf(5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/resolver.h"

#define V4 "00000000000000000000ffff"

static void reads(const char *text, const char *wanted)
{
	char got[RESOLVER_UPSTREAMS_SIZE];

	resolver_read_upstreams(text, got);
	assert_string_equal(got, wanted);
}

static void reads_name_servers(void **state)
{
	(void)state;
	reads("", "");
	reads("# nameserver 1.2.3.4\n;nameserver 1.2.3.4\nsearch example\noptions ndots:1\n", "");
	reads("nameserver 127.0.0.53\n", V4 "7f00003500000000");
	reads("nameserver\t 192.0.2.1 # a\r\nsearch x\nnameserver 2001:db8::1",
	      V4 "c000020100000000"
		 "20010db800000000000000000000000100000000");
	reads("nameserver fe80::1%7\n", "fe80000000000000000000000000000100000007");
	reads("nameserver fe80::1%lo\n", "fe80000000000000000000000000000100000001");
	/* As many as the libc takes. */
	reads("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n",
	      V4 "0101010100000000" V4 "0101010200000000" V4 "0101010300000000");
	reads("nameservers 1.1.1.1\nnameserver 1.1.1\nnameserver host\nnameserver \nnameserver",
	      "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_name_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
