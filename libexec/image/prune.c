/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image prune`: images without a name, or with --all without a sandbox. Reads records of
 * ours alone: no JSON, no archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/texts.h"
#include "libexec/image/importer.h"

struct pruning {
	const struct command *command;
	struct store *store;
	uint64_t until_s; /* only those from before */
	struct image_record *record;
	struct image_setting *setting;
	struct err *err;
};

/* Of names or of images: list is made when all are there. */
struct chosen {
	struct texts texts;
	size_t n;
};

/* ---- filters ---- */

static int read_filters(struct pruning *p)
{
	p->until_s = UINT64_MAX;
	for (size_t i = 0; i < p->command->n_filters; i++) {
		const char *filter = p->command->filters[i];

		if (str_has_prefix(filter, "label=") || str_has_prefix(filter, "label!="))
			continue;
		/* `cordon image` has made a number of it. */
		if (str_has_prefix(filter, "until=") &&
		    parse_u64(filter + strlen("until="), &p->until_s) == 0)
			continue;
		err_set(p->err, ERR_USAGE, 0, "--filter %s: is none of prune", filter);
		return err_hint(p->err, "label=NAME, label=NAME=VALUE, label!=NAME, until=24h, "
					"until=2026-01-31T12:00:00.");
	}
	return 0;
}

/* wanted: NAME or NAME=VALUE. */
static bool has_label(const struct pruning *p, const char *wanted)
{
	const char *at = p->record->settings, *value = strchr(wanted, '=');
	size_t len = strcspn(wanted, "=");

	while (image_settings_next(&at, p->setting) == 1) {
		bool is_it = str_equal(p->setting->key, "Label") &&
			     strlen(p->setting->value) == len &&
			     strncmp(p->setting->value, wanted, len) == 0;

		if (!is_it || image_settings_next(&at, p->setting) != 1)
			continue;
		if (value == NULL || str_equal(p->setting->value, value + 1))
			return true;
	}
	return false;
}

/* 1: the filters let it go. */
static int is_meant(struct pruning *p, const char *hex)
{
	int r = image_record_read(p->store, hex, p->record, p->err);

	if (r < 0)
		return r;
	if (p->record->imported_s >= p->until_s)
		return 0;
	for (size_t i = 0; i < p->command->n_filters; i++) {
		const char *filter = p->command->filters[i];

		if (str_has_prefix(filter, "label=") && !has_label(p, filter + strlen("label=")))
			return 0;
		if (str_has_prefix(filter, "label!=") && has_label(p, filter + strlen("label!=")))
			return 0;
	}
	return 1;
}

/* ---- in use ---- */

struct holding {
	const char *hex;
	bool is_held;
};

static int note_held(void *ctx, const char *sandbox, const char *hex)
{
	struct holding *holding = ctx;

	(void)sandbox;
	holding->is_held = holding->is_held || str_equal(hex, holding->hex);
	return 0;
}

/* Who runs from an image holds each of its layers; of one that is held in part others hold that. */
static int is_run_from(struct pruning *p)
{
	for (size_t i = 0; i < p->record->n_layers; i++) {
		_cleanup_fd_ int fd =
			sys_openat(p->store->layers_fd, p->record->layers[i],
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

		if (fd < 0)
			return err_set(p->err, ERR_SETUP, -fd, "layer %s", p->record->layers[i]);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return err_set(p->err, ERR_SETUP, errno, "layer %s: lock",
				       p->record->layers[i]);
	}
	return p->record->n_layers > 0;
}

/* ---- what goes, and what stays ---- */

static int choose(struct chosen *chosen, const char *text)
{
	size_t at;

	chosen->n++;
	return texts_add(&chosen->texts, text, &at);
}

struct naming {
	struct pruning *p;
	struct chosen names;
};

static int choose_name(void *ctx, const char *name, const char *hex)
{
	struct naming *naming = ctx;
	struct pruning *p = naming->p;
	struct holding holding = {.hex = hex};
	int r = is_meant(p, hex);

	if (r == 1)
		r = store_held_each(p->store, note_held, &holding, p->err);
	else
		return r;
	if (r == 0 && !holding.is_held)
		r = is_run_from(p);
	if (r != 0 || holding.is_held)
		return r < 0 ? r : 0;
	r = choose(&naming->names, name);
	return r < 0 ? err_set(p->err, ERR_SETUP, -r, "names of images") : 0;
}

static int remove_names(struct pruning *p)
{
	struct naming naming = {.p = p};
	const char *name;
	int r = store_ref_each(p->store, choose_name, &naming, p->err);

	name = naming.names.texts.bytes;
	for (size_t i = 0; r == 0 && i < naming.names.n; i++, name += strlen(name) + 1) {
		r = store_ref_remove(p->store, name, p->err);
		if (r == 0 && !p->command->is_quiet)
			printf("%s\n", name);
	}
	texts_release(&naming.names.texts);
	return r;
}

/* Those that the filters keep. */
static int spare(struct pruning *p, struct chosen *spared)
{
	struct store_names names = {0};
	int r = store_names_read(p->store->images_fd, false, &names);

	if (r < 0)
		err_set(p->err, ERR_SETUP, -r, "%s/images", p->store->path);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		if (!store_is_hex(names.list[i]))
			continue;
		r = is_meant(p, names.list[i]);
		if (r == 0 && choose(spared, names.list[i]) < 0)
			r = err_set(p->err, ERR_SETUP, ENOMEM, "images");
		r = r > 0 ? 0 : r;
	}
	store_names_release(&names);
	return r;
}

static int sweep(struct pruning *p)
{
	struct chosen spared = {.n = 0};
	struct store_sweep done;
	int r = p->command->n_filters > 0 ? spare(p, &spared) : 0;
	_cleanup_free_ const char **list = calloc(spared.n + 1, sizeof(*list));
	const char *at = spared.texts.bytes;

	if (r == 0 && list == NULL)
		r = err_set(p->err, ERR_SETUP, ENOMEM, "images");
	for (size_t i = 0; r == 0 && list != NULL && i < spared.n; i++, at += strlen(at) + 1)
		list[i] = at;
	if (r == 0)
		r = store_sweep(p->store, &(struct store_spared){.images = list}, &done, p->err);
	texts_release(&spared.texts);
	if (r == 0)
		say_sweep(p->command, &done, true);
	return r;
}

static int prune(const struct command *command, struct store *store, struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	_cleanup_free_ struct image_setting *setting = malloc(sizeof(*setting));
	struct pruning p = {.command = command,
			    .store = store,
			    .record = record,
			    .setting = setting,
			    .err = err};
	int r = record == NULL || setting == NULL ? err_set(err, ERR_SETUP, ENOMEM, "prune")
						  : read_filters(&p);

	if (r == 0 && command->is_all)
		r = remove_names(&p);
	return r == 0 ? sweep(&p) : r;
}

int command_prune(const struct command *command, struct err *err)
{
	struct store_sweep none = {0};
	struct store store;
	int r = command_open_store(command, &store, err);

	if (r > 0)
		say_sweep(command, &none, true);
	if (r != 0)
		return r < 0 ? r : 0;
	r = prune(command, &store, err);
	store_release(&store);
	return r;
}
