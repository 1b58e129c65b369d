/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/ceiling.c: what users of a host may ask for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/lib/policy_fixture.h"

/* By the fixture, whose first profile it is: the host's ctx. */
static int load_ceiling(void *ctx, struct arena *arena, struct policy_text *ret, struct err *err)
{
	const struct policy_fixture *fixture = ctx;
	const char *text = fixture->profiles[0].text;

	(void)arena;
	if (str_equal(text, "unreadable"))
		return err_set(err, ERR_POLICY, EACCES, "profile /etc/cordon/ceiling.yaml");
	*ret = (struct policy_text){.path = "/etc/cordon/ceiling.yaml",
				    .text = text[0] != '\0' ? text : NULL,
				    .len = strlen(text)};
	return 0;
}

static void init_with(struct policy_fixture *fixture, const char *ceiling)
{
	fixture_init(fixture);
	fixture_profile(fixture, "(the ceiling)", ceiling);
	fixture->host.load_ceiling = load_ceiling;
}

static void lowers_what_nobody_asked_for(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	init_with(&fixture, "cordon: 1\nlimits:\n  nproc: 100\n  wall_time: 30s\n"
			    "  ulimits: {nofile: 64, data: 1GiB, fsize: 2GiB}\n");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(fixture.spec.limits.nproc, 100);
	assert_string_equal(fixture.spec.limits.nproc_origin.file, "/etc/cordon/ceiling.yaml");
	assert_int_equal(fixture.spec.limits.nproc_origin.line, 3);
	assert_int_equal(fixture.spec.limits.wall_time_ms, 30000);
	assert_string_equal(fixture_value(&fixture, "limits.ulimits.nofile"), "64");
	/* One that no profile has, and one that is lower already. */
	assert_string_equal(fixture_value(&fixture, "limits.ulimits.data"), "1GiB");
	assert_string_equal(fixture_value(&fixture, "limits.ulimits.fsize"), "1GiB");
	fixture_release(&fixture);

	/* The control: none. */
	init_with(&fixture, "");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(fixture.spec.limits.nproc, 512);
	fixture_release(&fixture);
}

struct row {
	const char *ceiling;
	int kind;
	const char *flag;
	const char *text; /* of the problem; NULL: admitted */
};

static const struct row rows[] = {
	{"limits: {nproc: 100}", FLAG_SET, "limits.nproc=100", NULL},
	{"limits: {nproc: 100}", FLAG_SET, "limits.nproc=101",
	 "limits.nproc: 101 is more than this host's ceiling, 100"},
	{"limits: {nproc: 100}", FLAG_SET, "limits.nproc=unlimited",
	 "limits.nproc: unlimited is more than this host's ceiling, 100"},
	{"limits: {wall_time: 1m}", FLAG_TIMEOUT, "60s", NULL},
	{"limits: {wall_time: 1m}", FLAG_TIMEOUT, "61s",
	 "limits.wall_time: 61s is more than this host's ceiling, 1m"},
	{"limits: {ulimits: {fsize: 1MiB}}", FLAG_SET, "limits.ulimits.fsize=2MiB",
	 "limits.ulimits.fsize: 2MiB is more than this host's ceiling, 1MiB"},
	{"limits: {memory: 1GiB}", FLAG_SET, "limits.memory=1GiB", NULL},
	{"limits: {memory: 1GiB}", FLAG_SET, "limits.memory=1025MiB",
	 "limits.memory: 1025MiB is more than this host's ceiling, 1GiB"},
	{"limits: {memory: 1GiB}", FLAG_SET, "limits.memory=unlimited",
	 "limits.memory: unlimited is more than this host's ceiling, 1GiB"},
	{"limits: {memory: 1GiB}", FLAG_SET, "when_possible.limits.memory=1GiB", NULL},
	{"limits: {memory: 1GiB}", FLAG_SET, "when_possible.limits.memory=2GiB",
	 "limits.memory: 2GiB is more than this host's ceiling, 1GiB"},
	{"limits: {memory: 1GiB}", FLAG_SET, "limits.swap=1",
	 "limits.swap: 1 is more than this host's ceiling, 0"},
	{"limits: {memory: 1GiB}", FLAG_SET, "limits.swap=unlimited",
	 "limits.swap: unlimited is more than this host's ceiling, 0"},
	{"limits: {memory: 1GiB, swap: unlimited}", FLAG_SET, "limits.swap=unlimited", NULL},
	{"limits: {memory: 1GiB, swap: 1MiB}", FLAG_SET, "limits.swap=1MiB", NULL},
	{"limits: {pids: 10}", FLAG_SET, "limits.pids=11",
	 "limits.pids: 11 is more than this host's ceiling, 10"},
	{"limits: {cpus: 1.5}", FLAG_SET, "limits.cpus=1.5", NULL},
	{"limits: {cpus: 1.5}", FLAG_SET, "limits.cpus=1.51",
	 "limits.cpus: 1.51 is more than this host's ceiling, 1.5"},
	{"limits: {cpu_weight: 50}", FLAG_SET, "limits.cpu_weight=51",
	 "limits.cpu_weight: 51 is more than this host's ceiling, 50"},
	{"limits: {cpu_time: 1m}", FLAG_SET, "limits.cpu_time=61s",
	 "limits.cpu_time: 61s is more than this host's ceiling, 1m"},
	{"limits: {io: {read: 1MiB/s}}", FLAG_SET, "limits.io.read=1024KiB/s", NULL},
	{"limits: {io: {read: 1MiB/s}}", FLAG_SET, "limits.io.read=2MiB/s",
	 "limits.io.read: 2MiB/s is more than this host's ceiling, 1MiB/s"},
	{"limits: {io: {read: 1MiB/s}}", FLAG_SET, "when_possible.limits.io.read=2MiB/s",
	 "limits.io.read: 2MiB/s is more than this host's ceiling, 1MiB/s"},
	{"limits: {cpuset: 0-3}", FLAG_SET, "limits.cpuset=1,3", NULL},
	{"limits: {cpuset: 0-3}", FLAG_SET, "limits.cpuset=3-4",
	 "limits.cpuset: 3-4 is more than this host's ceiling, 0-3"},
	{"limits: {cpuset: 0-3}", FLAG_SET, "limits.cpuset=unlimited",
	 "limits.cpuset: unlimited is more than this host's ceiling, 0-3"},
	{"description: nothing", FLAG_WAIVE, "seccomp.call:ptrace=why", NULL},
	{"waive: {}", FLAG_WAIVE, "seccomp.call:ptrace=why",
	 "the waiver seccomp.call:ptrace may not be used on this host"},
	{"waive: {\"seccomp.call:ptrace\": debuggers}", FLAG_WAIVE, "seccomp.call:ptrace=why",
	 NULL},
	{"waive: {\"seccomp.call:ptrace\": debuggers}", FLAG_WAIVE, "seccomp.call:bpf=why",
	 "the waiver seccomp.call:bpf may not be used on this host"},
	{"waive: {\"seccomp.call:*\": any}", FLAG_WAIVE, "seccomp.call:bpf=why", NULL},
	{"volumes: [/srv]", FLAG_RO, "/srv/data", NULL},
	{"volumes: [/srv]", FLAG_RO, "/srv", NULL},
	{"volumes: [/srv]", FLAG_RO, "/srv2", "/srv2 may not be shown on this host"},
	{"volumes: [/srv]", FLAG_RO, "/srv/../etc", "/etc may not be shown on this host"},
	{"volumes: [/srv]", FLAG_RW, "/srv/data",
	 "/srv/data may not be shown writable on this host"},
	{"volumes: [/srv, \"/srv/out:rw\"]", FLAG_RW, "/srv/out/x", NULL},
	{"volumes: []", FLAG_SET, "secrets=[/srv/key]", "/srv/key may not be shown on this host"},
	{"volumes: [/img]", FLAG_SET, "rootfs={from: \"dir:/srv/r\"}",
	 "/srv/r may not be shown on this host"},
};

static void refuses_what_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct policy_problem *problem;
		struct policy_fixture fixture;
		char ceiling[256];

		str_format(ceiling, sizeof(ceiling), "cordon: 1\n%s\n", rows[i].ceiling);
		init_with(&fixture, ceiling);
		fixture_flag(&fixture, rows[i].kind, rows[i].flag);
		if (fixture_resolve(&fixture, NULL) == 0) {
			assert_null(rows[i].text);
		} else {
			problem = fixture_problem(&fixture, "ceiling");
			assert_non_null(problem);
			assert_non_null(rows[i].text);
			assert_string_equal(problem->text, rows[i].text);
			assert_int_equal(fixture.problems.n, 1);
		}
		fixture_release(&fixture);
	}
}

/* What the ceiling has and nobody asks for is required; a wish below it is, too. */
static void limits_are_required(void **state)
{
	static const struct {
		const char *ceiling;
		const char *flag;
		enum spec_limit limit;
		enum spec_demand demand;
		uint64_t value;
		const char *file;
	} wanted[] = {
		{"memory: 4MiB", NULL, LIMIT_MEMORY, DEMAND_REQUIRED, 4 << 20,
		 "/etc/cordon/ceiling.yaml"},
		{"memory: 4MiB", NULL, LIMIT_SWAP, DEMAND_REQUIRED, 0, "/etc/cordon/ceiling.yaml"},
		{"memory: 4MiB, swap: 1k", NULL, LIMIT_SWAP, DEMAND_REQUIRED, 0,
		 "/etc/cordon/ceiling.yaml"},
		{"memory: 4MiB", "when_possible.limits.memory=2MiB", LIMIT_MEMORY, DEMAND_REQUIRED,
		 2 << 20, "command line"},
		{"memory: 4MiB", "limits.memory=2MiB", LIMIT_MEMORY, DEMAND_REQUIRED, 2 << 20,
		 "command line"},
		{"io: {write: 4k/s}", NULL, LIMIT_IO_WRITE, DEMAND_REQUIRED, 4096,
		 "/etc/cordon/ceiling.yaml"},
		{"io: {write: 4k/s}", "when_possible.limits.io.write=1k/s", LIMIT_IO_WRITE,
		 DEMAND_REQUIRED, 1024, "command line"},
		{"cpuset: 0-3", NULL, LIMIT_CPUSET, DEMAND_REQUIRED, 0, "/etc/cordon/ceiling.yaml"},
		/* A group that is given no weight has 100. */
		{"cpu_weight: 99", NULL, LIMIT_CPU_WEIGHT, DEMAND_REQUIRED, 99,
		 "/etc/cordon/ceiling.yaml"},
		{"cpu_weight: 100", NULL, LIMIT_CPU_WEIGHT, DEMAND_NONE, 0, NULL},
		/* Controls: a wish where the ceiling says nothing stays one. */
		{"pids: 4", "when_possible.limits.memory=2MiB", LIMIT_MEMORY, DEMAND_WHEN_POSSIBLE,
		 2 << 20, "command line"},
		{"memory: unlimited", "when_possible.limits.memory=2MiB", LIMIT_MEMORY,
		 DEMAND_WHEN_POSSIBLE, 2 << 20, "command line"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct policy_fixture fixture;
		const struct spec_total *total;
		char ceiling[256];

		print_message("%s, %s\n", wanted[i].ceiling, wanted[i].flag);
		str_format(ceiling, sizeof(ceiling), "cordon: 1\nlimits: {%s}\n",
			   wanted[i].ceiling);
		init_with(&fixture, ceiling);
		if (wanted[i].flag != NULL)
			fixture_flag(&fixture, FLAG_SET, wanted[i].flag);
		assert_int_equal(fixture_resolve(&fixture, NULL), 0);
		total = &fixture.spec.limits.total[wanted[i].limit];
		assert_int_equal(total->demand, wanted[i].demand);
		if (wanted[i].demand != DEMAND_NONE) {
			assert_int_equal(total->value, wanted[i].value);
			assert_string_equal(total->origin.file, wanted[i].file);
		}
		fixture_release(&fixture);
	}
}

static void own_profiles_are_bound(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	init_with(&fixture, "cordon: 1\nlimits: {nproc: 100}\n");
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nextends: default\nlimits: {nproc: 400}\n"),
			 -EINVAL);
	assert_int_equal(fixture_problem(&fixture, "ceiling")->origin.line, 3);
	fixture_release(&fixture);
}

static void mistakes_in_it(void **state)
{
	static const char *const wrong[] = {"unreadable",
					    "limits: {nproc: 1}\n",
					    "cordon: 1\nlimits: {nproc: x}\n",
					    "cordon: 1\nseccomp: {default: allow}\n",
					    "cordon: 1\nvolumes: [srv]\n",
					    "cordon: 1\nvolumes: [{source: /srv}]\n",
					    "cordon: [\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct policy_fixture fixture;

		init_with(&fixture, wrong[i]);
		assert_int_equal(fixture_resolve(&fixture, NULL), -EINVAL);
		fixture_release(&fixture);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowers_what_nobody_asked_for),
		cmocka_unit_test(mistakes_in_it),
		cmocka_unit_test(limits_are_required),
		cmocka_unit_test(own_profiles_are_bound),
		cmocka_unit_test(refuses_what_is_asked_for),
	};

	return cmocka_run_group_tests_name("policy/ceiling", tests, NULL, NULL);
}
