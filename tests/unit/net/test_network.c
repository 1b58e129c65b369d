/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/network.c: the rules of a network, and its record. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "net/network.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void set(struct net_prefix *prefix, const char *text)
{
	if (text == NULL)
		return;
	if (strchr(text, '/') != NULL)
		assert_int_equal(address_parse_prefix(text, prefix), 0);
	else
		assert_int_equal(address_parse(text, prefix), 0);
}

static struct network make(const char *subnet, const char *gateway, const char *range)
{
	struct network network = {.id = "0123456789abcdef",
				  .name = "web",
				  .driver = NETWORK_BRIDGE,
				  .bridge = "cd-0123",
				  .is_own = true,
				  .icc = true,
				  .mtu = 1500,
				  .created_ms = 7};

	set(&network.subnet, subnet);
	set(&network.gateway, gateway);
	set(&network.range, range);
	return network;
}

static void completes(void **state)
{
	static const struct {
		const char *subnet, *gateway, *range;
		const char *wrong; /* NULL: nothing */
	} rows[] = {
		{"10.1.0.0/16", NULL, NULL, NULL},
		{"10.1.0.0/16", "10.1.255.254", "10.1.2.0/24", NULL},
		{"10.1.0.1/16", NULL, NULL, "bits set"},
		{"8.8.8.0/24", NULL, NULL, "not a private"},
		{"10.1.0.0/30", NULL, NULL, "too small"},
		{"10.1.0.0/16", "10.2.0.1", NULL, "--gateway"},
		{"10.1.0.0/16", "10.1.0.0", NULL, "--gateway"},
		{"10.1.0.0/16", "10.1.255.255", NULL, "--gateway"},
		{"10.1.0.0/16", NULL, "10.2.0.0/24", "--ip-range"},
		{"10.1.0.0/16", NULL, "10.1.0.1/24", "--ip-range"},
		{"10.1.0.0/16", NULL, "10.0.0.0/8", "--ip-range"},
		{NULL, "10.1.0.1", NULL, "--subnet"},
		{NULL, NULL, "10.1.0.0/24", "--subnet"},
	};
	struct network network;
	struct err err;
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		network = make(rows[i].subnet, rows[i].gateway, rows[i].range);
		if (rows[i].wrong == NULL) {
			assert_int_equal(network_complete(&network, &err), 0);
			continue;
		}
		assert_true(network_complete(&network, &err) < 0);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, rows[i].wrong));
	}
	network = make("10.1.0.0/16", NULL, NULL);
	assert_int_equal(network_complete(&network, &err), 0);
	address_format_prefix(&network.gateway, text);
	assert_string_equal(text, "10.1.0.1/32");
	assert_true(address_equal(&network.range, &network.subnet));
	network.mtu = 1279;
	assert_true(network_complete(&network, &err) < 0);
}

static void names(void **state)
{
	static const char *const good[] = {"web", "0", "a.b-c_d", "A"};
	static const char *const bad[] = {"", ".a", "-a", "a/b", "a b", "container:x", "\303\244"};
	char longest[NETWORK_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < N(good); i++)
		assert_true(network_is_name(good[i]));
	for (size_t i = 0; i < N(bad); i++)
		assert_false(network_is_name(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[NETWORK_NAME_MAX + 1] = '\0';
	assert_false(network_is_name(longest));
	longest[NETWORK_NAME_MAX] = '\0';
	assert_true(network_is_name(longest));
	assert_non_null(network_built_in("bridge"));
	assert_null(network_built_in("web"));
	assert_non_null(network_driver_of_docker("overlay"));
	assert_null(network_driver_of_docker("bridge"));
}

static void labels(void **state)
{
	struct network network = make("10.1.0.0/16", NULL, NULL);
	char big[NETWORK_LABELS_MAX + 1];
	size_t at = 0;

	(void)state;
	assert_int_equal(network_add_label(&network, "a=b c"), 0);
	assert_int_equal(network_add_label(&network, "empty"), 0);
	assert_int_equal(network_add_label(&network, "=b"), -EINVAL);
	assert_int_equal(network_add_label(&network, "a b=c"), -EINVAL);
	assert_int_equal(network_add_label(&network, "a=b\nend"), -EINVAL);
	assert_int_equal(network_add_label(&network, "a=\033[2J"), -EINVAL);
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(network_add_label(&network, big), -ENOSPC);
	assert_string_equal(network_next_label(&network, &at), "a=b c");
	assert_string_equal(network_next_label(&network, &at), "empty=");
	assert_null(network_next_label(&network, &at));
}

static void records(void **state)
{
	struct network network = make("10.1.0.0/16", NULL, NULL), again;
	char text[NETWORK_TEXT_MAX], broken[NETWORK_TEXT_MAX];
	struct err err;
	size_t len;

	(void)state;
	set(&network.subnet6, "fd00:1::/64");
	assert_int_equal(network_complete(&network, &err), 0);
	assert_int_equal(network_add_label(&network, "team=a"), 0);
	network.egress = (struct spec_traffic){.rate_bits = 10000000};
	network.ingress = (struct spec_traffic){.rate_bits = 8000, .burst_bytes = 4096};
	len = network_format(&network, text);
	assert_int_equal(network_parse(text, &again), 0);
	assert_int_equal(network_format(&again, broken), len);
	assert_string_equal(text, broken);
	assert_int_equal(again.egress.rate_bits, 10000000);
	assert_int_equal(again.ingress.burst_bytes, 4096);
	/* Cut off anywhere, it is not whole. */
	for (size_t cut = 0; cut < len; cut++) {
		str_format(broken, sizeof(broken), "%.*s", (int)cut, text);
		assert_int_equal(network_parse(broken, &again), -EBADMSG);
	}
	str_format(broken, sizeof(broken), "%sx", text);
	assert_int_equal(network_parse(broken, &again), -EBADMSG);
	network.ingress.burst_bytes = 8000 / 8 * SPEC_BURST_SECONDS + 1;
	network_format(&network, broken);
	assert_int_equal(network_parse(broken, &again), -EBADMSG);
	str_format(broken, sizeof(broken), "cordon-network 2\nend\n");
	assert_int_equal(network_parse(broken, &again), -EPROTONOSUPPORT);
}

/* What a record may not say, whoever wrote it. */
static void records_lead_nowhere(void **state)
{
	static const struct {
		const char *name, *bridge, *gateway;
	} rows[] = {
		{"../web", "cd-1", NULL}, {"web", "../lo", NULL},      {"web", "", NULL},
		{"web", "..", NULL},      {"web", "cd-1", "10.9.0.1"},
	};
	struct network network, again;
	char text[NETWORK_TEXT_MAX];
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		network = make("10.1.0.0/16", NULL, NULL);
		assert_int_equal(network_complete(&network, &err), 0);
		str_format(network.name, sizeof(network.name), "%s", rows[i].name);
		str_format(network.bridge, sizeof(network.bridge), "%s", rows[i].bridge);
		set(&network.gateway, rows[i].gateway);
		network_format(&network, text);
		assert_int_equal(network_parse(text, &again), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completes),
		cmocka_unit_test(names),
		cmocka_unit_test(labels),
		cmocka_unit_test(records),
		cmocka_unit_test(records_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
