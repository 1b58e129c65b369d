/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes in a launch; see volumes.h. */
#include "launcher/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/identity.h"
#include "launcher/launch.h"
#include "launcher/preflight.h"
#include "policy/digest.h"
#include "storage/store.h"

/* ---- names ---- */

void cordon_volume_name(const char *sandbox, const struct spec_mount *mount,
			char buf[CORDON_VOLUME_NAME_SIZE])
{
	char text[PATH_MAX + 128], digest[DIGEST_TEXT_SIZE];
	size_t len;

	if (mount->source[0] != '\0') {
		str_format(buf, CORDON_VOLUME_NAME_SIZE, "%s", mount->source);
		return;
	}
	/* The same at each start of a sandbox, and no other's: an id is random. */
	len = str_format(text, sizeof(text), "cordon-volume %s %s", sandbox, mount->target);
	digest_text(text, len, digest);
	str_format(buf, CORDON_VOLUME_NAME_SIZE, "%s", digest + strlen("sha256:"));
}

/* ---- before ---- */

static bool is_volume(const struct sandbox_spec *spec, size_t i)
{
	return spec->mounts[i].type == MOUNT_VOLUME;
}

bool volumes_are_wanted(const struct decision *d)
{
	for (size_t i = 0; i < d->spec.n_mounts; i++)
		if (is_volume(&d->spec, i))
			return !d->enters;
	return false;
}

bool volumes_can_be_filled(const struct decision *d)
{
	return volumes_are_wanted(d) &&
	       (d->spec.rootfs.kind == ROOTFS_IMAGE || d->spec.rootfs.kind == ROOTFS_DIR);
}

static void look(struct decision *d, const struct spec_mount *mount, struct source_fact *ret,
		 struct misses *misses)
{
	const char *name = mount->source;
	struct miss *m = NULL;

	*ret = (struct source_fact){.is_dir = true,
				    .path = arena_format(&d->arena, "%s/volumes/%s/" VOLUME_DATA,
							 d->kept_path, name)};
	if (ret->path == NULL || strlen(ret->path) >= PATH_MAX || d->kept_path[0] == '\0') {
		m = preflight_miss(misses, "volumes", mount->origin);
		str_format(m->text, sizeof(m->text),
			   "volume %s: HOME is not set, and volumes have no place", name);
		str_format(m->hint, sizeof(m->hint), "Name one: cordon --root DIR ...");
	} else if (name[0] != '\0' && !volume_is_name(name)) {
		m = preflight_miss(misses, "volumes", mount->origin);
		str_format(m->text, sizeof(m->text), "'%s': no volume can be called that", name);
		str_format(m->hint, sizeof(m->hint),
			   "A letter or digit, and then at least one more of letters, digits, _ . "
			   "and -. For a directory of the host write ./%s.",
			   name);
	}
}

void volumes_look(struct decision *d, struct source_fact *sources, struct misses *misses)
{
	for (size_t i = 0; i < d->spec.n_mounts; i++)
		if (is_volume(&d->spec, i))
			look(d, &d->spec.mounts[i], &sources[i], misses);
}

void volumes_init(struct sandbox_volumes *volumes, const struct run_options *options)
{
	*volumes = (struct sandbox_volumes){.store = {.fd = -EBADF},
					    .sandbox = options->sandbox_id,
					    .removes = !options->keeps_volumes};
}

static void let_go(struct sandbox_volumes *volumes)
{
	for (size_t i = 0; i < volumes->n; i++)
		volume_hold_release(&volumes->holds[i]);
}

void volumes_end(struct sandbox_volumes *volumes)
{
	let_go(volumes);
	for (size_t i = 0; volumes->paths != NULL && i < volumes->n; i++)
		free(volumes->paths[i]);
	free(volumes->paths);
	free(volumes->holds);
	volumes->paths = NULL;
	volumes->holds = NULL;
	volumes->n = 0;
	volumes_release(&volumes->store);
}

/* ---- finding or making ---- */

static int add(const struct volumes *store, const char *name, bool is_anonymous, const char *holder,
	       struct err *err)
{
	struct volume volume = {.is_anonymous = is_anonymous};
	struct timespec now;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	volume.created_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	str_format(volume.name, sizeof(volume.name), "%s", name);
	str_format(volume.holder, sizeof(volume.holder), "%s", holder);
	r = volumes_add(store, &volume, err);
	/* Somebody else made it at the same moment. */
	return r == -EEXIST ? 0 : r;
}

static int make(struct launch *launch, const char *name, bool is_anonymous, struct err *err)
{
	const struct sandbox_volumes *own = &launch->volumes;
	char holder[VOLUME_HOLDER_MAX] = "";
	/* By it gc knows that nobody is left who would remove it. */
	if (is_anonymous && own->removes &&
	    str_format(holder, sizeof(holder), "%s/runs/%s", launch->state.path, launch->run.id) >=
		    sizeof(holder) - 1)
		return err_set(err, ERR_SETUP, ENAMETOOLONG, "%s", launch->state.path);
	return add(&own->store, name, is_anonymous, holder, err);
}

/* What another sandbox has is never made anew in its place, empty. */
static int refuse_missing(const char *name, struct err *err)
{
	err_set(err, ERR_USAGE, ENOENT, "volume %s, of another sandbox", name);
	return err_hint(err,
			"One that was made with --rm has volumes while it runs. To begin with an "
			"empty one: cordon volume create %s.",
			name);
}

int cordon_make_volumes(const struct decision *d, const char *sandbox, struct err *err)
{
	struct volumes store;
	int r;

	if (!volumes_are_wanted(d))
		return 0;
	r = volumes_open(d->kept_path, true, &store, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < d->spec.n_mounts; i++) {
		char name[CORDON_VOLUME_NAME_SIZE];
		struct volume found;

		if (!is_volume(&d->spec, i))
			continue;
		cordon_volume_name(sandbox, &d->spec.mounts[i], name);
		r = volumes_read(&store, name, &found, err);
		if (r == -ENOENT && d->spec.mounts[i].is_taken)
			r = refuse_missing(name, err);
		else if (r == -ENOENT)
			r = add(&store, name, d->spec.mounts[i].source[0] == '\0', "", err);
	}
	volumes_release(&store);
	return r;
}

static int hold(struct launch *launch, size_t i, struct err *err)
{
	const struct spec_mount *mount = &launch->spec->mounts[i];
	struct sandbox_volumes *own = &launch->volumes;
	char name[CORDON_VOLUME_NAME_SIZE];
	bool fills = mount->is_copied_to && volumes_can_be_filled(launch->decision);
	int r;

	cordon_volume_name(own->sandbox, mount, name);
	do {
		bool *is_filling = &launch->sources[i].is_filling;

		r = volumes_hold(&own->store, name, &own->holds[i], err);
		if (r == -ENOENT && mount->is_taken)
			return refuse_missing(name, err);
		if (r == -ENOENT) {
			r = make(launch, name, mount->source[0] == '\0', err);
			if (r == 0)
				r = -EAGAIN;
			continue;
		}
		if (r == 0)
			r = volumes_fill_begin(&own->store, &own->holds[i], fills, is_filling, err);
		if (r == -EAGAIN)
			volume_hold_release(&own->holds[i]);
	} while (r == -EAGAIN);
	return r < 0 ? err_wrap(err, "volume %s", name) : 0;
}

/* The one of the mounts before it that has the same volume; itself where there is none. */
static size_t first_of(const struct launch *launch, size_t i)
{
	const struct spec_mount *mounts = launch->spec->mounts;

	for (size_t k = 0; k < i && mounts[i].source[0] != '\0'; k++)
		if (is_volume(launch->spec, k) && str_equal(mounts[k].source, mounts[i].source))
			return k;
	return i;
}

/* ---- showing ---- */

/* What is on the root alone and belongs to its id 0 belongs to the program's user, as long as
 * nothing is in it: else nobody could write to a new volume where the root has nothing at the
 * target. */
static int give_to_user(struct launch *launch, int data_fd, struct err *err)
{
	const struct spec_identity *id = &launch->spec->identity;
	bool is_empty = false;
	int r = launch->decision->plan.ids == IDS_BLOCK && geteuid() == 0
			? volumes_is_empty(data_fd, &is_empty)
			: 0;

	if (r == 0 && is_empty &&
	    fchown(data_fd, STORE_FOREIGN_FIRST + id->uid, STORE_FOREIGN_FIRST + id->gid) != 0)
		r = -errno;
	return r < 0 ? err_set(err, ERR_SETUP, -r, "give it to the program's user") : 0;
}

/* A mount of its own: each has other ids. */
static int open_mount(const struct volume_hold *held, struct err *err)
{
	int fd;

	if (volume_has_image(&held->volume))
		return volumes_mount(&held->volume, held->dir_fd, err);
	fd = sys_open_tree(held->data_fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return fd < 0 ? err_set(err, ERR_SETUP, -fd, "open") : fd;
}

static int show(const struct volume_hold *held, int userns, struct rootfs_source *source,
		struct err *err)
{
	struct mount_attr attr = {.attr_set =
					  MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				  .propagation = MS_PRIVATE,
				  .userns_fd = (__u64)userns};
	_cleanup_fd_ int fd = -EBADF;
	int r;

	if (userns < 0)
		return 0; /* as a user: the sandbox's process opens it */
	fd = open_mount(held, err);
	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "show it with the sandbox's ids");
		return err_hint(err, "The file system that volumes lie on cannot be idmapped: keep "
				     "them on one that can (ext4, xfs, btrfs) with --root DIR.");
	}
	source->tree_fd = steal_fd(&fd);
	return 0;
}

static int open_one(struct launch *launch, size_t i, int userns, struct err *err)
{
	struct sandbox_volumes *own = &launch->volumes;
	const struct volume_hold *held = &own->holds[first_of(launch, i)];
	struct rootfs_source *source = &launch->sources[i];
	char path[PATH_MAX];
	struct statx st;
	int r = sys_statx(held->data_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_TYPE, &st);

	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "open");
	if (!volumes_can_be_filled(launch->decision)) {
		r = give_to_user(launch, held->data_fd, err);
		if (r < 0)
			return r;
	}
	if (str_format(path, sizeof(path), "%s/%s/" VOLUME_DATA, own->store.path,
		       held->volume.name) >= PATH_MAX - 1)
		return err_set(err, ERR_SETUP, ENAMETOOLONG, "%s", own->store.path);
	source->path = own->paths[i] = strdup(path);
	if (source->path == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "its path");
	source->dev_major = st.stx_dev_major;
	source->dev_minor = st.stx_dev_minor;
	source->ino = st.stx_ino;
	source->is_own = true;
	source->keeps_setid = userns >= 0;
	return show(held, userns, source, err);
}

/* The first in the order of names that is not held yet; own->n: all are. */
static size_t next_to_hold(const struct launch *launch)
{
	const struct sandbox_volumes *own = &launch->volumes;
	char name[CORDON_VOLUME_NAME_SIZE], least[CORDON_VOLUME_NAME_SIZE] = "";
	size_t found = own->n;

	for (size_t i = 0; i < own->n; i++) {
		if (!is_volume(launch->spec, i) || own->holds[i].dir_fd >= 0 ||
		    first_of(launch, i) != i)
			continue;
		cordon_volume_name(own->sandbox, &launch->spec->mounts[i], name);
		if (found < own->n && strcmp(name, least) >= 0)
			continue;
		found = i;
		str_format(least, sizeof(least), "%s", name);
	}
	return found;
}

/* In one order for all: of two sandboxes that begin at once, each of which fills what the other one
 * waits for, neither would begin. */
static int hold_all(struct launch *launch, struct err *err)
{
	size_t i;

	while ((i = next_to_hold(launch)) < launch->volumes.n) {
		int r = hold(launch, i, err);

		if (r < 0)
			return err_wrap(err, "%s", launch->spec->mounts[i].target);
	}
	return 0;
}

static int take(struct launch *launch, int userns, struct err *err)
{
	int r = hold_all(launch, err);

	for (size_t i = 0; r == 0 && i < launch->volumes.n; i++) {
		if (!is_volume(launch->spec, i))
			continue;
		r = open_one(launch, i, userns, err);
		if (r < 0)
			return err_wrap(err, "%s", launch->spec->mounts[i].target);
	}
	return r;
}

int volumes_take(struct launch *launch, struct err *err)
{
	const struct identity_range range = {.inside = STORE_FOREIGN_FIRST,
					     .outside = launch->run.block_first,
					     .count = STORE_FOREIGN_COUNT};
	struct sandbox_volumes *own = &launch->volumes;
	_cleanup_fd_ int userns = -EBADF;
	int r = volumes_open(launch->decision->kept_path, true, &own->store, err);

	if (r < 0)
		return r;
	if (own->sandbox == NULL)
		own->sandbox = launch->run.id;
	own->holds = calloc(launch->spec->n_mounts, sizeof(*own->holds));
	own->paths = calloc(launch->spec->n_mounts, sizeof(*own->paths));
	if (own->holds == NULL || own->paths == NULL)
		return err_set(err, ERR_SETUP, ENOMEM, "volumes");
	own->n = launch->spec->n_mounts;
	for (size_t i = 0; i < own->n; i++)
		own->holds[i].dir_fd = own->holds[i].data_fd = own->holds[i].begin_fd = -EBADF;
	if (launch->decision->plan.ids == IDS_BLOCK) {
		userns = identity_range_namespace(&range, &range, err);
		if (userns < 0)
			return err_wrap(err, "volumes");
	}
	return take(launch, userns, err);
}

/* ---- after ---- */

int volumes_filled(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < launch->volumes.n; i++) {
		int r;

		if (!launch->sources[i].is_filling)
			continue;
		r = volumes_fill_end(&launch->volumes.holds[i], err);
		if (r < 0)
			return err_wrap(err, "%s", launch->spec->mounts[i].target);
	}
	return 0;
}

/* As in Docker also an anonymous one of another sandbox, where that is gone by now. */
static bool is_removed(const struct launch *launch, size_t i)
{
	const struct sandbox_volumes *own = &launch->volumes;
	const struct spec_mount *mount = &launch->spec->mounts[i];

	return own->removes && is_volume(launch->spec, i) &&
	       (mount->source[0] == '\0' ||
		(mount->is_taken && i < own->n && own->holds[i].volume.is_anonymous));
}

bool volumes_are_removed(const struct launch *launch)
{
	for (size_t i = 0; i < launch->spec->n_mounts; i++)
		if (is_removed(launch, i))
			return true;
	return false;
}

int volumes_give_back(struct launch *launch, struct err *err)
{
	struct sandbox_volumes *own = &launch->volumes;
	int result = 0;

	let_go(own);
	for (size_t i = 0; own->store.fd >= 0 && i < launch->spec->n_mounts; i++) {
		const struct volume_remover by = {.run = launch->state.path,
						  .sandbox = own->sandbox};
		char name[CORDON_VOLUME_NAME_SIZE];
		int r;

		if (!is_removed(launch, i) || own->sandbox == NULL)
			continue;
		cordon_volume_name(own->sandbox, &launch->spec->mounts[i], name);
		r = volumes_remove_own(&own->store, name, &by, err);
		/* Another sandbox was given it: it is that one's, and then nobody's. */
		result = r < 0 && r != -EBUSY ? r : result;
	}
	return result;
}
