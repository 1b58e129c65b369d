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

/*
 * The same by a descriptor: text is written where it stands, and read from the beginning. A file of
 * the kernel's makes its text anew for each read from there, so that one descriptor that is open
 * for both can write a value and say what the kernel has made of it.
 */
int must_check io_write_fd(int fd, const char *text);
ssize_t must_check io_read_fd(int fd, char *buf, size_t size);

/* Cuts one trailing newline. */
void io_chomp(char *text);

#endif
