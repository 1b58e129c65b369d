/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a policy as they were read: noted while one is resolved, and given back in the place
 * of any file where a kept sandbox is resolved again. */
#ifndef CORDON_LAUNCHER_POLICY_FILES_H
#define CORDON_LAUNCHER_POLICY_FILES_H

#include "launcher/cordon.h"

/* Fills the rest of *file by its ref and relative_to. ERR_POLICY where they are not among them. */
int must_check policy_files_find(const struct policy_files *files, struct policy_file *file,
				 struct err *err);

/* Adds it; path, dir and text must outlive the list, ref and relative_to are copied. */
int must_check policy_files_note(struct policy_files *files, struct arena *arena,
				 const struct policy_file *file, struct err *err);

#endif
