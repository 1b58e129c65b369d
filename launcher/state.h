/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where runs keep what undo needs. The run root (mode 0700, the caller's own) holds
 *
 *     runs/ID/journal    one line for each change of the host, written before the change; locked by
 * the keeper
 *     boot_id            a link whose text says of which boot all of it is (state_boot.c)
 *
 * and, for root, a claim of the run's block of host ids (ids.h). The journal is on its run's side
 * of a crash: what is in it and is not locked belongs to a dead keeper, and `cordon gc` undoes it.
 */
#ifndef CORDON_LAUNCHER_STATE_H
#define CORDON_LAUNCHER_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "launcher/identity.h"

enum { RUN_ID_LEN = 16, STATE_BOOT_ID_SIZE = 40 };

struct state_root {
	char path[PATH_MAX]; /* absolute */
	int fd;              /* -EBADF when not open */
	int runs_fd;
};

struct state_run {
	char id[RUN_ID_LEN + 1]; /* hex, random */
	int journal_fd;          /* locked (flock) as long as the keeper lives */
	bool has_block;
	uint64_t block_number; /* the name of the claim: the first host id */
	uint32_t block_first;  /* first host id */
};

/* Opens dirfd/name, made 0700 if missing, and insists that it is the caller's own and nobody
 * else's. Returns the fd. */
int must_check state_open_own_dir(int dirfd, const char *name, struct err *err);

/* flock(2) over EINTR. Returns 0 or -errno. */
int must_check state_lock(int fd, int how);

/* A random name, hex. Returns 0 or -errno. */
int must_check state_make_id(char id[RUN_ID_LEN + 1]);

/* The run root's path for this caller: root_dir/run where --root was given; /run/cordon for root;
 * else $XDG_RUNTIME_DIR/cordon, else /tmp/cordon-UID. Text only. runtime_dir may be NULL. */
int must_check state_root_path(const char *root_dir, uint32_t euid, const char *runtime_dir,
			       char *buf, size_t size, struct err *err);

/* Whose state root is asked for. environment and home may be NULL. */
struct state_owner {
	const char *root_dir; /* --root, or NULL */
	uint32_t euid;
	const char *const *environment;
	const char *home;
};

/* The state root's path, where sandboxes are kept (records/store.h): root_dir/state where --root
 * was given; /var/lib/cordon for root; else $XDG_DATA_HOME/cordon, else home/.local/share/cordon.
 * Text only. -ENOENT without err where there is no such place. */
int must_check state_kept_path(const struct state_owner *owner, char *buf, size_t size,
			       struct err *err);

/* Makes the run root where it is missing; refuses one that another user owns or may enter, or a
 * link. What an earlier boot left in it is removed: whoever is first there after a boot waits for
 * that, and so does who comes meanwhile. */
int must_check state_root_open(const char *path, struct state_root *ret_root, struct err *err);
void state_root_release(struct state_root *root);
/* Adds to err what can be done where the run root cannot be made or looked into. Returns its
 * negative errno. */
int state_root_hint(struct err *err);

/* The kernel's name of this boot; "" where it has none to read. */
void state_boot_id(char buf[STATE_BOOT_ID_SIZE]);

/*
 * The part of state_root_open that removes what an earlier boot left: directories of sandboxes and
 * of runs, the latter after undoing what their journals name. What somebody holds the lock of
 * stays, whatever the boot. Errors: what cannot be removed or written.
 */
int must_check state_enter_boot(struct state_root *root, struct err *err);

/* Whether somebody holds the lock (fcntl(2), open file description) of the file. */
bool state_is_held(int dir_fd, const char *path);

/* Removes base/name with all files in it. Idempotent. Returns 0 or -errno. */
int must_check state_remove_dir(int base, const char *name);

/* Makes runs/ID with a locked journal. */
int must_check state_run_create(struct state_root *root, struct state_run *ret_run,
				struct err *err);

/* Removes runs/ID; has_links: links to placeholders may be in it. Idempotent. */
int must_check state_run_remove(struct state_root *root, const char *id, bool has_links,
				struct err *err);

/* Notes at RUN/runs/ID that somebody else enters the run's network namespace, which then outlives
 * it. Who notes it looks afterwards whether the run's processes live: its undo comes behind them.
 * Returns 0 or -errno; -ENOENT: there is no such run any more. */
int must_check state_run_share(const char *run, const char *id);
bool state_run_is_shared(const struct state_root *root, const char *id);

/* Appends "begin WHAT" to the journal, before the change is made. */
int must_check state_journal(struct state_run *run, const char *what, struct err *err);

/* Claims a block that no other sandbox of this machine holds; journalled. */
int must_check state_block_claim(struct state_root *root, struct state_run *run, struct err *err);
/* Gives it back if run `id` below root holds it. Idempotent. */
int must_check state_block_release(const struct state_root *root, const char *id,
				   uint64_t block_number, struct err *err);

/* Adds `name` to the run's directory, a link whose text is a path that gc will need: whole or not
 * there, whatever bytes the path has. */
int must_check state_note_path(struct state_root *root, const struct state_run *run,
			       const char *name, const char *path, struct err *err);

struct gc_report {
	uint32_t n_runs_alive;
	uint32_t n_runs_removed;
	uint32_t n_blocks_freed;
};

/* Undoes what one run left, if its keeper is dead: else n_runs_alive is 1. Counts into *report. */
int must_check state_gc_run(struct state_root *root, const char *id, struct gc_report *report,
			    struct err *err);

/* Undoes what dead keepers of this user left below root. */
int must_check state_gc(struct state_root *root, struct gc_report *ret_report, struct err *err);

#endif
