/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store of images: what is kept on disk, and how it stays whole.
 *
 *     format        "cordon-images 1": another number is refused
 *     lock          flock: shared while something is added, exclusive while unused things go
 *     configs/HEX   an image's configuration, byte for byte; HEX, its SHA-256, is the image's id
 *     images/HEX    a record of ours that was read from it (image_record.h)
 *     layers/HEX/   HEX: SHA-256 of the layer as a tar without compression
 *         tree/     the layer, to be used as a lower directory of overlay with userxattr
 *         owners    what the disk has not got as the archive has it (owners.h)
 *         skipped   what was left out, a line each
 *         record    counts
 *     refs/NAME     a name and the image that it stands for; '/' is '%'
 *     making/ID/    what is being made; locked (flock) by whoever makes it
 *
 * Everything is made below making/ and comes to its place by one rename, after it was written to
 * the disk, and its directory is written behind it. So whatever is outside making/ is whole, and
 * what is in making/ and not locked is of somebody who died: the next command removes it. A layer
 * is made before the record that names it, and a record before the name that stands for it; nothing
 * that a name leads to is ever removed.
 *
 * A layer that is in use is held by a shared flock of its directory (held.h). A kept sandbox holds
 * its image as well: a file `image` beside its record, in the state root that the store lies in,
 * says which, so that it holds for as long as there is the record, and no longer.
 *
 * Runs in cordon-image, in `cordon gc` and, to read, in whatever starts a sandbox from an image; as
 * the caller. Reads no byte of an archive.
 */
#ifndef CORDON_STORAGE_STORE_H
#define CORDON_STORAGE_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/texts.h"

enum {
	STORE_HEX_SIZE = 64 + 1,
	STORE_ID_LEN = 16,
	STORE_NAME_MAX = 240, /* of an image, with its tag: it is a file's name */
	/* The first of the ids that stored files have as root: id 0 of an image. No account has
	 * them (systemd's "foreign" range, 65,536 ids). */
	STORE_FOREIGN_FIRST = 2147352576,
	STORE_FOREIGN_COUNT = 65536,
};

struct store {
	char path[PATH_MAX];
	char run[PATH_MAX]; /* the run root, of sandboxes that remove themselves; "": none is known
			     */
	int fd;             /* each is -EBADF when not open */
	int lock_fd;
	int configs_fd;
	int images_fd;
	int layers_fd;
	int refs_fd;
	int work_fd;
	uint32_t n_collected; /* of the dead, by store_open */
};

/* What the place depends on; each may be NULL. */
struct store_place {
	const char *root_dir;  /* --root */
	const char *data_home; /* $XDG_DATA_HOME */
	const char *home;      /* $HOME */
};

/* The directory of images: DIR/state/images; /var/lib/cordon/images as root, whatever the
 * environment says; $XDG_DATA_HOME/cordon/images, else ~/.local/share/cordon/images. Text only;
 * buf has PATH_MAX bytes. */
int must_check store_path(const struct store_place *place, uint32_t euid, char *buf,
			  struct err *err);

/*
 * Opens it and removes what the dead left in it. makes: what is missing is made (mode 0700);
 * without it -ENOENT where there is no store. Refuses what somebody else owns or may enter, a link,
 * and another format. The lock is held shared until store_release.
 */
int must_check store_open(const char *path, bool makes, struct store *ret, struct err *err);
void store_release(struct store *store);

/* The same for who only looks: nothing is made, nor removed. */
int must_check store_open_to_read(const char *path, struct store *ret, struct err *err);

/* How many work directories of the dead were removed. */
int must_check store_collect(struct store *store, uint32_t *ret_removed, struct err *err);

/* For `cordon gc`: store_open without making, and store_collect. No store: 0 are removed. */
int must_check store_gc(const char *path, uint32_t *ret_removed, struct err *err);

/* ---- work ---- */

struct store_work {
	char id[STORE_ID_LEN + 1];
	int fd; /* the directory, locked */
};

int must_check store_work_begin(struct store *store, struct store_work *ret, struct err *err);
/* Removes it with all that is in it; what cannot be removed is left to the next command. Accepts
 * one that is not open. */
void store_work_end(struct store *store, struct store_work *work);

/* STORE_ID_LEN hex digits at random. 0 or -errno. */
int must_check store_make_id(char id[STORE_ID_LEN + 1]);

/* Removes dirfd/name, whatever it is, whatever modes it has and however deep it is, without
 * following a link. Returns 0 or -errno; what is not there is 0. */
int must_check store_remove_tree(int dirfd, const char *name);

/* ---- objects ---- */

/* 64 lower case hex digits. */
bool store_is_hex(const char *text);

/* Writes a file into a work directory; onto the disk it comes with the layer that it is part of, or
 * never. */
int must_check store_write_file(int dirfd, const char *name, const void *data, size_t len,
				struct err *err);
/* The same, and onto the disk. Returns 0 or -errno. */
int must_check store_write_synced(int dirfd, const char *name, const void *data, size_t len);

/* Puts data at to_dir/name in one step, over what was there. to_dir: configs_fd, images_fd, refs_fd
 */
int must_check store_put(struct store_work *work, int to_dir, const char *name, const void *data,
			 size_t len);

bool store_has(int dir, const char *name);

/* The names in a directory, sorted. has_hidden: those with a dot in front as well, but "." and
 * "..". Returns 0 or -errno, also where the reading breaks off. Release with store_names_release.
 */
struct store_names {
	char **list;
	size_t n;
	struct texts texts; /* which they are in */
};
int must_check store_names_read(int dir_fd, bool has_hidden, struct store_names *ret);
void store_names_release(struct store_names *names);

/* Writes the work directory's `name` to the disk and moves it to layers/HEX. A layer that somebody
 * else put there meanwhile is as good. */
int must_check store_commit_layer(struct store *store, struct store_work *work, const char *name,
				  const char *hex, struct err *err);

/* ---- names ---- */

/* NAME or NAME:TAG as it is kept, with ":latest" where there is no tag: small letters, digits and
 * . _ - / and a port; a tag may have capitals. buf has STORE_NAME_MAX + 1 bytes. ERR_USAGE. */
int must_check store_name_parse(const char *text, char *buf, struct err *err);

int must_check store_ref_set(struct store *store, struct store_work *work, const char *name,
			     const char *hex, struct err *err);
/* -ENOENT where there is no such name. name: as from store_name_parse. */
int must_check store_ref_get(struct store *store, const char *name, char ret_hex[STORE_HEX_SIZE],
			     struct err *err);
int must_check store_ref_remove(struct store *store, const char *name, struct err *err);

/* Calls fn for each name, sorted. A negative result of fn's ends it and is returned. */
int must_check store_ref_each(struct store *store,
			      int (*fn)(void *ctx, const char *name, const char *hex), void *ctx,
			      struct err *err);

/* The image that a word stands for: a name, an id, or at least 6 digits that begin one id alone. */
int must_check store_find(struct store *store, const char *word, char ret_hex[STORE_HEX_SIZE],
			  struct err *err);

/* ---- what nothing needs ---- */

/* The file beside a sandbox's record: an image's id, and a newline. */
#define STORE_HOLD_FILE "image"

/* Calls fn for each image that a sandbox's record holds: of those that are kept, beside the store,
 * and of those that are bound to the boot, below store->run. A negative result of fn's ends it and
 * is returned. */
int must_check store_held_each(struct store *store,
			       int (*fn)(void *ctx, const char *sandbox, const char *hex),
			       void *ctx, struct err *err);

struct store_sweep {
	uint32_t n_images;
	uint32_t n_layers;
	uint32_t n_in_use; /* not needed by a name, but held */
	bool is_busy;      /* somebody is adding something: nothing was removed */
};

/* Lists of ids, NULL-terminated; NULL: none. */
struct store_spared {
	const char *const *forced; /* kept sandboxes hold them in vain */
	const char *const *images; /* they stay without a name */
	bool keeps_images;         /* all do: layers and configurations alone go */
};

/* Removes images without a name and without a kept sandbox, then layers and configurations without
 * an image. spared: NULL for none. Gives up the shared lock that the store holds, and takes it
 * again. */
int must_check store_sweep(struct store *store, const struct store_spared *spared,
			   struct store_sweep *ret, struct err *err);
/* What a command has added to no image that failed in the end; what cannot be removed now is gc's.
 */
void store_sweep_failed(struct store *store);

/* Test builds only (VARIANT=fault): CORDON_FAULT=store.NAME:kill ends the process here. */
#ifdef CORDON_FAULTS
void store_step(const char *name);
#else
static inline void store_step(const char *name)
{
	(void)name;
}
#endif

#endif
