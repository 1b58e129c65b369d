/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/mounts.c: what is mounted at the usual places, as lines of mountinfo, and when the answer
 * is no. Who answers is the test. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cgroup/table.h"

#define N(array)        (sizeof(array) / sizeof((array)[0]))
#define BIT(controller) (1U << CGROUP_##controller)

#define ON_V1 "9:name=systemd:/x\n8:pids:/\n6:freezer:/\n4:memory:/a\n2:cpu,cpuacct:/\n0::/\n"
#define ON_V2 "0::/user.slice/x\n"
#define MIXED "4:memory:/a\n0::/\n"

/* What is mounted, in this test. */
static struct {
	struct sys_mount v1, v2;
	int result;
	int n_asked;
} host;

static int ask(const char *path, struct sys_mount *ret)
{
	static const char *const names[] = {"pids", "memory", "cpu,cpuacct"};
	char there[64];

	host.n_asked++;
	if (str_equal(path, "/sys/fs/cgroup")) {
		*ret = host.v2;
		return host.result;
	}
	for (size_t i = 0; i < N(names); i++) {
		str_format(there, sizeof(there), "/sys/fs/cgroup/%s", names[i]);
		if (!str_equal(path, there))
			continue;
		*ret = host.v1;
		if (ret->options[0] == '\0')
			str_format(ret->options, sizeof(ret->options), "%s", names[i]);
		return host.result;
	}
	return -ENOENT;
}

static int usual_host(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	host.v1 = (struct sys_mount){.type = "cgroup", .root = "/"};
	host.v2 = (struct sys_mount){.type = "cgroup2", .root = "/", .options = "nsdelegate"};
	return 0;
}

static bool lines(const char *self, uint32_t wanted, char *buf, size_t size)
{
	return cgroup_usual_mounts(self, wanted, ask, buf, size);
}

static void usual(void **state)
{
	char text[1024];

	(void)state;
	assert_true(lines(ON_V1, BIT(PIDS) | BIT(MEMORY), text, sizeof(text)));
	assert_string_equal(text, "0 0 0:0 / /sys/fs/cgroup/pids rw - cgroup none rw,pids\n"
				  "0 0 0:0 / /sys/fs/cgroup/memory rw - cgroup none rw,memory\n");
	assert_int_equal(host.n_asked, 2);
	assert_true(lines(ON_V1, BIT(CPUACCT), text, sizeof(text)));
	assert_string_equal(
		text, "0 0 0:0 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup none rw,cpu,cpuacct\n");
	str_format(host.v2.root, sizeof(host.v2.root), "/docker/1");
	assert_true(lines(ON_V2, BIT(PIDS) | BIT(CPUACCT), text, sizeof(text)));
	assert_string_equal(text,
			    "0 0 0:0 /docker/1 /sys/fs/cgroup rw - cgroup2 none rw,nsdelegate\n");
	host.v2.options[0] = '\0';
	assert_true(lines(ON_V2, BIT(PIDS), text, sizeof(text)));
	assert_string_equal(text, "0 0 0:0 /docker/1 /sys/fs/cgroup rw - cgroup2 none rw,\n");
}

/* Where part of it is elsewhere, all of mountinfo is read. */
static void elsewhere(void **state)
{
	char text[1024];

	(void)state;
	/* No hierarchy of v1 has it, and another has something: v2 may, or not. */
	assert_false(lines(ON_V1, BIT(IO), text, sizeof(text)));
	assert_false(lines(ON_V1, BIT(PIDS) | BIT(IO), text, sizeof(text)));
	assert_false(lines(MIXED, BIT(PIDS), text, sizeof(text)));
	assert_false(lines("5:cpuset:/\n", BIT(CPUSET), text, sizeof(text)));
	/* Controls. */
	assert_true(lines(ON_V1, BIT(PIDS), text, sizeof(text)));
	assert_true(lines(MIXED, BIT(MEMORY), text, sizeof(text)));
	/* No room for all of it. */
	assert_false(lines(ON_V1, BIT(PIDS) | BIT(MEMORY), text, 80));
	assert_false(lines(ON_V1, BIT(PIDS) | BIT(MEMORY), text, 57));
	assert_false(lines(ON_V2, BIT(PIDS), text, 20));
}

static void other_answers(void **state)
{
	static const struct {
		struct sys_mount mount;
		int result;
	} rows[] = {
		{{.type = "cgroup", .root = "/"}, -ENOSYS},
		{{.type = "cgroup", .root = "/"}, -EINVAL},
		{{.type = "tmpfs", .root = "/"}, 0},
		{{.type = "cgroup2", .root = "/"}, 0},
		{{.type = "cgroup", .root = ""}, 0},
		{{.type = "cgroup", .root = "/a b"}, 0},
		{{.type = "cgroup", .root = "/a\\"}, 0},
		{{.type = "cgroup", .root = "/a\n0 0 0:0 /"}, 0},
		{{.type = "cgroup", .root = "/", .options = "pids\nmemory"}, 0},
	};
	char text[1024];

	for (size_t i = 0; i < N(rows); i++) {
		usual_host(state);
		host.v1 = rows[i].mount;
		host.result = rows[i].result;
		assert_false(lines(ON_V1, BIT(PIDS), text, sizeof(text)));
	}
	usual_host(state);
	str_format(host.v2.type, sizeof(host.v2.type), "tmpfs");
	assert_false(lines(ON_V2, BIT(PIDS), text, sizeof(text)));
	/* Lines that the kernel does not write. */
	usual_host(state);
	assert_false(lines("8\n8:\n8:pids\n:\n\n", BIT(MEMORY), text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(usual, usual_host),
		cmocka_unit_test_setup(elsewhere, usual_host),
		cmocka_unit_test_setup(other_answers, usual_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
