/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The programs of libexec/, as cordon finds and executes them. */
#ifndef CORDON_BASE_PROGRAM_H
#define CORDON_BASE_PROGRAM_H

#include <stddef.h>

#include "base/err.h"

/*
 * Opens (O_PATH) the program `name` beside this one, as in the tree that it was built in, else
 * where it is installed with it (../libexec/cordon). Nobody but root and the caller may have
 * written it, or may put another one there. Returns the descriptor or -errno; -ENOENT where it is
 * in neither place, -EPERM for one that somebody else could have put there, or that is no program.
 */
int must_check program_open(const char *name);

/* As program_exec, with the n descriptors of kept as well, which are none of 0 to 2. */
int must_check program_exec_with(int program, char *const argv[], char *const envp[],
				 const int *kept, size_t n);

/* Executes it in place of this process, with descriptors 0 to 2 alone. Returns only on failure. */
int must_check program_exec(int program, char *const argv[], char *const envp[]);

#endif
