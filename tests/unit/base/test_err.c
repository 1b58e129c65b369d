/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base/err.c: how errors are filled, wrapped and turned into exit codes. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* A child hands its error over in one write, which a pipe takes whole up to PIPE_BUF (pipe(7)). */
static void fits_one_pipe_message(void **state)
{
	(void)state;
	assert_true(sizeof(struct err) <= PIPE_BUF);
}

static void fills(void **state)
{
	struct err err;

	(void)state;
	memset(&err, 0xff, sizeof(err));
	assert_int_equal(err_set(&err, ERR_SETUP, ENOSPC, "%s: %d bytes", "/tmp", 7), -ENOSPC);
	assert_int_equal(err.kind, ERR_SETUP);
	assert_int_equal(err.sys_errno, ENOSPC);
	assert_string_equal(err.text, "/tmp: 7 bytes: No space left on device");
	assert_string_equal(err.step, "");
	assert_string_equal(err.hint, "");
}

static void fills_without_errno(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, ERR_POLICY, 0, "limits.pids: zero"), -EINVAL);
	assert_int_equal(err.sys_errno, 0);
	assert_string_equal(err.text, "limits.pids: zero");
}

static void knows_no_such_errno(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, ERR_BUG, 99999, "row"), -99999);
	assert_string_equal(err.text, "row: unknown error");
}

static void wraps_outermost_first(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, ERR_SETUP, EACCES, "/data"), -EACCES);
	assert_int_equal(err_wrap(&err, "mount %d", 3), -EACCES);
	assert_int_equal(err_wrap(&err, "row %s", "mounts"), -EACCES);
	assert_string_equal(err.text, "row mounts: mount 3: /data: Permission denied");
	assert_int_equal(err.kind, ERR_SETUP);
	assert_int_equal(err.sys_errno, EACCES);
}

static void wrapping_keeps_step_and_hint(void **state)
{
	struct err err;

	(void)state;
	(void)err_set(&err, ERR_PREFLIGHT, 0, "user namespaces are off");
	strcpy(err.step, "spawn");
	assert_int_equal(err_hint(&err, "Run `sysctl %s=1`.", "x.y"), -EINVAL);
	assert_int_equal(err_wrap(&err, "preflight"), -EINVAL);
	assert_string_equal(err.step, "spawn");
	assert_string_equal(err.hint, "Run `sysctl x.y=1`.");
	assert_string_equal(err.text, "preflight: user namespaces are off");
}

static void cuts_what_is_too_long(void **state)
{
	char text[2 * sizeof(((struct err *)0)->text)];
	struct err err;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&err, ERR_SETUP, EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)err_wrap(&err, "outer");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "outer: xxx", 10);
	(void)err_hint(&err, "%s", text);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
	assert_int_equal(err.sys_errno, EIO);
}

static void nobody_asked(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_SETUP, EPERM, "x"), -EPERM);
	assert_int_equal(err_set(NULL, ERR_SETUP, 0, "x"), -EINVAL);
	assert_int_equal(err_wrap(NULL, "x"), -EINVAL);
	assert_int_equal(err_hint(NULL, "x"), -EINVAL);
}

static void exit_codes(void **state)
{
	static const struct {
		enum err_kind kind;
		int sys_errno, code;
	} rows[] = {
		{ERR_USAGE, 0, 125},      {ERR_POLICY, 0, 125},     {ERR_PREFLIGHT, 0, 125},
		{ERR_SETUP, ENOENT, 125}, {ERR_BUG, EACCES, 125},   {ERR_EXEC, ENOENT, 127},
		{ERR_EXEC, EACCES, 126},  {ERR_EXEC, ENOEXEC, 126},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct err err = {.kind = rows[i].kind, .sys_errno = rows[i].sys_errno};

		assert_int_equal(err_exit_code(&err), rows[i].code);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_one_pipe_message),
		cmocka_unit_test(fills),
		cmocka_unit_test(fills_without_errno),
		cmocka_unit_test(knows_no_such_errno),
		cmocka_unit_test(wraps_outermost_first),
		cmocka_unit_test(wrapping_keeps_step_and_hint),
		cmocka_unit_test(cuts_what_is_too_long),
		cmocka_unit_test(nobody_asked),
		cmocka_unit_test(exit_codes),
	};

	return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
