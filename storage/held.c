/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images in use; see held.h and store.h. */
#include "storage/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* ---- what kept sandboxes hold ---- */

static int read_hold(int sandboxes, const char *sandbox, char ret_hex[STORE_HEX_SIZE])
{
	char path[STORE_NAME_MAX + 32], line[STORE_HEX_SIZE + 2];
	ssize_t n;

	str_format(path, sizeof(path), "%s/" STORE_HOLD_FILE, sandbox);
	n = io_read_text(sandboxes, path, line, sizeof(line));
	if (n == -ENOENT || n == -ENOTDIR)
		return 0; /* a sandbox that is from no image, or gone by now */
	if (n < 0)
		return (int)n;
	io_chomp(line);
	if (!store_is_hex(line))
		return -EBADMSG;
	memcpy(ret_hex, line, STORE_HEX_SIZE);
	return 1;
}

struct holds {
	int dir; /* of sandboxes */
	const char *path;
	int (*fn)(void *ctx, const char *sandbox, const char *hex);
	void *ctx;
};

static int each_hold(const struct holds *holds, struct err *err)
{
	struct store_names names = {0};
	char hex[STORE_HEX_SIZE];
	int r = store_names_read(holds->dir, false, &names);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: list", holds->path);
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		r = read_hold(holds->dir, names.list[i], hex);
		if (r < 0)
			err_set(err, ERR_SETUP, -r, "%s/%s/" STORE_HOLD_FILE, holds->path,
				names.list[i]);
		else if (r > 0)
			r = holds->fn(holds->ctx, names.list[i], hex);
	}
	store_names_release(&names);
	return r < 0 ? r : 0;
}

static int open_sandboxes(int above, const char *path, const char *shown, struct err *err)
{
	int fd = sys_openat(above, path, DIR_FLAGS, 0);
	struct stat st;

	if (fd == -ENOENT)
		return fd;
	/* What another user writes there is none of ours. */
	if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_uid != geteuid())) {
		close(fd);
		fd = -EPERM;
	}
	return fd < 0 ? err_set(err, ERR_SETUP, -fd, "%s", shown) : fd;
}

int store_held_each(struct store *store, int (*fn)(void *ctx, const char *sandbox, const char *hex),
		    void *ctx, struct err *err)
{
	char kept[PATH_MAX + 32], bound[PATH_MAX + 32];
	const struct {
		int above;
		const char *path;
		const char *shown;
	} places[] = {{store->fd, "../sandboxes", kept}, {AT_FDCWD, bound, bound}};
	size_t n = store->run[0] != '\0' ? 2 : 1;
	int r = 0;

	str_format(kept, sizeof(kept), "%s/../sandboxes", store->path);
	str_format(bound, sizeof(bound), "%s/sandboxes", store->run);
	for (size_t i = 0; r == 0 && i < n; i++) {
		_cleanup_fd_ int fd =
			open_sandboxes(places[i].above, places[i].path, places[i].shown, err);

		if (fd == -ENOENT)
			continue;
		r = fd < 0 ? fd
			   : each_hold(&(struct holds){.dir = fd,
						       .path = places[i].shown,
						       .fn = fn,
						       .ctx = ctx},
				       err);
	}
	return r;
}

/* ---- an image in use ---- */

void held_image_free(struct held_image *image)
{
	if (image == NULL)
		return;
	for (size_t i = 0; i < image->n_layers; i++)
		close_fd(&image->layer_fds[i]);
	close_fd(&image->lock_fd);
	free(image->record);
	free(image);
}

/* For all that share the open file, whoever of them asks. */
void held_image_unlock_store(struct held_image *image)
{
	if (image->lock_fd >= 0)
		ignore_result(flock(image->lock_fd, LOCK_UN), "its end does it");
	/* A number that whoever leaves his descriptors behind may use again. */
	close_fd(&image->lock_fd);
}

/* Out of the way of the numbers that programs go by. */
static int take_fd(int *fd)
{
	int copy = fcntl(*fd, F_DUPFD_CLOEXEC, HELD_FIRST_FD);

	if (copy < 0)
		return -errno;
	close_fd(fd);
	return copy;
}

static int hold_layer(struct store *store, const char *hex, struct held_image *image,
		      struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(store->layers_fd, hex, DIR_FLAGS, 0);
	struct layer_record layer;
	int r;

	if (fd < 0) {
		err_set(err, ERR_SETUP, -fd, "%s/layers/%s", store->path, hex);
		return err_hint(err, "Load or import the image once more.");
	}
	do
		r = flock(fd, LOCK_SH);
	while (r != 0 && errno == EINTR);
	if (r != 0)
		return err_set(err, ERR_SETUP, errno, "%s/layers/%s: lock", store->path, hex);
	r = layer_record_read(store, hex, &layer, err);
	if (r < 0)
		return r;
	image->n_owners += layer.n_owners;
	r = take_fd(&fd);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s/layers/%s", store->path, hex);
	image->layer_fds[image->n_layers++] = r;
	return 0;
}

/* Where the store really is: a sandbox's process opens it once more, without following a link. */
static int read_place(const struct store *store, struct held_image *image)
{
	char link[64];
	ssize_t n;

	str_format(link, sizeof(link), "/proc/self/fd/%d", store->fd);
	n = readlink(link, image->store, sizeof(image->store) - 1);
	if (n < 0)
		return -errno;
	image->store[n] = '\0';
	return 0;
}

/* A layer that an image has twice (an empty one, mostly) is one directory, which no overlay takes
 * twice. The upper of the two hides all that the lower one shows or hides. */
static void drop_repeated(struct image_record *record)
{
	size_t n = 0;

	for (size_t i = 0; i < record->n_layers; i++) {
		size_t k = i + 1;

		while (k < record->n_layers && !str_equal(record->layers[i], record->layers[k]))
			k++;
		if (k == record->n_layers && n++ != i)
			memcpy(record->layers[n - 1], record->layers[i], STORE_HEX_SIZE);
	}
	record->n_layers = n;
}

static int hold(struct store *store, const char *word, struct held_image *image, struct err *err)
{
	int r = store_find(store, word, image->id, err);

	if (r == 0)
		r = image_record_read(store, image->id, image->record, err);
	if (r < 0)
		return r;
	drop_repeated(image->record);
	for (size_t i = 0; r == 0 && i < image->record->n_layers; i++)
		r = hold_layer(store, image->record->layers[i], image, err);
	if (r < 0)
		return r;
	r = read_place(store, image);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s", store->path) : 0;
}

int held_image_find(const char *store_path, const char *word, struct held_image **ret,
		    struct err *err)
{
	struct held_image *image = calloc(1, sizeof(*image));
	struct store store;
	int r;

	if (image != NULL) {
		image->lock_fd = -EBADF;
		image->record = malloc(sizeof(*image->record));
	}
	if (image == NULL || image->record == NULL) {
		held_image_free(image);
		return err_set(err, ERR_SETUP, ENOMEM, "image %s", word);
	}
	/* While it is open, nobody removes what is found before it is held. */
	r = store_open_to_read(store_path, &store, err);
	if (r == -ENOENT)
		err_set(err, ERR_USAGE, 0, "no image %s", word);
	if (r == 0) {
		r = hold(&store, word, image, err);
		image->lock_fd = r == 0 ? take_fd(&store.lock_fd) : -EBADF;
		if (r == 0 && image->lock_fd < 0)
			r = err_set(err, ERR_SETUP, -image->lock_fd, "%s/lock", store.path);
		store_release(&store);
	}
	if (r < 0)
		held_image_free(image);
	else
		*ret = image;
	return r;
}
