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
#include "policy/arch.h"
#include "policy/forms.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"

#define ALLOW    SECCOMP_RET_ALLOW
#define KILL     SECCOMP_RET_KILL_PROCESS
#define ERRNO(e) (SECCOMP_RET_ERRNO | (e))
#define BOTH     "[native, " POLICY_SECOND_NAME "]"
#define WAIVED   "waive: {\"seccomp.architecture:" POLICY_SECOND_NAME "\": why}\n"
#define N(array) (sizeof(array) / sizeof((array)[0]))

static const char base_text[] =
	"cordon: 1\nextends: default\n" WAIVED "seccomp: {architectures: " BOTH "}\n";

struct row {
	const char *call;
	uint32_t args[4]; /* of 32 bits, as the registers are */
	uint32_t verdict;
};

struct program {
	struct policy_fixture fixture;
	void *filter;
	size_t n;
};

static void program_make(struct program *program, const char *text)
{
	struct policy_fixture *fixture = &program->fixture;

	if (fixture_resolve(fixture, text) != 0)
		fail_msg("%s", fixture->err.text);
	if (policy_seccomp_compile(&fixture->spec.seccomp, &program->filter, &program->n,
				   &fixture->err) != 0)
		fail_msg("%s", fixture->err.text);
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

static uint32_t verdict_of(const struct program *program, uint32_t arch, int number,
			   const uint32_t *args)
{
	struct seccomp_data data = {.arch = arch, .nr = number};

	for (size_t i = 0; args != NULL && i < 4; i++)
		data.args[i] = args[i];
	return bpf_sim_run(program->filter, program->n, &data);
}

static int second_number(const char *name)
{
	int32_t place = syscalls_number_on(ABI_SECOND, name);

	if (place < 0)
		fail_msg("%s is no call of " POLICY_SECOND_NAME, name);
	return syscalls_kernel_number(ABI_SECOND, place);
}

static void check_rows(const struct program *program, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t got = verdict_of(program, POLICY_SECOND_AUDIT_ARCH,
					  second_number(rows[i].call), rows[i].args);

		if (got != rows[i].verdict)
			fail_msg("row %zu, %s: %x instead of %x", i, rows[i].call, got,
				 rows[i].verdict);
	}
}

#define CHECK(program, rows) check_rows(program, rows, N(rows))

/* Resolves and compiles the text, and runs the rows. */
static void check_policy(const char *text, const struct row *rows, size_t n)
{
	struct program program;

	program_init(&program, text);
	check_rows(&program, rows, n);
	program_release(&program);
}

#define POLICY(text, ...)                                        \
	do {                                                     \
		static const struct row rows_[] = {__VA_ARGS__}; \
		check_policy(text, rows_, N(rows_));             \
	} while (0)

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
		for (const char *form;
		     (form = forms_next(syscalls_name(number), &next)) != NULL;)
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
	program_init(&program, base_text);
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
	program_init(&program, base_text);
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
		"cordon: 1\nextends: default\n" WAIVED,
		"cordon: 1\nextends: /p/both.yaml\nseccomp: {architectures: [native]}\n",
		"cordon: 1\nextends: default\nseccomp: {+architectures: [native]}\n",
	};

	(void)state;
	for (size_t i = 0; i < N(texts); i++) {
		struct program program;

		fixture_init(&program.fixture);
		fixture_profile(&program.fixture, "/p/both.yaml", base_text);
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
	program_init(&both, base_text);
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
	(void)state;
	POLICY("cordon: 1\nseccomp: {default: kill, unknown: kill, architectures: " BOTH
	       ", allow: [read]}\n",
	       {"read", {0}, ALLOW}, {"execve", {0}, KILL}, {"write", {0}, KILL},
	       {"exit_group", {0}, KILL});
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
	program_make(&program, base_text);
	CHECK(&program, rows);
	program_release(&program);
	program_init(&program, base_text);
	CHECK(&program, open_rows);
	program_release(&program);
}

/* ---- refusals by name ---- */

#define DENY(entries)                                                                     \
	"cordon: 1\nextends: default\n" WAIVED "seccomp: {architectures: " BOTH ", deny: [" \
	entries "]}\n"

static void other_forms_are_refused(void **state)
{
	(void)state;
	POLICY(DENY("setuid, fcntl, mmap, futex"), {"setuid", {0}, ERRNO(EPERM)},
	       {"setuid32", {0}, ERRNO(EPERM)}, {"setgid32", {0}, ALLOW},
	       {"fcntl64", {0}, ERRNO(EPERM)}, {"mmap2", {0}, ERRNO(EPERM)},
	       {"futex_time64", {0}, ERRNO(EPERM)}, {"clock_gettime64", {0}, ALLOW});
	POLICY(DENY("{call: \"@chown\", action: kill}"), {"chown32", {0}, KILL},
	       {"fchown32", {0}, KILL}, {"lchown", {0}, KILL}, {"chmod", {0}, ALLOW});
	/* The name of the form is about nothing else. */
	POLICY(DENY("setuid32"), {"setuid32", {0}, ERRNO(EPERM)}, {"setuid", {0}, ALLOW});
	/* An allow list names each. */
	POLICY("cordon: 1\nseccomp: {default: errno(EPERM), architectures: " BOTH
	       ", allow: [setuid, exit]}\n",
	       {"setuid", {0}, ALLOW}, {"setuid32", {0}, ERRNO(EPERM)}, {"exit", {0}, ALLOW});
#if POLICY_IS_X86_64
	POLICY(DENY("chown, umount2, wait4, nanosleep"), {"chown32", {0}, ERRNO(EPERM)},
	       {"waitpid", {0}, ERRNO(EPERM)}, {"umount", {0}, ERRNO(EPERM)});
	POLICY("cordon: 1\nseccomp: {default: allow, architectures: " BOTH
	       ", deny: [umount2, settimeofday]}\n",
	       {"umount", {0}, ERRNO(EPERM)}, {"stime", {0}, ERRNO(EPERM)}, {"mount", {0}, ALLOW});
#else
	POLICY(DENY("fchownat, openat"), {"chown", {0}, ERRNO(EPERM)},
	       {"chown32", {0}, ERRNO(EPERM)}, {"open", {0}, ERRNO(EPERM)},
	       {"creat", {0}, ERRNO(EPERM)}, {"chmod", {0}, ALLOW});
#endif
}

static void conditions(void **state)
{
	(void)state;
	/* The same arguments: the same comparison, also in another form. */
	POLICY(DENY("{call: fcntl, args: {1: {eq: 9}}, action: errno(EACCES)}"),
	       {"fcntl", {3, 9}, ERRNO(EACCES)}, {"fcntl64", {3, 9}, ERRNO(EACCES)},
	       {"fcntl64", {3, 8}, ALLOW});
	POLICY(DENY("{call: mmap, args: {2: {masked: {mask: PROT_EXEC, ne: 0}}}, action: "
		    "errno(EACCES)}"),
	       {"mmap2", {0, 0, 4}, ERRNO(EACCES)}, {"mmap2", {0, 0, 3}, ALLOW});
#if POLICY_IS_X86_64
	/* From memory: not to be known. */
	POLICY(DENY("{call: mmap, args: {2: {masked: {mask: PROT_EXEC, ne: 0}}}}"),
	       {"mmap", {0}, ERRNO(ENOSYS)});
#endif
	/* Ids of 16 bits could have any others above them. */
	POLICY(DENY("{call: fchown, args: {1: {eq: 0}}, action: errno(EACCES)}"),
	       {"fchown", {3, 5}, ERRNO(ENOSYS)}, {"fchown32", {3, 5}, ALLOW},
	       {"fchown32", {3, 0}, ERRNO(EACCES)});
	POLICY(DENY("{call: lseek, args: {2: {eq: 2}}}"), {"lseek", {3, 0, 2}, ERRNO(EPERM)},
	       {"lseek", {3, 0, 1}, ALLOW}, {"_llseek", {3, 0, 0, 0}, ERRNO(ENOSYS)});
	/* What cannot be compared is not permitted. */
	POLICY("cordon: 1\nseccomp: {default: errno(EPERM), architectures: " BOTH
	       ", allow: [{call: fchown, args: {1: {eq: 0}}}, {call: fchmod, args: {1: {eq: "
	       "0}}}]}\n",
	       {"fchown", {3, 0}, ERRNO(EPERM)}, {"fchmod", {3, 0}, ALLOW},
	       {"fchmod", {3, 1}, ERRNO(EPERM)});
	/* 64 bits that have 32 here; a refusal of all that is refused more strictly stays. */
	POLICY(DENY("{call: mprotect, args: {2: {masked: {mask: 0xfffffffffffffff8, ne: 0}}}}, "
		    "{call: madvise, args: {1: {above: 4096}}}"),
	       {"mprotect", {0, 0, 7}, ALLOW}, {"mprotect", {0, 0, 8}, ERRNO(EPERM)},
	       {"madvise", {0, 4096}, ALLOW}, {"madvise", {0, 4097}, ERRNO(EPERM)},
	       {"madvise", {0, 0xffffffff}, ERRNO(EPERM)});
}

/* A program of 64 bits that makes the call by int 0x80 shows the filter 64 bits of its registers, and
 * the kernel takes 32 of them. */
static void high_halves(void **state)
{
	static const struct {
		const char *call;
		uint64_t args[3];
		uint32_t verdict;
	} rows[] = {
		{"mprotect", {0, 0, 7}, ERRNO(EACCES)},
		{"mprotect", {0, 0, 0x100000007}, ERRNO(EACCES)},
		{"mprotect", {0, 0, 0xffffffff00000007}, ERRNO(EACCES)},
		{"mprotect", {0, 0, 0x100000003}, ALLOW},
		{"mmap2", {0, 0, 0x100000004}, ERRNO(EPERM)},
		{"mmap2", {0, 0, 0xffffffff00000003}, ALLOW},
		{"madvise", {0, 0x100001001}, ERRNO(EPERM)},
		{"madvise", {0, 0xffffffff00000fff}, ALLOW},
		{"mremap", {0, 0, 0x100000005}, ERRNO(EPERM)},
		{"mremap", {0, 0, 0x100000003}, ALLOW},
		{"ioctl", {0, 0x100000000 | TIOCSTI}, ERRNO(EPERM)},
		/* A pointer, of which the kernel takes NULL. */
		{"prlimit64", {0, RLIMIT_CORE, 0x100000000}, ALLOW},
		{"prlimit64", {0, RLIMIT_CORE, 0x100001000}, ERRNO(0)},
#if POLICY_IS_X86_64
		{"socketcall", {0x100000001}, ERRNO(ENOSYS)},
		{"socketcall", {0xffffffff00000001}, ERRNO(ENOSYS)},
#endif
	};
	struct program program;

	(void)state;
	program_init(&program,
		     DENY("{call: mprotect, args: {2: {eq: 7}}, action: errno(EACCES)}, {call: mmap, "
			  "args: {2: {masked: {mask: PROT_EXEC, ne: 0}}}}, {call: madvise, args: {1: "
			  "{above: 4096}}}, {call: mremap, args: {2: {not_in: [3]}}}"));
	for (size_t i = 0; i < N(rows); i++) {
		struct seccomp_data data = {.arch = POLICY_SECOND_AUDIT_ARCH,
					    .nr = second_number(rows[i].call)};
		uint32_t got;

		memcpy(data.args, rows[i].args, sizeof(rows[i].args));
		got = bpf_sim_run(program.filter, program.n, &data);
		if (got != rows[i].verdict)
			fail_msg("row %zu, %s: %x", i, rows[i].call, got);
	}
	program_release(&program);
}

#if POLICY_IS_X86_64
static void multiplexers(void **state)
{
	(void)state;
	POLICY(DENY("{call: connect, action: errno(EACCES)}, {call: accept, action: kill}, sendto, "
		    "msgget, {call: semop, action: errno(EIO)}"),
	       {"connect", {0}, ERRNO(EACCES)}, {"socketcall", {3}, ERRNO(EACCES)},
	       {"socketcall", {5}, KILL}, {"socketcall", {18}, ALLOW},
	       {"socketcall", {11}, ERRNO(EPERM)}, {"socketcall", {9}, ERRNO(EPERM)},
	       {"socketcall", {10}, ALLOW}, {"socketcall", {2}, ALLOW}, {"msgget", {0}, ERRNO(EPERM)},
	       {"ipc", {13}, ERRNO(EPERM)}, {"ipc", {0x1000d}, ERRNO(EPERM)}, {"ipc", {1}, ERRNO(EIO)},
	       {"ipc", {0xffff0001}, ERRNO(EIO)}, {"ipc", {14}, ALLOW});
	/* Arguments of a part. */
	POLICY(DENY("{call: shmget, args: {2: {masked: {mask: 1, ne: 0}}}, action: kill}"),
	       {"ipc", {23}, ERRNO(ENOSYS)}, {"ipc", {0x20017}, ERRNO(ENOSYS)},
	       {"ipc", {24}, ALLOW}, {"shmget", {0, 0, 1}, KILL}, {"shmget", {0}, ALLOW});
	/* Refused as a whole it stays that. */
	POLICY(DENY("{call: socketcall, action: errno(EACCES)}, {call: ipc, action: kill}, msgget"),
	       {"socketcall", {2}, ERRNO(EACCES)}, {"ipc", {13}, KILL});
	/* Alone in an allow list it permits none of its parts. */
	POLICY("cordon: 1\nseccomp: {default: errno(EPERM), architectures: " BOTH
	       ", allow: [socketcall, connect]}\n",
	       {"socketcall", {3}, ALLOW}, {"socketcall", {2}, ERRNO(EPERM)},
	       {"socketcall", {9}, ERRNO(EPERM)}, {"socketcall", {18}, ERRNO(EPERM)});
	/* A part that is logged. */
	POLICY("cordon: 1\nseccomp: {default: log, architectures: " BOTH
	       ", allow: [socketcall, connect]}\n",
	       {"socketcall", {3}, ALLOW}, {"socketcall", {2}, SECCOMP_RET_LOG});
}
#else
static void multiplexers(void **state)
{
	(void)state;
	assert_null(forms_parts()->call);
	POLICY(DENY("sendto"), {"sendto", {0}, ERRNO(EPERM)}, {"send", {0}, ERRNO(EPERM)},
	       {"recv", {0}, ALLOW});
}
#endif

/* ---- a Docker file ---- */

static void docker_file(void **state)
{
	static const char json[] =
		"{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"architectures\": [\"SCMP_ARCH_X86_64\"],"
		"\"syscalls\": ["
		"{\"names\": [\"read\", \"mmap2\", \"socketcall\", \"connect\"], \"action\": "
		"\"SCMP_ACT_ALLOW\"},"
		"{\"names\": [\"fchown\", \"fchmod\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": "
		"[{\"index\": 1, \"value\": 0, \"op\": \"SCMP_CMP_EQ\"}]},"
		"{\"names\": [\"mmap\", \"setuid\"], \"action\": \"SCMP_ACT_KILL\"},"
		"{\"names\": [\"fcntl64\", \"lseek\", \"_llseek\", \"setuid32\"], \"action\": "
		"\"SCMP_ACT_ALLOW\"},"
		"{\"names\": [\"lseek\"], \"action\": \"SCMP_ACT_KILL\", \"args\": [{\"index\": 2, "
		"\"value\": 2, \"op\": \"SCMP_CMP_EQ\"}]}]}";
	static const struct row rows[] = {
		{"read", {0}, ALLOW},
		{"fchmod", {3, 0}, ALLOW},
		{"fchmod", {3, 1}, ERRNO(EPERM)},
		{"fchown", {3, 0}, ERRNO(EPERM)},
		{"mmap2", {0}, KILL},
		{"setuid32", {0}, KILL},
		{"fcntl64", {0}, ALLOW},
		{"lseek", {3, 0, 1}, ALLOW},
		{"lseek", {3, 0, 2}, KILL},
		{"_llseek", {0}, ERRNO(ENOSYS)},
#if POLICY_IS_X86_64
		{"socketcall", {3}, ALLOW},
		{"socketcall", {1}, ERRNO(EPERM)},
#endif
	};
	struct program program;

	(void)state;
	fixture_init(&program.fixture);
	fixture_profile(&program.fixture, "/ward/project/d.json", json);
	program_make(&program, "cordon: 1\nseccomp: {docker_profile: d.json, architectures: " BOTH
			       "}\n");
	CHECK(&program, rows);
	/* The file is read once, and stands once in the report. */
	assert_int_equal(program.fixture.spec.provenance.n_profiles, 2);
	program_release(&program);

	/* What it says of architectures permits nothing. */
	fixture_init(&program.fixture);
	fixture_profile(&program.fixture, "/ward/project/d.json", json);
	program_make(&program, "cordon: 1\nseccomp: {docker_profile: d.json}\n");
	assert_int_equal(verdict_of(&program, POLICY_SECOND_AUDIT_ARCH, 3, NULL), KILL);
	program_release(&program);
}

/* ---- what is told ---- */

struct mistake {
	const char *text;
	const char *rule;
	const char *hint; /* a part of it */
	size_t n;
};

static void mistakes(void **state)
{
	static const struct mistake rows[] = {
		{"cordon: 1\nextends: default\nseccomp: {architectures: " BOTH "}\n", "weaker",
		 "seccomp.architecture:" POLICY_SECOND_NAME, 1},
		{"cordon: 1\nextends: default\nseccomp: {+architectures: [" POLICY_SECOND_NAME
		 "]}\n",
		 "weaker", "seccomp.architecture:" POLICY_SECOND_NAME, 1},
		{"cordon: 1\nextends: default\n" WAIVED
		 "seccomp: {architectures: [" POLICY_SECOND_NAME "]}\n",
		 "impossible", "", 1},
		{"cordon: 1\nseccomp: {architectures: [native, x32], allow: []}\n", "not-enforced",
		 "", 1},
		{"cordon: 1\nseccomp: {architectures: [native, mips], allow: []}\n", "bad-value",
		 "", 1},
		{"cordon: 1\nextends: default\nwaive: {\"seccomp.architecture:mips\": why}\n",
		 "bad-value", "", 1},
		{"cordon: 1\nextends: default\nwaive: {\"seccomp.architecture:native\": why}\n",
		 "bad-value", "", 1},
		/* A value that no register has. Natively there is nothing wrong with it. */
		{DENY("{call: mprotect, args: {2: {eq: 0x500000001}}}"), "argument-width", "", 1},
		{DENY("{call: lseek, args: {1: {not_in: [0, 0xffffffffffffffff]}}}"),
		 "argument-width", "", 1},
		{DENY("{call: lseek, args: {1: {above: 0xffffffff}}}"), "argument-width", "", 1},
		/* Told once, although it is wrong on both. */
		{DENY("no_such_call"), "unknown-call", "", 1},
		{"cordon: 1\nextends: default\n" WAIVED "seccomp: {architectures: " BOTH
		 ", allow: [vm86, read]}\n",
#if POLICY_IS_X86_64
		 "weaker", "seccomp.call:vm86", 1},
#else
		 NULL, "", 0},
#endif
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct policy_fixture fixture;
		const struct policy_problem *problem;
		int r;

		fixture_init(&fixture);
		r = fixture_resolve(&fixture, rows[i].text);
		if (fixture.problems.n != rows[i].n)
			fail_msg("row %zu: %zu problems, %s", i, fixture.problems.n,
				 fixture.err.text);
		assert_int_equal(r < 0, rows[i].n > 0);
		problem = rows[i].n > 0 ? fixture_problem(&fixture, rows[i].rule) : NULL;
		if (rows[i].n > 0 &&
		    (problem == NULL || strstr(problem->hint, rows[i].hint) == NULL))
			fail_msg("row %zu: %s", i, fixture.err.text);
		fixture_release(&fixture);
	}
	/* The same condition where only native calls are answered. */
	POLICY("cordon: 1\nextends: default\nseccomp: {deny: [{call: mprotect, args: {2: {eq: "
	       "0x500000001}}}]}\n",
	       {"read", {0}, KILL});
}

/* An entry that does nothing natively may be there for the other architecture. */
static void warnings(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
		{"cordon: 1\nseccomp: {default: errno(EPERM), allow: [read, setuid32]}\n", 1},
		{"cordon: 1\nseccomp: {default: errno(EPERM), architectures: " BOTH
		 ", allow: [read, setuid32]}\n",
		 0},
		{"cordon: 1\nseccomp: {default: errno(EPERM), architectures: " BOTH
		 ", allow: [read, read, setuid32]}\n",
		 1},
		/* Another machine's. */
		{"cordon: 1\nseccomp: {default: errno(EPERM), architectures: [native, x86, arm], "
		 "allow: [read]}\n",
		 1},
	};

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		struct policy_fixture fixture;

		fixture_init(&fixture);
		assert_int_equal(fixture_resolve(&fixture, rows[i].text), 0);
		if (fixture.spec.provenance.n_warnings != rows[i].n)
			fail_msg("row %zu: %zu warnings", i, fixture.spec.provenance.n_warnings);
		fixture_release(&fixture);
	}
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
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(conditions),
		cmocka_unit_test(high_halves),
		cmocka_unit_test(multiplexers),
		cmocka_unit_test(docker_file),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests_name("policy/second, " POLICY_SECOND_NAME, tests, NULL, NULL);
}
