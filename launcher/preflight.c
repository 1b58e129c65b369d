/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preflight: every protection that the spec asks for is held against the host before anything is
 * made, and all that is missing is said at once, each with its remedy. Runs in the keeper, reads
 * only.
 */
#include "launcher/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "base/sys.h"

static const struct spec_origin nowhere = {.file = ""};

struct miss *preflight_miss(struct misses *misses, const char *key, struct spec_origin origin)
{
	static const struct miss empty;
	struct miss *miss;

	if (misses->n == MISSES_MAX) {
		misses->n_dropped++;
		/* The last one is overwritten: the count says that there were more. */
		miss = &misses->list[MISSES_MAX - 1];
	} else {
		miss = &misses->list[misses->n++];
	}
	*miss = empty;
	str_format(miss->key, sizeof(miss->key), "%s", key);
	miss->origin = origin;
	return miss;
}

#define miss_text(miss, ...) str_format((miss)->text, sizeof((miss)->text), __VA_ARGS__)
#define miss_hint(miss, ...) str_format((miss)->hint, sizeof((miss)->hint), __VA_ARGS__)

/* ---- the host ---- */

static void check_kernel(const struct decision *d, struct misses *misses)
{
	const struct host_facts *f = &d->facts;
	struct miss *m;

	if (f->kernel_major > 6 || (f->kernel_major == 6 && f->kernel_minor >= 1))
		return;
	m = preflight_miss(misses, "", nowhere);
	miss_text(m, "kernel %u.%u is older than 6.1", f->kernel_major, f->kernel_minor);
	miss_hint(m, "Boot a kernel of 6.1 or later.");
}

static void check_userns(const struct decision *d, struct misses *misses)
{
	static const struct {
		enum userns_state state;
		const char *text;
		const char *hint;
	} table[] = {
		{USERNS_NO_KERNEL, "this kernel has no user namespaces",
		 "Boot a kernel with CONFIG_USER_NS=y."},
		{USERNS_MAX_ZERO, "user.max_user_namespaces is 0: no user namespace may be made",
		 "As root: sysctl -w user.max_user_namespaces=15000 (and the same line in "
		 "/etc/sysctl.d/60-cordon.conf to keep it)."},
		{USERNS_CLONE_SYSCTL,
		 "kernel.unprivileged_userns_clone is 0: only root may make a user namespace",
		 "As root: sysctl -w kernel.unprivileged_userns_clone=1 (and the same line in "
		 "/etc/sysctl.d/60-cordon.conf to keep it)."},
		{USERNS_APPARMOR,
		 "kernel.apparmor_restrict_unprivileged_userns is 1: AppArmor takes a user "
		 "namespace's capabilities away",
		 "As root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or load an "
		 "AppArmor profile that grants `userns` to this program."},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct miss *m;

		if (d->facts.userns != table[i].state)
			continue;
		m = preflight_miss(misses, "", nowhere);
		miss_text(m, "%s", table[i].text);
		miss_hint(m, "%s", table[i].hint);
	}
}

static void check_namespaces(const struct decision *d, struct misses *misses)
{
	for (size_t i = 1; i < FACTS_NAMESPACES; i++) {
		struct miss *m;

		if (d->facts.namespaces[i])
			continue;
		m = preflight_miss(misses, "", nowhere);
		miss_text(m, "/proc/self/ns/%s is missing: no such namespace here",
			  facts_namespace_names[i]);
		miss_hint(m, "Mount /proc, or boot a kernel that has %s namespaces.",
			  facts_namespace_names[i]);
	}
}

static void check_seccomp(const struct decision *d, struct misses *misses)
{
	struct miss *m;

	if (d->facts.seccomp_filter)
		return;
	m = preflight_miss(misses, "seccomp", nowhere);
	miss_text(m, "this kernel has no seccomp filters");
	miss_hint(m, "Boot a kernel with CONFIG_SECCOMP_FILTER=y.");
}

static void check_stdio(const struct decision *d, struct misses *misses)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};

	for (int fd = 0; fd < 3; fd++) {
		bool is_dir = d->facts.stdio[fd] == FD_DIRECTORY;
		struct miss *m;

		if (!is_dir && d->facts.stdio[fd] != FD_PATH_ONLY)
			continue;
		m = preflight_miss(misses, "", nowhere);
		miss_text(m, "%s (descriptor %d) is %s: it would lead out of the sandbox",
			  names[fd], fd, is_dir ? "a directory" : "an O_PATH descriptor");
		miss_hint(m, "Connect it to a file, a pipe or /dev/null.");
	}
}

static void check_ids(const struct decision *d, struct misses *misses)
{
	const struct spec_identity *id = &d->spec.identity;
	struct miss *m;

	if (facts_can_map_block(&d->facts)) {
		if (id->uid < IDENTITY_INIT && id->gid < IDENTITY_INIT)
			return;
		m = preflight_miss(misses, "process.user", nowhere);
		miss_text(m, "process.user: %u:%u is beyond a sandbox's ids 0 to %d", id->uid,
			  id->gid, IDENTITY_INIT - 1);
		miss_hint(m, "Choose ids below %d: the last one is init's.", IDENTITY_INIT);
		return;
	}
	if (d->facts.host_euid != 0)
		return;
	m = preflight_miss(misses, "", nowhere);
	miss_text(m, "the caller is the host's uid 0 but may not map other ids");
	miss_hint(m, "The host's uid 0 is never mapped into a sandbox. Run as an ordinary user, or "
		     "give root "
		     "back CAP_SETUID, CAP_SETGID, CAP_SYS_ADMIN, CAP_SYS_PTRACE and CAP_KILL.");
}

static void check_one_limit(const struct decision *d, const struct spec_rlimit *limit,
			    struct misses *misses)
{
	uint64_t hard = d->facts.rlimit_hard[limit->resource];
	bool is_nproc = str_equal(limit->name, "nproc");
	struct miss *m;
	char key[64];

	/* With one id, init is counted among the workload's processes (plan_make). */
	if (is_nproc && hard != SPEC_UNLIMITED && hard > 0 && !facts_can_map_block(&d->facts))
		hard--;
	if (limit->value <= hard || facts_can_raise_limits(&d->facts))
		return;
	str_format(key, sizeof(key), is_nproc ? "limits.%s" : "limits.ulimits.%s", limit->name);
	m = preflight_miss(misses, key, limit->origin);
	miss_text(m, "%s: this process may not have more than %llu", key, (unsigned long long)hard);
	miss_hint(m,
		  "Ask for less (--set %s=%llu), or raise the hard limit before (ulimit -H, "
		  "or LimitXXX= in the unit): that needs CAP_SYS_RESOURCE.",
		  key, (unsigned long long)hard);
}

static void check_limits(const struct decision *d, struct misses *misses)
{
	const struct spec_limits *limits = &d->spec.limits;
	struct spec_rlimit nproc = {.name = "nproc",
				    .resource = RLIMIT_NPROC,
				    .value = limits->nproc,
				    .origin = limits->nproc_origin};

	for (size_t i = 0; i < limits->n_rlimits; i++)
		check_one_limit(d, &limits->rlimits[i], misses);
	check_one_limit(d, &nproc, misses);
}

static void check_overlay(const struct decision *d, struct misses *misses)
{
	struct miss *m;

	if (d->spec.rootfs.kind != ROOTFS_DIR || d->facts.overlay)
		return;
	m = preflight_miss(misses, "rootfs.from", d->spec.rootfs.origin);
	miss_text(m, "rootfs.from: dir: needs overlayfs, which this kernel has not loaded");
	miss_hint(m, "As root: modprobe overlay.");
}

void preflight_host(const struct decision *decision, struct misses *misses)
{
	static void (*const checks[])(const struct decision *, struct misses *) = {
		check_kernel, check_userns, check_namespaces, check_seccomp,
		check_stdio,  check_ids,    check_limits,     check_overlay,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](decision, misses);
}

/* ---- the paths that are shown ---- */

static bool is_same_place(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major &&
	       a->stx_dev_minor == b->stx_dev_minor;
}

/* True where path, or as much of it as there is, is or lies in the place `outer`, over whatever
 * links lead there. */
static bool lies_in(const char *path, const struct statx *outer)
{
	char part[PATH_MAX], real[PATH_MAX];
	struct statx at;

	str_format(part, sizeof(part), "%s", path);
	while (realpath(part, real) == NULL) {
		char *slash = strrchr(part, '/');

		if (slash == NULL || slash == part)
			return false;
		*slash = '\0';
	}
	for (size_t len = strlen(real); len > 0;) {
		if (sys_statx(AT_FDCWD, real, 0, STATX_INO, &at) == 0 && is_same_place(&at, outer))
			return true;
		while (len > 0 && real[--len] != '/')
			;
		real[len] = '\0';
	}
	return sys_statx(AT_FDCWD, "/", 0, STATX_INO, &at) == 0 && is_same_place(&at, outer);
}

static bool source_touches_state(const struct decision *d, const char *path)
{
	struct statx at;

	/* By name, and by what is there: a link or another mount may lead to the same place. */
	if (path_is_below(path, d->state_path) || path_is_below(d->state_path, path))
		return true;
	if (sys_statx(AT_FDCWD, path, 0, STATX_INO, &at) == 0 && lies_in(d->state_path, &at))
		return true;
	return sys_statx(AT_FDCWD, d->state_path, 0, STATX_INO, &at) == 0 && lies_in(path, &at);
}

static bool look_at(const char *path, const char *key, struct spec_origin origin,
		    struct source_fact *ret, struct misses *misses)
{
	struct statx st;
	struct miss *m;
	int r = sys_statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st);

	if (r < 0) {
		m = preflight_miss(misses, key, origin);
		miss_text(m, "%s: %s", path, strerrordesc_np(-r));
		miss_hint(m, r == -ENOENT ? "Make it first, or correct the path."
					  : "The caller must be able to reach it.");
		return false;
	}
	*ret = (struct source_fact){.dev_major = st.stx_dev_major,
				    .dev_minor = st.stx_dev_minor,
				    .ino = st.stx_ino,
				    .uid = st.stx_uid,
				    .gid = st.stx_gid,
				    .is_dir = S_ISDIR(st.stx_mode)};
	if (S_ISDIR(st.stx_mode) || S_ISREG(st.stx_mode) || S_ISCHR(st.stx_mode) ||
	    S_ISSOCK(st.stx_mode) || S_ISFIFO(st.stx_mode))
		return true;
	m = preflight_miss(misses, key, origin);
	miss_text(m, "%s: is neither a file nor a directory", path);
	return false;
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

static void check_source(const struct decision *d, const struct spec_mount *mount,
			 struct source_fact *fact, struct misses *misses)
{
	struct miss *m;

	if (!look_at(mount->source, "volumes", mount->origin, fact, misses)) {
		note_program(d, mount, misses);
		return;
	}
	if (source_touches_state(d, mount->source)) {
		m = preflight_miss(misses, "volumes", mount->origin);
		miss_text(m, "%s: contains or lies in cordon's own state, %s", mount->source,
			  d->state_path);
		miss_hint(m, "Name a narrower directory, or move the state with --root DIR.");
	}
	if (mount->read_only || mount->host_root_write_waived || fact->uid != 0 ||
	    !facts_can_map_block(&d->facts))
		return;
	m = preflight_miss(misses, "volumes", mount->origin);
	miss_text(m, "%s: belongs to the host's root and would be writable", mount->source);
	miss_hint(m,
		  "Show it read-only (--ro), give it to another owner, or add --waive "
		  "host_root_write:%s=REASON.",
		  mount->source);
}

void preflight_sources(struct decision *decision, struct source_fact *sources,
		       struct misses *misses)
{
	const struct sandbox_spec *spec = &decision->spec;

	for (size_t i = 0; i < spec->n_mounts; i++)
		if (spec->mounts[i].type == MOUNT_BIND)
			check_source(decision, &spec->mounts[i], &sources[i], misses);
	if (spec->rootfs.kind != ROOTFS_DIR ||
	    !look_at(spec->rootfs.dir, "rootfs.from", spec->rootfs.origin, &decision->root_source,
		     misses))
		return;
	if (!decision->root_source.is_dir) {
		struct miss *m = preflight_miss(misses, "rootfs.from", spec->rootfs.origin);

		miss_text(m, "%s: is not a directory", spec->rootfs.dir);
	}
}
