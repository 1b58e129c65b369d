/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image rm`. Reads records of ours alone: no JSON, no archive. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "libexec/image/importer.h"

int command_open_store(const struct command *command, struct store *ret, struct err *err)
{
	int r = store_open(command->state, false, ret, err);

	if (r == 0)
		str_format(ret->run, sizeof(ret->run), "%s",
			   command->run != NULL ? command->run : "");
	return r == -ENOENT ? 1 : r;
}

int command_refuse_empty(const char *word, struct err *err)
{
	err_set(err, ERR_USAGE, 0, "no image %s", word);
	return err_hint(err, "There is no image yet: `cordon help image` says how to get one.");
}

struct names_of {
	const char *hex;
	char name[STORE_NAME_MAX + 1];
	size_t n;
};

static int count_names(void *ctx, const char *name, const char *hex)
{
	struct names_of *names = ctx;

	if (!str_equal(hex, names->hex))
		return 0;
	str_format(names->name, sizeof(names->name), "%s", name);
	names->n++;
	return 0;
}

/* The name that a word stands for: itself, or the only one of an id. */
static int name_of(struct store *store, const char *word, char name[STORE_NAME_MAX + 1],
		   struct err *err)
{
	char hex[STORE_HEX_SIZE];
	struct names_of names = {.hex = hex};
	struct err ignored;
	int r;

	if (store_name_parse(word, name, &ignored) == 0 &&
	    store_ref_get(store, name, hex, &ignored) == 0)
		return 0;
	r = store_find(store, word, hex, err);
	if (r == 0)
		r = store_ref_each(store, count_names, &names, err);
	if (r == 0 && names.n != 1) {
		err_set(err, ERR_USAGE, 0, "image %s has %zu names", word, names.n);
		return err_hint(err, names.n == 0 ? "`cordon image prune` removes it."
						  : "Remove its names: cordon image rm NAME...");
	}
	str_format(name, STORE_NAME_MAX + 1, "%s", names.name);
	return r;
}

void say_sweep(const struct command *command, const struct store_sweep *sweep, bool is_whole)
{
	const char *all = command->is_all ? " -a" : "";

	if (sweep->is_busy)
		say_note("another command is adding images: their layers stay until the next "
			 "`cordon image prune%s`",
			 all);
	else if (sweep->n_in_use > 0)
		say_note("%u layers are in use, and stay until the next `cordon image prune%s`",
			 sweep->n_in_use, all);
	if (is_whole && !command->is_quiet)
		printf("%u images and %u layers removed\n", sweep->n_images, sweep->n_layers);
}

/* A sandbox that is kept, and its image. */
struct holder {
	const char *hex;
	char sandbox[STORE_NAME_MAX + 1];
};

static int find_holder(void *ctx, const char *sandbox, const char *hex)
{
	struct holder *holder = ctx;

	if (str_equal(hex, holder->hex))
		str_format(holder->sandbox, sizeof(holder->sandbox), "%s", sandbox);
	return 0;
}

/* The last name of an image that a kept sandbox is to be started from again. */
static int refuse_held(struct store *store, const char *name, const char *hex, struct err *err)
{
	struct names_of names = {.hex = hex};
	struct holder holder = {.hex = hex};
	int r = store_ref_each(store, count_names, &names, err);

	if (r == 0 && names.n == 1)
		r = store_held_each(store, find_holder, &holder, err);
	if (r < 0 || holder.sandbox[0] == '\0')
		return r;
	err_set(err, ERR_USAGE, 0, "image %s: sandbox %.*s is started from it", name, 12,
		holder.sandbox);
	return err_hint(err,
			"Remove the sandbox first (cordon rm %.*s), or say -f: then nothing can be "
			"started from it or in it any more.",
			12, holder.sandbox);
}

static int remove_name(const struct command *command, struct store *store, const char *word,
		       char ret_hex[STORE_HEX_SIZE], struct err *err)
{
	char name[STORE_NAME_MAX + 1];
	int r = name_of(store, word, name, err);

	if (r == 0)
		r = store_ref_get(store, name, ret_hex, err);
	if (r == 0 && !command->is_forced)
		r = refuse_held(store, name, ret_hex, err);
	if (r == 0)
		r = store_ref_remove(store, name, err);
	if (r == 0 && !command->is_quiet)
		printf("%s\n", name);
	return r;
}

static int remove_names(const struct command *command, struct store *store, struct err *err)
{
	size_t n = command->n_words;
	_cleanup_free_ char(*hex)[STORE_HEX_SIZE] = calloc(n, sizeof(*hex));
	_cleanup_free_ const char **forced = calloc(n + 1, sizeof(*forced));
	struct store_sweep sweep;
	int r = 0;

	if (hex == NULL || forced == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "image rm");
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = remove_name(command, store, command->words[i], hex[i], err);
		if (command->is_forced)
			forced[i] = hex[i];
	}
	if (r == 0)
		r = store_sweep(store, &(struct store_spared){.forced = forced}, &sweep, err);
	if (r == 0)
		say_sweep(command, &sweep, false);
	return r;
}

int command_rm(const struct command *command, struct err *err)
{
	struct store store;
	int r = command_open_store(command, &store, err);

	if (r != 0)
		return r < 0 ? r : command_refuse_empty(command->words[0], err);
	r = remove_names(command, &store, err);
	store_release(&store);
	return r;
}
