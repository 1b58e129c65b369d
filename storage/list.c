/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names in a directory, sorted; see store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void store_names_release(struct store_names *names)
{
	free(names->list);
	texts_release(&names->texts);
	*names = (struct store_names){0};
}

/* Of the texts, which do not move any more. */
static int make_list(struct store_names *names)
{
	char *at = names->texts.bytes;

	if (names->n == 0)
		return 0;
	names->list = calloc(names->n, sizeof(*names->list));
	if (names->list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < names->n; i++, at += strlen(at) + 1)
		names->list[i] = at;
	qsort(names->list, names->n, sizeof(*names->list), by_text);
	return 0;
}

static bool is_listed(const char *name, bool has_hidden)
{
	return has_hidden ? !str_equal(name, ".") && !str_equal(name, "..") : name[0] != '.';
}

/* A list that broke off would be one of fewer names: what is not on it is removed, or not packed.
 */
static int read_all(DIR *dir, bool has_hidden, struct store_names *names)
{
	for (;;) {
		struct dirent *entry;
		size_t at;

		errno = 0;
		entry = readdir(dir);
		if (entry == NULL)
			return -errno;
		if (!is_listed(entry->d_name, has_hidden))
			continue;
		if (texts_add(&names->texts, entry->d_name, &at) < 0)
			return -ENOMEM;
		names->n++;
	}
}

int store_names_read(int dir_fd, bool has_hidden, struct store_names *ret)
{
	int copy = sys_openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	struct store_names names = {0};
	DIR *dir;
	int r;

	if (copy < 0)
		return copy;
	dir = fdopendir(copy);
	if (dir == NULL) {
		close(copy);
		return -ENOMEM;
	}
	r = read_all(dir, has_hidden, &names);
	closedir(dir);
	if (r == 0)
		r = make_list(&names);
	if (r < 0) {
		store_names_release(&names);
		return r;
	}
	*ret = names;
	return 0;
}
