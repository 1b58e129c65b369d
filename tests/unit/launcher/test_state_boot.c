/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/state_boot.c: what of a run root goes when the boot is another one, and what never does.
 */
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
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/state.h"
#include "tests/lib/scratch.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

#define MARK "root/run/boot_id"

struct boot_case {
	struct scratch scratch;
	char path[PATH_MAX]; /* of the run root */
	char now[STATE_BOOT_ID_SIZE];
	struct err err;
};

/* Whatever is no link of this boot: earlier ones, and what a loss of power or a hand may leave. */
static const char *const other_marks[] = {
	"00000000-0000-0000-0000-000000000000", /* another boot */
	"",                                     /* none */
	"x",                                    /* cut off */
	"/",
};

static bool is_there(struct boot_case *c, const char *name)
{
	return faccessat(c->scratch.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int enter(struct boot_case *c)
{
	struct state_root root = {.fd = -EBADF, .runs_fd = -EBADF};
	int r = state_root_open(c->path, &root, &c->err);

	state_root_release(&root);
	return r;
}

static void set_mark(struct boot_case *c, const char *text)
{
	assert_true(unlinkat(c->scratch.fd, MARK, 0) == 0 || errno == ENOENT);
	if (text[0] != '\0')
		scratch_link(&c->scratch, MARK, text);
}

static void assert_marked(struct boot_case *c)
{
	char found[64] = "";

	assert_true(readlinkat(c->scratch.fd, MARK, found, sizeof(found) - 1) > 0);
	assert_string_equal(found, c->now);
	assert_false(is_there(c, "root/run/boot_id.new"));
}

enum {
	ALL = 8,
	ALIVE = 5
}; /* files and directories that leave_things makes; of those with a lock */

/* A sandbox that ran: a kept one's directory, one of --rm whose record is cut off, rubbish; and a
 * run. */
static void leave_things(struct boot_case *c)
{
	struct scratch *s = &c->scratch;

	scratch_dir(s, "root/run/sandboxes", 0700);
	scratch_dir(s, "root/run/sandboxes/1111111111111111", 0700);
	scratch_file(s, "root/run/sandboxes/1111111111111111/lock", 0600, "");
	scratch_file(s, "root/run/sandboxes/1111111111111111/live", 0600, "cordon-live 1\n");
	scratch_dir(s, "root/run/sandboxes/2222222222222222", 0700);
	scratch_file(s, "root/run/sandboxes/2222222222222222/record", 0600, "");
	scratch_dir(s, "root/run/sandboxes/.new-3333333333333333", 0700);
	scratch_dir(s, "root/run/runs/4444444444444444", 0700);
	scratch_file(s, "root/run/runs/4444444444444444/journal", 0600, "begin id_bl");
}

static int count_left(struct boot_case *c)
{
	return scratch_count(&c->scratch, "root/run/sandboxes") +
	       scratch_count(&c->scratch, "root/run/runs");
}

static int setup(void **state)
{
	struct boot_case *c = calloc(1, sizeof(*c));

	scratch_make(&c->scratch);
	scratch_path(&c->scratch, "root/run", c->path);
	state_boot_id(c->now);
	*state = c;
	return enter(c);
}

static int teardown(void **state)
{
	struct boot_case *c = *state;

	scratch_remove(&c->scratch);
	free(c);
	return 0;
}

static void a_new_root_is_of_this_boot(void **state)
{
	struct boot_case *c = *state;

	assert_int_equal(strlen(c->now), 36);
	assert_marked(c);
}

static void what_is_of_this_boot_stays(void **state)
{
	struct boot_case *c = *state;

	leave_things(c);
	assert_int_equal(enter(c), 0);
	assert_int_equal(count_left(c), ALL);
	assert_true(is_there(c, "root/run/sandboxes/1111111111111111/live"));
	assert_true(is_there(c, "root/run/runs/4444444444444444/journal"));
}

static void what_is_of_another_goes(void **state)
{
	struct boot_case *c = *state;

	for (size_t i = 0; i < N(other_marks); i++) {
		leave_things(c);
		set_mark(c, other_marks[i]);
		assert_int_equal(enter(c), 0);
		assert_int_equal(count_left(c), 0);
		assert_marked(c);
		assert_int_equal(unlinkat(c->scratch.fd, "root/run/sandboxes", AT_REMOVEDIR), 0);
	}
	/* What is made from here on is of this boot. */
	leave_things(c);
	assert_int_equal(enter(c), 0);
	assert_int_equal(count_left(c), ALL);
}

/* A file where the link was, as of another version; and a link that was about to be one. */
static void what_is_no_link_is_replaced(void **state)
{
	struct boot_case *c = *state;

	leave_things(c);
	set_mark(c, "");
	scratch_file(&c->scratch, MARK, 0600, c->now);
	scratch_link(&c->scratch, "root/run/boot_id.new", c->now);
	assert_int_equal(enter(c), 0);
	assert_int_equal(count_left(c), 0);
	assert_marked(c);
}

/* Whatever the link says: a keeper that holds its lock is alive. */
static void what_is_alive_stays(void **state)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct boot_case *c = *state;
	int fd, journal;

	leave_things(c);
	fd = openat(c->scratch.fd, "root/run/sandboxes/1111111111111111/lock", O_RDWR | O_CLOEXEC);
	journal =
		openat(c->scratch.fd, "root/run/runs/4444444444444444/journal", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && journal >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(flock(journal, LOCK_EX | LOCK_NB), 0);
	set_mark(c, other_marks[0]);
	assert_int_equal(enter(c), 0);
	assert_int_equal(count_left(c), ALIVE);
	assert_true(is_there(c, "root/run/sandboxes/1111111111111111/live"));
	assert_marked(c);
	/* The same two, when nobody has them any more. */
	close(fd);
	close(journal);
	set_mark(c, other_marks[0]);
	assert_int_equal(enter(c), 0);
	assert_int_equal(count_left(c), 0);
}

static void what_cannot_be_removed_is_said(void **state)
{
	struct boot_case *c = *state;

	leave_things(c);
	scratch_dir(&c->scratch, "root/run/sandboxes/1111111111111111/directory", 0700);
	set_mark(c, other_marks[0]);
	assert_true(enter(c) < 0);
	assert_non_null(strstr(c->err.text, "/sandboxes/1111111111111111: of an earlier boot"));
	assert_non_null(strstr(c->err.hint, "--root DIR"));
	/* The others went, and it is not taken for what this boot made. */
	assert_false(is_there(c, "root/run/sandboxes/2222222222222222"));
	assert_true(enter(c) < 0);
	assert_int_equal(unlinkat(c->scratch.fd, "root/run/sandboxes/1111111111111111/directory",
				  AT_REMOVEDIR),
			 0);
	assert_int_equal(enter(c), 0);
	assert_int_equal(count_left(c), 0);
}

/* Two at once: who comes second waits, and finds it done. */
static void the_second_waits(void **state)
{
	struct boot_case *c = *state;
	int fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status;
	pid_t pid;

	assert_int_equal(flock(fd, LOCK_EX), 0);
	set_mark(c, other_marks[0]);
	pid = fork();
	if (pid == 0) {
		close(fd);
		_exit(enter(c) == 0 && is_there(c, "root/run/sandboxes/2222222222222222") ? 0 : 1);
	}
	/* Whether it waits already or comes later: it must not go by what it saw before. */
	usleep(100000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	leave_things(c);
	set_mark(c, c->now);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count_left(c), ALL);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(a_new_root_is_of_this_boot), test(what_is_of_this_boot_stays),
		test(what_is_of_another_goes),    test(what_is_no_link_is_replaced),
		test(what_is_alive_stays),        test(what_cannot_be_removed_is_said),
		test(the_second_waits),
	};

	return cmocka_run_group_tests_name("launcher/state_boot", tests, NULL, NULL);
}
