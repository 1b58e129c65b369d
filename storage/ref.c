/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of images; see store.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "storage/store.h"

enum { LEAST_DIGITS = 6, PREFIX_LEN = 7 };

static const char prefix[] = "sha256:";

/* ---- how they are written ---- */

static bool is_component(const char *text, size_t len)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	if (len == 0 || strchr(first, text[0]) == NULL || strchr(first, text[len - 1]) == NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (strchr(rest, text[i]) == NULL)
			return false;
	return true;
}

/* "host:5000", which may stand in front of the first '/'. */
static bool is_host(const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t port;

	if (colon == NULL)
		return is_component(text, len);
	port = (size_t)(text + len - colon) - 1;
	return is_component(text, (size_t)(colon - text)) && port > 0 && port <= 5 &&
	       strspn(colon + 1, "0123456789") >= port;
}

static bool is_repository(const char *text, size_t len)
{
	size_t at = 0;

	for (;;) {
		const char *slash = memchr(text + at, '/', len - at);
		size_t n = slash != NULL ? (size_t)(slash - text) - at : len - at;
		bool is_first = at == 0 && slash != NULL;

		if (!(is_first ? is_host(text + at, n) : is_component(text + at, n)))
			return false;
		if (slash == NULL)
			return true;
		at += n + 1;
	}
}

static bool is_tag(const char *text)
{
	static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_.-";

	return text[0] != '\0' && text[0] != '.' && text[0] != '-' && strlen(text) <= 128 &&
	       text[strspn(text, all)] == '\0';
}

int store_name_parse(const char *text, char *buf, struct err *err)
{
	const char *slash = strrchr(text, '/');
	const char *colon = strchr(slash != NULL ? slash : text, ':');
	size_t len = colon != NULL ? (size_t)(colon - text) : strlen(text);
	const char *tag = colon != NULL ? colon + 1 : "latest";

	if (!is_repository(text, len) || !is_tag(tag) || len + strlen(tag) + 1 > STORE_NAME_MAX) {
		err_set(err, ERR_USAGE, 0, "'%s' is no name for an image", text);
		return err_hint(err,
				"Small letters, digits and '.', '_', '-', in parts between "
				"'/', then ':' and a tag: debian:12, example.org/team/app:v1.");
	}
	str_format(buf, STORE_NAME_MAX + 1, "%.*s:%s", (int)len, text, tag);
	return 0;
}

static void to_file(const char *name, char file[STORE_NAME_MAX + 1])
{
	str_format(file, STORE_NAME_MAX + 1, "%s", name);
	for (char *c = file; *c != '\0'; c++)
		if (*c == '/')
			*c = '%';
}

/* ---- one name ---- */

int store_ref_set(struct store *store, struct store_work *work, const char *name, const char *hex,
		  struct err *err)
{
	char file[STORE_NAME_MAX + 1], line[PREFIX_LEN + STORE_HEX_SIZE + 1];
	size_t len = str_format(line, sizeof(line), "%s%s\n", prefix, hex);
	int r;

	to_file(name, file);
	r = store_put(work, store->refs_fd, file, line, len);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "name %s: write", name) : 0;
}

static int read_ref(struct store *store, const char *file, char ret_hex[STORE_HEX_SIZE],
		    struct err *err)
{
	char line[PREFIX_LEN + STORE_HEX_SIZE + 1];
	ssize_t n = io_read_text(store->refs_fd, file, line, sizeof(line));

	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s/refs/%s", store->path, file);
	io_chomp(line);
	if (!str_has_prefix(line, prefix) || !store_is_hex(line + PREFIX_LEN))
		return err_set(err, ERR_SETUP, 0, "%s/refs/%s: not what cordon wrote", store->path,
			       file);
	memcpy(ret_hex, line + PREFIX_LEN, STORE_HEX_SIZE);
	return 0;
}

int store_ref_get(struct store *store, const char *name, char ret_hex[STORE_HEX_SIZE],
		  struct err *err)
{
	char file[STORE_NAME_MAX + 1];

	to_file(name, file);
	if (!store_has(store->refs_fd, file))
		return err_set(err, ERR_USAGE, ENOENT, "image %s", name);
	return read_ref(store, file, ret_hex, err);
}

int store_ref_remove(struct store *store, const char *name, struct err *err)
{
	char file[STORE_NAME_MAX + 1];

	to_file(name, file);
	if (unlinkat(store->refs_fd, file, 0) != 0 || fsync(store->refs_fd) != 0)
		return err_set(err, ERR_SETUP, errno, "name %s: remove", name);
	return 0;
}

/* ---- all of them ---- */

int store_ref_each(struct store *store, int (*fn)(void *ctx, const char *name, const char *hex),
		   void *ctx, struct err *err)
{
	char hex[STORE_HEX_SIZE], file[STORE_NAME_MAX + 1];
	struct store_names names = {0};
	int r = store_names_read(store->refs_fd, false, &names);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/refs: list", store->path);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		char *name = names.list[i];

		str_format(file, sizeof(file), "%s", name);
		r = read_ref(store, file, hex, err);
		for (char *c = name; r == 0 && *c != '\0'; c++)
			if (*c == '%')
				*c = '/';
		if (r == 0)
			r = fn(ctx, name, hex);
	}
	store_names_release(&names);
	return r;
}

static int find_id(struct store *store, const char *digits, char ret_hex[STORE_HEX_SIZE],
		   struct err *err)
{
	struct store_names names = {0};
	size_t found = 0;
	int r = store_names_read(store->images_fd, false, &names);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/images: list", store->path);
	for (size_t i = 0; i < names.n; i++) {
		if (!str_has_prefix(names.list[i], digits) || !store_is_hex(names.list[i]))
			continue;
		memcpy(ret_hex, names.list[i], STORE_HEX_SIZE);
		found++;
	}
	store_names_release(&names);
	if (found > 1)
		return err_set(err, ERR_USAGE, 0, "%s: the ids of %zu images begin so", digits,
			       found);
	return found == 1 ? 0 : -ENOENT;
}

int store_find(struct store *store, const char *word, char ret_hex[STORE_HEX_SIZE], struct err *err)
{
	char name[STORE_NAME_MAX + 1], found[STORE_HEX_SIZE];
	const char *digits = str_has_prefix(word, prefix) ? word + PREFIX_LEN : word;
	size_t len = strlen(digits);
	bool is_id = len >= LEAST_DIGITS && len < STORE_HEX_SIZE &&
		     strspn(digits, "0123456789abcdef") == len;
	struct err ignored;
	int r = -ENOENT;

	if (digits == word && store_name_parse(word, name, &ignored) == 0 &&
	    store_ref_get(store, name, ret_hex, &ignored) == 0)
		return 0;
	if (is_id)
		r = find_id(store, digits, found, err);
	if (r == 0)
		memcpy(ret_hex, found, STORE_HEX_SIZE);
	if (r != -ENOENT)
		return r;
	err_set(err, ERR_USAGE, 0, "no image %s", word);
	err_hint(err, "`cordon image ls` lists them.");
	return -ENOENT;
}
