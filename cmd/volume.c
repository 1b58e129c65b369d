/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon volume rm` and `prune`, and what the commands of volumes share; see volume.h. */
#include "cmd/volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"

/* ---- the place ---- */

int volume_roots(const struct cmd_context *context, char *state, char *run, struct err *err)
{
	const struct state_owner owner = {.root_dir = context->root_dir,
					  .euid = geteuid(),
					  .environment = context->environment,
					  .home = cmd_variable(context, "HOME")};
	int r = state_kept_path(&owner, state, PATH_MAX, err);

	if (r == -ENOENT) {
		err_set(err, ERR_USAGE, 0, "no place for what is kept: HOME is not set");
		return err_hint(err, "Set HOME or XDG_DATA_HOME, or name one: cordon --root DIR.");
	}
	if (r < 0)
		return r;
	return state_root_path(context->root_dir, owner.euid,
			       cmd_variable(context, "XDG_RUNTIME_DIR"), run, PATH_MAX, err);
}

int volume_place_open(const struct cmd_context *context, bool makes, struct volume_place *ret,
		      struct err *err)
{
	char state[PATH_MAX];
	int r = volume_roots(context, state, ret->run, err);

	return r == 0 ? volumes_open(state, makes, &ret->volumes, err) : r;
}

void volume_place_close(struct volume_place *place)
{
	volumes_release(&place->volumes);
}

/* ---- who uses them ---- */

static int add_use(void *ctx, const char *sandbox, const char *name)
{
	struct volume_uses *uses = ctx;
	struct volume_use *use;

	/* Shown in two places it is used once. */
	for (size_t i = uses->n; i > 0 && str_equal(uses->list[i - 1].sandbox, sandbox); i--)
		if (str_equal(uses->list[i - 1].name, name))
			return 0;
	if (uses->n == uses->room) {
		void *more = reallocarray(uses->list, uses->room + 64, sizeof(*uses->list));

		if (more == NULL)
			return -ENOMEM;
		uses->list = more;
		uses->room += 64;
	}
	use = &uses->list[uses->n++];
	str_format(use->sandbox, sizeof(use->sandbox), "%s", sandbox);
	str_format(use->name, sizeof(use->name), "%s", name);
	return 0;
}

int volume_uses_read(const struct volume_place *place, struct volume_uses *ret, struct err *err)
{
	struct volume_uses uses = {.n = 0};
	const struct volume_users users = {.fn = add_use, .ctx = &uses};
	int r = volumes_users(&place->volumes, place->run, &users, err);

	if (r < 0)
		volume_uses_free(&uses);
	else
		*ret = uses;
	return r;
}

void volume_uses_free(struct volume_uses *uses)
{
	free(uses->list);
	*uses = (struct volume_uses){.n = 0};
}

bool volume_is_used(const struct volume_place *place, const struct volume_uses *uses,
		    const char *name)
{
	for (size_t i = 0; i < uses->n; i++)
		if (str_equal(uses->list[i].name, name))
			return true;
	return volumes_is_held(&place->volumes, name);
}

/* ---- filters ---- */

static const char *filter_value(const char *filter, const char *key)
{
	size_t len = strlen(key);

	return strncmp(filter, key, len) == 0 && filter[len] == '=' ? filter + len + 1 : NULL;
}

int volume_check_filters(const char *command, const struct words *words, const char *const *keys,
			 struct err *err)
{
	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = words->flags[i].value;
		const char *dangling;
		bool is_known = false, is_truth;

		if (!str_equal(words->flags[i].name, "--filter"))
			continue;
		for (size_t k = 0; keys[k] != NULL; k++)
			is_known = is_known || (filter_value(value, keys[k]) != NULL &&
						filter_value(value, keys[k])[0] != '\0');
		dangling = filter_value(value, "dangling");
		if (is_known && (dangling == NULL || parse_bool(dangling, &is_truth) == 0))
			continue;
		err_set(err, ERR_USAGE, 0, "--filter %s: no such filter", value);
		return err_hint(err, "`cordon help volume %s` lists them.", command);
	}
	return 0;
}

static bool has_label(const struct volume *volume, const char *wanted)
{
	const char *label;
	size_t at = 0, len = strcspn(wanted, "=");

	while ((label = volume_next_pair(&volume->labels, &at)) != NULL)
		if (wanted[len] == '=' ? str_equal(label, wanted)
				       : strncmp(label, wanted, len) == 0 && label[len] == '=')
			return true;
	return false;
}

static bool matches(const struct volume *volume, const char *key, const char *value, bool is_used)
{
	if (str_equal(key, "driver"))
		return str_equal(value, "local");
	if (str_equal(key, "name"))
		return strstr(volume->name, value) != NULL;
	return str_equal(value, is_used ? "false" : "true");
}

bool volume_is_chosen(const struct volume *volume, const struct words *words, bool is_used)
{
	static const char *const alternatives[] = {"driver", "name", "dangling"};
	bool is_chosen = true;

	for (size_t k = 0; k < sizeof(alternatives) / sizeof(alternatives[0]); k++) {
		const char *key = alternatives[k];
		bool is_asked = false, is_one = false;

		for (size_t i = 0; i < words->n_flags; i++) {
			const char *value = str_equal(words->flags[i].name, "--filter")
						    ? filter_value(words->flags[i].value, key)
						    : NULL;

			is_asked = is_asked || value != NULL;
			is_one = is_one || (value != NULL && matches(volume, key, value, is_used));
		}
		is_chosen = is_chosen && (!is_asked || is_one);
	}
	for (size_t i = 0; i < words->n_flags; i++) {
		bool is_filter = str_equal(words->flags[i].name, "--filter");
		const char *with = is_filter ? filter_value(words->flags[i].value, "label") : NULL;
		const char *without =
			is_filter ? filter_value(words->flags[i].value, "label!") : NULL;

		is_chosen = is_chosen && (with == NULL || has_label(volume, with)) &&
			    (without == NULL || !has_label(volume, without));
	}
	return is_chosen;
}

/* ---- removing ---- */

/* Returns an exit code. */
static int remove_one(const struct volume_place *place, const char *name, bool forced)
{
	struct volume volume;
	struct err err = {0};
	int r = volumes_find(&place->volumes, name, &volume, &err);

	if (r == -ENOENT && forced)
		return 0;
	/* What is damaged can be removed as well, where that is meant. */
	if (r == 0 || (forced && r != -ENOENT))
		r = volumes_remove(&place->volumes, name, place->run, &err);
	if (r < 0)
		return life_say(&err);
	print_out("%s\n", name);
	return 0;
}

int cmd_volume_rm(const struct cmd_context *context, int argc, char **argv)
{
	struct volume_place place;
	struct words words;
	struct err err = {0};
	int exit_code = 0;

	(void)argc;
	if (life_parse("volume rm", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	if (volume_place_open(context, false, &place, &err) < 0)
		return life_say(&err);
	exit_code = 0;
	for (char **word = argv + 1; *word != NULL; word++) {
		int code = remove_one(&place, *word, words_has(&words, "--force"));

		exit_code = code != 0 ? code : exit_code;
	}
	volume_place_close(&place);
	return exit_code;
}

/* ---- pruning ---- */

/* What came into use meanwhile is refused by volumes_remove, and said. */
static int prune(const struct volume_place *place, const struct words *words)
{
	struct volume_list list = {.n = 0};
	struct volume_uses uses = {.n = 0};
	struct err err = {0};
	int exit_code = 0;

	if (volume_uses_read(place, &uses, &err) < 0)
		return life_say(&err);
	if (volumes_list(&place->volumes, &list, &err) < 0 || list.n_damaged > 0)
		exit_code = life_say(&err);
	for (size_t i = 0; i < list.n; i++) {
		const struct volume *volume = &list.list[i];

		if ((!volume->is_anonymous && !words_has(words, "--all")) ||
		    volume_is_used(place, &uses, volume->name) ||
		    !volume_is_chosen(volume, words, false))
			continue;
		if (volumes_remove(&place->volumes, volume->name, place->run, &err) == 0)
			print_out("%s\n", volume->name);
		else
			exit_code = life_say(&err);
	}
	volume_list_free(&list);
	volume_uses_free(&uses);
	return exit_code;
}

int cmd_volume_prune(const struct cmd_context *context, int argc, char **argv)
{
	static const char *const keys[] = {"label", "label!", NULL};
	struct volume_place place;
	struct words words;
	struct err err = {0};
	int exit_code;
	int r;

	(void)argc;
	if (life_parse("volume prune", argv, 0, &words, &exit_code) < 0)
		return exit_code;
	if (words.n > 0) {
		print_note("volume prune takes no arguments, but was given %s", argv[1]);
		return EXIT_CORDON;
	}
	if (volume_check_filters("prune", &words, keys, &err) < 0)
		return life_say(&err);
	r = words_has(&words, "--force")
		    ? 1
		    : life_ask("volume prune",
			       words_has(&words, "--all")
				       ? "WARNING! This will remove all volumes that no sandbox "
					 "uses.\n"
				       : "WARNING! This will remove all anonymous volumes that no "
					 "sandbox uses.\n");
	if (r <= 0)
		return r < 0 ? EXIT_CORDON : 0;
	if (volume_place_open(context, false, &place, &err) < 0)
		return life_say(&err);
	exit_code = prune(&place, &words);
	volume_place_close(&place);
	return exit_code;
}

int cmd_volume(const struct cmd_context *context, int argc, char **argv)
{
	const struct subcommand *volume = command_find(commands, "volume");
	const struct subcommand *command;

	if (argc < 2) {
		ignore_result(command_print_help_of("volume"), "the exit code is the mistake's");
		return EXIT_CORDON;
	}
	if (str_equal(argv[1], "--help") || str_equal(argv[1], "-h"))
		return command_print_help_of("volume");
	command = command_find(volume->below, argv[1]);
	return command != NULL ? command->main(context, argc - 1, argv + 1)
			       : command_refuse(volume->below, "volume", argv[1]);
}
