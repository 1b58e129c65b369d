/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/place.c: where a group of v2 may be made, on trees of ordinary files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "cgroup/table.h"
#include "tests/lib/scratch.h"

enum {
	MEMORY = 1U << CGROUP_MEMORY,
	PIDS = 1U << CGROUP_PIDS,
	EVERY = 1U << CGROUP_CPUACCT | 1U << CGROUP_FREEZER
};

static struct scratch tree;

/* One group. type: NULL for the top of the tree, which has no such file. */
static void group(const char *name, const char *procs, const char *subtree, const char *type)
{
	const struct {
		const char *file;
		const char *text;
	} files[] = {{"cgroup.procs", procs},
		     {"cgroup.subtree_control", subtree},
		     {"cgroup.controllers", "memory pids\n"},
		     {"cgroup.type", type}};
	char path[256];

	if (name[0] != '\0')
		scratch_dir(&tree, name, 0755);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s%s%s", name, name[0] != '\0' ? "/" : "",
			 files[i].file);
		if (files[i].text != NULL)
			scratch_file(&tree, path, 0644, files[i].text);
	}
}

static const char *own_pid(void)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	return text;
}

static int set_up(void **state)
{
	(void)state;
	scratch_make(&tree);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(&tree);
	return 0;
}

/* own: the caller's group; named: the one of --cgroup-parent, or NULL. */
static struct cgroup_hierarchy look(const char *own, const char *named, struct cgroup_facts *facts)
{
	struct cgroup_hierarchy h = {.version = CGROUP_V2};
	const char *parent = named != NULL ? named : own;

	memset(facts, 0, sizeof(*facts));
	str_format(h.top, sizeof(h.top), "%s", tree.path);
	snprintf(h.own_path, sizeof(h.own_path), "%s", own);
	snprintf(h.parent_path, sizeof(h.parent_path), "%s", parent);
	str_format(h.parent, sizeof(h.parent), "%s%s", tree.path,
		   strcmp(parent, "/") == 0 ? "" : parent);
	cgroup_look_at_v2(facts, &h, named != NULL);
	return h;
}

static void alone_it_steps_aside(void **state)
{
	struct cgroup_facts facts;
	struct cgroup_hierarchy h;

	(void)state;
	group("", "", "memory pids\n", "domain\n");
	group("own", own_pid(), "", "domain\n");
	h = look("/own", NULL, &facts);
	assert_true(h.steps_aside);
	assert_true(h.makes_parent);
	assert_string_equal(h.parent_path, "/own/cordon");
	assert_int_equal(h.controllers, MEMORY | PIDS | EVERY);
	assert_int_equal(h.to_enable, MEMORY | PIDS);
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_USABLE);
}

static void with_others_it_goes_above(void **state)
{
	struct cgroup_facts facts;
	struct cgroup_hierarchy h;
	char procs[64];

	(void)state;
	snprintf(procs, sizeof(procs), "%s1\n", own_pid());
	group("", "", "memory pids\n", "domain\n");
	group("a", "", "pids\n", "domain\n");
	group("a/own", procs, "", "domain\n");
	h = look("/a/own", NULL, &facts);
	assert_false(h.steps_aside);
	assert_string_equal(h.parent_path, "/a/cordon");
	assert_int_equal(h.to_enable, MEMORY);
	/* With processes in it only what it hands on already can be had. */
	group("b", "1\n", "pids\n", "domain\n");
	group("b/own", procs, "", "domain\n");
	h = look("/b/own", NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_BUSY);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	assert_int_equal(h.controllers, PIDS | EVERY);
	assert_int_equal(h.to_enable, 0);
}

/* A process of another pid namespace is listed as 0. */
static void processes_unseen_count(void **state)
{
	struct cgroup_facts facts;
	struct cgroup_hierarchy h;
	char procs[64];

	(void)state;
	snprintf(procs, sizeof(procs), "0\n%s", own_pid());
	group("", "", "", "domain\n");
	group("own", procs, "", "domain\n");
	h = look("/own", NULL, &facts);
	assert_false(h.steps_aside);
	group("other", "0\n", "", "domain\n");
	assert_false(look("/other", NULL, &facts).steps_aside);
}

static void at_the_top_it_is_ours(void **state)
{
	struct cgroup_facts facts;
	struct cgroup_hierarchy h;

	(void)state;
	group("", own_pid(), "", NULL);
	h = look("/", NULL, &facts);
	assert_true(h.makes_parent);
	assert_false(h.steps_aside);
	assert_string_equal(h.parent_path, "/cordon");
	assert_int_equal(h.controllers, MEMORY | PIDS | EVERY);
	/* Also from a group that has others. */
	group("s", "1\n", "", "domain\n");
	assert_string_equal(look("/s", NULL, &facts).parent_path, "/cordon");
}

static void a_named_one_is_taken_as_it_is(void **state)
{
	struct cgroup_facts facts;
	struct cgroup_hierarchy h;

	(void)state;
	group("", "", "memory\n", NULL);
	group("judges", "", "memory\n", "domain\n");
	h = look("/", "/judges", &facts);
	assert_false(h.makes_parent);
	assert_string_equal(h.parent_path, "/judges");
	assert_int_equal(h.to_enable, PIDS);
	look("/", "/nobody", &facts);
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_NO_PARENT);
	/* "/judgesandmore" is not below "/judges". */
	assert_string_equal(look("/judgesandmore", "/judges", &facts).parent_path, "/judges");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alone_it_steps_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(with_others_it_goes_above, set_up, tear_down),
		cmocka_unit_test_setup_teardown(processes_unseen_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_the_top_it_is_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_named_one_is_taken_as_it_is, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
