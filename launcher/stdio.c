/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors 0 to 2 and those of --fd; see stdio.h for what is done and why. */
#include "launcher/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/output.h"

static bool any_of(const bool flags[FACTS_FDS])
{
	bool any = false;

	for (size_t i = 0; i < FACTS_FDS; i++)
		any = any || flags[i];
	return any;
}

/* ---- pipes ---- */

bool stdio_can_lend(const struct decision *decision)
{
	return decision->plan.ids == IDS_BLOCK && facts_has_cap(&decision->facts, CAP_CHOWN);
}

static bool is_lent(const struct decision *decision, size_t i)
{
	return decision->facts.stdio_is_pipe[i] &&
	       output_pipe_of(decision, facts_fd(&decision->facts, i)) < 0;
}

bool stdio_wants_pipes(const struct decision *decision)
{
	bool any = false;

	for (size_t i = 0; i < facts_n_fds(&decision->facts); i++)
		any = any || is_lent(decision, i);
	return any && stdio_can_lend(decision);
}

static mode_t mode_of(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return 0640;
	case O_WRONLY:
		return 0620;
	default:
		return 0660;
	}
}

int stdio_lend_pipe(struct launch *launch, int fd, struct err *err)
{
	gid_t gid = launch->run.block_first + launch->spec->identity.gid;

	return fchown(fd, (uid_t)-1, gid) != 0 || fchmod(fd, mode_of(fd)) != 0
		       ? err_set(err, ERR_SETUP, errno, "lend pipe %d to the workload's group", fd)
		       : 0;
}

int stdio_lend_pipes(struct launch *launch, struct err *err)
{
	const struct host_facts *facts = &launch->decision->facts;
	int r = 0;

	for (size_t i = 0; r == 0 && i < facts_n_fds(facts); i++)
		if (is_lent(launch->decision, i))
			r = stdio_lend_pipe(launch, facts_fd(facts, i), err);
	return r;
}

/* ---- files that were opened for reading ---- */

bool stdio_has_input_files(const struct decision *decision)
{
	return any_of(decision->facts.stdio_is_input_file);
}

/* Puts the file behind the detached mount at fd's place, opened for reading. */
static int replace(int fd, int tree_fd)
{
	struct mount_attr attr = {.attr_set =
					  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				  .propagation = MS_PRIVATE};
	_cleanup_fd_ int file = -EBADF;
	struct stat was, is;
	off_t offset;
	char path[32];
	int r;

	if (fstat(fd, &was) != 0 || fstat(tree_fd, &is) != 0)
		return -errno;
	if (was.st_dev != is.st_dev || was.st_ino != is.st_ino)
		return -ESTALE;
	r = sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH, &attr);
	if (r < 0)
		return r;
	str_format(path, sizeof(path), "/proc/self/fd/%d", tree_fd);
	file = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
	if (file < 0)
		return file;
	offset = lseek(fd, 0, SEEK_CUR);
	if (offset < 0 || lseek(file, offset, SEEK_SET) != offset || dup2(file, fd) < 0)
		return -errno;
	return 0;
}

static int refuse(int fd, int result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "descriptor %d: show the file read-only", fd);
	return err_hint(
		err, "Its path does not lead to it any more, or leads elsewhere here: pipe it in "
		     "instead (cat FILE | cordon run ...).");
}

int stdio_freeze_in_keeper(struct launch *launch, struct err *err)
{
	const struct host_facts *facts = &launch->decision->facts;

	for (size_t i = 0; i < facts_n_fds(facts); i++) {
		_cleanup_fd_ int tree = -EBADF;
		int fd = facts_fd(facts, i);
		int r = 0;

		if (!facts->stdio_is_input_file[i])
			continue;
		tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
		r = tree < 0 ? tree : replace(fd, tree);
		if (r < 0)
			return refuse(fd, r, err);
	}
	return 0;
}

static int freeze_by_path(int fd)
{
	_cleanup_fd_ int tree = -EBADF;
	char link[32], path[PATH_MAX];
	ssize_t n;

	str_format(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	/* A descriptor from before the new namespace cannot be cloned, so it is opened anew and
	 * compared. */
	tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? tree : replace(fd, tree);
}

int stdio_freeze_in_child(struct launch *launch, struct err *err)
{
	const struct host_facts *facts = &launch->decision->facts;

	for (size_t i = 0; i < facts_n_fds(facts); i++) {
		int fd = facts_fd(facts, i);
		int r = facts->stdio_is_input_file[i] ? freeze_by_path(fd) : 0;

		if (r < 0)
			return refuse(fd, r, err);
	}
	return 0;
}

int stdio_verify_frozen(struct launch *launch, struct err *err)
{
	const struct host_facts *facts = &launch->decision->facts;

	for (size_t i = 0; i < facts_n_fds(facts); i++) {
		int fd = facts_fd(facts, i);
		struct statvfs fs;

		if (!facts->stdio_is_input_file[i])
			continue;
		if (fstatvfs(fd, &fs) != 0 || (fs.f_flag & ST_RDONLY) == 0)
			return err_set(err, ERR_SETUP, 0,
				       "descriptor %d: its file could be written to", fd);
	}
	return 0;
}
