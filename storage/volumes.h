/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What storage/volumes.c and volumes_use.c share, and nobody else may use. */
#ifndef CORDON_STORAGE_VOLUMES_H
#define CORDON_STORAGE_VOLUMES_H

#include <fcntl.h>
#include <sys/file.h>

#include "storage/store.h"
#include "storage/volume.h"

enum { VOLUMES_DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* While they are made and removed; an id of store_make_id follows. */
#define VOLUMES_NEW ".new-"
#define VOLUMES_OLD ".old-"

/* Test builds only: CORDON_FAULT=store.volume-NAME:kill ends the process here. */
#define volumes_step(name) store_step("volume-" name)

/* Waits for the lock. Returns the descriptor that holds it. */
int must_check volumes_lock(const struct volumes *volumes, struct err *err);
/* Owner and mode of data as they are in the beginning. 0 or -errno. */
int must_check volumes_reset_data(int data_fd);
/* Makes the file system of one of limited size, with nothing in it. */
int must_check volumes_make_image(const struct volumes *volumes, const struct volume *volume,
				  int dir_fd, struct err *err);
/* Gives its empty data a project quota. */
int must_check volumes_make_project(const struct volumes *volumes, const struct volume *volume,
				    int data_fd, struct err *err);
/* What volume_check_size, volumes_open_data and volumes_measure are of one in a project. */
int must_check volumes_check_project(const struct volume *volume, struct err *err);
int must_check volumes_open_project(const struct volume *volume, int dir_fd, struct err *err);
int must_check volumes_measure_project(const struct volume *volume, int dir_fd, uint64_t *ret_bytes,
				       uint64_t *ret_inodes, struct err *err);
/* Removes what has a name of the two above, and gives its project back. 1: gc does it later, for
 * somebody has a file of it open. 0 or -errno. */
int must_check volumes_discard(const struct volumes *volumes, const char *temporary);
/* Whether the name still leads to the open directory: it was not removed, nor replaced, between
 * its opening and its lock. */
bool volumes_is_still(const struct volumes *volumes, const char *name, int dir_fd);
/* Opens the record of the directory and locks it (flock). Returns the descriptor that holds it. */
int must_check volumes_lock_record(int dir_fd, int how);
/* flock(2), once more where a signal came. 0 or -errno. */
int must_check volumes_flock(int fd, int how);

#endif
