/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon image load SOURCE [NAME]`: what `docker save`, podman and skopeo write, and OCI image
 * layouts, as a directory or as a tar of one. A tar is unpacked below making/ first, confined like
 * any layer.
 *
 * Sources: OCI image-spec 1.1, image-layout; Docker image specification v1.2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"

enum { INDEX_DEPTH = 3, PATH_SIZE = 1200, TAGS_MAX = 64 };

/* An image as an archive has it. */
struct loading {
	struct importer *im;
	int dir;
	const char *given; /* the name of the command line, or NULL */
	const char *source;
	size_t n_images;
	struct image_record *record;
};

struct blob {
	char hex[STORE_HEX_SIZE];
	uint64_t size;
	const char *name; /* behind it on the line, or "" */
};

static int refuse_lines(struct err *err)
{
	return err_set(err, ERR_SETUP, 0, "the parser says what it may not say");
}

/* "HEX SIZE[ NAME]"; changes the text. */
static bool read_blob(char *value, struct blob *ret)
{
	char *hex = strsep(&value, " ");
	char *size = strsep(&value, " ");

	if (!store_is_hex(hex) || size == NULL || parse_u64(size, &ret->size) < 0)
		return false;
	memcpy(ret->hex, hex, STORE_HEX_SIZE);
	ret->name = value != NULL ? value : "";
	return true;
}

static void blob_path(const char *hex, char path[PATH_SIZE])
{
	str_format(path, PATH_SIZE, "blobs/sha256/%s", hex);
}

/* ---- what both have in common ---- */

static int read_document(struct loading *l, struct document_place place, struct document *ret,
			 struct err *err)
{
	place.dir = l->dir;
	return document_read(l->im, &place, ret, err);
}

/* One layer of an image, unless the store has it: then nobody looks at the archive's. blob: its
 * digest and size as it is in the archive, or NULL. */
static int load_layer(struct loading *l, const char *path, const char *diff,
		      const struct blob *blob, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	char hex[STORE_HEX_SIZE], what[128];
	const char *before = l->im->what;
	struct layer_input input = {.expected = diff};
	uint64_t size;
	int r = 0;

	if (store_has(l->im->store->layers_fd, diff))
		return 0;
	fd = document_open(l->dir, path, err);
	if (fd < 0)
		return fd;
	str_format(what, sizeof(what), "layer %.*s", 12, diff);
	l->im->what = what;
	input.fd = fd;
	if (blob != NULL)
		r = flow_digest(l->im, fd, hex, &size, err);
	if (r == 0 && blob != NULL && (!str_equal(hex, blob->hex) || size != blob->size))
		r = err_set(err, ERR_SETUP, 0,
			    "%s: has %llu bytes and digest sha256:%s, and should have %llu and "
			    "sha256:%s",
			    path, (unsigned long long)size, hex, (unsigned long long)blob->size,
			    blob->hex);
	if (r == 0)
		r = layer_import(l->im, &input, hex, err);
	l->im->what = before;
	return r;
}

static int add_image(struct loading *l, struct document *config, char ret_hex[STORE_HEX_SIZE],
		     struct err *err)
{
	const struct new_image image = {.config = config->text,
					.config_len = config->len,
					.record = l->record};

	str_format(l->record->source, sizeof(l->record->source), "%s", l->source);
	l->record->imported_s = (uint64_t)time(NULL);
	l->n_images++;
	return layer_add_image(l->im, &image, ret_hex, err);
}

static int add_name(struct loading *l, const char *name, const char *hex, struct err *err)
{
	char clean[STORE_NAME_MAX + 1];
	int r = store_name_parse(name, clean, err);

	if (r == 0)
		r = layer_take_name(l->im, clean, hex, err);
	return r < 0 ? r : say_loaded(l->im, clean, err);
}

/* A name that was given is for one image: `key` is what each of them has one line of. */
static int check_given(const struct loading *l, const struct document *document, const char *key,
		       struct err *err)
{
	size_t n = 0, len = strlen(key);

	for (const char *line = document->lines; line != NULL && line[0] != '\0';) {
		n += strncmp(line, key, len) == 0 && line[len] == ' ';
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	if (l->given != NULL && n > 1)
		return err_set(err, ERR_USAGE, 0, "one name for an archive of several images");
	return 0;
}

static int refuse_unnamed(struct err *err)
{
	err_set(err, ERR_USAGE, 0, "the archive gives its image no name");
	return err_hint(err, "Say one: cordon image load SOURCE NAME.");
}

/* ---- docker save ---- */

struct docker_image {
	const char *config;
	const char *tags[TAGS_MAX];
	size_t n_tags;
	const char *layers[RECORD_LAYERS_MAX];
	size_t n_layers;
};

/* The digest that is part of a configuration's path: HEX.json, or blobs/sha256/HEX. */
static bool hex_in_path(const char *path, char ret_hex[STORE_HEX_SIZE])
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base != NULL ? base + 1 : path;
	len = strcspn(base, ".");
	if (len != STORE_HEX_SIZE - 1)
		return false;
	str_format(ret_hex, STORE_HEX_SIZE, "%s", base);
	return store_is_hex(ret_hex);
}

static int load_docker_names(struct loading *l, const struct docker_image *image, const char *hex,
			     struct err *err)
{
	int r = 0;

	if (l->given != NULL)
		return add_name(l, l->given, hex, err);
	for (size_t i = 0; r == 0 && i < image->n_tags; i++)
		r = add_name(l, image->tags[i], hex, err);
	return r;
}

static int load_docker_image(struct loading *l, const struct docker_image *image, struct err *err)
{
	char hex[STORE_HEX_SIZE];
	struct document config = {0};
	bool has_digest = image->config != NULL && hex_in_path(image->config, hex);
	int r;

	if (image->config == NULL)
		return refuse_lines(err);
	if (image->n_tags == 0 && l->given == NULL)
		return refuse_unnamed(err);
	r = read_document(l,
			  (struct document_place){.path = image->config,
						  .expected = has_digest ? hex : NULL,
						  .kind = PARSE_CONFIG},
			  &config, err);
	if (r < 0)
		return r;
	r = document_config(&config, l->record, err);
	if (r == 0 && l->record->n_layers != image->n_layers)
		r = err_set(err, ERR_SETUP, 0,
			    "%s names %zu layers, and the archive has %zu for it", image->config,
			    l->record->n_layers, image->n_layers);
	for (size_t i = 0; r == 0 && i < image->n_layers; i++)
		r = load_layer(l, image->layers[i], l->record->layers[i], NULL, err);
	if (r == 0)
		r = add_image(l, &config, hex, err);
	if (r == 0)
		r = load_docker_names(l, image, hex, err);
	document_release(&config);
	return r;
}

static int take_docker_line(struct docker_image *image, const char *key, const char *value)
{
	if (str_equal(key, "config"))
		image->config = value;
	else if (str_equal(key, "tag") && image->n_tags < TAGS_MAX)
		image->tags[image->n_tags++] = value;
	else if (str_equal(key, "layer") && image->n_layers < RECORD_LAYERS_MAX)
		image->layers[image->n_layers++] = value;
	else
		return -EINVAL;
	return 0;
}

static int load_docker(struct loading *l, struct err *err)
{
	struct document manifest = {0};
	struct docker_image image = {0};
	char *at, *key, *value;
	bool has_image = false;
	int r = read_document(l,
			      (struct document_place){.path = "manifest.json",
						      .expected = NULL,
						      .kind = PARSE_DOCKER},
			      &manifest, err);

	if (r == 0)
		r = check_given(l, &manifest, "image", err);
	at = manifest.lines;
	while (r == 0 && (key = document_next(&at, &value)) != NULL) {
		if (!str_equal(key, "image")) {
			r = has_image && take_docker_line(&image, key, value) == 0
				    ? 0
				    : refuse_lines(err);
			continue;
		}
		if (has_image)
			r = load_docker_image(l, &image, err);
		memset(&image, 0, sizeof(image));
		has_image = true;
	}
	if (r == 0 && has_image)
		r = load_docker_image(l, &image, err);
	document_release(&manifest);
	return r;
}

/* ---- OCI ---- */

struct oci_layers {
	struct blob config;
	bool has_config;
	struct blob list[RECORD_LAYERS_MAX];
	size_t n;
};

static int read_manifest(struct document *manifest, struct oci_layers *ret, struct err *err)
{
	char *at = manifest->lines, *key, *value;

	while ((key = document_next(&at, &value)) != NULL) {
		if (str_equal(key, "config") && !ret->has_config &&
		    read_blob(value, &ret->config)) {
			ret->has_config = true;
			continue;
		}
		if (!str_equal(key, "layer"))
			return refuse_lines(err);
		if (ret->n == RECORD_LAYERS_MAX)
			return err_set(err, ERR_SETUP, 0, "the image has more than %d layers",
				       RECORD_LAYERS_MAX);
		if (!read_blob(value, &ret->list[ret->n++]))
			return refuse_lines(err);
	}
	return ret->has_config ? 0 : refuse_lines(err);
}

static int load_oci_layers(struct loading *l, const struct oci_layers *layers,
			   struct document *config, struct err *err)
{
	char path[PATH_SIZE];
	int r = document_config(config, l->record, err);

	if (r == 0 && l->record->n_layers != layers->n)
		r = err_set(err, ERR_SETUP, 0,
			    "the configuration names %zu layers, the manifest %zu",
			    l->record->n_layers, layers->n);
	for (size_t i = 0; r == 0 && i < layers->n; i++) {
		blob_path(layers->list[i].hex, path);
		r = load_layer(l, path, l->record->layers[i], &layers->list[i], err);
	}
	return r;
}

/* The name of a layout's image may be a tag alone. */
static int load_oci_name(struct loading *l, const char *name, const char *hex, struct err *err)
{
	if (l->given != NULL)
		return add_name(l, l->given, hex, err);
	if (strpbrk(name, ":/") == NULL)
		return refuse_unnamed(err);
	return add_name(l, name, hex, err);
}

static int load_oci_image(struct loading *l, const struct blob *blob, struct err *err)
{
	_cleanup_free_ struct oci_layers *layers = NULL;
	struct document manifest = {0}, config = {0};
	char path[PATH_SIZE], hex[STORE_HEX_SIZE];
	int r;

	if (l->given == NULL && strpbrk(blob->name, ":/") == NULL)
		return refuse_unnamed(err);
	layers = calloc(1, sizeof(*layers));
	if (layers == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "load");
	blob_path(blob->hex, path);
	r = read_document(l,
			  (struct document_place){.path = path,
						  .expected = blob->hex,
						  .kind = PARSE_MANIFEST},
			  &manifest, err);
	if (r == 0)
		r = read_manifest(&manifest, layers, err);
	if (r == 0) {
		blob_path(layers->config.hex, path);
		r = read_document(l,
				  (struct document_place){.path = path,
							  .expected = layers->config.hex,
							  .kind = PARSE_CONFIG},
				  &config, err);
	}
	if (r == 0)
		r = load_oci_layers(l, layers, &config, err);
	if (r == 0)
		r = add_image(l, &config, hex, err);
	if (r == 0)
		r = load_oci_name(l, blob->name, hex, err);
	document_release(&manifest);
	document_release(&config);
	return r;
}

static int load_index(struct loading *l, const char *path, const char *hex, unsigned depth,
		      struct err *err)
{
	struct document index = {0};
	char *at, *key, *value, below[PATH_SIZE];
	int r = depth > INDEX_DEPTH
			? err_set(err, ERR_SETUP, 0, "%s: indexes of indexes, too many", path)
			: read_document(l,
					(struct document_place){.path = path,
								.expected = hex,
								.kind = PARSE_INDEX},
					&index, err);

	if (r == 0)
		r = check_given(l, &index, "manifest", err);
	at = index.lines;
	while (r == 0 && (key = document_next(&at, &value)) != NULL) {
		struct blob blob;

		if (!read_blob(value, &blob)) {
			r = refuse_lines(err);
		} else if (str_equal(key, "index")) {
			blob_path(blob.hex, below);
			r = load_index(l, below, blob.hex, depth + 1, err);
		} else {
			r = load_oci_image(l, &blob, err);
		}
	}
	document_release(&index);
	return r;
}

/* ---- either ---- */

static bool has_file(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int load_dir(struct loading *l, struct err *err)
{
	int r;

	if (has_file(l->dir, "manifest.json")) {
		l->source = "docker-archive";
		r = load_docker(l, err);
	} else if (has_file(l->dir, "index.json")) {
		l->source = "oci";
		r = load_index(l, "index.json", NULL, 0, err);
	} else {
		err_set(err, ERR_USAGE, 0,
			"%s: no image archive: it has neither manifest.json nor index.json",
			l->im->what);
		return err_hint(err,
				"A root file system becomes an image with `cordon image import "
				"SOURCE NAME`.");
	}
	if (r == 0 && l->n_images == 0)
		return err_set(err, ERR_USAGE, 0, "%s: no image in it is for this machine",
			       l->im->what);
	return r;
}

/* A tar: unpacked below making/, so that a file of it can be read by name. */
static int unpack_outer(struct importer *im, int source, struct layer_dir *ret, struct err *err)
{
	struct flow_result result;
	struct flow flow = {.input = source};
	int r = layer_dir_make(im, "outer", ret, err);

	if (r < 0)
		return r;
	flow.into = ret->tree;
	flow.owners = ret->owners;
	flow.skipped = ret->skipped;
	r = flow_run(im, &flow, &result, err);
	if (r == 0 && !result.has_end) {
		r = err_set(err, ERR_SETUP, 0, "it ends without the mark of a tar's end");
		err_hint(err, "It was cut short: get it once more.");
	}
	return r < 0 ? err_wrap(err, "%s", im->what) : 0;
}

int load_from(struct importer *im, int source, const char *name, struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	struct layer_dir outer = {.fd = -EBADF,
				  .tree = -EBADF,
				  .owners = -EBADF,
				  .skipped = -EBADF};
	struct loading l = {.im = im, .given = name, .record = record, .dir = source};
	struct stat st;
	int r = 0;

	if (record == NULL || fstat(source, &st) != 0)
		return err_set(err, ERR_SETUP, ENOMEM, "load");
	if (!S_ISDIR(st.st_mode)) {
		r = unpack_outer(im, source, &outer, err);
		l.dir = outer.tree;
	}
	if (r == 0)
		r = load_dir(&l, err);
	layer_dir_release(&outer);
	return r;
}

int command_load(const struct command *command, struct err *err)
{
	struct store store;
	struct importer im;
	_cleanup_fd_ int source = -EBADF;
	char clean[STORE_NAME_MAX + 1];
	bool is_dir;
	int r;

	if (command->words[1] != NULL && store_name_parse(command->words[1], clean, err) < 0)
		return -EINVAL;
	source = command_open(command->words[0], &is_dir, err);
	if (source < 0)
		return source;
	r = store_open(command->state, true, &store, err);
	if (r < 0)
		return r;
	r = importer_init(&im, &store, &command->limits, command->is_quiet, err);
	if (r == 0) {
		im.what = command->words[0];
		im.is_quiet = command->is_quiet;
		r = load_from(&im, source, command->words[1], err);
		importer_release(&im);
	}
	if (r < 0)
		store_sweep_failed(&store);
	store_release(&store);
	return r;
}
