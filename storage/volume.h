/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store of volumes: directories that outlive the sandboxes that they are shown to.
 *
 *     .lock          flock: held for a moment by whoever makes, renames or removes
 *     NAME/record    what the volume is, as lines; first its format's number
 *     NAME/data/     what the workloads see. As root its files have the foreign ids of store.h, so
 *                    that nothing in it belongs to an account of the host; as a user all is the
 *                    user's. Of one in a project it has a project quota (quota.h)
 *     NAME/image     in the place of data, of one with a limited size: an ext4 (quota.h), whose
 * root is what the workloads see, with the same ids. All who have it share one loop device and one
 * super block, which go with the last NAME/mounting  flock: held for a moment by whoever mounts it
 *     NAME/filling   an image's content is being copied into data: all of that is made anew
 *     .new-ID        is being made, locked (flock) by its maker
 *     .old-ID        is being removed
 *
 * Every directory but data is the caller's alone (mode 0700): a setuid file in a volume can be
 * reached by nobody else. A volume comes to its name by one rename, after it was written to the
 * disk, and leaves it by one: what has a name is whole. What a crash leaves has a dot, and
 * volumes_sweep removes it where nobody has it locked.
 *
 * In use: whoever runs with a volume holds a shared flock of NAME. A kept sandbox also when it does
 * not run: the file `volumes` beside its record has a name a line, so that it holds for as long as
 * there is the record, and no longer.
 *
 * Runs in the commands and in the keeper, as the caller.
 */
#ifndef CORDON_STORAGE_VOLUME_H
#define CORDON_STORAGE_VOLUME_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	VOLUME_ID_LEN = 64, /* of an anonymous one's name: hex, as Docker's */
	VOLUME_NAME_MAX = 200,
	VOLUME_PAIRS_MAX = 4096,
	VOLUME_HOLDER_MAX = 1024,
	VOLUME_TEXT_MAX = 16384,
	VOLUMES_MAX = 4096, /* that are listed */
	VOLUMES_HOLD_MAX = 65536,
	VOLUME_INODE_RATIO = 16384, /* bytes for each inode, where nothing is said */
};

/* Of labels or options: "name=value", each with a NUL. */
struct volume_pairs {
	char text[VOLUME_PAIRS_MAX];
	size_t len;
};

struct volume {
	char name[VOLUME_NAME_MAX + 1];
	bool is_anonymous;
	int64_t created_ms; /* since 1970 */
	struct volume_pairs labels;
	struct volume_pairs options;
	uint64_t size_bytes; /* what it may take; 0: what there is */
	uint64_t inodes;
	bool is_project; /* its size is a project quota's; else a file system's of its own */
	/* Of an anonymous one that goes with a run: the path of that run's directory. Where that is
	 * gone, gc removes the volume. "": none. */
	char holder[VOLUME_HOLDER_MAX];
};

/* Docker's rule: a letter or digit, and at least one more of letters, digits and _.- */
bool volume_is_name(const char *text);
/* A name that no other has, for an anonymous one. 0 or -errno. */
int must_check volume_make_name(char buf[VOLUME_NAME_MAX + 1]);

/* The pair at *at, moved on; NULL behind the last. */
const char *volume_next_pair(const struct volume_pairs *pairs, size_t *at);
/* Appends one, "name=" where it has no value. -EINVAL: no such text; -ENOSPC. */
int must_check volume_add_pair(struct volume_pairs *pairs, const char *pair);

/* Returns the length. */
size_t volume_format(const struct volume *volume, char buf[VOLUME_TEXT_MAX]);
/* -EBADMSG: not what volume_format writes; -EPROTONOSUPPORT: of another format. */
int must_check volume_parse(const char *text, struct volume *ret);

/* ---- the store ---- */

struct volumes {
	char path[PATH_MAX]; /* STATE/volumes, free of links where it is there */
	int fd;              /* -EBADF: there is none */
};

/* The names below the directory of a volume. */
#define VOLUME_RECORD   "record"
#define VOLUME_DATA     "data"
#define VOLUME_IMAGE    "image"
#define VOLUME_MOUNTING "mounting"
#define VOLUME_FILLING  "filling"

/*
 * Opens STATE/volumes. makes: what is missing is made (mode 0700); without it a missing store is no
 * error, and has no volumes. Refuses what somebody else owns or may enter, and a link.
 */
int must_check volumes_open(const char *state, bool makes, struct volumes *ret, struct err *err);
void volumes_release(struct volumes *volumes);

/* -ENOENT without err where there is none; else with err. */
int must_check volumes_read(const struct volumes *volumes, const char *name, struct volume *ret,
			    struct err *err);
/* The same with ERR_USAGE and a hint for -ENOENT. */
int must_check volumes_find(const struct volumes *volumes, const char *name, struct volume *ret,
			    struct err *err);

struct volume_list {
	struct volume *list; /* sorted by name */
	size_t n;
	size_t n_damaged; /* left out; err says what is wrong with one of them */
};
int must_check volumes_list(const struct volumes *volumes, struct volume_list *ret,
			    struct err *err);
void volume_list_free(struct volume_list *list);

/* ---- making ---- */

struct volume_work {
	struct volume volume;
	char temporary[24]; /* ".new-ID" */
	int dir_fd;         /* locked until the end; each is -EBADF when not open */
	int data_fd;        /* to be filled by the caller, by names below it */
};

/*
 * Begins a volume: its record is written, its data empty, of mode 0755, with id 0 of the foreign
 * ids as its owner (as root) or the caller. Takes the lock for a moment. Needs: volume_is_name.
 */
int must_check volumes_begin(const struct volumes *volumes, const struct volume *volume,
			     struct volume_work *ret, struct err *err);
/* Gives it the labels and options of another one. */
int must_check volumes_describe(struct volume_work *work, const struct volume *like,
				struct err *err);
/*
 * Gives it its name. What the caller put into data is on the disk already (syncfs), or may be lost.
 * replaces: in place of the one that has the name, in one step; that one has to be in use by
 * nobody who runs (-EBUSY). Without it -EEXIST where there is one. Takes the lock for a moment.
 * After: the work is ended, whatever the result.
 */
int must_check volumes_commit(const struct volumes *volumes, struct volume_work *work,
			      bool replaces, struct err *err);
/* Removes what was begun; what cannot be removed is left to gc. Idempotent, also after a commit. */
void volumes_abort(const struct volumes *volumes, struct volume_work *work);

/* volumes_begin and volumes_commit of an empty one. */
int must_check volumes_add(const struct volumes *volumes, const struct volume *volume,
			   struct err *err);

/* ---- using ---- */

struct volume_hold {
	struct volume volume;
	int dir_fd;   /* NAME, with a shared lock as long as anybody has this open file */
	int data_fd;  /* its files, by their ids on the disk */
	int begin_fd; /* the record, locked until volumes_fill_begin: nobody else begins */
};

/* Holds the volume and reads its record; waits for one who copies it, and for another one who
 * begins. -ENOENT without err where there is none. */
int must_check volumes_hold(const struct volumes *volumes, const char *name,
			    struct volume_hold *ret, struct err *err);
void volume_hold_release(struct volume_hold *hold);

/*
 * Keeps others from beginning to hold it, and from removing it, until it is closed: whoever holds
 * it goes on. Waits for another one who does the same. -ENOENT without err where there is none.
 */
struct volume_gate {
	int record_fd; /* locked exclusively: volumes_hold takes that lock */
	int dir_fd;    /* likewise, shared */
	size_t n_holders;
};
int must_check volumes_close_gate(const struct volumes *volumes, const char *name,
				  struct volume_gate *ret, struct err *err);
void volumes_open_gate(struct volume_gate *gate);

/* Whether somebody runs with it. */
bool volumes_is_held(const struct volumes *volumes, const char *name);

/* The file beside a sandbox's record: the name of a volume a line. */
#define VOLUME_HOLD_FILE "volumes"

/*
 * Calls fn for each volume of each sandbox that has a record: in ../sandboxes of the store, and in
 * RUN/sandboxes where run is not NULL (those that remove themselves). A result of fn's that is not
 * 0 ends it and is returned.
 */
struct volume_users {
	int (*fn)(void *ctx, const char *sandbox, const char *name);
	void *ctx;
};
int must_check volumes_users(const struct volumes *volumes, const char *run,
			     const struct volume_users *users, struct err *err);

/* ---- removing ---- */

/*
 * Removes it with all that is in it. ERR_USAGE (-EBUSY) where a sandbox that runs, or that has a
 * record, uses it: says which. Not there: 0. run: as of volumes_users.
 */
int must_check volumes_remove(const struct volumes *volumes, const char *name, const char *run,
			      struct err *err);

/* The same for who is about to give it up: its own record counts for nothing. */
struct volume_remover {
	const char *run;     /* as of volumes_users */
	const char *sandbox; /* its id */
};
int must_check volumes_remove_own(const struct volumes *volumes, const char *name,
				  const struct volume_remover *by, struct err *err);

/* Removes what a crash left: also volumes whose holder is gone and that nobody uses. Adds to
 * *n_removed. run: as of volumes_users. */
int must_check volumes_sweep(const struct volumes *volumes, const char *run, uint32_t *n_removed,
			     struct err *err);

/* ---- its files ---- */

/* Opens them, by their ids on the disk. dir_fd: NAME. Returns the descriptor. */
int must_check volumes_open_data(const struct volume *volume, int dir_fd, struct err *err);

/*
 * ---- of limited size: as root ----
 *
 * A further mount of its own (O_PATH, nosuid, nodev), attached nowhere, whose root are its files.
 * Mounted by nobody else it is checked by e2fsck before. Needs: CAP_SYS_ADMIN, a loop device.
 */
int must_check volumes_mount(const struct volume *volume, int dir_fd, struct err *err);

/* Whether it is a file system of its own; and the name of what holds its size: "image", "project",
 * NULL where it has none. */
bool volume_has_image(const struct volume *volume);
const char *volume_store_name(const struct volume *volume);

/* What is used of it, by such a mount, or as its project has it. */
int must_check volumes_measure(const struct volumes *volumes, const struct volume *volume,
			       uint64_t *ret_bytes, uint64_t *ret_inodes, struct err *err);

/* Decides what holds the size of a volume that is to be made there. ERR_USAGE where a project is
 * asked for and cannot be had, or where none can have that size and number of inodes. */
enum volume_store { VOLUME_STORE_IMAGE, VOLUME_STORE_PROJECT, VOLUME_STORE_AUTO };
int must_check volumes_choose_store(const struct volumes *volumes, enum volume_store store,
				    struct volume *volume, struct err *err);
/* ERR_USAGE where no volume can have that size and number of inodes. */
int must_check volume_check_size(const struct volume *volume, struct err *err);

/* ---- what it gets from an image ---- */

int must_check volumes_is_empty(int data_fd, bool *ret);

/*
 * To be called by whoever holds a volume, before it is shown. wants: an empty one is to be filled.
 * Then *ret_is_filling is true: nobody else has it until volumes_fill_end, the hold's lock is
 * exclusive, and a mark is on the disk. What was copied when somebody was killed in between is
 * removed first. Waits for another one who fills it. -EAGAIN without err: to be held anew.
 */
int must_check volumes_fill_begin(const struct volumes *volumes, struct volume_hold *hold,
				  bool wants, bool *ret_is_filling, struct err *err);
/* What was put into it is on the disk, and stays. */
int must_check volumes_fill_end(const struct volume_hold *hold, struct err *err);

#endif
