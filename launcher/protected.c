/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host has at the paths that binds protect; see protected.h. Runs in the keeper, reads
 * only. */
#include "launcher/protected.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/preflight.h"

enum { DIR_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

#define miss_text(miss, ...) str_format((miss)->text, sizeof((miss)->text), __VA_ARGS__)
#define miss_hint(miss, ...) str_format((miss)->hint, sizeof((miss)->hint), __VA_ARGS__)

bool protected_is_marked(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && (st->st_mode & 07777) == PLACEHOLDER_MODE;
}

bool protected_is_empty(int dir_fd)
{
	int copy = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool is_empty = dir != NULL; /* what cannot be listed may hold anything */

	if (dir == NULL) {
		ignore_result(copy >= 0 && close(copy) != 0, "nothing was written");
		return false;
	}
	rewinddir(dir);
	while (is_empty && (entry = readdir(dir)) != NULL)
		is_empty = str_equal(entry->d_name, ".") || str_equal(entry->d_name, "..");
	closedir(dir);
	return is_empty;
}

/* ---- one path ---- */

/* What the walk along one protected path has found. */
struct look {
	const struct spec_mount *mount;
	const struct spec_protected *wish;
	struct misses *misses;
	struct stat st; /* of the last part that is there */
	size_t len;     /* up to and with the part that is looked at */
};

static struct miss *new_miss(const struct look *look)
{
	const char *key = look->wish->protection == PROTECT_HIDDEN ? "volumes.hide_below"
								   : "volumes.read_only_below";

	return preflight_miss(look->misses, key, look->wish->origin);
}

static int refuse_part(const struct look *look, int parent_fd, const char *name, int result)
{
	struct miss *m = new_miss(look);
	char to[PATH_MAX] = "";
	const char *path = look->wish->path;
	ssize_t n;

	miss_text(m, "%s/%.*s: %s", look->mount->source, (int)look->len, path,
		  strerrordesc_np(-result));
	if (result == -ELOOP) {
		n = readlinkat(parent_fd, name, to, sizeof(to) - 1);
		to[n > 0 ? n : 0] = '\0';
		miss_text(m, "%s/%.*s: is a link, and a link cannot be protected",
			  look->mount->source, (int)look->len, path);
		miss_hint(m, "Name what it leads to (%s), where that lies below the source.", to);
	} else if (result == -ENOTDIR) {
		miss_hint(m, "Nothing lies below a file: name the file itself.");
	}
	return result;
}

static bool is_placeholder(int parent_fd, const char *name, const struct stat *st)
{
	_cleanup_fd_ int fd = -EBADF;

	if (!protected_is_marked(st))
		return false;
	fd = sys_openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return fd >= 0 && protected_is_empty(fd);
}

/* Walks along the path as far as it exists. Returns 1 where all of it does, 0 where the part that
 * ends at look->len is missing (or is a placeholder), or -errno with a miss. */
static int walk(struct look *look, int root_fd)
{
	const char *path = look->wish->path;
	_cleanup_fd_ int dir = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
	char name[NAME_MAX + 1];

	if (dir < 0)
		return refuse_part(look, root_fd, "", -errno);
	for (const char *part = path;; part = path + look->len + 1) {
		size_t n = strcspn(part, "/");
		int next;

		str_format(name, sizeof(name), "%.*s", (int)n, part);
		look->len = (size_t)(part - path) + n;
		if (fstatat(dir, name, &look->st, AT_SYMLINK_NOFOLLOW) != 0)
			return errno == ENOENT ? 0 : refuse_part(look, dir, name, -errno);
		if (S_ISLNK(look->st.st_mode))
			return refuse_part(look, dir, name, -ELOOP);
		if (is_placeholder(dir, name, &look->st))
			return 0;
		if (part[n] == '\0')
			return 1;
		next = sys_openat(dir, name, DIR_FLAGS, 0);
		if (next < 0)
			return refuse_part(look, dir, name, next);
		close_fd(&dir);
		dir = next;
	}
}

/* Whether nothing can be made or changed at the path, since all of the bind is read-only or an
 * entry above it. */
static bool is_read_only_already(const struct look *look)
{
	const struct spec_mount *mount = look->mount;

	if (mount->read_only)
		return true;
	for (size_t i = 0; i < mount->n_protected; i++)
		if (&mount->protected[i] != look->wish &&
		    mount->protected[i].protection == PROTECT_READ_ONLY &&
		    path_is_below(look->wish->path, mount->protected[i].path))
			return true;
	return false;
}

static void judge_existing(struct look *look, struct tree_protected *ret)
{
	bool hides = look->wish->protection == PROTECT_HIDDEN;
	struct miss *m;

	ret->path = look->wish->path;
	ret->place = S_ISDIR(look->st.st_mode) ? PLACE_DIR : PLACE_FILE;
	if (!hides && look->mount->read_only)
		ret->place = PLACE_SAFE;
	if (hides || S_ISDIR(look->st.st_mode) || S_ISREG(look->st.st_mode))
		return;
	m = new_miss(look);
	miss_text(m, "%s/%s: is neither a file nor a directory", look->mount->source,
		  look->wish->path);
	miss_hint(m, "A socket or a pipe can be written to on a read-only mount, too: name it in "
		     "hide_below.");
}

static int look_at_one(struct decision *d, struct look *look, int root_fd,
		       struct tree_protected *ret)
{
	struct statx st;
	int r = walk(look, root_fd);

	if (r < 0)
		return r;
	if (r == 0) {
		bool is_safe = is_read_only_already(look);

		ret->place = is_safe ? PLACE_SAFE : PLACE_MISSING;
		ret->path = is_safe ? look->wish->path
				    : arena_copy(&d->arena, look->wish->path, look->len);
		return ret->path == NULL ? -ENOMEM : 0;
	}
	judge_existing(look, ret);
	/* As the child will see it: statx(2)'s device numbers. */
	r = sys_openat2(root_fd, look->wish->path, O_PATH | O_CLOEXEC, 0,
			RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	if (r >= 0) {
		_cleanup_fd_ int fd = r;

		r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st);
	}
	if (r < 0)
		return r;
	ret->dev_major = st.stx_dev_major;
	ret->dev_minor = st.stx_dev_minor;
	ret->ino = st.stx_ino;
	return 0;
}

void protected_look(struct decision *decision, const struct spec_mount *mount,
		    struct source_fact *fact, struct misses *misses)
{
	struct tree_protected *list =
		arena_array(&decision->arena, mount->n_protected + 1, sizeof(*list));
	_cleanup_fd_ int root = -EBADF;

	fact->protected = list;
	if (list == NULL) {
		struct miss *m = preflight_miss(misses, "volumes", mount->origin);

		miss_text(m, "%s: no memory for its protected paths", mount->source);
	}
	if (mount->n_protected == 0 || list == NULL)
		return;
	root = sys_openat2(AT_FDCWD, fact->path, DIR_FLAGS, 0,
			   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
	for (size_t i = 0; i < mount->n_protected; i++) {
		struct look look = {.mount = mount, .wish = &mount->protected[i], .misses = misses};
		size_t n_before = misses->n + misses->n_dropped;
		int r;

		list[i].path = mount->protected[i].path;
		if (root < 0) {
			struct miss *m = new_miss(&look);

			miss_text(m,
				  "%s: is not a directory that can be entered: nothing below "
				  "it can be protected",
				  mount->source);
			continue;
		}
		r = strlen(fact->path) + strlen(list[i].path) + 1 >= PATH_MAX
			    ? -ENAMETOOLONG
			    : look_at_one(decision, &look, root, &list[i]);
		/* Whatever it was, it has to be said. */
		if (r < 0 && misses->n + misses->n_dropped == n_before)
			ignore_result(refuse_part(&look, root, "", r), "the miss is what counts");
	}
}

/* ---- another mount that shows the same ---- */

/* The length of the part of path that leads to the directory of that identity; 0: it is not on the
 * way. By identity, not by name: the host may have one directory in two places. */
static size_t find_on_path(const char *path, const struct source_fact *id)
{
	char prefix[PATH_MAX];
	size_t len = 1; /* "/" */

	for (;;) {
		size_t start = len == 1 ? 1 : len + 1;
		struct statx st;

		str_format(prefix, sizeof(prefix), "%.*s", (int)len, path);
		if (sys_statx(AT_FDCWD, prefix, AT_SYMLINK_NOFOLLOW, STATX_INO, &st) < 0)
			return 0; /* nothing is there, nor below */
		if (st.stx_ino == id->ino && st.stx_dev_major == id->dev_major &&
		    st.stx_dev_minor == id->dev_minor)
			return len;
		if (path[len] == '\0')
			return 0;
		len = start + strcspn(path + start, "/");
	}
}

/* Whether the mount protects what lies at `below` of it, as much as the wish. */
static bool protects(const struct spec_mount *mount, const char *below,
		     const struct spec_protected *wish)
{
	for (size_t i = 0; i < mount->n_protected; i++)
		if (path_is_below(below, mount->protected[i].path) &&
		    (mount->protected[i].protection == PROTECT_HIDDEN ||
		     wish->protection == PROTECT_READ_ONLY))
			return true;
	return false;
}

/* One protected path of one mount, and where it really is. */
struct guarded {
	const struct spec_mount *mount;
	const struct spec_protected *wish;
	struct source_fact id; /* of what is there; ino 0 where nothing is */
	char path[PATH_MAX];   /* real */
};

static bool shows(const struct guarded *guarded, const struct spec_mount *mount,
		  const struct source_fact *fact)
{
	size_t len = find_on_path(guarded->path, fact);

	if (len > 0 && guarded->path[len] == '\0')
		return true;
	if (len > 0)
		return mount == NULL ||
		       !protects(mount, guarded->path + len + (guarded->path[len] == '/'),
				 guarded->wish);
	return guarded->id.ino != 0 && find_on_path(fact->path, &guarded->id) > 0;
}

static void report_hole(const struct guarded *guarded, const char *source,
			struct spec_origin origin, struct misses *misses)
{
	bool hides = guarded->wish->protection == PROTECT_HIDDEN;
	struct miss *m = preflight_miss(misses, "volumes", origin);

	miss_text(m, "%s: %s %s, which the bind on %s %s", source, hides ? "shows" : "can write to",
		  guarded->path, guarded->mount->target, hides ? "hides" : "keeps read-only");
	miss_hint(m, "Give it the same %s%s, or leave one of them out.",
		  hides ? "hide_below" : "read_only_below", hides ? "" : ", show it read-only");
}

static void check_guarded(const struct decision *d, const struct source_fact *sources,
			  const struct guarded *guarded, struct misses *misses)
{
	bool hides = guarded->wish->protection == PROTECT_HIDDEN;

	for (size_t i = 0; i < d->spec.n_mounts; i++) {
		const struct spec_mount *other = &d->spec.mounts[i];

		if (other == guarded->mount || sources[i].path == NULL ||
		    (other->read_only && !hides) || !shows(guarded, other, &sources[i]))
			continue;
		report_hole(guarded, other->source, other->origin, misses);
	}
	if (hides && d->spec.rootfs.kind == ROOTFS_DIR && d->root_source.path != NULL &&
	    shows(guarded, NULL, &d->root_source))
		report_hole(guarded, d->spec.rootfs.dir, d->spec.rootfs.origin, misses);
}

void protected_check_holes(const struct decision *decision, const struct source_fact *sources,
			   struct misses *misses)
{
	for (size_t i = 0; i < decision->spec.n_mounts; i++) {
		const struct spec_mount *mount = &decision->spec.mounts[i];

		for (size_t k = 0; k < mount->n_protected && sources[i].path != NULL; k++) {
			const struct tree_protected *found = &sources[i].protected[k];
			struct guarded guarded = {.mount = mount,
						  .wish = &mount->protected[k],
						  .id = {.ino = found->ino,
							 .dev_major = found->dev_major,
							 .dev_minor = found->dev_minor}};

			str_format(guarded.path, sizeof(guarded.path), "%s/%s", sources[i].path,
				   mount->protected[k].path);
			check_guarded(decision, sources, &guarded, misses);
		}
	}
}
