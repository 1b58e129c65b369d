/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/landlock.c and preflight_lsm.c: rules from a tree, lists that only take away, and what
 * an old kernel is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "launcher/cordon.h"
#include "launcher/preflight.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { KERNEL_6_1 = 2, KERNEL_6_18 = 7 };

static const struct tree_op ops[] = {
	{.stage = TREE_SYSTEM, .kind = TREE_HOST_BIND, .target = "/usr", .is_dir = true},
	{.stage = TREE_SYSTEM, .kind = TREE_SYMLINK, .target = "/bin"},
	{.stage = TREE_ETC, .kind = TREE_HOST_BIND, .target = "/etc/ssl/certs"},
	{.stage = TREE_ETC, .kind = TREE_FILE, .target = "/etc/passwd"},
	{.stage = TREE_ETC, .kind = TREE_DIR, .target = "/tmp"},
	{.stage = TREE_DEV, .kind = TREE_TMPFS, .target = "/dev"},
	{.stage = TREE_DEV, .kind = TREE_DEVICE, .target = "/null"},
	{.stage = TREE_DEV, .kind = TREE_TMPFS, .target = "/shm", .attrs = MOUNT_ATTR_NOEXEC},
	{.stage = TREE_PROC, .kind = TREE_PROC_FS, .target = "/proc"},
	{.stage = TREE_KERNEL_PATHS, .kind = TREE_READ_ONLY, .target = "/sys"},
	{.stage = TREE_VOLUMES, .kind = TREE_SOURCE, .target = "/src", .attrs = MOUNT_ATTR_RDONLY},
	{.stage = TREE_VOLUMES, .kind = TREE_TMPFS, .target = "/src/out"},
	{.stage = TREE_PROTECTED, .kind = TREE_READ_ONLY, .target = "/src/out/.git"},
	{.stage = TREE_SECRETS, .kind = TREE_SECRET, .target = "/run/secrets/key"},
};

static struct misses misses;

static void build(struct decision *d, int abi)
{
	struct err err;

	d->facts.landlock_abi = abi;
	d->spec.landlock.demand = DEMAND_REQUIRED;
	d->tree = (struct tree){.ops = ops, .n_ops = N(ops)};
	memset(&misses, 0, sizeof(misses));
	assert_int_equal(arena_init(&d->arena, 1 << 20, &err), 0);
	assert_int_equal(landlock_build(d, &misses, &err), 0);
}

/* "-" where there is no rule. */
static const char *rights(const struct decision *d, const char *path)
{
	static char text[128];

	for (size_t i = 0; i < d->landlock.n; i++)
		if (strcmp(d->landlock.list[i].path, path) == 0) {
			landlock_describe(d->landlock.list[i].access, text, sizeof(text));
			return text;
		}
	return "-";
}

static void derives_rules_from_the_tree(void **state)
{
	static const struct {
		const char *path;
		const char *rights;
	} rows[] = {
		{"/", "list"},
		{"/usr", "read, list, execute"},
		{"/etc", "read, list"},
		{"/tmp", "-"},
		{"/bin", "-"},
		{"/dev", "read, list, write, ioctl"},
		{"/dev/shm", "read, list, write, make"},
		{"/proc", "read, list"},
		{"/src", "read, list, execute"},
		{"/src/out", "read, list, write, make, execute"},
		{"/src/out/.git", "-"},
		{"/run/secrets/key", "read"},
	};
	struct decision d;

	(void)state;
	decision_as_root(&d);
	build(&d, KERNEL_6_18);
	for (size_t i = 0; i < N(rows); i++)
		assert_string_equal(rights(&d, rows[i].path), rows[i].rights);
	assert_int_equal(d.landlock.n, 9);
	assert_int_equal(d.landlock.handled.files, 0xffff);
	assert_int_equal(d.landlock.handled.network, 0);
	assert_int_equal(d.landlock.handled.scoped, 3);
	/* No rule lets a device be made. */
	for (size_t i = 0; i < d.landlock.n; i++)
		assert_int_equal(d.landlock.list[i].access &
					 (SYS_LANDLOCK_FS_MAKE_CHAR | SYS_LANDLOCK_FS_MAKE_BLOCK),
				 0);
	arena_release(&d.arena);
}

static void gives_a_root_what_it_is_for(void **state)
{
	struct decision d;

	(void)state;
	decision_as_root(&d);
	d.spec.rootfs.kind = ROOTFS_DIR;
	build(&d, KERNEL_6_18);
	assert_string_equal(rights(&d, "/"), "read, list, execute");
	arena_release(&d.arena);
	d.spec.rootfs = (struct spec_rootfs){.kind = ROOTFS_EMPTY, .writable = WRITABLE_TMPFS};
	build(&d, KERNEL_6_18);
	assert_string_equal(rights(&d, "/"), "read, list, write, make, execute");
	arena_release(&d.arena);
}

static void lists_take_away(void **state)
{
	static const char *const out[] = {"/src/out/a"};
	static const char *const src_and_usr[] = {"/src", "/usr/bin"};
	const struct spec_path_list lists[] = {
		{.right = PATH_WRITE, .paths = out, .n_paths = 1},
		{.right = PATH_EXECUTE, .paths = src_and_usr, .n_paths = 2},
		{.right = PATH_READ},
	};
	struct decision d;

	(void)state;
	decision_as_root(&d);
	d.spec.landlock.lists = lists;
	d.spec.landlock.n_lists = 2;
	build(&d, KERNEL_6_18);
	assert_int_equal(misses.n, 0);
	assert_string_equal(rights(&d, "/usr"), "read, list");
	assert_string_equal(rights(&d, "/usr/bin"), "execute");
	assert_string_equal(rights(&d, "/src"), "read, list, execute");
	assert_string_equal(rights(&d, "/src/out"), "read, list, execute");
	assert_string_equal(rights(&d, "/src/out/a"), "write, make");
	assert_string_equal(rights(&d, "/dev/shm"), "read, list");
	assert_string_equal(rights(&d, "/dev"), "read, list, ioctl");
	arena_release(&d.arena);
	/* An empty list leaves nothing of its right. */
	d.spec.landlock.n_lists = 3;
	build(&d, KERNEL_6_18);
	assert_string_equal(rights(&d, "/etc"), "-");
	assert_string_equal(rights(&d, "/src/out/a"), "write, make");
	arena_release(&d.arena);
}

/* Of two layers' lists what both have is left, whichever is the wider one. */
static void a_later_list_gives_nothing_back(void **state)
{
	static const char *const narrow[] = {"/src/out/a", "/dev/shm"};
	static const char *const wide[] = {"/src", "/dev"};
	struct spec_path_list lists[] = {
		{.right = PATH_WRITE, .paths = narrow, .n_paths = 2},
		{.right = PATH_WRITE, .paths = wide, .n_paths = 2},
	};
	struct decision d;

	(void)state;
	decision_as_root(&d);
	d.spec.landlock.lists = lists;
	d.spec.landlock.n_lists = 2;
	for (int turned = 0; turned < 2; turned++) {
		build(&d, KERNEL_6_18);
		assert_int_equal(misses.n, 0);
		assert_string_equal(rights(&d, "/src/out"), "read, list, execute");
		assert_string_equal(rights(&d, "/src/out/a"), "write, make");
		assert_string_equal(rights(&d, "/dev/shm"), "read, list, write, make");
		assert_string_equal(rights(&d, "/dev"), "read, list, ioctl");
		arena_release(&d.arena);
		lists[1].paths = narrow;
		lists[0].paths = wide;
	}
}

static void a_list_that_gives_is_refused(void **state)
{
	static const char *const usr[] = {"/usr", "/src/out"};
	const struct spec_path_list list = {.right = PATH_WRITE,
					    .paths = usr,
					    .n_paths = 2,
					    .origin = {.file = "p.yaml", .line = 7}};
	struct decision d;

	(void)state;
	decision_as_root(&d);
	d.spec.landlock.lists = &list;
	d.spec.landlock.n_lists = 1;
	build(&d, KERNEL_6_18);
	assert_int_equal(misses.n, 1);
	assert_string_equal(misses.list[0].key, "landlock.write");
	assert_string_equal(misses.list[0].text,
			    "landlock.write: /usr cannot be written in the first place");
	assert_int_equal(misses.list[0].origin.line, 7);
	assert_string_equal(rights(&d, "/usr"), "read, list, execute");
	arena_release(&d.arena);
}

static void handles_what_the_kernel_knows(void **state)
{
	static const struct {
		int abi;
		uint64_t files, network, scoped;
	} rows[] = {
		{2, 0x3fff, 0, 0}, {3, 0x7fff, 0, 0}, {4, 0x7fff, 3, 0},
		{5, 0xffff, 3, 0}, {6, 0xffff, 3, 3}, {99, 0xffff, 3, 3},
	};
	struct decision d;

	(void)state;
	decision_as_root(&d);
	d.spec.landlock.connect_tcp.is_limited = true;
	d.spec.landlock.bind_tcp.is_limited = true;
	for (size_t i = 0; i < N(rows); i++) {
		build(&d, rows[i].abi);
		assert_int_equal(d.landlock.handled.files, rows[i].files);
		assert_int_equal(d.landlock.handled.network, rows[i].network);
		assert_int_equal(d.landlock.handled.scoped, rows[i].scoped);
		for (size_t k = 0; k < d.landlock.n; k++)
			assert_int_equal(d.landlock.list[k].access & ~rows[i].files, 0);
		arena_release(&d.arena);
	}
}

static const struct {
	int abi;
	bool limits_tcp;
	const char *text; /* "" for nothing */
	const char *hint;
} kernels[] = {
	{-ENOSYS, false, "landlock: this kernel has no Landlock", "CONFIG_SECURITY_LANDLOCK=y"},
	{-EOPNOTSUPP, false, "landlock: this kernel was booted without Landlock", "lsm="},
	{1, false,
	 "landlock: version 1 of this kernel's Landlock cannot restrict renames between "
	 "directories, truncate, ioctl of devices, signals and abstract sockets",
	 "kernel of 6.12"},
	{2, false,
	 "landlock: version 2 of this kernel's Landlock cannot restrict truncate, ioctl of "
	 "devices, signals and abstract sockets",
	 "kernel of 6.12"},
	{3, true,
	 "landlock: version 3 of this kernel's Landlock cannot restrict TCP ports, ioctl "
	 "of "
	 "devices, signals and abstract sockets",
	 "--waive landlock="},
	{4, true,
	 "landlock: version 4 of this kernel's Landlock cannot restrict ioctl of devices, "
	 "signals and abstract sockets",
	 "when_possible: {landlock: auto}"},
	{5, true,
	 "landlock: version 5 of this kernel's Landlock cannot restrict signals and "
	 "abstract "
	 "sockets",
	 "kernel of 6.12"},
	{6, true, "", ""},
	{7, false, "", ""},
};

static void says_what_the_kernel_lacks(void **state)
{
	struct decision d;

	(void)state;
	for (size_t i = 0; i < N(kernels); i++) {
		bool is_whole = kernels[i].text[0] == '\0';

		decision_as_root(&d);
		d.facts.landlock_abi = kernels[i].abi;
		d.spec.landlock.connect_tcp.is_limited = kernels[i].limits_tcp;
		for (int demand = DEMAND_NONE; demand <= DEMAND_REQUIRED; demand++) {
			bool is_refused = demand == DEMAND_REQUIRED && !is_whole;

			d.spec.landlock.demand = (enum spec_demand)demand;
			d.n_not_enforced = 0;
			memset(&misses, 0, sizeof(misses));
			preflight_lsm(&d, &misses);
			plan_make(&d);
			assert_int_equal(misses.n, is_refused ? 1 : 0);
			if (is_refused) {
				assert_string_equal(misses.list[0].text, kernels[i].text);
				assert_non_null(strstr(misses.list[0].hint, kernels[i].hint));
			}
			assert_int_equal(d.n_not_enforced,
					 demand == DEMAND_WHEN_POSSIBLE && !is_whole ? 1 : 0);
			/* Half of it is better than none, and said to be half. */
			assert_int_equal(d.plan.child_wanted[CHILD_LANDLOCK],
					 demand != DEMAND_NONE && kernels[i].abi >= KERNEL_6_1);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives_rules_from_the_tree),
		cmocka_unit_test(gives_a_root_what_it_is_for),
		cmocka_unit_test(lists_take_away),
		cmocka_unit_test(a_later_list_gives_nothing_back),
		cmocka_unit_test(a_list_that_gives_is_refused),
		cmocka_unit_test(handles_what_the_kernel_knows),
		cmocka_unit_test(says_what_the_kernel_lacks),
	};

	return cmocka_run_group_tests_name("launcher/landlock", tests, NULL, NULL);
}
