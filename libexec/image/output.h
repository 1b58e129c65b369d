/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where an archive goes: stdout, or a file that is there when it is whole. */
#ifndef CORDON_LIBEXEC_IMAGE_OUTPUT_H
#define CORDON_LIBEXEC_IMAGE_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/whole_file.h"

struct output {
	int fd; /* -EBADF when not open */
	bool is_stdout;
	struct whole_file file; /* whose fd it is, else */
};

/* "-": stdout, unless that is a terminal: `command` says how to name a file then. A file that is
 * there is refused. */
int must_check output_open(const char *path, mode_t mode, const char *command, struct output *ret,
			   struct err *err);
/* It is whole: it is written to the disk, and gets its name. */
int must_check output_name(struct output *out, struct err *err);
/* Without output_name nothing is left of a file. */
void output_close(struct output *out);

#endif
