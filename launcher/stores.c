/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stores that are full; see stores.h. Runs in the keeper, stores_send in the setup process, where
 * nothing allocates. */
#include "launcher/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "launcher/launch.h"

/* ---- pure ---- */

static bool is_root_watched(const struct decision *d)
{
	return d->writable == WRITABLE_TMPFS;
}

/* Of a read-only one nothing can be used up. */
static bool is_mount_watched(const struct spec_mount *mount)
{
	return mount->type == MOUNT_TMPFS && !mount->read_only;
}

size_t stores_count(const struct decision *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->spec.n_mounts && n < ROOTFS_STORES_MAX; i++)
		n += is_mount_watched(&d->spec.mounts[i]);
	return n + (is_root_watched(d) ? 1 : 0);
}

bool stores_are_watched(const struct decision *d)
{
	return stores_count(d) > 0;
}

/* Which of the spec's mounts the n-th is; the root's is asked for before. */
static size_t mount_of(const struct decision *d, size_t n)
{
	size_t i = 0;

	for (n -= is_root_watched(d) ? 1 : 0;; i++)
		if (is_mount_watched(&d->spec.mounts[i]) && n-- == 0)
			return i;
}

const struct spec_store *stores_nth(const struct decision *d, size_t n)
{
	return n == 0 && is_root_watched(d) ? &d->spec.rootfs.store
					    : &d->spec.mounts[mount_of(d, n)].store;
}

/* Of the signal that its caller asked for it has not died for want of room. */
static bool has_failed(const struct run_result *result)
{
	return (result->kind == RUN_SIGNALLED && result->signal != result->caller_signal) ||
	       (result->kind == RUN_EXITED && result->exit_code != 0);
}

void stores_explain_host(uint64_t blocks, struct run_result *result)
{
	if (!has_failed(result) || blocks > 0)
		return;
	result->kind = RUN_DISK_FULL;
	result->limit = NULL;
}

void stores_explain(const struct spec_store *store, uint64_t blocks, uint64_t inodes,
		    struct run_result *result)
{
	if (!has_failed(result) || (blocks > 0 && inodes > 0))
		return;
	result->kind = RUN_DISK_FULL;
	result->limit = blocks == 0 ? store->size_key : store->inodes_key;
}

/* ---- setup process ---- */

int stores_send(struct launch *launch, struct err *err)
{
	const struct decision *d = launch->decision;
	struct rootfs_run *run = &launch->rootfs;

	for (size_t n = 0; n < stores_count(d); n++) {
		int fd = n == 0 && is_root_watched(d) ? run->staging_fd
						      : rootfs_store_of(run, mount_of(d, n));
		int r = fd < 0 ? fd : sync_send_with_fd(launch->sync_child, SYNC_STORE, fd);

		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: tell the keeper of it",
				       stores_nth(d, n)->size_key);
	}
	rootfs_close_stores(run);
	return 0;
}

/* ---- keeper ---- */

int stores_accept(struct launch *launch, int fd, struct err *err)
{
	struct stores *stores = &launch->stores;
	_cleanup_fd_ int own = fd;
	struct statfs fs;

	if (own < 0 || stores->n == STORES_MAX || (fcntl(own, F_GETFL) & O_PATH) == 0 ||
	    fstatfs(own, &fs) != 0 || fs.f_type != TMPFS_MAGIC)
		return err_set(err, ERR_SETUP, 0, "the sandbox sent no store");
	stores->fds[stores->n++] = steal_fd(&own);
	return 0;
}

void stores_collect(struct launch *launch, struct run_result *result)
{
	struct stores *stores = &launch->stores;

	upper_collect(launch, result);
	for (size_t i = 0; i < stores->n; i++) {
		struct statfs fs;

		if (fstatfs(stores->fds[i], &fs) == 0)
			stores_explain(stores_nth(launch->decision, i), fs.f_bfree, fs.f_ffree,
				       result);
	}
	stores_release(stores);
}

void stores_release(struct stores *stores)
{
	for (size_t i = 0; i < stores->n; i++)
		close_fd(&stores->fds[i]);
	stores->n = 0;
}
