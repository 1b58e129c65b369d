/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `cordon doctor`: which control groups the caller may make, where, and what to do where it may
 * not. */
#include "cmd/doctor.h"

#include "base/str.h"
#include "cmd/print.h"

static void check_controller(struct checkup *checkup, const struct host_facts *facts,
			     enum cgroup_controller c)
{
	/* Named by the limits that they enforce. */
	static const char *const names[CGROUP_CONTROLLERS] = {
		[CGROUP_PIDS] = "limits.pids",     [CGROUP_MEMORY] = "limits.memory",
		[CGROUP_CPU] = "limits.cpus",      [CGROUP_CPUACCT] = "limits.cpu_time",
		[CGROUP_CPUSET] = "limits.cpuset", [CGROUP_IO] = "limits.io",
		[CGROUP_FREEZER] = "cordon pause",
	};
	const struct cgroup_hierarchy *h = cgroup_hierarchy_of(&facts->cgroup, c);
	bool is_usable = facts->cgroup.obstacle[c] == CGROUP_USABLE;
	char version[32] = "";

	if (facts->cgroup.version[c] != 0)
		str_format(version, sizeof(version), "cgroup v%d%s", (int)facts->cgroup.version[c],
			   is_usable ? "" : ": ");
	if (is_usable && c == CGROUP_PIDS && h != NULL && h->asks_scope)
		doctor_say(checkup, CHECK_OK, names[c],
			   "by RLIMIT_NPROC; with another of these limits by %s, in its scope",
			   version);
	else if (is_usable)
		doctor_say(checkup, CHECK_OK, names[c], "%s, groups are made in %s", version,
			   h != NULL ? h->parent : "");
	else if (c == CGROUP_PIDS)
		doctor_say(checkup, CHECK_OK, names[c], "by RLIMIT_NPROC (%s%s)", version,
			   limits_text_obstacle(facts, c));
	else
		doctor_say(checkup, CHECK_MISS, names[c], "%s%s", version,
			   limits_text_obstacle(facts, c));
}

static void check_swap(struct checkup *checkup, const struct cgroup_facts *facts)
{
	if (facts->obstacle[CGROUP_MEMORY] != CGROUP_USABLE)
		return;
	if (facts->counts_swap)
		doctor_say(checkup, CHECK_OK, "limits.swap",
			   "counted, so that limits.memory holds");
	else if (!facts->has_uncounted_swap)
		doctor_say(checkup, CHECK_OK, "limits.swap", "this host has none");
	else
		doctor_say(checkup, CHECK_MISS, "limits.swap",
			   "not counted by this kernel: for limits.memory boot with swapaccount=1, "
			   "turn swap off (swapoff -a), or say limits.swap: unlimited");
}

static void note_scope(struct checkup *checkup, const struct cgroup_facts *facts)
{
	for (size_t i = 0; i < facts->n_hierarchies; i++)
		if (facts->hierarchies[i].asks_scope)
			doctor_say(checkup, CHECK_NOTE, NULL,
				   "systemd is asked for a scope when a sandbox with such a limit "
				   "starts; whether it agrees is known only then");
}

void doctor_groups(struct checkup *checkup, const struct host_facts *known,
		   const struct run_request *request)
{
	struct host_facts facts = *known;
	struct limits_fix fix;
	struct err err = {0};
	uint32_t left = CGROUP_ALL;

	if (cordon_probe_groups(&facts, request->cgroup_parent, CGROUP_ALL, &err) < 0) {
		doctor_say(checkup, CHECK_MISS, "control groups", "%s", err.text);
		return;
	}
	cordon_probe_scope(request, CGROUP_ALL, &facts);
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++)
		check_controller(checkup, &facts, c);
	check_swap(checkup, &facts.cgroup);
	note_scope(checkup, &facts.cgroup);
	if (facts.cgroup.version[CGROUP_IO] == CGROUP_V1)
		doctor_say(checkup, CHECK_NOTE, NULL,
			   "limits.io.write takes cgroup v2: v1 counts what is written through the "
			   "page cache for nobody");
	/* One remedy for all that have the same obstacle. */
	for (enum cgroup_controller c = 0; c < CGROUP_CONTROLLERS; c++) {
		uint32_t alike = 0;

		if ((left & 1U << c) == 0 || facts.cgroup.obstacle[c] == CGROUP_USABLE)
			continue;
		for (enum cgroup_controller k = c; k < CGROUP_CONTROLLERS; k++)
			if (facts.cgroup.obstacle[k] == facts.cgroup.obstacle[c] &&
			    facts.cgroup.version[k] == facts.cgroup.version[c])
				alike |= 1U << k;
		left &= ~alike;
		limits_text_fix(&facts, alike, &fix);
		doctor_say(checkup, CHECK_NOTE, NULL, "for limits by control groups: %s", fix.text);
		doctor_command(checkup, fix.command);
	}
}
