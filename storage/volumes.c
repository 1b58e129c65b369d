/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store of volumes: its place, reading, making; see volume.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/own_dir.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"
#include "storage/volume.h"
#include "storage/volumes.h"

enum { DATA_MODE = 0755, LOOK_MS = 10 };

/* ---- the place ---- */

int volumes_open(const char *state, bool makes, struct volumes *ret, struct err *err)
{
	struct volumes volumes = {.fd = -EBADF};

	volumes.fd = own_dir_open_part(state, "volumes", makes, volumes.path, err);
	if (volumes.fd < 0 && (makes || volumes.fd != -ENOENT))
		return volumes.fd;
	if (volumes.fd < 0)
		volumes.fd = -EBADF;
	*ret = volumes;
	return 0;
}

void volumes_release(struct volumes *volumes)
{
	close_fd(&volumes->fd);
}

int volumes_lock(const struct volumes *volumes, struct err *err)
{
	_cleanup_fd_ int fd =
		sys_openat(volumes->fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? fd : volumes_flock(fd, LOCK_EX);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/.lock", volumes->path) : steal_fd(&fd);
}

/* Whoever starts a sandbox has them blocked by then, to look at them when it runs. */
static bool is_told_to_end(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action;
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return false;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigismember(&pending, signals[i]) == 1 &&
		    sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			return true;
	return false;
}

/* Another one may copy it, for as long as that takes. */
int volumes_flock(int fd, int how)
{
	int r;

	while ((r = flock(fd, how | LOCK_NB)) != 0 && (errno == EINTR || errno == EWOULDBLOCK)) {
		if (errno == EWOULDBLOCK && (how & LOCK_NB) != 0)
			return -EWOULDBLOCK;
		if (is_told_to_end())
			return -EINTR;
		poll(NULL, 0, LOOK_MS);
	}
	return r != 0 ? -errno : 0;
}

/* ---- reading ---- */

int volumes_read(const struct volumes *volumes, const char *name, struct volume *ret,
		 struct err *err)
{
	char path[VOLUME_NAME_MAX + 16], text[VOLUME_TEXT_MAX];
	ssize_t n;
	int r;

	if (volumes->fd < 0 || !volume_is_name(name))
		return -ENOENT;
	str_format(path, sizeof(path), "%s/" VOLUME_RECORD, name);
	n = io_read_text(volumes->fd, path, text, sizeof(text));
	if (n == -ENOENT && faccessat(volumes->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return -ENOENT;
	r = n < 0 ? (int)n : volume_parse(text, ret);
	if (r == 0 && !str_equal(ret->name, name))
		r = -EBADMSG;
	if (r == 0)
		return 0;
	err_set(err, ERR_SETUP, -r, "%s/%s: is damaged", volumes->path, path);
	if (r == -EPROTONOSUPPORT)
		return err_hint(err, "Another version of cordon has written it: use that one.");
	return err_hint(err,
			"Save what is in %s/%s/" VOLUME_DATA ", remove %s/%s, and make it anew.",
			volumes->path, name, volumes->path, name);
}

int volumes_find(const struct volumes *volumes, const char *name, struct volume *ret,
		 struct err *err)
{
	int r = volumes_read(volumes, name, ret, err);

	if (r != -ENOENT)
		return r;
	err_set(err, ERR_USAGE, ENOENT, "no volume is called %s", name);
	return err_hint(err, "`cordon volume ls` lists them; `cordon volume create %s` makes one.",
			volume_is_name(name) ? name : "NAME");
}

static int compare_names(const void *a, const void *b)
{
	const struct volume *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int volumes_list(const struct volumes *volumes, struct volume_list *ret, struct err *err)
{
	struct volume_list list = {.n = 0};
	struct store_names names = {0};
	int r = volumes->fd < 0 ? 0 : store_names_read(volumes->fd, false, &names);

	*ret = list;
	if (r == 0 && names.n > VOLUMES_MAX)
		r = -E2BIG;
	if (r == 0) {
		list.list = calloc(names.n + 1, sizeof(*list.list));
		r = list.list == NULL ? -ENOMEM : 0;
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		int result = volumes_read(volumes, names.list[i], &list.list[list.n], err);

		list.n += result == 0;
		list.n_damaged += result < 0 && result != -ENOENT;
	}
	store_names_release(&names);
	if (r < 0) {
		free(list.list);
		return err_set(err, ERR_SETUP, -r, "%s: list the volumes", volumes->path);
	}
	if (list.n > 0)
		qsort(list.list, list.n, sizeof(*list.list), compare_names);
	*ret = list;
	return 0;
}

void volume_list_free(struct volume_list *list)
{
	free(list->list);
	*list = (struct volume_list){0};
}

/* ---- making ---- */

static int write_record(int dir_fd, const struct volume *volume)
{
	_cleanup_free_ char *text = malloc(VOLUME_TEXT_MAX);
	size_t len;

	if (text == NULL)
		return -ENOMEM;
	len = volume_format(volume, text);
	return len + 1 >= VOLUME_TEXT_MAX ? -EFBIG
					  : store_write_synced(dir_fd, VOLUME_RECORD, text, len);
}

/* As root what is in it belongs to nobody of the host's. */
int volumes_reset_data(int data_fd)
{
	if (geteuid() == 0 && fchown(data_fd, STORE_FOREIGN_FIRST, STORE_FOREIGN_FIRST) != 0)
		return -errno;
	return fchmod(data_fd, DATA_MODE) != 0 || fsync(data_fd) != 0 ? -errno : 0;
}

static int make_data(int dir_fd)
{
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (mkdirat(dir_fd, VOLUME_DATA, 0700) != 0)
		return -errno;
	fd = sys_openat(dir_fd, VOLUME_DATA, VOLUMES_DIR_FLAGS, 0);
	if (fd < 0)
		return fd;
	r = volumes_reset_data(fd);
	return r < 0 ? r : steal_fd(&fd);
}

static int make_files(const struct volumes *volumes, const struct volume *volume, int dir_fd,
		      struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (volume_has_image(volume)) {
		r = volumes_make_image(volumes, volume, dir_fd, err);
		return r < 0 ? r : volumes_open_data(volume, dir_fd, err);
	}
	fd = make_data(dir_fd);
	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "make");
	r = volume->is_project ? volumes_make_project(volumes, volume, fd, err) : 0;
	return r < 0 ? r : steal_fd(&fd);
}

static int begin_locked(const struct volumes *volumes, struct volume_work *work)
{
	int r = store_make_id(work->temporary + strlen(VOLUMES_NEW));

	memcpy(work->temporary, VOLUMES_NEW, strlen(VOLUMES_NEW));
	if (r == 0 && mkdirat(volumes->fd, work->temporary, 0700) != 0)
		r = -errno;
	if (r < 0)
		return r;
	work->dir_fd = sys_openat(volumes->fd, work->temporary, VOLUMES_DIR_FLAGS, 0);
	return work->dir_fd < 0 ? work->dir_fd : volumes_flock(work->dir_fd, LOCK_EX | LOCK_NB);
}

int volumes_begin(const struct volumes *volumes, const struct volume *volume,
		  struct volume_work *ret, struct err *err)
{
	struct volume_work work = {.volume = *volume, .dir_fd = -EBADF, .data_fd = -EBADF};
	int r = volumes_lock(volumes, err), lock_fd = r;

	if (r < 0)
		return r;
	r = begin_locked(volumes, &work);
	close_fd(&lock_fd);
	volumes_step("begun");
	if (r == 0)
		r = write_record(work.dir_fd, volume);
	if (r < 0)
		err_set(err, ERR_SETUP, -r, "make");
	if (r == 0) {
		work.data_fd = make_files(volumes, volume, work.dir_fd, err);
		r = work.data_fd < 0 ? work.data_fd : 0;
	}
	if (r == 0 && fsync(work.dir_fd) != 0)
		r = err_set(err, ERR_SETUP, errno, "make");
	if (r < 0) {
		volumes_abort(volumes, &work);
		return err_wrap(err, "%s/%s", volumes->path, volume->name);
	}
	*ret = work;
	volumes_step("whole");
	return 0;
}

int volumes_describe(struct volume_work *work, const struct volume *like, struct err *err)
{
	int r;

	work->volume.labels = like->labels;
	work->volume.options = like->options;
	if (unlinkat(work->dir_fd, VOLUME_RECORD, 0) != 0)
		r = -errno;
	else
		r = write_record(work->dir_fd, &work->volume);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "volume %s: its record", work->volume.name) : 0;
}

/* 0, or 1: the one that had the name has the temporary one now. Needs: the lock. */
static int give_name(const struct volumes *volumes, const struct volume_work *work, bool replaces)
{
	_cleanup_fd_ int old_fd = sys_openat(volumes->fd, work->volume.name, VOLUMES_DIR_FLAGS, 0);
	bool is_there = old_fd >= 0;
	int r;

	if (old_fd < 0 && old_fd != -ENOENT)
		return old_fd;
	if (is_there && !replaces)
		return -EEXIST;
	r = is_there ? volumes_flock(old_fd, LOCK_EX | LOCK_NB) : 0;
	if (r < 0)
		return r == -EWOULDBLOCK ? -EBUSY : r;
	if (renameat2(volumes->fd, work->temporary, volumes->fd, work->volume.name,
		      is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE) != 0)
		return -errno;
	volumes_step("named");
	return fsync(volumes->fd) != 0 ? -errno : is_there;
}

static int explain_commit(int result, const struct volume *volume, struct err *err)
{
	if (result == -EEXIST)
		return err_set(err, ERR_USAGE, EEXIST, "volume %s", volume->name);
	if (result == -EBUSY) {
		err_set(err, ERR_USAGE, EBUSY, "volume %s: a sandbox that runs uses it",
			volume->name);
		return err_hint(err, "Stop it first: `cordon volume inspect %s` says which.",
				volume->name);
	}
	return err_set(err, ERR_SETUP, -result, "volume %s: make", volume->name);
}

int volumes_commit(const struct volumes *volumes, struct volume_work *work, bool replaces,
		   struct err *err)
{
	int r = volumes_lock(volumes, err), lock_fd = r;

	if (r < 0) {
		volumes_abort(volumes, work);
		return r;
	}
	r = give_name(volumes, work, replaces);
	close_fd(&lock_fd);
	if (r != 0) {
		/* What was begun, or the one whose place it took. */
		volumes_abort(volumes, work);
	} else {
		close_fd(&work->data_fd);
		close_fd(&work->dir_fd);
	}
	return r < 0 ? explain_commit(r, &work->volume, err) : 0;
}

void volumes_abort(const struct volumes *volumes, struct volume_work *work)
{
	close_fd(&work->data_fd);
	if (work->dir_fd < 0)
		return;
	ignore_result(volumes_discard(volumes, work->temporary), "gc removes it");
	close_fd(&work->dir_fd);
}

int volumes_add(const struct volumes *volumes, const struct volume *volume, struct err *err)
{
	struct volume_work work = {.dir_fd = -EBADF, .data_fd = -EBADF};
	int r = volumes_begin(volumes, volume, &work, err);

	return r < 0 ? r : volumes_commit(volumes, &work, false, err);
}
