/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The filter of the second architecture (x86 on x86-64, arm on aarch64): policies are resolved and
 * compiled, and the programs are run in a simulator. Built twice, for each machine (policy/arch.h),
 * since no test machine has both. tests/unit/policy/test_oracle.c has the second opinion.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/forms.h"
#include "tests/lib/second_rows.h"

/* ---- the tables ---- */

/* Every call that only the second architecture has is another form of a native one, or made of
 * several, or stands here: then no native refusal is about it. */
static void every_call_has_its_place(void **state)
{
	static const char *const alone[] = {
		/* Not implemented by any kernel that runs x86 programs beside x86-64 ones. */
		"break", "stty", "gtty", "ftime", "prof", "lock", "mpx", "ulimit", "profil", "idle",
		"vm86", "vm86old", "bdflush",
		/* The parts of these are looked at one by one. */
		"socketcall", "ipc",
		/* Of arm alone: PCI's configuration, and what the processor has by instructions
		 * elsewhere. pause, sysfs, _sysctl and uselib aarch64 never had. */
		"pciconfig_iobase", "pciconfig_read", "pciconfig_write", "breakpoint", "cacheflush",
		"usr26", "usr32", "set_tls", "get_tls", "pause", "sysfs", "_sysctl", "uselib",
		"vserver"};
	bool is_form[SYSCALLS_END] = {false};

	(void)state;
	for (int32_t number = 0; number < SYSCALLS_END; number++) {
		size_t next = 0;

		if (syscalls_name(number) == NULL)
			continue;
		for (const char *form; (form = forms_next(syscalls_name(number), &next)) != NULL;)
			is_form[syscalls_number_on(ABI_SECOND, form)] = true;
	}
	for (int32_t place = 0; place < SYSCALLS_END; place++) {
		const char *name = syscalls_name_on(ABI_SECOND, place);
		bool is_known = name == NULL || syscalls_number(name) >= 0 || is_form[place];

		for (size_t i = 0; !is_known && i < N(alone); i++)
			is_known = str_equal(name, alone[i]);
		if (!is_known)
			fail_msg("%s is no form of a native call", name);
	}
}

static void places_and_numbers(void **state)
{
	size_t n = 0;

	(void)state;
	for (int32_t place = 0; place < SYSCALLS_END; place++) {
		const char *name = syscalls_name_on(ABI_SECOND, place);
		int32_t number = syscalls_kernel_number(ABI_SECOND, place);

		if (name == NULL)
			continue;
		n++;
		assert_int_equal(syscalls_number_on(ABI_SECOND, name), place);
		if (number >= 0)
			assert_int_equal(syscalls_place(ABI_SECOND, number), place);
	}
	assert_true(n > 380);
	assert_int_equal(syscalls_place(ABI_SECOND, -1), -1);
	assert_int_equal(syscalls_place(ABI_SECOND, SYSCALLS_END), -1);
	assert_int_equal(syscalls_place(ABI_SECOND, 0x0f0008), -1);
	assert_int_equal(syscalls_place(ABI_SECOND, 0x0effff), -1);
	assert_int_equal(syscalls_place(ABI_NATIVE, 0x0f0001), -1);
	assert_int_equal(syscalls_number_on(ABI_SECOND, "no_such_call"), -ENOENT);
	assert_int_equal(second_number("execve"), 11);
	assert_int_equal(second_number("file_setattr"), 469);
	assert_int_equal(syscalls_number_on(ABI_SECOND, "uretprobe"), SYSCALLS_FOREIGN);
	for (const struct forms_part *part = forms_parts(); part->call != NULL; part++) {
		assert_true(syscalls_number_on(ABI_SECOND, part->multiplexer) >= 0);
		assert_true(syscalls_number_on(ABI_SECOND, part->call) >= 0);
	}
#if POLICY_IS_X86_64
	assert_int_equal(second_number("socket"), 359);
	assert_int_equal(second_number("accept"), -1);
#else
	assert_int_equal(second_number("socket"), 281);
	assert_int_equal(second_number("set_tls"), 0x0f0005);
#endif
}

/* ---- the shipped profile ---- */

static const struct row default_rows[] = {
	{"read", {0}, ALLOW},
	{"mmap2", {0, 0, 7}, ALLOW},
	{"fstat64", {0}, ALLOW},
	{"_llseek", {0}, ALLOW},
	{"clock_gettime64", {0}, ALLOW},
	{"futex_time64", {0}, ALLOW},
	{"getuid32", {0}, ALLOW},
	{"sigreturn", {0}, ALLOW},
	{"rt_sigreturn", {0}, ALLOW},
	{"execve", {0}, ALLOW},
	{"exit_group", {0}, ALLOW},
	{"fchmodat2", {0}, ALLOW},
	{"mount", {0}, ERRNO(EPERM)},
	{"umount2", {0}, ERRNO(EPERM)},
	{"ptrace", {0}, ERRNO(EPERM)},
	{"bpf", {0}, ERRNO(EPERM)},
	{"io_uring_setup", {0}, ERRNO(EPERM)},
	{"keyctl", {0}, ERRNO(EPERM)},
	{"setns", {0}, ERRNO(EPERM)},
	{"unshare", {0}, ERRNO(EPERM)},
	{"userfaultfd", {0}, ERRNO(EPERM)},
	{"open_by_handle_at", {0}, ERRNO(EPERM)},
	{"clock_settime64", {0}, ERRNO(EPERM)},
	{"capset", {0}, ERRNO(EPERM)},
	{"listmount", {0}, ERRNO(EPERM)},
	{"clone3", {0}, ERRNO(ENOSYS)},
	{"clone", {SIGCHLD}, ALLOW},
	{"clone", {CLONE_NEWUSER | SIGCHLD}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWNET}, ERRNO(EPERM)},
	{"ioctl", {0, TCGETS}, ALLOW},
	{"ioctl", {0, TIOCSTI}, ERRNO(EPERM)},
	{"personality", {0xffffffff}, ALLOW},
	{"personality", {0x0400000}, ERRNO(EPERM)},
	{"setrlimit", {RLIMIT_CORE, 4096}, ERRNO(0)},
	{"setrlimit", {RLIMIT_NOFILE, 4096}, ALLOW},
	{"prlimit64", {0, RLIMIT_CORE, 4096}, ERRNO(0)},
	{"prlimit64", {0, RLIMIT_CORE, 0}, ALLOW},
	{"socket", {AF_UNIX, SOCK_STREAM}, ALLOW},
	{"socket", {AF_NETLINK, SOCK_RAW, 0}, ALLOW},
	{"socket", {AF_NETLINK, SOCK_RAW, 15}, ERRNO(EAFNOSUPPORT)},
	{"socket", {AF_VSOCK, SOCK_STREAM}, ERRNO(EAFNOSUPPORT)},
	{"socketpair", {AF_TIPC, SOCK_STREAM}, ERRNO(EAFNOSUPPORT)},
	{"connect", {0}, ALLOW},
#if POLICY_IS_X86_64
	{"mmap", {0}, ALLOW},
	{"umount", {0}, ERRNO(EPERM)},
	{"stime", {0}, ERRNO(EPERM)},
	{"modify_ldt", {0}, ERRNO(EPERM)},
	{"vm86", {0}, ERRNO(EPERM)},
	{"iopl", {0}, ERRNO(EPERM)},
	/* socket and socketpair depend on arguments that lie in memory; the others do not. */
	{"socketcall", {1}, ERRNO(ENOSYS)},
	{"socketcall", {8}, ERRNO(ENOSYS)},
	{"socketcall", {2}, ALLOW},
	{"socketcall", {3}, ALLOW},
	{"socketcall", {5}, ALLOW},
	{"socketcall", {9}, ALLOW},
	{"socketcall", {18}, ALLOW},
	{"ipc", {23}, ALLOW},
	{"ipc", {0x10017}, ALLOW},
#else
	{"set_tls", {0}, ALLOW},
	{"cacheflush", {0}, ALLOW},
	{"breakpoint", {0}, ERRNO(EPERM)},
	{"send", {0}, ALLOW},
#endif
};

static void default_profile(void **state)
{
	struct program program;

	(void)state;
	program_init(&program, BASE_TEXT);
	CHECK(&program, default_rows);
	assert_false(program.fixture.spec.seccomp.admits_key_calls);
	program_release(&program);
}

static void other_architectures(void **state)
{
	static const struct {
		uint32_t arch;
		uint32_t nr;
		uint32_t verdict;
	} rows[] = {
		{POLICY_AUDIT_ARCH, POLICY_WRITE, ALLOW},
		{POLICY_SECOND_AUDIT_ARCH, 3, ALLOW},
		{0, 3, KILL},
		{AUDIT_ARCH_PPC, 3, KILL},
		{POLICY_SECOND_AUDIT_ARCH ^ 0x80000000, 3, KILL},
		{POLICY_SECOND_AUDIT_ARCH, 470, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 495, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 497, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 501, ERRNO(ENOSYS)},
		/* Where parts are kept there are no calls. */
		{POLICY_SECOND_AUDIT_ARCH, 504, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 508, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 512, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 0x0f0000, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 0x0f0007, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 0x0f0008, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 0x40000003, ERRNO(ENOSYS)},
		{POLICY_SECOND_AUDIT_ARCH, 0xffffffff, ERRNO(ENOSYS)},
#if POLICY_IS_X86_64
		{POLICY_AUDIT_ARCH, 0x40000001, KILL}, /* x32 */
		{AUDIT_ARCH_ARM, 3, KILL},
		{POLICY_SECOND_AUDIT_ARCH, 0x0f0005, ERRNO(ENOSYS)},
#else
		{AUDIT_ARCH_I386, 3, KILL},
		{POLICY_SECOND_AUDIT_ARCH, 0x0f0005, ALLOW},
		{POLICY_SECOND_AUDIT_ARCH, 0x0f0001, ERRNO(EPERM)},
#endif
	};
	struct program program;

	(void)state;
	program_init(&program, BASE_TEXT);
	for (size_t i = 0; i < N(rows); i++) {
		uint32_t got = verdict_of(&program, rows[i].arch, (int)rows[i].nr, NULL);

		if (got != rows[i].verdict)
			fail_msg("row %zu: %x", i, got);
	}
	program_release(&program);
}

/* Without it in the list: killed, all of it. */
static void not_listed(void **state)
{
	static const char *const texts[] = {
		NULL,
		"cordon: 1\nextends: default\nseccomp: {architectures: [native]}\n",
		/* A waiver alone lists nothing, and a child takes back what its parent lists. */
		("cordon: 1\nextends: default\n" WAIVED),
		"cordon: 1\nextends: /p/both.yaml\nseccomp: {architectures: [native]}\n",
		"cordon: 1\nextends: default\nseccomp: {+architectures: [native]}\n",
	};

	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		struct program program;

		fixture_init(&program.fixture);
		fixture_profile(&program.fixture, "/p/both.yaml", BASE_TEXT);
		program_make(&program, texts[i]);
		assert_false(program.fixture.spec.seccomp.has_second);
		for (int number = 0; number < SYSCALLS_END; number++)
			assert_int_equal(verdict_of(&program, POLICY_SECOND_AUDIT_ARCH, number,
						    NULL),
					 KILL);
		program_release(&program);
	}
}

/* The native calls are answered as without the second architecture, and by the same tree. */
static void native_is_the_same(void **state)
{
	struct program one, both;

	(void)state;
	program_init(&one, NULL);
	program_init(&both, BASE_TEXT);
	assert_true(both.n > one.n);
	for (int number = -1; number <= SYSCALLS_END; number++)
		for (uint32_t arg = 0; arg < 64; arg++) {
			const uint32_t args[4] = {arg, arg | TIOCSTI, arg, arg};

			assert_int_equal(verdict_of(&one, POLICY_AUDIT_ARCH, number, args),
					 verdict_of(&both, POLICY_AUDIT_ARCH, number, args));
		}
	program_release(&one);
	program_release(&both);
}

/* What cordon calls itself it calls natively: on the second architecture the lists decide. */
static void own_calls_are_native(void **state)
{
	struct program program;

	(void)state;
	program_init(&program,
		     "cordon: 1\nseccomp: {default: kill, unknown: kill, architectures: " BOTH
		     ", allow: [read]}\n");
	for (int number = 0; number <= SYSCALLS_END; number++)
		assert_int_equal(verdict_of(&program, POLICY_SECOND_AUDIT_ARCH, number, NULL),
				 number == second_number("read") ? ALLOW : KILL);
	program_release(&program);
}

static void setid_bits(void **state)
{
	static const struct row rows[] = {
		{"chmod", {0, 0755}, ALLOW},
		{"chmod", {0, 04755}, ERRNO(EPERM)},
		{"fchmod", {3, 02755}, ERRNO(EPERM)},
		{"fchmodat", {3, 0, 04755}, ERRNO(EPERM)},
		{"fchmodat2", {3, 0, 04755}, ERRNO(EPERM)},
		{"creat", {0, 04755}, ERRNO(EPERM)},
		{"creat", {0, 0644}, ALLOW},
		{"mknod", {0, 0104755}, ERRNO(EPERM)},
		{"mknodat", {3, 0, 0102755}, ERRNO(EPERM)},
		{"open", {0, O_CREAT, 04755}, ERRNO(EPERM)},
		{"open", {0, O_RDONLY, 04755}, ALLOW},
		{"openat", {3, 0, O_CREAT, 02755}, ERRNO(EPERM)},
		{"openat", {3, 0, O_TMPFILE | O_RDWR, 04755}, ERRNO(EPERM)},
		{"openat", {3, 0, O_CREAT, 0755}, ALLOW},
		{"openat2", {0}, ERRNO(ENOSYS)},
	};
	static const struct row open_rows[] = {{"chmod", {0, 04755}, ALLOW},
					       {"openat2", {0}, ALLOW}};
	struct program program;

	(void)state;
	fixture_init(&program.fixture);
	program.fixture.host.stdio_is_file = true;
	program_make(&program, BASE_TEXT);
	CHECK(&program, rows);
	program_release(&program);
	program_init(&program, BASE_TEXT);
	CHECK(&program, open_rows);
	program_release(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_has_its_place),
		cmocka_unit_test(places_and_numbers),
		cmocka_unit_test(default_profile),
		cmocka_unit_test(other_architectures),
		cmocka_unit_test(not_listed),
		cmocka_unit_test(native_is_the_same),
		cmocka_unit_test(own_calls_are_native),
		cmocka_unit_test(setid_bits),
	};

	return cmocka_run_group_tests_name("policy/second, " POLICY_SECOND_NAME, tests, NULL, NULL);
}
