/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of control groups: obstacles, remedies, and by what a limit is enforced. */
#include "launcher/limits_text.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "launcher/cordon.h"

enum { MILLION = 1000000 };

/* ---- obstacles and remedies ---- */

const char *limits_text_obstacle(const struct host_facts *facts, uint32_t controller)
{
	switch (facts->cgroup.obstacle[controller]) {
	case CGROUP_USABLE:
		return "";
	case CGROUP_ABSENT:
		return "this host has no such control group";
	case CGROUP_NOT_SHOWN:
		return "the caller's control group is not shown here";
	case CGROUP_NO_PARENT:
		return "there is no control group of the name that --cgroup-parent gives";
	case CGROUP_READ_ONLY:
		return "control groups are mounted read-only here";
	case CGROUP_NOT_DELEGATED:
		return "the caller may not make a control group here";
	case CGROUP_NOT_ENABLED:
		return "the group in which it would be made has not got this controller";
	case CGROUP_BUSY:
		return "the group in which it would be made has processes of its own";
	case CGROUP_MANAGED:
		return "the group in which it would be made is systemd's to arrange";
	}
	return "";
}

/* The controllers among `controllers` with the same version and obstacle as this one. */
static uint32_t alike(const struct cgroup_facts *facts, uint32_t controllers,
		      enum cgroup_controller first)
{
	uint32_t bits = 0;

	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((controllers & 1U << c) != 0 && facts->version[c] == facts->version[first] &&
		    facts->obstacle[c] == facts->obstacle[first])
			bits |= 1U << c;
	return bits;
}

/* The tops of their hierarchies, each once, with a blank in front. */
static size_t put_tops(const struct cgroup_facts *facts, uint32_t controllers, char *buf,
		       size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if ((facts->hierarchies[i].present & controllers) != 0)
			len += str_format(buf + len, size - len, " %s", facts->hierarchies[i].top);
	return len;
}

/* A group for the caller in each hierarchy, below its top: on v1 whoever owns a group may put its
 * own processes there. In cpuset a new one has no processors. */
static void fix_v1(const struct host_facts *facts, uint32_t controllers, const char *name,
		   struct limits_fix *fix)
{
	char *buf = fix->command;
	const size_t size = sizeof(fix->command);
	size_t len = str_format(buf, size, "for d in");

	str_format(fix->text, sizeof(fix->text),
		   "As root; then start with --cgroup-parent %s:", name);
	len += put_tops(&facts->cgroup, controllers, buf + len, size - len);
	len += str_format(buf + len, size - len,
			  "; do mkdir -p $d/%s && chown %u $d/%s $d/%s/cgroup.procs; ", name,
			  facts->host_euid, name, name);
	if ((controllers & 1U << CGROUP_CPUSET) != 0)
		len += str_format(
			buf + len, size - len,
			"for f in cpuset.cpus cpuset.mems; do [ ! -e $d/$f ] || cat $d/$f "
			">$d/%s/$f; done; ",
			name);
	str_format(buf + len, size - len, "done");
}

/* On v2 the caller must be below the group already: moving there takes rights above it. */
static void fix_v2(const struct host_facts *facts, uint32_t controllers, const char *top,
		   struct limits_fix *fix)
{
	char *buf = fix->command;
	const size_t size = sizeof(fix->command);
	size_t len = str_format(buf, size, "echo");

	str_format(fix->text, sizeof(fix->text),
		   "As root (%d is who started cordon):", facts->cgroup.caller);
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if ((controllers & 1U << c) != 0 && c != CGROUP_CPUACCT && c != CGROUP_FREEZER)
			len += str_format(buf + len, size - len, " +%s",
					  cgroup_controller_names[c]);
	str_format(buf + len, size - len,
		   " >%s/cgroup.subtree_control; D=%s/cordon-%u; mkdir -p $D/caller; chown %u $D "
		   "$D/cgroup.procs $D/cgroup.threads $D/cgroup.subtree_control; echo %d "
		   ">$D/caller/cgroup.procs",
		   top, top, facts->host_euid, facts->host_euid, facts->cgroup.caller);
}

/* What keeps the program that asks systemd from being executed, and what to do. */
static const char *scope_program_fix(const struct host_facts *facts)
{
	return facts->scope_errno == ENOENT
		       ? "is neither beside cordon nor in ../libexec/cordon from there: make "
			 "install puts it there"
		       : "is not executed where it is: that file and its directory must be "
			 "root's or yours, and nobody else's to write (chmod go-w)";
}

static const char *user_flag(const struct host_facts *facts)
{
	return facts->host_euid == 0 ? "" : "--user ";
}

/* systemd would give a group, if cordon-scope could ask for it. */
static void fix_scope(const struct host_facts *facts, struct limits_fix *fix)
{
	str_format(fix->text, sizeof(fix->text),
		   "systemd would give a group, and cordon-scope, which asks for it, %s; or start "
		   "it in one of your own: systemd-run %s--scope -p Delegate=yes cordon run ...",
		   scope_program_fix(facts), user_flag(facts));
}

void limits_text_fix_way_in(const struct host_facts *facts, char *buf, size_t size)
{
	if (facts->scope_errno != 0)
		str_format(buf, size,
			   "systemd would give a scope from which it can be entered, and "
			   "cordon-scope, which asks for it, %s; or start it in one: systemd-run "
			   "%s--scope cordon exec ...",
			   scope_program_fix(facts), user_flag(facts));
	else
		str_format(buf, size,
			   "Start it from below the group that the sandbox's was delegated with; "
			   "where a user's systemd gave it: systemd-run %s--scope cordon exec ...",
			   user_flag(facts));
}

static void fix_delegation(const struct host_facts *facts, uint32_t controllers,
			   enum cgroup_controller first, struct limits_fix *fix)
{
	const struct cgroup_hierarchy *h = cgroup_hierarchy_of(&facts->cgroup, first);
	char name[64];

	str_format(name, sizeof(name), "cordon-%u", facts->host_euid);
	if (facts->cgroup.version[first] == CGROUP_V1)
		fix_v1(facts, controllers, name, fix);
	else if (facts->has_systemd)
		str_format(fix->text, sizeof(fix->text),
			   "Start it in a group of your own: systemd-run %s--scope -p "
			   "Delegate=yes cordon run ...",
			   user_flag(facts));
	else
		fix_v2(facts, controllers, h != NULL ? h->top : "/sys/fs/cgroup", fix);
}

static void fix_missing_controller(const struct host_facts *facts, enum cgroup_controller c,
				   struct limits_fix *fix)
{
	const struct cgroup_hierarchy *h = cgroup_hierarchy_of(&facts->cgroup, c);
	const char *top = h != NULL ? h->top : "", *parent = h != NULL ? h->parent : "";

	if (facts->cgroup.version[c] == CGROUP_V1) {
		str_format(fix->text, sizeof(fix->text), "As root:");
		str_format(fix->command, sizeof(fix->command),
			   "for f in cpuset.cpus cpuset.mems; do cat %s/$f >%s/$f; done", top,
			   parent);
	} else {
		str_format(
			fix->text, sizeof(fix->text),
			"As root: echo +%s >cgroup.subtree_control in each group from %s down to "
			"%.*s%s.",
			cgroup_controller_names[c], top,
			/* Ours is made by ourselves. */
			(int)(h != NULL && h->makes_parent ? strrchr(parent, '/') - parent
							   : (ptrdiff_t)strlen(parent)),
			parent,
			facts->has_systemd ? " (kept by systemd with Delegate=yes in "
					     "user@.service)"
					   : "");
	}
}

/* `top` and `parent` are those of the first controller. */
static void fix_place(const struct host_facts *facts, uint32_t controllers,
		      enum cgroup_controller first, struct limits_fix *fix)
{
	const struct cgroup_hierarchy *h = cgroup_hierarchy_of(&facts->cgroup, first);
	const char *top = h != NULL ? h->top : "/sys/fs/cgroup";

	if (facts->cgroup.obstacle[first] == CGROUP_READ_ONLY) {
		str_format(fix->text, sizeof(fix->text),
			   "As root (in a container: start it with its control groups writable):");
		str_format(fix->command, sizeof(fix->command), "mount -o remount,bind,rw %s", top);
	} else if (facts->cgroup.version[first] == CGROUP_V1 && h != NULL) {
		fix_v1(facts, controllers, h->parent_path + 1, fix);
	} else {
		str_format(fix->text, sizeof(fix->text), "Make it:");
		str_format(fix->command, sizeof(fix->command), "mkdir -p %s",
			   h != NULL ? h->parent : top);
	}
}

void limits_text_fix(const struct host_facts *facts, uint32_t controllers, struct limits_fix *ret)
{
	enum cgroup_controller c = 0;

	ret->text[0] = ret->command[0] = '\0';
	while (c < CGROUP_CONTROLLERS &&
	       ((controllers & 1U << c) == 0 || facts->cgroup.obstacle[c] == CGROUP_USABLE))
		c++;
	if (c == CGROUP_CONTROLLERS)
		return;
	if ((facts->scope_lost & 1U << c) != 0) {
		fix_scope(facts, ret);
		return;
	}
	controllers = alike(&facts->cgroup, controllers, c);
	switch (facts->cgroup.obstacle[c]) {
	case CGROUP_ABSENT:
		str_format(
			ret->text, sizeof(ret->text),
			"Boot a kernel that has the controller %s, and mount it where it is not: "
			"mount -t cgroup2 none /sys/fs/cgroup.",
			cgroup_controller_names[c]);
		return;
	case CGROUP_NOT_SHOWN:
		str_format(ret->text, sizeof(ret->text),
			   "Mount the control groups where they can be seen, or name with "
			   "--cgroup-parent a group that lies below /sys/fs/cgroup.");
		return;
	case CGROUP_READ_ONLY:
	case CGROUP_NO_PARENT:
		fix_place(facts, controllers, c, ret);
		return;
	case CGROUP_NOT_ENABLED:
		fix_missing_controller(facts, c, ret);
		return;
	case CGROUP_BUSY:
		str_format(
			ret->text, sizeof(ret->text),
			"Start cordon alone in its group (exec cordon ...), move those processes "
			"into a group below it, or name a group without processes with "
			"--cgroup-parent (cgroups(7), no internal processes).");
		return;
	case CGROUP_MANAGED:
	case CGROUP_NOT_DELEGATED:
	case CGROUP_USABLE:
		fix_delegation(facts, controllers, c, ret);
		return;
	}
}

/* ---- by what ---- */

/* Why a limit that is not enforced is not. */
static const char *reason(const struct decision *d, enum spec_limit limit)
{
	enum cgroup_controller c = cgroup_controller_of(limit);

	if (c == CGROUP_CONTROLLERS)
		return "";
	if (d->facts.cgroup.obstacle[c] != CGROUP_USABLE)
		return limits_text_obstacle(&d->facts, c);
	return limit == LIMIT_IO_WRITE ? "what is written through the page cache is counted for "
					 "nobody"
	       : limit == LIMIT_SWAP   ? "this kernel does not count swap"
				       : "";
}

bool limits_text_carrier(const struct decision *d, enum spec_limit limit, char *buf, size_t size)
{
	enum cgroup_controller c = cgroup_controller_of(limit);
	const struct cgroup_hierarchy *h =
		c < CGROUP_CONTROLLERS ? cgroup_hierarchy_of(&d->facts.cgroup, c) : NULL;

	if (limit == LIMIT_SWAP && !d->facts.cgroup.has_uncounted_swap &&
	    d->facts.cgroup.obstacle[CGROUP_MEMORY] == CGROUP_USABLE &&
	    !d->facts.cgroup.counts_swap) {
		str_format(buf, size, "nothing: this host has no swap");
		return true;
	}
	if ((d->limits.enforced & 1U << limit) == 0) {
		str_format(buf, size, "not enforced here: %s", reason(d, limit));
		return false;
	}
	if (limit == LIMIT_PIDS && d->limits.pids_by_nproc)
		str_format(
			buf, size,
			"RLIMIT_NPROC, without a control group (%s): the program has one user and "
			"no capability, so that what counts one user's tasks counts all",
			limits_text_obstacle(&d->facts, CGROUP_PIDS));
	else if (h == NULL)
		str_format(buf, size, "the keeper");
	else
		str_format(buf, size, "%scgroup v%d, %s, a group of its own in %s",
			   limit == LIMIT_CPU_TIME || limit == LIMIT_IDLE_TIME ? "the keeper, by "
									       : "",
			   (int)h->version, cgroup_controller_names[c], h->parent);
	return true;
}

static void put_bytes(uint64_t bytes, const char *behind, char *buf, size_t size)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} units[] = {{1ULL << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, "B"}};
	size_t i = 0;

	if (bytes == 0) {
		str_format(buf, size, "0%s", behind);
		return;
	}
	while (bytes % units[i].bytes != 0)
		i++;
	str_format(buf, size, "%llu%s%s", (unsigned long long)(bytes / units[i].bytes),
		   units[i].name, behind);
}

void limits_text_value(const struct spec_limits *limits, enum spec_limit limit, char *buf,
		       size_t size)
{
	uint64_t value = limits->total[limit].value;

	switch (limit) {
	case LIMIT_MEMORY:
	case LIMIT_SWAP:
	case LIMIT_OUTPUT:
		put_bytes(value, "", buf, size);
		return;
	case LIMIT_IO_READ:
	case LIMIT_IO_WRITE:
		put_bytes(value, "/s", buf, size);
		return;
	case LIMIT_CPUS:
		str_format(buf, size, "%llu.%llu%llu", (unsigned long long)(value / MILLION),
			   (unsigned long long)(value % MILLION / (MILLION / 10)),
			   (unsigned long long)(value % (MILLION / 10) / (MILLION / 100)));
		return;
	case LIMIT_CPUSET:
		cgroup_format_cpuset(limits, buf, size);
		return;
	case LIMIT_CPU_TIME:
	case LIMIT_IDLE_TIME:
		if (value % 1000 == 0)
			str_format(buf, size, "%llus", (unsigned long long)(value / 1000));
		else
			str_format(buf, size, "%llums", (unsigned long long)value);
		return;
	case LIMIT_PIDS:
	case LIMIT_CPU_WEIGHT:
	case SPEC_LIMITS:
		str_format(buf, size, "%llu", (unsigned long long)value);
		return;
	}
}
