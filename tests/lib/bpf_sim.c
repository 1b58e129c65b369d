/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A classic BPF machine with the instructions that seccomp(2) admits and our filters use. It is as
 * strict as the kernel's checker (net/core/filter.c, bpf_check_classic): unknown instructions,
 * jumps out of the program and a missing return are invalid, so that a test never passes on a
 * program that the kernel would not load.
 */
#include "tests/lib/bpf_sim.h"

#include <string.h>

static bool compare(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGT:
		return a > k;
	case BPF_JGE:
		return a >= k;
	default: /* BPF_JSET, the last of the four */
		return (a & k) != 0;
	}
}

static bool load(const struct seccomp_data *data, uint32_t offset, uint32_t *a)
{
	if (offset % 4 != 0 || offset > sizeof(*data) - 4)
		return false;
	memcpy(a, (const char *)data + offset, 4);
	return true;
}

static uint32_t run(const struct sock_filter *program, size_t n, const struct seccomp_data *data,
		    uint32_t *ret_last_offset)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *now = &program[pc];

		switch (now->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (!load(data, now->k, &a))
				return BPF_SIM_INVALID;
			if (now->k > *ret_last_offset)
				*ret_last_offset = now->k;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= now->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += now->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += compare(now->code, a, now->k) ? now->jt : now->jf;
			break;
		case BPF_RET | BPF_K:
			return now->k;
		default:
			return BPF_SIM_INVALID;
		}
	}
	return BPF_SIM_INVALID;
}

uint32_t bpf_sim_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data)
{
	uint32_t last_offset = 0;

	return run(program, n, data, &last_offset);
}

bool bpf_sim_reads_arguments(const struct sock_filter *program, size_t n,
			     const struct seccomp_data *data)
{
	uint32_t last_offset = 0;

	run(program, n, data, &last_offset);
	return last_offset > offsetof(struct seccomp_data, arch);
}
