/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an archive of a volume goes: stdout, or a file that is there when it is whole. */
#ifndef CORDON_LIBEXEC_IMAGE_OUTPUT_H
#define CORDON_LIBEXEC_IMAGE_OUTPUT_H

#include <limits.h>

#include "base/err.h"

/* A file has no name until it is whole; where the file system has none such, it has another one. */
struct output {
	int fd;
	int dir; /* -EBADF: stdout */
	const char *path;
	const char *base;
	char temporary[NAME_MAX + 1]; /* "": without a name */
};

/* "-": stdout, unless that is a terminal. A file that is there is refused. */
int must_check output_open(const char *path, struct output *ret, struct err *err);
/* It is whole: it is written to the disk, and gets its name. */
int must_check output_name(struct output *out, struct err *err);
/* Without output_name nothing is left of a file. */
void output_close(struct output *out);

#endif
