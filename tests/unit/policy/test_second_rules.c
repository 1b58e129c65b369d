/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a policy's entries mean on the second architecture, where calls have other forms and other
 * arguments: refusals, conditions, calls that are many in one, a Docker file; and what is told
 * about mistakes. Built twice, as test_second.c.
 */
#include <errno.h>
#include <linux/ipc.h>
#include <linux/net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/str.h"
#include "policy/forms.h"
#include "tests/lib/second_rows.h"

/* ---- refusals by name ---- */

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

/* A program of 64 bits that makes the call by int 0x80 shows the filter 64 bits of its registers,
 * and the kernel takes 32 of them. */
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
	program_init(
		&program,
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
	       {"socketcall", {10}, ALLOW}, {"socketcall", {2}, ALLOW},
	       {"msgget", {0}, ERRNO(EPERM)}, {"ipc", {13}, ERRNO(EPERM)},
	       {"ipc", {0x1000d}, ERRNO(EPERM)}, {"ipc", {1}, ERRNO(EIO)},
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

/* The numbers of the kernel's headers. */
static const struct {
	const char *multiplexer, *call;
	uint32_t number;
} parts[] = {
	{"socketcall", "socket", SYS_SOCKET},
	{"socketcall", "bind", SYS_BIND},
	{"socketcall", "connect", SYS_CONNECT},
	{"socketcall", "listen", SYS_LISTEN},
	{"socketcall", "accept", SYS_ACCEPT},
	{"socketcall", "getsockname", SYS_GETSOCKNAME},
	{"socketcall", "getpeername", SYS_GETPEERNAME},
	{"socketcall", "socketpair", SYS_SOCKETPAIR},
	{"socketcall", "send", SYS_SEND},
	{"socketcall", "recv", SYS_RECV},
	{"socketcall", "sendto", SYS_SENDTO},
	{"socketcall", "recvfrom", SYS_RECVFROM},
	{"socketcall", "shutdown", SYS_SHUTDOWN},
	{"socketcall", "setsockopt", SYS_SETSOCKOPT},
	{"socketcall", "getsockopt", SYS_GETSOCKOPT},
	{"socketcall", "sendmsg", SYS_SENDMSG},
	{"socketcall", "recvmsg", SYS_RECVMSG},
	{"socketcall", "accept4", SYS_ACCEPT4},
	{"socketcall", "recvmmsg", SYS_RECVMMSG},
	{"socketcall", "sendmmsg", SYS_SENDMMSG},
	{"ipc", "semop", SEMOP},
	{"ipc", "semget", SEMGET},
	{"ipc", "semctl", SEMCTL},
	{"ipc", "semtimedop", SEMTIMEDOP},
	{"ipc", "msgsnd", MSGSND},
	{"ipc", "msgrcv", MSGRCV},
	{"ipc", "msgget", MSGGET},
	{"ipc", "msgctl", MSGCTL},
	{"ipc", "shmat", SHMAT},
	{"ipc", "shmdt", SHMDT},
	{"ipc", "shmget", SHMGET},
	{"ipc", "shmctl", SHMCTL},
};

/* Each part is refused by its own name, and no other with it:
 * but what sendto and recvfrom are refused, send and recv are. */
static void every_part(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(parts); i++) {
		struct program program;
		char text[512];

		str_format(text, sizeof(text),
			   "cordon: 1\nseccomp: {default: allow, architectures: %s, deny: [%s]}\n",
			   BOTH, parts[i].call);
		program_init(&program, text);
		for (size_t j = 0; j < N(parts); j++) {
			bool is_form =
				(parts[i].number == SYS_SENDTO && parts[j].number == SYS_SEND) ||
				(parts[i].number == SYS_RECVFROM && parts[j].number == SYS_RECV);
			struct row row = {parts[j].multiplexer, {parts[j].number}, ALLOW};

			is_form = is_form && str_equal(parts[i].multiplexer, "socketcall") &&
				  str_equal(parts[j].multiplexer, "socketcall");
			if (i == j || is_form)
				row.verdict = ERRNO(EPERM);
			check_rows(&program, &row, 1);
		}
		program_release(&program);
	}
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
	program_make(&program,
		     "cordon: 1\nseccomp: {docker_profile: d.json, architectures: " BOTH "}\n");
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

static void mistakes(void **state){
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
		fail_msg("row %zu: %zu problems, %s", i, fixture.problems.n, fixture.err.text);
	assert_int_equal(r<0, rows[i].n> 0);
	problem = rows[i].n > 0 ? fixture_problem(&fixture, rows[i].rule) : NULL;
	if (rows[i].n > 0 && (problem == NULL || strstr(problem->hint, rows[i].hint) == NULL))
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
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(conditions),
		cmocka_unit_test(high_halves),
		cmocka_unit_test(multiplexers),
#if POLICY_IS_X86_64
		cmocka_unit_test(every_part),
#endif
		cmocka_unit_test(docker_file),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests_name("policy/second rules, " POLICY_SECOND_NAME, tests, NULL,
					   NULL);
}
