/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See patient.h. */
#include "libexec/image/patient.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

void patient_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

int patient_open(void)
{
	sigset_t ends;
	int fd;

	patient_signals(&ends);
	fd = signalfd(-1, &ends, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The signal is not taken: the program ends by it. */
static int wait_for(int ends_fd, int fd, short events)
{
	struct pollfd list[] = {{.fd = ends_fd, .events = POLLIN}, {.fd = fd, .events = events}};

	while (poll(list, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return list[0].revents != 0 ? -EINTR : 0;
}

ssize_t patient_read(int ends_fd, int fd, void *buf, size_t size)
{
	ssize_t n;
	int r;

	do {
		r = wait_for(ends_fd, fd, POLLIN);
		n = r < 0 ? r : read(fd, buf, size);
	} while (r == 0 && n < 0 && errno == EINTR);
	return r < 0 ? r : n < 0 ? -errno : n;
}

/* POLLOUT of a pipe says that PIPE_BUF bytes find room (pipe(7)), and of no more. */
int patient_write(int ends_fd, int fd, const void *data, size_t n)
{
	const char *at = data;
	struct stat st;
	int r = fstat(fd, &st) != 0 ? -errno : 0;

	if (r == 0 && S_ISREG(st.st_mode))
		return io_write_all(fd, data, n);
	while (r == 0 && n > 0) {
		size_t part = n < PIPE_BUF ? n : PIPE_BUF;

		r = wait_for(ends_fd, fd, POLLOUT);
		if (r == 0)
			r = io_write_all(fd, at, part);
		at += part;
		n -= part;
	}
	return r;
}
