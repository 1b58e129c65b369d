/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See own_dir.h. */
#include "base/own_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"

int own_dir_open(int dirfd, const char *name, bool makes, const char *hint, struct err *err)
{
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;

	if (makes && mkdirat(dirfd, name, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s: make the directory", name);
	fd = sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "%s: open the directory", name);
	if (fstat(fd, &st) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: stat", name);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		err_set(err, ERR_SETUP, 0, "%s: belongs to uid %u with mode %o, not to you alone",
			name, st.st_uid, st.st_mode & 07777);
		return err_hint(err, "%s", hint);
	}
	return steal_fd(&fd);
}
