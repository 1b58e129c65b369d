/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories of a test's own; see scratch.h. */
#include "tests/lib/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define must(condition)                     \
	do {                                \
		if (!(condition)) {         \
			perror(#condition); \
			abort();            \
		}                           \
	} while (0)

void scratch_make(struct scratch *scratch)
{
	const char *parent = getenv("TMPDIR");
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s/cordon-unit.XXXXXX", parent != NULL ? parent : "/tmp");
	must(mkdtemp(name) != NULL);
	must(realpath(name, scratch->path) != NULL);
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(scratch->fd >= 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(struct scratch *scratch)
{
	close(scratch->fd);
	must(nftw(scratch->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

void scratch_dir(const struct scratch *scratch, const char *name, mode_t mode)
{
	must(mkdirat(scratch->fd, name, 0700) == 0);
	must(fchmodat(scratch->fd, name, mode, 0) == 0);
}

void scratch_file(const struct scratch *scratch, const char *name, mode_t mode, const char *text)
{
	int fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd >= 0);
	must(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	must(fchmod(fd, mode) == 0);
	close(fd);
}

void scratch_link(const struct scratch *scratch, const char *name, const char *to)
{
	must(symlinkat(to, scratch->fd, name) == 0);
}

void scratch_fifo(const struct scratch *scratch, const char *name)
{
	must(mkfifoat(scratch->fd, name, 0600) == 0);
}

const char *scratch_path(const struct scratch *scratch, const char *name, char *buf)
{
	must(snprintf(buf, PATH_MAX, "%s/%s", scratch->path, name) < PATH_MAX);
	return buf;
}

/* nftw(3) hands no argument to its function. */
static int entries;

static int count_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	entries += ftw->level > 0;
	return 0;
}

int scratch_count(const struct scratch *scratch, const char *name)
{
	char path[PATH_MAX];

	entries = 0;
	must(nftw(scratch_path(scratch, name, path), count_entry, 16, FTW_PHYS) == 0);
	return entries;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;
	int saved = errno;

	if (fd >= 0)
		close(fd);
	return n < 0 ? -saved : 0;
}

static int become_root(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char text[32];
	int r;

	if (unshare(CLONE_NEWUSER) != 0)
		return -errno;
	r = write_file("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1\n", uid);
	if (r == 0)
		r = write_file("/proc/self/uid_map", text);
	snprintf(text, sizeof(text), "0 %u 1\n", gid);
	return r == 0 ? write_file("/proc/self/gid_map", text) : r;
}

int scratch_own_run(void)
{
	int r = geteuid() != 0 ? become_root() : 0;

	if (r < 0)
		return r;
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0)
		return -errno;
	return 0;
}

int scratch_cover(const struct scratch *scratch, const char *name, const char *path)
{
	char source[PATH_MAX];

	scratch_path(scratch, name, source);
	return mount(source, path, NULL, MS_BIND, NULL) != 0 ? -errno : 0;
}

void scratch_uncover(const char *path)
{
	must(umount2(path, MNT_DETACH) == 0);
}
