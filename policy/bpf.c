/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The assembler; see bpf.h.
 *
 * A conditional jump of classic BPF reaches 255 instructions, an unconditional one 2^32. Where a
 * label is farther away the jump becomes two instructions: the opposite condition over a `ja`. That
 * moves what follows, so distances are computed until no jump has to grow; a jump never shrinks, so
 * this ends. Runs in the keeper, in prepare.
 */
#include "policy/bpf.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

void bpf_release(struct bpf_program *program)
{
	cleanup_free(&program->lines);
	cleanup_free(&program->labels);
	*program = (struct bpf_program){0};
}

/* Makes room for one more element of an array. */
static void *grow(struct bpf_program *program, void *array, size_t n, size_t *max, size_t size)
{
	size_t wanted = *max == 0 ? 128 : *max * 2;
	void *bigger;

	if (n < *max)
		return array;
	bigger = reallocarray(array, wanted, size);
	if (bigger == NULL) {
		program->is_out_of_memory = true;
		return array;
	}
	*max = wanted;
	return bigger;
}

static void add_line(struct bpf_program *program, struct bpf_line line)
{
	program->lines = grow(program, program->lines, program->n_lines, &program->max_lines,
			      sizeof(*program->lines));
	if (!program->is_out_of_memory)
		program->lines[program->n_lines++] = line;
}

void bpf_plain(struct bpf_program *program, uint16_t code, uint32_t k)
{
	add_line(program, (struct bpf_line){.kind = BPF_PLAIN, .code = code, .k = k});
}

void bpf_return(struct bpf_program *program, uint32_t action)
{
	bpf_plain(program, BPF_RET | BPF_K, action);
}

void bpf_jump(struct bpf_program *program, enum bpf_kind kind, uint16_t code, uint32_t k,
	      size_t label)
{
	add_line(program, (struct bpf_line){.kind = kind, .code = code, .k = k, .label = label});
}

size_t bpf_label(struct bpf_program *program)
{
	program->labels = grow(program, program->labels, program->n_labels, &program->max_labels,
			       sizeof(*program->labels));
	if (program->is_out_of_memory)
		return 0;
	program->labels[program->n_labels] = SIZE_MAX;
	return program->n_labels++;
}

void bpf_place(struct bpf_program *program, size_t label)
{
	if (!program->is_out_of_memory)
		program->labels[label] = program->n_lines;
}

static size_t line_length(const struct bpf_line *line)
{
	return line->is_long ? 2 : 1;
}

/* Instructions between the end of line i and the line that its label stands before. */
static size_t distance(const struct bpf_program *program, size_t i)
{
	size_t n = 0;

	for (size_t j = i + 1; j < program->labels[program->lines[i].label]; j++)
		n += line_length(&program->lines[j]);
	return n;
}

static bool grow_jumps(struct bpf_program *program)
{
	bool has_grown = false;

	for (size_t i = 0; i < program->n_lines; i++) {
		struct bpf_line *line = &program->lines[i];

		if (line->kind != BPF_GOTO_IF && line->kind != BPF_GOTO_UNLESS)
			continue;
		if (!line->is_long && distance(program, i) > UINT8_MAX) {
			line->is_long = true;
			has_grown = true;
		}
	}
	return has_grown;
}

static size_t put_line(const struct bpf_program *program, size_t i, struct sock_filter *out)
{
	const struct bpf_line *line = &program->lines[i];
	size_t far;

	if (line->kind == BPF_PLAIN) {
		*out = (struct sock_filter)BPF_STMT(line->code, line->k);
		return 1;
	}
	far = distance(program, i);
	if (line->kind == BPF_GOTO) {
		*out = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)far);
		return 1;
	}
	*out = (struct sock_filter){.code = (uint16_t)(BPF_JMP | line->code | BPF_K), .k = line->k};
	if (!line->is_long) {
		out->jt = (uint8_t)(line->kind == BPF_GOTO_IF ? far : 0);
		out->jf = (uint8_t)(line->kind == BPF_GOTO_IF ? 0 : far);
		return 1;
	}
	out->jt = line->kind == BPF_GOTO_IF ? 0 : 1;
	out->jf = line->kind == BPF_GOTO_IF ? 1 : 0;
	out[1] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)far);
	return 2;
}

int bpf_assemble(struct bpf_program *program, struct sock_filter **ret_filter, size_t *ret_n)
{
	struct sock_filter *filter;
	size_t n = 0;

	if (program->is_out_of_memory)
		return -ENOMEM;
	for (size_t i = 0; i < program->n_lines; i++)
		if (program->lines[i].kind != BPF_PLAIN &&
		    (program->labels[program->lines[i].label] <= i ||
		     program->labels[program->lines[i].label] > program->n_lines))
			return -EINVAL;
	while (grow_jumps(program)) {
	}
	filter = calloc(program->n_lines * 2 + 1, sizeof(*filter));
	if (filter == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < program->n_lines; i++)
		n += put_line(program, i, filter + n);
	*ret_filter = filter;
	*ret_n = n;
	return 0;
}
