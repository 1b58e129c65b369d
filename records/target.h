/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sandbox that runs, opened so that a program can be started in it. */
#ifndef CORDON_RECORDS_TARGET_H
#define CORDON_RECORDS_TARGET_H

#include "records/record.h"
#include "records/status.h"

/*
 * Opens what its keeper holds: namespaces and groups. Errors, each with err filled: it does not
 * run, is paused, is gone meanwhile, has groups that the caller may not move a process to. Release
 * with target_release.
 */
enum target_use {
	TARGET_JOIN, /* a process is to be one of its own */
	TARGET_READ, /* its tree is read: it may be paused as well */
};
struct target_request {
	const struct record *record;
	const struct sandbox_status *status;
	const char *ref; /* for messages */
	enum target_use use;
};
int must_check target_open(const struct target_request *request, struct run_target *ret,
			   struct err *err);
/* The network namespace of the sandbox that network names, which has to run, into *ret_fd. It stays
 * as it is where network names none. */
int must_check target_open_network(const struct records *records,
				   const struct spec_network *network, int *ret_fd,
				   struct err *err);
/* That of a sandbox by what was read of it: a descriptor; -ESRCH where it does not run. */
int must_check target_network_of(const struct sandbox_status *status);
void target_release(struct run_target *target);

#endif
