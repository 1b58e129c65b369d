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
#include "launcher/terminal.h"

static const struct spec_origin nowhere = {.file = ""};

void preflight_leave_out(struct decision *decision, const char *key)
{
	_Static_assert(SPEC_LIMITS + 2 <= RESULT_NOT_ENFORCED_MAX, "limits, landlock, apparmor");
	if (decision->n_not_enforced < RESULT_NOT_ENFORCED_MAX)
		decision->not_enforced[decision->n_not_enforced++] = key;
}

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

/* Without it nothing is known of namespaces: one miss instead of one for each. */
/* By /proc/self/exe, as the interpreter of a script, what runs inside comes to have this program's
 * file open. Linux 6.11 to 6.12.1 let a file that is being executed be written to. */
static void check_program(const struct decision *d, struct misses *misses)
{
	struct miss *m;

	if (!d->facts.program_is_writable)
		return;
	m = preflight_miss(misses, "", nowhere);
	miss_text(m,
		  "this kernel lets a program be written to while it runs, and uid %u may write "
		  "to cordon's: what runs in a sandbox could change it",
		  d->facts.euid);
	miss_hint(m, "Have cordon belong to root: chown root and chmod go-w its file. Or boot "
		     "another kernel: only 6.11 to 6.12.1 do that.");
}

static bool has_proc(const struct decision *d)
{
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		if (d->facts.namespaces[i])
			return true;
	return false;
}

static void check_proc(const struct decision *d, struct misses *misses)
{
	struct miss *m;

	if (has_proc(d))
		return;
	m = preflight_miss(misses, "", nowhere);
	miss_text(m, "/proc is not mounted here");
	miss_hint(m, "As root: mount -t proc proc /proc.");
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
		 "As root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or load "
		 "cordon's AppArmor profile, which grants `userns` to it (`cordon doctor` prints "
		 "the line)."},
		{USERNS_APPARMOR_PROFILE,
		 "the AppArmor profile that cordon is under does not let it make user namespaces",
		 "As root: load cordon's own AppArmor profile, which grants `userns` to it "
		 "(`cordon "
		 "doctor` prints the line), or add the rule `userns,` to that profile."},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct miss *m;

		if (d->facts.userns != table[i].state || !has_proc(d))
			continue;
		m = preflight_miss(misses, "", nowhere);
		miss_text(m, "%s", table[i].text);
		/* A sysctl of the host's is not what stands in the way in somebody's sandbox. */
		miss_hint(m, "%s",
			  d->facts.in_initial_userns || table[i].state != USERNS_MAX_ZERO
				  ? table[i].hint
				  : "This is inside a container or a sandbox that forbids it, as "
				    "cordon's own do: start cordon outside, beside it. In a "
				    "container of yours, allow nested user namespaces.");
	}
}

static void check_namespaces(const struct decision *d, struct misses *misses)
{
	for (size_t i = 1; i < FACTS_NAMESPACES; i++) {
		struct miss *m;

		if (d->facts.namespaces[i] || !has_proc(d))
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

static void describe_fd(const struct decision *d, size_t i, char *buf, size_t size)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};
	int fd = facts_fd(&d->facts, i);

	if (i < 3)
		str_format(buf, size, "%s (descriptor %d)", names[i], fd);
	else
		str_format(buf, size, "--fd %d", fd);
}

static void check_stdio(const struct decision *d, struct misses *misses)
{
	static const char *const what[] = {
		[FD_USABLE] = NULL,
		[FD_CLOSED] = NULL,
		[FD_DIRECTORY] = "a directory: it would lead out of the sandbox",
		[FD_PATH_ONLY] = "an O_PATH descriptor: it would lead out of the sandbox",
		[FD_KERNEL_OBJECT] = "a handle on the kernel: it would lead out of the sandbox",
		[FD_TERMINAL] = "a terminal: it would give the program the caller's terminal",
	};

	for (size_t i = 0; i < facts_n_fds(&d->facts); i++) {
		enum fd_state state = d->facts.stdio[i];
		const char *kind = i >= 3 && state == FD_CLOSED ? "not open" : what[state];
		char name[64];
		struct miss *m;

		if (kind == NULL)
			continue;
		describe_fd(d, i, name, sizeof(name));
		m = preflight_miss(misses, "", nowhere);
		miss_text(m, "%s is %s", name, kind);
		miss_hint(m, "Connect it to a file, a pipe or /dev/null.");
	}
}

static void check_terminals(const struct decision *d, struct misses *misses)
{
	int first = terminal_descriptor(d);

	for (int fd = first + 1; first >= 0 && fd < 3; fd++) {
		struct miss *m;

		if (!d->facts.stdio_is_terminal[fd] ||
		    d->facts.stdio_terminal[fd] == d->facts.stdio_terminal[first])
			continue;
		m = preflight_miss(misses, "", nowhere);
		miss_text(m, "descriptors %d and %d are two terminals: a sandbox has one", first,
			  fd);
		miss_hint(m, "Pass one of them through a pipe: cordon run ... 2>&1, or | cat.");
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

	/* As many as the caller may have: nothing is asked for (plan_make). */
	if (is_nproc && limit->value == SPEC_UNLIMITED)
		return;
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

/* Exactly 1 keeps the kernel from starting the handler: core(5), fs/coredump.c. */
static void check_core(const struct decision *d, struct misses *misses)
{
	const struct spec_limits *limits = &d->spec.limits;

	for (size_t i = 0; i < limits->n_rlimits; i++) {
		struct miss *m;

		if (limits->rlimits[i].resource != RLIMIT_CORE || limits->rlimits[i].value == 1 ||
		    !d->facts.core_is_piped)
			continue;
		m = preflight_miss(misses, "limits.ulimits.core", limits->rlimits[i].origin);
		miss_text(
			m,
			"limits.ulimits.core: kernel.core_pattern is a pipe here, and its program "
			"would be started outside, as root");
		miss_hint(m, "Leave core at 0, or set kernel.core_pattern to a file name as root.");
	}
}

static void check_overlay(const struct decision *d, struct misses *misses)
{
	struct miss *m;

	if ((d->spec.rootfs.kind != ROOTFS_DIR && d->spec.rootfs.kind != ROOTFS_IMAGE) ||
	    d->facts.overlay)
		return;
	m = preflight_miss(misses, "rootfs.from", d->spec.rootfs.origin);
	miss_text(m, "rootfs.from: %s: needs overlayfs, which this kernel has not loaded",
		  d->spec.rootfs.kind == ROOTFS_DIR ? "dir" : "image");
	miss_hint(m, "As root: modprobe overlay.");
}

void preflight_host(const struct decision *decision, struct misses *misses)
{
	static void (*const checks[])(const struct decision *, struct misses *) = {
		check_kernel,     check_program, check_proc,  check_userns,
		check_namespaces, check_seccomp, check_stdio, check_terminals,
		check_ids,        check_limits,  check_core,  check_overlay,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](decision, misses);
}
