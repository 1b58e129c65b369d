/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/group.c, in ordinary directories: places, members as /proc has them, what may be removed.
 * That the kernel's files are written and read back is in tests/integration/limits_groups.bats. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "cgroup/table.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void places(void **state)
{
	static struct cgroup_facts facts = {.n_hierarchies = 3};
	struct cgroup group;

	(void)state;
	facts.hierarchies[0] = (struct cgroup_hierarchy){.version = CGROUP_V1,
							 .controllers = 1U << CGROUP_PIDS,
							 .parent = "/c/pids",
							 .parent_path = "/"};
	/* One that cannot be used. */
	facts.hierarchies[1] = (struct cgroup_hierarchy){.version = CGROUP_V1,
							 .present = 1U << CGROUP_IO,
							 .parent = "/c/blkio",
							 .parent_path = "/"};
	facts.hierarchies[2] =
		(struct cgroup_hierarchy){.version = CGROUP_V2,
					  .controllers = 1U << CGROUP_MEMORY | 1U << CGROUP_CPU,
					  .parent = "/c/unified/a",
					  .parent_path = "/a"};
	cgroup_plan(&facts, 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY, "12", &group);
	assert_int_equal(group.n, 2);
	assert_int_equal(group.oom_event_fd, -EBADF);
	assert_string_equal(group.places[0].path, "/c/pids/cordon-12");
	assert_string_equal(group.places[0].self_path, "/cordon-12");
	assert_string_equal(group.places[1].path, "/c/unified/a/cordon-12");
	assert_string_equal(group.places[1].self_path, "/a/cordon-12");
	assert_int_equal(group.places[1].controllers, 1U << CGROUP_MEMORY);
	assert_int_equal(group.places[1].hierarchy, 2);
	assert_int_equal(cgroup_clone_fd(&group), -EBADF);
	cgroup_plan(&facts, 1U << CGROUP_IO, "12", &group);
	assert_int_equal(group.n, 0);
}

static void members(void **state)
{
	static const struct {
		const char *text;
		enum cgroup_version version;
		uint32_t controllers;
		bool is_member;
	} rows[] = {
		{"8:pids:/cordon-1\n", CGROUP_V1, 1U << CGROUP_PIDS, true},
		{"9:memory:/\n8:pids:/cordon-1\n", CGROUP_V1, 1U << CGROUP_PIDS, true},
		{"8:pids:/cordon-1", CGROUP_V1, 1U << CGROUP_PIDS, true},
		/* In the group of another hierarchy. */
		{"9:memory:/cordon-1\n8:pids:/\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"9:name=pids:/cordon-1\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"0::/cordon-1\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"8:pids:/cordon-12\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"8:pids:/cordon-\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"8:pids:/a/cordon-1\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"8:pids:/cordon-1/b\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
		{"2:cpu,cpuacct:/cordon-1\n", CGROUP_V1, 1U << CGROUP_CPU, true},
		{"2:cpu,cpuacct:/cordon-1\n", CGROUP_V1, 1U << CGROUP_CPU | 1U << CGROUP_CPUACCT,
		 true},
		{"2:cpu:/cordon-1\n", CGROUP_V1, 1U << CGROUP_CPU | 1U << CGROUP_CPUACCT, false},
		{"0::/cordon-1\n", CGROUP_V2, 1U << CGROUP_PIDS, true},
		{"8:pids:/cordon-1\n0::/\n", CGROUP_V2, 1U << CGROUP_PIDS, false},
		{"10::/cordon-1\n", CGROUP_V2, 1U << CGROUP_PIDS, false},
		{"", CGROUP_V2, 1U << CGROUP_PIDS, false},
		{"\n:\n::\n0:\n0:x\n", CGROUP_V2, 1U << CGROUP_PIDS, false},
		{"\n:\n::\n8:pids\n8\n", CGROUP_V1, 1U << CGROUP_PIDS, false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct cgroup_place place = {.version = rows[i].version,
					     .controllers = rows[i].controllers,
					     .self_path = "/cordon-1"};

		print_message("%s\n", rows[i].text);
		assert_int_equal(cgroup_has_path(rows[i].text, &place), rows[i].is_member);
	}
}

static void removing(void **state)
{
	struct scratch dir;
	struct err err = {0};
	char path[PATH_MAX];

	(void)state;
	scratch_make(&dir);
	/* Only what has the name of a sandbox's group, only a directory, only an empty one. */
	scratch_dir(&dir, "other", 0755);
	assert_int_equal(cgroup_remove(scratch_path(&dir, "other", path), false, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_BUG);
	assert_int_equal(cgroup_remove("cordon-1", false, &err), -EINVAL);
	assert_int_equal(cgroup_remove("", false, &err), -EINVAL);
	scratch_file(&dir, "cordon-file", 0644, "");
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon-file", path), false, &err),
			 -ENOTDIR);
	scratch_dir(&dir, "cordon-full", 0755);
	scratch_file(&dir, "cordon-full/x", 0644, "");
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon-full", path), false, &err),
			 -ENOTEMPTY);
	scratch_dir(&dir, "cordon-empty", 0755);
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon-empty", path), false, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(cgroup_remove(path, false, &err), 0); /* it is gone already */

	/* The parent stays unless it is ours, and then as long as others are in it. */
	scratch_dir(&dir, "cordon", 0755);
	scratch_dir(&dir, "cordon/cordon-1", 0755);
	scratch_dir(&dir, "cordon/cordon-2", 0755);
	scratch_dir(&dir, "cordon/cordon-3", 0755);
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon/cordon-1", path), true, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(scratch_path(&dir, "cordon", path), F_OK), 0);
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon/cordon-2", path), true, &err), 0);
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon/cordon-3", path), false, &err),
			 0);
	assert_int_equal(access(scratch_path(&dir, "cordon", path), F_OK), 0);
	/* It is gone already: then the parent is still to go. */
	assert_int_equal(cgroup_remove(scratch_path(&dir, "cordon/cordon-3", path), true, &err), 0);
	assert_int_equal(access(scratch_path(&dir, "cordon", path), F_OK), -1);
	scratch_remove(&dir);
}

/* CAP_DAC_OVERRIDE is kept only where the directory above cannot be written by its owner. */
static void privilege_of_removal(void **state)
{
	struct scratch dir;
	struct cgroup group = {.n = 1};

	(void)state;
	scratch_make(&dir);
	scratch_dir(&dir, "top", 0755);
	scratch_dir(&dir, "top/cordon-1", 0755);
	group.places[0].dir_fd = open(scratch_path(&dir, "top/cordon-1", group.places[0].path),
				      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(group.places[0].dir_fd >= 0);
	assert_false(cgroup_removal_is_privileged(&group));
	assert_int_equal(fchmodat(dir.fd, "top", 0555, 0), 0);
	assert_true(cgroup_removal_is_privileged(&group));
	assert_int_equal(fchmodat(dir.fd, "top", 0755, 0), 0);
	/* Where our own parent is to go as well, it is the directory above that. */
	assert_int_equal(fchmod(dir.fd, 0555), 0);
	assert_false(cgroup_removal_is_privileged(&group));
	group.places[0].parent_is_ours = true;
	assert_true(cgroup_removal_is_privileged(&group));
	assert_int_equal(fchmod(dir.fd, 0755), 0);
	assert_false(cgroup_removal_is_privileged(&group));
	close(group.places[0].dir_fd);
	group.places[0].dir_fd = -EBADF;
	assert_true(cgroup_removal_is_privileged(&group));
	group.n = 0;
	assert_false(cgroup_removal_is_privileged(&group));
	scratch_remove(&dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(members),
		cmocka_unit_test(removing),
		cmocka_unit_test(privilege_of_removal),
	};

	return cmocka_run_group_tests_name("cgroup/group", tests, NULL, NULL);
}
