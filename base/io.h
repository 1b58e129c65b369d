/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole reads and writes. Each returns a count or 0, or -errno. Safe after clone. */
#ifndef CORDON_BASE_IO_H
#define CORDON_BASE_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* Writes all of it, over EINTR and short writes. Returns 0 or -errno. */
int must_check io_write_all(int fd, const void *data, size_t size);

/*
 * Reads the file at dirfd/path as text: at most size - 1 bytes and a NUL. Returns the length,
 * -EFBIG where the file is longer, or -errno.
 */
ssize_t must_check io_read_text(int dirfd, const char *path, char *buf, size_t size);

/* One write(2) of text to an existing file, as kernel files want it. Returns 0 or -errno. */
int must_check io_write_text(int dirfd, const char *path, const char *text);

/* Cuts one trailing newline. */
void io_chomp(char *text);

#endif
