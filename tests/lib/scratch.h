/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A directory of a test's own below $TMPDIR, and short ways to fill it. What cannot be made ends
 * the test program: nothing is proven without it. */
#ifndef CORDON_TESTS_LIB_SCRATCH_H
#define CORDON_TESTS_LIB_SCRATCH_H

#include <limits.h>
#include <sys/types.h>

struct scratch {
	char path[PATH_MAX]; /* absolute, without symlinks */
	int fd;
};

void scratch_make(struct scratch *scratch);
/* Removes it with all that is in it. */
void scratch_remove(struct scratch *scratch);

/* Each takes a name relative to the directory; modes are set whatever the umask. */
void scratch_dir(const struct scratch *scratch, const char *name, mode_t mode);
void scratch_file(const struct scratch *scratch, const char *name, mode_t mode, const char *text);
void scratch_link(const struct scratch *scratch, const char *name, const char *to);
void scratch_fifo(const struct scratch *scratch, const char *name);

/* The absolute path of name, in buf of PATH_MAX bytes. */
const char *scratch_path(const struct scratch *scratch, const char *name, char *buf);

/* The number of entries of all kinds below name, the directory itself not counted. */
int scratch_count(const struct scratch *scratch, const char *name);

/* Gives the process mounts of its own, with a fresh tmpfs at /run: as root directly, as a user in a
 * user namespace where it is root. Returns 0, or -errno where the host forbids it. */
int scratch_own_run(void);

/* In such mounts: shows the file `name` at an existing path of the host, until it is uncovered.
 * Returns 0 or -errno. */
int scratch_cover(const struct scratch *scratch, const char *name, const char *path);
void scratch_uncover(const char *path);

#endif
