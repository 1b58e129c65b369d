/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/seccomp.c and bpf.c: profiles are compiled and the programs are run in a simulator.
 * Verdicts are tables of (call, arguments, answer), each refusal beside the nearest call that must
 * get through.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
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
#include "policy/bpf.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"
#include "tests/lib/verdict_rows.h"

#define ALLOW    SECCOMP_RET_ALLOW
#define KILL     SECCOMP_RET_KILL_PROCESS
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define HIGH     0x100000000ULL
#define POINTER  0x7ffc00001000ULL

struct program {
	struct policy_fixture fixture;
	void *filter;
	size_t n;
};

/* Of a policy that the fixture, already made, resolves. */
static void program_make(struct program *program, const char *text)
{
	if (fixture_resolve(&program->fixture, text) != 0)
		fail_msg("%s", program->fixture.err.text);
	if (policy_seccomp_compile(&program->fixture.spec.seccomp, &program->filter, &program->n,
				   &program->fixture.err) != 0)
		fail_msg("%s", program->fixture.err.text);
}

static void program_init(struct program *program, const char *text)
{
	fixture_init(&program->fixture);
	program_make(program, text);
}

static void program_release(struct program *program)
{
	free(program->filter);
	fixture_release(&program->fixture);
}

static uint32_t verdict(const struct program *program, const struct seccomp_data *data)
{
	return bpf_sim_run(program->filter, program->n, data);
}

static void check_rows(const struct program *program, const struct row *rows, size_t n)
{
	verdict_rows_check(program->filter, program->n, rows, n);
}

#define CHECK(program, rows) check_rows(program, rows, sizeof(rows) / sizeof((rows)[0]))

static const struct row default_rows[] = {
	{"read", {0}, ALLOW},
	{"openat", {0, 0, O_CREAT, 06755}, ALLOW}, /* nothing outside can be written */
	{"openat2", {0}, ALLOW},
	{"execve", {0}, ALLOW},
	{"write", {2}, ALLOW},
	{"exit_group", {1}, ALLOW},
	{"futex", {0}, ALLOW},
	{"landlock_create_ruleset", {0}, ALLOW},
	/* Not in the list. */
	{"mount", {0}, ERRNO(EPERM)},
	{"open_tree", {0}, ERRNO(EPERM)},
	{"move_mount", {0}, ERRNO(EPERM)},
	{"fsopen", {0}, ERRNO(EPERM)},
	{"mount_setattr", {0}, ERRNO(EPERM)},
	{"pivot_root", {0}, ERRNO(EPERM)},
	{"chroot", {0}, ERRNO(EPERM)},
	{"ptrace", {0}, ERRNO(EPERM)},
	{"bpf", {0}, ERRNO(EPERM)},
	{"perf_event_open", {0}, ERRNO(EPERM)},
	{"io_uring_setup", {0}, ERRNO(EPERM)},
	{"io_uring_enter", {0}, ERRNO(EPERM)},
	{"add_key", {0}, ERRNO(EPERM)},
	{"keyctl", {0}, ERRNO(EPERM)},
	{"request_key", {0}, ERRNO(EPERM)},
	{"setns", {0}, ERRNO(EPERM)},
	{"unshare", {0}, ERRNO(EPERM)},
	{"userfaultfd", {0}, ERRNO(EPERM)},
	{"name_to_handle_at", {0}, ERRNO(EPERM)},
	{"open_by_handle_at", {0}, ERRNO(EPERM)},
	{"init_module", {0}, ERRNO(EPERM)},
	{"finit_module", {0}, ERRNO(EPERM)},
	{"kexec_load", {0}, ERRNO(EPERM)},
	{"reboot", {0}, ERRNO(EPERM)},
	{"swapon", {0}, ERRNO(EPERM)},
	{"capset", {0}, ERRNO(EPERM)},
	{"listmount", {0}, ERRNO(EPERM)},
	{"clone3", {0}, ERRNO(ENOSYS)},
};
static const struct row default_conditions[] = {
	{"clone", {SIGCHLD}, ALLOW},
	{"clone", {CLONE_VM | CLONE_VFORK | SIGCHLD}, ALLOW},
	{"clone", {CLONE_NEWUSER | SIGCHLD}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWNS}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWPID}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWNET}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWIPC}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWUTS}, ERRNO(EPERM)},
	{"clone", {CLONE_NEWCGROUP}, ERRNO(EPERM)},
	{"clone", {HIGH | CLONE_NEWUSER}, ERRNO(EPERM)},
	{"ioctl", {0, TCGETS}, ALLOW},
	{"ioctl", {0, TIOCSTI}, ERRNO(EPERM)},
	{"ioctl", {0, TIOCLINUX}, ERRNO(EPERM)},
	{"ioctl", {0, TIOCSETD}, ERRNO(EPERM)},
	{"ioctl", {0, HIGH | TIOCSTI}, ERRNO(EPERM)}, /* CVE-2019-10063 */
	{"ioctl", {0, 0xffffffff00000000 | TIOCLINUX}, ERRNO(EPERM)},
	{"personality", {0}, ALLOW},
	{"personality", {0xffffffff}, ALLOW},
	{"personality", {0xffffffffffffffff}, ALLOW}, /* the kernel takes 32 bits */
	{"personality", {0x0040000}, ALLOW},
	{"personality", {0x0400000}, ERRNO(EPERM)},
	{"personality", {HIGH | 0x0400000}, ERRNO(EPERM)},
	{"personality", {8}, ERRNO(EPERM)},
	/* Success without effect; the kernel takes 32 bits of the resource. */
	{"setrlimit", {RLIMIT_CORE, POINTER}, ERRNO(0)},
	{"setrlimit", {HIGH | RLIMIT_CORE, POINTER}, ERRNO(0)},
	{"setrlimit", {0xffffffff00000000 | RLIMIT_CORE, POINTER}, ERRNO(0)},
	{"setrlimit", {RLIMIT_CORE, 0}, ERRNO(0)},
	{"setrlimit", {RLIMIT_NOFILE, POINTER}, ALLOW},
	{"setrlimit", {RLIMIT_STACK, POINTER}, ALLOW},
	{"getrlimit", {RLIMIT_CORE, POINTER}, ALLOW},
	{"prlimit64", {0, RLIMIT_CORE, POINTER, 0}, ERRNO(0)},
	{"prlimit64", {7, RLIMIT_CORE, POINTER, POINTER}, ERRNO(0)},
	{"prlimit64", {0, HIGH | RLIMIT_CORE, POINTER, 0}, ERRNO(0)},
	{"prlimit64", {0, 0xffffffff00000000 | RLIMIT_CORE, POINTER, 0}, ERRNO(0)},
	{"prlimit64", {0, RLIMIT_CORE, HIGH, 0}, ERRNO(0)}, /* a pointer: high bits count */
	{"prlimit64", {0, RLIMIT_CORE, 1, 0}, ERRNO(0)},
	{"prlimit64", {0, RLIMIT_CORE, 0, POINTER}, ALLOW},
	{"prlimit64", {0, RLIMIT_NOFILE, POINTER, 0}, ALLOW},
	{"prlimit64", {RLIMIT_CORE, RLIMIT_STACK, POINTER, 0}, ALLOW},
	{"socket", {AF_UNIX, SOCK_STREAM}, ALLOW},
	{"socket", {AF_INET, SOCK_STREAM}, ALLOW},
	{"socket", {AF_INET6, SOCK_DGRAM}, ALLOW},
	{"socket", {HIGH | AF_INET, SOCK_DGRAM}, ALLOW}, /* to the kernel it is AF_INET */
	{"socket", {AF_NETLINK, SOCK_RAW, 0}, ALLOW},
	{"socket", {AF_NETLINK, SOCK_RAW, 15}, ERRNO(EAFNOSUPPORT)},
	{"socket", {AF_NETLINK, SOCK_RAW, HIGH | 12}, ERRNO(EAFNOSUPPORT)},
	{"socket", {HIGH | AF_NETLINK, SOCK_RAW, 12}, ERRNO(EAFNOSUPPORT)},
	{"socket", {AF_VSOCK, SOCK_STREAM}, ERRNO(EAFNOSUPPORT)},
	{"socket", {HIGH | AF_VSOCK, SOCK_STREAM}, ERRNO(EAFNOSUPPORT)},
	{"socket", {AF_ALG, SOCK_SEQPACKET}, ERRNO(EAFNOSUPPORT)},
	{"socket", {AF_PACKET, SOCK_RAW}, ERRNO(EAFNOSUPPORT)},
	{"socket", {AF_UNSPEC}, ERRNO(EAFNOSUPPORT)},
	{"socket", {200}, ERRNO(EAFNOSUPPORT)},
	{"socketpair", {AF_UNIX, SOCK_STREAM}, ALLOW},
	{"socketpair", {AF_TIPC, SOCK_STREAM}, ERRNO(EAFNOSUPPORT)},
};

static void default_profile(void **state)
{
	struct program program;

	(void)state;
	program_init(&program, NULL);
	CHECK(&program, default_rows);
	CHECK(&program, default_conditions);
	assert_false(program.fixture.spec.seccomp.denies_setid_bits);
	assert_false(program.fixture.spec.seccomp.admits_key_calls);
	program_release(&program);
}

static void foreign_and_unknown(void **state)
{
	static const struct {
		uint32_t arch;
		uint32_t nr;
		uint32_t verdict;
	} rows[] = {
		{NATIVE, 0, ALLOW},
		{AUDIT_ARCH_I386, 4, KILL},
		{AUDIT_ARCH_ARM, 4, KILL},
		{0, 0, KILL},
		{NATIVE ^ 0x80000000, 0, KILL},
		{NATIVE, 470, ERRNO(ENOSYS)},
		{NATIVE, 511, ERRNO(ENOSYS)},
		{NATIVE, 512, ERRNO(ENOSYS)},
		{NATIVE, 0x3fffffff, ERRNO(ENOSYS)},
		{NATIVE, 400, ERRNO(ENOSYS)},
		{NATIVE, 469, ERRNO(EPERM)}, /* file_setattr: known, not in the list */
		{NATIVE, 452, ALLOW},        /* fchmodat2 */
#ifdef __x86_64__
		{NATIVE, 0x40000000, KILL}, /* x32 */
		{NATIVE, 0x40000000 | 59, KILL},
		{NATIVE, 0xffffffff, KILL},
		{NATIVE, 337, ERRNO(ENOSYS)},
		{NATIVE, 423, ERRNO(ENOSYS)},
		{NATIVE, 334, ALLOW}, /* rseq, the last before the gap */
		{NATIVE, 424, ALLOW}, /* pidfd_send_signal, the first behind it */
#else
		{NATIVE, 0xffffffff, ERRNO(ENOSYS)},
		{NATIVE, 250, ERRNO(ENOSYS)},
#endif
	};
	struct program program;

	(void)state;
	program_init(&program, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seccomp_data data = {.arch = rows[i].arch, .nr = (int)rows[i].nr};

		if (verdict(&program, &data) != rows[i].verdict)
			fail_msg("row %zu: %x", i, verdict(&program, &data));
	}
	program_release(&program);
}

/* Every number there is gets the answer that the spec has for it. */
static void every_number(void **state)
{
	struct program program;
	const struct spec_seccomp *seccomp;

	(void)state;
	program_init(&program, NULL);
	seccomp = &program.fixture.spec.seccomp;
	for (int32_t number = 0; number < SYSCALLS_END; number++) {
		struct seccomp_data data = {.arch = NATIVE, .nr = number};
		uint32_t expected = syscalls_is_known(number) ? ERRNO(EPERM) : ERRNO(ENOSYS);
		bool has_rules = false;

		for (size_t i = 0; i < seccomp->n_calls; i++) {
			if (seccomp->calls[i].number != number)
				continue;
			has_rules = seccomp->calls[i].n_rules > 0;
			if (seccomp->calls[i].otherwise.kind == ACT_ALLOW)
				expected = ALLOW;
			else
				expected = ERRNO(seccomp->calls[i].otherwise.errno_value);
		}
		if (!has_rules && verdict(&program, &data) != expected)
			fail_msg("call %d: %x", number, verdict(&program, &data));
	}
	program_release(&program);
}

static void setid_bits(void **state)
{
	static const struct row rows[] = {
		{"chmod", {0, 0755}, ALLOW},
		{"chmod", {0, 01777}, ALLOW},
		{"chmod", {0, 04755}, ERRNO(EPERM)},
		{"chmod", {0, 02755}, ERRNO(EPERM)},
		{"chmod", {0, HIGH | 04755}, ERRNO(EPERM)},
		{"fchmod", {3, 06755}, ERRNO(EPERM)},
		{"fchmod", {3, 0644}, ALLOW},
		{"fchmodat", {3, 0, 04755}, ERRNO(EPERM)},
		{"fchmodat", {3, 0, 0755}, ALLOW},
		{"fchmodat2", {3, 0, 04755}, ERRNO(EPERM)},
		{"fchmodat2", {3, 0, 0755}, ALLOW},
		{"creat", {0, 04755}, ERRNO(EPERM)},
		{"creat", {0, 0644}, ALLOW},
		{"mknod", {0, 0104755}, ERRNO(EPERM)},
		{"mknod", {0, 0100755}, ALLOW},
		{"mknodat", {3, 0, 0102755}, ERRNO(EPERM)},
		{"mknodat", {3, 0, 0100755}, ALLOW},
		{"open", {0, O_CREAT, 04755}, ERRNO(EPERM)},
		{"open", {0, O_CREAT, 0644}, ALLOW},
		{"open",
		 {0, O_RDONLY, 04755},
		 ALLOW}, /* the mode is not read: whatever was there */
		{"openat", {3, 0, O_CREAT | O_EXCL | O_WRONLY, 02755}, ERRNO(EPERM)},
		{"openat", {3, 0, O_TMPFILE | O_RDWR, 04755}, ERRNO(EPERM)},
		{"openat", {3, 0, HIGH | O_CREAT, 04755}, ERRNO(EPERM)},
		{"openat", {3, 0, O_DIRECTORY, 04755}, ALLOW},
		{"openat", {3, 0, O_CREAT, 0755}, ALLOW},
		{"openat2", {0}, ERRNO(ENOSYS)},
		{"io_uring_setup", {0}, ERRNO(EPERM)}, /* refused before */
		{"mkdir", {0, 06755}, ALLOW},          /* the kernel masks these itself */
	};
	struct program program;

	(void)state;
	program_init(&program, "cordon: 1\nextends: default\nvolumes: ['./out:/out:rw']\n");
	assert_true(program.fixture.spec.seccomp.denies_setid_bits);
	CHECK(&program, rows);
	program_release(&program);

	/* The same where the host has a file at descriptors 0 to 2. */
	fixture_init(&program.fixture);
	program.fixture.host.stdio_is_file = true;
	program_make(&program, NULL);
	assert_true(program.fixture.spec.seccomp.denies_setid_bits);
	CHECK(&program, rows);
	program_release(&program);

	/* The positive control: the same profile with the bind read-only, and no such file. */
	program_init(&program, "cordon: 1\nextends: default\nvolumes: ['./out:/out:ro']\n");
	assert_false(program.fixture.spec.seccomp.denies_setid_bits);
	{
		static const struct row open_rows[] = {{"chmod", {0, 04755}, ALLOW},
						       {"openat2", {0}, ALLOW}};

		CHECK(&program, open_rows);
	}
	program_release(&program);
}

/* Conditions of every kind, on 64-bit arguments too, first match, and all actions. */
static void conditions(void **state)
{
	static const struct row rows[] = {
		/* mmap's protection is a long: high bits count. */
		{"mmap", {0, 0, 7}, KILL},
		{"mmap", {0, 0, HIGH | 7}, ALLOW},
		{"mmap", {0, 0, 3}, ALLOW},
		{"mmap", {0, 0, 0x500000001}, SECCOMP_RET_TRAP},
		{"mmap", {0, 0, 0x600000001}, ALLOW},
		{"mprotect", {0, 0, 4}, ERRNO(EACCES)},
		{"mprotect", {0, 0, 5}, ERRNO(EACCES)},
		{"mprotect", {0, 0, 0xf000000000000004}, ERRNO(EACCES)},
		{"mprotect", {0, 0, 3}, ALLOW},
		{"madvise", {0, 0, 12}, ERRNO(EINVAL)},
		{"madvise", {0, 0, 13}, ALLOW},
		{"kill", {1, 9}, ERRNO(1)}, /* the first rule */
		{"kill", {1, 15}, ERRNO(2)},
		{"kill", {2, 15}, ALLOW},
		{"getpid", {0}, SECCOMP_RET_LOG}, /* the default */
		{"getppid", {0}, KILL},
		{"execve", {0}, ALLOW},
	};
	struct program program;

	(void)state;
	program_init(&program,
		     "cordon: 1\nseccomp:\n  default: log\n  unknown: kill\n"
		     "  allow: [mmap, mprotect, madvise, kill, execve]\n  deny:\n"
		     "  - {call: mmap, args: {2: {eq: 7}}, action: kill}\n"
		     "  - {call: mmap, args: {2: {in: [0x500000001, 9]}}, action: trap}\n"
		     "  - {call: mprotect, args: {2: {masked: {mask: PROT_EXEC, ne: 0}}}, "
		     "action: errno(EACCES)}\n"
		     "  - {call: madvise, args: {2: {masked: {mask: 15, eq: 12}}}, "
		     "action: errno(EINVAL)}\n"
		     "  - {call: kill, args: {0: {eq: 1}, 1: {eq: 9}}, action: errno(1)}\n"
		     "  - {call: kill, args: {0: {eq: 1}}, action: errno(2)}\n"
		     "  - {call: getppid, action: kill}\n");
	CHECK(&program, rows);
	program_release(&program);
}

/* Without an allow list at all the launcher's last calls still get through. */
static void own_calls(void **state)
{
	struct program program;

	(void)state;
	program_init(&program, "cordon: 1\nseccomp: {default: kill, unknown: kill, allow: []}\n");
	for (const char *const *name = policy_seccomp_always_admitted(); *name != NULL; name++) {
		struct row row = {*name, {0}, ALLOW};

		check_rows(&program, &row, 1);
	}
	{
		struct row row = {"read", {0}, KILL};

		check_rows(&program, &row, 1);
	}
	program_release(&program);
}

/* A block longer than a conditional jump reaches. */
static void long_jumps(void **state)
{
	static char text[16384];
	size_t len = str_format(text, sizeof(text),
				"cordon: 1\nseccomp:\n  default: errno(EPERM)\n  allow: [kill]\n"
				"  deny:\n");
	struct program program;
	struct row rows[] = {
		{"kill", {0, 8000}, ERRNO(20)}, {"kill", {0, 8001}, ALLOW},
		{"kill", {0, 59}, ERRNO(1)},    {"kill", {0, 60}, ERRNO(2)},
		{"kill", {0, 1199}, ERRNO(20)}, {"read", {0}, ERRNO(EPERM)},
		{"exit_group", {0}, ALLOW},
	};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		len += str_format(text + len, sizeof(text) - len,
				  "  - {call: kill, action: errno(%u), args: {1: {in: [", i + 1);
		for (unsigned j = 0; j < 60; j++)
			len += str_format(text + len, sizeof(text) - len, "%u,", i * 60 + j);
		len += str_format(text + len, sizeof(text) - len, "%u]}}}\n",
				  i == 19 ? 8000 : 9000);
	}
	/* Value 60 belongs to the second rule, 59 to the first. */
	program_init(&program, text);
	assert_true(program.n > 1000);
	CHECK(&program, rows);
	program_release(&program);
}

static void too_long(void **state)
{
	static uint64_t values[5000];
	static const struct spec_action allow = {.kind = ACT_ALLOW};
	struct spec_cond cond = {.arg = 0, .op = COND_IN, .values = values, .n_values = 5000};
	struct spec_call_rule rule = {.conds = &cond, .n_conds = 1, .action = allow};
	struct spec_call call = {.name = "read",
				 .number = syscalls_number("read"),
				 .rules = &rule,
				 .n_rules = 1};
	struct spec_seccomp seccomp = {.calls = &call, .n_calls = 1};
	struct err err;
	void *program;
	size_t n;

	(void)state;
	seccomp.default_action = (struct spec_action){.kind = ACT_KILL};
	assert_int_equal(policy_seccomp_compile(&seccomp, &program, &n, &err), -E2BIG);
}

static void assembler_refuses_loops(void **state)
{
	struct bpf_program program = {0};
	struct sock_filter *filter;
	size_t label = bpf_label(&program);
	size_t n;

	(void)state;
	bpf_place(&program, label);
	bpf_return(&program, ALLOW);
	bpf_jump(&program, BPF_GOTO, 0, 0, label);
	assert_int_equal(bpf_assemble(&program, &filter, &n), -EINVAL);
	bpf_release(&program);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_profile),
		cmocka_unit_test(foreign_and_unknown),
		cmocka_unit_test(every_number),
		cmocka_unit_test(setid_bits),
		cmocka_unit_test(conditions),
		cmocka_unit_test(own_calls),
		cmocka_unit_test(long_jumps),
		cmocka_unit_test(too_long),
		cmocka_unit_test(assembler_refuses_loops),
	};

	return cmocka_run_group_tests_name("policy/compile", tests, NULL, NULL);
}
