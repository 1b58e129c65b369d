/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * images/HEX: what cordon needs of an image's configuration, so that nobody who starts one has to
 * read JSON. One "key value" a line, each line of the order below; written once.
 *
 * What a start needs of the configuration are lines "set KEY VALUE": Env, Entrypoint, Cmd (a line
 * for each item), User, WorkingDir, StopSignal, Volume (one for each), and Label with its name
 * before each LabelValue. In VALUE blanks, '%' and control characters are %XX.
 */
#ifndef CORDON_STORAGE_IMAGE_RECORD_H
#define CORDON_STORAGE_IMAGE_RECORD_H

#include "storage/store.h"

enum {
	RECORD_LAYERS_MAX = 128,
	RECORD_WORD_MAX = 64,
	RECORD_SUMMARY_MAX = 256 << 10,
	RECORD_SETTINGS_MAX = 384 << 10,
	RECORD_TEXT_MAX = RECORD_SUMMARY_MAX + RECORD_SETTINGS_MAX + (16 << 10),
};

struct image_record {
	char os[RECORD_WORD_MAX];
	char architecture[RECORD_WORD_MAX];
	char source[RECORD_WORD_MAX]; /* directory, tar, docker-archive, oci */
	uint64_t imported_s;          /* since 1970 */
	size_t n_layers;
	char layers[RECORD_LAYERS_MAX][STORE_HEX_SIZE]; /* lowest first */
	char settings[RECORD_SETTINGS_MAX];             /* the lines "set KEY VALUE" */
	char summary[RECORD_SUMMARY_MAX];               /* one JSON object: all of it, one line */
};

/* One setting: its key, and its value with all bytes as they were. */
struct image_setting {
	char key[RECORD_WORD_MAX];
	char value[RECORD_SETTINGS_MAX];
};

struct layer_record {
	uint64_t n_entries;
	uint64_t n_bytes;   /* of files */
	uint64_t n_skipped; /* lines of `skipped` */
	uint64_t n_owners;  /* lines of `owners` */
};

/* About 650 KiB: not for the stack. The text is checked, so that a record is what this version
 * writes or an error. */
int must_check image_record_parse(const char *text, struct image_record *ret, struct err *err);
size_t image_record_format(const struct image_record *record, char *buf, size_t size);

int must_check image_record_read(struct store *store, const char *hex, struct image_record *ret,
				 struct err *err);

/* Appends "set KEY VALUE" to settings, a buffer of size bytes. -E2BIG; -EINVAL: a key or a value
 * that cannot be one. */
int must_check image_settings_add(char *settings, size_t size, const char *key, const char *value);
/* The next one at *at: 1; 0 behind the last; -EBADMSG. ret is not for the stack. */
int must_check image_settings_next(const char **at, struct image_setting *ret);

size_t layer_record_format(const struct layer_record *record, char *buf, size_t size);
int must_check layer_record_read(struct store *store, const char *hex, struct layer_record *ret,
				 struct err *err);

#endif
