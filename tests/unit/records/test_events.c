/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/events.c and events_read.c: the line, the two files, and a reader beside a writer. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "records/events.h"
#include "tests/lib/scratch.h"

struct events_case {
	struct scratch scratch;
	struct records records;
	int event_errno;
	struct events_reader reader;
	struct event event;
};

static int setup(void **state)
{
	struct events_case *c = calloc(1, sizeof(*c));
	char path[PATH_MAX];

	scratch_make(&c->scratch);
	scratch_dir(&c->scratch, "home", 0700);
	c->records.home_fd = open(scratch_path(&c->scratch, "home", path), O_PATH | O_DIRECTORY);
	c->records.event_errno = &c->event_errno;
	c->reader.fds[0] = c->reader.fds[1] = -EBADF;
	*state = c;
	return c->records.home_fd < 0;
}

static int teardown(void **state)
{
	struct events_case *c = *state;

	events_close(&c->reader);
	close(c->records.home_fd);
	scratch_remove(&c->scratch);
	free(c);
	return 0;
}

static void add(struct events_case *c, const char *action, int64_t time_ns)
{
	struct event event = {.time_ns = time_ns,
			      .type = "container",
			      .action = action,
			      .id = "0123456789abcdef",
			      .name = "web"};

	assert_int_equal(events_append(&c->records, &event), 0);
}

static void expect(struct events_case *c, const char *action)
{
	assert_int_equal(events_next(&c->reader, &c->event), 1);
	assert_string_equal(c->event.action, action);
}

static void expect_none(struct events_case *c)
{
	assert_int_equal(events_next(&c->reader, &c->event), 0);
}

static void test_a_line_reads_back(void **state)
{
	struct event event = {.time_ns = 1795952324512320517,
			      .type = "container",
			      .action = "die",
			      .id = "0123",
			      .name = "a\"\\\x01\x7f\n\t\xc3\xa9",
			      .n_attributes = 2,
			      .attributes = {{"", ""}, {"k=\"", "v\r"}}};
	struct event found;
	char line[EVENT_LINE_MAX];
	ssize_t len = event_to_line(&event, line, sizeof(line));

	(void)state;
	assert_true(len > 0);
	assert_int_equal(line[len - 1], '\n');
	assert_ptr_equal(memchr(line, '\n', (size_t)len), line + len - 1);
	assert_int_equal(event_from_line(line, (size_t)len - 1, &found), 0);
	assert_int_equal(found.time_ns, event.time_ns);
	assert_string_equal(found.type, "container");
	assert_string_equal(found.action, "die");
	assert_string_equal(found.id, "0123");
	assert_string_equal(found.name, event.name);
	assert_int_equal(found.n_attributes, 2);
	assert_string_equal(found.attributes[0].key, "");
	assert_string_equal(found.attributes[1].key, "k=\"");
	assert_string_equal(found.attributes[1].value, "v\r");
}

static void test_every_cut_is_no_line(void **state)
{
	static const char whole[] =
		"{\"schema\":\"cordon.event/1\",\"time_ns\":5,\"type\":\"container\","
		"\"action\":\"die\",\"id\":\"0\",\"name\":\"\",\"attributes\":{\"a\":\"b\"}}";
	struct event found;

	(void)state;
	for (size_t len = 0; len <= sizeof(whole) - 1; len++) {
		char *line = malloc(len + 1); /* of exactly its length */

		memcpy(line, whole, len);
		assert_int_equal(event_from_line(line, len, &found),
				 len == sizeof(whole) - 1 ? 0 : -EBADMSG);
		free(line);
	}
}

static void test_what_is_no_line(void **state)
{
	static const char *const lines[] = {
		"{}",
		"{\"schema\":\"cordon.event/2\",\"time_ns\":5,\"type\":\"\",\"action\":\"\",\"id\":"
		"\"\",\"name\":\"\",\"attributes\":{}}",
		"{\"schema\":\"cordon.event/1\",\"time_ns\":-5,\"type\":\"\",\"action\":\"\","
		"\"id\":\"\",\"name\":\"\",\"attributes\":{}}",
		"{\"schema\":\"cordon.event/1\",\"time_ns\":5,\"type\":\"\",\"action\":\"\",\"id\":"
		"\"\\u0000\",\"name\":\"\",\"attributes\":{}}",
		"{\"schema\":\"cordon.event/1\",\"time_ns\":5,\"type\":\"\",\"action\":\"\",\"id\":"
		"\"\\ud800\",\"name\":\"\",\"attributes\":{}}",
		"{\"schema\":\"cordon.event/1\",\"time_ns\":5,\"type\":\"\",\"action\":\"\",\"id\":"
		"\"\",\"name\":\"\",\"attributes\":{,}}",
		"{\"schema\":\"cordon.event/1\",\"time_ns\":5,\"type\":\"\",\"action\":\"\",\"id\":"
		"\"\",\"name\":\"\",\"attributes\":{}} ",
	};
	struct event found;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[512];

		str_format(line, sizeof(line), "%s", lines[i]);
		assert_int_equal(event_from_line(line, strlen(line), &found), -EBADMSG);
	}
}

static void test_labels_give_way(void **state)
{
	static char huge[EVENT_LINE_MAX];
	struct event event = {.type = "container",
			      .action = "die",
			      .id = "0",
			      .name = "",
			      .n_attributes = 2,
			      .attributes = {{"exitCode", "1"}, {"label", huge}}};
	struct event found;
	char line[EVENT_LINE_MAX];
	ssize_t len;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	len = event_to_line(&event, line, sizeof(line));
	assert_true(len > 0);
	assert_int_equal(event_from_line(line, (size_t)len - 1, &found), 0);
	assert_int_equal(found.n_attributes, 1);
	assert_string_equal(found.attributes[0].key, "exitCode");
}

static void test_order_and_following(void **state)
{
	struct events_case *c = *state;

	assert_int_equal(events_open(&c->records, false, &c->reader), 0);
	expect_none(c); /* there is no file */
	add(c, "create", 1);
	add(c, "start", 2);
	expect(c, "create");
	expect(c, "start");
	expect_none(c);
	add(c, "die", 3);
	expect(c, "die");
	expect_none(c);
}

static void test_only_new(void **state)
{
	struct events_case *c = *state;

	add(c, "create", 1);
	assert_int_equal(events_open(&c->records, true, &c->reader), 0);
	expect_none(c);
	add(c, "start", 2);
	expect(c, "start");
}

static void test_since(void **state)
{
	struct events_case *c = *state;

	add(c, "create", 10);
	add(c, "start", 20);
	assert_int_equal(events_open(&c->records, false, &c->reader), 0);
	c->reader.since_ns = 20;
	expect(c, "start");
	expect_none(c);
}

/* What a crash, or a full disk, has cut off costs that line alone. */
static void test_a_line_that_was_cut_off(void **state)
{
	struct events_case *c = *state;

	scratch_file(&c->scratch, "home/events", 0600, "{\"schema\":\"cordon.ev");
	add(c, "start", 1);
	assert_int_equal(events_open(&c->records, false, &c->reader), 0);
	expect(c, "start");
	expect_none(c);
	assert_int_equal(c->reader.n_broken, 1);
}

static off_t size_of(struct events_case *c, const char *name)
{
	struct stat st;

	return fstatat(c->records.home_fd, name, &st, 0) == 0 ? st.st_size : -1;
}

/* Thrice as much as the two files hold, with a reader that falls behind and one that does not. */
static void test_the_files_are_bounded(void **state)
{
	struct events_case *c = *state;
	int64_t n = 3 * 2 * EVENTS_FILE_MAX / 120, last = 0;

	assert_int_equal(events_open(&c->records, true, &c->reader), 0);
	for (int64_t i = 1; i <= n; i++) {
		add(c, "start", i);
		if (i % 1000 != 0)
			continue;
		while (events_next(&c->reader, &c->event) == 1)
			assert_int_equal(c->event.time_ns, ++last);
		assert_int_equal(last, i);
	}
	assert_in_range(size_of(c, "events"), 1, EVENTS_FILE_MAX);
	assert_in_range(size_of(c, "events.1"), EVENTS_FILE_MAX / 2, EVENTS_FILE_MAX);
	events_close(&c->reader);
	assert_int_equal(events_open(&c->records, false, &c->reader), 0);
	assert_int_equal(events_next(&c->reader, &c->event), 1);
	last = c->event.time_ns;
	assert_true(last > 1); /* the oldest are gone */
	while (events_next(&c->reader, &c->event) == 1)
		assert_int_equal(c->event.time_ns, ++last);
	assert_int_equal(last, n);
	assert_int_equal(c->reader.n_broken, 0);
}

enum { WRITERS = 8, LINES_EACH = 2000 };

static void write_many(struct events_case *c, int writer)
{
	for (int i = 0; i < LINES_EACH; i++) {
		struct event event = {.time_ns = 1 + writer,
				      .type = "container",
				      .action = "start",
				      .id = "0",
				      .name = ""};

		if (events_append(&c->records, &event) < 0)
			_exit(1);
	}
	_exit(0);
}

/* Across a rotation, too: a line is whole, and none is lost to who follows. */
static void test_writers_at_once(void **state)
{
	struct events_case *c = *state;
	int seen[WRITERS] = {0}, status, left = WRITERS;

	assert_int_equal(events_open(&c->records, true, &c->reader), 0);
	for (int i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(c, i);
	for (bool is_over = false;;) {
		int r = events_next(&c->reader, &c->event);

		assert_in_range(r, 0, 1);
		if (r == 1) {
			seen[c->event.time_ns - 1]++;
			continue;
		}
		if (is_over)
			break;
		while (left > 0 && waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			left--;
		}
		is_over = left == 0;
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(seen[i], LINES_EACH);
	assert_int_equal(c->reader.n_broken, 0);
	assert_true(size_of(c, "events.1") > 0);
}

/* Who holds the lock and does not go on keeps nobody waiting. */
static void test_a_lock_that_is_held(void **state)
{
	struct events_case *c = *state;
	_cleanup_fd_ int fd = -EBADF;

	add(c, "create", 1);
	fd = openat(c->records.home_fd, "events", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	add(c, "start", 2);
	assert_int_equal(events_open(&c->records, false, &c->reader), 0);
	expect(c, "create");
	expect(c, "start");
}

static void test_what_is_in_the_way(void **state)
{
	struct events_case *c = *state;
	struct event event = {.type = "container", .action = "die", .id = "0", .name = ""};
	struct sandbox sandbox = {.id = "0", .dir_fd = -EBADF};

	scratch_fifo(&c->scratch, "home/events");
	assert_int_equal(events_append(&c->records, &event), -EINVAL);
	assert_int_equal(events_open(&c->records, false, &c->reader), -EINVAL);
	events_note(&c->records, &sandbox, "die", NULL, 0);
	assert_int_equal(events_trouble(&c->records), EINVAL);
	assert_int_equal(events_trouble(&c->records), 0); /* once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_reads_back),
		cmocka_unit_test(test_every_cut_is_no_line),
		cmocka_unit_test(test_what_is_no_line),
		cmocka_unit_test(test_labels_give_way),
		cmocka_unit_test_setup_teardown(test_order_and_following, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_since, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_line_that_was_cut_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_files_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writers_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_lock_that_is_held, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_in_the_way, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
