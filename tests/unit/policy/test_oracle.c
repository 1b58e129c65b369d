/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/seccomp.c against libseccomp: for every call that has one answer, our program and the one
 * that libseccomp makes from the same list say the same, on the native architecture, on a foreign
 * one and with x32's bit.
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
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

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
		cmocka_unit_test(default_profile),
		cmocka_unit_test(own_profile),
	};

	return cmocka_run_group_tests_name("policy/oracle", tests, NULL, NULL);
}
