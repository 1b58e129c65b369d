/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts one behind another, in memory that grows and moves: where one begins is a number until all
 * of them are there. For names whose number and length nobody knows before.
 */
#ifndef CORDON_BASE_TEXTS_H
#define CORDON_BASE_TEXTS_H

#include <stddef.h>

#include "base/err.h"

struct texts {
	char *bytes; /* each text with its NUL */
	size_t len;
	size_t room;
};

/* Adds a copy; *ret_at: where it begins in bytes. Returns 0 or -ENOMEM. */
int must_check texts_add(struct texts *texts, const char *text, size_t *ret_at);

/* Accepts a zeroed one. */
void texts_release(struct texts *texts);

#endif
