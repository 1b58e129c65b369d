/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One region that holds everything a sandbox_spec points to. It only grows; it is frozen
 * (mprotect(2) read-only) when the spec is complete and released as a whole.
 */
#ifndef CORDON_BASE_ARENA_H
#define CORDON_BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

struct arena {
	char *base;
	size_t used;
	size_t size; /* bytes of address space; only touched pages cost memory */
};

/* Reserves size bytes of address space. Returns 0 or -ENOMEM with err filled. */
int must_check arena_init(struct arena *arena, size_t size, struct err *err);

/* Zeroed memory, aligned for any type. NULL when the arena is full or size overflows. */
void *arena_alloc(struct arena *arena, size_t size);

/* As arena_alloc for n elements of size bytes. */
void *arena_array(struct arena *arena, size_t n, size_t size);

/* A NUL-terminated copy of the len bytes at text. NULL when the arena is full. */
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *fmt, ...) printf_like(2, 3);

/* Makes the region read-only. After it a write to the spec is SIGSEGV. */
int must_check arena_freeze(struct arena *arena, struct err *err);

/* Unmaps. Accepts a zeroed arena. Keeps errno. */
void arena_release(struct arena *arena);

#endif
