/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Any bytes as a seccomp program for the simulator that the verdict tables trust: it reads nothing
 * beyond program and data, ends, and answers only what a return of the program says.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/bpf_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seccomp_data call = {.nr = 0};
	struct sock_filter *program;
	bool is_returned = false;
	uint32_t verdict;
	size_t n;

	if (size < sizeof(call))
		return 0;
	memcpy(&call, data, sizeof(call));
	n = (size - sizeof(call)) / sizeof(*program);
	/* Of exactly that size, so that a step too far is seen. */
	program = malloc(n * sizeof(*program));
	memcpy(program, data + sizeof(call), n * sizeof(*program));
	verdict = bpf_sim_run(program, n, &call);
	for (size_t i = 0; i < n; i++)
		is_returned |= program[i].code == (BPF_RET | BPF_K) && program[i].k == verdict;
	if (verdict != BPF_SIM_INVALID && !is_returned)
		abort();
	free(program);
	return 0;
}
