/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See ids.h. One lock, that of /run/cordon/ids, is taken for a claim in either place. */
#include "launcher/ids.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/identity.h"
#include "launcher/state.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, CLAIM_TRIES = 64 };

static const struct {
	const char *above;
	const char *base;
	const char *path;
} places[IDS_PLACES] = {
	[IDS_UNTIL_BOOT] = {"/run", "/run/cordon", "/run/cordon/ids"},
	[IDS_KEPT] = {"/var/lib", "/var/lib/cordon", "/var/lib/cordon/ids"},
};

static int open_place(enum ids_place place, struct err *err)
{
	_cleanup_fd_ int base = -EBADF;
	_cleanup_fd_ int fd = -EBADF;
	bool is_new;

	if (mkdir(places[place].above, 0755) != 0 && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s: make the directory",
			       places[place].above);
	base = state_open_own_dir(AT_FDCWD, places[place].base, err);
	is_new = base >= 0 && faccessat(base, "ids", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
	fd = base < 0 ? base : state_open_own_dir(base, "ids", err);
	if (fd >= 0 && is_new && fsync(base) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: write to the disk", places[place].base);
	return steal_fd(&fd);
}

/* The directory, -ENOENT where it was never made. */
static int open_existing(enum ids_place place)
{
	return sys_openat(AT_FDCWD, places[place].path, DIR_FLAGS, 0);
}

/* A claim is named by the block's first host id, not by its place in the pool: the pool changes
 * when somebody edits /etc/subuid. For the same reason two blocks may overlap without being the
 * same, which only a look at all shows. own: the claim that has just been made here. 1, 0, or
 * -errno: what cannot be looked at is not free. */
static int overlaps_another(int ids_fd, uint32_t first, bool own)
{
	int copy = fcntl(ids_fd, F_DUPFD_CLOEXEC, 0);
	DIR *ids = copy >= 0 ? fdopendir(copy) : NULL;
	int overlaps = ids == NULL ? -errno : 0;
	struct dirent *entry;

	if (ids == NULL && copy >= 0)
		close(copy);
	if (ids == NULL)
		return overlaps;
	rewinddir(ids);
	while ((entry = readdir(ids)) != NULL) {
		uint64_t other;

		if (parse_u64(entry->d_name, &other) == 0 && (other != first || !own) &&
		    other + IDENTITY_BLOCK > first && other < (uint64_t)first + IDENTITY_BLOCK)
			overlaps = 1;
	}
	closedir(ids);
	return overlaps;
}

static int is_held_elsewhere(enum ids_place place, uint32_t first)
{
	enum ids_place other = place == IDS_KEPT ? IDS_UNTIL_BOOT : IDS_KEPT;
	_cleanup_fd_ int fd = open_existing(other);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return overlaps_another(fd, first, false);
}

static int try_claim(const struct ids_request *request, int ids_fd, uint32_t first, struct err *err)
{
	const char *path = places[request->place].path;
	char name[24];
	int r = request->note != NULL ? request->note(request->ctx, first, err) : 0;

	if (r < 0)
		return r;
	str_format(name, sizeof(name), "%u", first);
	/* Making a link is one step, so the claim and its holder are there together or not at all.
	 */
	if (symlinkat(request->holder, ids_fd, name) != 0)
		return err_set(err, ERR_SETUP, errno, "%s/%s: claim", path, name);
	r = overlaps_another(ids_fd, first, true);
	if (r == 0)
		r = is_held_elsewhere(request->place, first);
	if (r == 0)
		return 0;
	if (unlinkat(ids_fd, name, 0) != 0)
		return err_set(err, ERR_SETUP, errno, "%s/%s: give back", path, name);
	return err_set(err, ERR_SETUP, r < 0 ? -r : EEXIST, "%s/%s: claim", path, name);
}

static int claim_any(const struct ids_request *request, const struct id_pool *pool, int ids_fd,
		     uint32_t *ret_first, struct err *err)
{
	uint64_t blocks = identity_pool_blocks(pool);
	uint64_t start;
	int r = -EEXIST;

	if (blocks == 0)
		return err_set(err, ERR_PREFLIGHT, 0, "/etc/subuid: no block of host ids is left");
	if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start))
		return err_set(err, ERR_SETUP, EIO, "random number");
	for (uint64_t i = 0; i < CLAIM_TRIES && i < blocks && r == -EEXIST; i++) {
		uint32_t first = identity_pool_block(pool, (start % blocks + i) % blocks);

		r = try_claim(request, ids_fd, first, err);
		if (r == 0)
			*ret_first = first;
	}
	return r;
}

/* A link may be looked at and then removed, and not be another's in between: whoever claims holds
 * this as well. */
static int lock_claims(struct err *err)
{
	_cleanup_fd_ int fd = open_place(IDS_UNTIL_BOOT, err);
	int r = fd < 0 ? fd : state_lock(fd, LOCK_EX);

	if (fd >= 0 && r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: lock", places[IDS_UNTIL_BOOT].path);
	return fd < 0 ? fd : steal_fd(&fd);
}

/* Onto the disk, before the record that says so: a claim that a loss of power took back would give
 * its block to another sandbox as well. */
static int sync_claim(int ids_fd, const char *holder, uint32_t first, struct err *err)
{
	struct err ignored;
	int r = fsync(ids_fd) == 0 ? 0 : -errno;

	if (r == 0)
		return 0;
	ignore_result(ids_release(IDS_KEPT, holder, first, &ignored), "gc gives it back");
	return err_set(err, ERR_SETUP, -r, "%s: write to the disk", places[IDS_KEPT].path);
}

int ids_claim(const struct ids_request *request, uint32_t *ret_first, struct err *err)
{
	_cleanup_free_ struct id_pool *pool = calloc(1, sizeof(*pool));
	_cleanup_fd_ int lock_fd = -EBADF;
	_cleanup_fd_ int kept_fd = -EBADF;
	uint32_t first = 0;
	int r;

	if (pool == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "pool of host ids");
	r = identity_read_pool(pool, err);
	if (r < 0)
		return r;
	lock_fd = lock_claims(err);
	if (lock_fd < 0)
		return lock_fd;
	if (request->place == IDS_UNTIL_BOOT)
		return claim_any(request, pool, lock_fd, ret_first, err);
	kept_fd = open_place(IDS_KEPT, err);
	r = kept_fd < 0 ? kept_fd : claim_any(request, pool, kept_fd, &first, err);
	if (r < 0)
		return r;
	/* The claim is there: nobody else has to wait for the disk. */
	close_fd(&lock_fd);
	r = sync_claim(kept_fd, request->holder, first, err);
	if (r == 0)
		*ret_first = first;
	return r;
}

int ids_release(enum ids_place place, const char *holder, uint64_t first, struct err *err)
{
	char name[24], found[PATH_MAX + 32];
	_cleanup_fd_ int ids_fd = open_existing(place);
	_cleanup_fd_ int lock_fd = -EBADF;
	ssize_t n;

	if (ids_fd == -ENOENT)
		return 0;
	if (ids_fd < 0)
		return err_set(err, ERR_SETUP, -ids_fd, "%s: open", places[place].path);
	lock_fd = lock_claims(err);
	if (lock_fd < 0)
		return lock_fd;
	str_format(name, sizeof(name), "%llu", (unsigned long long)first);
	n = readlinkat(ids_fd, name, found, sizeof(found) - 1);
	if (n < 0)
		return errno == ENOENT ? 0
				       : err_set(err, ERR_SETUP, errno, "%s/%s: read",
						 places[place].path, name);
	found[n] = '\0';
	/* A journal names each block that was tried, also those that turned out to be another's. */
	if (!str_equal(found, holder))
		return 0;
	if (unlinkat(ids_fd, name, 0) != 0 && errno != ENOENT)
		return err_set(err, ERR_SETUP, errno, "%s/%s: give back", places[place].path, name);
	return 1;
}

/* Whether the claim's holder was right below prefix, and is gone. */
static bool is_orphan(const char *holder, const char *prefix, int dir_fd)
{
	const char *name = holder + strlen(prefix);

	return str_has_prefix(holder, prefix) && strchr(name, '/') == NULL &&
	       faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

int ids_release_orphans(enum ids_place place, const char *prefix, int dir_fd, uint32_t *n_freed,
			struct err *err)
{
	_cleanup_fd_ int ids_fd = open_existing(place);
	int copy = ids_fd < 0 ? -EBADF : dup(ids_fd);
	DIR *ids = copy < 0 ? NULL : fdopendir(copy);
	_cleanup_fd_ int lock_fd = -EBADF;
	char holder[PATH_MAX + 32];
	struct dirent *entry;
	int result = 0;

	if (ids == NULL) /* a user has no claims, and may not look */
		return 0;
	lock_fd = lock_claims(err);
	if (lock_fd < 0) {
		closedir(ids);
		return lock_fd;
	}
	while ((entry = readdir(ids)) != NULL) {
		ssize_t n = readlinkat(ids_fd, entry->d_name, holder, sizeof(holder) - 1);

		if (n <= 0)
			continue;
		holder[n] = '\0';
		if (!is_orphan(holder, prefix, dir_fd))
			continue;
		if (unlinkat(ids_fd, entry->d_name, 0) != 0 && errno != ENOENT)
			result = err_set(err, ERR_SETUP, errno, "%s/%s: give back",
					 places[place].path, entry->d_name);
		else
			*n_freed += 1;
	}
	closedir(ids);
	return result;
}
