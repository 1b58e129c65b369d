/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parser: see worker.h. Reads the JSON documents of archives, strictly, and says what cordon
 * needs of them in lines, which the importer checks once more (plan.c).
 *
 * Sources: OCI image-spec 1.1 (index, manifest, config); Docker image specification v1.2.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "libexec/image/stages.h"
#include "storage/image_record.h"

enum {
	DEPTH_MAX = 32,
	LINE_TEXT_MAX = 1024,
	OUT_MAX = RECORD_SUMMARY_MAX + RECORD_SETTINGS_MAX + (64 << 10)
};

struct output {
	char *buf;
	size_t size;
	size_t len;
	struct err *err;
};

/* ---- values ---- */

static int refuse(struct output *out, const char *what)
{
	return err_set(out->err, ERR_SETUP, 0, "%s", what);
}

static struct json_object *get(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, key, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

/* One word or text of a line: nothing that could end it. NULL where there is none. */
static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key, json_type_string);
	const char *text = value != NULL ? json_object_get_string(value) : NULL;

	if (text == NULL || text[0] == '\0' || strlen(text) > LINE_TEXT_MAX ||
	    strlen(text) != (size_t)json_object_get_string_len(value))
		return NULL;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c <= 0x20 || *c == 0x7f)
			return NULL;
	return text;
}

static int put(struct output *out, const char *key, const char *value)
{
	size_t need = strlen(key) + strlen(value) + 3;

	if (out->len + need > out->size)
		return refuse(out, "it says more than fits");
	out->len += str_format(out->buf + out->len, out->size - out->len, "%s %s\n", key, value);
	return 0;
}

static const char *hex_of(const char *digest)
{
	const char *hex;

	if (digest == NULL || !str_has_prefix(digest, "sha256:"))
		return NULL;
	hex = digest + strlen("sha256:");
	return store_is_hex(hex) ? hex : NULL;
}

/* "KEY HEX SIZE[ NAME]" of a descriptor. */
static int put_descriptor(struct output *out, const char *key, struct json_object *descriptor,
			  const char *name)
{
	const char *hex = hex_of(get_text(descriptor, "digest"));
	struct json_object *size = get(descriptor, "size", json_type_int);
	int64_t bytes = size != NULL ? json_object_get_int64(size) : -1;
	char line[LINE_TEXT_MAX * 2];

	if (hex == NULL)
		return refuse(out, "a descriptor without a sha256 digest");
	if (bytes < 0)
		return refuse(out, "a descriptor without a size");
	str_format(line, sizeof(line), "%s %llu%s%s", hex, (unsigned long long)bytes,
		   name != NULL ? " " : "", name != NULL ? name : "");
	return put(out, key, line);
}

/* ---- Docker's manifest.json ---- */

static int put_texts(struct output *out, const char *key, struct json_object *list)
{
	int r = 0;

	for (size_t i = 0; r == 0 && list != NULL && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct json_object *holder = json_object_new_object();
		const char *text;

		json_object_object_add(holder, "x", json_object_get(item));
		text = get_text(holder, "x");
		r = text == NULL ? refuse(out, "a list whose items are not all words")
				 : put(out, key, text);
		json_object_put(holder);
	}
	return r;
}

static int parse_docker(struct output *out, struct json_object *root)
{
	int r = 0;

	if (!json_object_is_type(root, json_type_array) || json_object_array_length(root) == 0)
		return refuse(out, "no list of images");
	for (size_t i = 0; r == 0 && i < json_object_array_length(root); i++) {
		struct json_object *image = json_object_array_get_idx(root, i);
		const char *config = get_text(image, "Config");
		struct json_object *layers = get(image, "Layers", json_type_array);

		if (config == NULL || layers == NULL)
			return refuse(out, "an image without Config or Layers");
		r = put(out, "image", "-");
		if (r == 0)
			r = put(out, "config", config);
		if (r == 0)
			r = put_texts(out, "tag", get(image, "RepoTags", json_type_array));
		if (r == 0)
			r = put_texts(out, "layer", layers);
	}
	return r;
}

/* ---- OCI ---- */

static const char *architecture(struct utsname *name)
{
	if (uname(name) != 0)
		return "unknown";
	if (str_equal(name->machine, "x86_64"))
		return "amd64";
	return str_equal(name->machine, "aarch64") ? "arm64" : name->machine;
}

/* Whether a descriptor is for this machine; one that does not say is. */
static bool is_for_here(struct json_object *descriptor)
{
	struct json_object *platform = get(descriptor, "platform", json_type_object);
	const char *os = platform != NULL ? get_text(platform, "os") : NULL;
	const char *arch = platform != NULL ? get_text(platform, "architecture") : NULL;
	struct utsname name;

	return platform == NULL || (os != NULL && str_equal(os, "linux") && arch != NULL &&
				    str_equal(arch, architecture(&name)));
}

static bool is_index(const char *type)
{
	return type != NULL &&
	       (str_equal(type, "application/vnd.oci.image.index.v1+json") ||
		str_equal(type, "application/vnd.docker.distribution.manifest.list.v2+json"));
}

static int parse_index(struct output *out, struct json_object *root)
{
	struct json_object *list = get(root, "manifests", json_type_array);
	int r = 0;

	if (list == NULL)
		return refuse(out, "no list of manifests");
	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		struct json_object *notes = get(item, "annotations", json_type_object);
		const char *name = NULL;

		if (!is_for_here(item))
			continue;
		if (notes != NULL)
			name = get_text(notes, "io.containerd.image.name");
		if (notes != NULL && name == NULL)
			name = get_text(notes, "org.opencontainers.image.ref.name");
		r = put_descriptor(out,
				   is_index(get_text(item, "mediaType")) ? "index" : "manifest",
				   item, name != NULL ? name : "-");
	}
	return r;
}

static int parse_manifest(struct output *out, struct json_object *root)
{
	struct json_object *config = get(root, "config", json_type_object);
	struct json_object *layers = get(root, "layers", json_type_array);
	int r;

	if (config == NULL || layers == NULL)
		return refuse(out, "no config, or no layers");
	r = put_descriptor(out, "config", config, NULL);
	for (size_t i = 0; r == 0 && i < json_object_array_length(layers); i++)
		r = put_descriptor(out, "layer", json_object_array_get_idx(layers, i), NULL);
	return r;
}

/* ---- the configuration ---- */

/* "set KEY VALUE". len: as JSON has it, where a text may hold NUL. */
static int put_setting(struct output *out, const char *key, const char *text, size_t len)
{
	if (text == NULL || strlen(text) != len)
		return err_set(out->err, ERR_SETUP, 0, "%s has an item that is no text", key);
	out->buf[out->len] = '\0';
	if (image_settings_add(out->buf + out->len, out->size - out->len, key, text) < 0)
		return refuse(out, "it says more than fits");
	out->len += strlen(out->buf + out->len);
	return 0;
}

static int put_value(struct output *out, const char *key, struct json_object *value)
{
	bool is_text = json_object_is_type(value, json_type_string);

	return put_setting(out, key, is_text ? json_object_get_string(value) : NULL,
			   is_text ? (size_t)json_object_get_string_len(value) : 0);
}

/* Of an object whose names alone count. */
static int put_names(struct output *out, struct json_object *kept, const char *object,
		     const char *key)
{
	struct json_object *value;
	int r = 0;

	if (!json_object_object_get_ex(kept, object, &value))
		return 0;
	json_object_object_foreach(value, name, nothing)
	{
		(void)nothing;
		if (r == 0)
			r = put_setting(out, key, name, strlen(name));
	}
	return r;
}

/* The same for those who read no JSON (image_record.h). */
static int put_settings(struct output *out, struct json_object *kept)
{
	static const char *const lists[] = {"Env", "Entrypoint", "Cmd"};
	static const char *const texts[] = {"User", "WorkingDir", "StopSignal"};
	struct json_object *value;
	int r = 0;

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		struct json_object *list = get(kept, lists[k], json_type_array);
		size_t n = list != NULL ? json_object_array_length(list) : 0;

		for (size_t i = 0; r == 0 && i < n; i++)
			r = put_value(out, lists[k], json_object_array_get_idx(list, i));
	}
	for (size_t k = 0; r == 0 && k < sizeof(texts) / sizeof(texts[0]); k++)
		if (json_object_object_get_ex(kept, texts[k], &value))
			r = put_value(out, texts[k], value);
	if (r == 0)
		r = put_names(out, kept, "Volumes", "Volume");
	if (r == 0)
		r = put_names(out, kept, "ExposedPorts", "ExposedPort");
	if (r < 0 || !json_object_object_get_ex(kept, "Labels", &value))
		return r;
	json_object_object_foreach(value, name, label)
	{
		if (r == 0)
			r = put_setting(out, "Label", name, strlen(name));
		if (r == 0)
			r = put_value(out, "LabelValue", label);
	}
	return r;
}

/* What a start needs of "config", in one order; whatever is of another type than the specification
 * says is an error. */
static int summarize(struct output *out, struct json_object *config)
{
	static const struct {
		const char *key;
		enum json_type type;
	} keys[] = {
		{"Env", json_type_array},           {"Entrypoint", json_type_array},
		{"Cmd", json_type_array},           {"User", json_type_string},
		{"WorkingDir", json_type_string},   {"Volumes", json_type_object},
		{"ExposedPorts", json_type_object}, {"Labels", json_type_object},
		{"StopSignal", json_type_string},
	};
	struct json_object *kept = json_object_new_object();
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct json_object *value;

		if (config == NULL || !json_object_object_get_ex(config, keys[i].key, &value) ||
		    json_object_is_type(value, json_type_null))
			continue;
		if (!json_object_is_type(value, keys[i].type))
			r = err_set(out->err, ERR_SETUP, 0, "%s is not of its type", keys[i].key);
		else
			json_object_object_add(kept, keys[i].key, json_object_get(value));
	}
	if (r == 0)
		r = put_settings(out, kept);
	if (r == 0)
		r = put(out, "summary",
			json_object_to_json_string_ext(kept,
						       JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(kept);
	return r;
}

static int parse_config(struct output *out, struct json_object *root)
{
	const char *os = get_text(root, "os"), *arch = get_text(root, "architecture");
	struct json_object *rootfs = get(root, "rootfs", json_type_object);
	struct json_object *ids = rootfs != NULL ? get(rootfs, "diff_ids", json_type_array) : NULL;
	int r;

	if (os == NULL || arch == NULL || strlen(os) >= RECORD_WORD_MAX ||
	    strlen(arch) >= RECORD_WORD_MAX)
		return refuse(out, "no os, or no architecture");
	if (ids == NULL)
		return refuse(out, "no rootfs.diff_ids");
	r = put(out, "os", os);
	if (r == 0)
		r = put(out, "architecture", arch);
	for (size_t i = 0; r == 0 && i < json_object_array_length(ids); i++) {
		struct json_object *id = json_object_array_get_idx(ids, i);
		const char *hex = json_object_is_type(id, json_type_string)
					  ? hex_of(json_object_get_string(id))
					  : NULL;

		r = hex == NULL ? refuse(out, "a layer without a sha256 digest")
				: put(out, "diff", hex);
	}
	return r < 0 ? r : summarize(out, get(root, "config", json_type_object));
}

/* ---- a document ---- */

static int parse_kind(enum parse_kind kind, struct output *out, struct json_object *root)
{
	switch (kind) {
	case PARSE_DOCKER:
		return parse_docker(out, root);
	case PARSE_INDEX:
		return parse_index(out, root);
	case PARSE_MANIFEST:
		return parse_manifest(out, root);
	case PARSE_CONFIG:
		return parse_config(out, root);
	}
	return refuse(out, "a document of no kind");
}

static bool is_space(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
			return false;
	return true;
}

int parse_document(enum parse_kind kind, const char *text, size_t len, struct parsed_text *ret,
		   struct err *err)
{
	struct output out = {.buf = ret->buf, .size = ret->size, .err = err};
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root;
	size_t end;
	int r = -EINVAL;

	if (tokener == NULL || len > PARSE_MAX_BYTES) {
		json_tokener_free(tokener);
		return err_set(err, ERR_SETUP, E2BIG, "its JSON");
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
						JSON_TOKENER_ALLOW_TRAILING_CHARS);
	root = json_tokener_parse_ex(tokener, text, (int)len);
	end = json_tokener_get_parse_end(tokener);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		err_set(err, ERR_SETUP, 0, "not valid JSON: %s",
			json_tokener_error_desc(json_tokener_get_error(tokener)));
	else if (!is_space(text + end, len - end))
		err_set(err, ERR_SETUP, 0, "not valid JSON: something behind its end");
	else
		r = parse_kind(kind, &out, root);
	json_object_put(root);
	json_tokener_free(tokener);
	ret->len = out.len;
	return r;
}

int stage_parse(const struct worker_job *job, struct worker_report *report)
{
	_cleanup_free_ char *text = malloc(PARSE_MAX_BYTES);
	_cleanup_free_ char *buf = malloc(OUT_MAX);
	struct parsed_text out = {.buf = buf, .size = OUT_MAX};
	size_t len = 0;
	ssize_t n = 1;
	int r;

	if (text == NULL || buf == NULL)
		return err_set(&report->err, ERR_SETUP, ENOMEM, "the parser");
	while (n > 0 && len < PARSE_MAX_BYTES) {
		n = read(WORKER_IN, text + len, PARSE_MAX_BYTES - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n != 0)
		return err_set(&report->err, ERR_SETUP, n < 0 ? errno : E2BIG, "its JSON");
	r = parse_document((enum parse_kind)job->argument, text, len, &out, &report->err);
	if (r < 0)
		return r;
	r = io_write_all(WORKER_OUT, buf, out.len);
	return r < 0 ? err_set(&report->err, ERR_SETUP, -r, "the parser") : 0;
}
