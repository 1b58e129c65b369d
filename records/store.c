/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See store.h: roots, directories, locks, files. Names are in names.c, making and removing in
 * create.c, what a crash leaves in gc.c. Runs in commands and in keepers, as the records' owner. */
#include "records/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/own_dir.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/fault.h"
#include "records/internal.h"

enum { LOCK_WAIT_MS = 20000, LOCK_LOOK_MS = 10, IDS_STEP = 64 };

/* ---- roots ---- */

static int find_home(const struct run_request *request, char *buf, size_t size, struct err *err)
{
	const struct state_owner owner = {.root_dir = request->root_dir,
					  .euid = geteuid(),
					  .environment = request->environment,
					  .home = request->home};
	int r = state_kept_path(&owner, buf, size, err);

	if (r != -ENOENT)
		return r;
	err_set(err, ERR_USAGE, 0, "no place for what is kept: HOME is not set");
	return err_hint(err, "Set HOME or XDG_DATA_HOME, or name one: cordon --root DIR.");
}

static int sync_dir(const char *path)
{
	_cleanup_fd_ int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	/* One that may not be read was not made here. */
	if (fd < 0)
		return fd == -EACCES ? 0 : fd;
	return fsync(fd) != 0 && errno != EROFS && errno != EINVAL ? -errno : 0;
}

/* Puts HOME and what was made above it on the disk: a record is there only as long as they are. */
static int sync_dirs(const struct records *records)
{
	char path[PATH_MAX];
	int r = fsync(records->home_fd) != 0 ? -errno : 0;

	str_format(path, sizeof(path), "%s", records->home);
	for (size_t i = strlen(path); r == 0 && i > 0; i--) {
		if (path[i - 1] != '/')
			continue;
		path[i == 1 ? 1 : i - 1] = '\0';
		r = sync_dir(path);
	}
	return r;
}

static int open_dirs(struct records *records, bool are_new, struct err *err)
{
	int r = own_dir_make_parents(records->home);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: make its parents", records->home);
	records->home_fd = state_open_own_dir(AT_FDCWD, records->home, err);
	if (records->home_fd < 0)
		return records->home_fd;
	records->sandboxes_fd = state_open_own_dir(records->home_fd, "sandboxes", err);
	if (records->sandboxes_fd < 0)
		return records->sandboxes_fd;
	records->names_fd = state_open_own_dir(records->home_fd, "names", err);
	if (records->names_fd < 0)
		return records->names_fd;
	r = are_new ? sync_dirs(records) : 0;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: write to the disk", records->home) : 0;
}

/* 1 or 0. What cannot be looked at is another's, or hidden: no reason to say that nothing is there.
 */
static int is_there(const char *path, struct err *err)
{
	if (access(path, F_OK) == 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	err_set(err, ERR_SETUP, errno, "%s", path);
	return err_hint(err, "If it is not yours, name another place with --root DIR.");
}

/* Of the run root, which the first start makes. */
static int open_live(struct records *records, bool makes, struct err *err)
{
	struct state_root root;
	char path[RECORDS_PATH_MAX];
	int r;

	str_format(path, sizeof(path), "%s/sandboxes", records->run);
	r = makes ? 1 : is_there(path, err);
	if (r <= 0)
		return r < 0 ? state_root_hint(err) : 0;
	r = state_root_open(records->run, &root, err);
	if (r < 0)
		return r;
	records->live_fd = state_open_own_dir(root.fd, "sandboxes", err);
	state_root_release(&root);
	return records->live_fd < 0 ? records->live_fd : 0;
}

int records_open(const struct run_request *request, bool makes, struct records *ret,
		 struct err *err)
{
	struct records records = {.home_fd = -EBADF,
				  .sandboxes_fd = -EBADF,
				  .names_fd = -EBADF,
				  .live_fd = -EBADF};
	char names[RECORDS_PATH_MAX];
	bool are_new;
	int r = find_home(request, records.home, sizeof(records.home), err);

	if (r == 0)
		r = state_root_path(request->root_dir, geteuid(), request->runtime_dir, records.run,
				    sizeof(records.run), err);
	if (r < 0)
		return r;
	str_format(names, sizeof(names), "%s/names", records.home);
	r = is_there(names, err);
	if (r < 0)
		return r;
	are_new = r == 0;
	records.is_there = makes || !are_new;
	r = 0;
	if (records.is_there)
		r = open_dirs(&records, are_new, err);
	if (r == 0 && records.is_there)
		r = open_live(&records, makes, err);
	records.event_errno = calloc(1, sizeof(*records.event_errno));
	if (r == 0 && records.event_errno == NULL)
		r = err_set(err, ERR_SETUP, ENOMEM, "%s", records.home);
	if (r < 0)
		records_release(&records);
	else
		*ret = records;
	return r;
}

void records_release(struct records *records)
{
	close_fd(&records->live_fd);
	close_fd(&records->names_fd);
	close_fd(&records->sandboxes_fd);
	close_fd(&records->home_fd);
	free(records->event_errno);
	records->event_errno = NULL;
}

int records_hold(const struct records *records, int how, struct err *err)
{
	_cleanup_fd_ int fd = sys_openat(records->home_fd, "lock",
					 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? fd : state_lock(fd, how);

	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/lock", records->home) : steal_fd(&fd);
}

void records_path(const struct records *records, const char *id, bool is_kept, char *buf,
		  size_t size)
{
	str_format(buf, size, "%s/sandboxes/%s", is_kept ? records->home : records->run, id);
}

int records_base(const struct records *records, bool is_kept)
{
	return is_kept ? records->sandboxes_fd : records->live_fd;
}

/* ---- one sandbox ---- */

bool records_is_id(const char *text)
{
	return strlen(text) == RUN_ID_LEN && strspn(text, "0123456789abcdef") == (size_t)RUN_ID_LEN;
}

static int open_in(const struct records *records, const char *id, bool is_kept, struct sandbox *ret)
{
	int base = records_base(records, is_kept);
	_cleanup_fd_ int fd = base < 0 ? -ENOENT : sys_openat(base, id, RECORDS_DIR_FLAGS, 0);

	if (fd < 0)
		return fd;
	/* In RUN every sandbox that runs has a directory; a record only what ends with the boot. */
	if (!is_kept && faccessat(fd, "record", F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	str_format(ret->id, sizeof(ret->id), "%s", id);
	ret->is_kept = is_kept;
	ret->dir_fd = steal_fd(&fd);
	return 0;
}

int records_open_id(const struct records *records, const char *id, struct sandbox *ret)
{
	int r;

	if (!records_is_id(id))
		return -ENOENT;
	r = open_in(records, id, true, ret);
	return r == -ENOENT ? open_in(records, id, false, ret) : r;
}

void sandbox_release(struct sandbox *sandbox)
{
	close_fd(&sandbox->dir_fd);
}

static bool is_same_place(const struct records *records, const struct sandbox *sandbox)
{
	struct stat ours, theirs;

	return fstat(sandbox->dir_fd, &ours) == 0 &&
	       fstatat(records_base(records, sandbox->is_kept), sandbox->id, &theirs,
		       AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

int records_try_lock(const struct records *records, const struct sandbox *sandbox)
{
	int r = state_lock(sandbox->dir_fd, LOCK_EX | LOCK_NB);

	return r == 0 && !is_same_place(records, sandbox) ? -ENOENT : r;
}

int sandbox_lock(const struct records *records, const struct sandbox *sandbox, struct err *err)
{
	int r = state_lock(sandbox->dir_fd, LOCK_EX | LOCK_NB);

	for (int waited = 0; r == -EWOULDBLOCK && waited < LOCK_WAIT_MS; waited += LOCK_LOOK_MS) {
		poll(NULL, 0, LOCK_LOOK_MS);
		r = state_lock(sandbox->dir_fd, LOCK_EX | LOCK_NB);
	}
	if (r == -EWOULDBLOCK) {
		err_set(err, ERR_SETUP, EBUSY, "sandbox %s: another command is at work on it",
			sandbox->id);
		return err_hint(err, "Try again when that has ended.");
	}
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "sandbox %s: lock", sandbox->id);
	if (!is_same_place(records, sandbox))
		return err_set(err, ERR_USAGE, ENOENT, "sandbox %s: was removed meanwhile",
			       sandbox->id);
	return 0;
}

void sandbox_unlock(const struct sandbox *sandbox)
{
	ignore_result(state_lock(sandbox->dir_fd, LOCK_UN), "it goes with the descriptor at last");
}

/* ---- lists ---- */

struct id_list {
	char (*ids)[RUN_ID_LEN + 1];
	size_t n;
	size_t room;
};

static int add_id(struct id_list *list, const char *id)
{
	if (list->n == list->room) {
		size_t room = list->room + list->room / 2 + IDS_STEP;
		void *grown = reallocarray(list->ids, room, sizeof(*list->ids));

		if (grown == NULL)
			return -ENOMEM;
		list->ids = grown;
		list->room = room;
	}
	str_format(list->ids[list->n++], sizeof(*list->ids), "%s", id);
	return 0;
}

static bool has_record(int base, const char *id)
{
	char path[RUN_ID_LEN + 16];

	str_format(path, sizeof(path), "%s/record", id);
	return faccessat(base, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int list_in(const struct records *records, bool is_kept, struct id_list *list)
{
	int base = records_base(records, is_kept);
	int copy = base < 0 ? -EBADF : sys_openat(base, ".", RECORDS_DIR_FLAGS, 0);
	struct dirent *entry;
	int r = 0;
	DIR *dir;

	if (base < 0)
		return 0;
	dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (dir == NULL) {
		r = copy < 0 ? copy : -errno;
		close_fd(&copy);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL)
		if (records_is_id(entry->d_name) && (is_kept || has_record(base, entry->d_name)))
			r = add_id(list, entry->d_name);
	closedir(dir);
	return r;
}

ssize_t records_list(const struct records *records, char (**ret_ids)[RUN_ID_LEN + 1],
		     struct err *err)
{
	struct id_list list = {0};
	int r = list_in(records, true, &list);

	if (r == 0)
		r = list_in(records, false, &list);
	if (r < 0) {
		free(list.ids);
		return err_set(err, ERR_SETUP, -r, "%s: list the sandboxes", records->home);
	}
	*ret_ids = list.ids;
	return (ssize_t)list.n;
}

static int no_such(const char *ref, struct err *err)
{
	err_set(err, ERR_USAGE, ENOENT, "no sandbox is called %s", ref);
	return err_hint(err, "`cordon ps -a` lists them, with their ids.");
}

static int find_by_prefix(const struct records *records, const char *ref, struct sandbox *ret,
			  struct err *err)
{
	_cleanup_free_ char(*ids)[RUN_ID_LEN + 1] = NULL;
	ssize_t n = records_list(records, &ids, err);
	const char *found = NULL;

	if (n < 0)
		return (int)n;
	for (ssize_t i = 0; i < n; i++) {
		if (!str_has_prefix(ids[i], ref))
			continue;
		if (found != NULL)
			return err_set(err, ERR_USAGE, 0,
				       "%s begins the id of more than one sandbox", ref);
		found = ids[i];
	}
	if (found == NULL || records_open_id(records, found, ret) < 0)
		return no_such(ref, err);
	return 0;
}

int records_find(const struct records *records, const char *ref, struct sandbox *ret,
		 struct err *err)
{
	int r;

	if (!records->is_there || ref[0] == '\0')
		return no_such(ref, err);
	r = records_open_name(records, ref, ret);
	if (r == -ENOENT)
		r = records_open_id(records, ref, ret);
	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return err_set(err, ERR_SETUP, -r, "sandbox %s", ref);
	return find_by_prefix(records, ref, ret, err);
}

/* ---- files ---- */

bool records_leaves_out(const char *step)
{
	struct fault fault = fault_from_environment();

	return fault_at(&fault, step) == FAULT_SKIP;
}

int records_put(int dir_fd, const char *name, const char *text, size_t len, bool is_kept)
{
	char temporary[64];
	_cleanup_fd_ int fd = -EBADF;
	int r;

	str_format(temporary, sizeof(temporary), RECORDS_TEMPORARY "%s.%d", name, getpid());
	fd = sys_openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0600);
	if (fd < 0)
		return fd;
	r = io_write_all(fd, text, len);
	if (r == 0 && is_kept && fsync(fd) != 0)
		r = -errno;
	if (r == 0)
		r = fault_point("write", name);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) != 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, temporary, 0);
		return r;
	}
	return 0;
}

int records_write(int dir_fd, const char *name, const char *text, size_t len, bool is_kept)
{
	int r = records_put(dir_fd, name, text, len, is_kept);

	if (r == 0)
		r = fault_point("wrote", name);
	return r == 0 && is_kept && fsync(dir_fd) != 0 ? -errno : r;
}
