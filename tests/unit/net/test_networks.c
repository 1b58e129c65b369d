/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/store.c, net/lease.c: networks and leases on the disk, and what a crash leaves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "net/store.h"
#include "tests/lib/scratch.h"

static struct scratch scratch;
static struct networks networks;

static int begin(void **state)
{
	char path[PATH_MAX];
	struct err err;

	(void)state;
	scratch_make(&scratch);
	assert_int_equal(networks_open(scratch_path(&scratch, "a/state", path), true, &networks,
				       &err),
			 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	networks_release(&networks);
	scratch_remove(&scratch);
	return 0;
}

static struct network make(const char *name, const char *id, const char *subnet)
{
	struct network network = {.driver = NETWORK_BRIDGE,
				  .is_own = true,
				  .icc = true,
				  .mtu = 1500};
	struct err err;

	str_format(network.id, sizeof(network.id), "%s", id);
	str_format(network.name, sizeof(network.name), "%s", name);
	str_format(network.bridge, sizeof(network.bridge), "cd-%s", name);
	assert_int_equal(address_parse_prefix(subnet, &network.subnet), 0);
	assert_int_equal(address_parse_prefix("fd00:1::/64", &network.subnet6), 0);
	assert_int_equal(network_complete(&network, &err), 0);
	assert_int_equal(networks_add(&networks, &network, &err), 0);
	return network;
}

static void keeps(void **state)
{
	struct network web = make("web", "aa00000000000001", "10.1.0.0/16"), found;
	struct network_list list;
	struct err err;

	(void)state;
	make("db", "ab00000000000001", "10.2.0.0/16");
	assert_int_equal(networks_add(&networks, &web, &err), -EEXIST);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(networks_find(&networks, "web", &found, &err), 0);
	assert_string_equal(found.id, web.id);
	assert_int_equal(networks_find(&networks, "ab", &found, &err), 0);
	assert_string_equal(found.name, "db");
	assert_true(networks_find(&networks, "a", &found, &err) < 0);
	assert_non_null(strstr(err.text, "more than one"));
	assert_int_equal(networks_find(&networks, "other", &found, &err), -ENOENT);
	assert_int_equal(networks_find(&networks, "bridge", &found, &err), 0);
	assert_true(found.is_built_in);
	assert_int_equal(networks_list(&networks, &list, &err), 0);
	assert_int_equal(list.n, 5);
	assert_true(list.list[0].is_built_in && list.list[2].is_built_in);
	assert_string_equal(list.list[3].name, "db");
	network_list_free(&list);
	assert_int_equal(networks_remove(&networks, "web", &err), 0);
	assert_int_equal(networks_remove(&networks, "web", &err), 0);
	assert_int_equal(networks_read(&networks, "web", &found, &err), -ENOENT);
	/* The other one is untouched, and nothing is left of the first. */
	assert_int_equal(networks_read(&networks, "db", &found, &err), 0);
	assert_int_equal(scratch_count(&scratch, "a/state/networks"), 3);
}

/* None is made that no list would have. */
static void has_an_end(void **state)
{
	char name[16], id[NETWORK_ID_LEN + 1], subnet[32];
	struct network one = make("first", "aa00000000000000", "10.0.0.0/24");
	struct network_list list;
	struct err err;

	(void)state;
	for (unsigned i = 1; i < NETWORKS_MAX - 3; i++) {
		str_format(name, sizeof(name), "n%u", i);
		str_format(id, sizeof(id), "aa00000000000%u", 100 + i);
		str_format(subnet, sizeof(subnet), "10.0.%u.0/24", i);
		make(name, id, subnet);
	}
	str_format(one.name, sizeof(one.name), "one-more");
	assert_int_equal(networks_add(&networks, &one, &err), -ENOSPC);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(networks_list(&networks, &list, &err), 0);
	assert_int_equal(list.n, NETWORKS_MAX);
	assert_string_equal(list.list[0].name, "bridge");
	network_list_free(&list);
	assert_int_equal(networks_remove(&networks, "first", &err), 0);
	assert_int_equal(networks_add(&networks, &one, &err), 0);
}

static void says_what_is_damaged(void **state)
{
	struct network found;
	struct network_list list;
	struct err err;

	(void)state;
	make("web", "aa00000000000001", "10.1.0.0/16");
	scratch_file(&scratch, "a/state/networks/web/record", 0600, "cordon-network 1\n");
	assert_int_equal(networks_find(&networks, "web", &found, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "networks/web/record: is damaged"));
	scratch_file(&scratch, "a/state/networks/web/record", 0600, "cordon-network 9\n");
	assert_int_equal(networks_find(&networks, "web", &found, &err), -EPROTONOSUPPORT);
	assert_int_equal(networks_list(&networks, &list, &err), 0);
	assert_int_equal(list.n_damaged, 1);
	assert_int_equal(list.n, 3);
	network_list_free(&list);
}

static void refuses_others_places(void **state)
{
	char path[PATH_MAX];
	struct networks other;
	struct err err;

	(void)state;
	assert_int_equal(networks_open(scratch_path(&scratch, "none", path), false, &other, &err),
			 0);
	assert_int_equal(other.fd, -EBADF);
	scratch_dir(&scratch, "open", 0755);
	assert_true(networks_open(scratch_path(&scratch, "open", path), true, &other, &err) < 0);
	scratch_dir(&scratch, "own", 0700);
	scratch_link(&scratch, "own/networks", "/tmp");
	assert_true(networks_open(scratch_path(&scratch, "own", path), true, &other, &err) < 0);
}

static void take(const struct network *network, const char *holder, bool is_kept, const char *want)
{
	const struct lease_request request = {.holder = holder, .is_kept = is_kept};
	char text[ADDRESS_TEXT_MAX];
	struct lease lease;
	struct err err;

	assert_int_equal(lease_take(&networks, network, &request, &lease, &err), 0);
	address_format_prefix(&lease.address, text);
	assert_string_equal(text, want);
}

static void leases_the_lowest(void **state)
{
	struct network web = make("web", "aa00000000000001", "10.1.0.0/16");
	char text[ADDRESS_TEXT_MAX];
	struct lease lease;
	struct err err;

	(void)state;
	take(&web, "/run/a", false, "10.1.0.2/16");
	take(&web, "/kept/b", true, "10.1.0.3/16");
	take(&web, "/run/c", false, "10.1.0.4/16");
	/* Who is kept has the same one again, who is not may be anybody. */
	take(&web, "/kept/b", true, "10.1.0.3/16");
	take(&web, "/run/a", false, "10.1.0.5/16");
	/* Of another's nothing is given back. */
	assert_int_equal(lease_release(&networks, "web", "10.1.0.2", "/run/c", &err), 0);
	assert_int_equal(lease_release(&networks, "web", "../record", "/run/c", &err), 0);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.2", "/run/a", &err), 1);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.2", "/run/a", &err), 0);
	take(&web, "/run/d", false, "10.1.0.2/16");

	assert_true(lease_of(&web, "10.1.0.3", &lease));
	address_format_prefix(&lease.address6, text);
	assert_string_equal(text, "fd00:1::3/64");
	assert_int_equal(lease.mac[5], 3);
	assert_false(lease_of(&web, "10.2.0.3", &lease));
	assert_false(lease_of(&web, "nonsense", &lease));
}

/* What somebody asks for: in the subnet, nobody's, and of both families the same number. */
static void leases_what_is_asked_for(void **state)
{
	static const struct {
		const char *ip, *ip6;
		int result;
		const char *text;
	} rows[] = {
		{"10.1.0.9", NULL, 0, "10.1.0.9"},
		{"10.1.0.9", "", 0, "10.1.0.9"},
		{NULL, "fd00:1::a", 0, "10.1.0.10"},
		{"10.1.0.11", "fd00:1::b", 0, "10.1.0.11"},
		{"10.1.0.11", "fd00:1::c", -EADDRNOTAVAIL, "another number than --ip"},
		{"10.1.0.1", NULL, -EADDRNOTAVAIL, "the gateway's"},
		{"10.1.0.0", NULL, -EADDRNOTAVAIL, "the subnet's own"},
		{"10.1.0.255", NULL, -EADDRNOTAVAIL, "the subnet's own"},
		{"10.2.0.9", NULL, -EADDRNOTAVAIL, "is not in its subnet"},
		{NULL, "fd00:2::9", -EADDRNOTAVAIL, "is not in its subnet"},
		{NULL, "fd00:1::1:9", -EADDRNOTAVAIL, "no such number"},
		{"10.1.0.66", NULL, -EADDRINUSE, "address 10.1.0.66: other has it"},
	};
	struct network web = make("web", "aa00000000000001", "10.1.0.0/24");
	struct lease_request request = {.holder = "/kept/other", .ip = "10.1.0.66"};
	char text[ADDRESS_TEXT_MAX];
	struct lease lease;
	struct err err;

	(void)state;
	assert_int_equal(lease_take(&networks, &web, &request, &lease, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request = (struct lease_request){.holder = "/kept/a",
						 .is_kept = true,
						 .ip = rows[i].ip,
						 .ip6 = rows[i].ip6};
		if (lease_take(&networks, &web, &request, &lease, &err) != rows[i].result)
			fail_msg("%zu: %s", i, err.text);
		if (rows[i].result < 0) {
			assert_non_null(strstr(err.text, rows[i].text));
			continue;
		}
		address_format(&lease.address, text);
		assert_string_equal(text, rows[i].text);
	}
	/* It has but the last of them. */
	assert_int_equal(lease_release(&networks, "web", "10.1.0.9", "/kept/a", &err), 0);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.11", "/kept/a", &err), 1);
}

static void ends(void **state)
{
	struct network web = make("web", "aa00000000000001", "10.1.0.0/29");
	const struct lease_request request = {.holder = "/run/x"};
	struct lease lease;
	struct err err;

	(void)state;
	/* 8 addresses: the subnet's, the gateway's, five, broadcast. */
	for (int i = 0; i < 5; i++)
		assert_int_equal(lease_take(&networks, &web, &request, &lease, &err), 0);
	assert_int_equal(lease_take(&networks, &web, &request, &lease, &err), -EADDRNOTAVAIL);
	assert_non_null(strstr(err.text, "no address is free"));
}

static void sweeps(void **state)
{
	struct network web = make("web", "aa00000000000001", "10.1.0.0/16");
	char prefix[PATH_MAX], alive[PATH_MAX], dead[PATH_MAX], below[PATH_MAX];
	const char *prefixes[] = {prefix, NULL};
	uint32_t n = 0;
	struct err err;

	(void)state;
	scratch_dir(&scratch, "runs", 0700);
	scratch_dir(&scratch, "runs/alive", 0700);
	str_format(prefix, sizeof(prefix), "%s/", scratch_path(&scratch, "runs", alive));
	take(&web, scratch_path(&scratch, "runs/alive", alive), false, "10.1.0.2/16");
	take(&web, scratch_path(&scratch, "runs/dead", dead), false, "10.1.0.3/16");
	take(&web, scratch_path(&scratch, "runs/dead/b", below), false, "10.1.0.4/16");
	take(&web, "/elsewhere/dead", false, "10.1.0.5/16");
	scratch_dir(&scratch, "a/state/networks/.new-1", 0700);
	scratch_dir(&scratch, "a/state/networks/.old-2", 0700);
	scratch_file(&scratch, "a/state/networks/.old-2/record", 0600, "");
	scratch_dir(&scratch, "a/state/networks/.old-2/leases", 0700);
	scratch_link(&scratch, "a/state/networks/.old-2/leases/10.0.0.2", "/x");
	assert_int_equal(networks_sweep(&networks, prefixes, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.2", alive, &err), 1);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.3", dead, &err), 0);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.4", below, &err), 1);
	assert_int_equal(lease_release(&networks, "web", "10.1.0.5", "/elsewhere/dead", &err), 1);
	n = 0;
	assert_int_equal(networks_sweep(&networks, prefixes, &n, &err), 0);
	assert_int_equal(n, 0);
}

static void locks(void **state)
{
	_cleanup_fd_ int fd = -EBADF;
	struct err err;

	(void)state;
	fd = networks_lock(&networks, &err);
	assert_true(fd >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps, begin, end),
		cmocka_unit_test_setup_teardown(has_an_end, begin, end),
		cmocka_unit_test_setup_teardown(says_what_is_damaged, begin, end),
		cmocka_unit_test_setup_teardown(refuses_others_places, begin, end),
		cmocka_unit_test_setup_teardown(leases_the_lowest, begin, end),
		cmocka_unit_test_setup_teardown(leases_what_is_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(ends, begin, end),
		cmocka_unit_test_setup_teardown(sweeps, begin, end),
		cmocka_unit_test_setup_teardown(locks, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
