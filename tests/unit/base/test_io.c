/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/io.c: whole writes, and files as text of a bounded length. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "tests/lib/scratch.h"

static int setup(void **state)
{
	struct scratch *scratch = malloc(sizeof(*scratch));

	scratch_make(scratch);
	*state = scratch;
	return 0;
}

static int teardown(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

static void reads_up_to_the_size(void **state)
{
	static const struct {
		size_t size;
		ssize_t result;
	} rows[] = {
		{6, 5}, {64, 5}, {5, -EFBIG}, {4, -EFBIG}, {1, -EFBIG}, {0, -EFBIG},
	};
	struct scratch *scratch = *state;

	scratch_file(scratch, "five", 0600, "12345");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[80];

		memset(buf, '#', sizeof(buf));
		assert_int_equal(io_read_text(scratch->fd, "five", buf, rows[i].size),
				 rows[i].result);
		/* Nothing behind the buffer is touched. */
		for (size_t j = rows[i].size; j < sizeof(buf); j++)
			assert_int_equal(buf[j], '#');
		if (rows[i].result >= 0)
			assert_string_equal(buf, "12345");
	}
}

static void reads_bytes_as_they_are(void **state)
{
	struct scratch *scratch = *state;
	int fd = openat(scratch->fd, "binary", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char buf[16];

	assert_int_equal(io_write_all(fd, "a\0b\xff", 4), 0);
	close(fd);
	assert_int_equal(io_read_text(scratch->fd, "binary", buf, sizeof(buf)), 4);
	assert_memory_equal(buf, "a\0b\xff", 5);
}

static void says_why_not(void **state)
{
	struct scratch *scratch = *state;
	char buf[16];

	scratch_dir(scratch, "dir", 0700);
	assert_int_equal(io_read_text(scratch->fd, "none", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(io_read_text(scratch->fd, "dir", buf, sizeof(buf)), -EISDIR);
	assert_int_equal(io_write_text(scratch->fd, "none", "x"), -ENOENT);
	assert_int_equal(io_write_text(scratch->fd, "dir", "x"), -EISDIR);
	assert_int_equal(faccessat(scratch->fd, "none", F_OK, 0), -1);
	assert_int_equal(io_write_all(-EBADF, "x", 1), -EBADF);
	assert_int_equal(io_write_all(-EBADF, "", 0), 0);
	assert_int_equal(io_write_text(AT_FDCWD, "/dev/full", "x"), -ENOSPC);
}

static void writes_existing_files(void **state)
{
	struct scratch *scratch = *state;
	char buf[16];

	scratch_file(scratch, "file", 0600, "before");
	assert_int_equal(io_write_text(scratch->fd, "file", "AB"), 0);
	/* As a kernel file is written: over what is there, without cutting it. */
	assert_int_equal(io_read_text(scratch->fd, "file", buf, sizeof(buf)), 6);
	assert_string_equal(buf, "ABfore");
}

/* A pipe takes 64 KiB at a time, so these writes are short; the other end checks every byte. */
static void writes_all_through_a_pipe(void **state)
{
	enum { SIZE = 1 << 20 };
	unsigned char *data = malloc(SIZE);
	int fds[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (unsigned char)(i * 31 >> 3);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		size_t seen = 0;
		unsigned char buf[999];
		ssize_t n;

		close(fds[1]);
		while ((n = read(fds[0], buf, sizeof(buf))) > 0) {
			if (seen + (size_t)n > SIZE || memcmp(buf, data + seen, (size_t)n) != 0)
				_exit(2);
			seen += (size_t)n;
		}
		_exit(seen == SIZE ? 0 : 3);
	}
	close(fds[0]);
	assert_int_equal(io_write_all(fds[1], data, SIZE), 0);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	free(data);
}

static void chomps_one_newline(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"", ""}, {"\n", ""}, {"a\n", "a"}, {"a\n\n", "a\n"}, {"a", "a"}, {"\na", "\na"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[8];

		str_format(buf, sizeof(buf), "%s", rows[i].text);
		io_chomp(buf);
		assert_string_equal(buf, rows[i].want);
	}
}

/* Read from the beginning, wherever the writing ended. */
static void writes_and_reads_by_one_descriptor(void **state)
{
	struct scratch *scratch = *state;
	char buf[16];
	int fd;

	scratch_file(scratch, "value", 0600, "123456789");
	fd = openat(scratch->fd, "value", O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(io_write_fd(fd, "abc"), 0);
	assert_int_equal(io_read_fd(fd, buf, sizeof(buf)), 9);
	assert_string_equal(buf, "abc456789");
	assert_int_equal(io_read_fd(fd, buf, sizeof(buf)), 9);
	assert_int_equal(io_read_fd(fd, buf, 9), -EFBIG);
	close(fd);
	assert_int_equal(io_read_fd(fd, buf, sizeof(buf)), -EBADF);
	assert_int_equal(io_write_fd(fd, "abc"), -EBADF);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		test(reads_up_to_the_size),
		test(reads_bytes_as_they_are),
		test(says_why_not),
		test(writes_existing_files),
		cmocka_unit_test(writes_all_through_a_pipe),
		cmocka_unit_test(chomps_one_newline),
		test(writes_and_reads_by_one_descriptor),
	};

	return cmocka_run_group_tests_name("base/io", tests, NULL, NULL);
}
