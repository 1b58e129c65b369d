/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spec_seccomp to a classic BPF program: policy_seccomp_compile of policy.h.
 *
 * The program kills foreign architectures and x32, then finds the call's number in a balanced tree
 * of ranges, one tree for each architecture that the policy lists: neighbours that get the same
 * answer are one leaf, so some three hundred calls are about a hundred ranges, which is what the
 * kernel loads fastest. A leaf is an answer, or, for a call whose answer depends on its arguments,
 * the comparisons in the order of the policy's rules, 32 or 64 bits wide as the spec says. Numbers
 * that no known call has are ranges like the others. libseccomp gives the names and numbers, and in
 * the tests it is the second opinion. Why it does not make the program:
 * docs/decisions/006-seccomp-program.md.
 *
 * Runs in the keeper, in prepare, with the caller's rights. tests/unit/policy/test_compile.c runs
 * the programs in a simulator.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "policy/arch.h"
#include "policy/bpf.h"
#include "policy/policy.h"
#include "policy/syscalls.h"

enum { X32_BIT = 0x40000000 };

#define OFFSET_ARCH ((uint32_t)offsetof(struct seccomp_data, arch))
#define OFFSET_NR   ((uint32_t)offsetof(struct seccomp_data, nr))
#define LOAD_WORD   (BPF_LD | BPF_W | BPF_ABS)

/*
 * The launcher's last acts run under the filter: execve of the workload, or one write of the error
 * and the end of the process.
 */
static const char *const always_admitted[] = {"execve", "write", "exit_group", NULL};
static const int always_admitted_numbers[] = {POLICY_EXECVE, POLICY_WRITE, POLICY_EXIT_GROUP};

const char *const *policy_seccomp_always_admitted(void)
{
	return always_admitted;
}

bool policy_seccomp_admits_always(int32_t number)
{
	for (size_t i = 0; i < sizeof(always_admitted_numbers) / sizeof(int); i++)
		if (number == always_admitted_numbers[i])
			return true;
	return false;
}

/* What is compiled for one architecture, and how refusals are answered. */
struct answers {
	const struct spec_seccomp *seccomp;
	enum syscalls_abi abi;
	struct spec_calls calls;
	bool notifies; /* a listener answers errno: policy_seccomp_compile_notifying */
	struct spec_call seccomp_call; /* seccomp(2), where the spec has no entry for it */
	bool is_own;                   /* the launcher's last calls are of this architecture */
};

static uint32_t return_value(const struct answers *answers, struct spec_action action)
{
	switch (action.kind) {
	case ACT_ALLOW:
		return SECCOMP_RET_ALLOW;
	case ACT_ERRNO:
		return answers->notifies
			       ? SECCOMP_RET_USER_NOTIF
			       : SECCOMP_RET_ERRNO | (action.errno_value & SECCOMP_RET_DATA);
	case ACT_KILL:
		return SECCOMP_RET_KILL_PROCESS;
	case ACT_TRAP:
		return SECCOMP_RET_TRAP;
	case ACT_LOG:
		return SECCOMP_RET_LOG;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* The low or the high half of an argument; both supported architectures are little-endian. */
static void load_half(struct bpf_program *program, uint32_t arg, bool high)
{
	uint32_t offset = (uint32_t)offsetof(struct seccomp_data, args) + 8 * arg;

	bpf_plain(program, LOAD_WORD, offset + (high ? 4 : 0));
}

/* Goes on where the argument equals value (after masking), to `differs` where it does not. */
static void compare(struct bpf_program *program, const struct spec_cond *cond, uint64_t value,
		    size_t differs)
{
	bool is_masked = cond->op == COND_MASKED_EQ || cond->op == COND_MASKED_NE;

	for (int high = cond->is_32bit ? 0 : 1; high >= 0; high--) {
		int shift = high ? 32 : 0;

		load_half(program, cond->arg, high != 0);
		if (is_masked)
			bpf_plain(program, BPF_ALU | BPF_AND | BPF_K,
				  (uint32_t)(cond->mask >> shift));
		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JEQ, (uint32_t)(value >> shift), differs);
	}
}

/* Goes on where the argument lies in the range, to `outside` where it does not. */
static void put_range(struct bpf_program *program, const struct spec_cond *cond, size_t outside)
{
	uint64_t low = cond->values[0], high = cond->values[1];
	size_t is_above = bpf_label(program);
	size_t is_below = bpf_label(program);

	if (!cond->is_32bit) {
		load_half(program, cond->arg, true);
		bpf_jump(program, BPF_GOTO_IF, BPF_JGT, (uint32_t)(low >> 32), is_above);
		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JEQ, (uint32_t)(low >> 32), outside);
	}
	load_half(program, cond->arg, false);
	bpf_jump(program, BPF_GOTO_UNLESS, BPF_JGE, (uint32_t)low, outside);
	bpf_place(program, is_above);
	if (!cond->is_32bit) {
		load_half(program, cond->arg, true);
		bpf_jump(program, BPF_GOTO_IF, BPF_JGT, (uint32_t)(high >> 32), outside);
		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JEQ, (uint32_t)(high >> 32), is_below);
	}
	load_half(program, cond->arg, false);
	bpf_jump(program, BPF_GOTO_IF, BPF_JGT, (uint32_t)high, outside);
	bpf_place(program, is_below);
}

/* Goes on where one of the values matches (or, of NOT_IN and MASKED_NE, none), else to `fails`. */
static void put_values(struct bpf_program *program, const struct spec_cond *cond, size_t fails)
{
	bool wants_match = cond->op == COND_IN || cond->op == COND_MASKED_EQ;
	size_t holds = bpf_label(program);

	for (size_t i = 0; i < cond->n_values; i++) {
		size_t next = bpf_label(program);

		compare(program, cond, cond->values[i], next);
		bpf_jump(program, BPF_GOTO, 0, 0, wants_match ? holds : fails);
		bpf_place(program, next);
	}
	if (wants_match)
		bpf_jump(program, BPF_GOTO, 0, 0, fails);
	bpf_place(program, holds);
}

/* Goes on where the condition holds, to `fails` where it does not. */
static void put_condition(struct bpf_program *program, const struct spec_cond *cond, size_t fails)
{
	size_t outside;

	switch (cond->op) {
	case COND_IN:
	case COND_NOT_IN:
	case COND_MASKED_EQ:
	case COND_MASKED_NE:
		put_values(program, cond, fails);
		return;
	case COND_RANGE:
		put_range(program, cond, fails);
		return;
	case COND_NOT_RANGE:
		outside = bpf_label(program);
		put_range(program, cond, outside);
		bpf_jump(program, BPF_GOTO, 0, 0, fails);
		bpf_place(program, outside);
		return;
	}
}

/* Where it is refused as a whole there is nothing to add: every rule refuses (filter.h). */
static bool forbids_listeners(const struct answers *answers, const struct spec_call *call)
{
	return answers->notifies && call->number == answers->seccomp_call.number &&
	       (call->otherwise.kind == ACT_ALLOW || call->otherwise.kind == ACT_LOG);
}

/* seccomp(2) takes its flags as 32 bits. EBUSY is what the kernel says where there is a listener; a
 * filter goes on saying it when that is gone. */
static void put_no_second_listener(struct bpf_program *program)
{
	size_t has_no_flag = bpf_label(program);

	load_half(program, 1, false);
	bpf_plain(program, BPF_ALU | BPF_AND | BPF_K, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	bpf_jump(program, BPF_GOTO_IF, BPF_JEQ, 0, has_no_flag);
	bpf_return(program, SECCOMP_RET_ERRNO | EBUSY);
	bpf_place(program, has_no_flag);
}

/* Everything about one call with rules. Always ends in a return: the accumulator is an argument by
 * then. */
static void put_call(struct bpf_program *program, const struct answers *answers,
		     const struct spec_call *call)
{
	for (size_t i = 0; i < call->n_rules; i++) {
		size_t fails = bpf_label(program);

		for (size_t j = 0; j < call->rules[i].n_conds; j++)
			put_condition(program, &call->rules[i].conds[j], fails);
		bpf_return(program, return_value(answers, call->rules[i].action));
		bpf_place(program, fails);
	}
	if (forbids_listeners(answers, call))
		put_no_second_listener(program);
	bpf_return(program, return_value(answers, call->otherwise));
}

/* To `second` for calls of the second architecture, where there is such a tree. */
static void put_head(struct bpf_program *program, bool has_second, size_t second)
{
	size_t is_native = bpf_label(program);

	bpf_plain(program, LOAD_WORD, OFFSET_ARCH);
	bpf_jump(program, BPF_GOTO_IF, BPF_JEQ, POLICY_AUDIT_ARCH, is_native);
	if (has_second)
		bpf_jump(program, BPF_GOTO_IF, BPF_JEQ, POLICY_SECOND_AUDIT_ARCH, second);
	bpf_return(program, SECCOMP_RET_KILL_PROCESS);
	bpf_place(program, is_native);
	bpf_plain(program, LOAD_WORD, OFFSET_NR);
#if POLICY_IS_X86_64
	{
		size_t is_not_x32 = bpf_label(program);

		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JGE, X32_BIT, is_not_x32);
		bpf_return(program, SECCOMP_RET_KILL_PROCESS);
		bpf_place(program, is_not_x32);
	}
#endif
}

/* ---- the tree ---- */

/* Numbers from `first` to the next range's that get one answer; or a single call with rules. */
struct range {
	int32_t first;
	uint32_t answer;
	const struct spec_call *call; /* NULL: answer is all */
};

struct range_list {
	struct range *ranges;
	size_t n;
};

/* The answer to one number, by its entry in the spec where it has one. name: the call's, NULL where
 * none is known. */
static struct range range_of(const struct answers *answers, int32_t number, const char *name,
			     const struct spec_call *entry)
{
	const struct spec_seccomp *seccomp = answers->seccomp;
	struct range range = {.first = number};

	if (entry == NULL && number == answers->seccomp_call.number)
		entry = &answers->seccomp_call;
	if (answers->is_own && policy_seccomp_admits_always(number))
		range.answer = SECCOMP_RET_ALLOW;
	else if (name == NULL)
		range.answer = return_value(answers, seccomp->unknown_action);
	else if (entry == NULL)
		range.answer = return_value(answers, seccomp->default_action);
	else if (entry->n_rules == 0 && !forbids_listeners(answers, entry))
		range.answer = return_value(answers, entry->otherwise);
	else
		range.call = entry;
	return range;
}

/* While the numbers are gone through upwards. */
struct walk {
	const struct answers *answers;
	struct range_list list;
	size_t next; /* entry; they are sorted by number */
};

static void add_number(struct walk *walk, int32_t number, const char *name)
{
	const struct spec_calls *calls = &walk->answers->calls;
	const struct spec_call *entry = NULL;
	const struct range *last = walk->list.n > 0 ? &walk->list.ranges[walk->list.n - 1] : NULL;
	struct range range;

	while (walk->next < calls->n && calls->calls[walk->next].number < number)
		walk->next++;
	if (walk->next < calls->n && calls->calls[walk->next].number == number)
		entry = &calls->calls[walk->next];
	range = range_of(walk->answers, number, name, entry);
	if (last == NULL || range.call != NULL || last->call != NULL ||
	    last->answer != range.answer)
		walk->list.ranges[walk->list.n++] = range;
}

/* The list covers every number: the last range, of numbers behind all known ones, has no end. */
static int make_ranges(const struct answers *answers, struct range_list *ret)
{
	enum syscalls_abi abi = answers->abi;
	struct walk walk = {.answers = answers};

	/* A range for each place, one behind them, and one behind ARM's own calls. */
	walk.list.ranges = calloc(SYSCALLS_END + 2, sizeof(*walk.list.ranges));
	if (walk.list.ranges == NULL)
		return -ENOMEM;
	for (int32_t place = 0; place < SYSCALLS_END; place++)
		if (syscalls_kernel_number(abi, place) == place)
			add_number(&walk, place, syscalls_name_on(abi, place));
	add_number(&walk, SYSCALLS_END, NULL);
	if (abi == ABI_SECOND) {
		for (int32_t place = SYSCALLS_PRIVATE; place < SYSCALLS_PARTS; place++)
			add_number(&walk, syscalls_kernel_number(abi, place),
				   syscalls_name_on(abi, place));
		add_number(&walk, SYSCALLS_PRIVATE_NUMBER + SYSCALLS_PARTS - SYSCALLS_PRIVATE,
			   NULL);
	}
	*ret = walk.list;
	return 0;
}

/* Halves the list until one range is left: eight steps for the shipped profiles. */
static void put_tree(struct bpf_program *program, const struct answers *answers,
		     const struct range *ranges, size_t n)
{
	size_t middle = n / 2;
	size_t upper;

	if (n == 1 && ranges[0].call != NULL) {
		put_call(program, answers, ranges[0].call);
		return;
	}
	if (n == 1) {
		bpf_return(program, ranges[0].answer);
		return;
	}
	upper = bpf_label(program);
	bpf_jump(program, BPF_GOTO_IF, BPF_JGE, (uint32_t)ranges[middle].first, upper);
	put_tree(program, answers, ranges, middle);
	bpf_place(program, upper);
	put_tree(program, answers, ranges + middle, n - middle);
}

static int put_architecture(struct bpf_program *program, const struct answers *answers)
{
	struct range_list list;
	int r = make_ranges(answers, &list);

	if (r < 0)
		return r;
	put_tree(program, answers, list.ranges, list.n);
	free(list.ranges);
	return 0;
}

static struct answers answers_of(const struct spec_seccomp *seccomp, enum syscalls_abi abi,
				 bool notifies)
{
	return (struct answers){
		.seccomp = seccomp,
		.abi = abi,
		.calls = abi == ABI_SECOND ? seccomp->second
					   : (struct spec_calls){.calls = seccomp->calls,
								 .n = seccomp->n_calls},
		.notifies = notifies,
		.seccomp_call = {.name = "seccomp",
				 .number = syscalls_number_on(abi, "seccomp"),
				 .otherwise = seccomp->default_action},
		.is_own = abi == ABI_NATIVE,
	};
}

static int compile(const struct spec_seccomp *seccomp, bool notifies, struct bpf_program *program)
{
	const struct answers native = answers_of(seccomp, ABI_NATIVE, notifies);
	const struct answers second = answers_of(seccomp, ABI_SECOND, notifies);
	size_t is_second = bpf_label(program);
	int r;

	put_head(program, seccomp->has_second, is_second);
	r = put_architecture(program, &native);
	if (r < 0 || !seccomp->has_second)
		return r;
	bpf_place(program, is_second);
	bpf_plain(program, LOAD_WORD, OFFSET_NR);
	return put_architecture(program, &second);
}

static int compile_whole(const struct spec_seccomp *seccomp, bool notifies, void **ret_program,
			 size_t *ret_n_instructions, struct err *err)
{
	_cleanup_bpf_ struct bpf_program program = {0};
	_cleanup_free_ struct sock_filter *filter = NULL;
	size_t n = 0;
	int r = compile(seccomp, notifies, &program);

	if (r < 0)
		return err_set(err, ERR_BUG, -r, "seccomp: ranges");
	r = bpf_assemble(&program, &filter, &n);
	if (r < 0)
		return err_set(err, ERR_BUG, -r, "seccomp: assemble");
	if (n > BPF_MAXINSNS)
		return err_set(err, ERR_POLICY, E2BIG, "seccomp: %zu instructions, %d are possible",
			       n, BPF_MAXINSNS);
	*ret_program = steal_ptr(&filter);
	*ret_n_instructions = n;
	return 0;
}

int policy_seccomp_compile(const struct spec_seccomp *seccomp, void **ret_program,
			   size_t *ret_n_instructions, struct err *err)
{
	return compile_whole(seccomp, false, ret_program, ret_n_instructions, err);
}

int policy_seccomp_compile_notifying(const struct spec_seccomp *seccomp, void **ret_program,
				     size_t *ret_n_instructions, struct err *err)
{
	return compile_whole(seccomp, true, ret_program, ret_n_instructions, err);
}
