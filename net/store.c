/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See store.h. */
#include "net/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/own_dir.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/internal.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* ---- the place ---- */

int networks_open(const char *state, bool makes, struct networks *ret, struct err *err)
{
	struct networks networks = {.fd = -EBADF};

	networks.fd = own_dir_open_part(state, "networks", makes, networks.path, err);
	if (networks.fd < 0 && (makes || networks.fd != -ENOENT))
		return networks.fd;
	if (networks.fd < 0)
		networks.fd = -EBADF;
	*ret = networks;
	return 0;
}

void networks_release(struct networks *networks)
{
	close_fd(&networks->fd);
}

int networks_lock(const struct networks *networks, struct err *err)
{
	_cleanup_fd_ int fd =
		sys_openat(networks->fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? fd : 0;

	while (r == 0 && flock(fd, LOCK_EX) != 0)
		if (errno != EINTR)
			r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/.lock", networks->path) : steal_fd(&fd);
}

/* ---- reading ---- */

int networks_read(const struct networks *networks, const char *name, struct network *ret,
		  struct err *err)
{
	char path[NETWORK_NAME_MAX + 16], text[NETWORK_TEXT_MAX];
	ssize_t n;
	int r;

	if (networks->fd < 0 || !network_is_name(name))
		return -ENOENT;
	str_format(path, sizeof(path), "%s/record", name);
	n = io_read_text(networks->fd, path, text, sizeof(text));
	if (n == -ENOENT)
		return -ENOENT;
	r = n < 0 ? (int)n : network_parse(text, ret);
	if (r == 0 && !str_equal(ret->name, name))
		r = -EBADMSG;
	if (r == 0)
		return 0;
	err_set(err, ERR_SETUP, -r, "%s/%s: is damaged", networks->path, path);
	if (r == -EPROTONOSUPPORT)
		return err_hint(err, "A later cordon has written it: use that one.");
	return err_hint(err, "Remove %s/%s when nothing uses that network, and make it anew.",
			networks->path, name);
}

static int no_such(const char *ref, struct err *err)
{
	err_set(err, ERR_USAGE, ENOENT, "no network is called %s", ref);
	return err_hint(err,
			"`cordon network ls` lists them; `cordon network create %s` makes "
			"one.",
			network_is_name(ref) ? ref : "NAME");
}

static int find_by_id(const struct networks *networks, const char *ref, struct network *ret,
		      struct err *err)
{
	struct network_list list;
	const struct network *found = NULL;
	int r = networks_list(networks, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (!str_has_prefix(list.list[i].id, ref))
			continue;
		if (found != NULL)
			r = err_set(err, ERR_USAGE, 0, "%s begins the id of more than one network",
				    ref);
		found = &list.list[i];
	}
	if (r == 0 && found != NULL)
		*ret = *found;
	else if (r == 0)
		r = no_such(ref, err);
	network_list_free(&list);
	return r;
}

int networks_find(const struct networks *networks, const char *ref, struct network *ret,
		  struct err *err)
{
	const struct network *built_in = network_built_in(ref);
	int r = networks_read(networks, ref, ret, err);

	if (r != -ENOENT)
		return r;
	if (built_in != NULL) {
		*ret = *built_in;
		return 0;
	}
	return ref[0] == '\0' ? no_such(ref, err) : find_by_id(networks, ref, ret, err);
}

static int compare_names(const void *a, const void *b)
{
	const struct network *one = a, *other = b;

	return one->is_built_in != other->is_built_in ? other->is_built_in - one->is_built_in
						      : strcmp(one->name, other->name);
}

static bool has(const struct network_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_equal(list->list[i].name, name))
			return true;
	return false;
}

int networks_list(const struct networks *networks, struct network_list *ret, struct err *err)
{
	struct network_list list = {.list = calloc(NETWORKS_MAX, sizeof(*list.list))};
	const struct network *built_in;
	struct dirent *entry;
	DIR *dir = NULL;

	*ret = (struct network_list){0};
	if (list.list == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "%s: list the networks", networks->path);
	if (networks->fd >= 0) {
		int copy = sys_openat(networks->fd, ".", DIR_FLAGS, 0);

		dir = copy < 0 ? NULL : fdopendir(copy);
	}
	if (networks->fd >= 0 && dir == NULL) {
		free(list.list);
		return err_set(err, ERR_SETUP, errno, "%s: list the networks", networks->path);
	}
	while (dir != NULL && list.n < NETWORKS_MAX && (entry = readdir(dir)) != NULL) {
		int r = network_is_name(entry->d_name)
				? networks_read(networks, entry->d_name, &list.list[list.n], err)
				: -ENOENT;

		list.n += r == 0;
		list.n_damaged += r < 0 && r != -ENOENT;
	}
	if (dir != NULL)
		closedir(dir);
	for (size_t i = 0; (built_in = network_built_in_at(i)) != NULL && list.n < NETWORKS_MAX;
	     i++)
		if (!has(&list, built_in->name))
			list.list[list.n++] = *built_in;
	qsort(list.list, list.n, sizeof(*list.list), compare_names);
	*ret = list;
	return 0;
}

void network_list_free(struct network_list *list)
{
	free(list->list);
	*list = (struct network_list){0};
}

/* ---- making and removing ---- */

static const char record_new[] = ".record-new";

static int write_record(int dir_fd, const char *name, const struct network *network)
{
	char text[NETWORK_TEXT_MAX];
	size_t len = network_format(network, text);
	_cleanup_fd_ int fd =
		sys_openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0600);
	int r = fd < 0 ? fd : len + 1 >= sizeof(text) ? -EFBIG : io_write_all(fd, text, len);

	return r == 0 && fsync(fd) != 0 ? -errno : r;
}

int networks_replace(const struct networks *networks, const struct network *network,
		     struct err *err)
{
	_cleanup_fd_ int dir_fd = sys_openat(networks->fd, network->name, DIR_FLAGS, 0);
	/* What a killed command left of it. */
	int r = dir_fd < 0 ? dir_fd
		: unlinkat(dir_fd, record_new, 0) != 0 && errno != ENOENT
			? -errno
			: write_record(dir_fd, record_new, network);

	if (r == 0 && renameat(dir_fd, record_new, dir_fd, "record") != 0)
		r = -errno;
	if (r == 0 && fsync(dir_fd) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s/record: write", networks->path,
			       network->name)
		     : 0;
}

static int fill(int networks_fd, const char *name, const struct network *network)
{
	_cleanup_fd_ int dir_fd = sys_openat(networks_fd, name, DIR_FLAGS, 0);
	int r = dir_fd < 0 ? dir_fd : write_record(dir_fd, "record", network);

	if (r == 0 && mkdirat(dir_fd, "leases", 0700) != 0)
		r = -errno;
	return r == 0 && fsync(dir_fd) != 0 ? -errno : r;
}

int network_sweep_record(int networks_fd, const char *name)
{
	_cleanup_fd_ int dir_fd = sys_openat(networks_fd, name, DIR_FLAGS, 0);

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	if (unlinkat(dir_fd, record_new, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : -errno;
}

/* One level is enough: record, leases, and what is in those. */
int network_remove_dir(int networks_fd, const char *name)
{
	_cleanup_fd_ int dir_fd = sys_openat(networks_fd, name, DIR_FLAGS, 0);
	_cleanup_fd_ int leases_fd = -EBADF;
	struct dirent *entry;
	DIR *leases;
	int copy;

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	leases_fd = sys_openat(dir_fd, "leases", DIR_FLAGS, 0);
	copy = leases_fd < 0 ? -EBADF : sys_openat(leases_fd, ".", DIR_FLAGS, 0);
	leases = copy < 0 ? NULL : fdopendir(copy);
	while (leases != NULL && (entry = readdir(leases)) != NULL)
		if (entry->d_name[0] != '.' && unlinkat(leases_fd, entry->d_name, 0) != 0)
			break;
	if (leases != NULL)
		closedir(leases);
	if (unlinkat(dir_fd, "record", 0) != 0 && errno != ENOENT)
		return -errno;
	if (unlinkat(dir_fd, record_new, 0) != 0 && errno != ENOENT)
		return -errno;
	if (unlinkat(dir_fd, "leases", AT_REMOVEDIR) != 0 && errno != ENOENT)
		return -errno;
	return unlinkat(networks_fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT ? -errno : 0;
}

/* What a list has no room for would be nobody's: for other networks' subnets, for gc. */
static int check_room(const struct networks *networks, struct err *err)
{
	struct network_list list;
	int r = networks_list(networks, &list, err);

	if (r == 0 && list.n == NETWORKS_MAX) {
		err_set(err, ERR_USAGE, ENOSPC, "there are %d networks", NETWORKS_MAX);
		r = err_hint(err, "`cordon network prune` removes those that nobody is in.");
	}
	network_list_free(&list);
	return r;
}

int networks_add(const struct networks *networks, const struct network *network, struct err *err)
{
	char temporary[NETWORK_ID_LEN + 8];
	/* The built-in ones are in each list, made or not. */
	int r = network->is_built_in ? 0 : check_room(networks, err);

	if (r < 0)
		return r;
	str_format(temporary, sizeof(temporary), ".new-%s", network->id);
	r = mkdirat(networks->fd, temporary, 0700) != 0 ? -errno : 0;
	if (r == 0)
		r = fill(networks->fd, temporary, network);
	/* Nobody else makes one: the lock is held. An empty directory is nobody's either. */
	if (r == 0 && faccessat(networks->fd, network->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = -EEXIST;
	if (r == 0 && renameat(networks->fd, temporary, networks->fd, network->name) != 0)
		r = -errno;
	if (r == 0 && fsync(networks->fd) != 0)
		r = -errno;
	if (r == 0)
		return 0;
	ignore_result(network_remove_dir(networks->fd, temporary), "gc removes it");
	if (r == -EEXIST)
		return err_set(err, ERR_USAGE, EEXIST, "network %s", network->name);
	return err_set(err, ERR_SETUP, -r, "%s/%s: make", networks->path, network->name);
}

int networks_remove(const struct networks *networks, const char *name, struct err *err)
{
	char temporary[NETWORK_NAME_MAX + 8];
	int r = 0;

	/* The name is free at once, and what a crash leaves has a dot. */
	str_format(temporary, sizeof(temporary), ".old-%s", name);
	r = network_remove_dir(networks->fd, temporary);
	if (r == 0 && renameat(networks->fd, name, networks->fd, temporary) != 0)
		r = errno == ENOENT ? 0 : -errno;
	if (r == 0 && fsync(networks->fd) != 0)
		r = -errno;
	if (r == 0)
		r = network_remove_dir(networks->fd, temporary);
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s/%s: remove", networks->path, name) : 0;
}
