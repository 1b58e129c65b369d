/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first and the last of the tree: the new root, its sealing, the pivot, and the proofs. Runs in
 * the child; see apply.h. */
#include "rootfs/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "rootfs/fs.h"

/* Places on the host to build on. Any directory serves: the mount is seen by this namespace alone
 * and covers nothing that is still needed, for sources are opened before. */
static const char *const staging_places[] = {"/tmp", "/run", "/mnt"};

static int fail(struct err *err, int result, const char *what, const char *object)
{
	return err_set(err, ERR_SETUP, -result, "%s: %s", object, what);
}

int rootfs_private(struct err *err)
{
	int r = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);

	return r < 0 ? fail(err, r, "make all mounts private", "/") : 0;
}

/* ---- the root ---- */

/* Remembers a mount as ours: mount points may be made on it. */
int rootfs_note_own(struct rootfs_run *run, int mount_fd)
{
	struct statx st;
	int r = sys_statx(mount_fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st);

	if (r == 0)
		run->own_mounts[run->n_own_mounts++] = st.stx_mnt_id;
	return r;
}

static int attach_staging(int fd, struct err *err)
{
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(staging_places) / sizeof(staging_places[0]); i++) {
		r = sys_move_mount(fd, "", AT_FDCWD, staging_places[i], MOVE_MOUNT_F_EMPTY_PATH);
		if (r == 0)
			return 0;
	}
	return fail(err, r, "attach the root's tmpfs (tried /tmp, /run, /mnt)", "rootfs");
}

/* What is below is never written to: an overlay takes what changes. */
static int make_overlay(struct rootfs_run *run, struct err *err)
{
	struct rootfs_upper upper = {.upper = ""};
	int r;

	if (mkdirat(run->staging_fd, "root", 0755) != 0)
		return fail(err, -errno, "make a directory for the overlay", "root");
	r = rootfs_make_upper(run, rootfs_top_lower(run)->tree_fd, &upper, err);
	if (r < 0)
		return r;
	r = rootfs_attach_lowers(run, err);
	if (r < 0)
		return r;
	run->root_fd = rootfs_mount_overlay(run, &upper, err);
	return run->root_fd < 0 ? run->root_fd : 0;
}

int rootfs_make_root(struct rootfs_run *run, struct err *err)
{
	const struct spec_rootfs *rootfs = &run->spec->rootfs;
	bool has_store = run->store_fd >= 0;
	/* With a store this holds the directories that mounts are attached to, and is gone with
	 * the old root. */
	struct tree_op op = {.mode = 0755,
			     .size_bytes = has_store ? 1 << 20 : rootfs->size_bytes,
			     .inodes = has_store ? 1024 : rootfs->inodes,
			     .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
			     .for_user = rootfs->writable != WRITABLE_NONE && !has_store};
	int r;

	run->staging_fd = fs_tmpfs(&op, run->spec->identity.uid, run->spec->identity.gid);
	if (run->staging_fd < 0)
		return fail(err, run->staging_fd, "make the root's tmpfs", "rootfs");
	r = attach_staging(run->staging_fd, err);
	if (r == 0 && run->n_lowers > 0)
		r = make_overlay(run, err);
	else if (r == 0)
		run->root_fd = has_store ? rootfs_root_on_store(run, err) : run->staging_fd;
	if (r < 0 || run->root_fd < 0)
		return r < 0 ? r : run->root_fd;
	r = rootfs_note_own(run, run->root_fd);
	return r < 0 ? fail(err, r, "stat the new root", "/") : 0;
}

/* ---- sealing and pivot ---- */

int rootfs_seal(struct rootfs_run *run, struct err *err)
{
	int r = fs_set_attrs(run->dev_fd, MOUNT_ATTR_RDONLY, 0);

	if (r == 0 && run->spec->rootfs.writable == WRITABLE_NONE)
		r = fs_set_attrs(run->root_fd, MOUNT_ATTR_RDONLY, 0);
	return r < 0 ? fail(err, r, "make the root read-only", "/") : 0;
}

static int check_read_only(int dirfd, const char *object, struct err *err)
{
	int fd = sys_openat(dirfd, ".cordon-seal", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	if (fd == -EROFS)
		return 0;
	if (fd < 0)
		return fail(err, fd, "read back that it is read-only", object);
	close(fd);
	return err_set(err, ERR_SETUP, 0, "%s: is writable after it was made read-only", object);
}

int rootfs_verify_seal(struct rootfs_run *run, struct err *err)
{
	int r = check_read_only(run->dev_fd, "/dev", err);

	if (r == 0 && run->spec->rootfs.writable == WRITABLE_NONE)
		r = check_read_only(run->root_fd, "/", err);
	return r;
}

int rootfs_pivot(struct rootfs_run *run, struct err *err)
{
	int r;

	if (fchdir(run->root_fd) != 0)
		return fail(err, -errno, "enter the new root", "/");
	/* Both arguments the same: the old root ends up mounted over the new one, and is what
	 * umount2 takes off (pivot_root(2), NOTES). */
	r = sys_pivot_root(".", ".");
	if (r == -EINVAL) {
		fail(err, r, "pivot_root", "/");
		return err_hint(err, "The host's root may be an initramfs, which cannot be pivoted "
				     "away from: switch_root to a real one first.");
	}
	if (r < 0)
		return fail(err, r, "pivot_root", "/");
	return 0;
}

int rootfs_detach_old_root(struct err *err)
{
	if (umount2(".", MNT_DETACH) != 0)
		return fail(err, -errno, "detach the old root", "/");
	if (chdir("/") != 0)
		return fail(err, -errno, "enter the new root", "/");
	return 0;
}

int rootfs_verify_pivot(struct rootfs_run *run, struct err *err)
{
	static const char *const places[] = {"/", "/..", "."};
	struct statx want, have;
	int r = sys_statx(run->root_fd, "", AT_EMPTY_PATH, STATX_MNT_ID | STATX_INO, &want);

	if (r < 0)
		return fail(err, r, "stat the new root", "/");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		r = sys_statx(AT_FDCWD, places[i], 0, STATX_MNT_ID | STATX_INO, &have);
		if (r < 0)
			return fail(err, r, "stat", places[i]);
		if (have.stx_mnt_id != want.stx_mnt_id || have.stx_ino != want.stx_ino)
			return err_set(err, ERR_SETUP, 0, "%s: is not the new root after the pivot",
				       places[i]);
	}
	return 0;
}

/* Whether text holds one of the marks of a mount that has peers or a master. Paths cannot hold
 * them: their spaces are written as octal. */
static bool has_peer(const char *text)
{
	return strstr(text, " shared:") != NULL || strstr(text, " master:") != NULL;
}

int rootfs_verify_private(struct err *err)
{
	static const char path[] = "/proc/self/mountinfo";
	enum { OVERLAP = 16 }; /* longer than a mark */
	_cleanup_fd_ int proc = sys_open_proc();
	_cleanup_fd_ int fd =
		proc < 0 ? proc : sys_openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	char text[4096];
	size_t kept = 0;
	ssize_t n;

	if (fd < 0)
		return fail(err, fd, "open", path);
	while ((n = read(fd, text + kept, sizeof(text) - 1 - kept)) > 0) {
		size_t len = kept + (size_t)n;

		text[len] = '\0';
		if (has_peer(text))
			return err_set(err, ERR_SETUP, 0,
				       "a mount of the sandbox is shared with the host");
		kept = len < OVERLAP ? len : OVERLAP;
		memmove(text, text + len - kept, kept);
	}
	return n < 0 ? fail(err, -errno, "read", path) : 0;
}
