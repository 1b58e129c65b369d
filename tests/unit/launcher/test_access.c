/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/access.c: the line of the policy that a denial by Landlock or AppArmor follows from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/access.h"
#include "tests/lib/policy_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define NONE     UINT64_MAX

/* /ward/project/p.yaml: the lines count below. */
static const char policy[] = "cordon: 1\n"
			     "extends: default\n"
			     "landlock:\n"
			     "  write: [/out, /dev]\n"
			     "  execute: [/usr]\n"
			     "  connect_tcp: [443]\n"
			     "  bind_tcp: []\n"
			     "apparmor: other\n"
			     "volumes:\n"
			     "  - {source: ./out, target: /out, read_only: true}\n"
			     "  - {type: tmpfs, target: /cache, size: 1MiB, options: [noexec]}\n";

static const struct row {
	struct access_denial denial;
	const char *what, *by, *remedy;
	uint32_t line;
} rows[] = {
	{{.what = "fs.make_reg", .path = "/tmp", .port = NONE},
	 "fs.make_reg /tmp",
	 "landlock.write",
	 "to allow it, add /tmp to landlock.write there",
	 4},
	{{.what = "fs.write_file,fs.truncate", .path = "/tmp/a", .port = NONE},
	 "fs.write_file,fs.truncate /tmp/a",
	 "landlock.write",
	 "to allow it, add /tmp/a to landlock.write there",
	 4},
	{{.what = "fs.execute", .path = "/tmp/a", .port = NONE},
	 "fs.execute /tmp/a",
	 "landlock.execute",
	 "to allow it, add /tmp/a to landlock.execute there",
	 5},
	/* In the list: then it is the mount. */
	{{.what = "fs.write_file", .path = "/out/a", .port = NONE},
	 "fs.write_file /out/a",
	 "the mount at /out",
	 "to allow it, leave read_only out there",
	 10},
	/* Nothing in /proc can be written, whatever a list says. */
	{{.what = "fs.write_file", .path = "/proc/7/oom_score_adj", .port = NONE},
	 "fs.write_file /proc/7/oom_score_adj",
	 "Landlock",
	 "no key gives it*",
	 3},
	{{.what = "fs.read_file", .path = "/proc/7/mem", .port = NONE},
	 "fs.read_file /proc/7/mem",
	 "Landlock",
	 "no key gives it*",
	 3},
	{{.what = "fs.ioctl_dev", .path = "/dev/x", .port = NONE},
	 "fs.ioctl_dev /dev/x",
	 "Landlock",
	 "no key gives it*",
	 3},
	{{.what = "fs.make_char", .path = "/out", .port = NONE},
	 "fs.make_char /out",
	 "Landlock",
	 "nobody inside makes a device*",
	 3},
	{{.what = "net.connect_tcp", .port = 80},
	 "net.connect_tcp 80",
	 "landlock.connect_tcp",
	 "to allow it, add 80 to landlock.connect_tcp there",
	 6},
	{{.what = "net.bind_tcp", .port = NONE},
	 "net.bind_tcp",
	 "landlock.bind_tcp",
	 "to allow it, add its port to landlock.bind_tcp there",
	 7},
	{{.what = "scope.signal", .port = NONE},
	 "scope.signal",
	 "Landlock",
	 "nothing of that kind leaves a sandbox*",
	 3},
	/* What a later kernel may say. */
	{{.what = "news.of_a_kind", .port = NONE},
	 "news.of_a_kind",
	 "Landlock",
	 "nothing of that kind*",
	 3},
	{{.layer = ACCESS_APPARMOR,
	  .is_certain = 1,
	  .what = "open",
	  .detail = "w",
	  .path = "/a",
	  .port = NONE},
	 "open w /a",
	 "AppArmor's profile other",
	 "to allow it, change that profile",
	 8},
	{{.layer = ACCESS_APPARMOR, .what = "capable", .detail = "net_admin", .port = NONE},
	 "capable net_admin",
	 "AppArmor's profile other, perhaps of another sandbox under it",
	 "to allow it, change that profile",
	 8},
};

static void assert_begins(const char *text, const char *pattern)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		assert_memory_equal(text, pattern, len - 1);
	else
		assert_string_equal(text, pattern);
}

static void finds_the_rule(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	fixture_init(&fixture);
	fixture.request.wants_origins = true;
	if (fixture_resolve(&fixture, policy) != 0)
		fail_msg("%s", fixture.err.text);
	for (size_t i = 0; i < N(rows); i++) {
		struct access_view view;

		access_describe(&fixture.spec, &rows[i].denial, &view);
		assert_string_equal(view.what, rows[i].what);
		assert_string_equal(view.by, rows[i].by);
		assert_begins(view.remedy, rows[i].remedy);
		assert_string_equal(view.origin.file, "/ward/project/p.yaml");
		assert_int_equal(view.origin.line, rows[i].line);
		assert_string_equal(view.layer, rows[i].denial.layer == ACCESS_LANDLOCK
							? "landlock"
							: "apparmor");
	}
	fixture_release(&fixture);
}

static void names_the_flag_that_mounts(void **state)
{
	static const struct access_denial writes = {.what = "fs.write_file",
						    .path = "/srv/data/a",
						    .port = NONE};
	static const struct access_denial own = {.layer = ACCESS_APPARMOR,
						 .is_certain = 1,
						 .what = "create",
						 .detail = "inet raw create",
						 .port = NONE};
	struct policy_fixture fixture;
	struct access_view view;

	(void)state;
	fixture_init(&fixture);
	if (fixture_resolve(&fixture, "cordon: 1\nextends: default\nlandlock: auto\napparmor: "
				      "auto\nvolumes: ['/srv/data:/srv/data:ro']\n") != 0)
		fail_msg("%s", fixture.err.text);
	access_describe(&fixture.spec, &writes, &view);
	assert_string_equal(view.remedy, "to allow it: --rw /srv/data");
	assert_int_equal(view.origin.line, 5);
	access_describe(&fixture.spec, &own, &view);
	assert_string_equal(view.by, "AppArmor's profile cordon-workload");
	assert_non_null(strstr(view.remedy, "--waive \"apparmor=REASON\""));
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_rule),
		cmocka_unit_test(names_the_flag_that_mounts),
	};

	return cmocka_run_group_tests_name("launcher/access", tests, NULL, NULL);
}
