/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as root file systems; see images.h. */
#include "launcher/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/identity.h"
#include "launcher/preflight.h"

/* ---- found ---- */

/* Its settings as the policy takes them. */
static int copy_settings(const struct image_record *record, struct arena *arena,
			 struct policy_image *ret)
{
	_cleanup_free_ struct image_setting *setting = malloc(sizeof(*setting));
	struct policy_setting *list;
	const char *at = record->settings;
	size_t n = 0;

	for (const char *c = at; *c != '\0'; c++)
		n += *c == '\n';
	list = arena_array(arena, n + 1, sizeof(*list));
	if (setting == NULL || list == NULL)
		return -ENOMEM;
	for (size_t i = 0; *at != '\0'; i++) {
		int r = image_settings_next(&at, setting);

		if (r <= 0 || i >= n)
			return r < 0 ? r : -EBADMSG;
		list[i] = (struct policy_setting){.key = arena_strdup(arena, setting->key),
						  .value = arena_strdup(arena, setting->value)};
		if (list[i].key == NULL || list[i].value == NULL)
			return -ENOMEM;
	}
	ret->settings = list;
	ret->n_settings = n;
	return 0;
}

enum { IMAGE_NAMES_MAX = 256 };

struct image_names {
	struct arena *arena;
	const char *list[IMAGE_NAMES_MAX];
	size_t n;
};

/* As they are mostly typed: without the tag that is meant where there is none. */
static int take_name(void *ctx, const char *name, const char *hex)
{
	static const char latest[] = ":latest";
	struct image_names *names = ctx;
	size_t len = strlen(name), tag = sizeof(latest) - 1;

	(void)hex;
	if (names->n == IMAGE_NAMES_MAX)
		return 0;
	if (len > tag && str_equal(name + len - tag, latest))
		len -= tag;
	names->list[names->n] = arena_format(names->arena, "%.*s", (int)len, name);
	names->n += names->list[names->n] != NULL;
	return 0;
}

/* What the caller may have meant, for the hint. */
static int hint_missing(struct decision *d, const char *path, const char *name, struct err *err)
{
	struct image_names names = {.arena = &d->arena};
	const char *nearest = NULL;
	struct store store;
	struct err none;

	if (name[0] == '/' || name[0] == '.')
		return err_hint(err,
				"A path is a program of this host's: cordon run -- %s. A "
				"directory as the root: --set rootfs.from=dir:PATH.",
				name);
	if (store_open_to_read(path, &store, &none) == 0) {
		if (store_ref_each(&store, take_name, &names, &none) == 0)
			nearest = str_nearest(name, names.list, names.n);
		store_release(&store);
	}
	if (nearest != NULL)
		return err_hint(err, "Did you mean %s? `cordon image ls` lists them.", nearest);
	return err_hint(
		err, "`cordon image ls` lists them; `cordon image pull %s` fetches one, by skopeo.",
		name);
}

/* A kept sandbox's image is the one that it was made from, whatever has its name by now. */
static int find(struct policy_host_state *state, const char *name, struct err *err)
{
	struct decision *d = state->decision;
	const char *pinned = state->request->image_id;
	char path[PATH_MAX];
	int r;

	if (d->kept_path[0] == '\0') {
		err_set(err, ERR_PREFLIGHT, 0,
			"image %s: HOME is not set, and images have no place", name);
		return err_hint(err, "Name one: cordon --root DIR ...");
	}
	if (str_format(path, sizeof(path), "%s/images", d->kept_path) >= sizeof(path) - 1)
		return err_set(err, ERR_PREFLIGHT, ENAMETOOLONG, "%s", d->kept_path);
	if (pinned != NULL && !store_is_hex(pinned))
		return err_set(err, ERR_SETUP, EBADMSG, "the sandbox's record");
	r = held_image_find(path, pinned != NULL ? pinned : name, &d->image, err);
	if (r != -ENOENT)
		return r;
	if (pinned != NULL) {
		err_set(err, ERR_PREFLIGHT, 0,
			"the image that it was made from is gone: %s (sha256:%.*s)", name, 12,
			pinned);
		err_hint(err, "Load or import the same image once more, or remove the sandbox: "
			      "cordon rm.");
		return r;
	}
	err_set(err, ERR_PREFLIGHT, 0, "no image %s", name);
	ignore_result(hint_missing(d, path, name, err), "r is the result");
	return r;
}

int images_find(struct policy_host_state *state, struct arena *arena, const char *name,
		struct policy_image *ret)
{
	struct decision *d = state->decision;
	int r;

	if (d == NULL)
		return -ENOENT;
	r = find(state, name, &d->image_err);
	if (r < 0)
		return r;
	ret->id = arena_strdup(arena, d->image->id);
	r = ret->id != NULL ? copy_settings(d->image->record, arena, ret) : -ENOMEM;
	return r < 0 ? err_set(&d->image_err, ERR_PREFLIGHT, -r, "image %s: its record", name) : 0;
}

int images_open_file(const struct policy_host_state *state, const char *path)
{
	const struct decision *d = state->decision;

	return d == NULL || d->image == NULL ? -ENOENT : held_image_open(d->image, path);
}

void cordon_let_images_go(const struct decision *decision)
{
	if (decision->image != NULL)
		held_image_unlock_store(decision->image);
}

/* ---- its layers ---- */

static int look_at_layer(struct decision *d, size_t i, struct source_fact *ret)
{
	const struct held_image *image = d->image;
	struct statx st;
	int r = sys_statx(image->layer_fds[i], "tree", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);

	if (r < 0)
		return r;
	*ret = (struct source_fact){
		.dev_major = st.stx_dev_major,
		.dev_minor = st.stx_dev_minor,
		.ino = st.stx_ino,
		.is_dir = true,
		.path = arena_format(&d->arena, "%s/layers/%s/tree", image->store,
				     image->record->layers[i]),
	};
	return ret->path != NULL ? 0 : -ENOMEM;
}

static void report(struct decision *d, struct misses *misses)
{
	const struct spec_rootfs *rootfs = &d->spec.rootfs;
	struct miss *m = preflight_miss(misses, "rootfs.from", rootfs->origin);
	bool is_missing = d->image_err.sys_errno == 0 && d->image == NULL;

	str_format(m->text, sizeof(m->text), "%s",
		   d->image_err.text[0] != '\0' ? d->image_err.text : "no image");
	str_format(m->hint, sizeof(m->hint), "%s", d->image_err.hint);
	/* Named on the command line: it may have been meant as a program. */
	if (is_missing && d->names_image && str_has_prefix(d->image_err.text, "no image "))
		str_format(m->text, sizeof(m->text),
			   "no image %s; to run a program of this host: cordon run -- %s",
			   rootfs->image, rootfs->image);
}

int images_look(struct decision *d, struct misses *misses, struct err *err)
{
	struct source_fact *layers;

	if (d->spec.rootfs.kind != ROOTFS_IMAGE)
		return 0;
	if (d->spec.rootfs.image_id[0] == '\0') {
		report(d, misses);
		return 0;
	}
	layers = arena_array(&d->arena, d->image->n_layers + 1, sizeof(*layers));
	if (layers == NULL)
		return err_set(err, ERR_BUG, ENOMEM, "facts of the layers");
	for (size_t i = 0; i < d->image->n_layers; i++) {
		int r = look_at_layer(d, i, &layers[i]);

		if (r < 0)
			return err_set(err, ERR_PREFLIGHT, -r, "%s/layers/%s/tree", d->image->store,
				       d->image->record->layers[i]);
	}
	d->image_owners = d->image->n_owners;
	d->held_fds = d->image->layer_fds;
	d->n_held = d->image->n_layers;
	d->layers = layers;
	d->n_layers = d->image->n_layers;
	return 0;
}

/* ---- as root ---- */

static int open_layer(int layer_fd, int userns, struct err *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY |
					      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
				  .propagation = MS_PRIVATE,
				  .userns_fd = (__u64)userns};
	_cleanup_fd_ int fd =
		sys_open_tree(layer_fd, "tree",
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	int r;

	if (fd < 0)
		return err_set(err, ERR_SETUP, -fd, "open");
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
	if (r < 0) {
		err_set(err, ERR_SETUP, -r, "show it with the sandbox's ids");
		return err_hint(err, "The file system that images lie on cannot be idmapped: keep "
				     "them on one that can (ext4, xfs, btrfs) with --root DIR.");
	}
	return steal_fd(&fd);
}

int images_open_layers(struct launch *launch, struct err *err)
{
	const struct held_image *image = launch->decision->image;
	const struct identity_range range = {.inside = STORE_FOREIGN_FIRST,
					     .outside = launch->run.block_first,
					     .count = STORE_FOREIGN_COUNT};
	_cleanup_fd_ int userns = identity_range_namespace(&range, &range, err);

	_Static_assert((int)STORE_FOREIGN_COUNT == (int)IDENTITY_BLOCK, "one for one");
	if (userns < 0)
		return err_wrap(err, "image %s", launch->spec->rootfs.image);
	for (size_t i = 0; i < launch->n_layers; i++) {
		int fd = open_layer(image->layer_fds[i], userns, err);

		if (fd < 0)
			return err_wrap(err, "layer %s", launch->layers[i].path);
		launch->layers[i].tree_fd = fd;
	}
	return 0;
}
