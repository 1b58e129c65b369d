/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/hosts.c: the texts of /etc/hosts and /etc/resolv.conf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/hosts.h"

static const char *const servers[] = {"192.0.2.53", "fd00::53"};
static const char *const domains[] = {"a.example", "b.example"};

static void resolv_conf(void **state)
{
	struct spec_network network = {.n_dns = 0};
	char text[RESOLV_TEXT_MAX];

	(void)state;
	/* Of the host's the servers that can be reached from inside, three at most, and no more of
	 * it. */
	hosts_format_resolv(
		&network,
		"# nameserver 192.0.2.9\nnameserver 127.0.0.53\nnameserver ::1\n"
		"nameserver\t192.0.2.1 # one\nnameserverx 192.0.2.8\nnameserver nonsense\n"
		"search secret.example\nnameserver fd00::2\nnameserver 192.0.2.3\n"
		"nameserver 192.0.2.4",
		true, text);
	assert_string_equal(text,
			    "nameserver 192.0.2.1\nnameserver fd00::2\nnameserver 192.0.2.3\n");
	/* Where nothing beyond the network is reached there is none. */
	hosts_format_resolv(&network, "nameserver 192.0.2.1\n", false, text);
	assert_string_equal(text, "");
	network.dns = servers;
	network.n_dns = 2;
	network.dns_search = domains;
	network.n_dns_search = 2;
	hosts_format_resolv(&network, "nameserver 192.0.2.1\n", true, text);
	assert_string_equal(text, "nameserver 192.0.2.53\nnameserver fd00::53\n"
				  "search a.example b.example\n");
}

static void hosts(void **state)
{
	static const struct spec_host more[] = {{"six", "fd00::9"}, {"gw", SPEC_HOST_GATEWAY}};
	struct sandbox_spec spec = {.process = {.hostname = "me"},
				    .network = {.hosts = more, .n_hosts = 2}};
	struct hosts_input input = {.spec = &spec, .n_own = 2};
	char text[HOSTS_TEXT_MAX];
	size_t len;

	(void)state;
	assert_int_equal(address_parse("10.1.0.1", &input.gateway), 0);
	assert_int_equal(address_parse_prefix("10.1.0.2/24", &input.own[0].address), 0);
	assert_int_equal(address_parse_prefix("fd00:1::2/64", &input.own[0].address6), 0);
	assert_int_equal(address_parse_prefix("10.2.0.2/24", &input.own[1].address), 0);
	len = hosts_format(&input, text);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text,
			    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"
			    "fd00::9\tsix\n10.1.0.1\tgw\n10.1.0.2\tme\n10.2.0.2\tme\n"
			    "fd00:1::2\tme\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolv_conf),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
