/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scope-bound ownership: `_cleanup_fd_ int fd = -EBADF;`. Destructors keep errno. */
#ifndef CORDON_BASE_CLEANUP_H
#define CORDON_BASE_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
}

static inline void cleanup_free(void *pointer)
{
	void *memory = *(void **)pointer;
	int saved = errno;

	free(memory);
	errno = saved;
}

#define _cleanup_fd_   __attribute__((cleanup(cleanup_fd)))
#define _cleanup_free_ __attribute__((cleanup(cleanup_free)))

/* Hands the fd over: the variable no longer owns it. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -EBADF;
	return taken;
}

/* Closes the fd now and says so in the variable. */
static inline void close_fd(int *fd)
{
	cleanup_fd(fd);
	*fd = -EBADF;
}

#define steal_ptr(pointer)                                  \
	({                                                  \
		__typeof__(*(pointer)) taken_ = *(pointer); \
		*(pointer) = NULL;                          \
		taken_;                                     \
	})

#endif
