/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * spec_seccomp to a classic BPF program: policy_seccomp_compile of policy.h.
 *
 * The program has two parts, one behind the other. Ours comes first: it kills foreign
 * architectures and x32, answers the calls that this build does not know, and answers every call
 * whose answer depends on its arguments, in the order of the rules, with 32-bit or 64-bit
 * comparisons as the spec says. What is left falls through into the second part, which libseccomp
 * makes: a balanced tree over the numbers of the calls that have one answer. Jumps are relative, so
 * the two are simply put together. Why libseccomp does not do it all:
 * docs/decisions/006-seccomp-program.md.
 *
 * Runs in the keeper, in prepare, with the caller's rights. tests/unit/policy/test_seccomp.c runs
 * the programs in a simulator.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "policy/bpf.h"
#include "policy/policy.h"
#include "policy/syscalls.h"

#if defined(__x86_64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_AUDIT_ARCH AUDIT_ARCH_AARCH64
#else
#error "cordon runs on x86-64 and aarch64"
#endif

enum { X32_BIT = 0x40000000 };

#define OFFSET_ARCH ((uint32_t)offsetof(struct seccomp_data, arch))
#define OFFSET_NR   ((uint32_t)offsetof(struct seccomp_data, nr))
#define LOAD_WORD   (BPF_LD | BPF_W | BPF_ABS)

/*
 * The launcher's last acts run under the filter: execve of the workload, or one write of the error
 * and the end of the process.
 */
static const char *const always_admitted[] = {"execve", "write", "exit_group", NULL};
static const int always_admitted_numbers[] = {SYS_execve, SYS_write, SYS_exit_group};

const char *const *policy_seccomp_always_admitted(void)
{
	return always_admitted;
}

static bool is_always_admitted(int32_t number)
{
	for (size_t i = 0; i < sizeof(always_admitted_numbers) / sizeof(int); i++)
		if (number == always_admitted_numbers[i])
			return true;
	return false;
}

static uint32_t return_value(struct spec_action action)
{
	switch (action.kind) {
	case ACT_ALLOW:
		return SECCOMP_RET_ALLOW;
	case ACT_ERRNO:
		return SECCOMP_RET_ERRNO | (action.errno_value & SECCOMP_RET_DATA);
	case ACT_KILL:
		return SECCOMP_RET_KILL_PROCESS;
	case ACT_TRAP:
		return SECCOMP_RET_TRAP;
	case ACT_LOG:
		return SECCOMP_RET_LOG;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static uint32_t libseccomp_action(struct spec_action action)
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

/* Goes on where the condition holds, to `fails` where it does not. */
static void put_condition(struct bpf_program *program, const struct spec_cond *cond, size_t fails)
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

/* Everything about one call with rules: always ends in a return, or in `next` for other calls. */
static void put_call(struct bpf_program *program, const struct spec_call *call)
{
	size_t next = bpf_label(program);

	bpf_jump(program, BPF_GOTO_UNLESS, BPF_JEQ, (uint32_t)call->number, next);
	for (size_t i = 0; i < call->n_rules; i++) {
		size_t fails = bpf_label(program);

		for (size_t j = 0; j < call->rules[i].n_conds; j++)
			put_condition(program, &call->rules[i].conds[j], fails);
		bpf_return(program, return_value(call->rules[i].action));
		bpf_place(program, fails);
	}
	bpf_return(program, return_value(call->otherwise));
	bpf_place(program, next);
}

static void put_head(struct bpf_program *program)
{
	size_t is_native = bpf_label(program);

	bpf_plain(program, LOAD_WORD, OFFSET_ARCH);
	bpf_jump(program, BPF_GOTO_IF, BPF_JEQ, NATIVE_AUDIT_ARCH, is_native);
	bpf_return(program, SECCOMP_RET_KILL_PROCESS);
	bpf_place(program, is_native);
	bpf_plain(program, LOAD_WORD, OFFSET_NR);
#ifdef __x86_64__
	{
		size_t is_not_x32 = bpf_label(program);

		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JGE, X32_BIT, is_not_x32);
		bpf_return(program, SECCOMP_RET_KILL_PROCESS);
		bpf_place(program, is_not_x32);
	}
#endif
}

/* Numbers that no known call has, from the gaps of the table to everything behind its end. */
static void put_unknown(struct bpf_program *program, struct spec_action action)
{
	size_t is_known = bpf_label(program);
	size_t is_unknown = bpf_label(program);
	int32_t start = -1;

	for (int32_t number = 0; number <= SYSCALLS_END; number++) {
		bool is_gap = number < SYSCALLS_END && !syscalls_is_known(number);
		size_t below;

		if (is_gap && start < 0)
			start = number;
		if (is_gap || start < 0)
			continue;
		if (number == SYSCALLS_END)
			break;
		below = bpf_label(program);
		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JGE, (uint32_t)start, below);
		bpf_jump(program, BPF_GOTO_UNLESS, BPF_JGE, (uint32_t)number, is_unknown);
		bpf_place(program, below);
		start = -1;
	}
	bpf_jump(program, BPF_GOTO_UNLESS, BPF_JGE, (uint32_t)(start < 0 ? SYSCALLS_END : start),
		 is_known);
	bpf_place(program, is_unknown);
	bpf_return(program, return_value(action));
	bpf_place(program, is_known);
}

static void release_filter_ctx(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL)
		seccomp_release(*ctx);
}

/* One rule of libseccomp's for a call that has one answer. */
static int add_plain(scmp_filter_ctx ctx, const struct spec_seccomp *seccomp, int32_t number,
		     struct spec_action action, struct err *err)
{
	uint32_t value = libseccomp_action(action);
	int r;

	/* libseccomp refuses a rule that says what the default says. */
	if (value == libseccomp_action(seccomp->default_action))
		return 0;
	r = seccomp_rule_add_exact(ctx, value, number, 0);
	return r < 0 ? err_set(err, ERR_BUG, -r, "seccomp: rule for call %d", number) : 0;
}

static int add_plain_calls(scmp_filter_ctx ctx, const struct spec_seccomp *seccomp, struct err *err)
{
	static const struct spec_action allow = {.kind = ACT_ALLOW};

	for (size_t i = 0; i < seccomp->n_calls; i++) {
		const struct spec_call *call = &seccomp->calls[i];
		int r;

		if (call->n_rules > 0 || is_always_admitted(call->number))
			continue;
		r = add_plain(ctx, seccomp, call->number, call->otherwise, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < sizeof(always_admitted_numbers) / sizeof(int); i++) {
		int r = add_plain(ctx, seccomp, always_admitted_numbers[i], allow, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_attribute(scmp_filter_ctx ctx, enum scmp_filter_attr attribute, uint32_t value,
			 struct err *err)
{
	int r = seccomp_attr_set(ctx, attribute, value);

	return r < 0 ? err_set(err, ERR_BUG, -r, "seccomp: attribute %d", (int)attribute) : 0;
}

/* Writes libseccomp's program into fd. */
static int export_plain(const struct spec_seccomp *seccomp, int fd, struct err *err)
{
	scmp_filter_ctx ctx __attribute__((cleanup(release_filter_ctx))) =
		seccomp_init(libseccomp_action(seccomp->default_action));
	int r;

	if (ctx == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "seccomp: new filter");
	r = set_attribute(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS, err);
	if (r < 0)
		return r;
	/* 2: a balanced tree, which the kernel loads in half the time of a list. */
	r = set_attribute(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2, err);
	if (r < 0)
		return r;
	r = add_plain_calls(ctx, seccomp, err);
	if (r < 0)
		return r;
	r = seccomp_export_bpf(ctx, fd);
	return r < 0 ? err_set(err, ERR_BUG, -r, "seccomp: export") : 0;
}

/* libseccomp 2.5 exports to a file only. */
static int plain_part(const struct spec_seccomp *seccomp, int *ret_fd, size_t *ret_n,
		      struct err *err)
{
	_cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	off_t size;
	int r;

	if (fd < 0)
		return err_set(err, ERR_SETUP, errno, "seccomp: memory file");
	r = export_plain(seccomp, fd, err);
	if (r < 0)
		return r;
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0 || size % (off_t)sizeof(struct sock_filter) != 0)
		return err_set(err, ERR_BUG, EINVAL, "seccomp: export of %ld bytes", (long)size);
	*ret_n = (size_t)size / sizeof(struct sock_filter);
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int assemble(const struct spec_seccomp *seccomp, size_t n_plain,
		    struct sock_filter **ret_filter, size_t *ret_n, struct err *err)
{
	_cleanup_bpf_ struct bpf_program program = {0};
	int r;

	put_head(&program);
	put_unknown(&program, seccomp->unknown_action);
	for (size_t i = 0; i < seccomp->n_calls; i++)
		if (seccomp->calls[i].n_rules > 0 && !is_always_admitted(seccomp->calls[i].number))
			put_call(&program, &seccomp->calls[i]);
	r = bpf_assemble(&program, n_plain, ret_filter, ret_n);
	return r < 0 ? err_set(err, ERR_BUG, -r, "seccomp: assemble") : 0;
}

int policy_seccomp_compile(const struct spec_seccomp *seccomp, void **ret_program,
			   size_t *ret_n_instructions, struct err *err)
{
	_cleanup_free_ struct sock_filter *filter = NULL;
	_cleanup_fd_ int fd = -EBADF;
	size_t n_plain = 0, n_ours = 0;
	ssize_t n_read;
	int r = plain_part(seccomp, &fd, &n_plain, err);

	if (r < 0)
		return r;
	r = assemble(seccomp, n_plain, &filter, &n_ours, err);
	if (r < 0)
		return r;
	if (n_ours + n_plain > BPF_MAXINSNS)
		return err_set(err, ERR_POLICY, E2BIG, "seccomp: %zu instructions, %d are possible",
			       n_ours + n_plain, BPF_MAXINSNS);
	n_read = pread(fd, filter + n_ours, n_plain * sizeof(*filter), 0);
	if (n_read != (ssize_t)(n_plain * sizeof(*filter)))
		return err_set(err, ERR_SETUP, n_read < 0 ? errno : EIO, "seccomp: read back");
	*ret_program = steal_ptr(&filter);
	*ret_n_instructions = n_ours + n_plain;
	return 0;
}
