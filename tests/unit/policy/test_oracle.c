/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/seccomp.c against libseccomp: for every call that has one answer, our program and the one
 * that libseccomp makes from the same list say the same, on the native architecture, on the second
 * one where it is listed, and on others. libseccomp gets names, and has its own numbers for them.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/arch.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"
#include "tests/lib/verdict_rows.h"

enum { PROGRAM_MAX = 4096 };

static uint32_t action_of(struct spec_action action)
{
	switch (action.kind) {
	case ACT_ALLOW:
		return SCMP_ACT_ALLOW;
	case ACT_ERRNO:
		return SCMP_ACT_ERRNO(action.errno_value);
	case ACT_KILL:
		return SCMP_ACT_KILL_PROCESS;
	case ACT_TRAP:
		return SCMP_ACT_TRAP;
	case ACT_LOG:
		return SCMP_ACT_LOG;
	}
	return SCMP_ACT_KILL_PROCESS;
}

/* libseccomp's program for the calls without rules. Returns its length. */
static size_t theirs(const struct spec_seccomp *seccomp, struct sock_filter *program)
{
	uint32_t otherwise = action_of(seccomp->default_action);
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int fd = memfd_create("oracle", MFD_CLOEXEC);
	ssize_t size;

	assert_non_null(ctx);
	assert_true(fd >= 0);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	for (size_t i = 0; i < seccomp->n_calls; i++) {
		const struct spec_call *call = &seccomp->calls[i];

		if (call->n_rules == 0 && action_of(call->otherwise) != otherwise)
			assert_int_equal(seccomp_rule_add_exact(ctx, action_of(call->otherwise),
								call->number, 0),
					 0);
	}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	size = pread(fd, program, PROGRAM_MAX * sizeof(*program), 0);
	assert_true(size > 0);
	close(fd);
	seccomp_release(ctx);
	return (size_t)size / sizeof(*program);
}

static bool has_rules(const struct spec_seccomp *seccomp, int32_t number)
{
	for (size_t i = 0; i < seccomp->n_calls; i++)
		if (seccomp->calls[i].number == number)
			return seccomp->calls[i].n_rules > 0;
	return false;
}

static void compare(const char *profile)
{
	static struct sock_filter their_program[PROGRAM_MAX];
	struct policy_fixture fixture;
	const struct spec_seccomp *seccomp = &fixture.spec.seccomp;
	size_t n_theirs, n_ours, n_compared = 0;
	void *our_program;
	struct err err;

	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, profile), 0);
	n_theirs = theirs(seccomp, their_program);
	assert_int_equal(policy_seccomp_compile(seccomp, &our_program, &n_ours, &err), 0);
	for (int32_t number = 0; number < SYSCALLS_END; number++) {
		struct seccomp_data data = {.arch = NATIVE, .nr = number};

		if (!syscalls_is_known(number) || has_rules(seccomp, number))
			continue;
		n_compared++;
		if (bpf_sim_run(our_program, n_ours, &data) !=
		    bpf_sim_run(their_program, n_theirs, &data))
			fail_msg("call %d", number);
		data.arch = FOREIGN;
		assert_int_equal(bpf_sim_run(our_program, n_ours, &data),
				 bpf_sim_run(their_program, n_theirs, &data));
	}
	assert_true(n_compared > 300);
	free(our_program);
	fixture_release(&fixture);
}

static void default_profile(void **state)
{
	(void)state;
	compare(NULL);
}

static void own_profile(void **state)
{
	(void)state;
	compare("cordon: 1\n"
		"seccomp:\n"
		"  default: kill\n"
		"  unknown: errno(ENOSYS)\n"
		"  allow: ['@basic-io', '@process', getpid]\n"
		"  deny: [{call: getppid, action: errno(EPIPE)}]\n");
}

/* ---- two architectures ---- */

#define SECOND_ARCH (POLICY_IS_X86_64 ? SCMP_ARCH_X86 : SCMP_ARCH_ARM)

/* Which names have answers that both programs are asked for. */
struct names {
	bool is_skipped[SYSCALLS_END]; /* by number of the second architecture */
	size_t n_compared;
};

static const struct spec_call *entry_of(const struct spec_call *calls, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}

static uint32_t answer_of(const struct spec_seccomp *seccomp, const struct spec_call *entry)
{
	return action_of(entry != NULL ? entry->otherwise : seccomp->default_action);
}

/* A rule by name holds on both architectures: a name that is answered differently there, or by
 * arguments, is left out, and so are those that libseccomp does not know. What is many calls in one
 * it makes rules for that look into it. */
static bool is_comparable(const struct spec_seccomp *seccomp, const char *name)
{
	const struct spec_call *native = entry_of(seccomp->calls, seccomp->n_calls, name);
	const struct spec_call *second = entry_of(seccomp->second.calls, seccomp->second.n, name);

	return (native == NULL || native->n_rules == 0) &&
	       (second == NULL || second->n_rules == 0) &&
	       (syscalls_number(name) < 0 ||
		answer_of(seccomp, native) == answer_of(seccomp, second)) &&
	       strcmp(name, "socketcall") != 0 && strcmp(name, "ipc") != 0 &&
	       seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

static size_t theirs_of_both(const struct spec_seccomp *seccomp, struct names *names,
			     struct sock_filter *program)
{
	uint32_t otherwise = action_of(seccomp->default_action);
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	int fd = memfd_create("oracle", MFD_CLOEXEC);
	ssize_t size;

	assert_non_null(ctx);
	assert_true(fd >= 0);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), 0);
	assert_int_equal(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), 0);
	assert_int_equal(seccomp_arch_add(ctx, SECOND_ARCH), 0);
	for (int32_t number = 0; number < SYSCALLS_PRIVATE; number++) {
		const char *name = syscalls_name_on(ABI_SECOND, number);
		const struct spec_call *entry;

		names->is_skipped[number] = name == NULL || !is_comparable(seccomp, name);
		if (names->is_skipped[number])
			continue;
		entry = entry_of(seccomp->second.calls, seccomp->second.n, name);
		if (answer_of(seccomp, entry) != otherwise)
			assert_int_equal(seccomp_rule_add(ctx, answer_of(seccomp, entry),
							  seccomp_syscall_resolve_name(name), 0),
					 0);
	}
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	size = pread(fd, program, PROGRAM_MAX * sizeof(*program), 0);
	assert_true(size > 0);
	close(fd);
	seccomp_release(ctx);
	return (size_t)size / sizeof(*program);
}

static void compare_both(const char *profile)
{
	static struct sock_filter their_program[PROGRAM_MAX];
	struct policy_fixture fixture;
	struct names names = {.n_compared = 0};
	size_t n_theirs, n_ours;
	void *our_program;
	struct err err;

	fixture_init(&fixture);
	assert_int_equal(fixture_resolve(&fixture, profile), 0);
	n_theirs = theirs_of_both(&fixture.spec.seccomp, &names, their_program);
	assert_int_equal(policy_seccomp_compile(&fixture.spec.seccomp, &our_program, &n_ours, &err),
			 0);
	for (int32_t number = 0; number < SYSCALLS_PRIVATE; number++) {
		struct seccomp_data data = {.arch = FOREIGN, .nr = number};
		int32_t native = number;

		if (names.is_skipped[number])
			continue;
		names.n_compared++;
		if (bpf_sim_run(our_program, n_ours, &data) !=
		    bpf_sim_run(their_program, n_theirs, &data))
			fail_msg("second architecture, call %d", number);
		native = syscalls_number(syscalls_name_on(ABI_SECOND, number));
		data = (struct seccomp_data){.arch = NATIVE, .nr = native};
		if (native >= 0 && bpf_sim_run(our_program, n_ours, &data) !=
					   bpf_sim_run(their_program, n_theirs, &data))
			fail_msg("native call %d", native);
		data.arch = AUDIT_ARCH_PPC;
		assert_int_equal(bpf_sim_run(our_program, n_ours, &data), SECCOMP_RET_KILL_PROCESS);
	}
	assert_true(names.n_compared > 350);
	free(our_program);
	fixture_release(&fixture);
}

#define BOTH "architectures: [native, " POLICY_SECOND_NAME "]"

static void both_architectures(void **state)
{
	(void)state;
	compare_both(
		"cordon: 1\nextends: default\nwaive: {\"seccomp.architecture:" POLICY_SECOND_NAME
		"\": why}\nseccomp: {" BOTH "}\n");
	compare_both("cordon: 1\nseccomp:\n  " BOTH "\n  default: kill\n  unknown: errno(ENOSYS)\n"
		     "  allow: ['@basic-io', '@process', '@default', '@chown', exit_group]\n"
		     "  deny: [{call: getppid, action: errno(EPIPE)}, {call: setuid32, action: "
		     "trap}]\n");
}

/* The second architecture's numbers against the library's. */
static void second_table(void **state)
{
	size_t n_named = 0;

	(void)state;
	for (int32_t number = 0; number < SYSCALLS_PRIVATE; number++) {
		char *theirs_name = seccomp_syscall_resolve_num_arch(SECOND_ARCH, number);

		if (theirs_name == NULL)
			continue;
		assert_non_null(syscalls_name_on(ABI_SECOND, number));
		assert_string_equal(syscalls_name_on(ABI_SECOND, number), theirs_name);
		assert_int_equal(syscalls_number_on(ABI_SECOND, theirs_name), number);
		n_named++;
		free(theirs_name);
	}
	assert_true(n_named > 350);
}

/* The tables of the build against the library itself, in both directions. */
static void table(void **state)
{
	static const char *const foreign[] = {"_newselect", "socketcall", "sync_file_range2"};
	size_t n_named = 0;

	(void)state;
	for (int32_t number = 0; number < SYSCALLS_END; number++) {
		char *theirs_name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
		const char *ours = syscalls_name(number);

		if (theirs_name == NULL)
			continue;
		assert_non_null(ours);
		assert_string_equal(ours, theirs_name);
		assert_int_equal(syscalls_number(theirs_name), number);
		n_named++;
		free(theirs_name);
	}
	assert_true(n_named > 300);
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_int_equal(syscalls_number(foreign[i]), SYSCALLS_FOREIGN);
	assert_int_equal(syscalls_number("no_such_call"), -ENOENT);
	assert_int_not_equal(SYSCALLS_FOREIGN, -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(second_table),
		cmocka_unit_test(both_architectures),
		cmocka_unit_test(default_profile),
		cmocka_unit_test(own_profile),
	};

	return cmocka_run_group_tests_name("policy/oracle", tests, NULL, NULL);
}
