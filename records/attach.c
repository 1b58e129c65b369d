/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See attach.h. */
#include "records/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "records/status.h"

enum { WAITING_MAX = 16 };

/* By the descriptor of the directory: sun_path has room for 107 bytes. */
static struct sockaddr_un address_in(int dir_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	str_format(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/attach", dir_fd);
	return address;
}

static int open_socket(int flags)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	return fd < 0 ? -errno : fd;
}

int attach_listen(const struct records *records, const char *id, struct err *err)
{
	_cleanup_fd_ int dir_fd =
		sys_openat(records->live_fd, id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	struct sockaddr_un address = address_in(dir_fd);
	_cleanup_fd_ int fd = open_socket(SOCK_NONBLOCK);

	/* Of a keeper that was killed. Its directory is the caller's alone, mode 0700. */
	if (fd >= 0 && (unlink(address.sun_path) == 0 || errno == ENOENT) &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(address.sun_path, 0600) == 0 && listen(fd, WAITING_MAX) == 0)
		return steal_fd(&fd);
	return err_set(err, ERR_SETUP, errno, "%s/sandboxes/%s/attach", records->run, id);
}

int attach_connect(const struct records *records, const struct sandbox *sandbox, struct err *err)
{
	_cleanup_fd_ int dir_fd = status_open_run_dir(records, sandbox);
	struct sockaddr_un address = address_in(dir_fd);
	_cleanup_fd_ int fd = open_socket(0);

	if (dir_fd >= 0 && fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return steal_fd(&fd);
	return err_set(err, ERR_SETUP, dir_fd < 0 ? -dir_fd : errno, "sandbox %s: its socket",
		       sandbox->id);
}

static int send_frame(int fd, char kind, const void *bytes, size_t len)
{
	char frame[1 + CLIENT_INPUT_MAX];
	ssize_t n;

	if (len > CLIENT_INPUT_MAX)
		return -EMSGSIZE;
	frame[0] = kind;
	memcpy(frame + 1, bytes, len);
	n = send(fd, frame, 1 + len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : 0;
}

int attach_send_input(int fd, const char *bytes, size_t len)
{
	return send_frame(fd, CLIENT_INPUT, bytes, len);
}

int attach_send_end(int fd)
{
	return send_frame(fd, CLIENT_END, "", 0);
}

int attach_send_size(int fd, unsigned short rows, unsigned short columns)
{
	const struct client_size size = {.rows = rows, .columns = columns};

	return send_frame(fd, CLIENT_SIZE, &size, sizeof(size));
}
