/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a seccomp program on a system call that nobody makes. */
#ifndef CORDON_TESTS_LIB_BPF_SIM_H
#define CORDON_TESTS_LIB_BPF_SIM_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the simulator answers where the kernel would refuse the program (no verdict has this form).
 */
#define BPF_SIM_INVALID 0xdeadbeefU

/* The SECCOMP_RET_* value that the program answers to data. */
uint32_t bpf_sim_run(const struct sock_filter *program, size_t n, const struct seccomp_data *data);

/* Whether the run reads more of data than the number and the architecture. Where it does not, the
 * answer is the same whatever the rest is. */
bool bpf_sim_reads_arguments(const struct sock_filter *program, size_t n,
			     const struct seccomp_data *data);

#endif
