/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/output.c: which descriptors become pipes, what keeps its order, and what is a way past
 * the count. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "launcher/output.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static void decide(struct decision *d, enum spec_limit limit)
{
	decision_as_root(d);
	d->facts.other_way_out = -1;
	for (int fd = 1; fd < 3; fd++) {
		d->facts.stdio[fd] = FD_USABLE;
		d->facts.stdio_is_output[fd] = true;
	}
	if (limit == SPEC_LIMITS)
		return;
	d->limits.enforced = 1U << limit;
	d->spec.limits.total[limit] = (struct spec_total){.demand = DEMAND_REQUIRED, .value = 1000};
}

static void pipes_are_for_what_is_counted(void **state)
{
	struct decision d;

	(void)state;
	decide(&d, SPEC_LIMITS);
	assert_false(output_has_pipes(&d));
	assert_false(output_is_asked_for(&d));
	decide(&d, LIMIT_MEMORY);
	assert_false(output_has_pipes(&d));
	decide(&d, LIMIT_OUTPUT);
	assert_true(output_is_asked_for(&d));
	assert_int_equal(output_n_pipes(&d), 2);
	assert_int_equal(output_limit(&d), 1000);
	/* What is not enforced (when_possible) has no pipes. */
	d.limits.enforced = 0;
	assert_false(output_has_pipes(&d));
	decide(&d, LIMIT_IDLE_TIME);
	assert_int_equal(output_n_pipes(&d), 2);
	assert_true(output_limit(&d) == SPEC_UNLIMITED);
}

static void descriptors_become_pipes(void **state)
{
	static const struct {
		bool usable[3], terminal[3], output[3], one;
		int want[3];
	} rows[] = {
		{{1, 1, 1}, {0, 0, 0}, {0, 1, 1}, false, {-1, 0, 1}},
		{{1, 1, 1}, {0, 0, 0}, {0, 1, 1}, true, {-1, 0, 0}},
		{{1, 1, 1}, {1, 1, 1}, {0, 1, 1}, true, {-1, -1, -1}},
		{{1, 1, 1}, {0, 1, 0}, {0, 1, 1}, false, {-1, -1, 1}},
		{{1, 1, 1}, {0, 0, 1}, {0, 1, 1}, false, {-1, 0, -1}},
		{{1, 0, 1}, {0, 0, 0}, {0, 1, 1}, false, {-1, -1, 1}},
		{{1, 0, 1}, {0, 0, 0}, {0, 1, 1}, true, {-1, -1, 1}},
		{{1, 1, 1}, {0, 0, 0}, {0, 0, 1}, false, {-1, -1, 1}},
		{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}, false, {-1, -1, -1}},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct decision d;

		decide(&d, LIMIT_OUTPUT);
		d.facts.stdout_is_stderr = rows[i].one;
		for (int fd = 0; fd < 3; fd++) {
			d.facts.stdio[fd] = rows[i].usable[fd] ? FD_USABLE : FD_CLOSED;
			d.facts.stdio_is_terminal[fd] = rows[i].terminal[fd];
			d.facts.stdio_is_output[fd] = rows[i].output[fd];
		}
		for (int fd = -1; fd < 9; fd++)
			if (output_pipe_of(&d, fd) != (fd >= 0 && fd < 3 ? rows[i].want[fd] : -1))
				fail_msg("row %zu: descriptor %d: pipe %d", i, fd,
					 output_pipe_of(&d, fd));
	}
}

static void a_way_past_the_count_is_a_miss(void **state)
{
	static struct misses misses;
	struct decision d;

	(void)state;
	decide(&d, LIMIT_OUTPUT);
	preflight_output(&d, &misses);
	assert_int_equal(misses.n, 0);
	d.facts.other_way_out = 0;
	preflight_output(&d, &misses);
	assert_int_equal(misses.n, 1);
	assert_string_equal(misses.list[0].key, "limits.output");
	assert_non_null(strstr(misses.list[0].hint, "</dev/null"));
	d.facts.other_way_out = 7;
	preflight_output(&d, &misses);
	assert_non_null(strstr(misses.list[1].hint, "--fd 7"));
	/* With idle_time alone nothing is bounded. */
	misses.n = 0;
	decide(&d, LIMIT_IDLE_TIME);
	d.facts.other_way_out = 0;
	preflight_output(&d, &misses);
	assert_int_equal(misses.n, 0);
}

/* ---- real descriptors, in a process of their own ---- */

enum shape {
	SAME_PIPE_TWICE,
	TWO_PIPES,
	SAME_FILE_TWICE,
	TWO_FILES_OF_ONE_NAME,
	BOTH_APPEND,
	STDIN_IS_STDOUT,
	STDIN_IS_NULL,
	STDOUT_IS_READ,
};

static int open_file(int flags)
{
	return open("/tmp/.cordon-test-output", flags | O_CREAT, 0600);
}

static void put(int in, int out, int other)
{
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(other, 2) < 0)
		_exit(99);
}

static void set_up(enum shape shape)
{
	int null = open("/dev/null", O_RDWR);
	int a[2], b[2];

	if (pipe(a) != 0)
		_exit(99);
	switch (shape) {
	case SAME_PIPE_TWICE:
		put(null, a[1], a[1]);
		return;
	case TWO_PIPES:
		if (pipe(b) != 0)
			_exit(99);
		put(null, a[1], b[1]);
		return;
	case SAME_FILE_TWICE:
		a[1] = open_file(O_WRONLY);
		put(null, a[1], a[1]);
		return;
	case TWO_FILES_OF_ONE_NAME:
		put(null, open_file(O_WRONLY), open_file(O_WRONLY));
		return;
	case BOTH_APPEND:
		put(null, open_file(O_WRONLY | O_APPEND), open_file(O_WRONLY | O_APPEND));
		return;
	case STDIN_IS_STDOUT:
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, b) != 0)
			_exit(99);
		put(b[0], b[0], a[1]);
		return;
	case STDIN_IS_NULL:
		put(null, null, null);
		return;
	case STDOUT_IS_READ:
		put(null, a[0], a[1]);
		return;
	}
}

static int probed(enum shape shape)
{
	static struct host_facts facts;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		set_up(shape);
		for (int fd = 0; fd < 3; fd++)
			facts.stdio[fd] = FD_USABLE;
		output_probe(&facts);
		unlink("/tmp/.cordon-test-output");
		_exit(facts.stdout_is_stderr | (facts.other_way_out == 0) << 1 |
		      facts.stdio_is_output[1] << 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void descriptors_are_looked_at(void **state)
{
	enum { ONE = 1, OTHER_WAY = 2, OUTPUT = 4 };

	(void)state;
	assert_int_equal(probed(SAME_PIPE_TWICE), ONE | OUTPUT);
	assert_int_equal(probed(TWO_PIPES), OUTPUT);
	assert_int_equal(probed(SAME_FILE_TWICE), ONE | OUTPUT);
	assert_int_equal(probed(TWO_FILES_OF_ONE_NAME), OUTPUT);
	assert_int_equal(probed(BOTH_APPEND), ONE | OUTPUT);
	assert_int_equal(probed(STDIN_IS_STDOUT), OTHER_WAY | OUTPUT);
	assert_int_equal(probed(STDIN_IS_NULL), ONE | OUTPUT);
	assert_int_equal(probed(STDOUT_IS_READ) & OUTPUT, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pipes_are_for_what_is_counted),
		cmocka_unit_test(descriptors_become_pipes),
		cmocka_unit_test(a_way_past_the_count_is_a_miss),
		cmocka_unit_test(descriptors_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
