/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * v2: the caller's own group becomes the parent of the sandbox's. It may not have processes itself
 * then, so the keeper, the only one in it, moves into a leaf below it; its helpers are made there.
 * Undone in reverse: the controllers off, back, the leaf removed. Runs in the keeper, and in gc
 * after its death.
 *
 * Controllers are taken away only where no other group is left in the caller's: the kernel would
 * take the limits of those along. None of the caller's can come while they are on, for the kernel
 * then lets no process into the group itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "base/sys.h"
#include "cgroup/table.h"

enum { TEXT_MAX_BYTES = 256 };

/* One write for all: the kernel goes through the groups once then. */
static int hand_on_together(const char *path, uint32_t controllers, char sign)
{
	char text[128];
	size_t len = 0;

	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		const char *name = cgroup_controller_name(c, CGROUP_V2);

		if ((controllers & 1U << c) != 0 && name != NULL)
			len += str_format(text + len, sizeof(text) - len, "%s%c%s",
					  len > 0 ? " " : "", sign, name);
	}
	return len > 0 ? io_write_text(AT_FDCWD, path, text) : 0;
}

int cgroup_hand_on(const char *dir, uint32_t controllers, char sign, struct err *err)
{
	char path[CGROUP_DIR_MAX + 64], text[32];

	str_format(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	if (hand_on_together(path, controllers, sign) == 0)
		return 0;
	/* One by one: a controller that is missing is then known by name. */
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		const char *name = cgroup_controller_name(c, CGROUP_V2);
		int r;

		if ((controllers & 1U << c) == 0 || name == NULL)
			continue;
		str_format(text, sizeof(text), "%c%s", sign, name);
		r = io_write_text(AT_FDCWD, path, text);
		if (r < 0)
			return err_set(err, ERR_SETUP, -r, "%s: %s", path, text);
	}
	return 0;
}

static const struct cgroup_hierarchy *hierarchy_with_leaf(const struct cgroup_facts *facts,
							  uint32_t controllers)
{
	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if (facts->hierarchies[i].steps_aside &&
		    (facts->hierarchies[i].to_enable & controllers) != 0)
			return &facts->hierarchies[i];
	return NULL;
}

bool cgroup_wants_leaf(const struct cgroup_facts *facts, uint32_t controllers)
{
	return hierarchy_with_leaf(facts, controllers) != NULL;
}

void cgroup_leaf_plan(const struct cgroup_facts *facts, uint32_t controllers, const char *id,
		      struct cgroup_leaf *ret)
{
	const struct cgroup_hierarchy *h = hierarchy_with_leaf(facts, controllers);

	*ret = (struct cgroup_leaf){0};
	if (h == NULL)
		return;
	ret->controllers = h->to_enable & controllers;
	str_format(ret->path, sizeof(ret->path), "%.*s/cordon-%s-keeper",
		   (int)(strrchr(h->parent, '/') - h->parent), h->parent, id);
}

static void group_of(const struct cgroup_leaf *leaf, char *buf, size_t size)
{
	str_format(buf, size, "%.*s", (int)(strrchr(leaf->path, '/') - leaf->path), leaf->path);
}

static int move_self(const char *dir, struct err *err)
{
	char path[CGROUP_DIR_MAX + CGROUP_NAME_MAX + 16];
	int r;

	str_format(path, sizeof(path), "%s/cgroup.procs", dir);
	r = io_write_text(AT_FDCWD, path, "0"); /* the writer itself */
	return r < 0 ? err_set(err, ERR_SETUP, -r, "%s: move cordon itself", path) : 0;
}

int cgroup_leaf_enter(const struct cgroup_leaf *leaf, struct err *err)
{
	if (mkdir(leaf->path, 0755) != 0)
		return err_set(err, ERR_SETUP, errno, "%s: make the group", leaf->path);
	return move_self(leaf->path, err);
}

int cgroup_leaf_verify(const struct cgroup_leaf *leaf, struct err *err)
{
	char group[CGROUP_DIR_MAX], path[CGROUP_DIR_MAX + 32], text[TEXT_MAX_BYTES];
	const char *const dirs[] = {group, leaf->path};

	group_of(leaf, group, sizeof(group));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		ssize_t n;

		str_format(path, sizeof(path), "%s/cgroup.procs", dirs[i]);
		n = io_read_text(AT_FDCWD, path, text, sizeof(text));
		if (n < 0 && n != -EFBIG)
			return err_set(err, ERR_SETUP, (int)-n, "%s: read back", path);
		if ((n == 0) != (i == 0))
			return err_set(err, ERR_SETUP, 0, "%s: %s", dirs[i],
				       i == 0 ? "another process has come into the group"
					      : "cordon is not in it");
	}
	return 0;
}

/* Groups below this one, beside the leaf. What cannot be listed counts as one. */
static bool has_others(const char *group, const char *leaf_name)
{
	DIR *dir = opendir(group);
	struct dirent *entry;
	bool found = false;

	if (dir == NULL)
		return true;
	while (!found && (entry = readdir(dir)) != NULL)
		found = entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			!str_equal(entry->d_name, leaf_name);
	closedir(dir);
	return found;
}

int cgroup_leaf_leave(const struct cgroup_leaf *leaf, bool moves_back, struct err *err)
{
	char group[CGROUP_DIR_MAX];
	int r = 0;

	if (leaf->path[0] == '\0')
		return 0;
	group_of(leaf, group, sizeof(group));
	if (access(group, F_OK) != 0 && errno == ENOENT)
		return 0; /* a scope goes away with its last process */
	if (!has_others(group, strrchr(leaf->path, '/') + 1))
		r = cgroup_hand_on(group, leaf->controllers, '-', err);
	if (r == 0 && moves_back)
		r = move_self(group, err);
	return r == 0 ? cgroup_remove(leaf->path, false, err) : r;
}
