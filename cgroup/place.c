/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a group of v2 may be made. Reads only. In this order:
 *
 *   1. the group that --cgroup-parent names
 *   2. the caller's own, where it was delegated to the caller and nobody else is in it: cordon then
 *      steps aside into a leaf below it (leaf.c)
 *   3. as root who sees the top of the tree: there
 *   4. the group that the caller's own lies in, where that was delegated
 *
 * In all but the first, sandboxes are in a group "cordon" there, which is ours, and which hands
 * their controllers on itself: the kernel then lets nobody take them away above it (cgroup-v2.rst,
 * "Top-down Constraint"), as systemd does where it knows of no need for them. In its slices no
 * group is made all the same; they are its own (systemd.io/CGROUP_DELEGATION).
 *
 * A group whose children have limits has no processes of its own (cgroup-v2.rst, "No Internal
 * Process Constraint"; the top of the tree alone is free of it). Who starts a process in another
 * group must be allowed to write to cgroup.procs of the nearest group above both (the same,
 * "Delegation Containment").
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "base/str.h"
#include "cgroup/table.h"

enum { LINE_MAX_BYTES = 8192 };

#define OWN_PARENT "cordon"

/* 0 or -errno. file: "" for the directory itself. As a person would: the effective rights count. */
static int may_write(const char *dir, const char *file)
{
	char path[CGROUP_DIR_MAX + 64];

	str_format(path, sizeof(path), "%s%s%s", dir, file[0] != '\0' ? "/" : "", file);
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? 0 : -errno;
}

enum cgroup_obstacle cgroup_obstacle_in(const char *dir, bool is_named)
{
	int r = may_write(dir, "cgroup.procs");

	if (r == -ENOENT || r == -ENOTDIR)
		return is_named ? CGROUP_NO_PARENT : CGROUP_NOT_SHOWN;
	if (r == 0)
		r = may_write(dir, "");
	return r == 0 ? CGROUP_USABLE : r == -EROFS ? CGROUP_READ_ONLY : CGROUP_NOT_DELEGATED;
}

bool cgroup_has_file(const char *dir, const char *file)
{
	char path[CGROUP_DIR_MAX + 64];

	str_format(path, sizeof(path), "%s/%s", dir, file);
	return access(path, F_OK) == 0;
}

/* "" where it cannot be read, or is longer than any that matters here. */
static void read_file(const char *dir, const char *file, char *buf, size_t size)
{
	char path[CGROUP_DIR_MAX + 64];

	str_format(path, sizeof(path), "%s/%s", dir, file);
	if (io_read_text(AT_FDCWD, path, buf, size) < 0)
		buf[0] = '\0';
}

static uint32_t read_controllers(const char *dir, const char *file)
{
	char text[LINE_MAX_BYTES];

	read_file(dir, file, text, sizeof(text));
	return cgroup_controllers_in(text, CGROUP_V2);
}

uint32_t cgroup_read_controllers(const char *dir)
{
	return read_controllers(dir, "cgroup.controllers");
}

static void cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		*slash = '\0';
}

static bool append(char *path, size_t size, const char *name)
{
	size_t len = strlen(path);

	if (len + strlen(name) + 2 > size)
		return false;
	str_format(path + len, size - len, "%s%s", len > 0 && path[len - 1] == '/' ? "" : "/",
		   name);
	return true;
}

/* The file is in every group but the top of the whole tree. */
static bool is_top_of_tree(const char *dir)
{
	return !cgroup_has_file(dir, "cgroup.type");
}

/* A process of another pid namespace is listed as 0, and so counted as well. */
static bool has_processes(const char *dir)
{
	char path[CGROUP_DIR_MAX + 64], text[LINE_MAX_BYTES];
	ssize_t n;

	str_format(path, sizeof(path), "%s/cgroup.procs", dir);
	n = io_read_text(AT_FDCWD, path, text, sizeof(text));
	return n != 0; /* what cannot be read is not known to be empty */
}

/* Whether this process is the only one in the group. */
static bool is_alone(const char *dir)
{
	char text[LINE_MAX_BYTES];
	uint64_t pid;

	read_file(dir, "cgroup.procs", text, sizeof(text));
	io_chomp(text); /* one line: two are no number */
	return parse_u64(text, &pid) == 0 && pid == (uint64_t)getpid();
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && str_equal(text + len - n, end);
}

/* Slices are systemd's to arrange, also those of a user's own manager. */
static bool is_managed(const char *dir)
{
	return ends_with(dir, ".slice") && access("/run/systemd/system", F_OK) == 0;
}

/* Whether the caller may start a process in h->parent, coming from its own group. */
static bool may_move_to_parent(const struct cgroup_hierarchy *h)
{
	char dir[CGROUP_DIR_MAX], path[CGROUP_DIR_MAX];
	size_t len;

	str_format(dir, sizeof(dir), "%s", h->parent);
	str_format(path, sizeof(path), "%s", str_equal(h->parent_path, "/") ? "" : h->parent_path);
	for (len = strlen(path); strncmp(h->own_path, path, len) != 0 ||
				 (len > 0 && h->own_path[len] != '/' && h->own_path[len] != '\0');
	     len = strlen(path)) {
		cut_last(dir);
		cut_last(path);
	}
	/* Above what is mounted here nothing can be asked for. */
	return strlen(dir) >= strlen(h->top) && may_write(dir, "cgroup.procs") == 0;
}

/* The group that the caller's own lies in: one that was delegated, so that the caller may move its
 * processes from one child to another. */
static enum cgroup_obstacle choose_above_own(struct cgroup_hierarchy *h)
{
	enum cgroup_obstacle own = cgroup_obstacle_in(h->parent, false), above;

	if (own == CGROUP_USABLE && !is_top_of_tree(h->parent))
		own = is_managed(h->parent) ? CGROUP_MANAGED : CGROUP_BUSY;
	if (str_equal(h->parent_path, "/") || strlen(h->parent) <= strlen(h->top))
		return own;
	cut_last(h->parent);
	cut_last(h->parent_path);
	if (h->parent_path[0] == '\0')
		str_format(h->parent_path, sizeof(h->parent_path), "/");
	above = cgroup_obstacle_in(h->parent, false);
	if (above != CGROUP_USABLE || is_top_of_tree(h->parent))
		return own;
	h->makes_parent = true;
	return is_managed(h->parent) ? CGROUP_MANAGED : CGROUP_USABLE;
}

static enum cgroup_obstacle choose_parent(struct cgroup_hierarchy *h, bool is_named)
{
	enum cgroup_obstacle there = cgroup_obstacle_in(h->parent, is_named);

	if (is_named)
		return there == CGROUP_USABLE && !may_move_to_parent(h) ? CGROUP_NOT_DELEGATED
									: there;
	if (there == CGROUP_USABLE && !is_top_of_tree(h->parent) && is_alone(h->parent) &&
	    may_write(h->parent, "cgroup.subtree_control") == 0 && !is_managed(h->parent)) {
		h->steps_aside = h->makes_parent = true;
		return CGROUP_USABLE;
	}
	if (is_top_of_tree(h->top) && cgroup_obstacle_in(h->top, false) == CGROUP_USABLE) {
		str_format(h->parent, sizeof(h->parent), "%s", h->top);
		str_format(h->parent_path, sizeof(h->parent_path), "/");
		h->makes_parent = true;
		return CGROUP_USABLE;
	}
	return choose_above_own(h);
}

/* Why a controller of v2 cannot be had; CGROUP_USABLE where it can. */
static enum cgroup_obstacle obstacle_of(const struct cgroup_hierarchy *h, enum cgroup_controller c,
					enum cgroup_obstacle place, bool is_busy)
{
	if (place != CGROUP_USABLE)
		return place;
	return is_busy && (h->to_enable & 1U << c) != 0 ? CGROUP_BUSY : CGROUP_USABLE;
}

void cgroup_look_at_v2(struct cgroup_facts *facts, struct cgroup_hierarchy *h, bool is_named)
{
	enum cgroup_obstacle place = choose_parent(h, is_named);
	uint32_t there = read_controllers(h->parent, "cgroup.controllers");
	uint32_t at_top = str_equal(h->parent, h->top)
				  ? there
				  : read_controllers(h->top, "cgroup.controllers");
	uint32_t handed_on = read_controllers(h->parent, "cgroup.subtree_control");
	bool is_busy = !h->steps_aside && !is_top_of_tree(h->parent) && has_processes(h->parent);

	/* Which must have been handed on already, where the caller may not do it. */
	if (may_write(h->parent, "cgroup.subtree_control") < 0)
		there &= handed_on;
	if (h->makes_parent && (!append(h->parent, sizeof(h->parent), OWN_PARENT) ||
				!append(h->parent_path, sizeof(h->parent_path), OWN_PARENT)))
		place = CGROUP_NOT_SHOWN;
	h->controllers = there | 1U << CGROUP_CPUACCT | 1U << CGROUP_FREEZER;
	h->to_enable = there & ~handed_on;
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		bool is_here = (h->controllers & 1U << c) != 0;

		/* On a machine that has both, v1 may carry it. */
		if (facts->version[c] == CGROUP_V1) {
			h->controllers &= ~(1U << c);
		} else if (is_here || (at_top & 1U << c) != 0) {
			h->present |= 1U << c;
			facts->version[c] = CGROUP_V2;
			facts->obstacle[c] = is_here || place != CGROUP_USABLE
						     ? obstacle_of(h, c, place, is_busy)
						     : CGROUP_NOT_ENABLED;
			if (facts->obstacle[c] != CGROUP_USABLE)
				h->controllers &= ~(1U << c);
		}
	}
	h->to_enable &= h->controllers;
}
