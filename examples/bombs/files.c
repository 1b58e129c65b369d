/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bombs of files, descriptors and output. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "examples/bombs/bombs.h"

enum { KIB = 1 << 10 };

static char block[BOMB_BLOCK];

static int run_fds(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++)
		if (open("/dev/null", O_RDONLY) < 0)
			return errno;
	return 0;
}

static int open_file(const struct charge *charge)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bomb", charge->dir);
	return open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
}

static int run_fill(struct charge *charge)
{
	int fd = open_file(charge);

	if (fd < 0)
		return errno;
	for (; charge->done < charge->count; charge->done++) {
		ssize_t n = write(fd, block, BOMB_BLOCK);

		if (n < 0)
			return errno;
		/* The last piece; the next one says why. */
		if (n != BOMB_BLOCK && write(fd, block, BOMB_BLOCK) < 0)
			return errno;
	}
	return 0;
}

/* Written, then read: the kernel keeps both. */
static int run_pagecache(struct charge *charge)
{
	int error = run_fill(charge);
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/bomb", charge->dir);
	fd = error == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (error == 0 && fd < 0)
		error = errno;
	while (error == 0 && read(fd, block, BOMB_BLOCK) > 0)
		;
	return error;
}

static int run_inodes(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		char path[PATH_MAX];
		int fd;

		snprintf(path, sizeof(path), "%s/%lu", charge->dir, charge->done);
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			return errno;
		close(fd);
	}
	return 0;
}

/* A file with holes: little of it is there. */
static int run_filesize(struct charge *charge)
{
	int fd = open_file(charge);

	if (fd < 0)
		return errno;
	for (; charge->done < charge->count; charge->done++)
		if (pwrite(fd, block, 1, (off_t)(charge->done + 1) * BOMB_BLOCK - 1) != 1)
			return errno;
	return 0;
}

/* Deeper than a path can name, and than what removes trees by calling itself may like. */
static int run_depth(struct charge *charge)
{
	if (chdir(charge->dir) != 0)
		return errno;
	for (; charge->done < charge->count; charge->done++)
		if (mkdir("d", 0700) != 0 || chdir("d") != 0)
			return errno;
	return 0;
}

static int run_output(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++)
		if (write(STDOUT_FILENO, block, KIB) != KIB)
			return errno;
	return 0;
}

/* Names that do not exist are kept as well, so that the next one who asks is answered fast. */
static int run_dentries(struct charge *charge)
{
	struct timespec now;

	/* Names that nobody has asked for before. */
	clock_gettime(CLOCK_REALTIME, &now);
	for (; charge->done < charge->count; charge->done++) {
		char path[PATH_MAX];
		struct stat st;

		snprintf(path, sizeof(path), "%s/bomb-%ld-%09ld-%lu", charge->dir, (long)now.tv_sec,
			 now.tv_nsec, charge->done);
		if (stat(path, &st) == 0 || errno != ENOENT)
			return errno;
	}
	return 0;
}

const struct bomb bombs_of_files[] = {
	{"fds", "files", 15000, 20000, run_fds, "open files", "ulimits.nofile: EMFILE", NULL},
	{"tmpfs", "MiB", 128, 768, run_fill, "space of a tmpfs",
	 "volumes[].size: ENOSPC; limits.memory: the end", "/tmp"},
	{"disk", "MiB", 128, 768, run_fill, "space of the root", "rootfs.writable.size: ENOSPC",
	 ""},
	{"inodes", "files", 10000, 50000, run_inodes, "names and inodes",
	 "volumes[].inodes: ENOSPC", "/tmp"},
	{"filesize", "MiB", 4096, 8192, run_filesize, "the size of one file",
	 "ulimits.fsize: EFBIG", "/tmp"},
	{"depth", "levels", 5000, 10000, run_depth, "directories in directories",
	 "volumes[].inodes: ENOSPC", "/tmp"},
	{"pagecache", "MiB", 128, 512, run_pagecache, "memory for what is read and written",
	 "nothing: limits.memory bounds it, and old pages give way", "."},
	{"dentries", "names", 100000, 500000, run_dentries, "memory for names that do not exist",
	 "nothing: limits.memory bounds it, and old names give way", "/usr"},
	{"output", "KiB", 65536, 262144, run_output, "who reads the output",
	 "limits.output: the end", NULL},
	{.name = NULL},
};
