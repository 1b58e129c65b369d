/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --volumes-from; see volumes_from.h. */
#include "cmd/volumes_from.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/json_read.h"
#include "base/str.h"
#include "cmd/kept.h"
#include "records/store.h"

enum { ARENA_SIZE = 4 << 20, ENTRY_MAX = 64 << 10 };

/* ---- one mount ---- */

static void put_protected(struct json *json, const struct spec_mount *mount,
			  enum spec_protection protection, const char *key)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < mount->n_protected; i++)
		if (mount->protected[i].protection == protection)
			json_text(json, NULL, mount->protected[i].path);
	json_close(json, ']');
}

/* name: of a volume. */
static void put_entry(struct json *json, const struct spec_mount *mount, const char *name,
		      bool is_read_only)
{
	json_open(json, NULL, '{');
	json_text(json, "type", mount->type == MOUNT_VOLUME ? "volume" : "bind");
	json_text(json, "source", mount->type == MOUNT_VOLUME ? name : mount->source);
	json_text(json, "target", mount->target);
	json_truth(json, "read_only", mount->read_only || is_read_only);
	if (mount->noexec) {
		json_open(json, "options", '[');
		json_text(json, NULL, "noexec");
		json_close(json, ']');
	}
	if (mount->type == MOUNT_VOLUME && !mount->is_copied_to) {
		json_open(json, "volume", '{');
		json_truth(json, "nocopy", true);
		json_close(json, '}');
	}
	if (mount->n_protected > 0) {
		put_protected(json, mount, PROTECT_READ_ONLY, "read_only_below");
		put_protected(json, mount, PROTECT_HIDDEN, "hide_below");
	}
	json_close(json, '}');
}

/* What is no UTF-8 is another path as JSON. */
static bool is_said_so(struct json_slice entry, const char *key, const char *path)
{
	char copy[PATH_MAX];
	struct json_slice value;

	return json_find(entry, key, strlen(key), &value) == 0 &&
	       json_copy_text(value, copy, sizeof(copy)) == strlen(path) && str_equal(copy, path);
}

/* Its text, in the arena; NULL: not to be said. */
static const char *entry_text(struct arena *arena, const struct spec_mount *mount, const char *name,
			      bool is_read_only)
{
	char *buf = malloc(ENTRY_MAX), *text = NULL;
	struct json_slice entry;
	struct json json;
	ssize_t len;

	if (buf == NULL)
		return NULL;
	json_init(&json, buf, ENTRY_MAX);
	put_entry(&json, mount, name, is_read_only);
	len = json_finish(&json);
	if (len > 0 && json_read(buf, (size_t)len, &entry) == 0 &&
	    is_said_so(entry, "target", mount->target) &&
	    (mount->type == MOUNT_VOLUME || is_said_so(entry, "source", mount->source)))
		text = arena_copy(arena, buf, (size_t)len);
	free(buf);
	return text;
}

/* ---- one sandbox ---- */

/* Flags in the making. */
struct taking {
	const struct cmd_context *context;
	struct arena *arena;
	struct policy_flag flags[OPTIONS_FLAGS_MAX];
	size_t n;
};

static int put_flag(struct taking *taking, const struct policy_flag *flag, struct err *err)
{
	if (taking->n == OPTIONS_FLAGS_MAX)
		return err_set(err, ERR_USAGE, 0, "more than %d flags", OPTIONS_FLAGS_MAX);
	taking->flags[taking->n++] = *flag;
	return 0;
}

/* A tmpfs is of one sandbox, and so is the file that one runs. */
static bool is_for_others(const struct spec_mount *mount)
{
	return mount->type != MOUNT_TMPFS && !mount->is_program;
}

static int take_mounts(struct taking *taking, const struct decision *d, const char *id,
		       bool is_read_only, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->spec.n_mounts; i++) {
		const struct spec_mount *mount = &d->spec.mounts[i];
		struct policy_flag flag = {.kind = FLAG_VOLUMES_FROM};
		char name[CORDON_VOLUME_NAME_SIZE];

		if (!is_for_others(mount))
			continue;
		cordon_volume_name(id, mount, name);
		flag.text = entry_text(taking->arena, mount, name, is_read_only);
		r = flag.text != NULL ? put_flag(taking, &flag, err)
				      : err_set(err, ERR_USAGE, EILSEQ,
						"%s: cannot be taken from it", mount->target);
	}
	return r;
}

static int take_record(struct taking *taking, const struct record *record, bool is_read_only,
		       struct err *err)
{
	_cleanup_verdict_ struct verdict *verdict = verdict_new();
	int r;

	if (verdict == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "its record");
	r = kept_decide_record(taking->context, record, verdict);
	/* What the host lacks for it does not matter here. */
	if (verdict_is_resolved(verdict, r))
		return take_mounts(taking, &verdict->decision, record->id, is_read_only, err);
	*err = verdict->err;
	return r;
}

static int take_sandbox(struct taking *taking, const char *ref, bool is_read_only, struct err *err)
{
	struct sandbox sandbox = {.dir_fd = -EBADF};
	struct records records;
	struct record record;
	int r;

	if (kept_open(taking->context, false, &records) < 0)
		return err_set(err, ERR_SETUP, 0, "the records of sandboxes");
	r = records_find(&records, ref, &sandbox, err);
	if (r == 0)
		r = record_read(&records, &sandbox, &record, err);
	if (r == 0) {
		r = take_record(taking, &record, is_read_only, err);
		record_free(&record);
	}
	sandbox_release(&sandbox);
	records_release(&records);
	return r;
}

/* SANDBOX[:ro|rw] */
static int take_flag(struct taking *taking, const char *text, struct err *err)
{
	const char *mode = strchr(text, ':');
	_cleanup_free_ char *ref = NULL;
	int r;

	if (mode != NULL && !str_equal(mode, ":ro") && !str_equal(mode, ":rw")) {
		err_set(err, ERR_USAGE, 0, "--volumes-from %s: it has no mode '%s'", text,
			mode + 1);
		return err_hint(err, "There are ro, and rw for what the other sandbox may write.");
	}
	ref = strndup(text, mode != NULL ? (size_t)(mode - text) : strlen(text));
	if (ref == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "--volumes-from");
	r = take_sandbox(taking, ref, mode != NULL && str_equal(mode, ":ro"), err);
	return r < 0 ? err_wrap(err, "--volumes-from %s", text) : 0;
}

/* ---- the command line ---- */

static int take_all(struct taking *taking, const struct options *o, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->n_flags; i++)
		r = o->flags[i].kind == FLAG_VOLUMES_FROM ? take_flag(taking, o->flags[i].text, err)
							  : put_flag(taking, &o->flags[i], err);
	return r;
}

int volumes_from_take(const struct cmd_context *context, struct verdict *verdict)
{
	struct options *o = &verdict->options;
	_cleanup_free_ struct taking *taking = NULL;
	bool is_asked = false;
	int r;

	for (size_t i = 0; i < o->n_flags; i++)
		is_asked = is_asked || o->flags[i].kind == FLAG_VOLUMES_FROM;
	if (!is_asked)
		return 0;
	r = arena_init(&verdict->taken, ARENA_SIZE, &verdict->err);
	if (r < 0)
		return r;
	taking = calloc(1, sizeof(*taking));
	if (taking == NULL)
		return err_set(&verdict->err, ERR_SETUP, ENOMEM, "--volumes-from");
	taking->context = context;
	taking->arena = &verdict->taken;
	r = take_all(taking, o, &verdict->err);
	if (r == 0) {
		memcpy(o->flags, taking->flags, sizeof(o->flags));
		o->n_flags = taking->n;
	}
	return r;
}
