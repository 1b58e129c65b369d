/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mistakes of a policy as text for people. */
#ifndef CORDON_POLICY_PROBLEMS_H
#define CORDON_POLICY_PROBLEMS_H

#include "policy/policy.h"

/*
 * Writes one problem into buf, several lines, each with its newline:
 *
 *	FILE:LINE:COLUMN: error: TEXT [RULE]
 *	    the source line
 *	        ^
 *	    expected: ...
 *	    hint: ...
 *
 * Cuts what does not fit and always ends with a NUL where size > 0. Returns the bytes written
 * without it. Uses neither stdio nor the heap.
 */
size_t problems_render(const struct policy_problem *problem, char *buf, size_t size);

/* Hands each problem's text to put, and a last line where some were dropped. */
void problems_render_all(const struct policy_problems *problems,
			 void (*put)(void *ctx, const char *text, size_t len), void *ctx);

#endif
