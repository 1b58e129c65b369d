/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup/probe.c: where groups can be made, from texts and directories as hosts and containers have
 * them. The directories are ordinary ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cgroup/table.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct scratch top;

static int set_up(void **state)
{
	(void)state;
	scratch_make(&top);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(&top);
	return 0;
}

/* A group of v1, or of v2 where it lists controllers. */
static void group(const char *name, const char *controllers, const char *procs)
{
	char path[256];

	scratch_dir(&top, name, 0755);
	str_format(path, sizeof(path), "%s/cgroup.procs", name);
	scratch_file(&top, path, 0644, procs);
	if (controllers == NULL)
		return;
	str_format(path, sizeof(path), "%s/cgroup.controllers", name);
	scratch_file(&top, path, 0644, controllers);
	str_format(path, sizeof(path), "%s/cgroup.subtree_control", name);
	scratch_file(&top, path, 0644, "");
}

static void is_no_top(const char *name)
{
	char path[256];

	str_format(path, sizeof(path), "%s/cgroup.type", name);
	scratch_file(&top, path, 0644, "domain\n");
}

/* mountinfo with @ for the scratch directory. */
static void probe(const char *self, const char *mounts, const char *parent,
		  struct cgroup_facts *ret)
{
	static char text[65536];
	size_t len = 0;

	for (; *mounts != '\0'; mounts++)
		if (*mounts == '@')
			len += str_format(text + len, sizeof(text) - len, "%s", top.path);
		else
			text[len++] = *mounts;
	text[len] = '\0';
	cgroup_probe_texts(self, text, parent, CGROUP_ALL, ret);
}

static void assert_parent(const struct cgroup_facts *facts, enum cgroup_controller c,
			  const char *below, const char *self_path)
{
	const struct cgroup_hierarchy *h = cgroup_hierarchy_of(facts, c);
	char path[PATH_MAX];

	assert_non_null(h);
	assert_string_equal(h->parent, scratch_path(&top, below, path));
	assert_string_equal(h->parent_path, self_path);
}

#define V1(name, root) \
	"31 23 0:28 " root " @/" name " rw,relatime shared:3 - cgroup cgroup rw," name "\n"
#define V2(dir, root) "41 31 0:38 " root " @/" dir " rw - cgroup2 cgroup2 rw,nsdelegate\n"

static void v1_own_groups(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	group("pids", NULL, "");
	group("memory", NULL, "");
	group("memory/a", NULL, "");
	group("cpu,cpuacct", NULL, "");
	group("cpuset", NULL, "");
	group("freezer", NULL, "");
	group("freezer/b", NULL, "");
	scratch_file(&top, "cpuset/cpuset.cpus", 0644, "0-1\n");
	probe("9:name=systemd:/x\n8:pids:/\n5:freezer:/b\n4:memory:/a\n3:cpuset:/\n"
	      "2:cpu,cpuacct:/\n0::/\n",
	      V1("pids", "/") V1("memory", "/") V1("cpu,cpuacct", "/") V1("cpuset", "/")
		      V1("freezer", "/"),
	      NULL, &facts);
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		assert_int_equal(facts.obstacle[c], c == CGROUP_IO ? CGROUP_ABSENT : CGROUP_USABLE);
		assert_int_equal(facts.version[c], c == CGROUP_IO ? 0 : CGROUP_V1);
	}
	assert_int_equal(facts.n_hierarchies, 5);
	assert_parent(&facts, CGROUP_FREEZER, "freezer/b", "/b");
	assert_parent(&facts, CGROUP_MEMORY, "memory/a", "/a");
	assert_parent(&facts, CGROUP_CPU, "cpu,cpuacct", "/");
	assert_ptr_equal(cgroup_hierarchy_of(&facts, CGROUP_CPU),
			 cgroup_hierarchy_of(&facts, CGROUP_CPUACCT));
	assert_null(cgroup_hierarchy_of(&facts, CGROUP_IO));
	assert_true(facts.n_cpus > 0);
}

/* Without cpuset.cpus a group can be made there, but not entered. */
static void v1_empty_cpuset(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	group("cpuset", NULL, "");
	scratch_file(&top, "cpuset/cpuset.cpus", 0644, "\n");
	probe("3:cpuset:/\n", V1("cpuset", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_CPUSET], CGROUP_NOT_ENABLED);
	assert_int_equal(facts.hierarchies[0].controllers, 0);
}

static void named_parent(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	group("pids", NULL, "");
	group("pids/judges", NULL, "");
	group("pids/judges/a", NULL, "");
	group("memory", NULL, "");
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {"judges/a", "/judges/a", "//judges//a",
						    "judges/a//"};

		probe("8:pids:/\n4:memory:/\n", V1("pids", "/") V1("memory", "/"), names[i],
		      &facts);
		assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
		assert_parent(&facts, CGROUP_PIDS, "pids/judges/a", "/judges/a");
		assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_NO_PARENT);
	}
}

/* A container without a cgroup namespace: what is mounted begins at its group. */
static void mount_root_of_a_container(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	group("pids", NULL, "");
	group("pids/inner", NULL, "");
	group("memory", NULL, "");
	probe("8:pids:/docker/1/inner\n4:memory:/elsewhere\n",
	      V1("pids", "/docker/1") V1("memory", "/docker/1"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	assert_parent(&facts, CGROUP_PIDS, "pids/inner", "/docker/1/inner");
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_NOT_SHOWN);
	/* "/docker/12" does not lie in "/docker/1". */
	probe("8:pids:/docker/12\n", V1("pids", "/docker/1"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_NOT_SHOWN);
	/* A cgroup namespace whose root is not the caller's. */
	probe("8:pids:/../other\n", V1("pids", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_NOT_SHOWN);
	/* A second mount that does show it. */
	probe("8:pids:/docker/1\n",
	      "31 23 0:28 /docker/2 @/memory rw - cgroup cgroup rw,pids\n" V1("pids", "/docker/1"),
	      NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	assert_parent(&facts, CGROUP_PIDS, "pids", "/docker/1");
}

static void hostile_lines(void **state)
{
	static const char *const rows[] = {
		"",
		"\n\n",
		"31\n",
		"31 23 0:28 / @/pids rw - cgroup",
		"31 23 0:28 / pids rw - cgroup cgroup rw,pids\n",
		"31 23 0:28 pids @/pids rw - cgroup cgroup rw,pids\n",
		"31 23 0:28 / @/pids\\040x rw - cgroup cgroup rw,pids\n",
		"31 23 0:28 / @/pids rw - tmpfs cgroup rw,pids\n",
		"31 23 0:28 / @/pids rw - cgroup cgroup rw,xpids,pidsx,name=pids\n",
		"31 23 0:28 / @/none rw - cgroup cgroup rw,pids\n",
	};
	static char far_away[8192];
	struct cgroup_facts facts;

	(void)state;
	group("pids", NULL, "");
	for (size_t i = 0; i < N(rows); i++) {
		print_message("%s\n", rows[i]);
		probe("8:pids:/\n", rows[i], NULL, &facts);
		assert_int_not_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	}
	/* Control, also behind all of them, and mounted twice. */
	probe("8:pids:/\n", "rubbish\n31\n" V1("pids", "/") V1("pids", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	assert_int_equal(facts.n_hierarchies, 1);
	/* Half a path is another path. */
	memset(far_away, 'a', sizeof(far_away));
	strcpy(far_away, "8:pids:/");
	far_away[8] = 'a';
	strcpy(far_away + 4000, "\n");
	probe(far_away, V1("pids", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_NOT_SHOWN);
	for (size_t i = 0; i < 4; i++) {
		static const char *const selves[] = {"", "8\n", "8:pids\n", "8:memory:/\n"};

		probe(selves[i], V1("pids", "/"), NULL, &facts);
		assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_NOT_SHOWN);
	}
}

/* As root at the top of the tree: a group of our own, made when it is needed. */
static void v2_at_the_top(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	group("all", "cpuset cpu io memory pids\n", "1\n");
	probe("0::/user.slice/x\n", V2("all", "/"), NULL, &facts);
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		assert_int_equal(facts.obstacle[c], CGROUP_USABLE);
		assert_int_equal(facts.version[c], CGROUP_V2);
		assert_parent(&facts, c, "all/cordon", "/cordon");
	}
	assert_true(facts.hierarchies[0].makes_parent);
}

/* A user's: the group that the caller's own lies in. */
static void v2_delegated(void **state)
{
	struct cgroup_facts facts;
	const struct cgroup_hierarchy *h = &facts.hierarchies[0];

	(void)state;
	group("all", "cpu memory pids io\n", "");
	is_no_top("all");
	group("all/user", "memory pids\n", "");
	is_no_top("all/user");
	group("all/user/shell", "memory pids\n", "7\n");
	is_no_top("all/user/shell");
	scratch_file(&top, "all/user/cgroup.subtree_control", 0644, "pids\n");
	probe("0::/user/shell\n", V2("all", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_USABLE);
	assert_int_equal(facts.obstacle[CGROUP_CPUACCT], CGROUP_USABLE);
	assert_int_equal(facts.obstacle[CGROUP_CPU], CGROUP_NOT_ENABLED);
	assert_int_equal(facts.obstacle[CGROUP_CPUSET], CGROUP_ABSENT);
	assert_parent(&facts, CGROUP_MEMORY, "all/user/cordon", "/user/cordon");
	assert_int_equal(h->to_enable, 1U << CGROUP_MEMORY);
	assert_true(h->makes_parent);
	/* A container's own namespace: its processes are where the parent would be. */
	probe("0::/\n", V2("all", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_BUSY);
	assert_int_equal(h->controllers, 0);
	/* Named: one that has processes, and one that has none. */
	probe("0::/\n", V2("all", "/"), "user/shell", &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_BUSY);
	probe("0::/\n", V2("all", "/"), "user", &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	probe("0::/\n", V2("all", "/"), "nobody", &facts);
	assert_int_equal(facts.obstacle[CGROUP_CPUACCT], CGROUP_NO_PARENT);
}

/* v1 carries what it carries; v2 has the rest, or only hugetlb, which nobody asks for. */
static void hybrid(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	group("pids", NULL, "");
	group("cpuacct", NULL, "");
	group("unified", "hugetlb memory pids\n", "");
	probe("8:pids:/\n2:cpuacct:/\n0::/\n",
	      V2("unified", "/") V1("pids", "/") V1("cpuacct", "/"), NULL, &facts);
	assert_int_equal(facts.version[CGROUP_PIDS], CGROUP_V1);
	assert_parent(&facts, CGROUP_PIDS, "pids", "/");
	assert_int_equal(facts.version[CGROUP_CPUACCT], CGROUP_V1);
	assert_int_equal(facts.version[CGROUP_MEMORY], CGROUP_V2);
	assert_parent(&facts, CGROUP_MEMORY, "unified/cordon", "/cordon");
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_USABLE);
	assert_int_equal(facts.obstacle[CGROUP_CPU], CGROUP_ABSENT);

	scratch_file(&top, "unified/cgroup.controllers", 0644, "hugetlb\n");
	probe("8:pids:/\n2:cpuacct:/\n0::/\n",
	      V2("unified", "/") V1("pids", "/") V1("cpuacct", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_ABSENT);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
}

/* Something is mounted over them. */
static void hidden(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	scratch_dir(&top, "pids", 0755);
	probe("8:pids:/\n", V1("pids", "/"), NULL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_NOT_SHOWN);
	scratch_dir(&top, "all", 0755);
	probe("0::/\n", V2("all", "/"), NULL, &facts);
	assert_int_not_equal(facts.obstacle[CGROUP_CPUACCT], CGROUP_USABLE);
}

/* Hierarchies that nobody asks for are not used, though they are there. */
static void what_is_asked_for(void **state)
{
	static const char self[] = "8:pids:/\n4:memory:/\n0::/\n";
	char text[1024];
	struct cgroup_facts facts;

	(void)state;
	group("pids", NULL, "");
	group("memory", NULL, "");
	scratch_file(&top, "memory/memory.memsw.limit_in_bytes", 0644, "1\n");
	group("all", "io\n", "");
	str_format(text, sizeof(text),
		   "31 23 0:28 / %s/pids rw - cgroup cgroup rw,pids\n"
		   "31 23 0:29 / %s/memory rw - cgroup cgroup rw,memory\n"
		   "41 31 0:38 / %s/all rw - cgroup2 cgroup2 rw\n",
		   top.path, top.path, top.path);
	cgroup_probe_texts(self, text, NULL, 1U << CGROUP_PIDS, &facts);
	assert_int_equal(facts.obstacle[CGROUP_PIDS], CGROUP_USABLE);
	assert_parent(&facts, CGROUP_PIDS, "pids", "/");
	assert_int_not_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_USABLE);
	assert_int_not_equal(facts.obstacle[CGROUP_IO], CGROUP_USABLE);
	assert_null(cgroup_hierarchy_of(&facts, CGROUP_MEMORY));
	assert_null(cgroup_hierarchy_of(&facts, CGROUP_IO));
	assert_false(facts.counts_swap);
	assert_int_equal(facts.n_cpus, 0);
	for (size_t i = 0; i < facts.n_hierarchies; i++)
		assert_int_equal(facts.hierarchies[i].controllers & ~(1U << CGROUP_PIDS), 0);
	/* Controls. */
	cgroup_probe_texts(self, text, NULL, 1U << CGROUP_MEMORY | 1U << CGROUP_CPUACCT, &facts);
	assert_int_equal(facts.obstacle[CGROUP_MEMORY], CGROUP_USABLE);
	assert_true(facts.counts_swap);
	assert_true(facts.n_cpus > 0);
	assert_int_equal(facts.obstacle[CGROUP_CPUACCT], CGROUP_USABLE);
	cgroup_probe_texts(self, text, NULL, CGROUP_ALL, &facts);
	assert_int_equal(facts.obstacle[CGROUP_IO], CGROUP_USABLE);
}

/* On this host: the short way gives what the list of all mounts gives. */
static void as_with_all_mounts(void **state)
{
	struct cgroup_facts all, some;
	struct err err = {0};

	(void)state;
	assert_int_equal(cgroup_probe(NULL, CGROUP_ALL, &all, &err), 0);
	for (uint32_t wanted = 1; wanted < CGROUP_ALL; wanted++) {
		assert_int_equal(cgroup_probe(NULL, wanted, &some, &err), 0);
		for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
			const struct cgroup_hierarchy *h = cgroup_hierarchy_of(&all, c);
			const struct cgroup_hierarchy *found = cgroup_hierarchy_of(&some, c);

			if ((wanted & 1U << c) == 0)
				continue;
			assert_int_equal(some.obstacle[c], all.obstacle[c]);
			assert_int_equal(some.version[c], all.version[c]);
			assert_int_equal(h == NULL, found == NULL);
			if (h == NULL)
				continue;
			assert_string_equal(found->parent, h->parent);
			assert_string_equal(found->parent_path, h->parent_path);
			assert_string_equal(found->own_path, h->own_path);
			assert_string_equal(found->top, h->top);
			assert_int_equal(found->controllers, h->controllers);
			assert_int_equal(found->present, h->present);
			assert_int_equal(found->to_enable, h->to_enable);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(v1_own_groups, set_up, tear_down),
		cmocka_unit_test_setup_teardown(v1_empty_cpuset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(named_parent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mount_root_of_a_container, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(v2_at_the_top, set_up, tear_down),
		cmocka_unit_test_setup_teardown(v2_delegated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hybrid, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hidden, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_asked_for, set_up, tear_down),
		cmocka_unit_test(as_with_all_mounts),
	};

	return cmocka_run_group_tests_name("cgroup/probe", tests, NULL, NULL);
}
