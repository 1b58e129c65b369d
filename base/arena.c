/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bump allocator over one anonymous mapping; see arena.h. */
#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "base/str.h"

enum {
	FORMAT_MAX = 8192,
	WARM = 108 << 10, /* what resolving a shipped profile takes */
};

int arena_init(struct arena *arena, size_t size, struct err *err)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return err_set(err, ERR_BUG, errno, "arena of %zu bytes", size);
	/* In one call instead of one page fault each. A kernel before 5.14 refuses: no harm. */
	(void)madvise(base, size < WARM ? size : WARM, MADV_POPULATE_WRITE);
	*arena = (struct arena){.base = base, .size = size};
	return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t align = alignof(max_align_t);
	size_t start = (arena->used + align - 1) / align * align;

	if (start > arena->size || size > arena->size - start)
		return NULL;
	arena->used = start + size;
	return arena->base + start; /* fresh anonymous memory: zero */
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return arena_alloc(arena, total);
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = len < arena->size ? arena_alloc(arena, len + 1) : NULL;

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *fmt, ...)
{
	char text[FORMAT_MAX];
	va_list ap;
	size_t len;

	va_start(ap, fmt);
	len = str_vformat(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A text that was cut would be another value than the one meant. */
	return len < sizeof(text) - 1 ? arena_copy(arena, text, len) : NULL;
}

int arena_freeze(struct arena *arena, struct err *err)
{
	if (mprotect(arena->base, arena->size, PROT_READ) != 0)
		return err_set(err, ERR_BUG, errno, "freeze the specification");
	return 0;
}

void arena_release(struct arena *arena)
{
	int saved = errno;

	if (arena->base != NULL)
		munmap(arena->base, arena->size);
	*arena = (struct arena){0};
	errno = saved;
}
