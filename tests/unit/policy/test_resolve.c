/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/resolve*.c, layers.c, merge.c, provenance.c: from profiles to a complete spec. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/ctx.h"
#include "policy/digest.h"
#include "tests/lib/policy_fixture.h"

static const char *environment_value(const struct policy_fixture *fixture, const char *name)
{
	const char *const *entry = fixture->spec.process.envp;
	size_t len = strlen(name);

	for (; *entry != NULL; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	return NULL;
}

static const struct spec_rlimit *limit(const struct policy_fixture *fixture, int resource)
{
	for (size_t i = 0; i < fixture->spec.limits.n_rlimits; i++)
		if (fixture->spec.limits.rlimits[i].resource == resource)
			return &fixture->spec.limits.rlimits[i];
	fail_msg("no limit %d", resource);
	return NULL;
}

static void default_profile(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(fixture.spec.identity.uid, 1000);
	assert_int_equal(fixture.spec.identity.gid, 1000);
	assert_string_equal(fixture.spec.process.hostname, "sandbox");
	assert_string_equal(fixture.spec.process.working_dir, "");
	assert_string_equal(fixture.spec.process.program, "");
	assert_null(fixture.spec.process.argv[0]);
	assert_int_equal(fixture.spec.process.stop_signal, 15);
	assert_int_equal(fixture.spec.process.stop_grace_period_ms, 10000);
	assert_int_equal(fixture.spec.supervision.restart, RESTART_NO);
	assert_string_equal(fixture.spec.supervision.origin.file, "built-in");
	assert_int_equal(fixture.spec.n_labels, 0);
	assert_string_equal(environment_value(&fixture, "HOME"), "/tmp");
	assert_string_equal(environment_value(&fixture, "TERM"), "xterm");
	assert_null(environment_value(&fixture, "SECRET"));
	assert_string_equal(environment_value(&fixture, "PATH"), fixture.spec.process.path);
	assert_int_equal(fixture.spec.rootfs.kind, ROOTFS_HOST);
	assert_int_equal(fixture.spec.rootfs.writable, WRITABLE_NONE);
	assert_int_equal(fixture.spec.rootfs.size_bytes, 16 << 20);
	assert_int_equal(fixture.spec.rootfs.inodes, 8192);
	assert_int_equal(fixture.spec.capabilities, 0);
	assert_int_equal(fixture.spec.limits.nproc, 512);
	assert_int_equal(fixture.spec.limits.wall_time_ms, SPEC_UNLIMITED);
	assert_int_equal(limit(&fixture, RLIMIT_NOFILE)->value, 1024);
	assert_int_equal(limit(&fixture, RLIMIT_FSIZE)->value, 1 << 30);
	assert_int_equal(limit(&fixture, RLIMIT_CORE)->value, 1);
	assert_string_equal(limit(&fixture, RLIMIT_CORE)->name, "core");
	assert_non_null(strstr(fixture_value(&fixture, "limits.ulimits.core"), "0 (set as 1"));
	assert_int_equal(fixture.spec.n_mounts, 1);
	assert_string_equal(fixture.spec.mounts[0].target, "/tmp");
	assert_int_equal(fixture.spec.provenance.n_profiles, 2);
	assert_string_equal(fixture.spec.provenance.profiles[0].path, "profile base");
	assert_string_equal(fixture.spec.provenance.profiles[1].path, "profile default");
	assert_int_equal(strlen(fixture.spec.provenance.profiles[0].digest), 7 + 64);
	fixture_release(&fixture);
}

static void digest(void **state)
{
	static const char text[] = "cordon: 1\nextends: default\n";
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, text), 0);
	/* printf 'cordon: 1\nextends: default\n' | sha256sum */
	assert_string_equal(
		fixture.spec.provenance.profiles[2].digest,
		"sha256:c98064a71da61d98fc2d204710cea162c478fcebc9a989f5de882e815bef7d95");
	fixture_release(&fixture);
}

/* The build's digests of the shipped profiles are those that cordon would take. */
static void shipped_digest(void **state)
{
	struct policy_fixture fixture;
	struct policy_ctx ctx = {.arena = &fixture.arena};

	(void)state;
	fixture_init(&fixture);
	for (size_t i = 0; i < policy_n_shipped_profiles; i++)
		assert_string_equal(policy_shipped_profiles[i].digest,
				    digest_sha256(&ctx, policy_shipped_profiles[i].text,
						  policy_shipped_profiles[i].len));
	fixture_release(&fixture);
}

static void merging(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/sub/mid.yaml",
			"cordon: 1\nextends: default\nprocess: {environment: {A: mid, B: mid}}\n"
			"volumes: [./m:/m]\nlimits: {ulimits: {nofile: 7}}\n");
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nextends: ./sub/mid.yaml\n"
					 "process: {environment: {A: leaf, TERM: dumb, SECRET: }}\n"
					 "+volumes: ['./l:/l']\nlimits: {wall_time: 3s}\n"),
			 0);
	assert_string_equal(environment_value(&fixture, "A"), "leaf");
	assert_string_equal(environment_value(&fixture, "B"), "mid");
	assert_string_equal(environment_value(&fixture, "TERM"), "dumb");
	assert_string_equal(environment_value(&fixture, "SECRET"), "s");
	assert_string_equal(environment_value(&fixture, "HOME"), "/tmp");
	/* The list of mid replaced that of default; the leaf's was appended. */
	assert_int_equal(fixture.spec.n_mounts, 2);
	assert_string_equal(fixture.spec.mounts[0].source, "/ward/project/l");
	assert_string_equal(fixture.spec.mounts[1].source, "/ward/project/sub/m");
	assert_int_equal(limit(&fixture, RLIMIT_NOFILE)->value, 7);
	assert_string_equal(limit(&fixture, RLIMIT_NOFILE)->origin.file,
			    "/ward/project/sub/mid.yaml");
	assert_int_equal(limit(&fixture, RLIMIT_NOFILE)->origin.line, 5);
	assert_int_equal(limit(&fixture, RLIMIT_FSIZE)->value, 1 << 30);
	assert_int_equal(fixture.spec.limits.wall_time_ms, 3000);
	assert_int_equal(fixture.spec.limits.wall_time_origin.line, 5);
	assert_int_equal(fixture.spec.limits.wall_time_origin.column, 21);
	assert_int_equal(fixture.spec.provenance.n_profiles, 4);
	fixture_release(&fixture);
}

static void chains(void **state)
{
	struct policy_fixture fixture;
	char text[12][64];
	char name[12][32];

	(void)state;
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/q.yaml", "cordon: 1\nextends: ./p.yaml\n");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./q.yaml\n"), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "extends-cycle"));
	fixture_release(&fixture);

	fixture_init(&fixture);
	for (size_t i = 0; i < 9; i++) {
		str_format(name[i], sizeof(name[i]), "/ward/project/%zu.yaml", i);
		str_format(text[i], sizeof(text[i]), "cordon: 1\nextends: ./%zu.yaml\n", i + 1);
		fixture_profile(&fixture, name[i], text[i]);
	}
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./0.yaml\n"), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "extends-depth"));
	fixture_release(&fixture);

	fixture_init(&fixture);
	fixture.request.profile = "nobody";
	assert_int_equal(fixture_resolve(&fixture, NULL), -ENOENT);
	assert_int_equal(fixture.problems.n, 0);
	fixture_release(&fixture);

	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, "extends: default\n"), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "no-version"));
	fixture_release(&fixture);
}

/* A parent's mistakes are told too, before the child's. */
static void mistakes_in_order(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_profile(&fixture, "/ward/project/q.yaml", "cordon: 1\nextends: default\nx: 1\n");
	fixture_flag(&fixture, FLAG_TIMEOUT, "x");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: ./q.yaml\ny: 1\n"),
			 -EINVAL);
	assert_int_equal(fixture.problems.n, 3);
	assert_string_equal(fixture.problems.list[0].origin.file, "/ward/project/q.yaml");
	assert_string_equal(fixture.problems.list[1].origin.file, "/ward/project/p.yaml");
	assert_string_equal(fixture.problems.list[2].origin.file, "command line");
	fixture_release(&fixture);
}

static void users(void **state)
{
	static const struct {
		const char *user;
		uint32_t uid;
		uint32_t gid;
	} rows[] = {
		{"5:6", 5, 6},        {"33", 33, 44}, {"web", 33, 44}, {"web:staff", 33, 50},
		{"33:staff", 33, 50}, {"77", 77, 77}, {"0:0", 0, 0},   {"root", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		fixture_init(&fixture);
		fixture_flag(&fixture, FLAG_USER, rows[i].user);
		assert_int_equal(fixture_resolve(&fixture, NULL), 0);
		assert_int_equal(fixture.spec.identity.uid, rows[i].uid);
		assert_int_equal(fixture.spec.identity.gid, rows[i].gid);
		fixture_release(&fixture);
	}
}

/* Names are looked up in the rootfs that is used; ids need no file. */
static void users_of_a_directory(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture,
					 "cordon: 1\nextends: default\nrootfs: {from: dir:/gone}\n"
					 "process: {user: web}\n"),
			 -EINVAL);
	assert_non_null(fixture_problem(&fixture, "no-accounts"));
	fixture_release(&fixture);

	fixture_init(&fixture);
	assert_int_equal(
		fixture_resolve(&fixture,
				"cordon: 1\nextends: default\nrootfs: {from: 'dir:../r'}\n"),
		0);
	assert_int_equal(fixture.spec.rootfs.kind, ROOTFS_DIR);
	assert_string_equal(fixture.spec.rootfs.dir, "/ward/r");
	assert_int_equal(fixture.spec.rootfs.origin.line, 3);
	fixture_release(&fixture);
}

static void path_is_always_there(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nseccomp: {default: allow}\n"), 0);
	assert_string_equal(environment_value(&fixture, "PATH"), "/usr/local/bin:/usr/bin:/bin");
	assert_string_equal(fixture.spec.process.path, "/usr/local/bin:/usr/bin:/bin");
	fixture_release(&fixture);

	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_ENV, "PATH=/opt/x");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_string_equal(fixture.spec.process.path, "/opt/x");
	fixture_release(&fixture);
}

static void small_memory(void **state)
{
	/* Whatever the size, it is an error or a whole spec, never half of one. */
	(void)state;
	for (size_t size = 4096; size < 512 << 10; size += 4096) {
		struct policy_fixture fixture;
		int r;

		fixture_init(&fixture);
		arena_release(&fixture.arena);
		assert_int_equal(arena_init(&fixture.arena, size, &fixture.err), 0);
		r = fixture_resolve(&fixture, "cordon: 1\nextends: default\n"
					      "volumes: ['./a:/b:rw']\n"
					      "waive: {\"seccomp.call:ptrace\": x}\n");
		if (r == 0)
			assert_true(fixture.spec.seccomp.n_calls > 250);
		else
			assert_true(r == -ENOMEM || r == -ENOENT);
		fixture_release(&fixture);
	}
}

static void frozen(void **state)
{
	struct policy_fixture fixture;
	void *program;
	size_t n;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(arena_freeze(&fixture.arena, &fixture.err), 0);
	assert_int_equal(policy_seccomp_compile(&fixture.spec.seccomp, &program, &n, &fixture.err),
			 0);
	free(program);
	fixture_release(&fixture);
}

static void supervision(void **state)
{
	static const struct {
		const char *text;
		enum spec_restart restart;
		uint32_t max;
		uint32_t signal;
		uint64_t grace_ms;
	} rows[] = {
		{"restart: no\nprocess: {stop_signal: SIGINT}", RESTART_NO, 0, 2, 10000},
		{"restart: on-failure\nprocess: {stop_signal: HUP}", RESTART_ON_FAILURE, 0, 1,
		 10000},
		{"restart: on-failure:5\nprocess: {stop_signal: RTMIN+3}", RESTART_ON_FAILURE, 5,
		 37, 10000},
		{"restart: always\nprocess: {stop_signal: RTMAX}", RESTART_ALWAYS, 0, 64, 10000},
		{"restart: unless-stopped\nprocess: {stop_signal: 9, stop_grace_period: 1m}",
		 RESTART_UNLESS_STOPPED, 0, 9, 60000},
		{"process: {stop_signal: SIGRTMAX-1, stop_grace_period: 0}", RESTART_NO, 0, 63, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		char text[256];

		fixture_init(&fixture);
		str_format(text, sizeof(text), "cordon: 1\nextends: default\n%s\n", rows[i].text);
		if (fixture_resolve(&fixture, text) != 0)
			fail_msg("%s: %s", rows[i].text, fixture.err.text);
		assert_int_equal(fixture.spec.supervision.restart, rows[i].restart);
		assert_int_equal(fixture.spec.supervision.restart_max, rows[i].max);
		assert_int_equal(fixture.spec.process.stop_signal, rows[i].signal);
		assert_int_equal(fixture.spec.process.stop_grace_period_ms, rows[i].grace_ms);
		fixture_release(&fixture);
	}
}

static void labels(void **state)
{
	struct policy_fixture fixture;
	char many[8192] = "cordon: 1\nextends: default\nlabels:\n";

	(void)state;
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_SET, "labels.b.c=three");
	assert_int_equal(fixture_resolve(&fixture, "cordon: 1\nextends: default\n"
						   "labels: {z: 1, b.c: 2, a: \"\"}\n"),
			 0);
	assert_int_equal(fixture.spec.n_labels, 3);
	assert_string_equal(fixture.spec.labels[0].name, "a");
	assert_string_equal(fixture.spec.labels[0].value, "");
	assert_string_equal(fixture.spec.labels[1].name, "b.c");
	assert_string_equal(fixture.spec.labels[1].value, "three");
	assert_string_equal(fixture.spec.labels[2].name, "z");
	fixture_release(&fixture);

	for (size_t i = 0, len = strlen(many); i <= SPEC_LABELS_MAX; i++)
		len += str_format(many + len, sizeof(many) - len, "  l%zu: x\n", i);
	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, many), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "too-many"));
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_profile),
		cmocka_unit_test(supervision),
		cmocka_unit_test(labels),
		cmocka_unit_test(digest),
		cmocka_unit_test(shipped_digest),
		cmocka_unit_test(merging),
		cmocka_unit_test(chains),
		cmocka_unit_test(mistakes_in_order),
		cmocka_unit_test(users),
		cmocka_unit_test(users_of_a_directory),
		cmocka_unit_test(path_is_always_there),
		cmocka_unit_test(small_memory),
		cmocka_unit_test(frozen),
	};

	return cmocka_run_group_tests_name("policy/resolve", tests, NULL, NULL);
}
