/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See policy_files.h. Runs in whoever decides. */
#include "launcher/policy_files.h"

#include <errno.h>

#include "base/str.h"

int policy_files_find(const struct policy_files *files, struct policy_file *file, struct err *err)
{
	for (size_t i = 0; i < files->n; i++) {
		if (!str_equal(files->list[i].ref, file->ref) ||
		    !str_equal(files->list[i].relative_to, file->relative_to))
			continue;
		*file = files->list[i];
		return 0;
	}
	err_set(err, ERR_POLICY, 0, "profile %s: the sandbox's record has not got it", file->ref);
	return err_hint(err, "It was made by another build of cordon: make the sandbox anew.");
}

int policy_files_note(struct policy_files *files, struct arena *arena,
		      const struct policy_file *file, struct err *err)
{
	struct policy_file *copy = &files->list[files->n];

	if (files->n == POLICY_FILES_MAX)
		return err_set(err, ERR_POLICY, 0, "profile %s: more than %d files", file->path,
			       POLICY_FILES_MAX);
	*copy = *file;
	copy->ref = arena_strdup(arena, file->ref);
	copy->relative_to = arena_strdup(arena, file->relative_to);
	if (copy->ref == NULL || copy->relative_to == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "profile %s", file->path);
	files->n++;
	return 0;
}
