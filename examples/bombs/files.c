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

static void file_path(const struct charge *charge, unsigned long n, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/bomb-%lu", charge->dir, n);
}

int bomb_make_file(const struct charge *charge, unsigned long n)
{
	char path[PATH_MAX];

	file_path(charge, n, path);
	return open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
}

void bomb_remove_file(const struct charge *charge, unsigned long n)
{
	char path[PATH_MAX];

	file_path(charge, n, path);
	unlink(path);
}

void bomb_remove_files(const struct charge *charge)
{
	for (unsigned long n = 0; n < charge->done; n++)
		bomb_remove_file(charge, n);
}

/* One file, which has no name any more: its space is free when the process ends. */
static int open_file(const struct charge *charge)
{
	int fd = bomb_make_file(charge, 0);

	if (fd >= 0)
		bomb_remove_file(charge, 0);
	return fd;
}

static int fill(struct charge *charge, int fd)
{
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

static int run_fill(struct charge *charge)
{
	return fill(charge, open_file(charge));
}

/* Written, then read: the kernel keeps both. */
static int run_pagecache(struct charge *charge)
{
	int fd = open_file(charge);
	int error = fill(charge, fd);

	if (error == 0 && lseek(fd, 0, SEEK_SET) != 0)
		error = errno;
	while (error == 0 && read(fd, block, BOMB_BLOCK) > 0)
		;
	return error;
}

static int run_inodes(struct charge *charge)
{
	for (; charge->done < charge->count; charge->done++) {
		int fd = bomb_make_file(charge, charge->done);

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

static void leave_depth(const struct charge *charge)
{
	for (unsigned long n = 0; n < charge->done; n++)
		if (chdir("..") != 0 || rmdir("d") != 0)
			return;
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
	{"fds", "files", 15000, 20000, run_fds, "open files", "ulimits.nofile: EMFILE", NULL, NULL},
	{"tmpfs", "MiB", 128, 768, run_fill, "space of a tmpfs",
	 "volumes[].size: ENOSPC; limits.memory: the end", "/tmp", NULL},
	{"disk", "MiB", 128, 768, run_fill, "space of the root", "rootfs.writable.size: ENOSPC", "",
	 NULL},
	{"inodes", "files", 10000, 50000, run_inodes, "names and inodes",
	 "volumes[].inodes: ENOSPC", "/tmp", bomb_remove_files},
	{"filesize", "MiB", 4096, 8192, run_filesize, "the size of one file",
	 "ulimits.fsize: EFBIG", "/tmp", NULL},
	{"depth", "levels", 5000, 10000, run_depth, "directories in directories",
	 "volumes[].inodes: ENOSPC", "/tmp", leave_depth},
	{"pagecache", "MiB", 128, 512, run_pagecache, "memory for what is read and written",
	 "nothing: limits.memory bounds it, and old pages give way", ".", NULL},
	{"dentries", "names", 100000, 500000, run_dentries, "memory for names that do not exist",
	 "nothing: limits.memory bounds it, and old names give way", "/usr", NULL},
	{"output", "KiB", 65536, 262144, run_output, "who reads the output",
	 "limits.output: the end", NULL, NULL},
	{.name = NULL},
};
