/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon commit`: an image of a sandbox's own image and what it wrote to its root. */
#include "cmd/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cmd/helper.h"
#include "cmd/inside.h"
#include "cmd/print.h"
#include "cmd/volume_freeze.h"
#include "storage/store.h"

struct commit {
	const struct words *words;
	char name[STORE_NAME_MAX + 1]; /* "": none */
	bool pauses;
	int exit_code;
};

static void put_flags(struct helper *h, const struct words *words)
{
	static const char *const passed[] = {"--max-size", "--max-entries"};

	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		const char *value = words_value(words, passed[i]);

		if (value == NULL)
			continue;
		helper_put(h, passed[i], "");
		helper_put(h, value, "");
	}
	helper_put_truth(h, "--quiet", words_has(words, "--quiet"));
	helper_put(h, "--", "");
}

/* It stands still meanwhile, unless it does anyway. */
static int pack(struct commit *commit, const struct inside *inside, struct helper *h,
		struct err *err)
{
	_cleanup_free_ struct volume_freeze *freeze = NULL;
	int r;

	if (!commit->pauses || inside->is_stopped)
		return helper_run(h, err);
	freeze = calloc(1, sizeof(*freeze));
	if (freeze == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "commit");
	r = volume_freeze_sandbox(inside->context, inside->sandbox->id, freeze, err);
	if (r < 0)
		return r;
	if (freeze->n > 0)
		helper_put_fd(h, "mark=", freeze->list[0].mark_fd);
	r = helper_run(h, err);
	return volume_thaw(freeze) < 0 && r == 0 ? EXIT_CORDON : r;
}

static int run(void *ctx, const struct inside *inside, struct err *err)
{
	_cleanup_free_ struct helper *h = NULL;
	struct commit *commit = ctx;
	const char *image = inside->record->request.image_id;
	_cleanup_fd_ int upper = -EBADF, edits = -EBADF;
	char store[PATH_MAX];
	int r;

	if (image == NULL) {
		err_set(err, ERR_USAGE, 0, "sandbox %s: its root is %s, and no image", inside->ref,
			inside->record->rootfs);
		return err_hint(err,
				"Its files alone: cordon export %s | cordon image import - "
				"NAME",
				inside->ref);
	}
	upper = inside_open_upper(inside, err);
	if (upper < 0)
		return upper;
	edits = commit_edits(inside->record, commit->words, err);
	r = edits < 0 ? edits : cmd_image_store(inside->context, store, err);
	if (r < 0)
		return r;
	h = malloc(sizeof(*h));
	if (h == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "commit");
	helper_init(h, store, "commit");
	put_flags(h, commit->words);
	helper_put_fd(h, "from=", upper);
	helper_put_fd(h, "edits=", edits);
	helper_put_fd(h, "userns=", inside->target->namespace_fds[0]);
	helper_put_truth(h, "block", inside->target->id_block != 0);
	helper_put(h, "image=", image);
	if (commit->name[0] != '\0')
		helper_put(h, "name=", commit->name);
	helper_put(h, "shown=", inside->ref);
	r = pack(commit, inside, h, err);
	commit->exit_code = r > 0 ? r : 0;
	return r < 0 ? r : 0;
}

int cmd_commit(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	struct commit commit = {.words = &words};
	struct inside_work work = {.use = TARGET_READ, .run = run, .ctx = &commit};
	struct err err = {0};
	int exit_code;
	int n = command_parse("commit", argv + 1, &words, &exit_code);

	(void)argc;
	if (n < 0)
		return exit_code;
	if (n < 1 || n > 2) {
		print_note("commit wants one sandbox, and the new image's name");
		print_note("  hint: cordon commit SANDBOX NAME:TAG");
		return EXIT_CORDON;
	}
	if (n == 2 && store_name_parse(argv[2], commit.name, &err) < 0) {
		print_err(&err);
		return EXIT_CORDON;
	}
	commit.pauses = !words_said(&words, "--pause") || words_has(&words, "--pause");
	work.ref = argv[1];
	exit_code = inside_do(context, &work);
	return exit_code != 0 ? exit_code : commit.exit_code;
}
