/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordon's own words: errors and notes on stderr, answers on stdout. */
#ifndef CORDON_CMD_PRINT_H
#define CORDON_CMD_PRINT_H

#include "launcher/cordon.h"

/* Values that are filled in may be anything: none of them drives the terminal or starts a line. */

/* "cordon: TEXT" on stderr. */
void print_note(const char *fmt, ...) printf_like(1, 2);

/* A command for a shell on fd, in lines of its own that can be pasted as they are: broken at
 * blanks, with a backslash, where it is wider than 80 columns. It has no quotes. */
void print_command(int fd, const char *command);

/* Text on stdout; nothing is added. Where values are filled in, newlines stand at fmt's ends only.
 */
void print_out(const char *fmt, ...) printf_like(1, 2);

/* Text of ours on stdout as it is: whole lines, nothing is filled in. */
void print_lines(const char *text);

/* An error with its step and hint. */
void print_err(const struct err *err);

/* What cordon_decide refused: all problems, all misses, or the one error. */
void print_refusal(const struct policy_problems *problems, const struct misses *misses,
		   const struct err *err);

/* What in the policy has no effect: a line each on stderr. */
void print_warnings(const struct spec_provenance *provenance);

/* "file:line" of an origin, or its source's name; into buf. */
const char *print_origin(struct spec_origin origin, char *buf, size_t size);

#endif
