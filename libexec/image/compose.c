/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The composer: a parser (worker.h) that reads the configuration of an image, and what is to be
 * different in the one that is made of it, and writes that one's. What it writes is read by the
 * parser as if it had come with an archive. Pure, as that one is.
 *
 * Its input is items that end with NUL, an empty one, and the configuration's JSON. An item is
 * KEY=VALUE:
 *
 *	diff            a layer's digest, behind the others
 *	layer           a layer's digest: those that are said so are all layers
 *	created author comment created_by
 *	reset           Cmd or Entrypoint: from here on it has no words
 *	Cmd Entrypoint  one more word
 *	Env             NAME=VALUE
 *	Label           NAME=VALUE
 *	User WorkingDir StopSignal
 *	Volume          a path
 *	Port            as EXPOSE has it
 *	change          an instruction of Docker's
 *
 * Sources: OCI image-spec 1.1, config; Docker, "docker container commit".
 */
#include "libexec/image/compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "libexec/image/stages.h"
#include "storage/store.h"

enum { DEPTH_MAX = 32 };

/* ---- what is in "config" ---- */

int compose_set(struct composing *c, const char *key, struct json_object *value)
{
	if (value == NULL || json_object_object_add(c->config, key, value) != 0) {
		json_object_put(value);
		return err_set(c->err, ERR_SETUP, ENOMEM, "%s", key);
	}
	return 0;
}

static int refuse_type(struct composing *c, const char *key)
{
	return err_set(c->err, ERR_SETUP, 0, "the image's %s is not of its type", key);
}

/* The container that is there, or a new one. */
static struct json_object *container(struct composing *c, const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	if (json_object_object_get_ex(c->config, key, &value) && value != NULL) {
		if (json_object_is_type(value, type))
			return value;
		ignore_result(refuse_type(c, key), "NULL says it");
		return NULL;
	}
	value = type == json_type_array ? json_object_new_array() : json_object_new_object();
	return compose_set(c, key, value) < 0 ? NULL : value;
}

struct json_object *compose_object(struct composing *c, const char *key)
{
	return container(c, key, json_type_object);
}

const char *compose_text(struct composing *c, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(c->config, key, &value) &&
			       json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

static bool names_it(struct json_object *item, const char *name, size_t len)
{
	const char *text =
		json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";

	return strncmp(text, name, len) == 0 && text[len] == '=';
}

const char *compose_value_of(struct composing *c, const char *name, size_t len)
{
	struct json_object *list;

	if (!json_object_object_get_ex(c->config, "Env", &list) ||
	    !json_object_is_type(list, json_type_array))
		return "";
	for (size_t i = json_object_array_length(list); i > 0; i--) {
		struct json_object *item = json_object_array_get_idx(list, i - 1);

		if (names_it(item, name, len))
			return json_object_get_string(item) + len + 1;
	}
	return "";
}

int compose_variable(struct composing *c, const char *text)
{
	struct json_object *list = container(c, "Env", json_type_array);
	struct json_object *value = json_object_new_string(text);
	size_t len = strcspn(text, "="), at = 0, n;
	int r;

	if (list == NULL) {
		json_object_put(value);
		return -EINVAL;
	}
	n = json_object_array_length(list);
	while (at < n && !names_it(json_object_array_get_idx(list, at), text, len))
		at++;
	r = value == NULL ? -1
	    : at < n      ? json_object_array_put_idx(list, at, value)
			  : json_object_array_add(list, value);
	if (r == 0)
		return 0;
	json_object_put(value);
	return err_set(c->err, ERR_SETUP, ENOMEM, "Env");
}

static int add_word(struct composing *c, const char *key, const char *text)
{
	struct json_object *list = container(c, key, json_type_array);
	struct json_object *value = json_object_new_string(text);

	if (list != NULL && value != NULL && json_object_array_add(list, value) == 0)
		return 0;
	json_object_put(value);
	return list == NULL ? -EINVAL : err_set(c->err, ERR_SETUP, ENOMEM, "%s", key);
}

/* ---- the items ---- */

/* What belongs to the document itself. */
struct items {
	const char *diff, *created, *author, *comment, *created_by;
	const char *layers; /* the first one of several */
};

static int take_pair(struct composing *c, const char *key, const char *text)
{
	struct json_object *labels = compose_object(c, key);
	_cleanup_free_ char *name = strndup(text, strcspn(text, "="));
	const char *value = strchr(text, '=');

	if (labels == NULL)
		return -EINVAL;
	if (name == NULL ||
	    json_object_object_add(labels, name,
				   json_object_new_string(value != NULL ? value + 1 : "")) != 0)
		return err_set(c->err, ERR_SETUP, ENOMEM, "%s", key);
	return 0;
}

static int take_volume(struct composing *c, const char *path)
{
	struct json_object *volumes = compose_object(c, "Volumes");

	if (volumes == NULL)
		return -EINVAL;
	return json_object_object_add(volumes, path, json_object_new_object()) != 0
		       ? err_set(c->err, ERR_SETUP, ENOMEM, "Volumes")
		       : 0;
}

static int take_item(struct composing *c, struct items *items, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **place;
	} places[] = {
		{"diff", &items->diff},
		{"created", &items->created},
		{"author", &items->author},
		{"comment", &items->comment},
		{"created_by", &items->created_by},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (str_equal(places[i].key, key)) {
			*places[i].place = value;
			return 0;
		}
	if (str_equal(key, "layer")) {
		if (items->layers == NULL)
			items->layers = value;
		return 0;
	}
	if (str_equal(key, "reset")) {
		json_object_object_del(c->config, value);
		return 0;
	}
	if (str_equal(key, "Cmd") || str_equal(key, "Entrypoint"))
		return add_word(c, key, value);
	if (str_equal(key, "User") || str_equal(key, "WorkingDir") || str_equal(key, "StopSignal"))
		return compose_set(c, key, json_object_new_string(value));
	if (str_equal(key, "Env"))
		return compose_variable(c, value);
	if (str_equal(key, "Label"))
		return take_pair(c, "Labels", value);
	if (str_equal(key, "Volume"))
		return take_volume(c, value);
	if (str_equal(key, "Port"))
		return compose_ports(c, value);
	return str_equal(key, "change") ? compose_change(c, value)
					: err_set(c->err, ERR_BUG, EINVAL, "compose: %s", key);
}

/* Each ends with NUL. */
static int take_items(struct composing *c, struct items *items, const char *at, const char *end)
{
	int r = 0;

	for (; r == 0 && at < end; at += strlen(at) + 1) {
		const char *equals = strchr(at, '=');
		char key[32];

		if (equals == NULL || (size_t)(equals - at) >= sizeof(key))
			return err_set(c->err, ERR_BUG, EINVAL, "compose: an item");
		str_format(key, sizeof(key), "%.*s", (int)(equals - at), at);
		r = take_item(c, items, key, equals + 1);
	}
	return r;
}

/* ---- the document ---- */

static struct json_object *part(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value;

	if (json_object_object_get_ex(object, key, &value) && json_object_is_type(value, type))
		return value;
	value = type == json_type_array ? json_object_new_array() : json_object_new_object();
	if (value != NULL && json_object_object_add(object, key, value) == 0)
		return value;
	json_object_put(value);
	return NULL;
}

static void put_text(struct json_object *object, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *entry_of(const struct items *items)
{
	struct json_object *entry = json_object_new_object();

	put_text(entry, "created", items->created);
	put_text(entry, "created_by", items->created_by);
	put_text(entry, "author", items->author);
	put_text(entry, "comment", items->comment);
	return entry;
}

static size_t count_layers(struct json_object *history)
{
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(history); i++) {
		struct json_object *empty = NULL;

		json_object_object_get_ex(json_object_array_get_idx(history, i), "empty_layer",
					  &empty);
		n += !json_object_get_boolean(empty);
	}
	return n;
}

/* One entry for each layer that has one, but for the last n: readers count them. */
static int fill_history(struct json_object *history, size_t n_layers, size_t n)
{
	const struct items unknown = {.comment = "not known"};

	for (size_t have = count_layers(history); have + n < n_layers; have++)
		if (json_object_array_add(history, entry_of(&unknown)) != 0)
			return -ENOMEM;
	return 0;
}

static int add_diff(struct json_object *diffs, const char *hex)
{
	char digest[STORE_HEX_SIZE + 8];

	if (!store_is_hex(hex))
		return -EINVAL;
	str_format(digest, sizeof(digest), "sha256:%s", hex);
	return json_object_array_add(diffs, json_object_new_string(digest)) != 0 ? -ENOMEM : 0;
}

/* A layer more, which this document is the first to have. */
static int add_layer(struct json_object *root, struct json_object *diffs, const struct items *items)
{
	struct json_object *history = part(root, "history", json_type_array);
	int r = history == NULL ? -ENOMEM : add_diff(diffs, items->diff);

	if (r < 0)
		return r;
	put_text(root, "created", items->created);
	put_text(root, "author", items->author);
	/* What it was run with by whoever made the other one. */
	json_object_object_del(root, "container");
	json_object_object_del(root, "container_config");
	r = fill_history(history, json_object_array_length(diffs), 1);
	if (r < 0)
		return r;
	return json_object_array_add(history, entry_of(items)) != 0 ? -ENOMEM : 0;
}

/* The same layers in another packing, whose number is what it was. */
static int replace_layers(struct json_object *root, struct json_object *rootfs,
			  const struct items *items, const char *end)
{
	static const char key[] = "layer=";
	struct json_object *diffs = json_object_new_array(), *history;
	int r = 0;

	if (diffs == NULL || json_object_object_add(rootfs, "diff_ids", diffs) != 0)
		return -ENOMEM;
	r = add_diff(diffs, items->layers);
	for (const char *at = items->layers + strlen(items->layers) + 1;
	     r == 0 && at < end && str_has_prefix(at, key); at += strlen(at) + 1)
		r = add_diff(diffs, at + strlen(key));
	if (r < 0 || !json_object_object_get_ex(root, "history", &history))
		return r;
	if (!json_object_is_type(history, json_type_array) ||
	    count_layers(history) > json_object_array_length(diffs)) {
		json_object_object_del(root, "history");
		return 0;
	}
	return fill_history(history, json_object_array_length(diffs), 0);
}

static int finish(struct json_object *root, const struct items *items, const char *end,
		  struct err *err)
{
	struct json_object *rootfs = part(root, "rootfs", json_type_object);
	struct json_object *diffs =
		rootfs != NULL ? part(rootfs, "diff_ids", json_type_array) : NULL;
	int r = diffs == NULL           ? -ENOMEM
		: items->diff != NULL   ? add_layer(root, diffs, items)
		: items->layers != NULL ? replace_layers(root, rootfs, items, end)
					: -EINVAL;

	return r < 0 ? err_set(err, r == -EINVAL ? ERR_BUG : ERR_SETUP, -r, "compose: layers") : 0;
}

static int print(struct json_object *root, struct parsed_text *ret, struct err *err)
{
	size_t len;
	const char *text = json_object_to_json_string_length(
		root, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

	if (text == NULL || len > ret->size)
		return err_set(err, ERR_SETUP, E2BIG, "the image's configuration");
	memcpy(ret->buf, text, len);
	ret->len = len;
	return 0;
}

static int compose(struct json_object *root, const char *at, const char *end,
		   struct parsed_text *ret, struct err *err)
{
	struct composing c = {.err = err};
	struct items items = {.diff = NULL};
	int r;

	if (!json_object_is_type(root, json_type_object))
		return err_set(err, ERR_SETUP, 0, "the image's configuration is no object");
	c.config = part(root, "config", json_type_object);
	if (c.config == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "config");
	r = take_items(&c, &items, at, end);
	if (r == 0)
		r = finish(root, &items, end, err);
	return r < 0 ? r : print(root, ret, err);
}

int compose_config(const char *text, size_t len, struct parsed_text *ret, struct err *err)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	/* Of the last item, and the empty one. */
	const char *ends = memmem(text, len, "\0", 2), *json = ends != NULL ? ends + 2 : NULL;
	const char *end = text + len;
	struct json_object *root;
	int r;

	if (tokener == NULL || json == NULL || end - json > PARSE_MAX_BYTES) {
		json_tokener_free(tokener);
		return err_set(err, ERR_SETUP, E2BIG, "the image's configuration");
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
						JSON_TOKENER_ALLOW_TRAILING_CHARS);
	root = json_tokener_parse_ex(tokener, json, (int)(end - json));
	if (json_tokener_get_error(tokener) != json_tokener_success)
		r = err_set(err, ERR_SETUP, 0, "the image's configuration is not valid JSON");
	else
		r = compose(root, text, json - 1, ret, err);
	json_object_put(root);
	json_tokener_free(tokener);
	return r;
}

int stage_compose(const struct worker_job *job, struct worker_report *report)
{
	_cleanup_free_ char *text = malloc(COMPOSE_MAX_BYTES + PARSE_MAX_BYTES);
	_cleanup_free_ char *buf = malloc(PARSE_MAX_BYTES);
	struct parsed_text out = {.buf = buf, .size = PARSE_MAX_BYTES};
	ssize_t n = 1;
	size_t len = 0;
	int r;

	(void)job;
	if (text == NULL || buf == NULL)
		return err_set(&report->err, ERR_SETUP, ENOMEM, "the composer");
	while (n > 0 && len < COMPOSE_MAX_BYTES + PARSE_MAX_BYTES) {
		n = read(WORKER_IN, text + len, COMPOSE_MAX_BYTES + PARSE_MAX_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n != 0)
		return err_set(&report->err, ERR_SETUP, n < 0 ? errno : E2BIG, "the composer");
	r = compose_config(text, len, &out, &report->err);
	if (r < 0)
		return r;
	r = io_write_all(WORKER_OUT, buf, out.len);
	return r < 0 ? err_set(&report->err, ERR_SETUP, -r, "the composer") : 0;
}
