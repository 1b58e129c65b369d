/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limits that the spec asks for, held against what this host's control groups can do. What is
 * required and cannot be had stops the start; what is wished for is left out and said.
 */
#include "base/str.h"
#include "launcher/limits.h"
#include "launcher/preflight.h"

bool limits_want_group(const struct decision *decision)
{
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		if (decision->spec.limits.total[limit].demand != DEMAND_NONE &&
		    cgroup_controller_of(limit) != CGROUP_CONTROLLERS)
			return true;
	return decision->wants_usage;
}

/* ---- remedies ---- */

static void fix_v1(const struct decision *d, enum cgroup_controller controller, struct miss *m)
{
	const char *name = controller == CGROUP_IO ? "blkio" : cgroup_controller_names[controller];
	uint32_t uid = d->facts.euid;

	str_format(m->hint, sizeof(m->hint),
		   "As root, once: D=/sys/fs/cgroup/%s/cordon-%u; mkdir -p $D && chown %u $D "
		   "$D/cgroup.procs; the same for each other controller; then start with "
		   "--cgroup-parent cordon-%u.",
		   name, uid, uid, uid);
}

static void fix_delegation(const struct decision *d, enum cgroup_controller controller,
			   struct miss *m)
{
	if (d->facts.cgroup.version[controller] == CGROUP_V1)
		fix_v1(d, controller, m);
	else if (d->facts.has_systemd)
		str_format(m->hint, sizeof(m->hint),
			   "Start it in a group of your own: systemd-run --user --scope -p "
			   "Delegate=yes cordon run ...");
	else
		str_format(m->hint, sizeof(m->hint),
			   "As root, once: make a group, chown it and its cgroup.procs, "
			   "cgroup.subtree_control and cgroup.threads to %u, put the caller "
			   "into a group below it, and start with --cgroup-parent naming it.",
			   d->facts.euid);
}

static void fix(const struct decision *d, enum cgroup_controller controller, struct miss *m)
{
	switch (d->facts.cgroup.obstacle[controller]) {
	case CGROUP_ABSENT:
		str_format(m->hint, sizeof(m->hint),
			   "Boot a kernel with the %s controller, and mount it: mount -t cgroup2 "
			   "none /sys/fs/cgroup.",
			   cgroup_controller_names[controller]);
		return;
	case CGROUP_NOT_SHOWN:
		str_format(m->hint, sizeof(m->hint),
			   "The caller's own group lies outside of what is mounted below "
			   "/sys/fs/cgroup: name one that is in it with --cgroup-parent.");
		return;
	case CGROUP_NOT_ENABLED:
		str_format(m->hint, sizeof(m->hint),
			   "As root: echo +%s > the cgroup.subtree_control of the groups above it "
			   "(with systemd: Delegate=%s in user@.service).",
			   cgroup_controller_names[controller],
			   cgroup_controller_names[controller]);
		return;
	case CGROUP_BUSY:
		str_format(
			m->hint, sizeof(m->hint),
			"Name a group without processes with --cgroup-parent: the caller's own "
			"may not have children with limits (cgroups(7), no internal processes).");
		return;
	case CGROUP_NOT_DELEGATED:
	case CGROUP_USABLE:
		fix_delegation(d, controller, m);
		return;
	}
}

static const char *obstacle_text(enum cgroup_obstacle obstacle)
{
	static const char *const texts[] = {
		[CGROUP_USABLE] = "",
		[CGROUP_ABSENT] = "this host has no such control group",
		[CGROUP_NOT_SHOWN] = "the caller's control group is not shown here",
		[CGROUP_NOT_DELEGATED] = "the caller may not make a control group here",
		[CGROUP_NOT_ENABLED] = "the control group's parent has not got this controller",
		[CGROUP_BUSY] = "the caller's control group has other processes",
	};

	return texts[obstacle];
}

/* ---- decisions ---- */

static void leave_out(struct decision *d, const char *key)
{
	if (d->n_not_enforced < RESULT_NOT_ENFORCED_MAX)
		d->not_enforced[d->n_not_enforced++] = key;
}

/* The keys with their full names, for messages and results. */
const char *limits_key(enum spec_limit limit)
{
	static const char *const keys[SPEC_LIMITS] = {
		[LIMIT_PIDS] = "limits.pids",
		[LIMIT_MEMORY] = "limits.memory",
		[LIMIT_SWAP] = "limits.swap",
		[LIMIT_CPUS] = "limits.cpus",
		[LIMIT_CPU_WEIGHT] = "limits.cpu_weight",
		[LIMIT_CPUSET] = "limits.cpuset",
		[LIMIT_IO_READ] = "limits.io.read",
		[LIMIT_IO_WRITE] = "limits.io.write",
		[LIMIT_CPU_TIME] = "limits.cpu_time",
		[LIMIT_IDLE_TIME] = "limits.idle_time",
		[LIMIT_OUTPUT] = "limits.output",
	};

	return limit < SPEC_LIMITS ? keys[limit] : NULL;
}

/*
 * RLIMIT_NPROC is counted for each user in the sandbox's own user namespace. Without a capability
 * and under no_new_privs the workload has one user, and cannot become another: that limit is then
 * one of all its tasks.
 */
static bool nproc_can_stand_in(const struct decision *d)
{
	uint64_t hard = d->facts.rlimit_hard[RLIMIT_NPROC];
	uint64_t pids = d->spec.limits.total[LIMIT_PIDS].value;

	return d->spec.capabilities == 0 &&
	       (hard == SPEC_UNLIMITED || pids < hard || facts_can_raise_limits(&d->facts));
}

static bool check_swap(struct decision *d, struct misses *misses)
{
	const struct spec_total *swap = &d->spec.limits.total[LIMIT_SWAP];
	struct miss *m;

	if (d->facts.cgroup.counts_swap)
		return true;
	if (!d->facts.cgroup.has_swap)
		return false; /* it holds: there is none */
	if (swap->demand == DEMAND_WHEN_POSSIBLE) {
		leave_out(d, limits_key(LIMIT_SWAP));
		return false;
	}
	m = preflight_miss(misses, limits_key(LIMIT_SWAP), swap->origin);
	str_format(m->text, sizeof(m->text),
		   "limits.swap: this kernel does not count swap, and this host has some");
	str_format(m->hint, sizeof(m->hint),
		   "Boot with swapaccount=1, or turn swap off (swapoff -a), or let the sandbox use "
		   "it: --set limits.swap=unlimited.");
	return false;
}

static void check_limit(struct decision *d, enum spec_limit limit, struct misses *misses)
{
	const struct spec_total *total = &d->spec.limits.total[limit];
	enum cgroup_controller controller = cgroup_controller_of(limit);
	struct miss *m;

	if (total->demand == DEMAND_NONE)
		return;
	if (controller == CGROUP_CONTROLLERS ||
	    d->facts.cgroup.obstacle[controller] == CGROUP_USABLE) {
		if (limit == LIMIT_SWAP && !check_swap(d, misses))
			return;
		d->limits.enforced |= 1U << limit;
		if (controller != CGROUP_CONTROLLERS)
			d->limits.controllers |= 1U << controller;
		return;
	}
	if (limit == LIMIT_PIDS && nproc_can_stand_in(d)) {
		d->limits.enforced |= 1U << limit;
		d->limits.pids_by_nproc = true;
		return;
	}
	/* One line for memory and what goes with it. */
	if (limit == LIMIT_SWAP &&
	    total->origin.line == d->spec.limits.total[LIMIT_MEMORY].origin.line)
		return;
	if (total->demand == DEMAND_WHEN_POSSIBLE) {
		leave_out(d, limits_key(limit));
		return;
	}
	m = preflight_miss(misses, limits_key(limit), total->origin);
	str_format(m->text, sizeof(m->text), "%s: %s (%s)", limits_key(limit),
		   obstacle_text(d->facts.cgroup.obstacle[controller]),
		   cgroup_controller_names[controller]);
	fix(d, controller, m);
}

/* What --sample and --top measure. */
static void check_usage(struct decision *d, struct misses *misses)
{
	static const enum cgroup_controller measured[] = {CGROUP_PIDS, CGROUP_MEMORY,
							  CGROUP_CPUACCT};

	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++) {
		enum cgroup_controller c = measured[i];
		struct miss *m;

		if (d->facts.cgroup.obstacle[c] == CGROUP_USABLE) {
			d->limits.controllers |= 1U << c;
			continue;
		}
		m = preflight_miss(misses, "", (struct spec_origin){.file = "command line"});
		str_format(m->text, sizeof(m->text), "use of %s cannot be measured: %s",
			   cgroup_controller_names[c], obstacle_text(d->facts.cgroup.obstacle[c]));
		fix(d, c, m);
	}
}

void preflight_limits(struct decision *d, struct misses *misses)
{
	d->limits = (struct limits_decision){0};
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		check_limit(d, limit, misses);
	if (d->wants_usage)
		check_usage(d, misses);
}
