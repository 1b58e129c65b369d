/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work directories of the store, and the removal of trees; see store.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/store.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, DEPTH_MAX = 128 };

static int lock(int fd, int how)
{
	int r;

	do
		r = flock(fd, how);
	while (r != 0 && errno == EINTR);
	return r != 0 ? -errno : 0;
}

/* ---- removal ---- */

/* Opens a directory so that what is in it can be removed, whatever mode it has. */
static int open_to_empty(int dirfd, const char *name)
{
	_cleanup_fd_ int place = -EBADF;
	char link[64];
	int fd = sys_openat(dirfd, name, DIR_FLAGS, 0);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) == 0700)
		return fd;
	if (fd >= 0) {
		ignore_result(fchmod(fd, 0700), "where that fails, so does what follows");
		return fd;
	}
	if (fd != -EACCES)
		return fd;
	/* By the descriptor's name, which no link can stand in for. */
	place = sys_openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (place < 0)
		return place;
	str_format(link, sizeof(link), "/proc/self/fd/%d", place);
	if (chmod(link, 0700) != 0)
		return -errno;
	return sys_openat(place, ".", DIR_FLAGS, 0);
}

/* What is below is walked without recursion: an archive, or a workload, decides how deep it is.
 * What lies deeper than there are levels comes to the top, under a name of ours. */
struct level {
	DIR *dir;
	char *name;        /* in the level above */
	uint64_t n_lifted; /* to here, since its names were last read from the first on */
};

static int push(struct level *levels, size_t *n, int dirfd, const char *name)
{
	int fd = open_to_empty(dirfd, name);
	struct level level = {0};

	if (fd < 0)
		return fd;
	level.dir = fdopendir(fd);
	if (level.dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	level.name = strdup(name);
	if (level.name == NULL) {
		closedir(level.dir);
		return -ENOMEM;
	}
	levels[(*n)++] = level;
	return 0;
}

static void pop(struct level *levels, size_t *n)
{
	(*n)--;
	closedir(levels[*n].dir);
	free(levels[*n].name);
}

/* A name that is taken already is one of another try: the next number is as good. */
static int lift(struct level *levels, const struct level *from, const char *name)
{
	char above[40];
	int fd = open_to_empty(dirfd(from->dir), name);

	if (fd < 0)
		return fd;
	close(fd);
	do
		str_format(above, sizeof(above), ".lifted.%llu",
			   (unsigned long long)levels->n_lifted++);
	while (renameat2(dirfd(from->dir), name, dirfd(levels->dir), above, RENAME_NOREPLACE) !=
		       0 &&
	       errno == EEXIST && levels->n_lifted < UINT64_MAX);
	return faccessat(dirfd(levels->dir), above, F_OK, AT_SYMLINK_NOFOLLOW) != 0 ? -errno : 0;
}

/* One step: the next entry of the innermost directory goes, or it does. */
static int step(struct level *levels, size_t *n, int top)
{
	struct level *level = &levels[*n - 1];
	int above = *n > 1 ? dirfd(levels[*n - 2].dir) : top;
	struct dirent *entry;
	int r;

	errno = 0;
	entry = readdir(level->dir);
	if (entry == NULL) {
		r = errno != 0 ? -errno : 0;
		if (r == 0 && level->n_lifted > 0) {
			level->n_lifted = 0;
			rewinddir(level->dir);
			return 0;
		}
		if (r == 0 && unlinkat(above, level->name, AT_REMOVEDIR) != 0 && errno != ENOENT)
			r = -errno;
		pop(levels, n);
		return r;
	}
	if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
		return 0;
	if (entry->d_type != DT_DIR &&
	    (unlinkat(dirfd(level->dir), entry->d_name, 0) == 0 || errno == ENOENT))
		return 0;
	if (entry->d_type != DT_DIR && errno != EISDIR && errno != EPERM)
		return -errno;
	r = *n == DEPTH_MAX ? lift(levels, level, entry->d_name)
			    : push(levels, n, dirfd(level->dir), entry->d_name);
	return r == -ENOENT ? 0 : r;
}

int store_remove_tree(int dirfd, const char *name)
{
	struct level *levels;
	size_t n = 0;
	int r;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	levels = calloc(DEPTH_MAX, sizeof(*levels));
	if (levels == NULL)
		return -ENOMEM;
	r = push(levels, &n, dirfd, name);
	while (r == 0 && n > 0)
		r = step(levels, &n, dirfd);
	while (n > 0)
		pop(levels, &n);
	free(levels);
	return r;
}

/* ---- work directories ---- */

int store_make_id(char id[STORE_ID_LEN + 1])
{
	unsigned char bytes[STORE_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_format(id + 2 * i, 3, "%x%x", bytes[i] >> 4, bytes[i] & 15);
	return 0;
}

int store_work_begin(struct store *store, struct store_work *ret, struct err *err)
{
	struct store_work work = {.fd = -EBADF};
	/* A lock belongs to an open file: ours alone. It keeps collectors from a directory that is
	 * there and not locked yet. */
	_cleanup_fd_ int gate = sys_openat(store->work_fd, ".", DIR_FLAGS, 0);
	int r = gate < 0 ? gate : store_make_id(work.id);

	if (r == 0)
		r = lock(gate, LOCK_SH);
	if (r == 0 && mkdirat(store->work_fd, work.id, 0700) != 0)
		r = -errno;
	if (r == 0) {
		work.fd = sys_openat(store->work_fd, work.id, DIR_FLAGS, 0);
		r = work.fd < 0 ? work.fd : lock(work.fd, LOCK_EX | LOCK_NB);
	}
	if (r < 0) {
		close_fd(&work.fd);
		return err_set(err, ERR_SETUP, -r, "%s/making/%s: make the directory", store->path,
			       work.id);
	}
	*ret = work;
	store_step("work");
	return 0;
}

void store_work_end(struct store *store, struct store_work *work)
{
	if (work->fd < 0)
		return;
	ignore_result(store_remove_tree(store->work_fd, work->id),
		      "the next command tries it again");
	close_fd(&work->fd);
}

/* 1: removed; 0: it is in use. */
static int collect_one(struct store *store, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(store->work_fd, name, DIR_FLAGS, 0);
	int r = fd < 0 ? fd : lock(fd, LOCK_EX | LOCK_NB);

	if (r == -EWOULDBLOCK || r == -ENOENT)
		return 0;
	if (r == 0 || r == -ENOTDIR)
		r = store_remove_tree(store->work_fd, name);
	return r < 0 ? r : 1;
}

int store_collect(struct store *store, uint32_t *ret_removed, struct err *err)
{
	_cleanup_fd_ int gate = sys_openat(store->work_fd, ".", DIR_FLAGS, 0);
	int copy = sys_openat(store->work_fd, ".", DIR_FLAGS, 0);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	int r = gate < 0 ? gate : lock(gate, LOCK_EX);
	uint32_t n = 0;

	if (dir == NULL) {
		if (copy >= 0)
			close(copy);
		return err_set(err, ERR_SETUP, errno, "%s/making: open", store->path);
	}
	for (struct dirent *entry; r >= 0 && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		r = collect_one(store, entry->d_name);
		if (r < 0)
			err_set(err, ERR_SETUP, -r,
				"%s/making/%s: remove what an ended command left", store->path,
				entry->d_name);
		n += r > 0;
	}
	closedir(dir);
	if (r < 0)
		return r;
	*ret_removed = n;
	return 0;
}

#ifdef CORDON_FAULTS
void store_step(const char *name)
{
	const char *fault = getenv("CORDON_FAULT");
	char wanted[96];

	str_format(wanted, sizeof(wanted), "store.%s:kill", name);
	if (fault != NULL && str_equal(fault, wanted))
		ignore_result(raise(SIGKILL), "it does not return");
}
#endif
