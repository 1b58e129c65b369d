/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removes what no name leads to; see store.h. Nothing is removed from its place: it is moved below
 * making/ first, so that a half removed layer is never one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image_record.h"
#include "storage/store.h"

/* A set of ids, sorted once it is complete. */
struct marks {
	char (*list)[STORE_HEX_SIZE];
	size_t n;
	size_t room;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int mark(struct marks *marks, const char *hex)
{
	if (marks->n == marks->room) {
		void *more = reallocarray(marks->list, marks->room + 256, sizeof(*marks->list));

		if (more == NULL)
			return -ENOMEM;
		marks->list = more;
		marks->room += 256;
	}
	memcpy(marks->list[marks->n++], hex, STORE_HEX_SIZE);
	return 0;
}

static bool is_marked(const struct marks *marks, const char *name)
{
	return marks->n > 0 &&
	       bsearch(name, marks->list, marks->n, sizeof(*marks->list), by_text) != NULL;
}

static void sort(struct marks *marks)
{
	if (marks->n > 0)
		qsort(marks->list, marks->n, sizeof(*marks->list), by_text);
}

static int mark_name(void *ctx, const char *name, const char *hex)
{
	(void)name;
	return mark(ctx, hex);
}

struct held_marks {
	struct marks *images;
	const char *const *forced;
};

static int mark_held(void *ctx, const char *sandbox, const char *hex)
{
	const struct held_marks *held = ctx;

	(void)sandbox;
	for (const char *const *forced = held->forced; forced != NULL && *forced != NULL; forced++)
		if (str_equal(*forced, hex))
			return 0;
	return mark(held->images, hex);
}

static int mark_layers(struct store *store, const struct marks *images, struct marks *layers,
		       struct err *err)
{
	_cleanup_free_ struct image_record *record = malloc(sizeof(*record));
	int r = 0;

	if (record == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "records of images");
	for (size_t i = 0; r == 0 && i < images->n; i++) {
		/* What a sandbox holds may have been removed all the same (rm -f). */
		if (!store_has(store->images_fd, images->list[i]))
			continue;
		r = image_record_read(store, images->list[i], record, err);
		for (size_t k = 0; r == 0 && k < record->n_layers; k++)
			if (mark(layers, record->layers[k]) < 0)
				r = err_set(err, ERR_SETUP, ENOMEM, "records of images");
	}
	sort(layers);
	return r;
}

/* 1: it was moved away; 0: somebody holds it. */
static int take_away(struct store_work *work, int dir, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? 0 : -errno;
	if (renameat(dir, name, work->fd, name) != 0)
		return -errno;
	store_step("swept");
	return store_remove_tree(work->fd, name) < 0 ? -EIO : 1;
}

/* Removes what is in dir and not marked; counts in *ret_n. */
static int sweep_dir(struct store_work *work, int dir, const struct marks *marks, uint32_t *ret_n,
		     struct store_sweep *sweep)
{
	struct store_names names = {0};
	int r = store_names_read(dir, false, &names);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		if (is_marked(marks, names.list[i]))
			continue;
		r = take_away(work, dir, names.list[i]);
		*ret_n += r > 0;
		sweep->n_in_use += r == 0;
	}
	store_names_release(&names);
	return r < 0 ? r : 0;
}

static int sweep_all(struct store *store, const struct marks *images, const struct marks *layers,
		     struct store_sweep *sweep, struct err *err)
{
	struct store_work work = {.fd = -EBADF};
	uint32_t n_configs = 0;
	int r = store_work_begin(store, &work, err);

	if (r < 0)
		return r;
	/* A record goes before what it names. */
	r = sweep_dir(&work, store->images_fd, images, &sweep->n_images, sweep);
	if (r == 0 && fsync(store->images_fd) != 0)
		r = -errno;
	if (r == 0)
		r = sweep_dir(&work, store->configs_fd, images, &n_configs, sweep);
	if (r == 0)
		r = sweep_dir(&work, store->layers_fd, layers, &sweep->n_layers, sweep);
	store_work_end(store, &work);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: remove what nothing needs", store->path)
		     : 0;
}

static int mark_spared(const struct store_spared *spared, struct marks *images, struct err *err)
{
	const char *const *list = spared != NULL ? spared->images : NULL;

	for (; list != NULL && *list != NULL; list++)
		if (mark(images, *list) < 0)
			return err_set(err, ERR_SETUP, ENOMEM, "images");
	return 0;
}

static int mark_all(struct store *store, struct marks *images, struct err *err)
{
	struct store_names names = {0};
	int r = store_names_read(store->images_fd, false, &names);

	for (size_t i = 0; r >= 0 && i < names.n; i++)
		if (strlen(names.list[i]) == STORE_HEX_SIZE - 1)
			r = mark(images, names.list[i]);
	store_names_release(&names);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/images", store->path) : 0;
}

int store_sweep(struct store *store, const struct store_spared *spared, struct store_sweep *ret,
		struct err *err)
{
	struct marks images = {0}, layers = {0};
	struct held_marks held = {.images = &images,
				  .forced = spared != NULL ? spared->forced : NULL};
	struct store_sweep sweep = {0};
	int r = 0;

	/* The kernel gives the shared lock up before it takes this one: another command may come in
	 * between, so all is read anew below. */
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return err_set(err, ERR_SETUP, errno, "%s/lock", store->path);
		sweep.is_busy = true;
	} else {
		r = store_ref_each(store, mark_name, &images, err);
		if (r == 0)
			r = store_held_each(store, mark_held, &held, err);
		if (r == 0)
			r = mark_spared(spared, &images, err);
		if (r == 0 && spared != NULL && spared->keeps_images)
			r = mark_all(store, &images, err);
		sort(&images);
		if (r == 0)
			r = mark_layers(store, &images, &layers, err);
		if (r == 0)
			r = sweep_all(store, &images, &layers, &sweep, err);
	}
	free(images.list);
	free(layers.list);
	if (flock(store->lock_fd, LOCK_SH) != 0 && r == 0)
		r = err_set(err, ERR_SETUP, errno, "%s/lock", store->path);
	if (r == 0)
		*ret = sweep;
	return r;
}

void store_sweep_failed(struct store *store)
{
	const struct store_spared spared = {.keeps_images = true};
	struct store_sweep sweep;
	struct err err;

	ignore_result(store_sweep(store, &spared, &sweep, &err), "gc says what is in its way");
}
