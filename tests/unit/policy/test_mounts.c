/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* policy/resolve_mounts.c and paths.c: volumes, ${cwd}, --ro and --rw, the program's own file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/ctx.h"
#include "policy/paths.h"
#include "tests/lib/policy_fixture.h"

static int resolve_volumes(struct policy_fixture *fixture, const char *volumes)
{
	static char text[1024];

	str_format(text, sizeof(text), "cordon: 1\nextends: default\nvolumes: %s\n", volumes);
	return fixture_resolve(fixture, text);
}

struct mistake {
	const char *volumes;
	uint32_t column;
	const char *rule;
};

static void assert_mistakes(const struct mistake *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct policy_fixture fixture;

		fixture_init(&fixture);
		if (resolve_volumes(&fixture, rows[i].volumes) != -EINVAL)
			fail_msg("accepted: %s", rows[i].volumes);
		if (fixture.problems.n != 1 ||
		    !str_equal(fixture.problems.list[0].rule, rows[i].rule) ||
		    fixture.problems.list[0].origin.column != rows[i].column)
			fail_msg("%s: %s (%s)", rows[i].volumes, fixture.err.text,
				 fixture.problems.list[0].rule);
		fixture_release(&fixture);
	}
}

static void mistakes(void **state)
{
	static const struct mistake rows[] = {
		{"['./a:/']", 11, "bad-target"},
		{"['./a:b']", 11, "bad-target"},
		{"['./a:/x/..']", 11, "bad-target"},
		{"['./a:/proc']", 11, "bad-target"},
		{"['./a:/x/../proc/sys']", 11, "bad-target"},
		{"['./a:/dev/shm']", 11, "bad-target"},
		{"['./a:/b:rx']", 11, "bad-value"},
		{"['./a:/b:ro:z']", 11, "bad-value"},
		{"['./a']", 11, "bad-value"},
		{"['/proc:/x']", 11, "bad-source"},
		{"['/proc/1:/x']", 11, "bad-source"},
		{"['/sys/fs:/x']", 11, "bad-source"},
		{"['/dev/null:/x']", 11, "bad-source"},
		{"['/:/x']", 11, "bad-source"},
		{"['/x/..:/x']", 11, "bad-source"},
		{"['./a:/b', './c:/b']", 21, "duplicate-target"},
		{"['./a:/b', './c:/x/../b/']", 21, "duplicate-target"},
		{"['${home}/a:/b']", 11, "bad-variable"},
		{"['./${cwd}:/b']", 11, "bad-variable"},
		{"['./a:${home}']", 11, "bad-variable"},
		{"['./a:/b/${cwd}']", 11, "bad-variable"},
		{"[{type: tmpfs, target: '${cwd}x'}]", 33, "bad-variable"},
		{"[{source: ./a}]", 11, "missing-key"},
		{"[{target: /a}]", 11, "missing-key"},
		{"[{type: bind, target: /a}]", 11, "missing-key"},
		{"[{type: tmpfs, target: /a, source: ./b}]", 37, "impossible"},
		{"[{type: bind, source: ./b, target: /a, size: 1k}]", 49, "impossible"},
		{"[{type: tmpfs, target: /a, size: 0}]", 43, "bad-value"},
		{"[{type: tmpfs, target: /a, inodes: 0}]", 45, "bad-value"},
		{"[{type: tmpfs, target: /a, mode: 99}]", 43, "bad-value"},
		{"[{type: tmpfs, target: /a, options: [exec]}]", 47, "bad-value"},
		{"[{type: tmpfs, target: /a, read_only: yes}]", 48, "bad-value"},
	};

	(void)state;
	assert_mistakes(rows, sizeof(rows) / sizeof(rows[0]));
}

static void mistakes_of_protected_paths(void **state)
{
	static const struct mistake rows[] = {
		{"[{type: tmpfs, target: /a, hide_below: [b]}]", 37, "impossible"},
		{"[{source: ./b, target: /a, read_only_below: ['']}]", 55, "bad-path"},
		{"[{source: ./b, target: /a, read_only_below: [.]}]", 55, "bad-path"},
		{"[{source: ./b, target: /a, read_only_below: [..]}]", 55, "bad-path"},
		{"[{source: ./b, target: /a, read_only_below: [/x]}]", 55, "bad-path"},
		{"[{source: ./b, target: /a, read_only_below: [x/]}]", 55, "bad-path"},
		{"[{source: ./b, target: /a, hide_below: [x//y]}]", 50, "bad-path"},
		{"[{source: ./b, target: /a, hide_below: [x/./y]}]", 50, "bad-path"},
		{"[{source: ./b, target: /a, hide_below: [x/../y]}]", 50, "bad-path"},
		{"[{source: ./b, target: /a, hide_below: [x/..]}]", 50, "bad-path"},
		{"[{source: ./b, target: /a, hide_below: [x, x]}]", 53, "duplicate"},
		{"[{source: ./b, target: /a, hide_below: [x, x/y]}]", 53, "duplicate"},
		{"[{source: ./b, target: /a, hide_below: [x/y, x]}]", 55, "duplicate"},
		{"[{source: ./b, target: /a, read_only_below: [x/y, x]}]", 60, "duplicate"},
		{"[{source: ./b, target: /a, read_only_below: [x], hide_below: [x]}]", 72,
		 "duplicate"},
		{"[{source: ./b, target: /a, read_only_below: [x/y], hide_below: [x]}]", 74,
		 "duplicate"},
		{"[{source: ./b, target: /a, read_only_below: [x/y]}, {type: tmpfs, target: /a/x}]",
		 62, "covers-protected"},
		{"[{source: ./b, target: /a, hide_below: [x/y]}, './c:/a/x/y/z']", 57,
		 "covers-protected"},
		{"[{source: ./b, target: /a, hide_below: [x/y]}, './c:/a/x/y']", 57,
		 "covers-protected"},
	};

	(void)state;
	assert_mistakes(rows, sizeof(rows) / sizeof(rows[0]));
}

static void forms(void **state)
{
	static const char text[] =
		"[{type: tmpfs, target: /z/t, size: 1MiB, inodes: 10, mode: 755, options: "
		"[noexec]},"
		" './src:/z', '/srv/x:/a.b:rw', '${cwd}/out:/a/b:rw', "
		"{source: ../up, target: /a, read_only: false}, {type: tmpfs, target: /q}]";
	static const struct {
		const char *source;
		const char *target;
		bool read_only;
	} expected[] = {
		{"/ward/up", "/a", false},         {"/ward/project/out", "/a/b", false},
		{"/srv/x", "/a.b", false},         {"", "/q", false},
		{"/ward/project/src", "/z", true}, {"", "/z/t", false},
	};
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(resolve_volumes(&fixture, text), 0);
	assert_int_equal(fixture.spec.n_mounts, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(fixture.spec.mounts[i].source, expected[i].source);
		assert_string_equal(fixture.spec.mounts[i].target, expected[i].target);
		assert_int_equal(fixture.spec.mounts[i].read_only, expected[i].read_only);
	}
	assert_int_equal(fixture.spec.mounts[5].size_bytes, 1 << 20);
	assert_int_equal(fixture.spec.mounts[5].inodes, 10);
	assert_int_equal(fixture.spec.mounts[5].mode, 0755);
	assert_true(fixture.spec.mounts[5].noexec);
	assert_int_equal(fixture.spec.mounts[3].mode, 01777);
	assert_false(fixture.spec.mounts[3].noexec);
	assert_int_equal(fixture.spec.mounts[0].origin.line, 3);
	fixture_release(&fixture);
}

static void protected_paths(void **state)
{
	static const char text[] =
		"[{source: ./b, target: /a, read_only_below: [x.y, x, .git/hooks, ..x],"
		" hide_below: [x/secret, .env]}, './c:/a/xx', './d:/ab/x']";
	static const struct {
		const char *path;
		enum spec_protection protection;
	} expected[] = {
		{"..x", PROTECT_READ_ONLY},        {".env", PROTECT_HIDDEN},
		{".git/hooks", PROTECT_READ_ONLY}, {"x", PROTECT_READ_ONLY},
		{"x/secret", PROTECT_HIDDEN},      {"x.y", PROTECT_READ_ONLY},
	};
	struct policy_fixture fixture;
	const struct spec_mount *mount;

	(void)state;
	fixture_init(&fixture);
	assert_int_equal(resolve_volumes(&fixture, text), 0);
	mount = &fixture.spec.mounts[0];
	assert_int_equal(mount->n_protected, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(mount->protected[i].path, expected[i].path);
		assert_int_equal(mount->protected[i].protection, expected[i].protection);
		assert_int_equal(mount->protected[i].origin.line, 3);
	}
	assert_int_equal(fixture.spec.mounts[1].n_protected, 0);
	fixture_release(&fixture);
	/* A flag does not put an unprotected mount in its place. */
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_RW, "/ward/b");
	assert_int_equal(resolve_volumes(&fixture, "[{source: ./b, target: /ward/b, "
						   "hide_below: [x]}]"),
			 -EINVAL);
	assert_non_null(fixture_problem(&fixture, "duplicate-target"));
	fixture_release(&fixture);
}

static void secrets(void **state)
{
	static const char text[] = "[./a, {file: /x/b, target: /etc/b}, {file: '${cwd}/c'}]";
	static const char *const expected[][2] = {{"/ward/project/a", "/run/secrets/a"},
						  {"/x/b", "/etc/b"},
						  {"/ward/project/c", "/run/secrets/c"}};
	static const struct {
		const char *list;
		uint32_t column;
		const char *rule;
	} wrong[] = {
		{"[{target: /a}]", 11, "missing-key"},
		{"[./a, {file: ./b, target: /run/secrets/a}]", 16, "duplicate-target"},
		{"[{file: ./b, target: /v}]", 11, "duplicate-target"},
		{"[{file: ./b, target: /run/secrets}]", 11, "bad-target"},
		{"[{file: ./b, target: b}]", 31, "bad-target"},
		{"[{file: ./b, target: /proc/x}]", 31, "bad-target"},
		{"[/]", 11, "bad-target"},
		{"[{file: ./b, mode: 0400}]", 23, "unknown-key"},
	};
	struct policy_fixture fixture;
	char policy[512];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fixture_init(&fixture);
		str_format(policy, sizeof(policy),
			   "cordon: 1\nextends: default\nsecrets: %s\nvolumes: ['./d:/v/w']\n",
			   wrong[i].list);
		assert_int_equal(fixture_resolve(&fixture, policy), -EINVAL);
		if (fixture.problems.n != 1 ||
		    !str_equal(fixture.problems.list[0].rule, wrong[i].rule) ||
		    fixture.problems.list[0].origin.column != wrong[i].column)
			fail_msg("%s: %s (%s)", wrong[i].list, fixture.err.text,
				 fixture.problems.list[0].rule);
		fixture_release(&fixture);
	}
	fixture_init(&fixture);
	str_format(policy, sizeof(policy), "cordon: 1\nextends: default\nsecrets: %s\n", text);
	assert_int_equal(fixture_resolve(&fixture, policy), 0);
	assert_int_equal(fixture.spec.n_secrets, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(fixture.spec.secrets[i].file, expected[i][0]);
		assert_string_equal(fixture.spec.secrets[i].target, expected[i][1]);
	}
	fixture_release(&fixture);
}

static void cwd(void **state)
{
	static const struct {
		const char *cwd;
		bool is_good;
	} rows[] = {
		{"/ward/project", true}, {"/home/u/project", true},
		{"/srv/x", true},        {"/", false},
		{"/home", false},        {"/home/u", false},
		{"/home/other", false},  {"/root", false},
		{"/etc", false},         {"/etc/ssl", false},
		{"/usr/src", false},     {"/proc/1", false},
		{"/tmp", false},         {"/tmp/x", true},
		{"/var", false},         {"", false},
		{"/run/user/0", false},  {"/var/lib/x", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;

		fixture_init(&fixture);
		fixture.host.cwd = rows[i].cwd;
		if ((resolve_volumes(&fixture, "['${cwd}:/src']") == 0) != rows[i].is_good)
			fail_msg("%s: %s", rows[i].cwd, fixture.err.text);
		if (!rows[i].is_good)
			assert_non_null(fixture_problem(&fixture, "cwd"));
		fixture_release(&fixture);
	}
}

/* The variable is the same directory as a target, and refused for the same reasons. */
static void cwd_as_target(void **state)
{
	static const char *const forms[] = {
		"['${cwd}:${cwd}:rw']",
		"[{type: bind, source: '${cwd}', target: '${cwd}', read_only: false}]",
		"[{source: '${cwd}/../project', target: '${cwd}/x/..', read_only: false}]",
	};
	struct policy_fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		fixture_init(&fixture);
		assert_int_equal(resolve_volumes(&fixture, forms[i]), 0);
		assert_string_equal(fixture.spec.mounts[0].source, "/ward/project");
		assert_string_equal(fixture.spec.mounts[0].target, "/ward/project");
		assert_false(fixture.spec.mounts[0].read_only);
		fixture_release(&fixture);
		fixture_init(&fixture);
		fixture.host.cwd = "/root";
		assert_int_equal(resolve_volumes(&fixture, forms[i]), -EINVAL);
		assert_non_null(fixture_problem(&fixture, "cwd"));
		fixture_release(&fixture);
	}
}

static void profile_build(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture.request.profile = "build";
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(fixture.spec.n_mounts, 2);
	assert_string_equal(fixture.spec.mounts[0].target, "/tmp");
	assert_int_equal(fixture.spec.mounts[0].size_bytes, 512 << 20);
	assert_false(fixture.spec.mounts[0].noexec);
	assert_string_equal(fixture.spec.mounts[1].source, "/ward/project");
	assert_string_equal(fixture.spec.mounts[1].target, "/ward/project");
	assert_false(fixture.spec.mounts[1].read_only);
	assert_true(fixture.spec.seccomp.denies_setid_bits);
	fixture_release(&fixture);
}

static void binds_of_flags(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_RO, ".");
	fixture_flag(&fixture, FLAG_RW, "../out/./x");
	fixture_flag(&fixture, FLAG_WAIVE, "host_root_write:/ward/out/x=the build writes there");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	/* /tmp of the profile stays: flags append. */
	assert_int_equal(fixture.spec.n_mounts, 3);
	assert_string_equal(fixture.spec.mounts[0].target, "/tmp");
	assert_string_equal(fixture.spec.mounts[1].source, "/ward/out/x");
	assert_string_equal(fixture.spec.mounts[1].target, "/ward/out/x");
	assert_false(fixture.spec.mounts[1].read_only);
	assert_true(fixture.spec.mounts[1].host_root_write_waived);
	assert_string_equal(fixture.spec.mounts[2].source, "/ward/project");
	assert_true(fixture.spec.mounts[2].read_only);
	assert_false(fixture.spec.mounts[2].host_root_write_waived);
	assert_string_equal(fixture.spec.mounts[2].origin.file, "command line");
	assert_int_equal(fixture.spec.mounts[2].origin.line, 0);
	fixture_release(&fixture);
}

/* `--ro .` in /tmp: the profile's tmpfs there gives way, for the command line is the last layer. */
static void later_layer_replaces(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture.host.cwd = "/tmp";
	fixture_flag(&fixture, FLAG_RO, ".");
	assert_int_equal(fixture_resolve(&fixture, NULL), 0);
	assert_int_equal(fixture.spec.n_mounts, 1);
	assert_int_equal(fixture.spec.mounts[0].type, MOUNT_BIND);
	assert_string_equal(fixture.spec.mounts[0].target, "/tmp");
	fixture_release(&fixture);
	fixture_init(&fixture);
	fixture_flag(&fixture, FLAG_RO, "/a");
	fixture_flag(&fixture, FLAG_RW, "/a");
	assert_int_equal(fixture_resolve(&fixture, NULL), -EINVAL);
	assert_non_null(fixture_problem(&fixture, "duplicate-target"));
	fixture_release(&fixture);
}

static void program(void **state)
{
	static const struct {
		const char *argv0;
		const char *rootfs;
		const char *volumes;
		const char *program;
		bool is_added;
	} rows[] = {
		{"ls", "host", "[]", "ls", false},
		{"./a.out", "host", "[]", "/ward/project/a.out", true},
		{"../a.out", "empty", "[]", "/ward/a.out", true},
		{"./a.out", "dir:/img", "[]", "/ward/project/a.out", false},
		{"/bin/ls", "host", "[]", "/bin/ls", false},
		{"/usr/bin/ls", "host", "[]", "/usr/bin/ls", false},
		{"/usr/bin/ls", "empty", "[]", "/usr/bin/ls", true},
		{"/usrlocal/x", "host", "[]", "/usrlocal/x", true},
		{"./a.out", "host", "['.:/ward/project']", "/ward/project/a.out", false},
		{"/tmp/a.out", "host", "[{type: tmpfs, target: /tmp}]", "/tmp/a.out", true},
		{"/tmp/x/a.out", "host", "[{type: tmpfs, target: /tmp}, './x:/tmp/x']",
		 "/tmp/x/a.out", false},
		{"/proc/self/exe", "host", "[]", "/proc/self/exe", false},
		{"/", "host", "[]", "/", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy_fixture fixture;
		const char *argv[] = {rows[i].argv0, "-l", NULL};
		char text[256];
		bool is_added = false;

		fixture_init(&fixture);
		fixture.request.argv = argv;
		str_format(text, sizeof(text),
			   "cordon: 1\nextends: default\nrootfs: {from: '%s'}\nvolumes: %s\n",
			   rows[i].rootfs, rows[i].volumes);
		if (fixture_resolve(&fixture, text) != 0)
			fail_msg("row %zu: %s", i, fixture.err.text);
		assert_string_equal(fixture.spec.process.argv[0], rows[i].argv0);
		assert_string_equal(fixture.spec.process.argv[1], "-l");
		assert_null(fixture.spec.process.argv[2]);
		assert_string_equal(fixture.spec.process.program, rows[i].program);
		for (size_t j = 0; j < fixture.spec.n_mounts; j++) {
			const struct spec_mount *mount = &fixture.spec.mounts[j];

			if (!str_equal(mount->target, rows[i].program))
				continue;
			is_added = true;
			assert_string_equal(mount->source, rows[i].program);
			assert_true(mount->read_only);
			assert_string_equal(mount->origin.file, "command line");
		}
		if (is_added != rows[i].is_added)
			fail_msg("row %zu", i);
		fixture_release(&fixture);
	}
}

static void paths(void **state)
{
	static const char *const rows[][3] = {
		{"/a/b", "c", "/a/b/c"},
		{"/a/b", "../c", "/a/c"},
		{"/a/b", "/c/", "/c"},
		{"/a", "../../..", "/"},
		{"/", ".", "/"},
		{"/a//b/.", "./x//y", "/a/b/x/y"},
		{"/a", "..b/c..", "/a/..b/c.."},
	};
	struct arena arena;
	struct policy_ctx ctx = {.arena = &arena};
	struct err err;

	(void)state;
	assert_int_equal(arena_init(&arena, 1 << 20, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(paths_absolute(&ctx, rows[i][0], rows[i][1]), rows[i][2]);
	assert_true(paths_is_at_or_below("/a/b", "/a"));
	assert_true(paths_is_at_or_below("/a", "/a"));
	assert_false(paths_is_at_or_below("/ab", "/a"));
	assert_true(paths_is_at_or_below("/ab", "/"));
	assert_true(paths_compare("/a", "/a/x") < 0);
	assert_true(paths_compare("/a/x", "/a.b") < 0);
	assert_true(paths_compare("/a", "/a") == 0);
	arena_release(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes),
		cmocka_unit_test(mistakes_of_protected_paths),
		cmocka_unit_test(forms),
		cmocka_unit_test(protected_paths),
		cmocka_unit_test(cwd),
		cmocka_unit_test(cwd_as_target),
		cmocka_unit_test(profile_build),
		cmocka_unit_test(secrets),
		cmocka_unit_test(binds_of_flags),
		cmocka_unit_test(later_layer_replaces),
		cmocka_unit_test(program),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests_name("policy/mounts", tests, NULL, NULL);
}
