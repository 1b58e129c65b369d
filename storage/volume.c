/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a volume is, and its record as text; see volume.h. Pure, but for random numbers. A record is
 * text of ours: what differs from what is written here is damage, and the last line says that it is
 * whole. */
#include "storage/volume.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/pairs.h"
#include "base/parse.h"
#include "base/str.h"

static const char first_word[] = "cordon-volume ";
static const char first_line[] = "cordon-volume 1\n";
/* Of one of limited size: who does not know that would find no files. */
static const char sized_line[] = "cordon-volume 2\n";
/* Of one in a project: who does not know that would hold nothing to its size. */
static const char project_line[] = "cordon-volume 3\n";

bool volume_is_name(const char *text)
{
	static const char signs[] =
		"_.-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(text);

	return len >= 2 && len <= VOLUME_NAME_MAX && strspn(text, signs) == len &&
	       strchr(signs + strlen("_.-"), text[0]) != NULL;
}

int volume_make_name(char buf[VOLUME_NAME_MAX + 1])
{
	unsigned char bytes[VOLUME_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_format(buf + 2 * i, 3, "%x%x", bytes[i] >> 4, bytes[i] & 15);
	return 0;
}

/* ---- labels and options ---- */

const char *volume_next_pair(const struct volume_pairs *pairs, size_t *at)
{
	return pairs_next(pairs->text, pairs->len, at);
}

int volume_add_pair(struct volume_pairs *pairs, const char *pair)
{
	return pairs_add(pairs->text, sizeof(pairs->text), &pairs->len, pair);
}

/* ---- writing ---- */

static size_t put_pairs(char *buf, size_t size, const char *key, const struct volume_pairs *pairs)
{
	const char *pair;
	size_t at = 0, len = 0;

	while ((pair = volume_next_pair(pairs, &at)) != NULL)
		len += str_format(buf + len, size - len, "%s %s\n", key, pair);
	return len;
}

size_t volume_format(const struct volume *volume, char buf[VOLUME_TEXT_MAX])
{
	const size_t size = VOLUME_TEXT_MAX;
	size_t len = str_format(buf, size, "%sname %s\nanonymous %d\ncreated_ms %llu\nholder %s\n",
				volume->size_bytes == 0 ? first_line
				: volume->is_project    ? project_line
							: sized_line,
				volume->name, volume->is_anonymous,
				(unsigned long long)volume->created_ms, volume->holder);

	if (volume->size_bytes > 0)
		len += str_format(buf + len, size - len, "size %llu\ninodes %llu\n",
				  (unsigned long long)volume->size_bytes,
				  (unsigned long long)volume->inodes);
	len += put_pairs(buf + len, size - len, "label", &volume->labels);
	len += put_pairs(buf + len, size - len, "option", &volume->options);
	return len + str_format(buf + len, size - len, "end\n");
}

/* ---- reading ---- */

struct reader {
	const char *at;
	bool failed;
};

/* "KEY VALUE\n" */
static void take(struct reader *reader, const char *key, char *buf, size_t size)
{
	size_t key_len = strlen(key), len = 0;

	buf[0] = '\0';
	reader->failed = reader->failed || strncmp(reader->at, key, key_len) != 0 ||
			 reader->at[key_len] != ' ';
	if (!reader->failed) {
		reader->at += key_len + 1;
		len = strcspn(reader->at, "\n");
		reader->failed = reader->at[len] != '\n' || len >= size;
	}
	if (reader->failed)
		return;
	memcpy(buf, reader->at, len);
	buf[len] = '\0';
	reader->at += len + 1;
}

static uint64_t take_number(struct reader *reader, const char *key, uint64_t most)
{
	char text[24];
	uint64_t number = 0;

	take(reader, key, text, sizeof(text));
	if (parse_u64(text, &number) < 0 || number > most)
		reader->failed = true;
	return number;
}

static void take_pairs(struct reader *reader, const char *key, struct volume_pairs *pairs)
{
	char pair[VOLUME_PAIRS_MAX];
	size_t len = strlen(key);

	while (!reader->failed && strncmp(reader->at, key, len) == 0 && reader->at[len] == ' ') {
		take(reader, key, pair, sizeof(pair));
		if (!reader->failed && volume_add_pair(pairs, pair) < 0)
			reader->failed = true;
	}
}

/* A whole first line, with another number. */
static bool is_of_other_format(const char *text)
{
	size_t n;

	if (!str_has_prefix(text, first_word))
		return false;
	text += sizeof(first_word) - 1;
	n = strspn(text, "0123456789");
	return n > 0 && text[n] == '\n';
}

int volume_parse(const char *text, struct volume *ret)
{
	struct volume volume = {.is_anonymous = false};
	struct reader reader = {.at = text + sizeof(first_line) - 1};

	bool has_size = str_has_prefix(text, sized_line) || str_has_prefix(text, project_line);

	_Static_assert(sizeof(first_line) == sizeof(sized_line) &&
			       sizeof(first_line) == sizeof(project_line),
		       "what the reader begins behind");
	if (!has_size && !str_has_prefix(text, first_line))
		return is_of_other_format(text) ? -EPROTONOSUPPORT : -EBADMSG;
	take(&reader, "name", volume.name, sizeof(volume.name));
	volume.is_anonymous = take_number(&reader, "anonymous", 1) != 0;
	volume.created_ms = (int64_t)take_number(&reader, "created_ms", INT64_MAX);
	take(&reader, "holder", volume.holder, sizeof(volume.holder));
	if (has_size) {
		volume.size_bytes = take_number(&reader, "size", INT64_MAX);
		volume.inodes = take_number(&reader, "inodes", INT64_MAX);
		volume.is_project = str_has_prefix(text, project_line);
		reader.failed = reader.failed || volume.size_bytes == 0;
	}
	take_pairs(&reader, "label", &volume.labels);
	take_pairs(&reader, "option", &volume.options);
	if (reader.failed || !str_equal(reader.at, "end\n") || !volume_is_name(volume.name))
		return -EBADMSG;
	*ret = volume;
	return 0;
}
