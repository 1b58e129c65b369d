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

static const char image_line[] = "cordon-image 2\n";
static const char first_line[] = "cordon-image 1\n"; /* without settings */
static const char layer_line[] = "cordon-layer 1\n";
static const char layer_key[] = "layer ";
static const char set_key[] = "set ";

static const char *const setting_keys[] = {"Env",    "Entrypoint", "Cmd",        "Label",
					   "User",   "WorkingDir", "StopSignal", "LabelValue",
					   "Volume", "ExposedPort"};

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

/* ---- settings ---- */

static bool is_setting(const char *key)
{
	for (size_t i = 0; i < sizeof(setting_keys) / sizeof(setting_keys[0]); i++)
		if (str_equal(setting_keys[i], key))
			return true;
	return false;
}

static bool is_escaped(unsigned char c)
{
	return c <= 0x20 || c == 0x7f || c == '%';
}

int image_settings_add(char *settings, size_t size, const char *key, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t start = strlen(settings), len = start, need = 0;

	if (!is_setting(key))
		return -EINVAL;
	for (const char *c = value; *c != '\0'; c++)
		need += is_escaped((unsigned char)*c) ? 3 : 1;
	if (sizeof(set_key) + strlen(key) + need + 2 > size - start)
		return -E2BIG;
	len += str_format(settings + len, size - len, "%s%s ", set_key, key);
	for (const char *c = value; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;

		if (!is_escaped(byte)) {
			settings[len++] = *c;
			continue;
		}
		settings[len++] = '%';
		settings[len++] = digits[byte >> 4];
		settings[len++] = digits[byte & 15];
	}
	settings[len++] = '\n';
	settings[len] = '\0';
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In its place: it only gets shorter. False where it is not what image_settings_add writes. */
static bool unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; from++) {
		int high, low;

		if (*from != '%') {
			if (is_escaped((unsigned char)*from))
				return false;
			*to++ = *from;
			continue;
		}
		high = hex_digit(from[1]);
		low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || !is_escaped((unsigned char)(high << 4 | low)) || (high | low) == 0)
			return false;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return true;
}

int image_settings_next(const char **at, struct image_setting *ret)
{
	struct reader reader = {.at = *at};
	size_t len;

	if (*reader.at == '\0')
		return 0;
	if (!take(&reader, set_key))
		return -EBADMSG;
	len = strcspn(reader.at, " \n");
	if (reader.at[len] != ' ' || len >= sizeof(ret->key))
		return -EBADMSG;
	memcpy(ret->key, reader.at, len);
	ret->key[len] = '\0';
	if (!is_setting(ret->key) ||
	    !take_value(&reader, ret->key, ret->value, sizeof(ret->value)) || !unescape(ret->value))
		return -EBADMSG;
	*at = reader.at;
	return 1;
}

static bool take_settings(struct reader *reader, struct image_record *record)
{
	_cleanup_free_ struct image_setting *setting = malloc(sizeof(*setting));
	const char *start = reader->at;
	size_t len;

	while (str_has_prefix(reader->at, set_key))
		if (setting == NULL || image_settings_next(&reader->at, setting) != 1)
			return false;
	len = (size_t)(reader->at - start);
	if (len >= sizeof(record->settings))
		return false;
	memcpy(record->settings, start, len);
	record->settings[len] = '\0';
	return true;
}

/* ---- images ---- */

int image_record_parse(const char *text, struct image_record *ret, struct err *err)
{
	struct reader reader = {.at = text};

	if (str_has_prefix(text, first_line)) {
		err_set(err, ERR_SETUP, 0, "it was written by an earlier build of cordon");
		return err_hint(err, "Load or import the image once more: it gets the same id.");
	}
	if (!take(&reader, image_line) || !take_value(&reader, "os", ret->os, sizeof(ret->os)) ||
	    !take_value(&reader, "architecture", ret->architecture, sizeof(ret->architecture)) ||
	    !take_value(&reader, "source", ret->source, sizeof(ret->source)) ||
	    !take_number(&reader, "imported", &ret->imported_s) || !take_layers(&reader, ret) ||
	    !take_settings(&reader, ret) ||
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
	return len + str_format(buf + len, size - len, "%sconfig %s\n", record->settings,
				record->summary);
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
