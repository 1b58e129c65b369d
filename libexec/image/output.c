/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See output.h. Source: open(2), O_TMPFILE. */
#include "libexec/image/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "libexec/image/importer.h"

static int open_nameless(struct output *out)
{
	char id[STORE_ID_LEN + 1];
	int r;

	out->fd = sys_openat(out->dir, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	if (out->fd != -EOPNOTSUPP && out->fd != -EISDIR && out->fd != -EINVAL)
		return out->fd < 0 ? out->fd : 0;
	r = store_make_id(id);
	str_format(out->temporary, sizeof(out->temporary), ".cordon-%s", id);
	if (r == 0)
		out->fd = sys_openat(out->dir, out->temporary,
				     O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return r < 0 ? r : out->fd < 0 ? out->fd : 0;
}

int output_open(const char *path, struct output *ret, struct err *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int r = 0;

	*ret = (struct output){.fd = -EBADF, .dir = -EBADF, .path = path};
	if (str_equal(path, "-")) {
		if (isatty(STDOUT_FILENO) == 1) {
			err_set(err, ERR_USAGE, 0, "an archive is not for a terminal");
			return err_hint(err, "Name a file: cordon volume backup NAME FILE.");
		}
		ret->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, COMMAND_FIRST_MARK);
		return ret->fd < 0 ? err_set(err, ERR_USAGE, errno, "standard output") : 0;
	}
	ret->base = slash != NULL ? slash + 1 : path;
	str_format(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		   slash != NULL ? path : ".");
	ret->dir = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (ret->dir < 0)
		return err_set(err, ERR_USAGE, -ret->dir, "%s", path);
	if (faccessat(ret->dir, ret->base, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = -EEXIST;
	else
		r = open_nameless(ret);
	return r < 0 ? err_set(err, ERR_USAGE, -r, "%s", path) : 0;
}

int output_name(struct output *out, struct err *err)
{
	char link[64];
	int r = 0;

	if (out->dir < 0)
		return 0;
	str_format(link, sizeof(link), "/proc/self/fd/%d", out->fd);
	if (fsync(out->fd) != 0)
		r = -errno;
	store_step("volume-"
		   "archived");
	if (r == 0 && out->temporary[0] == '\0' &&
	    linkat(AT_FDCWD, link, out->dir, out->base, AT_SYMLINK_FOLLOW) != 0)
		r = -errno;
	if (r == 0 && out->temporary[0] != '\0' &&
	    renameat2(out->dir, out->temporary, out->dir, out->base, RENAME_NOREPLACE) != 0)
		r = -errno;
	if (r == 0 && fsync(out->dir) != 0)
		r = -errno;
	if (r == 0)
		out->temporary[0] = '\0';
	return r < 0 ? err_set(err, ERR_USAGE, -r, "%s", out->path) : 0;
}

void output_close(struct output *out)
{
	if (out->temporary[0] != '\0')
		ignore_result(unlinkat(out->dir, out->temporary, 0),
			      "the first error is the one that counts");
	close_fd(&out->fd);
	close_fd(&out->dir);
}
