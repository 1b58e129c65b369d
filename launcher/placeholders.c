/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Placeholders of protected paths; see placeholders.h. Runs in the keeper and in `cordon gc`, as
 * the caller. */
#include "launcher/placeholders.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/protected.h"

enum {
	BELOW = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	NO_LINKS = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	PLACE_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	OPEN_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
	TRIES = 500, /* of a millisecond: another run is just taking it away */
	LINK_NAME = 32,
};

static const char made_line[] = "made placeholder ";

static void link_name(size_t index, char buf[LINK_NAME])
{
	str_format(buf, LINK_NAME, "placeholder.%zu", index);
}

static int lock(int fd, int how)
{
	int r;

	do
		r = flock(fd, how | LOCK_NB);
	while (r != 0 && errno == EINTR);
	return r != 0 ? -errno : 0;
}

/* ---- which ones ---- */

/* Whether an entry of the same mount before this one has the same place. */
static bool is_repeated(const struct tree_protected *list, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (list[i].place == PLACE_MISSING && str_equal(list[i].path, list[k].path))
			return true;
	return false;
}

size_t placeholders_count(const struct decision *decision)
{
	size_t n = 0;

	for (size_t i = 0; i < decision->spec.n_mounts; i++) {
		size_t n_protected = decision->spec.mounts[i].n_protected;

		for (size_t k = 0; k < n_protected; k++) {
			const struct tree_protected *list = decision->sources[i].protected;

			n += list[k].place == PLACE_MISSING && !is_repeated(list, k);
		}
	}
	return n;
}

bool placeholders_wanted(const struct decision *decision)
{
	return placeholders_count(decision) > 0;
}

/* ---- making one ---- */

/* Whether fd is a placeholder that still stands at its name: marked, empty, and of an owner who may
 * make one there. Under a lock nobody takes it away any more. */
static bool is_ours(const struct placeholder *p)
{
	struct stat st, named, parent;

	return fstat(p->fd, &st) == 0 && fstat(p->parent_fd, &parent) == 0 &&
	       fstatat(p->parent_fd, p->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_ino == st.st_ino && named.st_dev == st.st_dev && protected_is_marked(&st) &&
	       protected_is_empty(p->fd) && (st.st_uid == geteuid() || st.st_uid == parent.st_uid);
}

/* As root it belongs to the directory's owner, who can then remove it. */
static int give_to_owner(const struct placeholder *p)
{
	struct stat st, parent;

	if (fstat(p->fd, &st) != 0 || fstat(p->parent_fd, &parent) != 0)
		return -errno;
	/* Only what we have just made: somebody may have put another in its place. */
	if (geteuid() != 0 || st.st_uid != 0 || parent.st_uid == 0)
		return 0;
	if (!protected_is_marked(&st) || !protected_is_empty(p->fd))
		return -EEXIST;
	return fchown(p->fd, parent.st_uid, parent.st_gid) != 0 ? -errno : 0;
}

/* One try. Returns 0; -EAGAIN where another run was just taking it away; or -errno. */
static int make_or_find(struct placeholder *p)
{
	mode_t mask = umask(0);
	int made = mkdirat(p->parent_fd, p->name, PLACEHOLDER_MODE) != 0 ? -errno : 0;
	int r;

	umask(mask);
	if (made < 0 && made != -EEXIST)
		return made;
	p->fd = sys_openat(p->parent_fd, p->name, OPEN_FLAGS, 0);
	if (p->fd < 0)
		return p->fd == -ENOENT ? -EAGAIN : p->fd;
	r = made == 0 ? give_to_owner(p) : 0;
	if (r == 0)
		r = lock(p->fd, LOCK_SH);
	if (r == -EWOULDBLOCK)
		r = -EAGAIN;
	if (r == 0 && !is_ours(p)) {
		struct stat st;

		/* Taken away between open and lock, or something that is none. */
		r = fstat(p->fd, &st) == 0 && protected_is_marked(&st) ? -EAGAIN : -EEXIST;
	}
	if (r < 0)
		close_fd(&p->fd);
	return r;
}

static int refuse(const char *path, int result, struct err *err)
{
	err_set(err, ERR_SETUP, -result, "%s: keep its place, for it is protected", path);
	if (result == -EEXIST || result == -ENOTDIR || result == -ELOOP || result == -EAGAIN)
		return err_hint(err, "Somebody made it while the sandbox was started: start again, "
				     "and it is protected as it is then.");
	if (result == -EACCES || result == -EPERM)
		return err_hint(err,
				"Only who may make it can keep its place: make it, or take it from "
				"the list.");
	if (result == -EROFS)
		return err_hint(err, "Nothing can be made there: show the source read-only.");
	return result;
}

/* The directory that the place is in, and the place's name; as it was looked at, and without
 * links. */
static int open_parent(const struct source_fact *fact, const char *below, struct placeholder *p)
{
	_cleanup_fd_ int source = sys_openat2(AT_FDCWD, fact->path, PLACE_FLAGS, 0, NO_LINKS);
	const char *slash = strrchr(below, '/');
	char dir[PATH_MAX];
	struct statx st;
	int r = source < 0 ? source : sys_statx(source, "", AT_EMPTY_PATH, STATX_INO, &st);

	if (r < 0)
		return r;
	if (st.stx_ino != fact->ino || st.stx_dev_major != fact->dev_major ||
	    st.stx_dev_minor != fact->dev_minor)
		return -ESTALE;
	str_format(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - below) : 1,
		   slash != NULL ? below : ".");
	str_format(p->name, sizeof(p->name), "%s", slash != NULL ? slash + 1 : below);
	p->parent_fd = sys_openat2(source, dir, PLACE_FLAGS, 0, BELOW);
	return p->parent_fd < 0 ? p->parent_fd : 0;
}

static int journal(struct launch *launch, size_t index, const char *path, struct err *err)
{
	char name[LINK_NAME], line[64];
	int r;

	link_name(index, name);
	str_format(line, sizeof(line), "%s", name);
	r = state_journal(&launch->run, line, err);
	return r < 0 ? r : state_note_path(&launch->state, &launch->run, name, path, err);
}

static int make_one(struct launch *launch, const struct source_fact *fact,
		    struct tree_protected *place, struct err *err)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	size_t index = launch->n_placeholders;
	struct placeholder *p = &launch->placeholders[index];
	char path[PATH_MAX], line[64];
	struct statx st = {0};
	int r;

	*p = (struct placeholder){.parent_fd = -EBADF, .fd = -EBADF};
	str_format(path, sizeof(path), "%s/%s", fact->path, place->path);
	r = open_parent(fact, place->path, p);
	if (r < 0)
		return refuse(path, r, err);
	r = journal(launch, index, path, err);
	if (r < 0)
		return r;
	launch->n_placeholders++;
	r = make_or_find(p);
	for (int i = 0; r == -EAGAIN && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		r = make_or_find(p);
	}
	if (r == 0)
		r = sys_statx(p->fd, "", AT_EMPTY_PATH, STATX_INO, &st);
	if (r < 0)
		return refuse(path, r, err);
	place->dev_major = st.stx_dev_major;
	place->dev_minor = st.stx_dev_minor;
	place->ino = p->ino = st.stx_ino;
	str_format(line, sizeof(line), "%s%zu %llu", made_line, index, (unsigned long long)p->ino);
	return state_journal(&launch->run, line, err);
}

int placeholders_make(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < launch->spec->n_mounts; i++) {
		struct tree_protected *list = launch->sources[i].protected;

		for (size_t k = 0; k < launch->spec->mounts[i].n_protected; k++) {
			int r = 0;

			if (list[k].place == PLACE_MISSING && !is_repeated(list, k))
				r = make_one(launch, &launch->decision->sources[i], &list[k], err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- taking it away ---- */

/* ino 0: it was killed before it could say which one it made. */
static int remove_if_last(struct placeholder *p, const char *path, struct err *err)
{
	int r = lock(p->fd, LOCK_EX);
	struct stat st;

	/* Another run relies on it, and will remove it. */
	if (r == -EWOULDBLOCK)
		return 0;
	if (r < 0)
		return err_set(err, ERR_SETUP, -r, "%s: lock", path);
	/* Where it is something else by now, it is not ours to remove. */
	if (!is_ours(p) || (p->ino != 0 && (fstat(p->fd, &st) != 0 || st.st_ino != p->ino)))
		return 0;
	if (unlinkat(p->parent_fd, p->name, AT_REMOVEDIR) != 0 && errno != ENOENT &&
	    errno != ENOTEMPTY && errno != EEXIST)
		return err_set(err, ERR_SETUP, errno, "%s: take the placeholder away", path);
	return 0;
}

void placeholders_release(struct placeholder *placeholders, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		close_fd(&placeholders[i].fd);
		close_fd(&placeholders[i].parent_fd);
	}
}

int placeholders_undo(struct launch *launch, struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < launch->n_placeholders; i++) {
		struct placeholder *p = &launch->placeholders[i];
		int r = p->fd >= 0 ? remove_if_last(p, p->name, err) : 0;

		result = r < 0 ? r : result;
	}
	placeholders_release(launch->placeholders, launch->n_placeholders);
	return result;
}

/* ---- gc ---- */

/* The inode that the journal has for placeholder `index`, 0 where it has none. */
static uint64_t journalled_ino(const char *text, size_t index)
{
	char prefix[64], number[24];
	uint64_t ino = 0;

	str_format(prefix, sizeof(prefix), "begin %s%zu ", made_line, index);
	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n') {
		if (!str_has_prefix(line, prefix))
			continue;
		str_format(number, sizeof(number), "%.*s",
			   (int)strcspn(line + strlen(prefix), "\n"), line + strlen(prefix));
		if (parse_u64(number, &ino) < 0)
			ino = 0;
	}
	return ino;
}

static int gc_one(const char *path, uint64_t ino, struct err *err)
{
	_cleanup_fd_ int parent = -EBADF;
	_cleanup_fd_ int fd = -EBADF;
	struct placeholder p = {.ino = ino};
	const char *name = strrchr(path, '/');
	char dir[PATH_MAX];

	if (name == NULL || path[0] != '/' || strlen(name + 1) >= sizeof(p.name))
		return 0;
	str_format(dir, sizeof(dir), "%.*s", name == path ? 1 : (int)(name - path), path);
	str_format(p.name, sizeof(p.name), "%s", name + 1);
	parent = sys_openat2(AT_FDCWD, dir, PLACE_FLAGS, 0, NO_LINKS);
	fd = parent < 0 ? parent : sys_openat(parent, p.name, OPEN_FLAGS, 0);
	/* Gone, or something else by now. */
	if (fd < 0)
		return 0;
	p.parent_fd = parent;
	p.fd = fd;
	return remove_if_last(&p, path, err);
}

int placeholders_gc(int run_dir_fd, const char *journal_text, struct err *err)
{
	int result = 0;

	for (size_t i = 0; i < PLACEHOLDERS_MAX; i++) {
		char name[LINK_NAME], path[PATH_MAX];
		ssize_t n;
		int r;

		link_name(i, name);
		n = readlinkat(run_dir_fd, name, path, sizeof(path) - 1);
		if (n <= 0)
			continue;
		path[n] = '\0';
		r = gc_one(path, journalled_ino(journal_text, i), err);
		result = r < 0 ? r : result;
	}
	return result;
}

int placeholders_forget(int run_dir_fd)
{
	for (size_t i = 0; i < PLACEHOLDERS_MAX; i++) {
		char name[LINK_NAME];

		link_name(i, name);
		if (unlinkat(run_dir_fd, name, 0) != 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}
