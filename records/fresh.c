/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See fresh.h. Runs in the waiter (keeper.c), between two starts. */
#include "records/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

struct record_mark record_mark_of(const struct sandbox *sandbox)
{
	enum { NS_IN_S = 1000000000 };
	struct stat st;

	/* Written anew it is another file. */
	if (fstatat(sandbox->dir_fd, "record", &st, AT_SYMLINK_NOFOLLOW) != 0)
		return (struct record_mark){0};
	return (struct record_mark){.inode = st.st_ino,
				    .changed_ns = (int64_t)st.st_ctim.tv_sec * NS_IN_S +
						  st.st_ctim.tv_nsec};
}

static int decide(struct fresh *fresh, const struct records *records,
		  const struct run_request *roots, struct err *err)
{
	struct policy_problems *problems = calloc(1, sizeof(*problems));
	struct misses *misses = calloc(1, sizeof(*misses));
	struct run_request request = fresh->record.request;
	int r = -ENOMEM;

	request.root_dir = roots->root_dir;
	request.runtime_dir = roots->runtime_dir;
	request.kept_dir = records->home;
	record_keep(&request);
	if (problems != NULL && misses != NULL)
		r = cordon_decide(&request, &fresh->decision, problems, misses, err);
	else
		err_set(err, ERR_SETUP, ENOMEM, "decide anew");
	free(problems);
	free(misses);
	return r;
}

int fresh_look(const struct keep *keep, const struct run_request *roots, struct record_mark *mark,
	       struct fresh **ret, struct err *err)
{
	struct record_mark now = record_mark_of(keep->sandbox);
	struct fresh *fresh;
	int r;

	if (now.inode == mark->inode && now.changed_ns == mark->changed_ns)
		return 0;
	fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "the sandbox's record");
	r = record_read(keep->records, keep->sandbox, &fresh->record, err);
	if (r == 0) {
		/* It moves with the struct that it is in. */
		fresh->record.request.files = &fresh->record.files;
		r = decide(fresh, keep->records, roots, err);
		if (r < 0)
			cordon_release(&fresh->decision);
	}
	if (r < 0) {
		record_free(&fresh->record);
		free(fresh);
		return r;
	}
	*mark = now;
	*ret = fresh;
	return 1;
}
