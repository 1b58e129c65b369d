/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mounts ROUNDS DIRECTORY TEMPLATE: what the kernel takes for an ext4 on a loop device that comes
 * and goes, without any sandbox: a file without a name in DIRECTORY, filled from TEMPLATE, mounted
 * nowhere, two directories made, all of it taken down. In three ways, in turn: the template in the
 * file (`file`), in the device's cache (`cache`, as cordon does it), and that without direct I/O
 * (`buffered`). Prints a line for each step: way, step, median, minimum, in microseconds,
 * separated by tabs. Runs as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum step { FILE_MADE, FILLED, DEVICE, CACHED, MOUNT, DIRECTORIES, UNMOUNT, FREED, ALL, STEPS };
enum { WAYS = 3, CHUNK = 16384, WARM_UP = 2 };

static const char *const step_names[STEPS] = {
	[FILE_MADE] = "a file without a name",
	[FILLED] = "template into the file",
	[DEVICE] = "loop device (flushes the file)",
	[CACHED] = "template into the device's cache",
	[MOUNT] = "mount (writes the super block)",
	[DIRECTORIES] = "two directories",
	[UNMOUNT] = "unmount (writes what is left), device",
	[FREED] = "the file's blocks given back",
	[ALL] = "all",
};
static const char *const way_names[WAYS] = {"file", "cache", "buffered"};

struct lap {
	double last, first;
	double *us[STEPS];
	size_t round;
};

static void die(const char *what)
{
	fprintf(stderr, "mounts: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long must(long result, const char *what)
{
	if (result < 0)
		die(what);
	return result;
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void took(struct lap *lap, enum step step)
{
	double now = now_us();

	lap->us[step][lap->round] = now - lap->last;
	lap->last = now_us();
}

/* What is not zero of it, to the same places. */
static void put_template(int template_fd, int to_fd)
{
	static const char zeros[CHUNK];
	off_t end = 0, at = 0;
	char chunk[CHUNK];

	for (;;) {
		size_t size;

		if (at == end) {
			at = lseek(template_fd, at, SEEK_DATA);
			if (at < 0)
				return;
			end = (off_t)must(lseek(template_fd, at, SEEK_HOLE), "SEEK_HOLE");
		}
		size = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		must(pread(template_fd, chunk, size, at), "read the template");
		if (memcmp(chunk, zeros, size) != 0)
			must(pwrite(to_fd, chunk, size, at), "write the template");
		at += (off_t)size;
	}
}

static int make_device(int file, __u32 direct, char *path, size_t size)
{
	struct loop_config config = {.fd = (__u32)file, .block_size = 4096};
	int control = (int)must(open("/dev/loop-control", O_RDWR | O_CLOEXEC), "loop-control");
	int fd;

	snprintf(path, size, "/dev/loop%ld", must(ioctl(control, LOOP_CTL_GET_FREE), "a device"));
	close(control);
	fd = (int)must(open(path, O_RDWR | O_CLOEXEC), path);
	config.info.lo_flags = LO_FLAGS_AUTOCLEAR | direct;
	must(ioctl(fd, LOOP_CONFIGURE, &config), "LOOP_CONFIGURE");
	return fd;
}

static long config(int fs, unsigned command, const char *key, const char *value)
{
	return must(syscall(SYS_fsconfig, fs, command, key, value, 0), "fsconfig");
}

static int mount_device(const char *path)
{
	int fs = (int)must(syscall(SYS_fsopen, "ext4", FSOPEN_CLOEXEC), "fsopen");
	int fd;

	config(fs, FSCONFIG_SET_STRING, "source", path);
	config(fs, FSCONFIG_SET_FLAG, "nobarrier", NULL);
	config(fs, FSCONFIG_SET_FLAG, "noinit_itable", NULL);
	config(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
	fd = (int)must(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0), "fsmount");
	close(fs);
	return fd;
}

static void once(int way, const char *dir, int template_fd, struct lap *lap)
{
	struct stat st;
	int file, device, mount_fd;
	char path[64];

	must(fstat(template_fd, &st), "template");
	lap->first = lap->last = now_us();
	file = (int)must(open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600), dir);
	must(ftruncate(file, st.st_size), "ftruncate");
	took(lap, FILE_MADE);
	if (way == 0)
		put_template(template_fd, file);
	took(lap, FILLED);
	device = make_device(file, way == 2 ? 0 : LO_FLAGS_DIRECT_IO, path, sizeof(path));
	took(lap, DEVICE);
	if (way != 0)
		put_template(template_fd, device);
	took(lap, CACHED);
	mount_fd = mount_device(path);
	close(device);
	took(lap, MOUNT);
	must(mkdirat(mount_fd, "work", 0755), "mkdir");
	must(mkdirat(mount_fd, "upper", 0755), "mkdir");
	took(lap, DIRECTORIES);
	close(mount_fd);
	took(lap, UNMOUNT);
	close(file);
	took(lap, FREED);
	lap->us[ALL][lap->round] = now_us() - lap->first;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	size_t rounds = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
	struct lap laps[WAYS] = {0};
	int template_fd;

	if (rounds == 0) {
		fprintf(stderr, "mounts ROUNDS DIRECTORY TEMPLATE\n");
		return 125;
	}
	template_fd = (int)must(open(argv[3], O_RDONLY | O_CLOEXEC), argv[3]);
	for (int way = 0; way < WAYS; way++)
		for (int step = 0; step < STEPS; step++) {
			laps[way].us[step] = calloc(rounds, sizeof(double));
			if (laps[way].us[step] == NULL)
				die("memory");
		}
	for (size_t round = 0; round < rounds + WARM_UP; round++)
		for (int way = 0; way < WAYS; way++) {
			laps[way].round = round < WARM_UP ? 0 : round - WARM_UP;
			once(way, argv[2], template_fd, &laps[way]);
		}
	for (int way = 0; way < WAYS; way++)
		for (int step = 0; step < STEPS; step++) {
			double *us = laps[way].us[step];

			qsort(us, rounds, sizeof(*us), compare);
			printf("%s\t%s\t%.0f\t%.0f\n", way_names[way], step_names[step],
			       us[rounds / 2], us[0]);
		}
	return 0;
}
