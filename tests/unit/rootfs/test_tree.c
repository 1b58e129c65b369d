/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rootfs/tree.c: the list of what is shown, made, hidden and frozen. */
#include <errno.h>
#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "rootfs/tree.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

enum { MOUNTS_MAX = 8 };

struct tree_case {
	struct arena arena;
	struct sandbox_spec spec;
	struct spec_mount mounts[MOUNTS_MAX];
	struct tree_source sources[MOUNTS_MAX];
	struct host_layout layout;
	struct tree tree;
	struct err err;
};

static const char *const environment[] = {"TERM=dumb", "HOME=/home/u", NULL};

/* A host whose every path of the allow list is a directory. */
static int setup(void **state)
{
	struct tree_case *c = calloc(1, sizeof(*c));

	for (size_t i = 0; tree_host_paths[i] != NULL; i++) {
		c->layout.entries[i].path = tree_host_paths[i];
		c->layout.entries[i].kind = HOST_DIRECTORY;
		c->layout.n_entries++;
	}
	c->spec.rootfs.kind = ROOTFS_HOST;
	c->spec.identity = (struct spec_identity){1000, 1000};
	c->spec.process.envp = environment;
	c->spec.process.hostname = "box";
	c->spec.mounts = c->mounts;
	*state = c;
	return arena_init(&c->arena, 1 << 20, &c->err);
}

static int teardown(void **state)
{
	struct tree_case *c = *state;

	arena_release(&c->arena);
	free(c);
	return 0;
}

static void build(struct tree_case *c)
{
	assert_int_equal(tree_build(&c->spec, &c->layout, c->sources, &c->arena, &c->tree, &c->err),
			 0);
}

static const struct tree_op *find(const struct tree_case *c, enum tree_stage stage,
				  const char *target)
{
	const struct tree_op *found = NULL;

	for (size_t i = 0; i < c->tree.n_ops; i++)
		if (c->tree.ops[i].stage == stage && strcmp(c->tree.ops[i].target, target) == 0) {
			assert_null(found); /* each place once */
			found = &c->tree.ops[i];
		}
	return found;
}

static void add_mount(struct tree_case *c, enum spec_mount_type type, const char *target)
{
	c->sources[c->spec.n_mounts].is_dir = true;
	c->mounts[c->spec.n_mounts++] =
		(struct spec_mount){.type = type, .source = "/src", .target = target, .mode = 0700};
}

/* Whatever is in the list: no setuid file works in it, no device but those of /dev, and what is the
 * host's is read-only. */
static void everything_is_safe(void **state)
{
	static const enum spec_rootfs_kind kinds[] = {ROOTFS_HOST, ROOTFS_DIR, ROOTFS_EMPTY};
	struct tree_case *c = *state;

	add_mount(c, MOUNT_BIND, "/a");
	add_mount(c, MOUNT_TMPFS, "/b");
	for (size_t k = 0; k < N(kinds); k++) {
		c->spec.rootfs.kind = kinds[k];
		build(c);
		for (size_t i = 0; i < c->tree.n_ops; i++) {
			const struct tree_op *op = &c->tree.ops[i];
			bool is_mount = op->kind != TREE_DIR && op->kind != TREE_SYMLINK &&
					op->kind != TREE_FILE;

			assert_int_equal(op->target[0], '/');
			if (is_mount)
				assert_true((op->attrs & MOUNT_ATTR_NOSUID) != 0);
			if (is_mount && op->stage != TREE_DEV)
				assert_true((op->attrs & MOUNT_ATTR_NODEV) != 0);
			if (op->kind == TREE_HOST_BIND || op->stage == TREE_KERNEL_PATHS)
				assert_true((op->attrs & MOUNT_ATTR_RDONLY) != 0);
			if (op->kind == TREE_TMPFS && op->stage != TREE_VOLUMES)
				assert_true(op->size_bytes > 0 && op->inodes > 0);
		}
	}
}

static void the_allow_list_is_short(void **state)
{
	static const char *const never[] = {"/",    "/etc",   "/home", "/root", "/var",
					    "/opt", "/srv",   "/run",  "/sys",  "/boot",
					    "/mnt", "/media", "/proc", "/dev",  "/tmp"};
	size_t n = 0;

	(void)state;
	for (; tree_host_paths[n] != NULL; n++)
		for (size_t i = 0; i < N(never); i++)
			assert_string_not_equal(tree_host_paths[n], never[i]);
	assert_true(n <= HOST_ENTRIES_MAX);
}

static void shows_host_paths_as_they_are(void **state)
{
	static const struct {
		enum host_entry_kind host;
		enum tree_kind want; /* TREE_DIR: not shown */
		const char *link;
	} rows[] = {
		{HOST_ABSENT, TREE_DIR, ""},
		{HOST_DIRECTORY, TREE_HOST_BIND, ""},
		{HOST_FILE, TREE_HOST_BIND, ""},
		{HOST_SYMLINK, TREE_SYMLINK, "usr/bin"},
		{HOST_SYMLINK, TREE_SYMLINK, "/usr/bin"},
		/* Elsewhere the link would lead to nothing, or out of /usr. */
		{HOST_SYMLINK, TREE_HOST_BIND, "/opt/bin"},
		{HOST_SYMLINK, TREE_HOST_BIND, "usr/../etc"},
		{HOST_SYMLINK, TREE_HOST_BIND, "/usr/../../etc"},
		{HOST_SYMLINK, TREE_HOST_BIND, "usr"},
		{HOST_SYMLINK, TREE_HOST_BIND, "/usrlocal/x"},
		{HOST_SYMLINK, TREE_HOST_BIND, ""},
	};
	struct tree_case *c = *state;
	struct host_entry *bin = &c->layout.entries[1];

	assert_string_equal(bin->path, "/bin");
	for (size_t i = 0; i < N(rows); i++) {
		const struct tree_op *op;

		bin->kind = rows[i].host;
		str_format(bin->link, sizeof(bin->link), "%s", rows[i].link);
		build(c);
		op = find(c, TREE_SYSTEM, "/bin");
		if (rows[i].want == TREE_DIR) {
			assert_null(op);
			continue;
		}
		assert_int_equal(op->kind, rows[i].want);
		assert_string_equal(op->text, rows[i].want == TREE_SYMLINK ? rows[i].link : "/bin");
		assert_int_equal(op->is_dir, rows[i].host == HOST_DIRECTORY);
	}
}

/* Account files are made, for rootfs host alone: a rootfs of the caller's has its own. */
static void makes_account_files(void **state)
{
	static const char *const names[] = {"/etc/passwd", "/etc/group", "/etc/hosts"};
	struct tree_case *c = *state;

	build(c);
	for (size_t i = 0; i < N(names); i++) {
		const struct tree_op *op = find(c, TREE_ETC, names[i]);

		assert_int_equal(op->kind, TREE_FILE);
		assert_int_equal(op->mode, 0644);
	}
	assert_non_null(strstr(find(c, TREE_ETC, "/etc/passwd")->text,
			       "sandbox:x:1000:1000:sandbox:/home/u:/bin/sh\n"));
	assert_non_null(strstr(find(c, TREE_ETC, "/etc/hosts")->text, "\tbox\n"));
	c->spec.rootfs.kind = ROOTFS_DIR;
	build(c);
	for (size_t i = 0; i < c->tree.n_ops; i++)
		assert_true(c->tree.ops[i].stage >= TREE_DEV);
}

/* HOME is the caller's to choose, and must not add fields or lines to passwd. */
static void home_adds_no_line(void **state)
{
	static const struct {
		const char *variable, *want;
	} rows[] = {
		{"HOME=/data", "sandbox:/data:/bin/sh\n"},
		{"HOME=relative", "sandbox:/:/bin/sh\n"},
		{"HOME=", "sandbox:/:/bin/sh\n"},
		{"HOME=/x:/bin/evil", "sandbox:/:/bin/sh\n"},
		{"HOME=/x\nroot2:x:0:0:::", "sandbox:/:/bin/sh\n"},
		{"NOTHOME=/x", "sandbox:/:/bin/sh\n"},
	};
	struct tree_case *c = *state;

	for (size_t i = 0; i < N(rows); i++) {
		const char *const envp[] = {rows[i].variable, NULL};
		const char *text;
		size_t lines = 0;

		c->spec.process.envp = envp;
		build(c);
		text = find(c, TREE_ETC, "/etc/passwd")->text;
		assert_non_null(strstr(text, rows[i].want));
		for (; *text != '\0'; text++)
			lines += *text == '\n';
		assert_int_equal(lines, 4);
	}
}

static void dev_has_six_devices(void **state)
{
	static const struct {
		const char *name;
		uint32_t major, minor;
	} want[] = {{"/null", 1, 3},   {"/zero", 1, 5},    {"/full", 1, 7},
		    {"/random", 1, 8}, {"/urandom", 1, 9}, {"/tty", 5, 0}};
	struct tree_case *c = *state;
	size_t n = 0;

	build(c);
	for (size_t i = 0; i < c->tree.n_ops; i++)
		n += c->tree.ops[i].kind == TREE_DEVICE;
	assert_int_equal(n, N(want));
	for (size_t i = 0; i < N(want); i++) {
		const struct tree_op *op = find(c, TREE_DEV, want[i].name);

		assert_int_equal(op->kind, TREE_DEVICE);
		assert_int_equal(op->dev_major, want[i].major);
		assert_int_equal(op->dev_minor, want[i].minor);
	}
	assert_int_equal(find(c, TREE_DEV, "/pts")->kind, TREE_DEVPTS);
	assert_string_equal(find(c, TREE_DEV, "/ptmx")->text, "pts/ptmx");
}

static void hides_kernel_paths(void **state)
{
	static const struct {
		const char *name;
		enum tree_kind kind;
	} rows[] = {
		{"/kcore", TREE_HIDE_FILE},
		{"/kallsyms", TREE_HIDE_FILE},
		{"/kmsg", TREE_HIDE_FILE},
		{"/keys", TREE_HIDE_FILE},
		{"/timer_list", TREE_HIDE_FILE},
		{"/acpi", TREE_HIDE_DIR},
		{"/scsi", TREE_HIDE_DIR},
		{"/sys", TREE_READ_ONLY},
		{"/sysrq-trigger", TREE_READ_ONLY},
		{"/irq", TREE_READ_ONLY},
		{"/bus", TREE_HIDE_DIR},
		{"/fs", TREE_HIDE_DIR},
		{"/cmdline", TREE_HIDE_FILE},
		{"/pressure", TREE_HIDE_DIR},
		{"/diskstats", TREE_HIDE_FILE},
		{"/partitions", TREE_HIDE_FILE},
	};
	struct tree_case *c = *state;

	build(c);
	assert_int_equal(find(c, TREE_PROC, "/proc")->kind, TREE_PROC_FS);
	for (size_t i = 0; i < N(rows); i++)
		assert_int_equal(find(c, TREE_KERNEL_PATHS, rows[i].name)->kind, rows[i].kind);
	for (size_t i = 0; i < c->tree.n_ops; i++)
		if (c->tree.ops[i].stage == TREE_KERNEL_PATHS)
			assert_string_not_equal(c->tree.ops[i].reason, "");
}

static void carries_volumes_over(void **state)
{
	struct tree_case *c = *state;
	const struct tree_op *op;

	add_mount(c, MOUNT_BIND, "/data");
	add_mount(c, MOUNT_BIND, "/data.txt");
	add_mount(c, MOUNT_TMPFS, "/scratch");
	c->mounts[0].read_only = true;
	c->mounts[0].noexec = true;
	c->sources[1].is_dir = false;
	c->sources[2].is_dir = false;
	c->mounts[2].size_bytes = 4096;
	c->mounts[2].inodes = 7;
	build(c);
	op = find(c, TREE_VOLUMES, "/data");
	assert_int_equal(op->kind, TREE_SOURCE);
	assert_int_equal(op->source, 0);
	assert_true(op->is_dir);
	assert_int_equal(op->attrs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID |
					    MOUNT_ATTR_NODEV);
	op = find(c, TREE_VOLUMES, "/data.txt");
	assert_int_equal(op->source, 1);
	assert_false(op->is_dir);
	assert_int_equal(op->attrs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	op = find(c, TREE_VOLUMES, "/scratch");
	assert_int_equal(op->kind, TREE_TMPFS);
	assert_true(op->is_dir);
	assert_int_equal(op->size_bytes, 4096);
	assert_int_equal(op->inodes, 7);
	assert_int_equal(op->mode, 0700);
}

/* Nothing is made in a directory of the host's: the place must be there. */
static void makes_nothing_on_the_host(void **state)
{
	static const struct {
		const char *target;
		bool must_exist;
	} rows[] = {
		{"/usr/share/new", true},     {"/usr", true},
		{"/bin/new", true},           {"/lib/new", true},
		{"/etc/ssl/certs/new", true}, {"/etc/alternatives/new", true},
		{"/etc/new", false},          {"/data", false},
		{"/usrlocal", false},         {"/tmp/new", false},
		{"/etc/ssl/new", false},
	};
	struct tree_case *c = *state;

	for (size_t i = 0; i < N(rows); i++) {
		c->spec.n_mounts = 0;
		add_mount(c, MOUNT_BIND, rows[i].target);
		c->spec.rootfs.kind = ROOTFS_HOST;
		build(c);
		assert_int_equal(find(c, TREE_VOLUMES, rows[i].target)->must_exist,
				 rows[i].must_exist);
		/* An empty root is cordon's own. */
		c->spec.rootfs.kind = ROOTFS_EMPTY;
		build(c);
		assert_false(find(c, TREE_VOLUMES, rows[i].target)->must_exist);
	}
	/* Below another volume it is that one which counts, the innermost. */
	c->spec.n_mounts = 0;
	add_mount(c, MOUNT_BIND, "/data");
	add_mount(c, MOUNT_BIND, "/data/in");
	add_mount(c, MOUNT_TMPFS, "/data/tmp");
	add_mount(c, MOUNT_BIND, "/data/tmp/in");
	add_mount(c, MOUNT_BIND, "/database");
	build(c);
	assert_false(find(c, TREE_VOLUMES, "/data")->must_exist);
	assert_true(find(c, TREE_VOLUMES, "/data/in")->must_exist);
	assert_true(find(c, TREE_VOLUMES, "/data/tmp")->must_exist);
	assert_false(find(c, TREE_VOLUMES, "/data/tmp/in")->must_exist);
	assert_false(find(c, TREE_VOLUMES, "/database")->must_exist);
}

static void assert_op(const struct tree_op *op, enum tree_kind kind, bool is_read_only)
{
	assert_non_null(op);
	assert_int_equal(op->kind, kind);
	assert_int_equal((op->attrs & MOUNT_ATTR_RDONLY) != 0, is_read_only);
	assert_true((op->attrs & MOUNT_ATTR_NOSUID) != 0);
	assert_true((op->attrs & MOUNT_ATTR_NODEV) != 0);
}

/* Every directory on the way is fixed before what it leads to, and each place stands once. */
static void protects_paths(void **state)
{
	static const struct spec_protected wishes[] = {
		{.path = "a/b/c", .protection = PROTECT_READ_ONLY},
		{.path = "a/b/d", .protection = PROTECT_HIDDEN},
		{.path = "e/f", .protection = PROTECT_HIDDEN},
		{.path = "g/h/i", .protection = PROTECT_READ_ONLY},
		{.path = "g/h/j", .protection = PROTECT_HIDDEN},
	};
	static const struct tree_protected host[] = {
		{.place = PLACE_FILE, .path = "a/b/c"},  {.place = PLACE_DIR, .path = "a/b/d"},
		{.place = PLACE_FILE, .path = "e/f"},    {.place = PLACE_MISSING, .path = "g/h"},
		{.place = PLACE_MISSING, .path = "g/h"},
	};
	static const char *const order[] = {"/w/a", "/w/a/b", "/w/a/b/c", "/w/a/b/d",
					    "/w/e", "/w/e/f", "/w/g",     "/w/g/h"};
	static const struct tree_protected safe[] = {{.place = PLACE_SAFE, .path = "x/y"},
						     {.place = PLACE_FILE, .path = "x/z"}};
	static const struct spec_protected read_only[] = {{.path = "x/y",
							   .protection = PROTECT_READ_ONLY},
							  {.path = "x/z",
							   .protection = PROTECT_HIDDEN}};
	struct tree_case *c = *state;
	size_t n = 0;

	add_mount(c, MOUNT_BIND, "/w");
	add_mount(c, MOUNT_BIND, "/r");
	c->mounts[0].protected = wishes;
	c->mounts[0].n_protected = N(wishes);
	c->sources[0].protected = host;
	c->mounts[1].read_only = true;
	c->mounts[1].protected = read_only;
	c->mounts[1].n_protected = N(read_only);
	c->sources[1].protected = safe;
	build(c);
	for (size_t i = 0; i < c->tree.n_ops; i++)
		if (c->tree.ops[i].stage == TREE_PROTECTED && n < N(order))
			assert_string_equal(c->tree.ops[i].target, order[n++]);
	assert_int_equal(n, N(order));
	assert_op(find(c, TREE_PROTECTED, "/w/a"), TREE_PIN, false);
	assert_op(find(c, TREE_PROTECTED, "/w/a/b"), TREE_PIN, false);
	assert_op(find(c, TREE_PROTECTED, "/w/a/b/c"), TREE_READ_ONLY, true);
	assert_op(find(c, TREE_PROTECTED, "/w/a/b/d"), TREE_HIDE_DIR, true);
	assert_op(find(c, TREE_PROTECTED, "/w/e/f"), TREE_HIDE_FILE, true);
	assert_op(find(c, TREE_PROTECTED, "/w/g/h"), TREE_PLACEHOLDER, true);
	assert_null(find(c, TREE_PROTECTED, "/w/g/h/i"));
	/* In a read-only bind nothing can be renamed. */
	assert_null(find(c, TREE_PROTECTED, "/r/x"));
	assert_int_equal(find(c, TREE_PROTECTED, "/r/x/y")->kind, TREE_AS_IT_IS);
	assert_op(find(c, TREE_PROTECTED, "/r/x/z"), TREE_HIDE_FILE, true);
}

/* At every size of the arena the whole list, or an error with nothing returned. */
static void fits_or_refuses(void **state)
{
	struct tree_case *c = *state;
	size_t whole, need, start = c->arena.used;
	bool failed = false;

	build(c);
	whole = c->tree.n_ops;
	need = c->arena.used - start;
	for (size_t left = 0; left < need; left += 64) {
		struct tree tree = {.n_ops = 12345};

		c->arena.used = c->arena.size - left;
		assert_true(tree_build(&c->spec, &c->layout, c->sources, &c->arena, &tree,
				       &c->err) < 0);
		assert_int_equal(tree.n_ops, 12345);
		failed = true;
	}
	assert_true(failed);
	c->arena.used = start;
	build(c);
	assert_int_equal(c->tree.n_ops, whole);
}

static void names_every_kind(void **state)
{
	(void)state;
	for (unsigned kind = TREE_DIR; kind <= TREE_AS_IT_IS; kind++)
		assert_string_not_equal(tree_kind_name((enum tree_kind)kind), "unknown");
	assert_string_equal(tree_kind_name((enum tree_kind)99), "unknown");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(everything_is_safe),
		cmocka_unit_test(the_allow_list_is_short),
		test(shows_host_paths_as_they_are),
		test(makes_account_files),
		test(home_adds_no_line),
		test(dev_has_six_devices),
		test(hides_kernel_paths),
		test(carries_volumes_over),
		test(protects_paths),
		test(makes_nothing_on_the_host),
		test(fits_or_refuses),
		cmocka_unit_test(names_every_kind),
	};

	return cmocka_run_group_tests_name("rootfs/tree", tests, NULL, NULL);
}
