/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/admission.c: which addresses a name may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launcher/admission.h"

/* The last of what is somebody's, and the first and the last of what is not, of each. */
static const struct {
	const char *address;
	bool is_public;
} addresses[] = {
	{"0.0.0.0", false},
	{"0.255.255.255", false},
	{"1.0.0.0", true},
	{"9.255.255.255", true},
	{"10.0.0.0", false},
	{"10.255.255.255", false},
	{"11.0.0.0", true},
	{"100.63.255.255", true},
	{"100.64.0.0", false},
	{"100.127.255.255", false},
	{"100.128.0.0", true},
	{"126.255.255.255", true},
	{"127.0.0.0", false},
	{"127.255.255.255", false},
	{"128.0.0.0", true},
	{"169.253.255.255", true},
	{"169.254.0.0", false},
	{"169.254.255.255", false},
	{"169.255.0.0", true},
	{"172.15.255.255", true},
	{"172.16.0.0", false},
	{"172.31.255.255", false},
	{"172.32.0.0", true},
	{"191.255.255.255", true},
	{"192.0.0.0", false},
	{"192.0.0.255", false},
	{"192.0.1.0", true},
	{"192.167.255.255", true},
	{"192.168.0.0", false},
	{"192.168.255.255", false},
	{"192.169.0.0", true},
	{"198.17.255.255", true},
	{"198.18.0.0", false},
	{"198.19.255.255", false},
	{"198.20.0.0", true},
	{"223.255.255.255", true},
	{"224.0.0.0", false},
	{"255.255.255.255", false},
	{"::", false},
	{"::1", false},
	{"::ffff:10.0.0.1", false},
	{"0:ffff::", false},
	{"1::", true},
	{"64:ff9a::1", true},
	{"64:ff9b::a00:1", false},
	{"64:ff9b:1::1", false},
	{"64:ff9b:2::1", true},
	{"2001:4860::1", true},
	{"2002:a00:1::1", false},
	{"2003::", true},
	{"fbff::1", true},
	{"fc00::", false},
	{"fdff::1", false},
	{"fe00::1", true},
	{"fe80::1", false},
	{"fec0::1", false},
	{"feff::1", false},
	{"ff00::", false},
	{"ff02::1", false},
};

static void public_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct net_prefix address;

		assert_int_equal(address_parse(addresses[i].address, &address), 0);
		if (admission_is_public(&address) != addresses[i].is_public)
			fail_msg("%s is %s", addresses[i].address,
				 addresses[i].is_public ? "refused" : "taken");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
