/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connects to the socket by which a sandbox is typed to, and sends what is given.
 *
 *	attach SOCKET MESSAGE...	each word is one message; %0 stands for a byte of 0
 *
 * Prints "closed" where the other side has closed the connection within ten seconds, "open" where
 * it has not within one, or the name of what went wrong.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fails(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 42;
}

static size_t expand(const char *word, char *buf, size_t size)
{
	size_t n = 0;

	for (; *word != '\0' && n < size; word++) {
		if (word[0] == '%' && word[1] == '0')
			word++, buf[n++] = '\0';
		else
			buf[n++] = *word;
	}
	return n;
}

/* The answer is nothing but an end: it may need its time, where an open connection has none. */
static int tell(int fd, int is_wanted_closed)
{
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int n = poll(&end, 1, is_wanted_closed ? 10000 : 1000);

	puts(n == 1 ? "closed" : "open");
	return n == 1 ? 42 : 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int is_quick = 0;

	if (argc < 2 || strlen(argv[1]) >= sizeof(address.sun_path) || fd < 0)
		return 2;
	strcpy(address.sun_path, argv[1]);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return fails("connect");
	for (int i = 2; i < argc; i++) {
		char message[8192];
		size_t n = expand(argv[i], message, sizeof(message));

		is_quick = argv[i][0] == 'i';
		if (send(fd, message, n, MSG_NOSIGNAL) < 0 && errno != EPIPE)
			return fails("send");
	}
	return tell(fd, !is_quick);
}
