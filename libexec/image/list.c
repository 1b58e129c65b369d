/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon image ls`, `inspect`, and what is said of an image that was just loaded.
 * Reads records of ours alone: no JSON, no archive. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"

enum { SHORT_ID = 12, LIST_SHOWN = 20, JSON_SIZE = 1 << 20, LISTED_MAX = 16 << 10 };

/* What is known of an image beside its record. */
struct totals {
	uint64_t n_bytes;
	uint64_t n_entries;
	uint64_t n_skipped;
	uint64_t n_owners;
};

static int read_image(struct store *store, const char *hex, struct image_record *record,
		      struct totals *totals, struct err *err)
{
	int r = image_record_read(store, hex, record, err);

	memset(totals, 0, sizeof(*totals));
	for (size_t i = 0; r == 0 && i < record->n_layers; i++) {
		struct layer_record layer;

		r = layer_record_read(store, record->layers[i], &layer, err);
		if (r < 0)
			break;
		totals->n_bytes += layer.n_bytes;
		totals->n_entries += layer.n_entries;
		totals->n_skipped += layer.n_skipped;
		totals->n_owners += layer.n_owners;
	}
	return r;
}

static void format_time(uint64_t seconds, char *buf, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (gmtime_r(&when, &parts) == NULL || strftime(buf, size, "%Y-%m-%d %H:%M", &parts) == 0)
		str_format(buf, size, "-");
}

/* ---- after a load ---- */

int say_loaded(struct importer *im, const char *name, struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	char hex[STORE_HEX_SIZE];
	struct totals totals = {0};
	int r;

	if (record == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "image %s", name);
	r = store_ref_get(im->store, name, hex, err);
	if (r == 0)
		r = read_image(im->store, hex, record, &totals, err);
	if (r < 0)
		return r;
	printf("%s sha256:%s\n", name, hex);
	if (im->is_quiet)
		return 0;
	if (totals.n_skipped > 0)
		say_note("%s: left out: %llu device nodes, attributes and the like (cordon image "
			 "inspect %s)",
			 name, (unsigned long long)totals.n_skipped, name);
	if (totals.n_owners > 0)
		say_note("%s: %llu entries have an owner, a setuid bit or a capability that is "
			 "kept in the store's books and not on the disk",
			 name, (unsigned long long)totals.n_owners);
	return 0;
}

/* ---- ls ---- */

struct listing {
	struct store *store;
	const struct command *command;
	bool is_json;
	const char *pattern; /* reference=; NULL: any name */
	bool wants_named, wants_nameless;
	size_t n;
	struct image_record *record;
	struct err *err;
};

static void print_row(const struct listing *l, const char *name, const char *hex,
		      const struct totals *totals)
{
	char size[32], when[32];

	int width = l->command->is_whole ? STORE_HEX_SIZE - 1 : SHORT_ID;

	if (l->command->is_quiet) {
		printf("%.*s\n", width, hex);
		return;
	}
	say_size(totals->n_bytes, size, sizeof(size));
	format_time(l->record->imported_s, when, sizeof(when));
	if (l->n == 0)
		printf("%-40s %-*s %10s  %s\n", "NAME", width, "ID", "SIZE", "IMPORTED (UTC)");
	printf("%-40s %.*s %10s  %s\n", name, width, hex, size, when);
}

static int print_object(const struct listing *l, const char *name, const char *hex,
			const struct totals *totals)
{
	char buf[2048];
	struct json json;

	json_init(&json, buf, sizeof(buf));
	json_open(&json, NULL, '{');
	json_text(&json, "name", name);
	json_text(&json, "id", hex);
	json_number(&json, "size_bytes", (int64_t)totals->n_bytes);
	json_number(&json, "layers", (int64_t)l->record->n_layers);
	json_text(&json, "architecture", l->record->architecture);
	json_text(&json, "source", l->record->source);
	json_number(&json, "imported_at", (int64_t)l->record->imported_s);
	json_close(&json, '}');
	if (json_finish(&json) < 0)
		return err_set(l->err, ERR_BUG, 0, "image %s: too much to print", name);
	printf("%s%s", l->n > 0 ? "," : "", buf);
	return 0;
}

/* For cordon's own list (cmd/image_list.c): words, and the size as it is shown behind them. */
static int put_fields(const struct listing *l, const char *name, const char *hex,
		      const struct totals *totals)
{
	char size[32], line[STORE_NAME_MAX + 512];
	size_t len;
	int r;

	say_size(totals->n_bytes, size, sizeof(size));
	len = str_format(line, sizeof(line), "%s %s %zu %s %s %llu %s\n", name, hex,
			 l->record->n_layers, l->record->architecture, l->record->source,
			 (unsigned long long)l->record->imported_s, size);
	r = io_write_all(l->command->fields_fd, line, len);
	return r < 0 ? err_set(l->err, ERR_SETUP, -r, "list") : 0;
}

/* Docker's reference=: the name, with its tag or without. */
static bool is_meant(const struct listing *l, const char *name)
{
	char untagged[STORE_NAME_MAX + 1];
	const char *tag = strrchr(name, ':');

	if (l->pattern == NULL)
		return true;
	str_format(untagged, sizeof(untagged), "%.*s",
		   tag != NULL ? (int)(tag - name) : (int)strlen(name), name);
	return fnmatch(l->pattern, name, FNM_PATHNAME) == 0 ||
	       fnmatch(l->pattern, untagged, FNM_PATHNAME) == 0;
}

static int list_image(struct listing *l, const char *name, const char *hex)
{
	struct totals totals = {0};
	int r = read_image(l->store, hex, l->record, &totals, l->err);

	if (r == 0 && l->command->fields_fd >= 0)
		r = put_fields(l, name, hex, &totals);
	else if (r == 0 && l->is_json)
		r = print_object(l, name, hex, &totals);
	else if (r == 0)
		print_row(l, name, hex, &totals);
	l->n++;
	return r;
}

static int list_one(void *ctx, const char *name, const char *hex)
{
	struct listing *l = ctx;

	return l->wants_named && is_meant(l, name) ? list_image(l, name, hex) : 0;
}

struct naming {
	const char *hex;
	bool has_name;
};

static int note_name(void *ctx, const char *name, const char *hex)
{
	struct naming *naming = ctx;

	(void)name;
	naming->has_name = naming->has_name || str_equal(hex, naming->hex);
	return 0;
}

static int list_nameless(struct listing *l)
{
	struct store_names names = {0};
	int r = store_names_read(l->store->images_fd, false, &names);

	if (r < 0)
		r = err_set(l->err, ERR_SETUP, -r, "%s/images", l->store->path);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct naming naming = {.hex = names.list[i]};

		r = store_is_hex(naming.hex) ? store_ref_each(l->store, note_name, &naming, l->err)
					     : 1;
		if (r == 0 && !naming.has_name)
			r = list_image(l, "<none>", naming.hex);
		r = r > 0 ? 0 : r;
	}
	store_names_release(&names);
	return r;
}

static int read_filter(const struct command *command, struct listing *l, struct err *err)
{
	const char *filter = command->filter;
	bool truth;

	l->wants_named = true;
	l->wants_nameless = command->is_all;
	if (filter == NULL)
		return 0;
	if (str_has_prefix(filter, "reference=")) {
		l->pattern = filter + strlen("reference=");
		l->wants_nameless = false;
		return 0;
	}
	if (str_has_prefix(filter, "dangling=") &&
	    parse_bool(filter + strlen("dangling="), &truth) == 0) {
		l->wants_named = !truth;
		l->wants_nameless = truth;
		return 0;
	}
	err_set(err, ERR_USAGE, 0, "--filter %s: is none of ls", filter);
	return err_hint(err, "reference=PATTERN, dangling=true and dangling=false are.");
}

int command_ls(const struct command *command, struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	struct store store;
	struct listing l = {.store = &store,
			    .command = command,
			    .is_json = command->is_json,
			    .record = record,
			    .err = err};
	int r;

	if (record == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "list");
	r = read_filter(command, &l, err);
	if (r < 0)
		return r;
	r = command_open_store(command, &store, err);
	if (r < 0)
		return r;
	if (command->is_json)
		printf("{\"schema\":\"cordon.image-list/1\",\"images\":[");
	if (r == 0) {
		r = store_ref_each(&store, list_one, &l, err);
		if (r == 0 && l.wants_nameless)
			r = list_nameless(&l);
		store_release(&store);
	}
	if (command->is_json)
		printf("]}\n");
	return r < 0 ? r : 0;
}

/* ---- inspect ---- */

/* What a layer lists in one of its files, cut where it is long. */
static void read_list(struct store *store, const char *hex, const char *name, char *buf,
		      size_t size)
{
	char path[STORE_HEX_SIZE + 16];
	_cleanup_fd_ int fd = -EBADF;
	ssize_t n;

	str_format(path, sizeof(path), "%s/%s", hex, name);
	fd = sys_openat(store->layers_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	n = fd < 0 ? 0 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

static void print_list(struct store *store, const char *hex, const char *name, const char *title)
{
	_cleanup_free_ char *text = malloc(LISTED_MAX);
	char *at = text;
	size_t n = 0;

	if (text == NULL)
		return;
	read_list(store, hex, name, text, LISTED_MAX);
	for (char *line; (line = strsep(&at, "\n")) != NULL && line[0] != '\0'; n++) {
		if (n == LIST_SHOWN) {
			printf("    ...: more of them are in layers/%s/%s\n", hex, name);
			return;
		}
		line[str_make_harmless(line, strlen(line))] = '\0';
		printf("    %s: %s\n", title, line);
	}
}

static int print_layer(struct store *store, const char *hex, struct err *err)
{
	struct layer_record layer;
	char size[32];
	int r = layer_record_read(store, hex, &layer, err);

	if (r < 0)
		return r;
	say_size(layer.n_bytes, size, sizeof(size));
	printf("  sha256:%s: %llu entries, %s\n", hex, (unsigned long long)layer.n_entries, size);
	print_list(store, hex, "skipped", "left out");
	print_list(store, hex, "owners", "uid gid mode capability name");
	return 0;
}

static int print_names(void *ctx, const char *name, const char *hex)
{
	if (str_equal(hex, ctx))
		printf("name: %s\n", name);
	return 0;
}

static int inspect_text(struct store *store, char *hex, struct image_record *record,
			struct err *err)
{
	char when[32];
	int r = store_ref_each(store, print_names, hex, err);

	format_time(record->imported_s, when, sizeof(when));
	record->summary[str_make_harmless(record->summary, strlen(record->summary))] = '\0';
	printf("id: sha256:%s\nos: %s\narchitecture: %s\nfrom: %s, %s UTC\nconfig: %s\nlayers, "
	       "the lowest first:\n",
	       hex, record->os, record->architecture, record->source, when, record->summary);
	for (size_t i = 0; r == 0 && i < record->n_layers; i++)
		r = print_layer(store, record->layers[i], err);
	return r;
}

static int add_name(void *ctx, const char *name, const char *hex)
{
	void *const *both = ctx;

	if (str_equal(hex, both[1]))
		json_text(both[0], NULL, name);
	return 0;
}

static int json_layer(struct store *store, struct json *json, const char *hex, struct err *err)
{
	struct layer_record layer;
	char path[PATH_MAX + 128];
	int r = layer_record_read(store, hex, &layer, err);

	if (r < 0)
		return r;
	str_format(path, sizeof(path), "%s/layers/%s/tree", store->path, hex);
	json_open(json, NULL, '{');
	json_text(json, "digest", hex);
	json_text(json, "path", path);
	json_number(json, "entries", (int64_t)layer.n_entries);
	json_number(json, "size_bytes", (int64_t)layer.n_bytes);
	json_number(json, "left_out", (int64_t)layer.n_skipped);
	json_number(json, "owners_noted", (int64_t)layer.n_owners);
	json_close(json, '}');
	return 0;
}

/* It is JSON already: what would drive a terminal is escaped, as base/json.c does it with texts.
 * What is no UTF-8 only a parser that was taken over says. */
static void print_config(const char *text)
{
	size_t len = strlen(text), n;

	for (; len > 0; text += n, len -= n) {
		uint32_t harmful;

		n = str_utf8_length(text, len);
		harmful = n > 0 ? str_harmful_character(text, n) : 0xfffd;
		if (harmful != 0)
			printf("\\u%04x", harmful);
		else
			printf("%.*s", (int)n, text);
		n = n > 0 ? n : 1;
	}
}

static int inspect_json(struct store *store, char *hex, const struct image_record *record,
			struct err *err)
{
	_cleanup_free_ char *buf = malloc(JSON_SIZE);
	struct json json;
	void *both[2] = {&json, hex};
	int r;

	if (buf == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "inspect");
	json_init(&json, buf, JSON_SIZE);
	json_open(&json, NULL, '{');
	json_text(&json, "schema", "cordon.image/1");
	json_text(&json, "id", hex);
	json_open(&json, "names", '[');
	r = store_ref_each(store, add_name, both, err);
	json_close(&json, ']');
	json_text(&json, "os", record->os);
	json_text(&json, "architecture", record->architecture);
	json_text(&json, "source", record->source);
	json_number(&json, "imported_at", (int64_t)record->imported_s);
	json_open(&json, "layers", '[');
	for (size_t i = 0; r == 0 && i < record->n_layers; i++)
		r = json_layer(store, &json, record->layers[i], err);
	json_close(&json, ']');
	if (r < 0)
		return r;
	if (json_finish(&json) < 0)
		return err_set(err, ERR_BUG, 0, "image %s: too much to print", hex);
	printf("%s,\"config\":", buf);
	print_config(record->summary);
	printf("}\n");
	return 0;
}

static int inspect(const struct command *command, struct store *store, char *hex, struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	int r;

	if (record == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "inspect");
	r = image_record_read(store, hex, record, err);
	if (r < 0)
		return r;
	return command->is_json ? inspect_json(store, hex, record, err)
				: inspect_text(store, hex, record, err);
}

int command_inspect(const struct command *command, struct err *err)
{
	char hex[STORE_HEX_SIZE];
	struct store store;
	int r = command_open_store(command, &store, err);

	if (r != 0)
		return r < 0 ? r : command_refuse_empty(command->words[0], err);
	r = store_find(&store, command->words[0], hex, err);
	if (r == 0)
		r = inspect(command, &store, hex, err);
	store_release(&store);
	return r;
}
