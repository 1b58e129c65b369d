/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/freeze.c, in ordinary directories: which files, in which form, and what is said where the
 * kernel does not follow. That it freezes is in tests/life/kept_pause.bats. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroup/table.h"
#include "tests/lib/scratch.h"

static struct scratch top;

static int begin(void **state)
{
	(void)state;
	scratch_make(&top);
	return 0;
}

static int end(void **state)
{
	(void)state;
	scratch_remove(&top);
	return 0;
}

static void assert_file(const char *name, const char *wanted)
{
	char path[PATH_MAX], text[64] = "";

	assert_true(io_read_text(AT_FDCWD, scratch_path(&top, name, path), text, sizeof(text)) >=
		    0);
	assert_memory_equal(text, wanted, strlen(wanted));
}

/* The files of a directory say what was written to them. */
static void version_1(void **state)
{
	char path[PATH_MAX];
	struct err err = {0};

	(void)state;
	scratch_dir(&top, "cordon-1", 0755);
	scratch_file(&top, "cordon-1/freezer.state", 0644, "THAWED\n");
	scratch_path(&top, "cordon-1", path);
	assert_int_equal(cgroup_freeze(path, CGROUP_V1, true, &err), 0);
	assert_file("cordon-1/freezer.state", "FROZEN");
	cgroup_thaw_path(path);
	assert_file("cordon-1/freezer.state", "THAWED");
	assert_int_equal(cgroup_freeze(path, CGROUP_V1, true, &err), 0);
	assert_int_equal(cgroup_freeze(path, CGROUP_V1, false, &err), 0);
	assert_file("cordon-1/freezer.state", "THAWED");
}

static void version_2(void **state)
{
	char path[PATH_MAX];
	struct err err = {0};

	(void)state;
	scratch_dir(&top, "cordon-2", 0755);
	scratch_file(&top, "cordon-2/cgroup.freeze", 0644, "0\n");
	scratch_file(&top, "cordon-2/cgroup.events", 0644, "populated 1\nfrozen 1\n");
	scratch_path(&top, "cordon-2", path);
	assert_int_equal(cgroup_freeze(path, CGROUP_V2, true, &err), 0);
	assert_file("cordon-2/cgroup.freeze", "1");
}

/* It stays as it is, whatever is written: what was begun is taken back. */
static void does_not_follow(void **state)
{
	char path[PATH_MAX];
	struct err err = {0};

	(void)state;
	scratch_dir(&top, "cordon-3", 0755);
	scratch_file(&top, "cordon-3/cgroup.freeze", 0644, "0\n");
	scratch_file(&top, "cordon-3/cgroup.events", 0644, "populated 1\nfrozen 0\n");
	scratch_path(&top, "cordon-3", path);
	assert_int_equal(cgroup_freeze(path, CGROUP_V2, true, &err), -ETIMEDOUT);
	assert_file("cordon-3/cgroup.freeze", "0");
	assert_non_null(strstr(err.text, "cordon-3: freeze"));
	assert_int_equal(cgroup_freeze("/nonexistent/cordon-4", CGROUP_V1, true, &err), -ENOENT);
}

static void only_of_sandboxes(void **state)
{
	char path[PATH_MAX];

	(void)state;
	scratch_dir(&top, "other", 0755);
	scratch_file(&top, "other/freezer.state", 0644, "FROZEN\n");
	cgroup_thaw_path(scratch_path(&top, "other", path));
	assert_file("other/freezer.state", "FROZEN");
	cgroup_thaw_path("nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1),
		cmocka_unit_test(version_2),
		cmocka_unit_test(does_not_follow),
		cmocka_unit_test(only_of_sandboxes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
