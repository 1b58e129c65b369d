/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/policy_host.c: files of the host that are not profiles: those at descriptors 0 to 2, and
 * the accounts of a rootfs that nobody trusts. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/policy_host.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

struct host_case {
	struct scratch scratch;
	struct arena arena;
	struct run_request request;
	struct policy_host_state state;
	struct policy_host host;
	/* of the last reading */
	const char *text;
	size_t len;
	struct err err;
};

static int setup(void **state)
{
	struct host_case *c = calloc(1, sizeof(*c));

	scratch_make(&c->scratch);
	policy_host_init(&c->state, &c->request, geteuid(), &c->host);
	*state = c;
	return arena_init(&c->arena, 8 << 20, &c->err);
}

static int teardown(void **state)
{
	struct host_case *c = *state;

	arena_release(&c->arena);
	scratch_remove(&c->scratch);
	free(c);
	return 0;
}

static void assert_refused(const struct host_case *c, int result, const char *part)
{
	assert_true(result < 0);
	assert_int_equal(c->err.kind, ERR_POLICY);
	if (strstr(c->err.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", c->err.text, part);
	assert_null(c->text);
}

/* ---- descriptors 0 to 2 ---- */

/* A child's: cmocka prints to the tests' own. What is put at each, "" for closed. */
static bool sees_file_at_stdio(struct host_case *c, const char *const at[3])
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int from[3];

		for (int fd = 0; fd < 3; fd++)
			from[fd] = openat(c->scratch.fd, at[fd], O_RDWR | O_CLOEXEC);
		for (int fd = 0; fd < 3; fd++) {
			close(fd);
			if (at[fd][0] != '\0' && dup2(from[fd], fd) != fd)
				_exit(2);
		}
		policy_host_init(&c->state, &c->request, geteuid(), &c->host);
		_exit(c->host.stdio_is_file ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

static void sees_files_at_stdio(void **state)
{
	static const struct {
		const char *at[3];
		bool want;
	} rows[] = {
		{{"null", "null", "null"}, false},
		{{"file", "null", "null"}, true},
		{{"null", "file", "null"}, true},
		{{"null", "null", "file"}, true},
		{{"file", "file", "file"}, true},
		{{"fifo", "fifo", "fifo"}, false},
		{{"", "", ""}, false},
		{{"", "", "file"}, true},
		{{"", "file", ""}, true},
		{{"file", "", ""}, true},
		{{"to-file", "null", "null"}, true},
	};
	struct host_case *c = *state;

	scratch_file(&c->scratch, "file", 0600, "");
	scratch_fifo(&c->scratch, "fifo");
	scratch_link(&c->scratch, "null", "/dev/null");
	scratch_link(&c->scratch, "to-file", "file");
	for (size_t i = 0; i < N(rows); i++)
		if (sees_file_at_stdio(c, rows[i].at) != rows[i].want)
			fail_msg("row %zu", i);
}

/* ---- account files ---- */

static int read_accounts(struct host_case *c, const char *dir, const char *which)
{
	struct spec_rootfs rootfs = {.kind = dir[0] != '\0' ? ROOTFS_DIR : ROOTFS_HOST, .dir = ""};
	char path[PATH_MAX];

	if (dir[0] != '\0')
		rootfs.dir = scratch_path(&c->scratch, dir, path);
	c->text = NULL;
	memset(&c->err, 0, sizeof(c->err));
	return c->host.read_accounts(c->host.ctx, &c->arena, &rootfs, which, &c->text, &c->len,
				     &c->err);
}

static int load_profile(struct host_case *c, const char *path)
{
	const char *ret_path, *ret_dir;

	memset(&c->err, 0, sizeof(c->err));
	return c->host.load_profile(c->host.ctx, &c->arena, path, "", &ret_path, &ret_dir, &c->text,
				    &c->len, &c->err);
}

static void reads_account_files(void **state)
{
	struct host_case *c = *state;

	scratch_dir(&c->scratch, "root", 0755);
	assert_refused(c, read_accounts(c, "root", "passwd"), "/etc/passwd: No such file");
	scratch_dir(&c->scratch, "root/etc", 0755);
	scratch_file(&c->scratch, "root/etc/passwd", 0644, "web:x:33:33::/:/bin/sh\n");
	assert_int_equal(read_accounts(c, "root", "passwd"), 0);
	assert_int_equal(c->len, 23);
	assert_memory_equal(c->text, "web:", 4);
	assert_int_equal(read_accounts(c, "", "passwd"), 0);
	assert_non_null(strstr(c->text, "\nsandbox:x:1000:1000:"));
	assert_int_equal(read_accounts(c, "", "group"), 0);
	assert_non_null(strstr(c->text, "\nsandbox:x:1000:"));
}

/* A rootfs is not trusted: its links lead nowhere but into itself, and nothing in it makes us wait.
 */
static void is_not_led_out_of_a_rootfs(void **state)
{
	struct host_case *c = *state;
	char path[PATH_MAX];

	scratch_file(&c->scratch, "secret", 0600, "secret");
	scratch_dir(&c->scratch, "root", 0755);
	scratch_dir(&c->scratch, "root/etc", 0755);
	scratch_link(&c->scratch, "root/etc/passwd", "../../secret");
	scratch_link(&c->scratch, "root/etc/group", scratch_path(&c->scratch, "secret", path));
	assert_refused(c, read_accounts(c, "root", "passwd"), "No such file");
	assert_refused(c, read_accounts(c, "root", "group"), "No such file");
	/* The same name inside is what the workload would see. */
	scratch_file(&c->scratch, "root/secret", 0600, "inside");
	assert_int_equal(read_accounts(c, "root", "passwd"), 0);
	assert_memory_equal(c->text, "inside", 6);
	scratch_dir(&c->scratch, "root2", 0755);
	scratch_link(&c->scratch, "root2/etc", "../root/etc");
	assert_refused(c, read_accounts(c, "root2", "passwd"), "No such file");
	scratch_dir(&c->scratch, "root3", 0755);
	scratch_dir(&c->scratch, "root3/etc", 0755);
	scratch_fifo(&c->scratch, "root3/etc/passwd");
	scratch_dir(&c->scratch, "root3/etc/group", 0755);
	assert_refused(c, read_accounts(c, "root3", "passwd"), "Invalid argument");
	assert_refused(c, read_accounts(c, "root3", "group"), "Invalid argument");
}

/* A writer whose open ends once somebody opens the FIFO for reading, for however short a time. */
static pid_t wait_for_reader(const struct scratch *scratch, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(30);
		_exit(openat(scratch->fd, name, O_WRONLY | O_CLOEXEC) >= 0 ? 0 : 1);
	}
	return pid;
}

/* Ends the writer; true where a reader had come. */
static bool had_reader(pid_t writer)
{
	int status;

	usleep(50000);
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What is no regular file is looked at, not opened. */
static void opens_no_fifo(void **state)
{
	struct host_case *c = *state;
	char path[PATH_MAX];
	pid_t writer;
	int fd;

	scratch_dir(&c->scratch, "root", 0755);
	scratch_dir(&c->scratch, "root/etc", 0755);
	scratch_fifo(&c->scratch, "root/etc/passwd");
	scratch_fifo(&c->scratch, "profile.yaml");

	writer = wait_for_reader(&c->scratch, "root/etc/passwd");
	usleep(50000);
	assert_refused(c, read_accounts(c, "root", "passwd"), "Invalid argument");
	assert_false(had_reader(writer));

	writer = wait_for_reader(&c->scratch, "profile.yaml");
	usleep(50000);
	assert_int_equal(load_profile(c, scratch_path(&c->scratch, "profile.yaml", path)), -EINVAL);
	assert_non_null(strstr(c->err.text, "is not a regular file"));
	assert_false(had_reader(writer));

	/* The positive control: a reader is noticed. */
	writer = wait_for_reader(&c->scratch, "root/etc/passwd");
	usleep(50000);
	fd = openat(c->scratch.fd, "root/etc/passwd", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	close(fd);
	assert_true(had_reader(writer));
}

/* A device that no driver has: opening it fails with ENXIO, and that would be said. */
static void opens_no_device(void **state)
{
	enum { NO_DRIVERS_MAJOR = 4094 }; /* drivers have at most 511 (CHRDEV_MAJOR_MAX) */
	static const char *const names[] = {"passwd", "group"};
	static const mode_t kinds[] = {S_IFCHR, S_IFBLK};
	struct host_case *c = *state;
	char path[PATH_MAX];

	if (geteuid() != 0)
		return; /* a user makes no device nodes */
	scratch_dir(&c->scratch, "root", 0755);
	scratch_dir(&c->scratch, "root/etc", 0755);
	for (size_t i = 0; i < N(names); i++) {
		scratch_path(&c->scratch, i == 0 ? "root/etc/passwd" : "root/etc/group", path);
		if (mknod(path, kinds[i] | 0600, makedev(NO_DRIVERS_MAJOR, 1)) != 0)
			skip(); /* root, but in a user namespace */
		assert_refused(c, read_accounts(c, "root", names[i]), "Invalid argument");
		assert_int_equal(load_profile(c, path), -EINVAL);
		assert_non_null(strstr(c->err.text, "is not a regular file"));
	}
}

static void tells_kernel_version(void **state)
{
	struct host_case *c = *state;
	struct utsname name;
	uint32_t major = 0, minor = 0;
	char head[32];

	assert_int_equal(uname(&name), 0);
	assert_int_equal(c->host.kernel_version(c->host.ctx, &major, &minor), 0);
	assert_true(major >= 5);
	snprintf(head, sizeof(head), "%u.%u", major, minor);
	assert_memory_equal(name.release, head, strlen(head));
	assert_true(strchr("0123456789", name.release[strlen(head)]) == NULL ||
		    name.release[strlen(head)] == '\0');
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(sees_files_at_stdio),
		test(reads_account_files),
		test(is_not_led_out_of_a_rootfs),
		test(opens_no_fifo),
		test(opens_no_device),
		test(tells_kernel_version),
	};

	umask(022);
	/* A reader that waits for a FIFO's writer would wait for ever: then SIGALRM ends us. */
	alarm(60);
	return cmocka_run_group_tests_name("launcher/policy_host_files", tests, NULL, NULL);
}
