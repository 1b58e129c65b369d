/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scribe big DIR MIB | small DIR FILES: writes one file of so much, in pieces of 1 MiB, or so many
 * of 4 KiB, a hundred to a directory, and has the file system write all of it to the disk; then
 * prints how many microseconds that took, and removes what it wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MIB = 1 << 20, SMALL = 4096, TO_A_DIRECTORY = 100 };

static char block[MIB];

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void die(const char *what)
{
	fprintf(stderr, "scribe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_all(int fd, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, block + done, len - done);

		if (n < 0 && errno != EINTR)
			die("write");
		done += n > 0 ? (size_t)n : 0;
	}
}

static int make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		die(name);
	return fd;
}

static void big(unsigned long mib)
{
	double start = now_us();
	int fd = make("big");

	for (unsigned long i = 0; i < mib; i++)
		write_all(fd, MIB);
	if (fsync(fd) != 0)
		die("fsync");
	close(fd);
	printf("%.0f\n", now_us() - start);
	unlink("big");
}

static void name_of(char *name, size_t size, unsigned long i)
{
	snprintf(name, size, "d%lu/f%lu", i / TO_A_DIRECTORY, i % TO_A_DIRECTORY);
}

static void small(unsigned long n)
{
	double start = now_us();
	char name[64];
	int fd;

	for (unsigned long i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "d%lu", i / TO_A_DIRECTORY);
		if (i % TO_A_DIRECTORY == 0 && mkdir(name, 0700) != 0)
			die(name);
		name_of(name, sizeof(name), i);
		fd = make(name);
		write_all(fd, SMALL);
		close(fd);
	}
	fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd) != 0)
		die("syncfs");
	close(fd);
	printf("%.0f\n", now_us() - start);
	for (unsigned long i = 0; i < n; i++) {
		name_of(name, sizeof(name), i);
		unlink(name);
	}
	for (unsigned long i = 0; i < n; i += TO_A_DIRECTORY) {
		snprintf(name, sizeof(name), "d%lu", i / TO_A_DIRECTORY);
		rmdir(name);
	}
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (n == 0 || (strcmp(argv[1], "big") != 0 && strcmp(argv[1], "small") != 0)) {
		fprintf(stderr, "scribe big DIR MIB | small DIR FILES\n");
		return 125;
	}
	/* Nothing that is the same all over: some file systems store that in less. */
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 2654435761U >> 13);
	if (chdir(argv[2]) != 0)
		die(argv[2]);
	if (argv[1][0] == 'b')
		big(n);
	else
		small(n);
	return 0;
}
