/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/path.c: paths as text, and paths below a root that somebody hostile has filled. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/path.h"
#include "base/str.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void normalizes(void **state)
{
	static const struct {
		const char *from, *path, *want;
	} rows[] = {
		{"/", "/", "/"},
		{"/", "", "/"},
		{"/a", "", "/a"},
		{"/a/b", "c", "/a/b/c"},
		{"/a/b", "./c/.", "/a/b/c"},
		{"/a/b", "..", "/a"},
		{"/a/b", "../..", "/"},
		{"/a/b", "../../../../..", "/"},
		{"/a/b", "../../../etc", "/etc"},
		{"/a//b///", "c//d/", "/a/b/c/d"},
		{"/a/../b/.", "c", "/b/c"},
		{"/ignored", "/x/./y/../z//", "/x/z"},
		{"", "/x", "/x"},
		{"relative", "/x", "/x"},
		{"/", "//", "/"},
		{"/", "///x", "/x"},
		{"/", "/..", "/"},
		{"/", "/../../x/..", "/"},
		{"/", "/a/b/../../..", "/"},
		/* Names that only look like "." and "..". */
		{"/", "/.../x", "/.../x"},
		{"/", "/..a/.b/c..", "/..a/.b/c.."},
		{"/", "/a/. /..\n", "/a/. /..\n"},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		char buf[64];

		assert_int_equal(path_normalize(buf, sizeof(buf), rows[i].from, rows[i].path),
				 strlen(rows[i].want));
		assert_string_equal(buf, rows[i].want);
	}
}

static void refuses_relative_to_nothing(void **state)
{
	char buf[64];

	(void)state;
	assert_int_equal(path_normalize(buf, sizeof(buf), "", "x"), -EINVAL);
	assert_int_equal(path_normalize(buf, sizeof(buf), "a/b", "x"), -EINVAL);
	assert_int_equal(path_normalize(buf, sizeof(buf), "", ""), -EINVAL);
}

static void fits_or_refuses(void **state)
{
	static const char want[] = "/ab/cd";

	(void)state;
	for (size_t size = 0; size <= sizeof(want) + 1; size++) {
		char buf[32];

		memset(buf, '#', sizeof(buf));
		assert_int_equal(path_normalize(buf, size, "/", "/ab/cd"),
				 size < sizeof(want) ? -ENAMETOOLONG : (int)strlen(want));
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
	/* What is too long in between but comes out short is a matter of the buffer, and must not
	 * be written past its end either. */
	for (size_t size = 0; size < 8; size++) {
		char buf[16];

		memset(buf, '#', sizeof(buf));
		assert_true(path_normalize(buf, size, "/", "/abcdefghijkl/../x") < 0);
		for (size_t i = size; i < sizeof(buf); i++)
			assert_int_equal(buf[i], '#');
	}
}

static void says_what_lies_below(void **state)
{
	static const struct {
		const char *path, *dir;
		bool below;
	} rows[] = {
		{"/", "/", true},         {"/a", "/", true},    {"/a", "/a", true},
		{"/a/b", "/a", true},     {"/ab", "/a", false}, {"/a", "/a/b", false},
		{"/", "/a", false},       {"/b", "/a", false},  {"/a/b/c", "/a/b", true},
		{"/a/bc", "/a/b", false},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++)
		assert_int_equal(path_is_below(rows[i].path, rows[i].dir), rows[i].below);
}

/* ---- path_make_in_root ---- */

/* scratch/root is the root, scratch/outside must stay empty whatever root holds. */
static int setup(void **state)
{
	struct scratch *scratch = malloc(sizeof(*scratch));

	umask(022);
	scratch_make(scratch);
	scratch_dir(scratch, "root", 0755);
	scratch_dir(scratch, "outside", 0755);
	*state = scratch;
	return 0;
}

static int teardown(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

static int make(struct scratch *scratch, const char *path, bool is_dir)
{
	int root = openat(scratch->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t id;
	struct path_own_mounts own = {.ids = &id, .n = 1};
	struct statx st;
	int fd;

	assert_true(root >= 0);
	assert_int_equal(statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &st), 0);
	id = st.stx_mnt_id;
	fd = path_make_in_root(root, path, is_dir, &own);
	close(root);
	return fd;
}

/* The fd leads to what the host calls scratch/NAME, of that type and mode. */
static void assert_is(struct scratch *scratch, int fd, const char *name, mode_t mode)
{
	struct stat by_fd, by_name;

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fstat(fd, &by_fd), 0);
	assert_int_equal(fstatat(scratch->fd, name, &by_name, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(by_fd.st_ino, by_name.st_ino);
	assert_int_equal(by_fd.st_dev, by_name.st_dev);
	if (mode != 0)
		assert_int_equal(by_fd.st_mode, mode);
	close(fd);
}

static void makes_what_is_missing(void **state)
{
	struct scratch *scratch = *state;

	assert_is(scratch, make(scratch, "/", true), "root", 0);
	assert_is(scratch, make(scratch, "/a/b/c", true), "root/a/b/c", S_IFDIR | 0755);
	assert_is(scratch, make(scratch, "/a/b/file", false), "root/a/b/file", S_IFREG | 0644);
	assert_int_equal(scratch_count(scratch, "root"), 4);
	/* Again: nothing more is made. */
	assert_is(scratch, make(scratch, "/a/b/c", true), "root/a/b/c", 0);
	assert_is(scratch, make(scratch, "/a/b/file", false), "root/a/b/file", 0);
	assert_int_equal(scratch_count(scratch, "root"), 4);
	assert_int_equal(scratch_count(scratch, "outside"), 0);
}

/* What exists is opened as it is; a file in the middle is no directory. */
static void respects_what_is_there(void **state)
{
	struct scratch *scratch = *state;

	scratch_file(scratch, "root/file", 0600, "text");
	assert_is(scratch, make(scratch, "/file", true), "root/file", S_IFREG | 0600);
	assert_int_equal(make(scratch, "/file/below", true), -ENOTDIR);
	assert_int_equal(scratch_count(scratch, "root"), 1);
}

/*
 * Links that try to lead out: /link leads to `to`, and /link/new/deep is asked for. lands: where it
 * must be, or NULL for a refusal with `error`.
 */
struct hostile_row {
	const char *name;
	const char *to; /* %s: the scratch directory on the host */
	const char *lands;
	int error;
};

static const struct hostile_row hostile[] = {
	{"inside, relative", "real", "root/real/new/deep", 0},
	{"inside, absolute", "/real", "root/real/new/deep", 0},
	{"inside, with ..", "../../../real", "root/real/new/deep", 0},
	{"the root itself", "/", "root/new/deep", 0},
	{"above the root", "../..", "root/new/deep", 0},
	{"outside, relative", "../outside", NULL, -EEXIST},
	{"outside, by the host's path", "%s/outside", NULL, -EEXIST},
	{"dangling", "nowhere", NULL, -EEXIST},
	{"dangling in the root", "/nowhere/at/all", NULL, -EEXIST},
	{"a loop", "link", NULL, -ELOOP},
	{"a process's root", "/proc/self/root", NULL, -EEXIST},
};

static void is_not_led_out_by(struct scratch *scratch, const struct hostile_row *row, bool is_dir)
{
	char to[PATH_MAX + 64];
	const char *at = strstr(row->to, "%s");
	int before, fd;

	scratch_dir(scratch, "root/real", 0755);
	if (at != NULL)
		str_format(to, sizeof(to), "%s%s", scratch->path, at + 2);
	else
		str_format(to, sizeof(to), "%s", row->to);
	scratch_link(scratch, "root/link", to);
	before = scratch_count(scratch, "root");
	fd = make(scratch, "/link/new/deep", is_dir);
	if (row->lands != NULL) {
		assert_is(scratch, fd, row->lands, is_dir ? S_IFDIR | 0755 : S_IFREG | 0644);
		assert_int_equal(scratch_count(scratch, "root"), before + 2);
	} else {
		assert_int_equal(fd, row->error);
		assert_int_equal(scratch_count(scratch, "root"), before);
	}
	/* Beside root and outside nothing appeared, and outside is empty. */
	assert_int_equal(scratch_count(scratch, "outside"), 0);
	assert_int_equal(scratch_count(scratch, "."), 2 + scratch_count(scratch, "root"));
}

static void follows_links_within_the_root_only(void **state)
{
	for (size_t i = 0; i < 2 * N(hostile); i++) {
		void *own = NULL;

		print_message("%s\n", hostile[i / 2].name);
		setup(&own);
		is_not_led_out_by(own, &hostile[i / 2], i % 2 == 0);
		teardown(&own);
	}
	(void)state;
}

/* The last part is the link: a file that exists is opened, one that does not is not made through
 * it. */
static void last_part_may_be_a_link(void **state)
{
	struct scratch *scratch = *state;
	char path[PATH_MAX];

	scratch_file(scratch, "outside/host", 0600, "secret");
	scratch_file(scratch, "root/plain", 0600, "");
	scratch_link(scratch, "root/good", "/plain");
	scratch_link(scratch, "root/out", scratch_path(scratch, "outside/host", path));
	scratch_link(scratch, "root/out2", "../outside/new");
	scratch_link(scratch, "root/here", "later");
	assert_is(scratch, make(scratch, "/good", false), "root/plain", 0);
	assert_int_equal(make(scratch, "/out", false), -EEXIST);
	assert_int_equal(make(scratch, "/out2", false), -EEXIST);
	assert_int_equal(make(scratch, "/out2", true), -EEXIST);
	assert_int_equal(make(scratch, "/here", false), -EEXIST);
	assert_int_equal(scratch_count(scratch, "outside"), 1);
	assert_int_equal(scratch_count(scratch, "root"), 5);
}

/* A chain of links, each by another way, ends where the workload would end. */
static void follows_chains(void **state)
{
	struct scratch *scratch = *state;

	scratch_dir(scratch, "root/a", 0755);
	scratch_dir(scratch, "root/a/b", 0755);
	scratch_link(scratch, "root/one", "/two");
	scratch_link(scratch, "root/two", "a/../../../a/three");
	scratch_link(scratch, "root/a/three", "/../a/b");
	assert_is(scratch, make(scratch, "/one/x", true), "root/a/b/x", S_IFDIR | 0755);
	scratch_link(scratch, "root/four", "/one/../../../../outside");
	assert_int_equal(make(scratch, "/four/x", true), -EEXIST);
	assert_int_equal(scratch_count(scratch, "outside"), 0);
}

/* /proc/self/fd and its kin jump over the root's edge: links of that kind are refused, also where a
 * real proc is in the root. */
static void refuses_magic_links(void **state)
{
	struct path_own_mounts none = {0};
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(root >= 0);
	assert_int_equal(path_make_in_root(root, "/proc/self/cwd/x", true, &none), -ELOOP);
	assert_int_equal(path_make_in_root(root, "/proc/self/root", true, &none), -ELOOP);
	close(root);
}

static void refuses_what_is_too_long(void **state)
{
	struct scratch *scratch = *state;
	char part[NAME_MAX + 3], path[2 * PATH_MAX] = "";
	char name[NAME_MAX + 8];
	size_t len = 0;

	memset(part, 'n', sizeof(part));
	part[0] = '/';
	part[NAME_MAX + 1] = '\0';
	str_format(name, sizeof(name), "root%s", part);
	assert_is(scratch, make(scratch, part, false), name, S_IFREG | 0644);
	part[NAME_MAX + 1] = 'n';
	part[NAME_MAX + 2] = '\0';
	assert_int_equal(make(scratch, part, false), -ENAMETOOLONG);
	while (len < PATH_MAX)
		len += str_format(path + len, sizeof(path) - len, "/dir");
	assert_int_equal(make(scratch, path, true), -ENAMETOOLONG);
	assert_int_equal(scratch_count(scratch, "root"), 1);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- path_resolve_trusted ---- */

/* A link of root's is followed, another's is not, and the answer names it. */
static void follows_links_of_root_alone(void **state)
{
	struct scratch *scratch = *state;
	char base[PATH_MAX], path[PATH_MAX * 2], want[PATH_MAX * 2], real[PATH_MAX];
	int expected = geteuid() == 0 ? 0 : -ELOOP;

	snprintf(base, sizeof(base), "%s", scratch->path);
	scratch_dir(scratch, "root/a", 0755);
	assert_int_equal(symlinkat("../root/a", scratch->fd, "outside/link"), 0);
	snprintf(path, sizeof(path), "%s/outside/link/", base);
	assert_int_equal(path_resolve_trusted(path, real, sizeof(real)), expected);
	snprintf(want, sizeof(want), "%s/%s", base, expected == 0 ? "root/a" : "outside/link");
	assert_string_equal(real, want);
	if (geteuid() != 0)
		return;
	assert_int_equal(fchownat(scratch->fd, "outside/link", 4242, 4242, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(path_resolve_trusted(path, real, sizeof(real)), -ELOOP);
	snprintf(want, sizeof(want), "%s/outside/link", base);
	assert_string_equal(real, want);
}

static void resolves_plain_paths(void **state)
{
	static const struct {
		const char *path;
		int result;
		const char *real;
	} rows[] = {
		{"/", 0, "/"},
		{"//usr/./bin/../lib/", 0, "/usr/lib"},
		{"/..", 0, "/"},
		{"/nothing/here", -ENOENT, NULL},
		{"/etc/passwd/x", -ENOTDIR, NULL},
		{"relative", -EINVAL, NULL},
		{"", -EINVAL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char real[PATH_MAX] = "";

		print_message("%s\n", rows[i].path);
		assert_int_equal(path_resolve_trusted(rows[i].path, real, sizeof(real)),
				 rows[i].result);
		if (rows[i].real != NULL)
			assert_string_equal(real, rows[i].real);
	}
}

static void gives_up_on_loops(void **state)
{
	struct scratch *scratch = *state;
	char path[PATH_MAX + 8], real[PATH_MAX];

	assert_int_equal(symlinkat("b", scratch->fd, "a"), 0);
	assert_int_equal(symlinkat("a", scratch->fd, "b"), 0);
	snprintf(path, sizeof(path), "%s/a", scratch->path);
	assert_int_equal(path_resolve_trusted(path, real, sizeof(real)), -ELOOP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalizes),
		cmocka_unit_test(refuses_relative_to_nothing),
		cmocka_unit_test(fits_or_refuses),
		cmocka_unit_test(says_what_lies_below),
		test(makes_what_is_missing),
		test(respects_what_is_there),
		cmocka_unit_test(follows_links_within_the_root_only),
		test(last_part_may_be_a_link),
		test(follows_chains),
		cmocka_unit_test(refuses_magic_links),
		test(refuses_what_is_too_long),
		test(follows_links_of_root_alone),
		cmocka_unit_test(resolves_plain_paths),
		test(gives_up_on_loops),
	};

	return cmocka_run_group_tests_name("base/path", tests, NULL, NULL);
}
