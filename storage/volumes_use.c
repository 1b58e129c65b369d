/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes in use, and their end; see volume.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/quota.h"
#include "storage/store.h"
#include "storage/volume.h"
#include "storage/volumes.h"

/* ---- those who run ---- */

bool volumes_is_still(const struct volumes *volumes, const char *name, int dir_fd)
{
	struct stat here, there;

	return fstat(dir_fd, &here) == 0 &&
	       fstatat(volumes->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int volumes_lock_record(int dir_fd, int how)
{
	_cleanup_fd_ int fd =
		sys_openat(dir_fd, VOLUME_RECORD, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	int r = fd < 0 ? fd : volumes_flock(fd, how);

	return r < 0 ? r : steal_fd(&fd);
}

/* Behind the record's lock: while somebody has that, nobody begins. It is kept until it is decided
 * who fills the volume: of two who hold it and have not, each would take the other one for somebody
 * who uses it, and it would stay empty. */
static int lock_to_hold(struct volume_hold *hold)
{
	_cleanup_fd_ int record = volumes_lock_record(hold->dir_fd, LOCK_EX);
	int r;

	/* One that is damaged: whoever reads it says so. */
	if (record < 0 && record != -ENOENT)
		return record;
	r = volumes_flock(hold->dir_fd, LOCK_SH);
	if (r == 0)
		hold->begin_fd = steal_fd(&record);
	return r;
}

int volumes_hold(const struct volumes *volumes, const char *name, struct volume_hold *ret,
		 struct err *err)
{
	struct volume_hold hold = {.dir_fd = -EBADF, .data_fd = -EBADF, .begin_fd = -EBADF};
	int r = -ENOENT;

	if (volumes->fd < 0 || !volume_is_name(name))
		return -ENOENT;
	for (;;) {
		hold.dir_fd = sys_openat(volumes->fd, name, VOLUMES_DIR_FLAGS, 0);
		if (hold.dir_fd == -ENOENT)
			return -ENOENT;
		r = hold.dir_fd < 0 ? hold.dir_fd : lock_to_hold(&hold);
		if (r < 0 || volumes_is_still(volumes, name, hold.dir_fd))
			break;
		volume_hold_release(&hold);
	}
	if (r < 0) {
		volume_hold_release(&hold);
		return err_set(err, ERR_SETUP, -r, "%s/%s", volumes->path, name);
	}
	r = volumes_read(volumes, name, &hold.volume, err);
	if (r == 0) {
		hold.data_fd = volumes_open_data(&hold.volume, hold.dir_fd, err);
		r = hold.data_fd < 0 ? hold.data_fd : 0;
	}
	if (r < 0)
		volume_hold_release(&hold);
	else
		*ret = hold;
	return r;
}

void volume_hold_release(struct volume_hold *hold)
{
	close_fd(&hold->begin_fd);
	close_fd(&hold->data_fd);
	close_fd(&hold->dir_fd);
}

bool volumes_is_held(const struct volumes *volumes, const char *name)
{
	_cleanup_fd_ int fd = volumes->fd < 0 || !volume_is_name(name)
				      ? -ENOENT
				      : sys_openat(volumes->fd, name, VOLUMES_DIR_FLAGS, 0);

	return fd >= 0 && volumes_flock(fd, LOCK_EX | LOCK_NB) < 0;
}

/* ---- those who have a record ---- */

static int each_line(char *text, const char *sandbox, const struct volume_users *users)
{
	int r = 0;

	for (char *line = text; r == 0 && *line != '\0';) {
		size_t len = strcspn(line, "\n");
		char *next = line + len + (line[len] == '\n');

		line[len] = '\0';
		/* Whatever is no name is no volume's. */
		r = volume_is_name(line) ? users->fn(users->ctx, sandbox, line) : -EBADMSG;
		line = next;
	}
	return r;
}

static int read_hold(int sandboxes, const char *sandbox, const struct volume_users *users)
{
	_cleanup_free_ char *text = malloc(VOLUMES_HOLD_MAX);
	char path[NAME_MAX + 32];
	ssize_t n;

	if (text == NULL)
		return -ENOMEM;
	str_format(path, sizeof(path), "%s/" VOLUME_HOLD_FILE, sandbox);
	n = io_read_text(sandboxes, path, text, VOLUMES_HOLD_MAX);
	if (n == -ENOENT || n == -ENOTDIR)
		return 0; /* a sandbox without volumes, or gone by now */
	return n < 0 ? (int)n : each_line(text, sandbox, users);
}

static int users_below(int at_fd, const char *path, const struct volume_users *users,
		       struct err *err)
{
	_cleanup_fd_ int sandboxes = sys_openat(at_fd, path, VOLUMES_DIR_FLAGS, 0);
	struct store_names names = {0};
	int r = 0;

	if (sandboxes == -ENOENT)
		return 0;
	if (sandboxes >= 0)
		r = store_names_read(sandboxes, false, &names);
	if (sandboxes < 0 || r < 0)
		return err_set(err, ERR_SETUP, sandboxes < 0 ? -sandboxes : -r, "%s: list", path);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		r = read_hold(sandboxes, names.list[i], users);
		if (r < 0)
			err_set(err, ERR_SETUP, -r, "%s/%s/" VOLUME_HOLD_FILE, path, names.list[i]);
	}
	store_names_release(&names);
	return r;
}

int volumes_users(const struct volumes *volumes, const char *run, const struct volume_users *users,
		  struct err *err)
{
	char path[PATH_MAX];
	int r = volumes->fd < 0 ? 0 : users_below(volumes->fd, "../sandboxes", users, err);

	if (r != 0 || run == NULL)
		return r;
	str_format(path, sizeof(path), "%s/sandboxes", run);
	return users_below(AT_FDCWD, path, users, err);
}

struct search {
	const char *name;
	const char *except; /* NULL: nobody */
	char sandbox[64];
};

static int compare_user(void *ctx, const char *sandbox, const char *name)
{
	struct search *search = ctx;

	if (!str_equal(name, search->name) ||
	    (search->except != NULL && str_equal(sandbox, search->except)))
		return 0;
	str_format(search->sandbox, sizeof(search->sandbox), "%s", sandbox);
	return 1;
}

/* ---- removing ---- */

static int refuse_in_use(const char *name, const char *by, struct err *err)
{
	err_set(err, ERR_USAGE, EBUSY, "volume %s: is in use, by sandbox %s", name, by);
	return err_hint(err, "`cordon rm %s` removes the sandbox, and keeps the volume.", by);
}

int volumes_discard(const struct volumes *volumes, const char *temporary)
{
	_cleanup_fd_ int fd = sys_openat(volumes->fd, temporary, VOLUMES_DIR_FLAGS, 0);
	int r = fd < 0 ? fd : quota_directory_end(fd, VOLUME_DATA);

	if (r > 0 || (r < 0 && r != -ENOENT))
		return r;
	return store_remove_tree(volumes->fd, temporary);
}

/* To a name that is none. 1: done; 0: there is none. Needs: the lock. */
static int take_away(const struct volumes *volumes, const char *name,
		     char temporary[sizeof(VOLUMES_OLD) + STORE_ID_LEN], struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(volumes->fd, name, VOLUMES_DIR_FLAGS, 0);
	int r = fd < 0 ? fd : volumes_flock(fd, LOCK_EX | LOCK_NB);

	if (r == -ENOENT)
		return 0;
	if (r == -EWOULDBLOCK) {
		err_set(err, ERR_USAGE, EBUSY, "volume %s: is in use, by a sandbox that runs",
			name);
		return err_hint(err, "`cordon ps` lists those that run.");
	}
	memcpy(temporary, VOLUMES_OLD, sizeof(VOLUMES_OLD));
	if (r == 0)
		r = store_make_id(temporary + strlen(VOLUMES_OLD));
	if (r == 0 && renameat(volumes->fd, name, volumes->fd, temporary) != 0)
		r = -errno;
	if (r == 0 && fsync(volumes->fd) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s: remove", volumes->path, name) : 1;
}

int volumes_remove(const struct volumes *volumes, const char *name, const char *run,
		   struct err *err)
{
	const struct volume_remover by = {.run = run, .sandbox = NULL};

	return volumes_remove_own(volumes, name, &by, err);
}

int volumes_remove_own(const struct volumes *volumes, const char *name,
		       const struct volume_remover *by, struct err *err)
{
	struct search search = {.name = name, .except = by->sandbox, .sandbox = ""};
	const struct volume_users users = {.fn = compare_user, .ctx = &search};
	char temporary[sizeof(VOLUMES_OLD) + STORE_ID_LEN];
	int r, lock_fd;

	if (volumes->fd < 0 || !volume_is_name(name))
		return 0;
	lock_fd = volumes_lock(volumes, err);
	if (lock_fd < 0)
		return lock_fd;
	r = volumes_users(volumes, by->run, &users, err);
	if (r > 0)
		r = refuse_in_use(name, search.sandbox, err);
	if (r == 0)
		r = take_away(volumes, name, temporary, err);
	close_fd(&lock_fd);
	volumes_step("removed");
	if (r <= 0)
		return r;
	r = volumes_discard(volumes, temporary);
	if (r >= 0)
		return 0;
	err_set(err, ERR_SETUP, -r, "%s/%s: remove what was in volume %s", volumes->path, temporary,
		name);
	return err_hint(err, "The volume is gone; `cordon gc` removes the rest.");
}

/* 1: removed; 0: somebody is at work on it, or has a file of it open. Needs: the lock. */
static int sweep_one(const struct volumes *volumes, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(volumes->fd, name, VOLUMES_DIR_FLAGS, 0);
	int r = fd < 0 ? fd : volumes_flock(fd, LOCK_EX | LOCK_NB);

	if (r == -EWOULDBLOCK || r == -ENOENT)
		return 0;
	if (r == 0)
		r = volumes_discard(volumes, name);
	return r < 0 ? r : r == 0;
}

/* One that cannot be removed keeps no other: the first error is told. */
static int sweep_temporary(const struct volumes *volumes, uint32_t *n_removed, struct err *err)
{
	struct store_names names = {0};
	int lock_fd = volumes_lock(volumes, err);
	int result, r;

	if (lock_fd < 0)
		return lock_fd;
	result = store_names_read(volumes->fd, true, &names);
	if (result < 0)
		err_set(err, ERR_SETUP, -result, "%s: list", volumes->path);
	for (size_t i = 0; i < names.n; i++) {
		if (!str_has_prefix(names.list[i], VOLUMES_NEW) &&
		    !str_has_prefix(names.list[i], VOLUMES_OLD))
			continue;
		r = sweep_one(volumes, names.list[i]);
		if (r < 0 && result >= 0)
			result = err_set(err, ERR_SETUP, -r,
					 "%s/%s: remove what an ended command left", volumes->path,
					 names.list[i]);
		*n_removed += r > 0;
	}
	store_names_release(&names);
	close_fd(&lock_fd);
	return result < 0 ? result : 0;
}

/* Anonymous ones whose run is gone without removing them. Of others nothing is known. */
static int sweep_abandoned(const struct volumes *volumes, const char *run, uint32_t *n_removed,
			   struct err *err)
{
	struct volume_list list;
	int r = volumes_list(volumes, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct volume *volume = &list.list[i];

		if (!volume->is_anonymous || volume->holder[0] != '/' ||
		    access(volume->holder, F_OK) == 0 || errno != ENOENT)
			continue;
		r = volumes_remove(volumes, volume->name, run, err);
		*n_removed += r == 0;
		/* Another sandbox has it. */
		r = r == -EBUSY ? 0 : r;
	}
	volume_list_free(&list);
	return r;
}

int volumes_sweep(const struct volumes *volumes, const char *run, uint32_t *n_removed,
		  struct err *err)
{
	struct err further; /* what fails behind the first is not told */
	int result, r;

	if (volumes->fd < 0)
		return 0;
	result = sweep_temporary(volumes, n_removed, err);
	r = sweep_abandoned(volumes, run, n_removed, result < 0 ? &further : err);
	return result < 0 ? result : r;
}
