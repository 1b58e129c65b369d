/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the records of sandboxes lie, and who may change them when.
 *
 *     HOME/sandboxes/ID/record   what it is: how to start it (record.h). Replaced by a rename
 *     HOME/sandboxes/ID/image    the id of the image that it is from; by it the store of images
 *                                knows that the image is needed (storage/store.h)
 *     HOME/sandboxes/ID/volumes  the names of its volumes, a line each; likewise for them
 *                                (storage/volume.h)
 *     HOME/sandboxes/ID/state    how its last start went (status.h). Likewise
 *     HOME/sandboxes/ID/wanted   whether it is to run: what a restart and `start --all` go by
 *     HOME/sandboxes/ID/layer    what it wrote to its root (storage/quota.h), once it was started;
 *                                or layer.project, a directory, where that is a project
 *     HOME/sandboxes/ID/lock     locked (fcntl(2), open file description) while its keeper lives
 *     HOME/names/NAME            a link whose text is the id. Making it is how a name is taken
 *     HOME/events, events.1      what happened (events.h)
 *     HOME/lock                  shared: something is being made; exclusive: gc
 *     RUN/sandboxes/ID/lock      likewise, for who meets the directory without the record
 *     RUN/sandboxes/ID/live      what runs now (status.h)
 *     RUN/sandboxes/ID/paused    it is paused, or is about to be
 *     RUN/sandboxes/ID/updating  its control groups are being changed (cmd/update_apply.h)
 *     RUN/sandboxes/ID/left      of one that removes itself: for its exit code, where one waits
 *
 * HOME is the state root: /var/lib/cordon, $XDG_DATA_HOME/cordon or ~/.local/share/cordon,
 * DIR/state with --root DIR. It outlives the boot: a file is written whole, fsynced, renamed, and
 * its directory fsynced. RUN is the run root (launcher/state.h), bound to the boot: of an ordinary
 * user it is another one where XDG_RUNTIME_DIR is, so whether a keeper lives is asked in HOME, and
 * `state` says where its RUN is. A sandbox that removes itself at its end (--rm) is bound to the
 * boot as well: its record lies in RUN, and the two locks are one.
 *
 * A directory that begins with a dot is being made or removed: with nobody who holds HOME/lock it
 * is rubbish. A file that does is being written: with no keeper it is rubbish to whoever holds the
 * sandbox's lock. A name's link counts where the record that it leads to has that name, a claim of
 * host ids (launcher/ids.h) where its record is there; what a crash leaves of them is taken over,
 * or removed by gc.
 *
 * Who changes a record, its name or its state while no keeper lives holds its directory's flock;
 * who reads takes no lock, and so is never kept waiting.
 */
#ifndef CORDON_RECORDS_STORE_H
#define CORDON_RECORDS_STORE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "launcher/cordon.h"

enum { SANDBOX_NAME_MAX = 64, RECORDS_PATH_MAX = PATH_MAX + 96 };

struct records {
	char home[PATH_MAX]; /* absolute */
	char run[PATH_MAX];
	bool is_there;    /* false: nothing was ever made here (only where it was opened to look) */
	int home_fd;      /* -EBADF where it is not there, as the others */
	int sandboxes_fd; /* of HOME */
	int names_fd;
	int live_fd;      /* RUN/sandboxes; -EBADF: nothing was started since the boot */
	int *event_errno; /* why the last event could not be written (events.h); 0: none */
};

/* One sandbox: its record's directory. */
struct sandbox {
	char id[RUN_ID_LEN + 1];
	bool is_kept; /* in HOME; else it goes with its end, or the boot */
	int dir_fd;   /* the record's directory */
};

/*
 * Opens both roots by request's root_dir, runtime_dir, home and environment. makes: what is missing
 * is made, else ret->is_there tells. Errors: a root that another user owns or may enter; no home.
 */
int must_check records_open(const struct run_request *request, bool makes, struct records *ret,
			    struct err *err);
void records_release(struct records *records);

/* Holds HOME/lock, LOCK_SH or LOCK_EX (flock(2)). Returns the descriptor that holds it. */
int must_check records_hold(const struct records *records, int how, struct err *err);

/* The path of a sandbox's record directory, for messages and claims. */
void records_path(const struct records *records, const char *id, bool is_kept, char *buf,
		  size_t size);

/* By name, id, or the beginning of an id that no other has. ERR_USAGE where there is none. */
int must_check records_find(const struct records *records, const char *ref, struct sandbox *ret,
			    struct err *err);
/* By its whole id. -ENOENT without err where there is none. */
int must_check records_open_id(const struct records *records, const char *id, struct sandbox *ret);
void sandbox_release(struct sandbox *sandbox);

/* Every id, oldest first is not promised. Returns how many, in *ret_ids (malloc, the caller's). */
ssize_t must_check records_list(const struct records *records, char (**ret_ids)[RUN_ID_LEN + 1],
				struct err *err);

/*
 * Locks it for a change: waits for another command of at most a few seconds. -ENOENT with err
 * where it was removed meanwhile. Released with the sandbox.
 */
int must_check sandbox_lock(const struct records *records, const struct sandbox *sandbox,
			    struct err *err);

/* The same, and waits for nobody: -EWOULDBLOCK where a command is at work on it, -ENOENT where it
 * was removed. */
int must_check records_try_lock(const struct records *records, const struct sandbox *sandbox);

void sandbox_unlock(const struct sandbox *sandbox);

/* Whether its keeper lives. */
bool records_is_running(const struct sandbox *sandbox);
/* The same by an id from records_list. */
bool records_is_id_running(const struct records *records, const char *id);
/* Waits for the end of a keeper that is about to end: of the last of its processes that holds its
 * lock, some seconds at most. False: it lives. */
bool records_wait_ended(const struct sandbox *sandbox);

/* Whether a test leaves this step of a command out (CORDON_FAULT=STEP:skip); in no other build. */
bool records_leaves_out(const char *step);

/* Replaces dir_fd/name in one step; is_kept: what is in it is on the disk before it returns, and
 * that it is there when the directory is flushed. 0 or -errno. */
int must_check records_put(int dir_fd, const char *name, const char *text, size_t len,
			   bool is_kept);
/* And flushes the directory: is_kept: all of it is on the disk before it returns. */
int must_check records_write(int dir_fd, const char *name, const char *text, size_t len,
			     bool is_kept);

/* ---- names ---- */

/* Letters, digits and _.- behind a letter or digit, at most SANDBOX_NAME_MAX. */
bool records_is_name(const char *name);
/* Takes the name for id. ERR_USAGE (-EEXIST) where a sandbox has it. Needs: HOME/lock is held
 * shared by *gate_fd, which is another one afterwards where the link of a crash was in the way. */
int must_check records_take_name(const struct records *records, const char *name, const char *id,
				 int *gate_fd, struct err *err);
/*
 * Gives a sandbox another name, also while it runs. ERR_USAGE: no name, the same one, or a taken
 * one. A crash leaves the old name or the new one, and a link that counts for nothing.
 * Needs: the sandbox's lock.
 */
int must_check records_rename(const struct records *records, const struct sandbox *sandbox,
			      const char *name, struct err *err);
/* Gives it back where id has it. Idempotent. */
int must_check records_give_name(const struct records *records, const char *name, const char *id,
				 struct err *err);

/* ---- making and removing ---- */

struct record;

/*
 * Writes record's directory, with its name (if any) and, where wants_block, a block of host ids,
 * and fills record->id and ->id_block. Either all of it is there afterwards, or nothing.
 */
int must_check records_create(const struct records *records, struct record *record,
			      bool wants_block, struct err *err);

/* Removes it with its name, ids and run directory. Needs: the lock; no keeper lives. */
int must_check records_remove(const struct records *records, struct sandbox *sandbox,
			      struct err *err);

/* What a crash left: half-made and half-removed records, names and claims of nobody. Needs:
 * nothing; takes HOME/lock exclusively. */
struct records_report {
	uint32_t n_removed; /* directories, names and claims */
	uint32_t n_settled; /* sandboxes whose keeper was gone */
};
int must_check records_gc(const struct records *records, struct records_report *ret,
			  struct err *err);

#endif
