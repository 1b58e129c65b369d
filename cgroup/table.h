/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which limit is which file, and what the files of cgroup/ share. Internal to cgroup/. */
#ifndef CORDON_CGROUP_TABLE_H
#define CORDON_CGROUP_TABLE_H

#include "base/sys.h"
#include "cgroup/cgroup.h"

enum { CGROUP_VALUE_MAX = 512 };

/* One file to be written for a limit. */
struct cgroup_limit_row {
	enum spec_limit limit;
	enum cgroup_version version;
	const char *file;
	/* What to write, into buf. NULL row->format: the file is not for a value but for each block
	 * device (see group.c). */
	void (*format)(const struct spec_limits *spec, uint32_t extra_tasks, char *buf,
		       size_t size);
	/* What reads back where that is not what was written: memory is counted in whole pages. */
	bool in_pages;
};

/* Whether what a file says is what was written to it. */
bool cgroup_reads_back(const char *wanted, const char *found, bool in_pages);

/* Whether the line "N:CONTROLLERS:PATH" of the place's hierarchy has the place's path. Each
 * hierarchy has a line, and on v1 the paths are mostly alike. */
bool cgroup_has_path(const char *text, const struct cgroup_place *place);

/* Writes a value to the row's file and reads it back (group.c). */
int must_check cgroup_set_value(const struct cgroup_place *place,
				const struct cgroup_limit_row *row, const char *value,
				struct err *err);

extern const struct cgroup_limit_row cgroup_limit_rows[];
extern const size_t cgroup_n_limit_rows;

/* The controllers of ours that a list "a,b c" names, as bits. */
uint32_t cgroup_controllers_in(const char *list, enum cgroup_version version);

/* The name of a controller in /proc/self/cgroup and in mount options, for v1 and v2; NULL where it
 * has none. */
const char *cgroup_controller_name(enum cgroup_controller controller, enum cgroup_version version);

/* Sees to it that a lack of memory ends the sandbox as a whole: v2 does that itself, on v1 the
 * keeper is told by group->oom_event_fd. */
int must_check cgroup_watch_memory(struct cgroup *group, const struct cgroup_place *place,
				   struct err *err);

/* ---- mounts.c ---- */

typedef int cgroup_ask_mount(const char *path, struct sys_mount *ret);

/* The lines of /proc/self/mountinfo for the hierarchies of the wanted controllers, where each is
 * mounted at its usual place; false where that is not so, or `ask` (sys_mount_at) cannot say. */
bool cgroup_usual_mounts(const char *self_cgroup, uint32_t wanted, cgroup_ask_mount *ask, char *buf,
			 size_t size);

/* ---- directories (place.c, leaf.c) ---- */

/* What keeps the caller from making a group in this directory and putting processes there. */
enum cgroup_obstacle cgroup_obstacle_in(const char *dir, bool is_named);
bool cgroup_has_file(const char *dir, const char *file);
/* Chooses h->parent, and which of h->controllers can be had there; why not, in facts. Reads only.
 */
void cgroup_look_at_v2(struct cgroup_facts *facts, struct cgroup_hierarchy *h, bool is_named);
/* Writes "+NAME" or "-NAME" of each to dir/cgroup.subtree_control. Returns -errno. */
int must_check cgroup_hand_on(const char *dir, uint32_t controllers, char sign, struct err *err);

#endif
