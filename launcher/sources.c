/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preflight of the host paths that a spec shows: what each really is, whether it may be shown, and
 * with whose rights. Runs in the keeper, reads only. What is found here is compared again when the
 * path is opened for good.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"
#include "launcher/preflight.h"
#include "launcher/protected.h"

enum { MOUNTINFO_MAX = 1 << 20 };

#define miss_text(miss, ...) str_format((miss)->text, sizeof((miss)->text), __VA_ARGS__)
#define miss_hint(miss, ...) str_format((miss)->hint, sizeof((miss)->hint), __VA_ARGS__)

/* What is asked for: a path of the host, and who asks. */
struct wish {
	const char *path;
	const char *key;
	struct spec_origin origin;
};

/* ---- file systems that are windows into the kernel ---- */

static const struct {
	unsigned long magic;
	const char *type;
} kernel_file_systems[] = {
	{PROC_SUPER_MAGIC, "proc"},
	{SYSFS_MAGIC, "sysfs"},
	{CGROUP_SUPER_MAGIC, "cgroup"},
	{CGROUP2_SUPER_MAGIC, "cgroup2"},
	{DEVPTS_SUPER_MAGIC, "devpts"},
	{DEBUGFS_MAGIC, "debugfs"},
	{TRACEFS_MAGIC, "tracefs"},
	{SECURITYFS_MAGIC, "securityfs"},
	{BPF_FS_MAGIC, "bpf"},
	{SELINUX_MAGIC, "selinuxfs"},
	{PSTOREFS_MAGIC, "pstore"},
	{EFIVARFS_MAGIC, "efivarfs"},
	{NSFS_MAGIC, "nsfs"},
	{BINFMTFS_MAGIC, "binfmt_misc"},
	{0, "devtmpfs"}, /* has the magic of tmpfs: known by its name in the list of mounts alone */
};
enum { N_KERNEL_FS = sizeof(kernel_file_systems) / sizeof(kernel_file_systems[0]) };

static void refuse_kernel_fs(const struct wish *wish, const char *where, const char *type,
			     struct misses *misses)
{
	struct miss *m = preflight_miss(misses, wish->key, wish->origin);

	miss_text(m, "%s: %s is the host's %s", wish->path, where, type);
	miss_hint(m, "It tells about the host and may change it. Show a directory that does not "
		     "contain it.");
}

static void check_file_system(const struct wish *wish, const char *real, struct misses *misses)
{
	struct statfs fs;

	if (statfs(real, &fs) != 0) {
		/* What cannot be told apart from the kernel's own is not shown. */
		refuse_kernel_fs(wish, real, "unknown file system", misses);
		return;
	}
	for (size_t i = 0; i < N_KERNEL_FS; i++)
		if (kernel_file_systems[i].magic != 0 &&
		    kernel_file_systems[i].magic == (unsigned long)fs.f_type)
			refuse_kernel_fs(wish, real, kernel_file_systems[i].type, misses);
}

/* Field number n (from 0) of a line of mountinfo, as text up to the next space. */
static const char *line_field(const char *line, size_t n, size_t *ret_len)
{
	for (; n > 0; n--) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	*ret_len = strcspn(line, " \n");
	return line;
}

/* mountinfo writes space, tab, newline and backslash as \040 and so on: proc(5). */
static void unescape(const char *text, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (text[i] == '\\' && i + 3 < len) {
			buf[n++] = (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
					  (text[i + 3] - '0'));
			i += 3;
		} else {
			buf[n++] = text[i];
		}
	}
	buf[n] = '\0';
}

static void check_mount_line(const struct wish *wish, const char *line, const char *real,
			     struct misses *misses)
{
	char target[PATH_MAX];
	size_t len;
	const char *field = line_field(line, 4, &len);
	const char *type = strstr(line, " - ");

	unescape(field, len, target, sizeof(target));
	if (type == NULL || !path_is_below(target, real))
		return;
	type += strlen(" - ");
	len = strcspn(type, " \n");
	for (size_t i = 0; i < N_KERNEL_FS; i++)
		if (strlen(kernel_file_systems[i].type) == len &&
		    strncmp(type, kernel_file_systems[i].type, len) == 0)
			refuse_kernel_fs(wish, target, kernel_file_systems[i].type, misses);
}

/* Mounts below a directory are shown with it. */
static void check_mounts_below(const struct wish *wish, const char *real, const char *mountinfo,
			       struct misses *misses)
{
	for (const char *line = mountinfo; *line != '\0';
	     line += strcspn(line, "\n"), line += *line == '\n')
		check_mount_line(wish, line, real, misses);
}

/* ---- one path ---- */

/* A root may be named through a link, a user's own, too; and what of it does not exist yet will be
 * made below what does. */
static void resolve_root(const char *root, char *buf, size_t size)
{
	char there[PATH_MAX], real[PATH_MAX];
	size_t len = strlen(root);

	while (len > 1) {
		str_format(there, sizeof(there), "%.*s", (int)len, root);
		if (realpath(there, real) != NULL) {
			str_format(buf, size, "%s%s", real, root + len);
			return;
		}
		while (len > 1 && root[--len] != '/')
			;
	}
	str_format(buf, size, "%s", root);
}

static bool touches(const char *root, const char *real)
{
	char state[PATH_MAX];

	if (root[0] == '\0')
		return false;
	resolve_root(root, state, sizeof(state));
	return path_is_below(real, state) || path_is_below(state, real) ||
	       path_is_below(real, root) || path_is_below(root, real);
}

/* Whoever may read it knows of other sandboxes what their owner alone is to know; whoever may write
 * it chooses what runs at the next start, and how. */
static void refuse_state(const struct decision *d, const struct wish *wish, const char *real,
			 struct misses *misses)
{
	const char *roots[] = {d->state_path, d->kept_path};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		struct miss *m;

		if (!touches(roots[i], real))
			continue;
		m = preflight_miss(misses, wish->key, wish->origin);
		miss_text(m, "%s: contains or lies in cordon's own state, %s", wish->path,
			  roots[i]);
		miss_hint(m, "Name a narrower directory, or move the state with --root DIR.");
		return;
	}
}

static bool refuse_path(const struct wish *wish, int result, const char *real,
			struct misses *misses)
{
	struct miss *m = preflight_miss(misses, wish->key, wish->origin);
	char to[PATH_MAX];

	miss_text(m, "%s: %s", wish->path, strerrordesc_np(-result));
	if (result == -ENOENT) {
		miss_hint(m, "Make it first, or correct the path.");
	} else if (result == -ELOOP) {
		miss_text(m, "%s: %s is a link that root did not make", wish->path, real);
		miss_hint(
			m,
			"Whoever owns a link chooses what would be shown. Write the real path: %s.",
			realpath(wish->path, to) != NULL ? to : "it leads nowhere");
	} else {
		miss_hint(m, "The caller must be able to reach it.");
	}
	return false;
}

static bool look_at(struct decision *d, const struct wish *wish, struct source_fact *ret,
		    struct misses *misses)
{
	char real[PATH_MAX];
	struct statx st = {0};
	struct miss *m;
	int r = path_resolve_trusted(wish->path, real, sizeof(real));

	if (r == 0)
		r = sys_statx(AT_FDCWD, real, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
	if (r < 0)
		return refuse_path(wish, r, real, misses);
	*ret = (struct source_fact){.dev_major = st.stx_dev_major,
				    .dev_minor = st.stx_dev_minor,
				    .ino = st.stx_ino,
				    .uid = st.stx_uid,
				    .gid = st.stx_gid,
				    .is_dir = S_ISDIR(st.stx_mode),
				    .is_open_program = S_ISREG(st.stx_mode) &&
						       (st.stx_mode & (S_IROTH | S_IXOTH)) ==
							       (S_IROTH | S_IXOTH),
				    .path = arena_strdup(&d->arena, real)};
	if (ret->path == NULL)
		return refuse_path(wish, -ENOMEM, real, misses);
	check_file_system(wish, real, misses);
	if (S_ISDIR(st.stx_mode) || S_ISREG(st.stx_mode) || S_ISCHR(st.stx_mode) ||
	    S_ISSOCK(st.stx_mode) || S_ISFIFO(st.stx_mode))
		return true;
	m = preflight_miss(misses, wish->key, wish->origin);
	miss_text(m, "%s: is neither a file nor a directory", wish->path);
	return false;
}

/*
 * Places where root keeps what only root may read. As root, what lies there and belongs to root is
 * shown without the owner's rights: `--ro /etc` does not show /etc/shadow's content. Elsewhere (a
 * checkout in /root/project) the workload reads as the owner does.
 */
static bool is_system_place(const char *real)
{
	static const char *const exact[] = {"/", "/root", "/home"};
	static const char *const below[] = {"/etc",   "/usr",   "/bin",    "/sbin", "/lib",
					    "/lib32", "/lib64", "/libx32", "/boot", "/run"};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (str_equal(real, exact[i]))
			return true;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		if (path_is_below(real, below[i]))
			return true;
	return path_is_below(real, "/var") && !path_is_below(real, "/var/tmp");
}

/* The policy shows a program that is named by its path at that path: where it is missing, it is the
 * program that is. */
static void note_program(const struct decision *d, const struct spec_mount *mount,
			 struct misses *misses)
{
	bool is_program = str_equal(mount->source, d->spec.process.program);

	if (is_program && misses->n_dropped == 0)
		misses->list[misses->n - 1].exec_errno =
			access(mount->source, F_OK) != 0 ? errno : ENOENT;
}

/* The program that is shown because it was named, where everybody may read and execute it: whose it
 * is makes no difference inside, and a mount with ids of its own costs as much as the namespaces.
 */
static bool is_open_program(const struct decision *d, const struct spec_mount *mount,
			    const struct source_fact *fact)
{
	return mount->read_only && fact->is_open_program &&
	       str_equal(mount->source, d->spec.process.program);
}

/* As root: whether what is written may land there, and where not, why. */
static void check_writable(const struct decision *d, const struct spec_mount *mount,
			   const struct source_fact *fact, struct misses *misses)
{
	struct miss *m;

	if (mount->read_only || !facts_can_map_block(&d->facts))
		return;
	if (fact->uid == 0 && !mount->host_root_write_waived) {
		m = preflight_miss(misses, "volumes", mount->origin);
		miss_text(m, "%s: belongs to the host's root and would be writable", mount->source);
		miss_hint(m,
			  "Show it read-only (--ro), give it to another owner and group (chown "
			  "-R), or add --waive \"host_root_write:%s=REASON\".",
			  mount->source);
	}
	/* The group of root is never mapped, and where the group is not mapped the kernel lets
	 * nobody write (HAS_UNMAPPED_ID in fs/namei.c). */
	if (fact->uid != 0 && fact->gid == 0) {
		m = preflight_miss(misses, "volumes", mount->origin);
		miss_text(m, "%s: its group is the host's root, for which nothing inside can write",
			  mount->source);
		miss_hint(m,
			  "Give it to the owner's group (chgrp -R), or show it read-only (--ro).");
	}
}

static void check_source(struct decision *d, const struct spec_mount *mount,
			 struct source_fact *fact, struct misses *misses)
{
	struct wish wish = {.path = mount->source, .key = "volumes", .origin = mount->origin};

	if (!look_at(d, &wish, fact, misses)) {
		note_program(d, mount, misses);
		return;
	}
	refuse_state(d, &wish, fact->path, misses);
	fact->shows_owner = !is_open_program(d, mount, fact) &&
			    (fact->uid != 0 || mount->host_root_write_waived ||
			     (mount->read_only && !is_system_place(fact->path)));
	check_writable(d, mount, fact, misses);
}

static void check_root(struct decision *d, struct misses *misses)
{
	const struct spec_rootfs *rootfs = &d->spec.rootfs;
	struct wish wish = {.path = rootfs->dir, .key = "rootfs.from", .origin = rootfs->origin};
	struct source_fact *fact = &d->root_source;

	if (!look_at(d, &wish, fact, misses))
		return;
	refuse_state(d, &wish, fact->path, misses);
	fact->shows_owner = fact->uid != 0 || !is_system_place(fact->path);
	if (!fact->is_dir) {
		struct miss *m = preflight_miss(misses, "rootfs.from", rootfs->origin);

		miss_text(m, "%s: is not a directory", rootfs->dir);
	}
}

/* Allocated. NULL: reported. */
static char *read_mountinfo(struct misses *misses)
{
	static const char path[] = "/proc/self/mountinfo";
	_cleanup_free_ char *text = malloc(MOUNTINFO_MAX);

	if (text == NULL || io_read_text(AT_FDCWD, path, text, MOUNTINFO_MAX) < 0) {
		struct miss *m = preflight_miss(misses, "", (struct spec_origin){.file = ""});

		miss_text(m, "%s: cannot be read, so what is mounted below is not known", path);
		return NULL;
	}
	return steal_ptr(&text);
}

static bool shows_directory(const struct spec_mount *mount, const struct source_fact *source)
{
	return mount->type == MOUNT_BIND && source->path != NULL && source->is_dir;
}

/* What is mounted below the directories that are shown. Nothing can be below a file. */
static void check_mounts(const struct sandbox_spec *spec, const struct source_fact *sources,
			 struct misses *misses)
{
	_cleanup_free_ char *mountinfo = NULL;

	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		struct wish wish = {.path = mount->source,
				    .key = "volumes",
				    .origin = mount->origin};

		if (!shows_directory(mount, &sources[i]))
			continue;
		if (mountinfo == NULL)
			mountinfo = read_mountinfo(misses);
		if (mountinfo == NULL)
			return;
		check_mounts_below(&wish, sources[i].path, mountinfo, misses);
	}
}

void preflight_sources(struct decision *decision, struct source_fact *sources,
		       struct misses *misses)
{
	const struct sandbox_spec *spec = &decision->spec;

	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].type == MOUNT_BIND)
			check_source(decision, &spec->mounts[i], &sources[i], misses);
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (sources[i].path != NULL)
			protected_look(decision, &spec->mounts[i], &sources[i], misses);
	check_mounts(spec, sources, misses);
	if (spec->rootfs.kind == ROOTFS_DIR)
		check_root(decision, misses);
	protected_check_holes(decision, sources, misses);
}
