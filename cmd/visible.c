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

static bool is_of_system(const struct decision *decision, const char *path)
{
	for (size_t i = 0; i < decision->tree.n_ops; i++) {
		const struct tree_op *op = &decision->tree.ops[i];

		if (op->stage == TREE_SYSTEM && path_is_below(path, op->target))
			return true;
	}
	return false;
}

bool visible_is_shown(const struct decision *decision, const char *path)
{
	const struct sandbox_spec *spec = &decision->spec;
	const struct spec_mount *mount = access_find_mount(spec, path);

	if (is_of_system(decision, path))
		return true;
	/* The nearest mount above it decides. A tmpfs hides what the host has. */
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

/* ---- what hides it, or makes it read-only ---- */

struct question {
	const struct decision *decision;
	const char *arg;  /* as it was written */
	const char *path; /* the same: absolute, normal */
	char *buf;
	size_t size;
};

/* The line of the bind that protects a path below it; NULL: none does. */
static const struct spec_protected *find_protected(const struct spec_mount *mount, const char *path,
						   enum spec_protection protection)
{
	char protected[PATH_MAX];

	for (size_t i = 0; mount != NULL && i < mount->n_protected; i++) {
		str_format(protected, sizeof(protected), "%s/%s", mount->target,
			   mount->protected[i].path);
		if (mount->protected[i].protection == protection && path_is_below(path, protected))
			return &mount->protected[i];
	}
	return NULL;
}

static bool is_hidden(const struct question *q, const char *flag)
{
	const struct spec_mount *mount = access_find_mount(&q->decision->spec, q->path);
	const struct spec_protected *line = find_protected(mount, q->path, PROTECT_HIDDEN);
	char origin[512], dir[PATH_MAX];

	if (line != NULL) {
		str_format(q->buf, q->size, "%s is hidden inside by hide_below (%s)", q->arg,
			   print_origin(line->origin, origin, sizeof(origin)));
		return true;
	}
	if (visible_is_shown(q->decision, q->path))
		return false;
	directory_to_show(q->arg, dir, sizeof(dir));
	if (q->arg[0] == '/' && is_sensitive(q->path))
		str_format(q->buf, q->size, "%s is not visible inside", q->arg);
	else
		str_format(q->buf, q->size, "%s is not visible inside; add %s %s", q->arg, flag,
			   dir);
	return true;
}

/* Of a path that is shown. */
static bool is_read_only(const struct question *q)
{
	const struct spec_mount *mount = access_find_mount(&q->decision->spec, q->path);
	const struct spec_protected *line = find_protected(mount, q->path, PROTECT_READ_ONLY);
	char origin[512];

	if (line != NULL) {
		str_format(q->buf, q->size, "%s is read-only inside by read_only_below (%s)",
			   q->arg, print_origin(line->origin, origin, sizeof(origin)));
		return true;
	}
	if (mount == NULL && is_of_system(q->decision, q->path)) {
		str_format(q->buf, q->size,
			   "%s is read-only inside: it belongs to the host's own programs", q->arg);
		return true;
	}
	if (mount == NULL || !mount->read_only)
		return false;
	print_origin(mount->origin, origin, sizeof(origin));
	if (str_equal(mount->source, mount->target))
		str_format(q->buf, q->size,
			   "%s is read-only inside: %s is mounted so (%s); --rw %s", q->arg,
			   mount->target, origin, mount->source);
	else
		str_format(q->buf, q->size,
			   "%s is read-only inside: %s is mounted so (%s); read_only: false there",
			   q->arg, mount->target, origin);
	return true;
}

/* Whether it lies right in a tmpfs of the sandbox's own: the directories below are not the host's.
 */
static bool is_in_own_directory(const struct spec_mount *mount, const char *path)
{
	size_t len = strlen(mount->target);

	return mount->type == MOUNT_TMPFS && path_is_below(path, mount->target) &&
	       strchr(path + len + (path[len] == '/'), '/') == NULL;
}

/* An output is meant where the program starts: in the caller's directory only where that is shown.
 */
static bool is_unwritable(const struct question *q, const char *cwd)
{
	const struct spec_mount *mount = access_find_mount(&q->decision->spec, q->path);

	if (q->arg[0] != '/' && !visible_is_shown(q->decision, cwd))
		return false;
	if ((mount != NULL && is_in_own_directory(mount, q->path)) ||
	    path_is_below(q->path, "/dev"))
		return false;
	return is_hidden(q, "--rw") || is_read_only(q);
}

static bool has_root_of_its_own(const struct decision *decision)
{
	return decision->spec.rootfs.kind == ROOTFS_DIR ||
	       decision->spec.rootfs.kind == ROOTFS_IMAGE;
}

static bool can_be_written_where_it_is(const struct decision *decision)
{
	return has_root_of_its_own(decision) || decision->spec.rootfs.writable != WRITABLE_NONE;
}

bool visible_find_rule(const struct decision *decision, const char *const *args, bool is_asked,
		       char *buf, size_t size)
{
	char cwd[PATH_MAX], path[PATH_MAX];
	struct question q = {.decision = decision, .path = path, .buf = buf, .size = size};

	buf[0] = '\0';
	if (has_root_of_its_own(decision) || getcwd(cwd, sizeof(cwd)) == NULL)
		return false;
	/* What was not found comes first: without it nothing is written. */
	for (int is_output = 0; is_output < 2; is_output++) {
		const char *before = "";

		for (const char *const *arg = args; *arg != NULL; before = *arg++) {
			q.arg = *arg;
			if ((*arg)[0] == '\0' || path_normalize(path, sizeof(path), cwd, *arg) < 0)
				continue;
			if (is_output == 0 && !names_an_output(before) &&
			    looks_like_input(*arg, path) && is_hidden(&q, "--ro"))
				return true;
			if (is_output == 1 && !can_be_written_where_it_is(decision) &&
			    (names_an_output(before) ||
			     (is_asked && looks_like_input(*arg, path))) &&
			    is_unwritable(&q, cwd))
				return true;
		}
	}
	buf[0] = '\0';
	return false;
}
