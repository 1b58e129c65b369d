/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon diff`: what a sandbox wrote to its root. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "cmd/helper.h"
#include "cmd/inside.h"
#include "cmd/print.h"
#include "cmd/words.h"

static const char dir_prefix[] = "dir:";

struct diff {
	bool wants_json;
	int exit_code;
};

int inside_open_upper(const struct inside *inside, struct err *err)
{
	const char *rootfs = inside->record->rootfs;
	int fd;

	if (inside->record->request.image_id == NULL && !str_has_prefix(rootfs, dir_prefix)) {
		err_set(err, ERR_USAGE, 0, "sandbox %s: its root is %s, put together at each start",
			inside->ref, rootfs);
		return err_hint(err, "There is nothing that it could be compared with: one of an "
				     "image or of dir:PATH has that.");
	}
	if (inside->target->upper_fd < 0)
		return err_set(err, ERR_USAGE, 0,
			       "sandbox %s: its root is read-only, nothing is written to it",
			       inside->ref);
	fd = sys_openat(inside->target->upper_fd, "upper",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd < 0 ? err_set(err, ERR_SETUP, -fd, "sandbox %s: what it wrote", inside->ref) : fd;
}

static int open_lower(const struct inside *inside, struct err *err)
{
	const char *path = inside->record->rootfs + sizeof(dir_prefix) - 1;
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	return fd < 0 ? err_set(err, ERR_USAGE, -fd, "%s", path) : fd;
}

static int run(void *ctx, const struct inside *inside, struct err *err)
{
	_cleanup_free_ struct helper *h = NULL;
	const char *image = inside->record->request.image_id;
	_cleanup_fd_ int upper = inside_open_upper(inside, err), lower = -EBADF;
	struct diff *diff = ctx;
	char store[PATH_MAX];
	int r = upper < 0 ? upper : cmd_image_store(inside->context, store, err);

	if (r == 0 && image == NULL) {
		lower = open_lower(inside, err);
		r = lower < 0 ? lower : 0;
	}
	if (r < 0)
		return r;
	h = malloc(sizeof(*h));
	if (h == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "diff");
	helper_init(h, store, "changes");
	helper_put_truth(h, "--json", diff->wants_json);
	helper_put(h, "--", "");
	helper_put_fd(h, "from=", upper);
	helper_put_fd(h, "userns=", inside->target->namespace_fds[0]);
	helper_put_truth(h, "block", inside->target->id_block != 0);
	if (image != NULL)
		helper_put(h, "image=", image);
	else
		helper_put_fd(h, "lower=", lower);
	r = helper_run(h, err);
	diff->exit_code = r > 0 ? r : 0;
	return r < 0 ? r : 0;
}

int cmd_diff(const struct cmd_context *context, int argc, char **argv)
{
	struct diff diff = {.exit_code = 0};
	struct inside_work work = {.use = TARGET_READ, .run = run, .ctx = &diff};
	int exit_code;
	int n = command_words("diff", argv + 1, &diff.wants_json, &exit_code);

	(void)argc;
	if (n < 0)
		return exit_code;
	if (n != 1) {
		print_note("diff wants one sandbox");
		print_note("  hint: cordon diff SANDBOX");
		return EXIT_CORDON;
	}
	work.ref = argv[1];
	exit_code = inside_do(context, &work);
	return exit_code != 0 ? exit_code : diff.exit_code;
}
