/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See visible.h. */
#include "cmd/visible.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
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

/* Options whose value is a file to be written: that it is not visible is not why the program ended.
 */
static bool names_an_output(const char *option)
{
	return str_equal(option, "-o") || str_equal(option, "-O") || str_equal(option, "--output");
}

/*
 * Whether an argument can be meant as a file to read: it is there on the host. A word without a
 * slash that is a directory's name is more often a target or a command (`make build`), and what
 * holds everything (/ and /home, say) is hardly what a program missed.
 */
static bool looks_like_input(const char *arg, const char *path)
{
	static const char *const tops[] = {"/", "/home", "/tmp", "/usr"};
	struct stat st;

	if (arg[0] == '-' || arg[0] == '\0' || stat(arg, &st) != 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return false;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		if (str_equal(path, tops[i]))
			return false;
	return S_ISREG(st.st_mode) || strchr(arg, '/') != NULL || arg[0] == '.';
}

void visible_print_hint(const struct decision *decision, char *const *args)
{
	char cwd[PATH_MAX], path[PATH_MAX], dir[PATH_MAX];
	const char *before = "";

	if (decision->spec.rootfs.kind == ROOTFS_DIR || getcwd(cwd, sizeof(cwd)) == NULL)
		return;
	for (; *args != NULL; before = *args++) {
		if (names_an_output(before) || path_normalize(path, sizeof(path), cwd, *args) < 0 ||
		    !looks_like_input(*args, path) || visible_is_shown(decision, path))
			continue;
		directory_to_show(*args, dir, sizeof(dir));
		if ((*args)[0] == '/' && is_sensitive(path))
			print_note("%s is not visible inside", *args);
		else
			print_note("%s is not visible inside; add --ro %s", *args, dir);
		return;
	}
}
