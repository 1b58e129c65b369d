/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading files of the host, and of a rootfs, for a policy; see host_files.h. Runs in the keeper.
 */
#include "launcher/host_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"

int host_file_reopen(int place)
{
	char link[64];

	str_format(link, sizeof(link), "/proc/self/fd/%d", place);
	return sys_openat(AT_FDCWD, link, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0);
}

int host_file_read(int fd, struct arena *arena, size_t max, const char **ret_text, size_t *ret_len)
{
	_cleanup_free_ char *buf = malloc(max + 1);
	size_t len = 0;

	if (buf == NULL)
		return -ENOMEM;
	while (len <= max) {
		ssize_t n = read(fd, buf + len, max + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			*ret_text = arena_copy(arena, buf, len);
			*ret_len = len;
			return *ret_text != NULL ? 0 : -ENOMEM;
		}
		len += (size_t)n;
	}
	return -EFBIG;
}

int host_file_of_rootfs(const char *dir, const char *which, struct arena *arena,
			const char **ret_text, size_t *ret_len)
{
	_cleanup_fd_ int root = sys_openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	_cleanup_fd_ int place = -EBADF;
	_cleanup_fd_ int fd = -EBADF;
	struct stat st;
	char path[64];

	if (root < 0)
		return root;
	str_format(path, sizeof(path), "/etc/%s", which);
	place = sys_openat2(root, path, O_PATH | O_CLOEXEC, 0,
			    RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	if (place < 0)
		return place;
	if (fstat(place, &st) != 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	fd = host_file_reopen(place);
	if (fd < 0)
		return fd;
	return host_file_read(fd, arena, HOST_ACCOUNTS_MAX, ret_text, ret_len);
}

static int open_any(const char *path)
{
	_cleanup_fd_ int place = sys_openat(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0);
	struct stat st;

	if (place < 0)
		return place;
	if (fstat(place, &st) != 0)
		return -errno;
	/* A pipe is what the shell makes of <(...). */
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return host_file_reopen(place);
}

int host_file_load(const char *path, struct arena *arena, struct policy_text *ret, struct err *err)
{
	_cleanup_fd_ int fd = open_any(path);
	int r = fd;

	if (fd == -EINVAL)
		return err_set(err, ERR_POLICY, 0, "%s: is neither a regular file nor a pipe",
			       path);
	if (fd >= 0)
		r = host_file_read(fd, arena, POLICY_FILE_MAX, &ret->text, &ret->len);
	return r < 0 ? err_set(err, ERR_POLICY, -r, "%s", path) : 0;
}
