/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Says which of descriptors 0, 1 and 2 are closed, by its exit code alone: 64, plus 1, 2 and 4 for
 * each one that answers EBADF to what it is for. 100 where one of them gives another error.
 *
 * With an argument: prints every open descriptor from 3 on, asked for one by one, for a directory
 * of them would be one more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int is_closed(int fd)
{
	char none;
	long n = fd == 0 ? read(fd, &none, 0) : write(fd, "", 0);

	if (n >= 0)
		return 0;
	return errno == EBADF ? 1 : -1;
}

int main(int argc, char **argv)
{
	int code = 64;

	(void)argv;
	for (int fd = 3; argc > 1 && fd < 1 << 16; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
	if (argc > 1)
		return 0;

	for (int fd = 0; fd < 3; fd++) {
		int closed = is_closed(fd);

		if (closed < 0)
			return 100;
		code += closed << fd;
	}
	return code;
}
