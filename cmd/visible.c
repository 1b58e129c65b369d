/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See visible.h. */
#include "cmd/visible.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "cmd/print.h"

bool visible_is_shown(const struct decision *decision, const char *path)
{
	const struct sandbox_spec *spec = &decision->spec;
	const struct spec_mount *mount = NULL;

	for (size_t i = 0; i < decision->tree.n_ops; i++) {
		const struct tree_op *op = &decision->tree.ops[i];

		if (op->stage == TREE_SYSTEM && path_is_below(path, op->target))
			return true;
	}
	/* The nearest mount above it decides; parents stand first. A tmpfs hides what the host has.
	 */
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (path_is_below(path, spec->mounts[i].target))
			mount = &spec->mounts[i];
	if (mount != NULL)
		return mount->type == MOUNT_BIND;
	return path_is_below(path, "/dev") || path_is_below(path, "/proc");
}

/* Places where a whole directory would show more than anybody means: there the line names no flag.
 */
static bool is_sensitive(const char *path)
{
	static const char *const places[] = {"/etc", "/root", "/run", "/sys", "/var", "/boot"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (path_is_below(path, places[i]))
			return true;
	return false;
}

/* What to show so that the file is found: its directory, as the caller would write it. */
static void directory_to_show(const char *arg, char *buf, size_t size)
{
	const char *slash = strrchr(arg, '/');

	if (slash == NULL || slash == arg)
		str_format(buf, size, "%s", slash == arg ? arg : ".");
	else
		str_format(buf, size, "%.*s", (int)(slash - arg), arg);
}

void visible_print_hint(const struct decision *decision, char *const *args)
{
	char cwd[PATH_MAX], path[PATH_MAX], dir[PATH_MAX];

	if (decision->spec.rootfs.kind == ROOTFS_DIR || getcwd(cwd, sizeof(cwd)) == NULL)
		return;
	for (; *args != NULL; args++) {
		if ((*args)[0] == '-' || (*args)[0] == '\0' || access(*args, F_OK) != 0 ||
		    path_normalize(path, sizeof(path), cwd, *args) < 0 ||
		    visible_is_shown(decision, path))
			continue;
		directory_to_show(*args, dir, sizeof(dir));
		if ((*args)[0] == '/' && is_sensitive(path))
			print_note("%s is not visible inside", *args);
		else
			print_note("%s is not visible inside; add --ro %s", *args, dir);
		return;
	}
}
