/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is there when it is whole: whoever is killed before leaves none of that name. */
#ifndef CORDON_BASE_WHOLE_FILE_H
#define CORDON_BASE_WHOLE_FILE_H

#include <limits.h>
#include <sys/types.h>

#include "base/err.h"

/* It has no name until it is whole; where the file system has no such files, another one
 * (".cordon-ID"). */
struct whole_file {
	int fd;  /* to be written to */
	int dir; /* each is -EBADF when not open */
	const char *path;
	const char *base;
	char temporary[NAME_MAX + 1]; /* "": without a name */
};

#define WHOLE_FILE_NONE                     \
	{                                   \
		.fd = -EBADF, .dir = -EBADF \
	}

/* path: kept. mode: less the umask. A file that is there is refused (-EEXIST). */
int must_check whole_file_open(const char *path, mode_t mode, struct whole_file *ret,
			       struct err *err);
/* It is whole: it is written to the disk, and gets its name. Where one has come to be there
 * meanwhile that stays (-EEXIST). */
int must_check whole_file_name(struct whole_file *file, struct err *err);
/* Without whole_file_name nothing is left of it. Idempotent. */
void whole_file_close(struct whole_file *file);

#endif
