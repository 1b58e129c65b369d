/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See transfer.h. */
#include "cmd/transfer.h"

#include "base/str.h"
#include "cmd/helper.h"

/* A path may be longer than a word; in a message its beginning will do. */
enum { SHOWN_MAX = 512 };

/* What is written counts to the sandbox's limits, what is read does not. */
static void put_groups(struct helper *w, const struct transfer *t)
{
	char list[HELPER_WORD_SIZE];
	size_t len = 0;

	if (!t->to_inside || t->target->groups.n == 0)
		return;
	for (size_t i = 0; i < t->target->groups.n; i++) {
		int fd = t->target->groups.places[i].tasks_fd;

		len += str_format(list + len, sizeof(list) - len, "%s%d", i > 0 ? "," : "", fd);
		w->fds[w->n_fds++] = fd;
	}
	helper_put(w, "groups=", list);
}

static void put_all(struct helper *w, const struct transfer *t)
{
	char shown[SHOWN_MAX];

	str_format(shown, sizeof(shown), "%s", t->shown);
	helper_put_truth(w, "--quiet", t->is_quiet);
	helper_put(w, "--", "");
	helper_put_fd(w, "from=", t->from);
	helper_put_fd(w, "to=", t->to);
	helper_put_truth(w, "archive", t->is_archive);
	helper_put_truth(w, "output", t->is_output);
	helper_put_truth(w, "root", t->only_root);
	helper_put_truth(w, "from-inside", t->from_inside);
	helper_put_truth(w, "to-inside", t->to_inside);
	helper_put_truth(w, "owners", t->keeps_owners);
	helper_put_truth(w, "block", t->target->id_block != 0);
	helper_put_fd(w, "userns=", t->target->namespace_fds[0]);
	put_groups(w, t);
	helper_put(w, "as=", t->as);
	helper_put(w, "shown=", shown);
}

int transfer_run(const struct transfer *transfer, struct err *err)
{
	struct helper w;

	helper_init(&w, "-", "transfer");
	put_all(&w, transfer);
	return helper_run(&w, err);
}
