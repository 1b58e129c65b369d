/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two seccomp programs for one Docker file, runc's and cordon's, put to the simulator for every
 * call: each number, in each number space, with the values of arguments that make a difference to
 * either program.
 *
 *	compare read-only|writable|sys-admin RUNC.bpf CORDON.bpf
 *
 * Prints each difference that differences.c does not list, each line of that list that is not one,
 * and a sum. Exits 0, or 42 where it has printed any.
 *
 * Which values: a program can only compare 32 bits of its input with constants of its own. So the
 * constants of both programs that are compared with an argument, their neighbours, and each bit of
 * their masks stand for all values of that word. They are put into each argument that is read,
 * and into each pair of them.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/syscalls.h"
#include "tests/lib/bpf_sim.h"
#include "tests/oracle/differences.h"

enum { EXIT_STOPPED = 42, VALUES_MAX = 512, ROWS_MAX = 64, SHOWN_MAX = 40, NUMBERS_END = 1024 };
enum { X32_NUMBERS = 0x40000000 };

struct program {
	struct sock_filter filter[BPF_MAXINSNS];
	size_t n;
};

struct comparison {
	struct program theirs, ours;
	uint32_t values[VALUES_MAX]; /* of 32 bits of an argument */
	size_t n_values;
	unsigned policy; /* FOR_... */
	bool is_seen[ROWS_MAX];
	size_t n_same, n_listed, n_others;
	size_t n_shown;
	uint32_t shown_number; /* the last call that was printed */
};

static bool read_program(const char *path, struct program *ret)
{
	FILE *in = fopen(path, "re");

	if (in == NULL) {
		fprintf(stderr, "compare: cannot read %s\n", path);
		return false;
	}
	ret->n = fread(ret->filter, sizeof(ret->filter[0]), BPF_MAXINSNS, in);
	fclose(in);
	return ret->n > 0;
}

/* ---- values ---- */

static void add_value(struct comparison *comparison, uint32_t value)
{
	for (size_t i = 0; i < comparison->n_values; i++)
		if (comparison->values[i] == value)
			return;
	if (comparison->n_values == VALUES_MAX) {
		fputs("compare: more constants than there is room for\n", stderr);
		exit(2);
	}
	comparison->values[comparison->n_values++] = value;
}

static void add_mask(struct comparison *comparison, uint32_t mask)
{
	add_value(comparison, mask);
	add_value(comparison, ~mask);
	for (unsigned bit = 0; bit < 32; bit++)
		if ((mask >> bit & 1) != 0)
			add_value(comparison, 1U << bit);
}

static void add_constant(struct comparison *comparison, const struct sock_filter *now)
{
	if (now->code == (BPF_ALU | BPF_AND | BPF_K) || now->code == (BPF_JMP | BPF_JSET | BPF_K)) {
		add_mask(comparison, now->k);
		return;
	}
	add_value(comparison, now->k - 1);
	add_value(comparison, now->k);
	add_value(comparison, now->k + 1);
}

/*
 * Jumps go forward only, so that one pass suffices: may_be_argument[pc] says whether on some way
 * to pc the accumulator holds a part of an argument.
 */
static void add_constants(struct comparison *comparison, const struct program *program)
{
	static bool may_be_argument[BPF_MAXINSNS + 1];

	memset(may_be_argument, 0, sizeof(may_be_argument));
	for (size_t pc = 0; pc < program->n; pc++) {
		const struct sock_filter *now = &program->filter[pc];
		bool is_argument = may_be_argument[pc];
		size_t next[2] = {pc + 1, pc + 1};

		if (now->code == (BPF_LD | BPF_W | BPF_ABS))
			is_argument = now->k >= offsetof(struct seccomp_data, args);
		else if (BPF_CLASS(now->code) == BPF_RET)
			continue;
		else if (now->code == (BPF_JMP | BPF_JA))
			next[0] = next[1] = pc + 1 + now->k;
		else if (is_argument)
			add_constant(comparison, now);
		if (BPF_CLASS(now->code) == BPF_JMP && now->code != (BPF_JMP | BPF_JA)) {
			next[0] = pc + 1 + now->jt;
			next[1] = pc + 1 + now->jf;
		}
		for (size_t i = 0; i < 2; i++)
			if (next[i] < program->n)
				may_be_argument[next[i]] |= is_argument;
	}
}

/* ---- one call ---- */

static enum space space_of(const struct seccomp_data *data)
{
	switch (data->arch) {
	case AUDIT_ARCH_X86_64:
		return (uint32_t)data->nr >= X32_NUMBERS ? SPACE_X32 : SPACE_X86_64;
	case AUDIT_ARCH_I386:
		return SPACE_I386;
	default:
		return SPACE_OTHER;
	}
}

static bool is_known_to_libseccomp(const char *call)
{
	return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, call) >= 0;
}

static bool applies(const struct difference *difference, unsigned policy)
{
	if ((difference->policies & policy) == 0)
		return false;
	return !difference->is_new_call || !is_known_to_libseccomp(difference->call);
}

static bool is_about(const struct difference *difference, const struct seccomp_data *data)
{
	uint32_t number = (uint32_t)data->nr;

	if (difference->space != space_of(data))
		return false;
	if (difference->call != NULL)
		return syscalls_number(difference->call) == data->nr;
	return number >= difference->first && number <= difference->last;
}

static bool is_listed(struct comparison *comparison, const struct seccomp_data *data,
		      uint32_t theirs, uint32_t ours)
{
	for (size_t i = 0; i < n_differences; i++) {
		const struct difference *row = &differences[i];

		if (!applies(row, comparison->policy) || !is_about(row, data) ||
		    (row->when != NULL && !row->when(data)) || row->ours != ours ||
		    (row->theirs != ANY_VERDICT && row->theirs != theirs))
			continue;
		comparison->is_seen[i] = true;
		return true;
	}
	return false;
}

static void show(struct comparison *comparison, const struct seccomp_data *data, uint32_t theirs,
		 uint32_t ours)
{
	const char *name = data->arch == AUDIT_ARCH_X86_64 ? syscalls_name(data->nr) : NULL;

	comparison->n_others++;
	/* One line for each call is enough. */
	if (comparison->n_shown == SHOWN_MAX ||
	    (comparison->n_shown > 0 && comparison->shown_number == (uint32_t)data->nr))
		return;
	comparison->n_shown++;
	comparison->shown_number = (uint32_t)data->nr;
	printf("%s, number %#x of %#x, arguments", name != NULL ? name : "no call",
	       (unsigned)data->nr, data->arch);
	for (size_t i = 0; i < 6; i++)
		printf(" %#llx", data->args[i]);
	printf(": runc answers %#x, cordon %#x\n", theirs, ours);
}

static void put(struct comparison *comparison, const struct seccomp_data *data)
{
	uint32_t theirs = bpf_sim_run(comparison->theirs.filter, comparison->theirs.n, data);
	uint32_t ours = bpf_sim_run(comparison->ours.filter, comparison->ours.n, data);

	bool is_good = theirs != BPF_SIM_INVALID && ours != BPF_SIM_INVALID;

	if (is_good && theirs == ours)
		comparison->n_same++;
	else if (is_good && is_listed(comparison, data, theirs, ours))
		comparison->n_listed++;
	else
		show(comparison, data, theirs, ours);
}

/* ---- all calls ---- */

/* Both halves of an argument, from the list. The upper one decides with few values: 0 or not. */
static uint64_t value_at(const struct comparison *comparison, size_t i)
{
	static const uint32_t high[] = {0, 1, UINT32_MAX};

	return (uint64_t)high[i % 3] << 32 | comparison->values[i / 3];
}

static void put_values(struct comparison *comparison, struct seccomp_data *data)
{
	size_t n = comparison->n_values * 3;

	for (size_t first = 0; first < 6; first++)
		for (size_t i = 0; i < n; i++) {
			memset(data->args, 0, sizeof(data->args));
			data->args[first] = value_at(comparison, i);
			put(comparison, data);
			for (size_t second = first + 1; second < 6; second++)
				for (size_t j = 0; j < comparison->n_values; j++) {
					data->args[second] = comparison->values[j];
					put(comparison, data);
					data->args[second] = 0;
				}
		}
}

static void put_call(struct comparison *comparison, uint32_t arch, uint32_t number)
{
	struct seccomp_data data = {.arch = arch, .nr = (int)number};

	put(comparison, &data);
	if (bpf_sim_reads_arguments(comparison->theirs.filter, comparison->theirs.n, &data) ||
	    bpf_sim_reads_arguments(comparison->ours.filter, comparison->ours.n, &data))
		put_values(comparison, &data);
}

static void put_all(struct comparison *comparison)
{
	static const uint32_t arches[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_ARM,
					  AUDIT_ARCH_AARCH64, 0};
	static const uint32_t bases[] = {0, X32_NUMBERS, 0x80000000U, UINT32_MAX - NUMBERS_END + 1};

	for (size_t a = 0; a < sizeof(arches) / sizeof(arches[0]); a++)
		for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++)
			for (uint32_t i = 0; i < NUMBERS_END; i++)
				put_call(comparison, arches[a], bases[b] + i);
}

static size_t show_unseen(const struct comparison *comparison)
{
	size_t n = 0;

	for (size_t i = 0; i < n_differences; i++) {
		if (comparison->is_seen[i] || !applies(&differences[i], comparison->policy))
			continue;
		printf("no difference any more: row %zu, %s\n", i, differences[i].why);
		n++;
	}
	return n;
}

static bool read_policy(const char *word, unsigned *ret)
{
	static const char *const words[] = {"read-only", "writable", "sys-admin"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) != 0)
			continue;
		*ret = 1U << i;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct comparison comparison;
	size_t n_unseen;

	if (argc != 4 || !read_policy(argv[1], &comparison.policy) || n_differences > ROWS_MAX ||
	    !read_program(argv[2], &comparison.theirs) || !read_program(argv[3], &comparison.ours))
		return 2;
	add_value(&comparison, 0);
	add_value(&comparison, UINT32_MAX);
	add_constants(&comparison, &comparison.theirs);
	add_constants(&comparison, &comparison.ours);
	put_all(&comparison);
	n_unseen = show_unseen(&comparison);
	printf("%zu the same, %zu listed, %zu others, %zu rows without a difference\n",
	       comparison.n_same, comparison.n_listed, comparison.n_others, n_unseen);
	return comparison.n_same > 0 && comparison.n_others == 0 && n_unseen == 0 ? 0
										  : EXIT_STOPPED;
}
