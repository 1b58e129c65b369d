/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records/status.c: what a sandbox is doing, by its two files and the lock of its keeper. */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "records/status.h"
#include "tests/lib/records_fixture.h"

/* ---- marks ---- */

static void a_mark_is_of_one_process(void **state)
{
	struct process_mark own = process_mark_of(getpid());
	struct process_mark other = own;
	int fd = process_open(&own);

	(void)state;
	assert_int_equal(own.pid, getpid());
	assert_true(own.start_ticks > 0);
	assert_true(fd >= 0);
	close(fd);
	/* The number is somebody else's by now: one that began at another time. */
	other.start_ticks--;
	assert_int_equal(process_open(&other), -ESRCH);
	assert_int_equal(process_open(&(struct process_mark){0}), -ESRCH);
}

static void a_dead_process_has_no_mark(void **state)
{
	pid_t pid = fork();
	struct process_mark mark;

	(void)state;
	if (pid == 0) {
		pause();
		_exit(0);
	}
	mark = process_mark_of(pid);
	assert_int_equal(mark.pid, pid);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_open(&mark), -ESRCH);
	assert_int_equal(process_mark_of(pid).pid, 0);
}

/* ---- states ---- */

struct status_case {
	struct records_case *records;
	struct sandbox sandbox;
	struct sandbox_status status;
	int lock_fd;
};

/* A keeper's lock, of this process: it is asked for by another open file. */
static void hold(struct status_case *s)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char name[96], path[PATH_MAX];

	str_format(name, sizeof(name), "root/run/sandboxes/%s", s->sandbox.id);
	scratch_dir(&s->records->scratch, name, 0700);
	str_format(name, sizeof(name), "root/state/sandboxes/%s/lock", s->sandbox.id);
	scratch_file(&s->records->scratch, name, 0600, "");
	s->lock_fd = open(scratch_path(&s->records->scratch, name, path), O_RDWR | O_CLOEXEC);
	assert_int_equal(fcntl(s->lock_fd, F_OFD_SETLK, &lock), 0);
}

static void begin(struct status_case *s, void **state)
{
	*s = (struct status_case){.records = *state, .lock_fd = -EBADF};
	records_case_make(s->records, "web", &s->sandbox);
}

static enum sandbox_state look(struct status_case *s)
{
	status_release(&s->status);
	assert_int_equal(status_read(&s->records->records, &s->sandbox, &s->status,
				     &s->records->err),
			 0);
	return s->status.state;
}

static void end(struct status_case *s)
{
	status_release(&s->status);
	sandbox_release(&s->sandbox);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
}

static struct last_run running(void)
{
	struct last_run last = {.is_running = true,
				.started_ms = 1000,
				.finished_ms = RESULT_NONE,
				.exit_code = RESULT_NONE};

	state_boot_id(last.boot_id);
	return last;
}

static void never_started(void **state)
{
	struct status_case s;

	begin(&s, state);
	assert_int_equal(look(&s), SANDBOX_CREATED);
	assert_false(s.status.has_keeper);
	assert_false(s.status.is_lost);
	assert_int_equal(s.status.last.started_ms, RESULT_NONE);
	end(&s);
}

static void ended_as_it_was_written(void **state)
{
	struct last_run last = {.started_ms = 1000,
				.finished_ms = 2000,
				.restarts = 4,
				.exit_code = 3,
				.kind = "exited",
				.text = "a\nb %",
				.result = "{\"a\":1}"};
	struct status_case s;

	begin(&s, state);
	assert_int_equal(status_write_last(&s.sandbox, &last), 0);
	assert_int_equal(look(&s), SANDBOX_EXITED);
	assert_int_equal(s.status.last.started_ms, 1000);
	assert_int_equal(s.status.last.finished_ms, 2000);
	assert_int_equal(s.status.last.restarts, 4);
	assert_int_equal(s.status.last.exit_code, 3);
	assert_string_equal(s.status.last.kind, "exited");
	assert_string_equal(s.status.last.text, "a\nb %");
	assert_string_equal(s.status.last.result, "{\"a\":1}");
	end(&s);
}

static void assert_places(const struct landlock_places *a, const struct landlock_places *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->list[i].fd, b->list[i].fd);
		assert_true(a->list[i].access == b->list[i].access);
	}
}

static void lives_as_long_as_its_lock(void **state)
{
	struct live_run live = {.keeper = process_mark_of(getpid()),
				.started_ms = RESULT_NONE,
				.next_start_ms = RESULT_NONE,
				.last_exit_code = RESULT_NONE,
				.last_finished_ms = RESULT_NONE};
	struct last_run last = running();
	struct status_case s;
	char path[96];

	begin(&s, state);
	hold(&s);
	/* Between the lock and the first file: nothing has been started yet. */
	assert_int_equal(look(&s), SANDBOX_CREATED);
	assert_int_equal(status_write_last(&s.sandbox, &last), 0);
	assert_int_equal(status_write_live(&s.records->records, s.sandbox.id, &live), 0);
	assert_int_equal(look(&s), SANDBOX_STARTING);
	live.workload = live.init = live.keeper;
	live.restarts = 2;
	live.launcher = live.keeper;
	live.nproc_limit = SPEC_UNLIMITED;
	for (int i = 0; i < FACTS_NAMESPACES; i++)
		live.namespace_fds[i] = i == 1 ? -EBADF : 20 + i;
	live.places = (struct landlock_places){.list = {{30, UINT64_C(1) << 40}, {31, 3}}, .n = 2};
	live.n_groups = 2;
	str_format(live.groups[1].path, sizeof(live.groups[1].path), "/sys/fs/cgroup/a b");
	str_format(live.groups[1].self_path, sizeof(live.groups[1].self_path), "/a b");
	live.groups[0].version = CGROUP_V1;
	live.groups[1].version = CGROUP_V2;
	live.groups[1].controllers = 5;
	assert_int_equal(status_write_live(&s.records->records, s.sandbox.id, &live), 0);
	assert_int_equal(look(&s), SANDBOX_RUNNING);
	assert_int_equal(s.status.live.workload.start_ticks, live.keeper.start_ticks);
	assert_int_equal(s.status.last.restarts, 2);
	assert_int_equal(s.status.live.launcher.pid, live.keeper.pid);
	assert_true(s.status.live.nproc_limit == SPEC_UNLIMITED);
	for (int i = 0; i < FACTS_NAMESPACES; i++)
		assert_int_equal(s.status.live.namespace_fds[i] < 0
					 ? -1
					 : s.status.live.namespace_fds[i],
				 i == 1 ? -1 : 20 + i);
	assert_places(&s.status.live.places, &live.places);
	assert_int_equal(s.status.live.n_groups, 2);
	assert_string_equal(s.status.live.groups[1].path, "/sys/fs/cgroup/a b");
	assert_string_equal(s.status.live.groups[1].self_path, "/a b");
	assert_int_equal(s.status.live.groups[0].version, CGROUP_V1);
	assert_int_equal(s.status.live.groups[1].controllers, 5);
	str_format(path, sizeof(path), "root/run/sandboxes/%s/paused", s.sandbox.id);
	scratch_file(&s.records->scratch, path, 0600, "");
	assert_int_equal(look(&s), SANDBOX_PAUSED);
	live.next_start_ms = 5;
	live.last_exit_code = 7;
	assert_int_equal(status_write_live(&s.records->records, s.sandbox.id, &live), 0);
	assert_int_equal(look(&s), SANDBOX_RESTARTING);
	assert_int_equal(s.status.live.last_exit_code, 7);
	/* It was killed: what it wrote last is not true any more. */
	close(s.lock_fd);
	s.lock_fd = -EBADF;
	assert_int_equal(look(&s), SANDBOX_EXITED);
	assert_true(s.status.is_lost);
	end(&s);
}

static void a_loss_has_its_reason(void **state)
{
	struct last_run last = running();
	struct status_case s;

	begin(&s, state);
	assert_int_equal(status_write_last(&s.sandbox, &last), 0);
	assert_int_equal(look(&s), SANDBOX_EXITED);
	assert_true(s.status.is_lost);
	assert_string_equal(s.status.last.kind, "keeper_lost");
	assert_int_equal(s.status.last.exit_code, 137);
	/* Of another boot. */
	last.boot_id[0] = last.boot_id[0] == '0' ? '1' : '0';
	assert_int_equal(status_write_last(&s.sandbox, &last), 0);
	assert_int_equal(look(&s), SANDBOX_EXITED);
	assert_string_equal(s.status.last.kind, "power_lost");
	/* Once it is written down it is no loss of this moment. */
	assert_int_equal(status_settle(&s.records->records, &s.sandbox, &s.records->err), 1);
	assert_int_equal(look(&s), SANDBOX_EXITED);
	assert_false(s.status.is_lost);
	assert_string_equal(s.status.last.kind, "power_lost");
	assert_true(s.status.last.finished_ms > 0);
	assert_int_equal(status_settle(&s.records->records, &s.sandbox, &s.records->err), 0);
	end(&s);
}

static void a_damaged_state_is_an_error(void **state)
{
	struct status_case s;

	begin(&s, state);
	records_case_write(&s.sandbox, "state", "cordon-state 1\nis_running 0\n");
	assert_true(status_read(&s.records->records, &s.sandbox, &s.status, &s.records->err) < 0);
	assert_non_null(strstr(s.records->err.text, "/state: is damaged"));
	records_case_write(&s.sandbox, "state", "cordon-state 2\nend\n");
	assert_true(status_read(&s.records->records, &s.sandbox, &s.status, &s.records->err) < 0);
	assert_non_null(strstr(s.records->err.text, "has format 2"));
	s.status.last.result = NULL;
	end(&s);
}

static void what_is_wanted(void **state)
{
	struct status_case s;

	begin(&s, state);
	assert_false(status_is_wanted(&s.sandbox));
	assert_int_equal(status_want(&s.sandbox, true, &s.records->err), 0);
	assert_true(status_is_wanted(&s.sandbox));
	assert_int_equal(status_want(&s.sandbox, false, &s.records->err), 0);
	assert_false(status_is_wanted(&s.sandbox));
	records_case_write(&s.sandbox, "wanted", "running");
	assert_false(status_is_wanted(&s.sandbox));
	end(&s);
}

int main(void)
{
#define test(function) \
	cmocka_unit_test_setup_teardown(function, records_case_setup, records_case_teardown)
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_is_of_one_process),
		cmocka_unit_test(a_dead_process_has_no_mark),
		test(never_started),
		test(ended_as_it_was_written),
		test(lives_as_long_as_its_lock),
		test(a_loss_has_its_reason),
		test(a_damaged_state_is_an_error),
		test(what_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
