/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of images and layers as text; see image_record.h. Strict: the text is ours, so what
 * differs from what is written here is damage. */
#include "storage/image_record.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"

static const char image_line[] = "cordon-image 1\n";
static const char layer_line[] = "cordon-layer 1\n";
static const char layer_key[] = "layer ";

struct reader {
	const char *at;
};

static bool take(struct reader *reader, const char *text)
{
	if (!str_has_prefix(reader->at, text))
		return false;
	reader->at += strlen(text);
	return true;
}

/* "KEY VALUE\n" */
static bool take_value(struct reader *reader, const char *key, char *buf, size_t size)
{
	size_t len;

	if (!take(reader, key) || !take(reader, " "))
		return false;
	len = strcspn(reader->at, "\n");
	if (reader->at[len] != '\n' || len + 1 > size)
		return false;
	memcpy(buf, reader->at, len);
	buf[len] = '\0';
	reader->at += len + 1;
	return true;
}

static bool take_number(struct reader *reader, const char *key, uint64_t *ret)
{
	char text[32];

	return take_value(reader, key, text, sizeof(text)) && parse_u64(text, ret) == 0;
}

static bool take_layers(struct reader *reader, struct image_record *record)
{
	record->n_layers = 0;
	while (str_has_prefix(reader->at, layer_key)) {
		char *hex;

		if (record->n_layers == RECORD_LAYERS_MAX)
			return false;
		hex = record->layers[record->n_layers++];
		if (!take_value(reader, "layer", hex, STORE_HEX_SIZE) || !store_is_hex(hex))
			return false;
	}
	return true;
}

int image_record_parse(const char *text, struct image_record *ret, struct err *err)
{
	struct reader reader = {.at = text};

	if (!take(&reader, image_line) || !take_value(&reader, "os", ret->os, sizeof(ret->os)) ||
	    !take_value(&reader, "architecture", ret->architecture, sizeof(ret->architecture)) ||
	    !take_value(&reader, "source", ret->source, sizeof(ret->source)) ||
	    !take_number(&reader, "imported", &ret->imported_s) || !take_layers(&reader, ret) ||
	    !take_value(&reader, "config", ret->summary, sizeof(ret->summary)) ||
	    *reader.at != '\0')
		return err_set(err, ERR_SETUP, 0, "not a record of an image that cordon wrote");
	return 0;
}

size_t image_record_format(const struct image_record *record, char *buf, size_t size)
{
	size_t len = str_format(buf, size, "%sos %s\narchitecture %s\nsource %s\nimported %llu\n",
				image_line, record->os, record->architecture, record->source,
				(unsigned long long)record->imported_s);

	for (size_t i = 0; i < record->n_layers; i++)
		len += str_format(buf + len, size - len, "%s%s\n", layer_key, record->layers[i]);
	return len + str_format(buf + len, size - len, "config %s\n", record->summary);
}

int image_record_read(struct store *store, const char *hex, struct image_record *ret,
		      struct err *err)
{
	_cleanup_free_ char *text = malloc(RECORD_TEXT_MAX);
	ssize_t n =
		text == NULL ? -ENOMEM : io_read_text(store->images_fd, hex, text, RECORD_TEXT_MAX);
	int r = n < 0 ? err_set(err, ERR_SETUP, (int)-n, "read")
		      : image_record_parse(text, ret, err);

	return r < 0 ? err_wrap(err, "%s/images/%s", store->path, hex) : 0;
}

size_t layer_record_format(const struct layer_record *record, char *buf, size_t size)
{
	return str_format(buf, size, "%sentries %llu\nbytes %llu\nskipped %llu\nowners %llu\n",
			  layer_line, (unsigned long long)record->n_entries,
			  (unsigned long long)record->n_bytes,
			  (unsigned long long)record->n_skipped,
			  (unsigned long long)record->n_owners);
}

int layer_record_read(struct store *store, const char *hex, struct layer_record *ret,
		      struct err *err)
{
	char path[STORE_HEX_SIZE + 16], text[512];
	struct reader reader = {.at = text};
	ssize_t n;

	str_format(path, sizeof(path), "%s/record", hex);
	n = io_read_text(store->layers_fd, path, text, sizeof(text));
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s/layers/%s", store->path, path);
	if (!take(&reader, layer_line) || !take_number(&reader, "entries", &ret->n_entries) ||
	    !take_number(&reader, "bytes", &ret->n_bytes) ||
	    !take_number(&reader, "skipped", &ret->n_skipped) ||
	    !take_number(&reader, "owners", &ret->n_owners) || *reader.at != '\0')
		return err_set(err, ERR_SETUP, 0, "%s/layers/%s: not what cordon wrote",
			       store->path, path);
	return 0;
}
