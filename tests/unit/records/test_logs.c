/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/logs.c and launcher/recorder/log_writer.h: what is written is read, whatever rotates in
 * between and wherever a crash has cut it. */
#include "tests/lib/bare_stub.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/str.h"
#include "launcher/recorder/log_writer.h"
#include "records/logs.h"
#include "tests/lib/scratch.h"

struct fixture {
	struct scratch scratch;
	struct sandbox sandbox;
	struct run_logs logs;
	struct log_writer writer;
	struct log_buffer buffer;
	struct log_reader reader;
};

static void begin(struct fixture *f, uint32_t files)
{
	const struct spec_logging logging = {.max_size = LOG_SIZE_LEAST, .max_files = files};
	struct err err;

	assert_int_equal(logs_open(&f->sandbox, &logging, &f->logs, &err), 0);
	f->writer = (struct log_writer){.n = (int)f->logs.n, .max = f->logs.max_size};
	memcpy(f->writer.fds, f->logs.fds, sizeof(f->writer.fds));
	log_begin(&f->writer, &f->buffer);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	scratch_make(&f->scratch);
	f->sandbox = (struct sandbox){.id = "0123456789abcdef", .is_kept = true};
	f->sandbox.dir_fd = f->scratch.fd;
	log_reader_init(&f->reader, f->scratch.fd);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	log_reader_release(&f->reader);
	logs_release(&f->logs);
	scratch_remove(&f->scratch);
	free(f);
	return 0;
}

static void put(struct fixture *f, enum log_stream stream, const char *text)
{
	size_t len = strlen(text);

	memcpy(f->buffer.bytes, text, len);
	log_put(&f->writer, &f->buffer, stream, (uint32_t)len);
}

static void reads(struct fixture *f, enum log_stream stream, const char *text)
{
	struct log_piece piece;

	assert_int_equal(log_reader_next(&f->reader, &piece), 1);
	assert_int_equal(piece.stream, stream);
	assert_int_equal(piece.len, strlen(text));
	assert_memory_equal(piece.bytes, text, piece.len);
	assert_true(piece.time_ns > 0);
}

static void reads_nothing(struct fixture *f)
{
	struct log_piece piece;

	assert_int_equal(log_reader_next(&f->reader, &piece), 0);
}

static void what_is_written_is_read(void **state)
{
	struct fixture *f = *state;

	reads_nothing(f);
	begin(f, 2);
	reads_nothing(f);
	put(f, LOG_STDOUT, "one\n");
	put(f, LOG_STDERR, "two");
	reads(f, LOG_STDOUT, "one\n");
	reads(f, LOG_STDERR, "two");
	reads_nothing(f);
	put(f, LOG_STDOUT, "three");
	reads(f, LOG_STDOUT, "three");
	assert_false(f->reader.has_missed);
}

static void another_start_goes_on(void **state)
{
	struct fixture *f = *state;

	begin(f, 2);
	put(f, LOG_STDOUT, "first");
	logs_release(&f->logs);
	begin(f, 2);
	put(f, LOG_STDOUT, "second");
	reads(f, LOG_STDOUT, "first");
	reads(f, LOG_STDOUT, "second");
}

/* A part of a frame, and bytes that look like a head behind it. */
static void what_a_crash_cut_is_taken_away(void **state)
{
	struct fixture *f = *state;
	char forged[64];
	struct log_frame head = {LOG_MARK | LOG_STDERR, sizeof(forged), 1};

	begin(f, 1);
	put(f, LOG_STDOUT, "whole");
	memset(forged, 'x', sizeof(forged));
	assert_true(pwrite(f->logs.fds[0], &head, sizeof(head), (off_t)f->writer.offset) > 0);
	assert_true(pwrite(f->logs.fds[0], forged, 10, (off_t)(f->writer.offset + sizeof(head))) >
		    0);
	reads(f, LOG_STDOUT, "whole");
	reads_nothing(f);
	logs_release(&f->logs);
	begin(f, 1);
	put(f, LOG_STDOUT, "after");
	reads(f, LOG_STDOUT, "after");
	reads_nothing(f);
}

static void fill(struct fixture *f, size_t frames)
{
	for (size_t i = 0; i < frames; i++) {
		memset(f->buffer.bytes, 'a' + (int)(i % 26), LOG_FRAME_MAX);
		log_put(&f->writer, &f->buffer, LOG_STDOUT, LOG_FRAME_MAX);
	}
}

static uint64_t sizes(const struct fixture *f)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < f->logs.n; i++) {
		off_t size = lseek(f->logs.fds[i], 0, SEEK_END);

		assert_in_range(size, 0, LOG_SIZE_LEAST);
		sum += (uint64_t)size;
	}
	return sum;
}

static void no_file_grows_past_its_size(void **state)
{
	struct fixture *f = *state;
	struct log_piece piece;
	size_t n = 0;

	begin(f, 3);
	fill(f, 1000);
	put(f, LOG_STDOUT, "last");
	assert_in_range(sizes(f), LOG_SIZE_LEAST, 3 * LOG_SIZE_LEAST);
	while (log_reader_next(&f->reader, &piece) == 1)
		n++;
	/* Two full files at least, of three frames each. */
	assert_in_range(n, 6, 10);
	assert_memory_equal(piece.bytes, "last", 4);
	/* The first ones are nobody's loss who begins now. */
	assert_false(f->reader.has_missed);
}

static void a_reader_that_is_overtaken_is_told(void **state)
{
	struct fixture *f = *state;
	struct log_piece piece;

	begin(f, 2);
	put(f, LOG_STDOUT, "first");
	reads(f, LOG_STDOUT, "first");
	fill(f, 50);
	put(f, LOG_STDOUT, "last");
	while (log_reader_next(&f->reader, &piece) == 1)
		continue;
	assert_memory_equal(piece.bytes, "last", 4);
	assert_true(f->reader.has_missed);
}

/* Held before a start, read when neither file has a name any more. */
static void what_is_held_outlives_its_names(void **state)
{
	struct fixture *f = *state;
	struct log_reader by_name;
	struct log_piece piece;
	struct run_logs held;
	struct err err;
	size_t n = 0;

	log_reader_init(&by_name, f->scratch.fd);
	assert_int_equal(logs_hold(&f->sandbox, false, &held, &err), 0);
	assert_int_equal(held.n, 0);
	assert_int_equal(logs_hold(&f->sandbox, true, &held, &err), 0);
	assert_int_equal(held.n, 2);
	f->reader.held = &held;
	reads_nothing(f);
	begin(f, 2);
	put(f, LOG_STDOUT, "first");
	reads(f, LOG_STDOUT, "first");
	fill(f, 4);
	put(f, LOG_STDOUT, "last");
	assert_int_equal(unlinkat(f->scratch.fd, "log.0", 0), 0);
	assert_int_equal(unlinkat(f->scratch.fd, "log.1", 0), 0);
	for (; log_reader_next(&f->reader, &piece) == 1; n++)
		continue;
	assert_int_equal(n, 5);
	assert_memory_equal(piece.bytes, "last", 4);
	assert_false(f->reader.has_missed);
	/* The control. */
	assert_int_equal(log_reader_next(&by_name, &piece), 0);
	log_reader_release(&by_name);
	logs_release(&held);
}

static void one_that_keeps_up_sees_all(void **state)
{
	struct fixture *f = *state;
	char text[16];

	begin(f, 1);
	for (int i = 0; i < 20000; i++) {
		str_format(text, sizeof(text), "%d", i);
		put(f, LOG_STDOUT, text);
		reads(f, LOG_STDOUT, text);
	}
	assert_true(f->writer.number > 3);
	assert_false(f->reader.has_missed);
}

/* RLIMIT_FSIZE is a disk that is full. */
static void what_has_no_room_is_counted(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small = {.rlim_cur = 0};
	struct log_piece piece;
	uint64_t lost;

	begin(f, 2);
	put(f, LOG_STDOUT, "before");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	small.rlim_cur = f->writer.offset + 20; /* in the middle of the next frame */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put(f, LOG_STDOUT, "this does not fit");
	put(f, LOG_STDERR, "nor this");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	put(f, LOG_STDOUT, "after");
	reads(f, LOG_STDOUT, "before");
	assert_int_equal(log_reader_next(&f->reader, &piece), 1);
	assert_int_equal(piece.stream, LOG_LOST);
	memcpy(&lost, piece.bytes, sizeof(lost));
	assert_int_equal(lost, strlen("this does not fit") + strlen("nor this"));
	reads(f, LOG_STDOUT, "after");
}

static void two_recorders_do_not_write_at_once(void **state)
{
	const struct spec_logging logging = {.max_size = LOG_SIZE_LEAST, .max_files = 1};
	struct fixture *f = *state;
	struct run_logs other = {.n = 0};
	struct err err;

	begin(f, 1);
	assert_int_equal(logs_open(&f->sandbox, &logging, &other, &err), -EBUSY);
	logs_release(&f->logs);
	assert_int_equal(logs_open(&f->sandbox, &logging, &other, &err), 0);
	logs_release(&other);
}

static void those_of_the_boot_are_small(void **state)
{
	const struct spec_logging logging = {.max_size = 100 << 20, .max_files = 8};
	struct fixture *f = *state;
	struct err err;

	f->sandbox.is_kept = false;
	assert_int_equal(logs_open(&f->sandbox, &logging, &f->logs, &err), 0);
	assert_int_equal(f->logs.n, LOGS_BOOT_FILES);
	assert_int_equal(f->logs.max_size, LOGS_BOOT_SIZE);
}

static void a_link_is_not_followed(void **state)
{
	const struct spec_logging logging = {.max_size = LOG_SIZE_LEAST, .max_files = 1};
	struct fixture *f = *state;
	struct log_piece piece;
	struct err err;

	scratch_file(&f->scratch, "other", 0600, "");
	scratch_link(&f->scratch, "log.0", "other");
	assert_int_equal(logs_open(&f->sandbox, &logging, &f->logs, &err), -ELOOP);
	assert_int_equal(log_reader_next(&f->reader, &piece), -ELOOP);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(another_start_goes_on),
		TEST(what_a_crash_cut_is_taken_away),
		TEST(no_file_grows_past_its_size),
		TEST(a_reader_that_is_overtaken_is_told),
		TEST(what_is_held_outlives_its_names),
		TEST(one_that_keeps_up_sees_all),
		TEST(what_has_no_room_is_counted),
		TEST(two_recorders_do_not_write_at_once),
		TEST(those_of_the_boot_are_small),
		TEST(a_link_is_not_followed),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
