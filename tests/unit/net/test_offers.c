/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* net/offers.c: what those who are linked to a sandbox are told of it. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/offers.h"

static const char *const variables[] = {"PATH=/bin", "A=b=c", "EMPTY=", NULL};
static const struct spec_exposed ports[] = {{53, IPPROTO_UDP}, {5432, IPPROTO_TCP}};

static char run[] = "/tmp/test_offers.XXXXXX";

static void path_of(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s/%s", run, name);
}

static int begin(void **state)
{
	char path[128];

	(void)state;
	if (mkdtemp(run) == NULL)
		return -1;
	path_of("runs", path, sizeof(path));
	if (mkdir(path, 0700) != 0)
		return -1;
	path_of("runs/1", path, sizeof(path));
	return mkdir(path, 0700);
}

static int end(void **state)
{
	static const char *const names[] = {"runs/1/" OFFERS_FILE, "runs/1", "runs", ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(names[i], path, sizeof(path));
		remove(path);
	}
	return 0;
}

static void put(const char *bytes, size_t len)
{
	char path[128];
	FILE *file;

	path_of("runs/1/" OFFERS_FILE, path, sizeof(path));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void put_spec(const char *network)
{
	struct sandbox_spec spec = {.process = {.hostname = "me", .envp = variables},
				    .network = {.n_endpoints = 1,
						.exposed = ports,
						.n_exposed = 2}};
	char *bytes;
	ssize_t len;

	spec.network.endpoints[0].network = network;
	len = offers_format(&spec, &bytes);
	assert_true(len > 0);
	put(bytes, (size_t)len);
	free(bytes);
}

static void what_is_said_is_read(void **state)
{
	struct spec_exposed port;
	struct offers offers;
	size_t at;

	(void)state;
	put_spec("bridge");
	assert_int_equal(offers_read(run, "1", &offers), 0);
	assert_string_equal(offers.hostname, "me");
	at = offers.ports;
	assert_true(offers_next_port(&offers, &at, &port));
	assert_int_equal(port.port, 53);
	assert_int_equal(port.protocol, IPPROTO_UDP);
	assert_true(offers_next_port(&offers, &at, &port));
	assert_int_equal(port.port, 5432);
	assert_int_equal(port.protocol, IPPROTO_TCP);
	assert_false(offers_next_port(&offers, &at, &port));
	at = offers.variables;
	for (size_t i = 0; variables[i] != NULL; i++)
		assert_string_equal(offers_next_variable(&offers, &at), variables[i]);
	assert_null(offers_next_variable(&offers, &at));
	offers_free(&offers);
}

/* Where nobody is linked to it by variables they are not written. */
static void elsewhere_no_variables(void **state)
{
	struct offers offers;
	size_t at;

	(void)state;
	put_spec("web");
	assert_int_equal(offers_read(run, "1", &offers), 0);
	at = offers.variables;
	assert_null(offers_next_variable(&offers, &at));
	offers_free(&offers);
}

static void what_is_not_whole_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} broken[] = {{"", 0}, {"me", 2}, {"me\0", 3}, {"me\00080/tcp\0", 10}, {"me\0\0A=b", 7}};
	static const char odd[] = "me\0000/tcp\00065536/tcp\00080/sctp\000x\00080\00081/udp\0";
	struct spec_exposed port;
	struct offers offers;
	size_t at;

	(void)state;
	assert_int_equal(offers_read(run, "2", &offers), -ENOENT);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		put(broken[i].bytes, broken[i].len);
		assert_int_equal(offers_read(run, "1", &offers), -EBADMSG);
	}
	/* With its own NUL the list ends. */
	put(odd, sizeof(odd));
	assert_int_equal(offers_read(run, "1", &offers), 0);
	at = offers.ports;
	assert_true(offers_next_port(&offers, &at, &port));
	assert_int_equal(port.port, 81);
	assert_false(offers_next_port(&offers, &at, &port));
	offers_free(&offers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_read),
		cmocka_unit_test(elsewhere_no_variables),
		cmocka_unit_test(what_is_not_whole_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
