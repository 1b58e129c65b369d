/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon rm`, `prune` and `rename`. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "cmd/life.h"
#include "cmd/print.h"
#include "cmd/volume.h"
#include "records/events.h"

/* ---- rm ---- */

/* Needs: its lock. forces: what cannot be read of it is no reason to keep it. */
static int remove_ended(const struct records *records, struct sandbox *sandbox, bool forces,
			struct err *err)
{
	int r = status_settle(records, sandbox, err);

	if (r < 0 && !forces)
		return r;
	return records_remove(records, sandbox, err);
}

/* The anonymous ones of what `uses` has of the sandbox, which is gone; those that another uses
 * stay. */
static int remove_volumes(const struct volume_place *place, const struct volume_uses *uses,
			  const char *id, struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < uses->n; i++) {
		const char *name = uses->list[i].name;
		struct volume volume;
		int r;

		if (!str_equal(uses->list[i].sandbox, id))
			continue;
		r = volumes_read(&place->volumes, name, &volume, err);
		if (r == 0 && volume.is_anonymous)
			r = volumes_remove(&place->volumes, name, place->run, err);
		result = r < 0 && r != -ENOENT && r != -EBUSY ? r : result;
	}
	return result;
}

struct remove {
	bool forces;
	bool with_volumes;
};

/* Needs: its lock. */
static int remove_with(const struct life *life, struct sandbox *sandbox, struct err *err)
{
	const struct remove *how = life->how;
	struct volume_place place = {.volumes = {.fd = -EBADF}};
	struct volume_uses uses = {.n = 0};
	int r = 0;

	if (how->with_volumes) {
		r = volume_place_open(life->context, false, &place, err);
		if (r == 0)
			r = volume_uses_read(&place, &uses, err);
	}
	if (r == 0)
		r = remove_ended(life->records, sandbox, how->forces, err);
	if (r == 0 && how->with_volumes)
		r = remove_volumes(&place, &uses, sandbox->id, err);
	volume_uses_free(&uses);
	volume_place_close(&place);
	return r;
}

static int remove_one(const struct life *life, struct sandbox *sandbox, const char *ref)
{
	const struct remove *remove = life->how;
	struct life_end how = {.grace_ms = 0, .signo = SIGKILL};
	struct err err = {0};
	int r = 0;

	if (remove->forces && records_is_running(sandbox))
		r = life_end(life->records, sandbox, &how, &err);
	if (r == 0)
		r = sandbox_lock(life->records, sandbox, &err);
	/* One that removes itself at its end. */
	if (r == -ENOENT && remove->forces)
		return 0;
	if (r == 0 && records_is_running(sandbox)) {
		err_set(&err, ERR_USAGE, EBUSY, "sandbox %s runs", ref);
		err_hint(&err, "Stop it first: cordon stop %s, or cordon rm -f %s.", ref, ref);
		return life_say(&err);
	}
	if (r == 0)
		r = remove_with(life, sandbox, &err);
	return r < 0 ? life_say(&err) : 0;
}

int cmd_rm(const struct cmd_context *context, int argc, char **argv)
{
	struct words words;
	struct remove how;
	int exit_code;

	(void)argc;
	if (life_parse("rm", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	how = (struct remove){.forces = words_has(&words, "--force"),
			      .with_volumes = words_has(&words, "--volumes")};
	return life_for_each(context, argv + 1, remove_one, &how, false);
}

/* ---- rename ---- */

int cmd_rename(const struct cmd_context *context, int argc, char **argv)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct records records;
	struct words words;
	struct err err = {0};
	int exit_code;
	int r;

	(void)argc;
	if (life_parse("rename", argv, 2, &words, &exit_code) < 0)
		return exit_code;
	if (words.n > 2) {
		print_note("rename wants a sandbox and its new name, but was given %s as well",
			   argv[3]);
		return EXIT_CORDON;
	}
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	r = records_find(&records, argv[1], &sandbox, &err);
	if (r == 0)
		r = sandbox_lock(&records, &sandbox, &err);
	if (r == 0)
		r = records_rename(&records, &sandbox, argv[2], &err);
	if (r == 0)
		events_note(&records, &sandbox, "rename", NULL, 0);
	sandbox_release(&sandbox);
	kept_close(&records);
	return r < 0 ? life_say(&err) : 0;
}

/* ---- prune ---- */

struct prune {
	int64_t until_ms; /* INT64_MAX: any */
	const struct words *words;
};

/* "24h" ago, seconds since 1970, or a time in UTC. */
static int read_until(const char *text, int64_t *ret_ms)
{
	struct tm time = {0};
	uint64_t number;
	const char *rest;

	if (parse_u64(text, &number) == 0 && number < INT64_MAX / 1000) {
		*ret_ms = (int64_t)number * 1000;
		return 0;
	}
	if (parse_duration(text, &number) == 0 && number <= (uint64_t)record_now_ms()) {
		*ret_ms = record_now_ms() - (int64_t)number;
		return 0;
	}
	rest = strptime(text, "%Y-%m-%d", &time);
	if (rest != NULL && *rest == 'T')
		rest = strptime(rest, "T%H:%M:%S", &time);
	if (rest == NULL || (*rest != '\0' && !str_equal(rest, "Z")))
		return -EINVAL;
	*ret_ms = (int64_t)timegm(&time) * 1000;
	return 0;
}

static int read_filters(const struct words *words, struct prune *ret, struct err *err)
{
	*ret = (struct prune){.until_ms = INT64_MAX, .words = words};
	for (size_t i = 0; i < words->n_flags; i++) {
		const char *value = words->flags[i].value;

		if (!str_equal(words->flags[i].name, "--filter") ||
		    str_has_prefix(value, "label=") || str_has_prefix(value, "label!="))
			continue;
		if (str_has_prefix(value, "until=") &&
		    read_until(value + strlen("until="), &ret->until_ms) == 0)
			continue;
		err_set(err, ERR_USAGE, 0, "--filter %s: no filter of prune", value);
		return err_hint(err, "label=NAME, label=NAME=VALUE, label!=NAME, until=24h, "
				     "until=2026-01-31T12:00:00.");
	}
	return 0;
}

/* wanted: "NAME" or "NAME=VALUE". */
static bool has_label(const struct record *record, const char *wanted)
{
	size_t len = strlen(wanted);

	for (size_t i = 0; record->labels != NULL && record->labels[i] != NULL; i++) {
		const char *label = record->labels[i];

		if (str_equal(label, wanted) ||
		    (strchr(wanted, '=') == NULL && strncmp(label, wanted, len) == 0 &&
		     label[len] == '='))
			return true;
	}
	return false;
}

static bool is_chosen(const struct prune *prune, const struct record *record)
{
	if (record->created_ms >= prune->until_ms)
		return false;
	for (size_t i = 0; i < prune->words->n_flags; i++) {
		const char *value = prune->words->flags[i].value;

		if (!str_equal(prune->words->flags[i].name, "--filter"))
			continue;
		if (str_has_prefix(value, "label=") && !has_label(record, value + strlen("label=")))
			return false;
		if (str_has_prefix(value, "label!=") &&
		    has_label(record, value + strlen("label!=")))
			return false;
	}
	return true;
}

/* Returns an exit code. */
static int prune_one(const struct records *records, struct sandbox *sandbox,
		     const struct prune *prune)
{
	struct record record = {0};
	struct err err = {0};
	bool is_meant;
	int r;

	/* Of another command's at this moment it is not for us to say that it does not run. */
	if (records_is_running(sandbox))
		return 0;
	r = sandbox_lock(records, sandbox, &err);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = record_read(records, sandbox, &record, &err);
	if (r < 0)
		return life_say(&err);
	is_meant = is_chosen(prune, &record) && !records_is_running(sandbox);
	record_free(&record);
	if (!is_meant)
		return 0;
	if (remove_ended(records, sandbox, false, &err) < 0)
		return life_say(&err);
	print_out("%s\n", sandbox->id);
	return 0;
}

static int prune_all(const struct records *records, const struct prune *prune)
{
	_cleanup_free_ char(*ids)[RUN_ID_LEN + 1] = NULL;
	struct err err = {0};
	ssize_t n = records->is_there ? records_list(records, &ids, &err) : 0;
	int exit_code = n < 0 ? life_say(&err) : 0;

	for (ssize_t i = 0; i < n; i++) {
		struct sandbox sandbox = {.dir_fd = -EBADF};
		int code;

		if (records_open_id(records, ids[i], &sandbox) < 0)
			continue;
		code = prune_one(records, &sandbox, prune);
		exit_code = code != 0 ? code : exit_code;
		sandbox_release(&sandbox);
	}
	return exit_code;
}

int life_ask(const char *command, const char *warning)
{
	char answer[16];

	if (!isatty(STDIN_FILENO)) {
		print_note("%s asks before it removes, and stdin is no terminal", command);
		print_note("  hint: cordon %s -f does not ask.", command);
		return -EINVAL;
	}
	print_lines(warning);
	print_lines("Are you sure you want to continue? [y/N] ");
	if (fgets(answer, sizeof(answer), stdin) == NULL)
		return 0;
	return answer[0] == 'y' || answer[0] == 'Y';
}

int cmd_prune(const struct cmd_context *context, int argc, char **argv)
{
	struct records records;
	struct prune prune;
	struct words words;
	struct err err = {0};
	int exit_code;
	int r;

	(void)argc;
	if (life_parse("prune", argv, 0, &words, &exit_code) < 0)
		return exit_code;
	if (words.n > 0) {
		print_note("prune takes no arguments, but was given %s", argv[1]);
		return EXIT_CORDON;
	}
	if (read_filters(&words, &prune, &err) < 0)
		return life_say(&err);
	r = words_has(&words, "--force")
		    ? 1
		    : life_ask("prune",
			       "WARNING! This will remove all sandboxes that do not run.\n");
	if (r <= 0)
		return r < 0 ? EXIT_CORDON : 0;
	if (kept_open(context, false, &records) < 0)
		return EXIT_CORDON;
	exit_code = prune_all(&records, &prune);
	kept_close(&records);
	return exit_code;
}
