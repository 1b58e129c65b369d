/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The confined processes of cordon-image: all that reads a byte of an archive.
 *
 *     process         reads                  may do
 *     decompressor    the archive            memory; one pipe in, one out. No file can be opened
 *     parser          one JSON document      likewise
 *     composer        one JSON document, and likewise
 *                     what is to differ
 *     unpacker        one tar without        make files below one directory, which is empty when it
 *                     compression            begins. As root in a user namespace whose ids are the
 *                                            foreign ones: it has no right of root's at all
 *     packer          one tree               read below that tree; as root CAP_DAC_READ_SEARCH
 *     packer inside   a tree, as a sandbox   likewise, with the sandbox's ids and such a capability
 *                     sees it                in its user namespace alone
 *     unpacker inside a tar                  make and replace files below one directory of a
 *                     sandbox's, likewise, and counted to its limits
 *     unpacker for    a tar                  make and replace files below one directory, as the
 *      the caller                            caller
 *
 * What each writes to its pipe is read by the importer (import.c), which itself only copies bytes
 * and computes digests: so the digest is that of the bytes which the unpacker got, whatever the
 * decompressor does, and an unpacker that was taken over can spoil the layer that took it over and
 * no other.
 *
 * All: no_new_privs, a Landlock domain, a filter that kills at a call that is not on its list, no
 * descriptor but those below, and SIGKILL when the importer dies.
 */
#ifndef CORDON_LIBEXEC_IMAGE_WORKER_H
#define CORDON_LIBEXEC_IMAGE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

enum confine_kind {
	CONFINE_PURE,
	CONFINE_UNPACK,
	CONFINE_PACK,
	/* The same in a sandbox that runs: with the ids, and without any right that they have not
	 * got inside. */
	CONFINE_UNPACK_INSIDE,
	CONFINE_PACK_INSIDE,
	CONFINE_UNPACK_CALLER, /* into a directory of the caller's, as the caller */
};

static inline bool confine_unpacks(enum confine_kind kind)
{
	return kind == CONFINE_UNPACK || kind == CONFINE_UNPACK_INSIDE ||
	       kind == CONFINE_UNPACK_CALLER;
}

static inline bool confine_packs(enum confine_kind kind)
{
	return kind == CONFINE_PACK || kind == CONFINE_PACK_INSIDE;
}

/* A sandbox that a worker takes the place of a process of: never its mounts, so that no path of a
 * worker's, and nothing that it loads, is the sandbox's. */
struct worker_inside {
	int userns;
	bool has_block; /* ids 0 to 65535 are mapped, else one */
	const int *groups;
	size_t n_groups;
};

/* Where a worker finds its descriptors. */
enum worker_fd {
	WORKER_IN,
	WORKER_OUT,
	WORKER_REPORT,
	WORKER_DIR,
	WORKER_OWNERS,
	WORKER_SKIPPED,
	WORKER_FDS
};

struct image_limits {
	uint64_t max_bytes;   /* of a layer, as a tar and as files */
	uint64_t max_entries; /* of a layer */
};

/* What a worker says at its end, in one write. The counts are believed by nobody but for show. */
struct worker_report {
	struct err err; /* kind ERR_NONE: it did all of it */
	uint64_t n_entries;
	uint64_t n_bytes;
	uint64_t n_skipped;
	uint64_t n_owners;
};

struct worker_job {
	const char *what; /* for messages: "the unpacker" */
	enum confine_kind kind;
	int fds[WORKER_FDS]; /* -EBADF: none. WORKER_REPORT is set by worker_start */
	bool is_root;        /* the importer is root */
	struct image_limits limits;
	int argument;      /* of run's own */
	const char *as;    /* pack: the name of WORKER_DIR itself; NULL: "" */
	const char *only;  /* unpack: what the first part of names has to be; NULL: any */
	bool keeps_owners; /* unpack, inside or as the caller: cp -a */
	const struct worker_inside *inside; /* CONFINE_*_INSIDE */
	/* Runs in the worker, confined. Returns 0, or negative with report->err filled. */
	int (*run)(const struct worker_job *job, struct worker_report *report);
};

struct worker {
	const char *what;
	pid_t pid;
	int report_fd;
};

/* Forks. The importer's copies of job->fds stay open: it closes those that would keep a pipe
 * open. */
int must_check worker_start(const struct worker_job *job, struct worker *ret, struct err *err);

/* Waits for its end. Returns 0 with *ret filled where it did all of it; else its error, made fit to
 * be shown, or what ended it. */
int must_check worker_finish(struct worker *worker, struct worker_report *ret, struct err *err);

/* Ends it, where it still runs. */
void worker_stop(struct worker *worker);

/* ---- confine.c: in the worker ---- */

/* Gives everything up that the kind has no use for, and reads it back. dir_fd: the one tree, of
 * CONFINE_UNPACK and CONFINE_PACK. */
int must_check confine(enum confine_kind kind, int dir_fd, bool is_root, struct err *err);

#endif
