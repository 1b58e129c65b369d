/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows name_files and show_name_files: /etc/hosts and /etc/resolv.conf of a sandbox that is in a
 * network. They lie in the run's directory, the keeper's alone, and are shown read-only over what
 * the image has there: a change of them from outside is seen inside at once, and none is made from
 * inside. A policy that mounts something of its own there has that.
 *
 * Undo: they go with the run's directory.
 */
#ifndef CORDON_LAUNCHER_NETWORK_FILES_H
#define CORDON_LAUNCHER_NETWORK_FILES_H

#include <stddef.h>

#include "base/err.h"

enum { NAME_FILES = 2 };
/* Below the run's directory, and below /etc inside. */
extern const char *const network_file_names[NAME_FILES];

struct launch;

/* In the keeper, after the row network. */
int must_check network_files_make(struct launch *launch, struct err *err);
/* In the setup process: attached, and found there as the workload will find them. */
int must_check network_files_show(struct launch *launch, struct err *err);
int must_check network_files_verify(struct launch *launch, struct err *err);

#endif
