/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See owners.h. */
#include "libexec/image/owners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "libexec/image/name.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct owner *)a)->name, ((const struct owner *)b)->name);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_caps(const char *text, struct owner *owner)
{
	size_t len = strlen(text);

	owner->n_caps = 0;
	if (str_equal(text, "-"))
		return 0;
	if (len % 2 != 0 || len / 2 > sizeof(owner->caps))
		return -EINVAL;
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		owner->caps[owner->n_caps++] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

static int read_octal(const char *text, uint32_t *ret)
{
	uint32_t value = 0;

	if (text[0] == '\0' || strlen(text) > 4)
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '7')
			return -EINVAL;
		value = value * 8 + (uint32_t)(*text - '0');
	}
	*ret = value;
	return 0;
}

/* Changes the line. */
static int read_line(char *line, struct texts *names, struct owner *owner)
{
	char *words[5], name[NAME_SIZE];
	char *rest = line;

	for (size_t i = 0; i < 5; i++)
		words[i] = strsep(&rest, " ");
	if (words[4] == NULL || rest != NULL || parse_u32(words[0], &owner->uid) < 0 ||
	    parse_u32(words[1], &owner->gid) < 0 || read_octal(words[2], &owner->mode) < 0 ||
	    read_caps(words[3], owner) < 0)
		return -EINVAL;
	if (str_equal(words[4], "."))
		words[4] = (char *)"";
	if (name_unescape(words[4], strlen(words[4]), name) < 0)
		return -EINVAL;
	return texts_add(names, name, &owner->at);
}

static int add_line(struct owners *owners, size_t *room, char *line)
{
	int r;

	if (owners->n == *room) {
		void *more = reallocarray(owners->list, *room * 2 + 256, sizeof(*owners->list));

		if (more == NULL)
			return -ENOMEM;
		owners->list = more;
		*room = *room * 2 + 256;
	}
	r = read_line(line, &owners->names, &owners->list[owners->n]);
	owners->n += r == 0;
	return r;
}

int owners_read(int fd, struct owners *ret)
{
	struct owners owners = {0};
	FILE *file = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0, room = 0;
	ssize_t n;
	int r = file == NULL ? -errno : 0;

	while (r == 0 && (n = getline(&line, &size, file)) > 0) {
		if (line[n - 1] != '\n' || strlen(line) != (size_t)n) {
			r = -EINVAL;
			break;
		}
		line[n - 1] = '\0';
		r = add_line(&owners, &room, line);
	}
	free(line);
	if (file != NULL)
		fclose(file);
	if (r < 0) {
		owners_release(&owners);
		return r;
	}
	for (size_t i = 0; i < owners.n; i++)
		owners.list[i].name = owners.names.bytes + owners.list[i].at;
	if (owners.n > 0)
		qsort(owners.list, owners.n, sizeof(*owners.list), by_name);
	*ret = owners;
	return 0;
}

void owners_release(struct owners *owners)
{
	free(owners->list);
	texts_release(&owners->names);
	free(owners->by_ino);
}

const struct owner *owners_find(const struct owners *owners, const char *name)
{
	const struct owner key = {.name = name};

	return owners->n == 0
		       ? NULL
		       : bsearch(&key, owners->list, owners->n, sizeof(*owners->list), by_name);
}

static int by_ino(const void *a, const void *b)
{
	uint64_t x = (*(struct owner *const *)a)->ino, y = (*(struct owner *const *)b)->ino;

	return x < y ? -1 : x > y;
}

int owners_index(struct owners *owners, int dir)
{
	if (owners->n == 0)
		return 0;
	owners->by_ino = calloc(owners->n, sizeof(struct owner *));
	if (owners->by_ino == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < owners->n; i++) {
		struct owner *owner = &owners->list[i];
		struct stat st;

		if (fstatat(dir, owner->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			owner->ino = st.st_ino;
		owners->by_ino[i] = owner;
	}
	qsort(owners->by_ino, owners->n, sizeof(struct owner *), by_ino);
	return 0;
}

const struct owner *owners_find_inode(const struct owners *owners, uint64_t ino)
{
	const struct owner key = {.ino = ino};
	const struct owner *wanted = &key;
	struct owner *const *found = owners->by_ino == NULL
					     ? NULL
					     : bsearch(&wanted, owners->by_ino, owners->n,
						       sizeof(struct owner *), by_ino);

	return found != NULL ? *found : NULL;
}
