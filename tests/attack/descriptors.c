/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Says which of descriptors 0, 1 and 2 are closed, by its exit code alone: 64, plus 1, 2 and 4 for
 * each one that answers EBADF to what it is for. 100 where one of them gives another error.
 */
#include <errno.h>
#include <unistd.h>

static int is_closed(int fd)
{
	char none;
	long n = fd == 0 ? read(fd, &none, 0) : write(fd, "", 0);

	if (n >= 0)
		return 0;
	return errno == EBADF ? 1 : -1;
}

int main(void)
{
	int code = 64;

	for (int fd = 0; fd < 3; fd++) {
		int closed = is_closed(fd);

		if (closed < 0)
			return 100;
		code += closed << fd;
	}
	return code;
}
