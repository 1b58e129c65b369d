/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * policy/seccomp_answer.c, and the program that asks a listener: both say of every call what the
 * ordinary program answers, for arguments around each value that a rule compares with.
 */
#include <errno.h>
#include <linux/audit.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "policy/arch.h"
#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/lib/policy_fixture.h"
#include "tests/lib/verdict_rows.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define HIGH     0x100000000ULL
#define WAIVED   "waive: {\"seccomp.architecture:" POLICY_SECOND_NAME "\": why}\n"
#define BOTH     WAIVED "seccomp: {+architectures: [" POLICY_SECOND_NAME "]}\n"

struct programs {
	struct policy_fixture fixture;
	void *plain, *notifying;
	size_t n_plain, n_notifying;
};

static void programs_init(struct programs *p, const char *text)
{
	const struct spec_seccomp *seccomp = &p->fixture.spec.seccomp;

	fixture_init(&p->fixture);
	p->fixture.request.wants_origins = true;
	if (fixture_resolve(&p->fixture, text) != 0 ||
	    policy_seccomp_compile(seccomp, &p->plain, &p->n_plain, &p->fixture.err) != 0 ||
	    policy_seccomp_compile_notifying(seccomp, &p->notifying, &p->n_notifying,
					     &p->fixture.err) != 0)
		fail_msg("%s", p->fixture.err.text);
}

static void programs_release(struct programs *p)
{
	free(p->plain);
	free(p->notifying);
	fixture_release(&p->fixture);
}

static uint32_t value_of(struct spec_action action)
{
	switch (action.kind) {
	case ACT_ALLOW:
		return SECCOMP_RET_ALLOW;
	case ACT_ERRNO:
		return SECCOMP_RET_ERRNO | action.errno_value;
	case ACT_KILL:
		return SECCOMP_RET_KILL_PROCESS;
	case ACT_TRAP:
		return SECCOMP_RET_TRAP;
	case ACT_LOG:
		return SECCOMP_RET_LOG;
	}
	return 0;
}

static bool makes_a_listener(const struct seccomp_data *data)
{
	int32_t number =
		data->arch == NATIVE ? SYS_seccomp : syscalls_number_on(ABI_SECOND, "seccomp");

	return data->nr == number &&
	       ((uint32_t)data->args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0;
}

static void check(const struct programs *p, const struct seccomp_data *data)
{
	uint64_t args[6];
	uint32_t plain = bpf_sim_run(p->plain, p->n_plain, data);
	uint32_t notifying = bpf_sim_run(p->notifying, p->n_notifying, data);
	uint32_t want = (plain & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO
				? SECCOMP_RET_USER_NOTIF
				: plain;
	struct policy_seccomp_answer answer;

	memcpy(args, data->args, sizeof(args));
	answer = data->arch == NATIVE
			 ? policy_seccomp_answer(&p->fixture.spec.seccomp, data->nr, args)
			 : policy_seccomp_answer_second(&p->fixture.spec.seccomp, data->nr, args);
	if (makes_a_listener(data) && (plain == SECCOMP_RET_ALLOW || plain == SECCOMP_RET_LOG))
		want = SECCOMP_RET_ERRNO | EBUSY;
	if (notifying != want || value_of(answer.action) != plain)
		fail_msg("call %d (%llx, %llx): %x, asks %x, says %x", data->nr,
			 (unsigned long long)args[0], (unsigned long long)args[1], plain, notifying,
			 value_of(answer.action));
	if (plain != SECCOMP_RET_ALLOW)
		assert_non_null(answer.origin.file);
}

/* The call with one argument near to each value that the rules know, and with high bits. */
static void check_around(const struct programs *p, uint32_t arch, const struct spec_call *call)
{
	for (size_t r = 0; r < call->n_rules; r++)
		for (size_t c = 0; c < call->rules[r].n_conds; c++) {
			const struct spec_cond *cond = &call->rules[r].conds[c];

			for (size_t v = 0; v < cond->n_values; v++)
				for (uint64_t i = 0; i < 8; i++) {
					struct seccomp_data data = {.arch = arch,
								    .nr = call->number};

					memset(data.args, i & 4 ? 0xff : 0, sizeof(data.args));
					data.args[cond->arg] =
						(cond->values[v] | (i & 2 ? cond->mask : 0) |
						 (i & 4 ? HIGH : 0)) +
						(i & 1);
					check(p, &data);
				}
		}
}

static const char *const policies[] = {
	NULL,
	"cordon: 1\nextends: default\nvolumes: ['./out:/out:rw']\n",
	"cordon: 1\nextends: default\nseccomp: {deny: [{call: bpf, action: kill}, "
	"{call: getpid, action: trap}, {call: seccomp, args: {0: {eq: 2}}, action: kill}]}\n",
	"cordon: 1\nextends: default\nseccomp: {deny: [{call: seccomp, action: errno(ENOSYS)}]}\n",
	"cordon: 1\nextends: default\nwaive: {\"seccomp.call:socket\": why}\nseccomp: {deny: "
	"[{call: socket, args: {0: {eq: AF_VSOCK}}, action: errno(EACCES)}]}\n",
	"cordon: 1\nseccomp: {default: allow, deny: [{call: mount, action: trap}]}\n",
	"cordon: 1\nseccomp: {default: log, unknown: kill, deny: [{call: mount, action: "
	"errno(EIO)}]}\n",
	"cordon: 1\nseccomp: {default: errno(EPERM), allow: [read, {call: ioctl, args: {1: {in: "
	"[1, "
	"2]}, 0: {eq: 1}}}]}\n",
	"cordon: 1\nextends: default\nseccomp: {deny: [{call: madvise, args: {2: {range: [3, "
	"9]}}}, "
	"{call: kill, args: {1: {above: 15}}, action: errno(ESRCH)}, {call: lseek, args: {1: "
	"{below: "
	"7}}}]}\n",
	"cordon: 1\nseccomp: {default: errno(EPERM), allow: [{call: kill, args: {1: {range: [3, "
	"9]}}}]}\n",
	"cordon: 1\nextends: default\n" BOTH,
	"cordon: 1\nextends: default\nvolumes: ['./out:/out:rw']\n" WAIVED
	"seccomp: {+architectures: [" POLICY_SECOND_NAME
	"], deny: [connect, {call: chown, args: {1: "
	"{eq: 0}}}, {call: madvise, args: {2: {range: [3, 9]}}}, {call: seccomp, args: {0: {eq: "
	"2}}, "
	"action: kill}]}\n",
};

/* Every number, and each argument that a rule looks at. */
static void check_architecture(const struct programs *p, uint32_t arch, struct spec_calls calls)
{
	for (int32_t number = 0; number <= SYSCALLS_END; number++)
		for (uint64_t flags = 0; flags < 64; flags += 7) {
			struct seccomp_data data = {.arch = arch,
						    .nr = number,
						    .args = {1, flags | (flags & 1) * HIGH}};

			check(p, &data);
		}
	for (size_t c = 0; c < calls.n; c++)
		check_around(p, arch, &calls.calls[c]);
}

static void says_what_the_program_answers(void **state)
{
	size_t n_both = 0;

	(void)state;
	for (size_t i = 0; i < N(policies); i++) {
		const struct spec_seccomp *seccomp;
		struct programs p;

		programs_init(&p, policies[i]);
		seccomp = &p.fixture.spec.seccomp;
		check_architecture(&p, NATIVE,
				   (struct spec_calls){.calls = seccomp->calls,
						       .n = seccomp->n_calls});
		/* Killed where it is not listed. */
		check_architecture(&p, FOREIGN, seccomp->second);
		n_both += seccomp->has_second;
		programs_release(&p);
	}
	assert_int_equal(n_both, 2);
}

/* What is killed stays killed, and the launcher's last calls wait for nobody. */
static void asks_nobody_about_the_rest(void **state)
{
	static const int own[] = {SYS_execve, SYS_write, SYS_exit_group};
	struct seccomp_data data = {.arch = FOREIGN, .nr = SYS_seccomp, .args = {1, 8}};
	struct programs p;

	(void)state;
	programs_init(&p, policies[2]);
	assert_int_equal(bpf_sim_run(p.notifying, p.n_notifying, &data), SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0; i < N(own); i++) {
		data = (struct seccomp_data){.arch = NATIVE, .nr = own[i]};
		assert_int_equal(bpf_sim_run(p.notifying, p.n_notifying, &data), SECCOMP_RET_ALLOW);
	}
	/* Killed by the policy, whatever the flags. */
	data = (struct seccomp_data){.arch = NATIVE, .nr = SYS_seccomp, .args = {2, 8}};
	assert_int_equal(bpf_sim_run(p.notifying, p.n_notifying, &data), SECCOMP_RET_KILL_PROCESS);
	programs_release(&p);
}

/* The line that refuses it, and whether a waiver would help. */
static void names_the_line(void **state)
{
	static const char text[] = "cordon: 1\n"
				   "extends: default\n"
				   "volumes: ['./out:/out:rw']\n"
				   "seccomp:\n"
				   "  allow: [\"@sandbox-default\"]\n"
				   "  deny:\n"
				   "    - {call: getpid, action: errno(EACCES)}\n";
	uint64_t none[6] = {0}, vsock[6] = {AF_VSOCK}, setid[6] = {0, 04755};
	const struct spec_seccomp *seccomp;
	struct policy_seccomp_answer answer;
	struct programs p;

	(void)state;
	programs_init(&p, text);
	seccomp = &p.fixture.spec.seccomp;
	answer = policy_seccomp_answer(seccomp, SYS_getpid, none);
	assert_string_equal(answer.call, "getpid");
	assert_string_equal(answer.origin.file, "/ward/project/p.yaml");
	assert_int_equal(answer.origin.line, 7);
	assert_false(answer.is_fixed);
	answer = policy_seccomp_answer(seccomp, SYS_socket, vsock);
	assert_string_equal(answer.origin.file, "profile base");
	assert_non_null(answer.rule);
	assert_int_equal(answer.action.errno_value, EAFNOSUPPORT);
	answer = policy_seccomp_answer(seccomp, SYS_mount, none);
	assert_string_equal(answer.origin.file, "profile base");
	assert_true(answer.origin.line > 0);
	answer = policy_seccomp_answer(seccomp, SYS_fchmod, setid);
	assert_true(answer.is_fixed);
	assert_int_equal(answer.origin.line, 3);
	answer = policy_seccomp_answer(seccomp, SYS_openat2, none);
	assert_true(answer.is_fixed);
	answer = policy_seccomp_answer(seccomp, SYSCALLS_END, none);
	assert_null(answer.call);
	assert_int_equal(answer.action.errno_value, ENOSYS);
	assert_string_equal(answer.origin.file, "profile base");
	programs_release(&p);
}

/* A call that a child's list leaves out has the default's answer, and a line of its own. */
static void names_the_list_that_leaves_out(void **state)
{
	uint64_t none[6] = {0};
	struct policy_seccomp_answer answer;
	struct programs p;

	(void)state;
	programs_init(&p, "cordon: 1\nextends: default\nseccomp:\n  allow: [read]\n");
	answer = policy_seccomp_answer(&p.fixture.spec.seccomp, SYS_getpid, none);
	assert_string_equal(answer.origin.file, "/ward/project/p.yaml");
	assert_int_equal(answer.origin.line, 4);
	programs_release(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_program_answers),
		cmocka_unit_test(asks_nobody_about_the_rest),
		cmocka_unit_test(names_the_line),
		cmocka_unit_test(names_the_list_that_leaves_out),
	};

	return cmocka_run_group_tests_name("policy/answer", tests, NULL, NULL);
}
