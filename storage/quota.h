/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written to a sandbox's root, on a file system of limited size, as root.
 *
 *     projects/ID                     a directory with the project quota ID (quota_project.c)
 *     templates/SIZE.INODES           an empty ext4 of that size, sparse; made once by mke2fs
 *     templates/SIZE.INODES.journal   the same with a journal, for layers that are kept
 *
 * `image` is a copy of a template in a file without a name, on a loop device, mounted nowhere: the
 * mount holds the device, the device the file, and nothing else does. When the last descriptor and
 * the last namespace that has the mount are gone, so are all three, whoever was killed before.
 *
 * A kept layer is such a file with a name, in the directory of its sandbox's record, and has a
 * journal. It is locked (flock(2), by the open file that the loop device has) as long as a device
 * holds it, and checked by e2fsck before each mount, for the machine may have lost its power.
 *
 * The directory is the caller's alone (mode 0700). No sandbox is shown it, or any of the devices:
 * what a workload writes reaches the file through the kernel's ext4 alone.
 *
 * Runs in the keeper, with its privileges. Sources: loop(4), fsopen(2), ext4(5), mke2fs(8).
 */
#ifndef CORDON_STORAGE_QUOTA_H
#define CORDON_STORAGE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	QUOTA_BLOCK = 4096,
	QUOTA_SIZE_MIN = 1 << 20,
	QUOTA_KEPT_SIZE_MIN = 8 << 20, /* mke2fs: a journal is less than half of it */
	QUOTA_JOURNAL_BYTES = 4 << 20, /* the least that there is; beside size_bytes */
	/* Inodes that the file system needs for itself (mke2fs: 11), and for the two directories
	 * and overlay's own. */
	QUOTA_OWN_INODES = 14,
	/* Likewise of a project: the directory, the two, and overlay's own. */
	QUOTA_PROJECT_OWN_INODES = 4,
	QUOTA_INODE_BYTES = 256,
	QUOTA_INODES_IN_BLOCK = QUOTA_BLOCK / QUOTA_INODE_BYTES,
};

struct quota_request {
	int dir_fd;           /* the directory above */
	const char *dir_path; /* its path, for messages */
	uint64_t size_bytes;
	uint64_t inodes;
	uint32_t uid; /* on the host: whose what is written to is at the beginning */
	uint32_t gid;
	bool is_kept;
	bool preallocates; /* all of it is taken from the disk's free space at once */
	int layer_dir_fd;  /* a kept one's: where the file is, */
	const char *layer_name;
	const char *layer_what; /* for messages: "the sandbox's layer"; */
	const char *layer_anew; /* and what to do where it is no good, a sentence */
	uint32_t checker_id;    /* whose it is on the host, and as whom e2fsck runs */
};

struct quota_size {
	uint64_t size_bytes;
	uint64_t inodes;
};

/* The names of the directories on the mount that an overlay takes, and of the first that a root
 * without a lower layer is. */
#define QUOTA_UPPER "upper"
#define QUOTA_WORK  "work"

/*
 * Makes a new file system with the two directories on it. Returns 0 and the mount's descriptor
 * (O_PATH, CLOEXEC, nosuid, nodev). Errors name what is missing, with a hint.
 */
int must_check quota_image_make(const struct quota_request *request, int *ret_mount_fd,
				struct err *err);

/*
 * The same for a layer that is kept: it is made where there is none, else checked.
 * Waits for a mount of it that is just going away. *ret_is_old: what is on it was written before.
 */
int must_check quota_layer_mount(const struct quota_request *request, int *ret_mount_fd,
				 bool *ret_is_old, struct err *err);

/*
 * The same of a volume, which several have at once: one that is there, mounted once more where it
 * is mounted. Nobody else may do the same at this moment. quota_layer_add makes one that is not
 * there; by then nothing is mounted.
 */
int must_check quota_layer_share(const struct quota_request *request, int *ret_mount_fd,
				 struct err *err);
int must_check quota_layer_add(const struct quota_request *request, struct err *err);

/*
 * A directory with a project quota in the place of a file system, where the place's own has them.
 * *ret_dir_fd is the directory, locked: what is left of one that nobody has locked goes with the
 * next command. quota_project_end removes what is in it: CAP_DAC_OVERRIDE, CAP_FOWNER. Needs: all
 * processes that write to it are gone. verify reads limits and project back.
 */
int must_check quota_project_make(const struct quota_request *request, int *ret_dir_fd,
				  int *ret_mount_fd, struct err *err);
int must_check quota_project_verify(int dir_fd, const struct quota_request *request,
				    struct err *err);
int must_check quota_project_end(int dir_fd, struct err *err);
/* Removes those of the dead below kept_path/name, and gives their ids back; those of which somebody
 * still has a file open stay, with their limits. Both directories have to be the caller's alone
 * (-EPERM); where one is not there, nothing is. */
int must_check quota_project_gc(const char *kept_path, const char *name, uint32_t *ret_removed,
				struct err *err);
/* Removes templates that have not been used for thirty days; of the directories likewise. */
int must_check quota_template_gc(const char *kept_path, const char *name, uint32_t *ret_removed,
				 struct err *err);
/* Whether limits of projects are enforced at path. 0, or -errno: -ENOSYS, -ESRCH. */
int must_check quota_project_probe(const char *path);

/*
 * ---- a directory that is kept: a volume's, or of a sandbox that is kept ----
 *
 * Its project is an attribute of the directory's, and limits and use are the file system's: nothing
 * else is written down. `limit`: the inodes with the directory's own. The directory above has to be
 * the caller's alone. Each but probe, as quota_project_make: CAP_SYS_ADMIN.
 */

/* Gives an empty directory a project that nobody's files or limits have, and the limits; they are
 * read back, and on the disk. One that has got its project before keeps it. */
int must_check quota_directory_claim(int dir_fd, const struct quota_size *limit, struct err *err);
/* Whether limits are enforced, and are these, of a project of its own that the directory gives to
 * what is made in it. */
int must_check quota_directory_verify(int dir_fd, const struct quota_size *limit, struct err *err);
/* Other limits, likewise. */
int must_check quota_directory_limit(int dir_fd, const struct quota_size *limit, struct err *err);
/* -ENODATA: it has no project of its own. 0 or -errno. */
int must_check quota_directory_read(int dir_fd, struct quota_size *ret_limit,
				    struct quota_size *ret_used);
/*
 * Removes the directory with all that is in it, and gives its project back: limits first. 1: its
 * files are gone, but somebody still has one open, or the caller may not take the limits away; then
 * it stays, with both. Not there, or without a project of its own: 0, and nothing is done. -errno.
 */
int must_check quota_directory_end(int above_fd, const char *name);

/*
 * quota_project_make for a sandbox that is kept: the directory request->layer_name in
 * layer_dir_fd, made and claimed where it is not there or empty, else with the limits that are
 * asked for, which may be larger than before. Locked as long as the descriptor is open; waits for
 * somebody's who is about to end.
 */
int must_check quota_directory_mount(const struct quota_request *request, int *ret_dir_fd,
				     int *ret_mount_fd, bool *ret_is_old, struct err *err);

/* What the mount has, read back from the kernel: an ext4 or -EBADFD with err; its size and its
 * inodes, those that it needs for itself left out. */
int must_check quota_image_size(int mount_fd, struct quota_size *ret, struct err *err);

/* Whether files without a name can be made in the directory at path, or would be in the one that
 * is made there, and how much they could take. Returns 0 or -errno. Or, the second, whether
 * their space can be reserved there (-EOPNOTSUPP). */
int must_check quota_image_probe(const char *path, uint64_t *ret_free_bytes);
int must_check quota_preallocate_probe(const char *path);

/* ---- within storage/ ---- */

/* The directory at path, or the one that it will be made in. */
int must_check quota_open_existing(const char *path);

/* A directory that is the caller's alone, or -EPERM with err. at_fd: an error of before is returned
 * as it is. */
int must_check quota_open_own(int at_fd, const char *path, struct err *err);

/* The path of a program of e2fsprogs, NULL where there is none. */
const char *quota_program_path(const char *name);

/*
 * Executes a program of e2fsprogs, argv[0] its path, as user and group `id` (0: the caller's),
 * without capabilities and without any descriptor but `file` as 3 and a pipe, of which the last
 * line is kept in `said`. Returns its exit code or -errno.
 */
enum { QUOTA_FILE_FD = 3, QUOTA_SAID_MAX = 256 };
int must_check quota_program_run(const char *const argv[], int file, uint32_t id,
				 char said[QUOTA_SAID_MAX]);

/* The template of that size, made where there is none; `file` gets its size. Returns its
 * descriptor.
 */
int must_check quota_template_open(const struct quota_request *request, int file, struct err *err);

/* Writes a template to a file or a loop device that is empty; holes stay holes. 0 or -errno. */
int must_check quota_template_put(int template_fd, int to_fd);

/* Where the request asks for it: takes all of the file's size from the disk's free space. What is
 * there stays, what is not reads as zero. */
int must_check quota_preallocate(const struct quota_request *request, int file, struct err *err);

/* A mount of the ext4 in `file`, on a loop device of its own that goes with it. template_fd, unless
 * it is negative: `file` is zeros, and that is written to the device before. */
int must_check quota_loop_mount(const struct quota_request *request, int file, int template_fd,
				int *ret_mount_fd, struct err *err);

/* A further mount of the ext4 in `file` where a loop device has it. -ENOENT without err: none. */
int must_check quota_loop_share(const struct quota_request *request, int file, int *ret_mount_fd,
				struct err *err);

/* QUOTA_UPPER and QUOTA_WORK on the mount. 1: they were there, 0, or -errno. */
int must_check quota_make_directories(const struct quota_request *request, int mount_fd);

#endif
