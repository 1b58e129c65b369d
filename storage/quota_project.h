/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What storage/quota_project.c and quota_directory.c share, and nobody else may use: projects and
 * their limits, as the kernel has them. */
#ifndef CORDON_STORAGE_QUOTA_PROJECT_H
#define CORDON_STORAGE_QUOTA_PROJECT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>

#include "storage/quota.h"

enum { QUOTA_DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* Beyond what anybody writes into /etc/projects. */
#define QUOTA_FIRST_PROJECT 0x40000000U

/* Each: 0 or -errno. fd: any file of the file system. */

/* Whether limits are enforced: -ESRCH where they are not. */
int must_check quota_project_enforced(int fd);
/* Limits, both of one project, and what is used of it; -ENOENT: nothing is known of it. */
int must_check quota_project_read(int fd, uint32_t id, struct quota_size *ret_limit,
				  struct quota_size *ret_used);
/* 0: no limit. */
int must_check quota_project_limit(int fd, uint32_t id, const struct quota_size *limit);
/* Whether nobody else's files or limits have it. */
bool quota_project_is_free(int fd, uint32_t id);
/* One at random. */
int must_check quota_project_choose(uint32_t *ret_id);
/* What is made below the directory has the project, too. */
int must_check quota_project_join(int fd, uint32_t id);
/* Files that have no name any more count as long as somebody has them open: a descriptor that was
 * passed to another sandbox. Then the limit stays, and so does the id. What cannot be told is in
 * use. fd: the directory, in which nothing is. */
bool quota_project_is_in_use(int fd, uint32_t id);

/* A mount of its own that shows the directory alone; nosuid, nodev. Returns its descriptor. */
int must_check quota_project_mount(int dir_fd);

/* Removes all that is in the directory, whoever made it. */
int must_check quota_empty_directory(int top_fd);

#endif
