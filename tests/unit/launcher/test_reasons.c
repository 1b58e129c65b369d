/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/stores.c, result.c, limits.c: what is taken for the reason of an end, and what is idle.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "launcher/limits.h"
#include "launcher/result.h"
#include "launcher/stores.h"
#include "tests/lib/decision_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct run_result ended(enum run_kind kind, int64_t exit_code, int64_t signal)
{
	return (struct run_result){.kind = kind, .exit_code = exit_code, .signal = signal};
}

/* ---- stores ---- */

static const struct spec_store store = {.size_key = "size", .inodes_key = "inodes"};

static void full_stores_explain_failures(void **state)
{
	static const struct {
		enum run_kind kind;
		int64_t exit_code, signal;
		uint64_t blocks, inodes;
		const char *limit; /* NULL: not explained */
		int want;          /* exit code of the run */
	} rows[] = {
		{RUN_EXITED, 1, RESULT_NONE, 0, 5, "size", 1},
		{RUN_EXITED, 9, RESULT_NONE, 5, 0, "inodes", 9},
		{RUN_EXITED, 9, RESULT_NONE, 0, 0, "size", 9},
		{RUN_SIGNALLED, RESULT_NONE, SIGABRT, 0, 5, "size", 134},
		{RUN_EXITED, 0, RESULT_NONE, 0, 0, NULL, 0},
		{RUN_EXITED, 1, RESULT_NONE, 1, 1, NULL, 1},
		{RUN_WALL_TIME, RESULT_NONE, SIGKILL, 0, 0, NULL, 137},
		{RUN_OOM, RESULT_NONE, SIGKILL, 0, 0, NULL, 137},
		{RUN_FSIZE, RESULT_NONE, SIGXFSZ, 0, 0, NULL, 137},
		{RUN_PIDS, 1, RESULT_NONE, 0, 0, NULL, 1},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct run_result r = ended(rows[i].kind, rows[i].exit_code, rows[i].signal);

		stores_explain(&store, rows[i].blocks, rows[i].inodes, &r);
		assert_int_equal(r.kind, rows[i].limit != NULL ? RUN_DISK_FULL : rows[i].kind);
		if (rows[i].limit != NULL)
			assert_string_equal(r.limit, rows[i].limit);
		else
			assert_null(r.limit);
		assert_int_equal(result_exit_code(&r), rows[i].want);
	}
}

/* Whoever stops one whose store is full has ended it, not the store. */
static void a_full_store_explains_no_stop(void **state)
{
	struct run_result r = ended(RUN_SIGNALLED, RESULT_NONE, SIGTERM);

	(void)state;
	r.caller_signal = SIGTERM;
	stores_explain(&store, 0, 0, &r);
	stores_explain_host(0, &r);
	assert_int_equal(r.kind, RUN_SIGNALLED);
	r.caller_signal = SIGHUP;
	stores_explain(&store, 0, 0, &r);
	assert_int_equal(r.kind, RUN_DISK_FULL);
}

static void stores_that_can_be_filled_are_watched(void **state)
{
	static struct spec_mount mounts[ROOTFS_STORES_MAX + 8];
	struct decision d;

	(void)state;
	decision_as_root(&d);
	assert_false(stores_are_watched(&d));
	d.writable = WRITABLE_TMPFS;
	assert_int_equal(stores_count(&d), 1);
	assert_ptr_equal(stores_nth(&d, 0), &d.spec.rootfs.store);
	mounts[0].type = MOUNT_BIND;
	mounts[1].type = MOUNT_TMPFS;
	mounts[2].type = MOUNT_TMPFS;
	mounts[2].read_only = true;
	mounts[3].type = MOUNT_TMPFS;
	d.spec.mounts = mounts;
	d.spec.n_mounts = 4;
	assert_int_equal(stores_count(&d), 3);
	assert_ptr_equal(stores_nth(&d, 1), &mounts[1].store);
	assert_ptr_equal(stores_nth(&d, 2), &mounts[3].store);
	d.writable = WRITABLE_NONE;
	assert_int_equal(stores_count(&d), 2);
	assert_ptr_equal(stores_nth(&d, 0), &mounts[1].store);
	/* Of more than there is room for, the first. */
	for (size_t i = 0; i < N(mounts); i++)
		mounts[i] = (struct spec_mount){.type = MOUNT_TMPFS};
	d.spec.n_mounts = N(mounts);
	assert_int_equal(stores_count(&d), ROOTFS_STORES_MAX);
	d.writable = WRITABLE_TMPFS;
	assert_int_equal(stores_count(&d), STORES_MAX);
	assert_ptr_equal(stores_nth(&d, STORES_MAX - 1), &mounts[ROOTFS_STORES_MAX - 1].store);
}

/* ---- fsize ---- */

static void a_file_too_large_has_its_reason(void **state)
{
	struct spec_limits limits = {
		.rlimits = {{.name = "nofile", .resource = RLIMIT_NOFILE, .value = 64},
			    {.name = "fsize", .resource = RLIMIT_FSIZE, .value = 4096}},
		.n_rlimits = 2};
	struct run_result r = ended(RUN_SIGNALLED, RESULT_NONE, SIGXFSZ);

	(void)state;
	result_explain_fsize(&r, &limits);
	assert_int_equal(r.kind, RUN_FSIZE);
	assert_string_equal(r.limit, "limits.ulimits.fsize");
	assert_int_equal(result_exit_code(&r), 137);
	r = ended(RUN_SIGNALLED, RESULT_NONE, SIGXCPU);
	result_explain_fsize(&r, &limits);
	assert_int_equal(r.kind, RUN_SIGNALLED);
	r = ended(RUN_EXITED, 128 + SIGXFSZ, RESULT_NONE);
	result_explain_fsize(&r, &limits);
	assert_int_equal(r.kind, RUN_EXITED);
	/* The caller's own limit, or nobody's. */
	limits.rlimits[1].value = SPEC_UNLIMITED;
	r = ended(RUN_SIGNALLED, RESULT_NONE, SIGXFSZ);
	result_explain_fsize(&r, &limits);
	assert_int_equal(r.kind, RUN_SIGNALLED);
	limits.n_rlimits = 1;
	result_explain_fsize(&r, &limits);
	assert_int_equal(r.kind, RUN_SIGNALLED);
}

/* ---- idle_time ---- */

static void looks_are_seldom(void **state)
{
	(void)state;
	assert_int_equal(limits_idle_pause(1), 10);
	assert_int_equal(limits_idle_pause(80), 10);
	assert_int_equal(limits_idle_pause(800), 100);
	assert_int_equal(limits_idle_pause(8000), 1000);
	assert_int_equal(limits_idle_pause(INT64_MAX), 1000);
}

static void timers_are_no_work(void **state)
{
	(void)state;
	assert_false(limits_is_work(0, 1000));
	assert_false(limits_is_work(2000, 1000));
	assert_true(limits_is_work(2001, 1000));
	/* A short pause has room for one wake-up. */
	assert_false(limits_is_work(500, 10));
	assert_true(limits_is_work(501, 10));
	/* A keeper that was not run for long has seen more of them. */
	assert_false(limits_is_work(20000, 10000));
	assert_true(limits_is_work(20001, 10000));
}

/* A death is the limit's only where the limit is set, the signal is its own, and the time fits. */
static void cpu_limit(void **state)
{
	static const struct {
		int kind, signal;
		int64_t user_ms;
		bool is_limits;
	} rows[] = {
		{RUN_SIGNALLED, SIGKILL, 1900, true},
		{RUN_SIGNALLED, SIGKILL, 2000, true},
		{RUN_SIGNALLED, SIGXCPU, 2000, true},
		{RUN_SIGNALLED, SIGKILL, 500, false},
		{RUN_SIGNALLED, SIGTERM, 2000, false},
		{RUN_EXITED, 0, 2000, false},
		{RUN_WALL_TIME, SIGKILL, 2000, false},
		{RUN_SIGNALLED, SIGKILL, RESULT_NONE, false},
		{RUN_POLICY_KILL, SIGSYS, 2000, false},
	};
	struct spec_limits limits = {.n_rlimits = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run_result result = {.kind = (enum run_kind)rows[i].kind,
					    .signal = rows[i].signal,
					    .cpu_user_ms = rows[i].user_ms};

		limits.rlimits[0] =
			(struct spec_rlimit){.name = "cpu", .resource = RLIMIT_CPU, .value = 2};
		assert_int_equal(result_find_cpu_limit(&result, &limits) != NULL,
				 rows[i].is_limits);
		assert_int_equal(result.limit != NULL, rows[i].is_limits);
		result.limit = NULL;
		limits.rlimits[0].value = SPEC_UNLIMITED;
		assert_null(result_find_cpu_limit(&result, &limits));
		limits.rlimits[0] = (struct spec_rlimit){.name = "nofile",
							 .resource = RLIMIT_NOFILE,
							 .value = 2};
		assert_null(result_find_cpu_limit(&result, &limits));
		assert_null(result.limit);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_limit),
		cmocka_unit_test(full_stores_explain_failures),
		cmocka_unit_test(a_full_store_explains_no_stop),
		cmocka_unit_test(stores_that_can_be_filled_are_watched),
		cmocka_unit_test(a_file_too_large_has_its_reason),
		cmocka_unit_test(looks_are_seldom),
		cmocka_unit_test(timers_are_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
