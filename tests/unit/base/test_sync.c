/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/sync.c: points and errors arrive whole, with the kernel's word for who sent them; anything
 * else is refused. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/sync.h"

/* The message as it travels (base/sync.c). */
struct frame {
	enum sync_point point;
	struct err err;
};

struct pair {
	int fds[2];
};

static void pair_open(struct pair *pair)
{
	assert_int_equal(sync_pair(pair->fds), 0);
}

static void pair_close(struct pair *pair)
{
	close(pair->fds[0]);
	close(pair->fds[1]);
}

static void is_closed_by_exec(void **state)
{
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(pair.fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	pair_close(&pair);
}

static void carries_points(void **state)
{
	static const enum sync_point points[] = {SYNC_MAPPED, SYNC_READY, SYNC_EXEC,
						 SYNC_FAULT_KILL_KEEPER, SYNC_FAULT_KILL_INIT};
	struct sync_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (size_t i = 0; i < 2 * sizeof(points) / sizeof(points[0]); i++) {
		enum sync_point point = points[i / 2];

		assert_int_equal(sync_send(pair.fds[i % 2], point), 0);
		assert_int_equal(sync_receive(pair.fds[1 - i % 2], &message), 0);
		assert_int_equal(message.point, point);
		/* Only the keeper's end asks for it. */
		assert_int_equal(message.sender, i % 2 == 1 ? getpid() : 0);
	}
	pair_close(&pair);
}

static void carries_numbers(void **state)
{
	static const struct {
		enum sync_point point;
		int number;
		bool is_taken;
	} rows[] = {
		{SYNC_LISTENER, 0, true},   {SYNC_LISTENER, 1 << 20, true},
		{SYNC_LISTENER, -1, false}, {SYNC_READY, 3, false},
		{SYNC_ERROR, 3, false},     {SYNC_EOF, 3, false},
	};
	struct sync_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sync_write_number(pair.fds[1], rows[i].point, rows[i].number), 0);
		assert_int_equal(sync_receive(pair.fds[0], &message),
				 rows[i].is_taken ? 0 : -EPROTO);
		if (rows[i].is_taken)
			assert_int_equal(message.number, rows[i].number);
	}
	/* And a number does not go without saying. */
	assert_int_equal(sync_send(pair.fds[1], SYNC_LISTENER), 0);
	assert_int_equal(sync_receive(pair.fds[0], &message), -EPROTO);
	pair_close(&pair);
}

/* Two messages that wait are still two. */
static void keeps_messages_apart(void **state)
{
	struct sync_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_int_equal(sync_send(pair.fds[1], SYNC_READY), 0);
	assert_int_equal(sync_send(pair.fds[1], SYNC_EXEC), 0);
	assert_int_equal(sync_receive(pair.fds[0], &message), 0);
	assert_int_equal(message.point, SYNC_READY);
	assert_int_equal(sync_receive(pair.fds[0], &message), 0);
	assert_int_equal(message.point, SYNC_EXEC);
	pair_close(&pair);
}

static void carries_errors(void **state)
{
	static int (*const ways[])(int, const struct err *) = {sync_send_error, sync_write_error};
	struct sync_message message;
	struct pair pair;
	struct err err;

	(void)state;
	pair_open(&pair);
	for (size_t i = 0; i < 2; i++) {
		err_set(&err, ERR_EXEC, ENOENT, "/bin/none");
		err_hint(&err, "A sentence.");
		strcpy(err.step, "program");
		assert_int_equal(ways[i](pair.fds[1], &err), 0);
		assert_int_equal(sync_receive(pair.fds[0], &message), 0);
		assert_int_equal(message.point, SYNC_ERROR);
		assert_int_equal(message.sender, getpid());
		assert_memory_equal(&message.err, &err, sizeof(err));
	}
	pair_close(&pair);
}

/* The pid is the sender's, not that of whoever made the socket. */
static void vouches_for_the_sender(void **state)
{
	struct sync_message message;
	struct pair pair;
	pid_t pid;

	(void)state;
	pair_open(&pair);
	pid = fork();
	if (pid == 0)
		_exit(sync_send(pair.fds[1], SYNC_READY) == 0 ? 0 : 1);
	assert_true(pid > 0);
	assert_int_equal(sync_receive(pair.fds[0], &message), 0);
	assert_int_equal(message.sender, pid);
	assert_int_not_equal(message.sender, getpid());
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	pair_close(&pair);
}

static void refuses(const void *bytes, size_t size)
{
	struct sync_message message;
	struct pair pair;

	memset(&message, 0x5a, sizeof(message));
	pair_open(&pair);
	assert_int_equal(send(pair.fds[1], bytes, size, 0), (ssize_t)size);
	assert_int_equal(sync_receive(pair.fds[0], &message), -EPROTO);
	for (size_t i = 0; i < sizeof(message); i++)
		assert_int_equal(((unsigned char *)&message)[i], 0x5a);
	pair_close(&pair);
}

static void refuses_wrong_sizes(void **state)
{
	/* A valid error, cut and prolonged; and a valid point, likewise. */
	static const size_t sizes[] = {0,
				       1,
				       3,
				       5,
				       8,
				       sizeof(struct frame) - 1,
				       sizeof(struct frame) + 1,
				       2 * sizeof(struct frame)};
	struct frame frames[2] = {{.point = SYNC_ERROR}, {.point = SYNC_ERROR}};

	(void)state;
	for (int i = 0; i < 2; i++)
		err_set(&frames[i].err, ERR_SETUP, EIO, "text");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		frames[0].point = SYNC_ERROR;
		refuses(frames, sizes[i]);
		frames[0].point = SYNC_MAPPED;
		refuses(frames, sizes[i]);
	}
}

static void refuses_wrong_points(void **state)
{
	static const enum sync_point points[] = {SYNC_EOF, SYNC_ERROR, SYNC_FAULT_KILL_INIT + 1,
						 (enum sync_point)0x7fffffff,
						 (enum sync_point)UINT32_MAX};
	struct frame frame;

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		refuses(&points[i], sizeof(points[i]));
	/* A long message is an error and nothing else. */
	memset(&frame, 0, sizeof(frame));
	frame.err.kind = ERR_SETUP;
	for (unsigned point = 0; point <= SYNC_FAULT_KILL_INIT + 1; point++) {
		frame.point = (enum sync_point)point;
		if (point != SYNC_ERROR)
			refuses(&frame, sizeof(frame));
	}
	frame.point = SYNC_ERROR;
	frame.err.kind = ERR_NONE;
	refuses(&frame, sizeof(frame));
	frame.err.kind = ERR_BUG + 1;
	refuses(&frame, sizeof(frame));
}

/* Texts that are not ended are ended: nothing of ours prints past them. */
static void ends_texts(void **state)
{
	struct sync_message message;
	struct frame frame;
	struct pair pair;

	(void)state;
	memset(&frame, 'x', sizeof(frame));
	frame.point = SYNC_ERROR;
	frame.err.kind = ERR_SETUP;
	pair_open(&pair);
	assert_int_equal(send(pair.fds[1], &frame, sizeof(frame), 0), sizeof(frame));
	assert_int_equal(sync_receive(pair.fds[0], &message), 0);
	assert_int_equal(strnlen(message.err.step, sizeof(message.err.step)),
			 sizeof(message.err.step) - 1);
	assert_int_equal(strnlen(message.err.text, sizeof(message.err.text)),
			 sizeof(message.err.text) - 1);
	assert_int_equal(strnlen(message.err.hint, sizeof(message.err.hint)),
			 sizeof(message.err.hint) - 1);
	pair_close(&pair);
}

/* A descriptor that rides on a message is not taken in. */
static void takes_no_descriptors(void **state)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	enum sync_point point = SYNC_READY;
	struct iovec iov = {.iov_base = &point, .iov_len = sizeof(point)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	struct sync_message message;
	struct pair pair;
	int next, fd = 0;

	(void)state;
	pair_open(&pair);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	next = dup(0);
	close(next);
	assert_int_equal(sendmsg(pair.fds[1], &msg, 0), sizeof(point));
	assert_int_equal(sync_receive(pair.fds[0], &message), -EPROTO);
	fd = dup(0);
	assert_int_equal(fd, next);
	close(fd);
	pair_close(&pair);
}

static void sees_the_end(void **state)
{
	struct sync_message message;
	struct pair pair;

	(void)state;
	pair_open(&pair);
	close(pair.fds[1]);
	memset(&message, 0x5a, sizeof(message));
	assert_int_equal(sync_receive(pair.fds[0], &message), 0);
	assert_int_equal(message.point, SYNC_EOF);
	assert_int_equal(message.sender, 0);
	assert_int_equal(sync_send(pair.fds[0], SYNC_MAPPED), -EPIPE);
	assert_int_equal(sync_send_error(pair.fds[0], &(struct err){.kind = ERR_BUG}), -EPIPE);
	close(pair.fds[0]);
	assert_int_equal(sync_receive(-EBADF, &message), -EBADF);
}

/* A peer that ends with our message unread: the kernel says ECONNRESET, which is an end, too. What
 * it had sent before is still read first. */
static void sees_a_reset_as_the_end(void **state)
{
	struct sync_message message;
	struct pair pair;
	char byte;

	(void)state;
	pair_open(&pair);
	assert_int_equal(sync_send(pair.fds[0], SYNC_MAPPED), 0);
	close(pair.fds[1]);
	assert_int_equal(sync_receive(pair.fds[0], &message), 0);
	assert_int_equal(message.point, SYNC_EOF);
	close(pair.fds[0]);
	/* That it is a reset at all: */
	pair_open(&pair);
	assert_int_equal(sync_send(pair.fds[0], SYNC_MAPPED), 0);
	close(pair.fds[1]);
	assert_int_equal(recv(pair.fds[0], &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(pair.fds[0]);
}

static void takes_a_waiting_error(void **state)
{
	struct err sent = {.kind = ERR_SETUP, .text = "old root: busy"}, err = {0};
	struct pair pair;

	(void)state;
	pair_open(&pair);
	assert_false(sync_take_error(pair.fds[0], &err));
	assert_int_equal(sync_write(pair.fds[1], SYNC_EXEC), 0);
	assert_false(sync_take_error(pair.fds[0], &err));
	assert_int_equal(sync_write_error(pair.fds[1], &sent), 0);
	assert_true(sync_take_error(pair.fds[0], &err));
	assert_string_equal(err.text, sent.text);
	pair_close(&pair);
}

static void gate_waits_until_it_is_opened(void **state)
{
	int gate = sync_gate_make();
	int status;
	pid_t pid;

	(void)state;
	assert_true(gate >= 0);
	assert_int_equal(fcntl(gate, F_GETFD), FD_CLOEXEC);
	pid = fork();
	if (pid == 0)
		_exit(sync_gate_wait(gate) == 0 ? 7 : 1);
	/* It is still waiting: nothing makes it go on but the opening. */
	poll(NULL, 0, 20);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(sync_gate_open(gate), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	close(gate);
	assert_int_equal(sync_gate_wait(-EBADF), -EBADF);
}

static void names_every_point(void **state)
{
	(void)state;
	for (unsigned a = 0; a <= SYNC_FAULT_KILL_INIT; a++) {
		assert_string_not_equal(sync_point_name((enum sync_point)a), "unknown");
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(sync_point_name((enum sync_point)a),
						sync_point_name((enum sync_point)b));
	}
	assert_string_equal(sync_point_name((enum sync_point)99), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_closed_by_exec),
		cmocka_unit_test(carries_points),
		cmocka_unit_test(carries_numbers),
		cmocka_unit_test(keeps_messages_apart),
		cmocka_unit_test(carries_errors),
		cmocka_unit_test(vouches_for_the_sender),
		cmocka_unit_test(refuses_wrong_sizes),
		cmocka_unit_test(refuses_wrong_points),
		cmocka_unit_test(ends_texts),
		cmocka_unit_test(takes_no_descriptors),
		cmocka_unit_test(sees_the_end),
		cmocka_unit_test(sees_a_reset_as_the_end),
		cmocka_unit_test(names_every_point),
		cmocka_unit_test(takes_a_waiting_error),
		cmocka_unit_test(gate_waits_until_it_is_opened),
	};

	return cmocka_run_group_tests_name("base/sync", tests, NULL, NULL);
}
