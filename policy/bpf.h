/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small assembler of classic BPF with labels, for seccomp filters. */
#ifndef CORDON_POLICY_BPF_H
#define CORDON_POLICY_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum bpf_kind {
	BPF_PLAIN,       /* code and k as they are */
	BPF_GOTO,        /* to label, always */
	BPF_GOTO_IF,     /* to label where the comparison holds, else on */
	BPF_GOTO_UNLESS, /* to label where it does not hold, else on */
};

struct bpf_line {
	enum bpf_kind kind;
	uint16_t code; /* PLAIN: BPF_LD, BPF_RET, ...; GOTO_*: BPF_JEQ, BPF_JGT, BPF_JGE */
	uint32_t k;
	size_t label;
	bool is_long; /* the distance does not fit the 8 bits of a conditional jump */
};

struct bpf_program {
	struct bpf_line *lines; /* malloc'ed */
	size_t n_lines;
	size_t max_lines;
	size_t *labels; /* malloc'ed; label -> index of the line that it stands before */
	size_t n_labels;
	size_t max_labels;
	bool is_out_of_memory; /* reported once, by bpf_assemble */
};

#define _cleanup_bpf_ __attribute__((cleanup(bpf_release)))
void bpf_release(struct bpf_program *program);

void bpf_plain(struct bpf_program *program, uint16_t code, uint32_t k);
void bpf_return(struct bpf_program *program, uint32_t action);
void bpf_jump(struct bpf_program *program, enum bpf_kind kind, uint16_t code, uint32_t k,
	      size_t label);

/* Names a point of the program; bpf_place says where it is: before the next line. Jumps go forward
 * only, so it is placed after every jump to it. */
size_t bpf_label(struct bpf_program *program);
void bpf_place(struct bpf_program *program, size_t label);

/*
 * Resolves the labels. *ret_filter is malloc'ed and holds *ret_n instructions. Returns 0, -ENOMEM,
 * or -EINVAL for a jump that goes back.
 */
int must_check bpf_assemble(struct bpf_program *program, struct sock_filter **ret_filter,
			    size_t *ret_n);

#endif
