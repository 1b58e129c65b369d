/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wire serve PORT: answers connections, each until it ends, as many at once as there are servers.
 * wire stream ADDRESS PORT MILLISECONDS: sends as much as it can, and prints megabits per second.
 * wire streams ADDRESS PORT MILLISECONDS: the same over so many connections, one behind the other:
 * what one of them gets may differ by half.
 * wire ask ADDRESS PORT TIMES: a request of 64 bytes and its answer of 1 KiB, over one connection,
 * then over a new one each; prints both medians, in microseconds.
 * wire knock ADDRESS PORT MILLISECONDS: asks for a connection that nobody takes, and then for one
 * behind the other without waiting for an answer; prints how many in a second, and how the first
 * one ended.
 * wire on PROCESSOR WORD...: the same, on one processor.
 * In the containers of tests/bench/network, built without libraries; in sandboxes of
 * tests/bench/egress.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST = 64, ANSWER = 1024, CHUNK = 131072, TIMES_MAX = 100000, SERVERS = 8, STREAMS = 20 };

static char bytes[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void send_all(int fd, size_t n)
{
	while (n > 0) {
		ssize_t sent = write(fd, bytes, n);

		if (sent < 0)
			die("write");
		n -= (size_t)sent;
	}
}

/* Whether all of it came: 0 at an end. */
static int receive_all(int fd, size_t n)
{
	while (n > 0) {
		ssize_t got = read(fd, bytes, n);

		if (got <= 0)
			return 0;
		n -= (size_t)got;
	}
	return 1;
}

/* The first byte says what is wanted: a sink, which says at the end how much came, or answers. */
static void answer(int fd)
{
	uint64_t sum = 0;
	ssize_t got;
	char kind;

	if (read(fd, &kind, 1) != 1)
		return;
	if (kind == 'a') {
		while (receive_all(fd, REQUEST))
			send_all(fd, ANSWER);
		return;
	}
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		sum += (uint64_t)got;
	if (write(fd, &sum, sizeof(sum)) != sizeof(sum))
		die("write");
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	if (inet_pton(AF_INET, text, &to.sin_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	return to;
}

static void at_once(int fd)
{
	int yes = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0)
		die("TCP_NODELAY");
}

/* They are there before anybody asks: a fork takes longer than all that is measured here. */
static void begin_server(int listener)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		at_once(fd);
		answer(fd);
		close(fd);
	}
	die("accept");
}

static int serve(const char *port)
{
	struct sockaddr_in at = address("0.0.0.0", port);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int yes = 1;

	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 64) < 0)
		die("listen");
	for (int i = 0; i < SERVERS; i++)
		begin_server(listener);
	/* One that a connection ended with is followed by another. */
	while (wait(NULL) > 0)
		begin_server(listener);
	die("wait");
	return 1;
}

static int connected(const struct sockaddr_in *to, char kind)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	at_once(fd);
	if (write(fd, &kind, 1) != 1)
		die("write");
	return fd;
}

/* Adds how long it took; returns how many bytes came. */
static uint64_t stream_once(const struct sockaddr_in *to, double us, double *took)
{
	int fd = connected(to, 's');
	double start = now_us();
	uint64_t sum;

	while (now_us() - start < us)
		send_all(fd, sizeof(bytes));
	if (shutdown(fd, SHUT_WR) < 0 || read(fd, &sum, sizeof(sum)) != sizeof(sum))
		die("its end");
	*took += now_us() - start;
	close(fd);
	return sum;
}

static int stream(const struct sockaddr_in *to, double us, int times)
{
	uint64_t sum = 0;
	double took = 0;

	for (int i = 0; i < times; i++)
		sum += stream_once(to, us / times, &took);
	printf("%.0f\n", (double)sum * 8 / took);
	return 0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Who closes first keeps the port for a minute, of which there are too few: it is broken off. */
static void break_off(int fd)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) < 0)
		die("SO_LINGER");
	close(fd);
}

/* fd: a connection, or -1 for a new one. */
static double ask_once(const struct sockaddr_in *to, int fd)
{
	double start = now_us();
	int own = fd < 0 ? connected(to, 'a') : fd;

	send_all(own, REQUEST);
	if (!receive_all(own, ANSWER))
		die("no answer");
	if (own != fd)
		break_off(own);
	return now_us() - start;
}

static int ask(const struct sockaddr_in *to, int times)
{
	static double kept[TIMES_MAX], fresh[TIMES_MAX];
	int fd = connected(to, 'a');

	if (times < 1 || times > TIMES_MAX)
		return 2;
	for (int i = 0; i < times; i++)
		kept[i] = ask_once(to, fd);
	close(fd);
	for (int i = 0; i < times; i++)
		fresh[i] = ask_once(to, -1);
	qsort(kept, (size_t)times, sizeof(kept[0]), by_size);
	qsort(fresh, (size_t)times, sizeof(fresh[0]), by_size);
	printf("%.1f %.1f\n", kept[times / 2], fresh[times / 2]);
	return 0;
}

/* The answers to what is denied are few: the kernel sends some in a second to each address. */
static int knock_once(const struct sockaddr_in *to, int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);
	int result;

	if (fd < 0)
		die("socket");
	result = connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ? errno : 0;
	close(fd);
	return result;
}

static int knock(const struct sockaddr_in *to, double us)
{
	int first = knock_once(to, 0);
	double start = now_us();
	uint64_t n = 0;

	for (; now_us() - start < us; n++)
		knock_once(to, SOCK_NONBLOCK);
	printf("%.0f %s\n", (double)n * 1e6 / (now_us() - start), strerror(first));
	return 0;
}

static void stay_on(unsigned long processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

int main(int argc, char **argv)
{
	struct sockaddr_in to;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 3 && strcmp(argv[1], "on") == 0) {
		stay_on(strtoul(argv[2], NULL, 10));
		argv += 2;
		argc -= 2;
	}
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc != 5)
		return 2;
	to = address(argv[2], argv[3]);
	if (strcmp(argv[1], "stream") == 0)
		return stream(&to, strtod(argv[4], NULL) * 1e3, 1);
	if (strcmp(argv[1], "streams") == 0)
		return stream(&to, strtod(argv[4], NULL) * 1e3, STREAMS);
	if (strcmp(argv[1], "knock") == 0)
		return knock(&to, strtod(argv[4], NULL) * 1e3);
	return strcmp(argv[1], "ask") == 0 ? ask(&to, (int)strtol(argv[4], NULL, 10)) : 2;
}
