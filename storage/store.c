/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's directories and its lock; see store.h. */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/own_dir.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static const char format_line[] = "cordon-images 1\n";

int store_path(const struct store_place *place, uint32_t euid, char *buf, struct err *err)
{
	char cwd[PATH_MAX], text[PATH_MAX + 1];
	size_t len;

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		cwd[0] = '\0';
	if (place->root_dir != NULL)
		len = str_format(text, sizeof(text), "%s/state/images", place->root_dir);
	else if (euid == 0)
		len = str_format(text, sizeof(text), "/var/lib/cordon/images");
	else if (place->data_home != NULL && place->data_home[0] == '/')
		len = str_format(text, sizeof(text), "%s/cordon/images", place->data_home);
	else if (place->home != NULL && place->home[0] == '/')
		len = str_format(text, sizeof(text), "%s/.local/share/cordon/images", place->home);
	else {
		err_set(err, ERR_USAGE, 0, "HOME is not set, and images have no place");
		return err_hint(err, "Name one: cordon --root DIR image ...");
	}
	/* A text that fills the buffer may have been cut, to the name of another place. */
	if (len == sizeof(text) - 1 || path_normalize(buf, PATH_MAX, cwd, text) < 0)
		return err_set(err, ERR_USAGE, 0, "%s: not a usable path for images", text);
	return 0;
}

static int make_parents(const char *path)
{
	char prefix[PATH_MAX];

	for (const char *p = strchr(path + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		/* The last one is the root of all that is kept: the caller's alone. */
		mode_t mode = strchr(p + 1, '/') == NULL ? 0700 : 0755;

		str_format(prefix, sizeof(prefix), "%.*s", (int)(p - path), path);
		if (mkdir(prefix, mode) != 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int open_own_dir(int dirfd, const char *name, bool makes, struct err *err)
{
	return own_dir_open(dirfd, name, makes,
			    "Set its owner and mode 0700, or name another place with --root DIR.",
			    err);
}

/* Whoever else makes the store at the same moment writes the same. */
static int write_format(struct store *store, struct err *err)
{
	char name[32];
	int r;

	str_format(name, sizeof(name), "format.%d", getpid());
	r = store_write_synced(store->fd, name, format_line, strlen(format_line));
	if (r == 0 && renameat(store->fd, name, store->fd, "format") != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/format: write", store->path) : 0;
}

/* Not written where something is there already that has none. */
static int check_format(struct store *store, bool makes, struct err *err)
{
	bool is_made = store_has(store->fd, "refs");
	char text[64];
	ssize_t n = io_read_text(store->fd, "format", text, sizeof(text));

	if (n == -ENOENT && makes && !is_made)
		return write_format(store, err);
	if (n < 0)
		return err_set(err, ERR_SETUP, (int)-n, "%s/format: read", store->path);
	io_chomp(text);
	if (strncmp(text, format_line, strlen(format_line) - 1) != 0 ||
	    text[strlen(format_line) - 1] != '\0') {
		err_set(err, ERR_SETUP, 0, "%s: its format is '%s'", store->path, text);
		return err_hint(err, "It is of another version of cordon: use that one, or another "
				     "place with --root DIR.");
	}
	return 0;
}

static int lock_shared(struct store *store, struct err *err)
{
	int r;

	do
		r = flock(store->lock_fd, LOCK_SH);
	while (r != 0 && errno == EINTR);
	return r != 0 ? err_set(err, ERR_SETUP, errno, "%s/lock", store->path) : 0;
}

static int open_parts(struct store *store, bool makes, struct err *err)
{
	const struct {
		const char *name;
		int *fd;
	} parts[] = {{"making", &store->work_fd},
		     {"configs", &store->configs_fd},
		     {"images", &store->images_fd},
		     {"layers", &store->layers_fd},
		     {"refs", &store->refs_fd}};
	int r = check_format(store, makes, err);

	/* An order that check_format counts on: refs is made last. */
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
		*parts[i].fd = open_own_dir(store->fd, parts[i].name, makes, err);
		r = *parts[i].fd < 0 ? *parts[i].fd : 0;
	}
	if (r < 0)
		return r;
	store->lock_fd =
		sys_openat(store->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (store->lock_fd < 0)
		return err_set(err, ERR_SETUP, -store->lock_fd, "%s/lock", store->path);
	return lock_shared(store, err);
}

static int open_store(const char *path, bool makes, struct store *ret, struct err *err)
{
	struct store store = {.fd = -EBADF,
			      .lock_fd = -EBADF,
			      .configs_fd = -EBADF,
			      .images_fd = -EBADF,
			      .layers_fd = -EBADF,
			      .refs_fd = -EBADF,
			      .work_fd = -EBADF};
	int r = makes ? make_parents(path) : 0;

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: make its parents", path);
	str_format(store.path, sizeof(store.path), "%s", path);
	store.fd = open_own_dir(AT_FDCWD, path, makes, err);
	if (store.fd < 0)
		return store.fd;
	/* Killed in the middle of its making: as if it were not there. */
	if (!makes && !store_has(store.fd, "refs"))
		r = err_set(err, ERR_SETUP, ENOENT, "%s", path);
	if (r == 0)
		r = open_parts(&store, makes, err);
	if (r < 0) {
		store_release(&store);
		return r;
	}
	*ret = store;
	return 0;
}

int store_open(const char *path, bool makes, struct store *ret, struct err *err)
{
	struct store store;
	int r = open_store(path, makes, &store, err);

	if (r < 0)
		return r;
	r = store_collect(&store, &store.n_collected, err);
	if (r < 0)
		store_release(&store);
	else
		*ret = store;
	return r;
}

int store_open_to_read(const char *path, struct store *ret, struct err *err)
{
	return open_store(path, false, ret, err);
}

void store_release(struct store *store)
{
	close_fd(&store->lock_fd);
	close_fd(&store->configs_fd);
	close_fd(&store->images_fd);
	close_fd(&store->layers_fd);
	close_fd(&store->refs_fd);
	close_fd(&store->work_fd);
	close_fd(&store->fd);
}

int store_gc(const char *path, uint32_t *ret_removed, struct err *err)
{
	const struct store_spared spared = {.keeps_images = true};
	struct store store = {.n_collected = 0};
	struct store_sweep sweep = {0};
	struct stat st;
	int r;

	*ret_removed = 0;
	if (lstat(path, &st) != 0 && errno == ENOENT)
		return 0;
	r = store_open(path, true, &store, err);
	if (r < 0)
		return r;
	*ret_removed = store.n_collected;
	r = store_sweep(&store, &spared, &sweep, err);
	if (r == 0)
		*ret_removed += sweep.n_layers;
	store_release(&store);
	return r;
}
