/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `cordon image save NAME FILE`: a tar that is an OCI layout and what `docker load` reads.
 *
 * Layers are packed anew from their files, with the owners and bits that the disk has not got. The
 * bytes of a tar follow from the tree alone, so what cordon packed once is the same every time; a
 * layer that another program had packed gets another digest, and its image another id.
 *
 * FILE has its name when it is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"
#include "libexec/image/output.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, TEXT_SIZE = 512 << 10 };

struct saving {
	struct importer *im;
	struct image_record *record;
	const char *name;
	int dir;
	int blobs;
	char diffs[RECORD_LAYERS_MAX][STORE_HEX_SIZE];
	uint64_t sizes[RECORD_LAYERS_MAX];
	char config[STORE_HEX_SIZE];
	size_t config_len;
	char *text; /* TEXT_SIZE */
};

static int make_dirs(struct saving *s, struct err *err)
{
	if (mkdirat(s->im->work.fd, "save", 0700) != 0)
		return err_set(err, ERR_SETUP, errno, "save");
	s->dir = sys_openat(s->im->work.fd, "save", DIR_FLAGS, 0);
	if (s->dir < 0 || mkdirat(s->dir, "blobs", 0700) != 0 ||
	    mkdirat(s->dir, "blobs/sha256", 0700) != 0)
		return err_set(err, ERR_SETUP, s->dir < 0 ? -s->dir : errno, "save");
	s->blobs = sys_openat(s->dir, "blobs/sha256", DIR_FLAGS, 0);
	return s->blobs < 0 ? err_set(err, ERR_SETUP, -s->blobs, "save") : 0;
}

static int pack_layer(struct saving *s, size_t i, struct err *err)
{
	const char *hex = s->record->layers[i];
	char path[STORE_HEX_SIZE + 16];
	struct flow_result result;
	struct packed_tree packed;
	_cleanup_fd_ int tree = -EBADF, owners = -EBADF, out = -EBADF;
	int r;

	str_format(path, sizeof(path), "%s/tree", hex);
	tree = sys_openat(s->im->store->layers_fd, path, DIR_FLAGS, 0);
	str_format(path, sizeof(path), "%s/owners", hex);
	owners = sys_openat(s->im->store->layers_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	out = sys_openat(s->blobs, "new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (tree < 0 || owners < 0 || out < 0)
		return err_set(err, ERR_SETUP, EIO, "layer %s", hex);
	packed = (struct packed_tree){.kind = PACK_LAYER, .dir = tree, .owners = owners};
	r = flow_pack(s->im, &packed, out, &result, err);
	if (r < 0)
		return err_wrap(err, "layer %s", hex);
	memcpy(s->diffs[i], result.hex, STORE_HEX_SIZE);
	s->sizes[i] = result.n_bytes;
	return renameat(s->blobs, "new", s->blobs, result.hex) != 0
		       ? err_set(err, ERR_SETUP, errno, "layer %s", hex)
		       : 0;
}

static size_t put_layers(struct saving *s, size_t len, const char *fmt_before, const char *after)
{
	for (size_t i = 0; i < s->record->n_layers; i++)
		len += str_format(s->text + len, TEXT_SIZE - len, "%s\"%s%s%s\"", i > 0 ? "," : "",
				  fmt_before, s->diffs[i], after);
	return len;
}

/* The composer's items; each ends with NUL. */
static size_t put_items(struct saving *s)
{
	size_t len = 0;

	for (size_t i = 0; i < s->record->n_layers; i++)
		len += str_format(s->text + len, TEXT_SIZE - len, "layer=%s", s->diffs[i]) + 1;
	return len;
}

static bool has_diffs(const struct saving *s, const struct image_record *record)
{
	if (record->n_layers != s->record->n_layers)
		return false;
	for (size_t i = 0; i < record->n_layers; i++)
		if (!str_equal(record->layers[i], s->diffs[i]))
			return false;
	return true;
}

/* All that it says, its history as well, of the layers as they are packed now (compose.c). */
static int compose_config_of(struct saving *s, struct document *config, struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	struct document input = {0}, composed = {0};
	size_t len = put_items(s), room = len + 1 + config->len;
	int r;

	input.text = malloc(room);
	if (record == NULL || input.text == NULL) {
		document_release(&input);
		return err_set(err, ERR_SETUP, ENOMEM, "save");
	}
	memcpy(input.text, s->text, len);
	input.text[len] = '\0';
	memcpy(input.text + len + 1, config->text, config->len);
	input.len = room;
	r = document_compose(s->im, &input, &composed, err);
	document_release(&input);
	if (r == 0)
		r = document_config(&composed, record, err);
	if (r == 0 && !has_diffs(s, record))
		r = err_set(err, ERR_SETUP, 0, "the composer says other layers than there are");
	if (r < 0) {
		document_release(&composed);
		return r;
	}
	document_release(config);
	*config = composed;
	return 0;
}

/* The image's own configuration where its layers are what they were. */
static int write_config(struct saving *s, const char *hex, struct err *err)
{
	const struct document_place place = {.dir = s->im->store->configs_fd,
					     .path = hex,
					     .expected = hex,
					     .kind = PARSE_CONFIG};
	struct document config = {0};
	int r = document_read(s->im, &place, &config, err);

	if (r == 0 && !has_diffs(s, s->record))
		r = compose_config_of(s, &config, err);
	if (r < 0) {
		document_release(&config);
		return err_wrap(err, "configuration %s", hex);
	}
	memcpy(s->config, config.hex, STORE_HEX_SIZE);
	s->config_len = config.len;
	r = store_write_file(s->blobs, s->config, config.text, config.len, err);
	document_release(&config);
	return r;
}

static int write_manifest(struct saving *s, char ret_hex[STORE_HEX_SIZE], size_t *ret_len,
			  struct err *err)
{
	size_t len = str_format(
		s->text, TEXT_SIZE,
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
		"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\","
		"\"digest\":\"sha256:%s\",\"size\":%zu},\"layers\":[",
		s->config, s->config_len);

	for (size_t i = 0; i < s->record->n_layers; i++)
		len += str_format(s->text + len, TEXT_SIZE - len,
				  "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\","
				  "\"digest\":\"sha256:%s\",\"size\":%llu}",
				  i > 0 ? "," : "", s->diffs[i], (unsigned long long)s->sizes[i]);
	len += str_format(s->text + len, TEXT_SIZE - len, "]}");
	flow_digest_text(s->text, len, ret_hex);
	*ret_len = len;
	return store_write_file(s->blobs, ret_hex, s->text, len, err);
}

static int write_index(struct saving *s, struct err *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	char hex[STORE_HEX_SIZE];
	size_t len;
	int r = write_manifest(s, hex, &len, err);

	if (r < 0)
		return r;
	len = str_format(
		s->text, TEXT_SIZE,
		"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		"\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\","
		"\"size\":%zu,\"annotations\":{\"io.containerd.image.name\":\"%s\","
		"\"org.opencontainers.image.ref.name\":\"%s\"},\"platform\":{\"architecture\":"
		"\"%s\",\"os\":\"%s\"}}]}",
		hex, len, s->name, strrchr(s->name, ':') + 1, s->record->architecture,
		s->record->os);
	r = store_write_file(s->dir, "index.json", s->text, len, err);
	if (r == 0)
		r = store_write_file(s->dir, "oci-layout", layout, strlen(layout), err);
	if (r < 0)
		return r;
	len = str_format(s->text, TEXT_SIZE,
			 "[{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":[\"%s\"],\"Layers\":[",
			 s->config, s->name);
	len = put_layers(s, len, "blobs/sha256/", "");
	len += str_format(s->text + len, TEXT_SIZE - len, "]}]");
	return store_write_file(s->dir, "manifest.json", s->text, len, err);
}

static int save_image(struct saving *s, const char *hex, int output, struct err *err)
{
	struct packed_tree packed = {.kind = PACK_OUTER, .owners = -EBADF};
	struct flow_result result;
	int r = image_record_read(s->im->store, hex, s->record, err);

	if (r == 0)
		r = make_dirs(s, err);
	for (size_t i = 0; r == 0 && i < s->record->n_layers; i++)
		r = pack_layer(s, i, err);
	if (r == 0)
		r = write_config(s, hex, err);
	if (r == 0)
		r = write_index(s, err);
	packed.dir = s->dir;
	return r < 0 ? r : flow_pack(s->im, &packed, output, &result, err);
}

static int save_named(const struct command *command, struct importer *im, int output,
		      struct err *err)
{
	struct saving *s = calloc(1, sizeof(*s));
	char name[STORE_NAME_MAX + 1], hex[STORE_HEX_SIZE];
	int r;

	if (s == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "save");
	r = store_name_parse(command->words[0], name, err);
	if (r == 0)
		r = store_find(im->store, name, hex, err);
	if (r == 0) {
		s->im = im;
		s->name = name;
		s->dir = s->blobs = -EBADF;
		s->record = malloc(sizeof(*s->record));
		s->text = malloc(TEXT_SIZE);
		r = s->record == NULL || s->text == NULL ? err_set(err, ERR_SETUP, ENOMEM, "save")
							 : save_image(s, hex, output, err);
		close_fd(&s->blobs);
		close_fd(&s->dir);
		free(s->record);
		free(s->text);
	}
	free(s);
	return r;
}

int command_save(const struct command *command, struct err *err)
{
	struct output out;
	struct store store;
	struct importer im;
	int r = store_open(command->state, true, &store, err);

	if (r < 0)
		return r;
	r = output_open(command->words[1], 0644, "image save NAME FILE", &out, err);
	if (r == 0)
		r = importer_init(&im, &store, &command->limits, command->is_quiet, err);
	if (r == 0) {
		im.what = command->words[0];
		r = save_named(command, &im, out.fd, err);
		importer_release(&im);
	}
	if (r == 0)
		r = output_name(&out, err);
	output_close(&out);
	store_release(&store);
	return r;
}
