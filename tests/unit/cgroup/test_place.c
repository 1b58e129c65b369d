/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/place.c: where a group of v2 may be made, on trees of ordinary files. */
#include <linux/capability.h>
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
#include "base/sys.h"
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

/* Whether a process of the group `own` may come into the one at /a/two. */
static bool may_enter(const char *own, const char *dir)
{
	struct cgroup target = {.n = 1, .places = {{.version = CGROUP_V2}}};

	str_format(target.places[0].path, sizeof(target.places[0].path), "%s%s", tree.path, dir);
	str_format(target.places[0].self_path, sizeof(target.places[0].self_path), "/a/two");
	return cgroup_may_enter(&target, own);
}

static void shut(const char *name, bool is_shut)
{
	char path[64];

	snprintf(path, sizeof(path), "%s%scgroup.procs", name, name[0] != '\0' ? "/" : "");
	assert_int_equal(fchmodat(tree.fd, path, is_shut ? 0444 : 0666, 0), 0);
}

/* Root may write to every file: this is what lets it. */
static void write_everything(bool may)
{
	const uint64_t bit = 1ULL << CAP_DAC_OVERRIDE;
	struct sys_caps caps;

	assert_int_equal(sys_capget(&caps), 0);
	if ((caps.permitted & bit) == 0)
		return;
	caps.effective = may ? caps.effective | bit : caps.effective & ~bit;
	assert_int_equal(sys_capset(&caps), 0);
}

/* By the group above both, and no other. */
static void the_way_in_goes_by_the_group_above_both(void **state)
{
	static const struct {
		const char *own;
		const char *dir;
		const char *decides; /* NULL: what is not shown, and left to the kernel */
	} rows[] = {
		{"/a/one", "/a/two", "a"},
		{"/a/two", "/a/two", "a/two"},
		{"/a/two/x", "/a/two", "a/two"},
		{"/a", "/a/two", "a"},
		{"/a/twofold", "/a/two", "a"},
		{"/b", "/a/two", ""},
		{"/", "/a/two", ""},
		{"/b", "/two", NULL},
	};
	static const char *const groups[] = {"", "a", "a/two", "two"};

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		group(groups[i], "", "", "domain\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < sizeof(groups) / sizeof(groups[0]); k++) {
			bool decides =
				rows[i].decides != NULL && strcmp(rows[i].decides, groups[k]) == 0;

			for (size_t m = 0; m < sizeof(groups) / sizeof(groups[0]); m++)
				shut(groups[m], m == k);
			write_everything(false);
			assert_int_equal(may_enter(rows[i].own, rows[i].dir), !decides);
			write_everything(true);
		}
	}
}

static void without_groups_the_way_in_is_open(void **state)
{
	struct cgroup none = {0}, v1 = {.n = 1, .places = {{.version = CGROUP_V1}}};

	(void)state;
	assert_true(cgroup_may_enter(&none, "/b"));
	assert_true(cgroup_may_enter(&v1, "/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alone_it_steps_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(with_others_it_goes_above, set_up, tear_down),
		cmocka_unit_test_setup_teardown(processes_unseen_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_the_top_it_is_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_named_one_is_taken_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_way_in_goes_by_the_group_above_both, set_up,
						tear_down),
		cmocka_unit_test(without_groups_the_way_in_is_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
