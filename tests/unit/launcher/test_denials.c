/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* launcher/denials.c: what is said of a denied call, and how it could be allowed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "launcher/denials.h"
#include "tests/lib/policy_fixture.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define HIGH     0x100000000ULL

static void resolve(struct policy_fixture *fixture, const char *text)
{
	fixture_init(fixture);
	fixture->request.wants_origins = true;
	if (fixture_resolve(fixture, text) != 0)
		fail_msg("%s", fixture->err.text);
}

struct row {
	struct denial denial;
	const char *call, *argument, *answer, *waiver;
	bool has_rules;
};

#define SECOND(number_, error_, ...)                                                            \
	{                                                                                       \
		.number = (number_), .error = (error_), .is_second = 1, .args = { __VA_ARGS__ } \
	}
#define CALL(number_, error_, ...)                                              \
	{                                                                       \
		.number = (number_), .error = (error_), .args = { __VA_ARGS__ } \
	}

static const struct row rows[] = {
	{CALL(SYS_mount, EPERM, 1), "mount", "", "EPERM", "seccomp.call:mount", false},
	{CALL(SYS_keyctl, EPERM, HIGH | 5), "keyctl", "5", "EPERM", "seccomp.call:keyctl", false},
	{CALL(SYS_socket, EAFNOSUPPORT, HIGH | AF_VSOCK, 1), "socket", "AF_VSOCK", "EAFNOSUPPORT",
	 "seccomp.call:socket", true},
	{CALL(SYS_socket, EAFNOSUPPORT, 200), "socket", "200", "EAFNOSUPPORT",
	 "seccomp.call:socket", true},
	{CALL(SYS_socket, EAFNOSUPPORT, AF_NETLINK, 3, 9), "socket", "AF_NETLINK, NETLINK_AUDIT",
	 "EAFNOSUPPORT", "seccomp.call:socket", true},
	{CALL(SYS_ioctl, EPERM, 0, TIOCSTI), "ioctl", "TIOCSTI", "EPERM", "seccomp.call:ioctl",
	 true},
	{CALL(SYS_clone, EPERM, 0x20011), "clone", "0x20011", "EPERM", "seccomp.call:clone", true},
	/* The third argument is an address. */
	{CALL(SYS_prlimit64, 0, 0, 4, 0x7ffc0000), "prlimit64", "4", "0", "seccomp.call:prlimit64",
	 true},
	/* No waiver makes setuid bits possible where they stay on the host. */
	{CALL(SYS_fchmod, EPERM, 3, 04755), "fchmod", "0x9ed", "EPERM", "", true},
	{CALL(SYS_openat2, ENOSYS, 0), "openat2", "", "ENOSYS", "", false},
	{CALL(DENIALS_OTHER_NUMBERS, ENOSYS, 0), "numbers from 512 on", "", "ENOSYS", "", false},
	{CALL(511, ENOSYS, 0), "number 511", "", "ENOSYS", "", false},
	{CALL(SYS_mount, 4095, 0), "mount", "", "4095", "seccomp.call:mount", false},
};

#ifdef __x86_64__
static const struct row second_rows[] = {
	{SECOND(21, EPERM, 1), "mount", "", "EPERM", "seccomp.call:mount", false},
	{SECOND(288, EPERM, 5), "keyctl", "5", "EPERM", "seccomp.call:keyctl", false},
	{SECOND(359, EAFNOSUPPORT, AF_VSOCK, 1), "socket", "AF_VSOCK", "EAFNOSUPPORT",
	 "seccomp.call:socket", true},
	{SECOND(54, EPERM, 0, TIOCSTI), "ioctl", "TIOCSTI", "EPERM", "seccomp.call:ioctl", true},
	/* What lifts it is said of the call that it stands for. */
	{SECOND(102, ENOSYS, 1), "socketcall", "socket", "ENOSYS", "seccomp.call:socket", true},
	{SECOND(102, EPERM, 3), "socketcall", "connect", "EPERM", "seccomp.call:connect", true},
	{SECOND(117, EPERM, 0x10017), "ipc", "shmget", "EPERM", "seccomp.call:shmget", true},
	{SECOND(212, EPERM, 0), "chown32", "", "EPERM", "seccomp.call:chown32", false},
	{SECOND(94, EPERM, 3, 04755), "fchmod", "0x9ed", "EPERM", "", true},
	{SECOND(502, ENOSYS, 0), "number 502", "", "ENOSYS", "", false},
};

static void describes_the_second(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	resolve(&fixture,
		"cordon: 1\nextends: default\nvolumes: ['./out:/out:rw']\n"
		"waive: {\"seccomp.architecture:x86\": why}\n"
		"seccomp: {architectures: [native, x86], deny: [connect, shmget, chown]}\n");
	for (size_t i = 0; i < N(second_rows); i++) {
		struct denial_view view;

		denial_describe(&fixture.spec, &second_rows[i].denial, &view);
		assert_string_equal(view.architecture, "x86");
		assert_string_equal(view.call, second_rows[i].call);
		assert_string_equal(view.argument, second_rows[i].argument);
		assert_string_equal(view.waiver, second_rows[i].waiver);
		assert_int_equal(view.has_rules, second_rows[i].has_rules);
		assert_non_null(view.origin.file);
	}
	fixture_release(&fixture);
}
#endif

static void describes(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	resolve(&fixture, "cordon: 1\nextends: default\nvolumes: ['./out:/out:rw']\n");
	for (size_t i = 0; i < N(rows); i++) {
		struct denial_view view;

		denial_describe(&fixture.spec, &rows[i].denial, &view);
		assert_string_equal(view.architecture, "");
		assert_string_equal(view.call, rows[i].call);
		assert_string_equal(view.argument, rows[i].argument);
		assert_string_equal(view.answer, rows[i].answer);
		assert_string_equal(view.waiver, rows[i].waiver);
		assert_int_equal(view.has_rules, rows[i].has_rules);
		assert_false(view.is_listable);
		assert_non_null(view.origin.file);
		assert_true(view.origin.line > 0);
	}
	fixture_release(&fixture);
}

/* A policy without a parent decides for itself. */
static void names_the_own_list(void **state)
{
	static const struct denial mounts = {.number = SYS_mount, .error = EPERM};
	struct policy_fixture fixture;
	struct denial_view view;

	(void)state;
	resolve(&fixture, "cordon: 1\nseccomp: {default: errno(EPERM), allow: [read]}\n");
	denial_describe(&fixture.spec, &mounts, &view);
	assert_true(view.is_listable);
	assert_string_equal(view.origin.file, "/ward/project/p.yaml");
	assert_int_equal(view.origin.line, 2);
	fixture_release(&fixture);
}

/* Whatever the notifier says, the text fits and names nothing that is not there. */
static void survives_any_numbers(void **state)
{
	struct policy_fixture fixture;

	(void)state;
	resolve(&fixture, NULL);
	for (uint32_t number = 0; number < 600; number++) {
		struct denial denial = {.number = number,
					.error = number * 97,
					.is_rest = number % 5};
		struct denial_view view;

		memset(denial.args, 0xff, sizeof(denial.args));
		denial_describe(&fixture.spec, &denial, &view);
		assert_true(view.call[0] != '\0');
		assert_true(view.answer[0] != '\0');
	}
	for (uint32_t i = 0; i < 32; i++) {
		struct denial denial = {.number = 1U << i};
		struct denial_view view;

		denial_describe(&fixture.spec, &denial, &view);
		assert_true(view.call[0] != '\0');
	}
	fixture_release(&fixture);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes),
#ifdef __x86_64__
		cmocka_unit_test(describes_the_second),
#endif
		cmocka_unit_test(names_the_own_list),
		cmocka_unit_test(survives_any_numbers),
	};

	return cmocka_run_group_tests_name("launcher/denials", tests, NULL, NULL);
}
