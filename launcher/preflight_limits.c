/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limits that the spec asks for, held against what this host's control groups can do. What is
 * required and cannot be had stops the start; what is wished for is left out and said.
 */
#include "base/str.h"
#include "launcher/limits.h"
#include "launcher/limits_text.h"
#include "launcher/preflight.h"

bool limits_want_group(const struct decision *decision)
{
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		if (decision->spec.limits.total[limit].demand != DEMAND_NONE &&
		    cgroup_controller_of(limit) != CGROUP_CONTROLLERS)
			return true;
	return decision->wants_usage || decision->counts_usage || decision->names_group ||
	       decision->wants_pause;
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

bool limits_need_group(const struct decision *decision)
{
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		if (decision->spec.limits.total[limit].demand != DEMAND_NONE &&
		    cgroup_controller_of(limit) != CGROUP_CONTROLLERS &&
		    (limit != LIMIT_PIDS || !nproc_can_stand_in(decision)))
			return true;
	return decision->wants_usage;
}

/* ---- decisions ---- */

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

/* What --sample and --top measure. */
enum { MEASURED = 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY | 1U << CGROUP_CPUACCT };

/* All controllers that are asked for: one remedy covers them. */
static uint32_t asked_controllers(const struct decision *d)
{
	uint32_t bits = d->wants_usage ? MEASURED : 0;

	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++) {
		enum cgroup_controller c = cgroup_controller_of(limit);

		if (d->spec.limits.total[limit].demand != DEMAND_NONE && c != CGROUP_CONTROLLERS)
			bits |= 1U << c;
	}
	return bits;
}

uint32_t limits_asked(const struct decision *d)
{
	uint32_t bits = d->names_group ? CGROUP_ALL : asked_controllers(d);

	bits |= d->counts_usage ? MEASURED : 0;
	if (d->wants_pause)
		bits |= 1U << CGROUP_FREEZER;
	/* Writing is limited with memory alone: check_io_write. */
	return (bits & 1U << CGROUP_IO) != 0 ? bits | 1U << CGROUP_MEMORY : bits;
}

/* For a controller that cannot be used; what else is wanted is in the remedy as well. */
static void put_fix(const struct decision *d, enum cgroup_controller controller, struct miss *m)
{
	uint32_t others = 0;
	struct limits_fix fix;

	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		if (d->facts.cgroup.obstacle[c] == d->facts.cgroup.obstacle[controller])
			others |= 1U << c;
	limits_text_fix(&d->facts, 1U << controller | (others & asked_controllers(d)), &fix);
	str_format(m->hint, sizeof(m->hint), "%s", fix.text);
	str_format(m->command, sizeof(m->command), "%s", fix.command);
}

static bool check_swap(struct decision *d, struct misses *misses)
{
	const struct spec_total *swap = &d->spec.limits.total[LIMIT_SWAP];
	struct miss *m;

	if (d->facts.cgroup.counts_swap)
		return true;
	if (!d->facts.cgroup.has_uncounted_swap)
		return false; /* it holds: there is none */
	if (swap->demand == DEMAND_WHEN_POSSIBLE) {
		preflight_leave_out(d, limits_key(LIMIT_SWAP));
		return false;
	}
	m = preflight_miss(misses, limits_key(LIMIT_SWAP), swap->origin);
	str_format(m->text, sizeof(m->text),
		   "limits.swap: this kernel does not count swap, and this host has some: a limit "
		   "of memory alone would not hold");
	str_format(m->hint, sizeof(m->hint),
		   "Boot with swapaccount=1, or turn swap off (swapoff -a), or let the sandbox use "
		   "it: --set limits.swap=unlimited.");
	return false;
}

/*
 * What is written through the page cache reaches the disk later, by a kernel thread. v1 counts that
 * for nobody (cgroup-v1/blkio-controller.rst: only synchronous I/O); v2 does, where memory is
 * counted in the same hierarchy (cgroup-v2.rst, "Writeback").
 */
static bool check_io_write(struct decision *d, struct misses *misses)
{
	const struct cgroup_facts *facts = &d->facts.cgroup;
	const struct spec_total *total = &d->spec.limits.total[LIMIT_IO_WRITE];
	bool is_v1 = facts->version[CGROUP_IO] == CGROUP_V1;
	struct miss *m;

	if (!is_v1 && facts->version[CGROUP_MEMORY] == CGROUP_V2 &&
	    facts->obstacle[CGROUP_MEMORY] == CGROUP_USABLE) {
		d->limits.controllers |= 1U << CGROUP_MEMORY;
		return true;
	}
	if (total->demand == DEMAND_WHEN_POSSIBLE) {
		preflight_leave_out(d, limits_key(LIMIT_IO_WRITE));
		return false;
	}
	m = preflight_miss(misses, limits_key(LIMIT_IO_WRITE), total->origin);
	str_format(m->text, sizeof(m->text),
		   "limits.io.write: what is written through the page cache is counted for nobody, "
		   "%s",
		   is_v1 ? "with cgroup v1" : "without the memory controller of cgroup v2");
	str_format(m->hint, sizeof(m->hint),
		   "%s, or ask for it where it is possible: when_possible: {limits: {io: {write: "
		   "...}}}.",
		   is_v1 ? "Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1, without "
			   "systemd cgroup_no_v1=all)"
			 : "Enable the memory controller in the groups above");
	return false;
}

/* The controller is there: whether it enforces this limit. */
static bool check_kernel(struct decision *d, enum spec_limit limit, struct misses *misses)
{
	if (limit == LIMIT_SWAP)
		return check_swap(d, misses);
	return limit != LIMIT_IO_WRITE || check_io_write(d, misses);
}

/* Said together with memory, or following from it: one line for both. */
static bool goes_with_memory(const struct decision *d, enum spec_limit limit)
{
	const struct spec_origin *memory = &d->spec.limits.total[LIMIT_MEMORY].origin;
	const struct spec_origin *swap = &d->spec.limits.total[LIMIT_SWAP].origin;

	return limit == LIMIT_SWAP && swap->line == memory->line &&
	       str_equal(swap->file, memory->file);
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
		if (!check_kernel(d, limit, misses))
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
	if (goes_with_memory(d, limit))
		return;
	if (total->demand == DEMAND_WHEN_POSSIBLE) {
		preflight_leave_out(d, limits_key(limit));
		return;
	}
	m = preflight_miss(misses, limits_key(limit), total->origin);
	str_format(m->text, sizeof(m->text), "%s: %s (%s)", limits_key(limit),
		   limits_text_obstacle(&d->facts, controller),
		   cgroup_controller_names[controller]);
	put_fix(d, controller, m);
}

static void check_usage(struct decision *d, struct misses *misses)
{
	static const char *const what[CGROUP_CONTROLLERS] = {
		[CGROUP_PIDS] = "the number of tasks",
		[CGROUP_MEMORY] = "memory",
		[CGROUP_CPUACCT] = "processor time",
	};

	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		struct miss *m;

		if ((MEASURED & 1U << c) == 0)
			continue;
		if (d->facts.cgroup.obstacle[c] == CGROUP_USABLE) {
			d->limits.controllers |= 1U << c;
			continue;
		}
		m = preflight_miss(misses, "", (struct spec_origin){.file = "command line"});
		str_format(m->text, sizeof(m->text),
			   "--sample and --top cannot measure %s: %s (%s)", what[c],
			   limits_text_obstacle(&d->facts, c), cgroup_controller_names[c]);
		put_fix(d, c, m);
	}
}

/* For accounting alone nobody is moved, and nobody is asked: what would have to step aside, or be
 * made by systemd, is left. */
static void count_usage(struct decision *d)
{
	const struct cgroup_facts *facts = &d->facts.cgroup;

	for (size_t i = 0; i < facts->n_hierarchies; i++) {
		const struct cgroup_hierarchy *h = &facts->hierarchies[i];
		bool is_made_anyway = (h->controllers & d->limits.controllers) != 0;

		for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
			if ((MEASURED & h->controllers & 1U << c) != 0 &&
			    facts->obstacle[c] == CGROUP_USABLE &&
			    (is_made_anyway || (!h->steps_aside && !h->asks_scope)))
				d->limits.controllers |= 1U << c;
	}
}

/* Where a named group is not: on v1 it need not be in every hierarchy. */
static bool is_elsewhere(enum cgroup_obstacle obstacle)
{
	return obstacle == CGROUP_NO_PARENT || obstacle == CGROUP_ABSENT ||
	       obstacle == CGROUP_NOT_SHOWN;
}

/* Whoever names a group relies on what it is bounded by: the sandbox is made in it in each
 * hierarchy that has it, also where no limit of its own asks for that. */
static void check_named(struct decision *d, struct misses *misses)
{
	const struct cgroup_facts *facts = &d->facts.cgroup;
	enum cgroup_controller first = CGROUP_PIDS;
	bool is_there = false;
	struct miss *m;

	for (size_t i = 0; i < facts->n_hierarchies; i++) {
		uint32_t usable = facts->hierarchies[i].controllers;

		for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
			if (facts->obstacle[c] != CGROUP_USABLE)
				usable &= ~(1U << c);
		is_there = is_there || usable != 0;
		if ((usable & d->limits.controllers) != 0)
			continue;
		/* On v2 each group has this one, and nothing has to be switched on. */
		if ((usable & 1U << CGROUP_CPUACCT) != 0)
			usable = 1U << CGROUP_CPUACCT;
		d->limits.controllers |= usable & -usable;
	}
	for (enum cgroup_controller c = CGROUP_CONTROLLERS; c-- > 0;)
		if (c != CGROUP_FREEZER && facts->obstacle[c] != CGROUP_USABLE &&
		    !is_elsewhere(facts->obstacle[c])) {
			first = c;
			is_there = is_there && facts->version[c] == CGROUP_V2;
		}
	if (is_there)
		return;
	m = preflight_miss(misses, "", (struct spec_origin){.file = "command line"});
	str_format(m->text, sizeof(m->text), "--cgroup-parent: %s (%s)",
		   limits_text_obstacle(&d->facts, first), cgroup_controller_names[first]);
	put_fix(d, first, m);
}

void preflight_limits(struct decision *d, struct misses *misses)
{
	size_t n_before = misses->n;

	d->limits = (struct limits_decision){0};
	for (enum spec_limit limit = 0; limit < SPEC_LIMITS; limit++)
		check_limit(d, limit, misses);
	if (d->wants_usage)
		check_usage(d, misses);
	if (d->counts_usage && misses->n == n_before)
		count_usage(d);
	if (d->names_group && misses->n == n_before)
		check_named(d, misses);
	/* Where it cannot be had, `pause` is what is refused. */
	if (d->wants_pause && d->facts.cgroup.obstacle[CGROUP_FREEZER] == CGROUP_USABLE)
		d->limits.controllers |= 1U << CGROUP_FREEZER;
}
