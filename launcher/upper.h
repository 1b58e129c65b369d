/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where what is written to the root goes (rootfs.writable.store): which store that is on this host,
 * and the row that makes it. tmpfs needs none, for the child makes it.
 *
 * As root an image is made in the state root (storage/quota.h): in the run root it would be memory.
 * It has no name and is mounted nowhere, so that nothing of it outlives the run: the keeper and the
 * sandbox's namespace hold the mount, and whoever is last takes it along.
 */
#ifndef CORDON_LAUNCHER_UPPER_H
#define CORDON_LAUNCHER_UPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/spec.h"

struct decision;
struct launch;
struct misses;
struct run_result;

/* The keeper's own, apart from the sandbox's. */
struct upper_store {
	int mount_fd;   /* O_PATH */
	int place_fd;   /* the directory that the image lies in */
	int project_fd; /* of a project: its directory, locked */
};

/* ---- before anything is made ---- */

/* Fills facts.upper where the spec asks for what they decide. Reads, but for a file without a name
 * that is closed at once. */
void upper_probe(struct decision *decision);
/* The same of an image alone, whatever the spec asks for: why there can be none; why is "" before,
 * and after it where there can. */
void upper_probe_image(const struct decision *decision, char *why, size_t size);

/* Decides decision->writable from spec and facts; a miss where what is asked for cannot be had.
 * Pure. */
void upper_decide(struct decision *decision, struct misses *misses);

/* "tmpfs", "image"; for people, what it is and, where the policy left the choice, why. Pure. */
const char *upper_name(enum spec_writable writable);
enum { UPPER_TEXT_MAX = 512 };
size_t upper_text(const struct decision *decision, char *buf, size_t size);

/* A sandbox that has a layer on disk does not start without it. Reads only. launcher/layer.c. */
int must_check upper_check_layer(const struct launch *launch, struct err *err);

/* ---- row of the keeper ---- */

bool upper_is_made(const struct decision *decision);
int must_check upper_make(struct launch *launch, struct err *err);
int must_check upper_verify(struct launch *launch, struct err *err);
/* Undo needs CAP_DAC_OVERRIDE and CAP_FOWNER. */
bool upper_is_removed_by_us(const struct launch *launch);
int must_check upper_undo(struct launch *launch, struct err *err);

/* After the end of all processes: whether it was full, or the disk that it is on. */
void upper_collect(const struct launch *launch, struct run_result *result);

/*
 * ---- what is kept of a sandbox (launcher/layer.c) ----
 *
 * In the directory of its record lies one of the two, once it was started: an ext4 in a file, or a
 * directory with a project quota. It stays that.
 */
#define LAYER_IMAGE   "layer"
#define LAYER_PROJECT "layer.project"

/* Whether the layer can have the size that was decided: an image is made larger at the next start,
 * and neither ever smaller. Reads only. */
int must_check cordon_check_layer_size(const struct decision *decision, int layer_dir_fd,
				       struct err *err);
/* Whether it can have that while the sandbox runs, which a project can. Pure, but for a look. */
bool cordon_layer_grows_live(const struct decision *decision, int layer_dir_fd);
/* Gives it that at once, and reads it back. Needs: cordon_check_layer_size. */
int must_check cordon_grow_layer(const struct decision *decision, int layer_dir_fd,
				 struct err *err);
/* Removes a project's directory of a sandbox that is gone, below the directory of its record. 1: it
 * stays until nobody has a file of it open. 0: there is none any more. -errno. */
int must_check cordon_remove_layer(int above_fd, const char *record_dir);

/* What dead keepers left below the state root: directories with project quotas; and templates that
 * have not been used for a month. */
int must_check cordon_gc_writable(const char *kept_path, uint32_t *ret_removed,
				  uint32_t *ret_templates, struct err *err);

#endif
