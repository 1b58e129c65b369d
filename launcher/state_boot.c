/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an earlier boot left in a run root; see state.h. Runs in whoever opens one: commands,
 * keepers, `cordon gc`, as the caller.
 *
 * Theory of operation. RUN/boot_id is a link whose text is the boot that made what is in RUN. Where
 * it is another one, or missing, the first who opens RUN takes RUN's flock, removes what nobody
 * holds a lock of, and makes the link anew; the others wait for that. Nobody gets into a run root
 * whose link is not of this boot, so nothing is made in it meanwhile. A link is made in one step
 * and needs no block of a disk that is full. Nothing is flushed: whatever a loss of power makes of
 * the link, it is no link of the boot that follows. Killed anywhere, the next one begins again.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/cordon.h"
#include "launcher/fault.h"
#include "launcher/ids.h"
#include "launcher/state.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

static const char mark[] = "boot_id", new_mark[] = "boot_id.new";

void state_boot_id(char buf[STATE_BOOT_ID_SIZE])
{
	if (io_read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", buf, STATE_BOOT_ID_SIZE) < 0)
		buf[0] = '\0';
	io_chomp(buf);
}

bool state_is_held(int dir_fd, const char *path)
{
	_cleanup_fd_ int fd = sys_openat(dir_fd, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	/* Asked, and not tried: a lock that were taken for a moment would be in a keeper's way.
	 * What cannot be asked is alive. */
	if (fd < 0)
		return fd != -ENOENT;
	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

int state_remove_dir(int base, const char *name)
{
	int fd = sys_openat(base, name, DIR_FLAGS, 0);
	struct dirent *entry;
	int r = 0;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close_fd(&fd);
		return -ENOMEM;
	}
	/* Files alone: what a later version puts into a directory it has to remove itself. */
	while ((entry = readdir(dir)) != NULL)
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..") &&
		    unlinkat(dirfd(dir), entry->d_name, 0) != 0 && errno != ENOENT)
			r = -errno;
	closedir(dir);
	if (r == 0 && unlinkat(base, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		r = -errno;
	return r;
}

static bool is_of_boot(const struct state_root *root, const char *boot_id)
{
	char found[STATE_BOOT_ID_SIZE];
	ssize_t n = readlinkat(root->fd, mark, found, sizeof(found) - 1);

	found[n > 0 ? n : 0] = '\0';
	return n > 0 && str_equal(found, boot_id);
}

/* A directory of a sandbox that nobody keeps. */
static int clear_one(const struct state_root *root, int dir_fd, const char *name, struct err *err)
{
	char lock[NAME_MAX + 8];
	int r;

	str_format(lock, sizeof(lock), "%s/lock", name);
	if (state_is_held(dir_fd, lock))
		return 0;
	r = state_remove_dir(dir_fd, name);
	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "%s/sandboxes/%s: of an earlier boot: remove",
			root->path, name);
		return err_hint(err, "Remove it, or name another place with --root DIR.");
	}
	return 0;
}

static int clear_sandboxes(const struct state_root *root, struct err *err)
{
	int copy = sys_openat(root->fd, "sandboxes", DIR_FLAGS, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	char prefix[PATH_MAX + 32];
	struct dirent *entry;
	uint32_t n_freed = 0;
	int result = 0;

	if (dir == NULL) {
		result = copy < 0 ? copy : -ENOMEM;
		close_fd(&copy);
		return result == -ENOENT
			       ? 0
			       : err_set(err, ERR_SETUP, -result, "%s/sandboxes: list", root->path);
	}
	while ((entry = readdir(dir)) != NULL) {
		int r = str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..")
				? 0
				: clear_one(root, dirfd(dir), entry->d_name, err);

		result = r < 0 ? r : result;
	}
	str_format(prefix, sizeof(prefix), "%s/sandboxes/", root->path);
	if (result == 0)
		result = ids_release_orphans(IDS_UNTIL_BOOT, prefix, dirfd(dir), &n_freed, err);
	closedir(dir);
	return result;
}

static int clear(struct state_root *root, const char *boot_id, struct err *err)
{
	struct gc_report report;
	struct err theirs;
	int r = clear_sandboxes(root, err);

	if (r < 0)
		return r;
	ignore_result(state_gc(root, &report, &theirs), "what it cannot judge stays: gc says so");
	r = fault_point("boot.cleared", NULL);
	if (r == 0 && unlinkat(root->fd, new_mark, 0) != 0 && errno != ENOENT)
		r = -errno;
	if (r == 0 && symlinkat(boot_id, root->fd, new_mark) != 0)
		r = -errno;
	if (r == 0 && renameat(root->fd, new_mark, root->fd, mark) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s: note the boot", root->path, mark) : 0;
}

int state_enter_boot(struct state_root *root, struct err *err)
{
	char boot_id[STATE_BOOT_ID_SIZE];
	_cleanup_fd_ int gate = -EBADF;
	int r;

	state_boot_id(boot_id);
	/* Where the boot has no name nothing can be told apart, and nothing is removed. */
	if (boot_id[0] == '\0' || is_of_boot(root, boot_id))
		return 0;
	/* Nothing can be made there either. */
	if (faccessat(root->fd, ".", W_OK, AT_EACCESS) != 0 && errno == EROFS)
		return 0;
	gate = sys_openat(root->fd, ".", DIR_FLAGS, 0);
	r = gate < 0 ? gate : state_lock(gate, LOCK_EX);
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: lock", root->path);
	return is_of_boot(root, boot_id) ? 0 : clear(root, boot_id, err);
}

int cordon_gc(const char *root_dir, const char *runtime_dir, struct gc_report *ret_report,
	      struct err *err)
{
	char path[PATH_MAX];
	struct state_root root = {.fd = -EBADF, .runs_fd = -EBADF};
	int r = state_root_path(root_dir, geteuid(), runtime_dir, path, sizeof(path), err);

	memset(ret_report, 0, sizeof(*ret_report));
	if (r == 0 && access(path, F_OK) != 0)
		return 0; /* nothing ever ran here */
	if (r == 0)
		r = state_root_open(path, &root, err);
	if (r == 0)
		r = state_gc(&root, ret_report, err);
	state_root_release(&root);
	return r;
}
