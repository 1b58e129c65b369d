/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/passing.c: descriptors arrive whole or not at all, and of what is no such message nothing
 * stays open. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/passing.h"

enum { WORD = 4711 };

static void pair_open(int pair[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void pair_close(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* The number that the next descriptor gets: as long as it is the same, nothing was left open. */
static int lowest_free(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void send_word(int socket, int *fds, size_t n)
{
	int word = WORD;

	assert_int_equal(passing_send(socket,
				      &(struct passing){.bytes = &word,
							.size = sizeof(word),
							.fds = fds,
							.n = n},
				      0),
			 0);
}

static int receive_word(int socket, int *ret, int *fds, size_t n)
{
	return passing_receive(
		socket, &(struct passing){.bytes = ret, .size = sizeof(*ret), .fds = fds, .n = n});
}

static void carries_descriptors(void **state)
{
	int pair[2], ends[2], there[2] = {-EBADF, -EBADF}, word = 0;
	struct stat sent, arrived;

	(void)state;
	pair_open(pair);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	send_word(pair[0], ends, 2);
	assert_int_equal(receive_word(pair[1], &word, there, 2), 2);
	assert_int_equal(word, WORD);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fcntl(there[i], F_GETFD), FD_CLOEXEC);
		assert_int_equal(fstat(ends[i], &sent), 0);
		assert_int_equal(fstat(there[i], &arrived), 0);
		assert_int_equal(sent.st_ino, arrived.st_ino);
		close(there[i]);
		close(ends[i]);
	}
	pair_close(pair);
}

static void carries_none(void **state)
{
	int pair[2], fds[1] = {-EBADF}, word = 0;

	(void)state;
	pair_open(pair);
	send_word(pair[0], NULL, 0);
	assert_int_equal(receive_word(pair[1], &word, fds, 1), 0);
	assert_int_equal(word, WORD);
	assert_int_equal(fds[0], -EBADF);
	pair_close(pair);
}

/* More, fewer, a message of another size: each with what it brought closed. */
static void refuses_others(void **state)
{
	int pair[2], none[PASSING_MAX + 1], fds[PASSING_MAX] = {0}, word = 0, free_fd;
	const char byte = 0;

	(void)state;
	pair_open(pair);
	for (size_t i = 0; i < PASSING_MAX + 1; i++)
		none[i] = pair[0];
	free_fd = lowest_free();
	send_word(pair[0], none, 2);
	assert_int_equal(receive_word(pair[1], &word, fds, 1), -EPROTO);
	send_word(pair[0], none, 1);
	assert_int_equal(receive_word(pair[1], &word, fds, 2), -EPROTO);
	send_word(pair[0], none, PASSING_MAX);
	assert_int_equal(receive_word(pair[1], &word, fds, 1), -EPROTO);
	assert_int_equal(send(pair[0], &byte, 1, 0), 1);
	assert_int_equal(receive_word(pair[1], &word, fds, 1), -EPROTO);
	assert_int_equal(lowest_free(), free_fd);
	assert_int_equal(passing_send(pair[0],
				      &(struct passing){.bytes = &word,
							.size = 1,
							.fds = none,
							.n = PASSING_MAX + 1},
				      0),
			 -EINVAL);
	pair_close(pair);
}

static void knows_that_nobody_is_there(void **state)
{
	int pair[2], fds[1], word = 0;

	(void)state;
	pair_open(pair);
	close(pair[0]);
	assert_int_equal(receive_word(pair[1], &word, fds, 1), -EPIPE);
	assert_int_equal(passing_send(pair[1],
				      &(struct passing){.bytes = &word, .size = sizeof(word)}, 0),
			 -EPIPE);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_descriptors),
		cmocka_unit_test(carries_none),
		cmocka_unit_test(refuses_others),
		cmocka_unit_test(knows_that_nobody_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
