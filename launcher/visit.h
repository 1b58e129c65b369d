/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A place in a sandbox's tree, opened: for what copies files in and out.
 *
 * Theory of operation. What is in a sandbox's tree may be anything, and may change while it is
 * looked at. So nobody looks up a path of the sandbox's from the host's root or with the host's
 * rights: a child (the visitor) enters the user and mount namespaces by descriptors that the keeper
 * held before the workload ran, takes the sandbox's root's ids, and looks the path up there in one
 * openat2(2): links lead within the sandbox's root, magic links nowhere. It hands back descriptors,
 * and what is done with them is done to what was found, wherever its name leads by then. The
 * visitor is a copy of this program, which is linked statically: nothing of the sandbox's is
 * loaded, and nothing is asked of libc that reads files. Nobody inside can see it (it is in no pid
 * namespace of theirs).
 */
#ifndef CORDON_LAUNCHER_VISIT_H
#define CORDON_LAUNCHER_VISIT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct run_target;

enum visit_type {
	VISIT_NOTHING, /* of what is to be written: it is not there yet */
	VISIT_DIRECTORY,
	VISIT_FILE,
	VISIT_LINK,
};

struct visit_request {
	const char *path; /* from the sandbox's root, or on the host from the current directory */
	bool is_sink;     /* something is to be written there, else to be read */
	bool follows;     /* of what is to be read: the last part as well, where that is a link */
};

struct visit_found {
	enum visit_type type; /* of what the path names, a link of what is written followed */
	/* What is read, open for reading (a link O_PATH); or the directory to write to: the one
	 * that the path names, else the one that it is in. */
	int fd;
	char base[NAME_MAX + 1]; /* where that is the one that it is in: its name there */
};

/* Of the caller's own tree. */
int must_check visit_host(const struct visit_request *request, struct visit_found *ret,
			  struct err *err);

/* For a child that ends behind it: takes the ids of the sandbox's root and its tree, the ids first,
 * for with the caller's own the files of a volume would be the caller's. */
int must_check visit_enter(const struct run_target *target, struct err *err);

/* Of a sandbox's. Forks, and waits. */
int must_check visit_sandbox(const struct run_target *target, const struct visit_request *request,
			     struct visit_found *ret, struct err *err);

#endif
