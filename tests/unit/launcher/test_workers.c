/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The filters of the two workers that strangers talk to (launcher/resolver/, launcher/relay/): what
 * one could do with what it is handed that somebody has taken over. */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/relay/carry_filter.h"
#include "launcher/resolver/serve_filter.h"

struct attempt {
	const struct sock_filter *filter;
	unsigned short n;
	long call;
	long args[6];
};

/* Whether the kernel kills who tries; what comes of the call else is not asked. */
static bool is_killed(const struct attempt *attempt)
{
	const struct sock_fprog program = {.len = attempt->n,
					   .filter = (struct sock_filter *)attempt->filter};
	const long *a = attempt->args;
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
			_exit(1);
		syscall(attempt->call, a[0], a[1], a[2], a[3], a[4], a[5]);
		syscall(SYS_exit_group, 0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGSYS);
		return true;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static void test_resolver(void **state)
{
	static const struct sockaddr_in anybody = {.sin_family = AF_INET};
	const long to = (long)&anybody, size = sizeof(anybody);
	const struct {
		long call, fd, to, size;
		bool is_killed;
	} rows[] = {
		{SYS_sendto, RESOLVER_UDP_FD, to, size, false},
		{SYS_sendto, RESOLVER_FDS + 3, 0, 0, false},
		{SYS_sendto, RESOLVER_FDS + 3, to, size, true},
		{SYS_sendto, RESOLVER_TCP_FD, to, size, true},
		/* Either half of an address counts. */
		{SYS_sendto, RESOLVER_FDS, 1L << 32, size, true},
		{SYS_sendto, -1, to, size, true},
		{SYS_sendmsg, RESOLVER_FDS, 0, 0, true},
		{SYS_close, RESOLVER_FDS, 0, 0, false},
		{SYS_close, RESOLVER_UDP_FD, 0, 0, true},
		{SYS_close, RESOLVER_CONTROL_FD, 0, 0, true},
		{SYS_dup, RESOLVER_FDS, 0, 0, true},
		{SYS_read, 99, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct attempt attempt = {.filter = serve_filter,
						.n = sizeof(serve_filter) / sizeof(serve_filter[0]),
						.call = rows[i].call,
						.args = {rows[i].fd, 0, 0, MSG_DONTWAIT, rows[i].to,
							 rows[i].size}};

		assert_int_equal(is_killed(&attempt), rows[i].is_killed);
	}
}

static void test_relay(void **state)
{
	enum { PORTS = 3 };
	static const struct sockaddr_in anybody = {.sin_family = AF_INET};
	const struct sock_filter filter[] = CARRY_FILTER(PORTS);
	const long to = (long)&anybody;
	const struct {
		long call, fd, to;
		bool is_killed;
	} rows[] = {
		{SYS_sendto, PORTS - 1, to, false}, {SYS_sendto, PORTS + 2, 0, false},
		{SYS_sendto, PORTS, to, true},      {SYS_sendto, PORTS + 2, to, true},
		{SYS_sendmsg, PORTS + 2, 0, true},  {SYS_close, PORTS + 1, 0, false},
		{SYS_close, PORTS, 0, true},        {SYS_close, 0, 0, true},
		{SYS_connect, PORTS, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct attempt attempt = {.filter = filter,
						.n = sizeof(filter) / sizeof(filter[0]),
						.call = rows[i].call,
						.args = {rows[i].fd, 0, 0, MSG_DONTWAIT, rows[i].to,
							 rows[i].to != 0 ? (long)sizeof(anybody)
									 : 0}};

		assert_int_equal(is_killed(&attempt), rows[i].is_killed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolver),
		cmocka_unit_test(test_relay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
