/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon volume ls` and `inspect`: read the records, and wait for nobody. What is used of one that
 * has a size is known by mounting it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/str.h"
#include "cmd/ending.h"
#include "cmd/life.h"
#include "cmd/look_json.h"
#include "cmd/page.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "cmd/template.h"
#include "cmd/volume.h"

enum { DOCUMENT_MAX = 8 << 20, GAP = 3, AMOUNT_COLUMNS = 13 };

static const char known[] = "{{.Name}}, {{.Driver}}, {{.Scope}}, {{.Mountpoint}}, {{.CreatedAt}}, "
			    "{{.Labels}}, {{.Label \"NAME\"}}, {{.Store}}, {{.Size}}, {{.Inodes}}, "
			    "{{.Used}}, {{.UsedInodes}}, {{json .}}";

/* What all forms are made of. */
struct listing {
	const struct volume_place *place;
	const struct words *words;
	struct volume_uses uses;
	struct template template;
	char *buf; /* room for JSON */
};

/* ---- JSON ---- */

static void put_pairs(struct json *json, const char *name, const struct volume_pairs *pairs)
{
	const char *pair;
	size_t at = 0;

	json_open(json, name, '{');
	while ((pair = volume_next_pair(pairs, &at)) != NULL) {
		char key[VOLUME_PAIRS_MAX];
		size_t len = strcspn(pair, "=");

		str_format(key, sizeof(key), "%.*s", (int)len, pair);
		json_text(json, key, pair + len + 1);
	}
	json_close(json, '}');
}

static void mountpoint_of(const struct volume_place *place, const struct volume *volume,
			  struct page *page)
{
	page_format(page, "%s/%s/%s", place->volumes.path, volume->name,
		    volume_has_image(volume) ? VOLUME_IMAGE : VOLUME_DATA);
}

struct use {
	int64_t bytes; /* RESULT_NONE: not known, as the next one */
	int64_t inodes;
};

/* Of one without a size nobody counts it. What is wrong with one whoever starts with it is told. */
static struct use use_of(const struct listing *listing, const struct volume *volume)
{
	uint64_t bytes, inodes;
	struct err err;

	if (volume->size_bytes == 0 ||
	    volumes_measure(&listing->place->volumes, volume, &bytes, &inodes, &err) < 0)
		return (struct use){RESULT_NONE, RESULT_NONE};
	return (struct use){(int64_t)bytes, (int64_t)inodes};
}

static void put_sizes(struct json *json, const struct listing *listing, const struct volume *volume)
{
	struct use use = use_of(listing, volume);
	bool has_size = volume->size_bytes > 0;

	if (has_size)
		json_text(json, "store", volume_store_name(volume));
	else
		json_null(json, "store");
	look_put_number(json, "size_bytes", has_size ? (int64_t)volume->size_bytes : RESULT_NONE);
	look_put_number(json, "inodes", has_size ? (int64_t)volume->inodes : RESULT_NONE);
	look_put_number(json, "used_bytes", use.bytes);
	look_put_number(json, "used_inodes", use.inodes);
}

static void put_volume(struct json *json, const struct listing *listing,
		       const struct volume *volume)
{
	const struct volume_uses *uses = &listing->uses;
	struct page path = {0};
	char when[64];

	json_open(json, NULL, '{');
	json_text(json, "name", volume->name);
	json_text(json, "driver", "local");
	json_text(json, "scope", "local");
	mountpoint_of(listing->place, volume, &path);
	json_text(json, "mountpoint", page_string(&path));
	page_free(&path);
	look_timestamp(volume->created_ms, when, sizeof(when));
	json_text(json, "created_at", when);
	json_truth(json, "anonymous", volume->is_anonymous);
	put_pairs(json, "labels", &volume->labels);
	put_pairs(json, "options", &volume->options);
	put_sizes(json, listing, volume);
	json_truth(json, "in_use", volume_is_used(listing->place, uses, volume->name));
	json_open(json, "used_by", '[');
	for (size_t i = 0; i < uses->n; i++)
		if (str_equal(uses->list[i].name, volume->name))
			json_text(json, NULL, uses->list[i].sandbox);
	json_close(json, ']');
	json_close(json, '}');
}

/* ---- formats ---- */

static void put_labels(const struct volume *volume, struct page *page)
{
	const char *pair;
	size_t at = 0;

	while ((pair = volume_next_pair(&volume->labels, &at)) != NULL) {
		page_value(page, pair);
		if (at < volume->labels.len)
			page_text(page, ",");
	}
}

static void put_label(const struct volume *volume, const char *name, struct page *page)
{
	const char *pair;
	size_t at = 0, len = strlen(name);

	while ((pair = volume_next_pair(&volume->labels, &at)) != NULL)
		if (strncmp(pair, name, len) == 0 && pair[len] == '=')
			page_value(page, pair + len + 1);
}

static void put_number(struct page *page, int64_t number)
{
	if (number != RESULT_NONE)
		page_format(page, "%lld", (long long)number);
}

/* Of one without a size nothing. */
static bool put_size_field(const struct listing *listing, const struct volume *volume,
			   const char *word, struct page *page)
{
	bool has_size = volume->size_bytes > 0;

	if (str_equal(word, "Store"))
		page_text(page, has_size ? volume_store_name(volume) : "");
	else if (str_equal(word, "Size"))
		put_number(page, has_size ? (int64_t)volume->size_bytes : RESULT_NONE);
	else if (str_equal(word, "Inodes"))
		put_number(page, has_size ? (int64_t)volume->inodes : RESULT_NONE);
	else if (str_equal(word, "Used"))
		put_number(page, use_of(listing, volume).bytes);
	else if (str_equal(word, "UsedInodes"))
		put_number(page, use_of(listing, volume).inodes);
	else
		return false;
	return true;
}

static bool put_field(const struct listing *listing, const struct volume *volume, const char *word,
		      struct page *page)
{
	char when[64];

	if (str_equal(word, "Name")) {
		page_value(page, volume->name);
	} else if (str_equal(word, "Driver") || str_equal(word, "Scope")) {
		page_text(page, "local");
	} else if (str_equal(word, "Mountpoint")) {
		mountpoint_of(listing->place, volume, page);
	} else if (str_equal(word, "CreatedAt")) {
		look_timestamp(volume->created_ms, when, sizeof(when));
		page_text(page, when);
	} else if (str_equal(word, "Labels")) {
		put_labels(volume, page);
	} else {
		return put_size_field(listing, volume, word, page);
	}
	return true;
}

static void put_formatted(const struct listing *listing, const struct volume *volume,
			  struct page *page)
{
	for (size_t i = 0; i < listing->template.n; i++) {
		const struct template_part *part = &listing->template.parts[i];
		struct json json;

		switch (part->kind) {
		case TEMPLATE_TEXT:
			page_text(page, part->word);
			break;
		case TEMPLATE_FIELD: /* it was checked */
			put_field(listing, volume, part->word, page);
			break;
		case TEMPLATE_LABEL:
			put_label(volume, part->word, page);
			break;
		case TEMPLATE_JSON:
			json_init(&json, listing->buf, DOCUMENT_MAX);
			put_volume(&json, listing, volume);
			if (json_finish(&json) < 0)
				page->failed = true;
			else
				page_text(page, listing->buf);
			break;
		}
	}
	page_text(page, "\n");
}

static int check_template(const struct listing *listing, struct err *err)
{
	static const struct volume empty;

	if (listing->template.is_table)
		return template_refuse("table", known, err);
	for (size_t i = 0; i < listing->template.n; i++) {
		const struct template_part *part = &listing->template.parts[i];
		struct page ignored = {0};
		bool is_known = part->kind == TEMPLATE_FIELD
					? put_field(listing, &empty, part->word, &ignored)
					: part->kind != TEMPLATE_JSON || part->word[0] == '\0';

		page_free(&ignored);
		if (!is_known)
			return template_refuse(part->word, known, err);
	}
	return 0;
}

/* ---- what both begin and end with ---- */

static int read_format(struct listing *listing, struct err *err)
{
	const char *format = words_value(listing->words, "--format");
	int r;

	if (format == NULL || str_equal(format, "json"))
		return 0;
	r = template_read(format, known, &listing->template, err);
	return r == 0 ? check_template(listing, err) : r;
}

static bool wants_json(const struct words *words)
{
	const char *format = words_value(words, "--format");

	return words->wants_json || (format != NULL && str_equal(format, "json"));
}

static int begin(const struct cmd_context *context, const struct words *words,
		 struct volume_place *place, struct listing *ret, struct err *err)
{
	int r;

	*ret = (struct listing){.place = place, .words = words, .buf = malloc(DOCUMENT_MAX)};
	if (ret->buf == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "volumes");
	r = volume_place_open(context, false, place, err);
	if (r == 0)
		r = read_format(ret, err);
	if (r == 0)
		r = volume_uses_read(place, &ret->uses, err);
	return r;
}

static void end(struct listing *listing, struct volume_place *place)
{
	volume_uses_free(&listing->uses);
	free(listing->buf);
	volume_place_close(place);
}

/* ---- ls ---- */

/* Width of the names where one of them has a size, and so columns behind it; else 0. */
static size_t name_width(const struct listing *listing, const struct volume_list *list)
{
	size_t width = strlen("VOLUME NAME");
	bool has_size = false;

	for (size_t i = 0; i < list->n; i++) {
		const struct volume *volume = &list->list[i];
		bool is_used = volume_is_used(listing->place, &listing->uses, volume->name);

		if (!volume_is_chosen(volume, listing->words, is_used))
			continue;
		has_size = has_size || volume->size_bytes > 0;
		width = strlen(volume->name) > width ? strlen(volume->name) : width;
	}
	return has_size ? width + GAP : 0;
}

static void put_row(const char *name, size_t width, const char *size, const char *used,
		    struct page *page)
{
	char line[VOLUME_NAME_MAX + 128];
	size_t len;

	if (width == 0) {
		page_format(page, "%s\n", name);
		return;
	}
	len = table_cell(line, sizeof(line), 0, name, width);
	len = table_cell(line, sizeof(line), len, size, AMOUNT_COLUMNS);
	str_format(line + len, sizeof(line) - len, "%s", used);
	page_format(page, "%s\n", line);
}

static void put_line(const struct listing *listing, const struct volume *volume, size_t width,
		     struct page *page)
{
	char size[ENDING_AMOUNT_MAX] = "-", used[ENDING_AMOUNT_MAX] = "-";
	struct use use = width > 0 ? use_of(listing, volume) : (struct use){.bytes = RESULT_NONE};

	if (volume->size_bytes > 0)
		ending_size(volume->size_bytes, size, sizeof(size));
	if (use.bytes != RESULT_NONE)
		ending_size((uint64_t)use.bytes, used, sizeof(used));
	page_text(page, "local     ");
	put_row(volume->name, width, size, used, page);
}

static int print_list(const struct listing *listing, const struct volume_list *list)
{
	bool is_quiet = words_has(listing->words, "--quiet");
	size_t width = name_width(listing, list);
	struct page page = {0};
	struct json json;

	json_init(&json, listing->buf, DOCUMENT_MAX);
	json_open(&json, NULL, '[');
	if (!is_quiet && listing->template.n == 0) {
		page_text(&page, "DRIVER    ");
		put_row("VOLUME NAME", width, "SIZE", "USED", &page);
	}
	for (size_t i = 0; i < list->n; i++) {
		const struct volume *volume = &list->list[i];
		bool is_used = volume_is_used(listing->place, &listing->uses, volume->name);

		if (!volume_is_chosen(volume, listing->words, is_used))
			continue;
		if (wants_json(listing->words))
			put_volume(&json, listing, volume);
		else if (listing->template.n > 0)
			put_formatted(listing, volume, &page);
		else if (is_quiet)
			page_format(&page, "%s\n", volume->name);
		else
			put_line(listing, volume, width, &page);
	}
	json_close(&json, ']');
	if (!wants_json(listing->words))
		return page_print(&page, 0);
	page_free(&page);
	return life_print_json(&json);
}

int cmd_volume_ls(const struct cmd_context *context, int argc, char **argv)
{
	static const char *const keys[] = {"dangling", "driver", "label", "label!", "name", NULL};
	struct volume_place place = {.volumes = {.fd = -EBADF}};
	struct volume_list list = {.n = 0};
	struct listing listing;
	struct words words;
	struct err err = {0};
	int exit_code = 0, r;

	(void)argc;
	if (life_parse("volume ls", argv, 0, &words, &exit_code) < 0)
		return exit_code;
	if (words.n > 0) {
		print_note("volume ls takes no arguments, but was given %s", argv[1]);
		return EXIT_CORDON;
	}
	r = volume_check_filters("ls", &words, keys, &err);
	if (r < 0)
		return life_say(&err);
	r = begin(context, &words, &place, &listing, &err);
	if (r == 0)
		r = volumes_list(&place.volumes, &list, &err);
	exit_code = r == 0 ? print_list(&listing, &list) : EXIT_CORDON;
	/* The list is whole but for it. */
	if (r < 0 || list.n_damaged > 0)
		exit_code = life_say(&err);
	volume_list_free(&list);
	end(&listing, &place);
	return exit_code;
}

/* ---- inspect ---- */

static int inspect_all(const struct listing *listing, char **names)
{
	struct page page = {0};
	struct json json;
	int result = 0;

	json_init(&json, listing->buf, DOCUMENT_MAX);
	json_open(&json, NULL, '[');
	for (; *names != NULL; names++) {
		struct volume volume;
		struct err err = {0};

		if (volumes_find(&listing->place->volumes, *names, &volume, &err) < 0)
			result = life_say(&err);
		else if (listing->template.n > 0)
			put_formatted(listing, &volume, &page);
		else
			put_volume(&json, listing, &volume);
	}
	json_close(&json, ']');
	if (listing->template.n > 0)
		return page_print(&page, result);
	return life_print_json(&json) != 0 ? EXIT_CORDON : result;
}

int cmd_volume_inspect(const struct cmd_context *context, int argc, char **argv)
{
	struct volume_place place = {.volumes = {.fd = -EBADF}};
	struct listing listing;
	struct words words;
	struct err err = {0};
	int exit_code = 0;

	(void)argc;
	if (life_parse("volume inspect", argv, 1, &words, &exit_code) < 0)
		return exit_code;
	exit_code = begin(context, &words, &place, &listing, &err) < 0
			    ? life_say(&err)
			    : inspect_all(&listing, argv + 1);
	end(&listing, &place);
	return exit_code;
}
