/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much arrives, and how late.
 *
 *	flow serve tcp|udp SECONDS		waits for a sender; from one second behind its first
 *byte on counts what it brings, for so long; prints bits in a second flow send tcp|udp ADDRESS
 *SECONDS	sends as fast as it goes (udp: datagrams of 1472 bytes) flow echo
 *answers datagrams until it is ended
 *	flow ping ADDRESS SECONDS		one each 10 ms; prints the median and the 99th
 *percentile of the answers' times, in microseconds, and how many never came
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PORT = 5002,
	ECHO_PORT = 5003,
	DATAGRAM = 1472,
	AT_ONCE = 40,
	PINGS_MAX = 10000,
	WAIT_MS = 1000
};

static const double warm_up_s = 1;

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_socket(int type)
{
	int fd = socket(AF_INET, type, 0), yes = 1, bytes = 8 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
		fail("socket");
	/* A receiver of datagrams that is late for a moment loses none. */
	if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0)
		fail("socket");
	return fd;
}

static int listen_on(int type, uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = open_socket(type);

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		fail("bind");
	return fd;
}

static int connect_to(int type, const char *address, uint16_t port)
{
	struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = open_socket(type);

	if (inet_pton(AF_INET, address, &there.sin_addr) != 1)
		fail(address);
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0)
		fail("connect");
	return fd;
}

static int type_of(const char *name)
{
	return strcmp(name, "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
}

static void serve(int type, double seconds)
{
	static char buf[256 << 10];
	int fd = listen_on(type, PORT);
	double begin = 0, from = 0, until = 0;
	uint64_t bytes = 0;

	if (type == SOCK_STREAM) {
		if (listen(fd, 1) != 0)
			fail("listen");
		fd = accept(fd, NULL, NULL);
	}
	for (;;) {
		ssize_t n = recv(fd, buf, type == SOCK_DGRAM ? DATAGRAM : sizeof(buf), 0);
		double now = now_s();

		if (n <= 0)
			fail("recv");
		begin = begin > 0 ? begin : now;
		if (now < begin + warm_up_s)
			continue;
		/* What ends the warming up is not counted: its time is over. */
		if (from > 0)
			bytes += (uint64_t)n;
		else
			from = now;
		until = now;
		if (now >= from + seconds)
			break;
	}
	printf("%.0f\n", (double)bytes * 8 / (until - from));
}

static void send_all(int type, const char *address, double seconds)
{
	static char buf[64 << 10];
	const size_t at_once = type == SOCK_DGRAM ? (size_t)DATAGRAM * AT_ONCE : sizeof(buf);
	int fd = connect_to(type, address, PORT), datagram = DATAGRAM;
	double end = now_s() + seconds;

	/* Handed over at once, and datagrams by the time they are on the link. */
	if (type == SOCK_DGRAM &&
	    setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &datagram, sizeof(datagram)) != 0)
		fail("UDP_SEGMENT");
	while (now_s() < end)
		/* Who is not listened to any more has sent enough. */
		if (send(fd, buf, at_once, MSG_NOSIGNAL) < 0 && errno != ENOBUFS)
			return;
}

static void echo(void)
{
	int fd = listen_on(SOCK_DGRAM, ECHO_PORT);

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		char buf[64];
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n > 0 && sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len) < 0)
			fail("sendto");
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void ping(const char *address, double seconds)
{
	static double times[PINGS_MAX];
	const struct timespec pause = {.tv_nsec = 10000000};
	const struct timeval wait = {.tv_sec = WAIT_MS / 1000};
	int fd = connect_to(SOCK_DGRAM, address, ECHO_PORT);
	double end = now_s() + seconds;
	size_t n = 0, lost = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0)
		fail("socket");
	for (uint32_t number = 0, answer; n < PINGS_MAX && now_s() < end; number++) {
		double sent = now_s();
		ssize_t r = -1;

		if (send(fd, &number, sizeof(number), 0) < 0)
			fail("send");
		do
			r = recv(fd, &answer, sizeof(answer), 0);
		while (r == (ssize_t)sizeof(answer) && answer != number);
		if (r < 0)
			lost++;
		else
			times[n++] = (now_s() - sent) * 1e6;
		nanosleep(&pause, NULL);
	}
	if (n == 0)
		fail("no answer");
	qsort(times, n, sizeof(times[0]), compare);
	printf("%.0f %.0f %zu\n", times[n / 2], times[n * 99 / 100], lost);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		serve(type_of(argv[2]), strtod(argv[3], NULL));
	else if (argc == 5 && strcmp(argv[1], "send") == 0)
		send_all(type_of(argv[2]), argv[3], strtod(argv[4], NULL));
	else if (argc == 2 && strcmp(argv[1], "echo") == 0)
		echo();
	else if (argc == 4 && strcmp(argv[1], "ping") == 0)
		ping(argv[2], strtod(argv[3], NULL));
	else
		return 2;
	return 0;
}
