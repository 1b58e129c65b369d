/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the plan: pure, from spec and facts. */
#include "launcher/plan.h"

#include <sched.h>
#include <sys/resource.h>

#include "base/sys.h"
#include "launcher/cordon.h"
#include "launcher/enter.h"
#include "launcher/launch.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

bool decision_has_sources(const struct decision *decision)
{
	bool has_sources = decision->spec.rootfs.kind == ROOTFS_DIR ||
			   decision->spec.rootfs.kind == ROOTFS_IMAGE;

	for (size_t i = 0; i < decision->spec.n_mounts; i++)
		has_sources = has_sources || decision->spec.mounts[i].type != MOUNT_TMPFS;
	return has_sources;
}

/* RLIMIT_NPROC of the workload. */
static uint64_t nproc_limit(const struct decision *decision, bool has_block)
{
	uint64_t nproc = decision->spec.limits.nproc;
	uint64_t pids = decision->spec.limits.total[LIMIT_PIDS].value;

	if (decision->limits.pids_by_nproc && pids < nproc)
		nproc = pids;

	/* No limit of the sandbox's own: as many as the caller may have. */
	if (nproc == SPEC_UNLIMITED)
		return facts_can_raise_limits(&decision->facts)
			       ? SPEC_UNLIMITED
			       : decision->facts.rlimit_hard[RLIMIT_NPROC];
	/* With one id, init has the workload's, and RLIMIT_NPROC counts it: one more, so that the
	 * workload gets what it was promised. */
	return has_block ? nproc : nproc + 1;
}

void plan_make(struct decision *decision)
{
	struct plan *plan = &decision->plan;

	*plan = (struct plan){
		.shape = SHAPE_SINGLE,
		/* The cgroup namespace comes later, by a row: here it would show the host's path.
		 */
		.namespaces =
			CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS,
	};
	if (decision->spec.network.kind == NETWORK_OF_ITS_OWN)
		plan->namespaces |= CLONE_NEWNET;
	/* From the start, not by unshare(2): a process whose children get another time namespace
	 * cannot share its memory with them (kernel/fork.c), as the second fork does. Offsets of
	 * its clocks could no longer be written; there is no key for them. */
	if (decision->facts.namespaces[FACTS_NAMESPACES - 1])
		plan->namespaces |= CLONE_NEWTIME;
	plan->ids = facts_can_map_block(&decision->facts) ? IDS_BLOCK : IDS_ONE;
	if (plan->ids == IDS_BLOCK) {
		plan->init_uid = IDENTITY_INIT;
		plan->init_gid = IDENTITY_INIT;
	} else {
		plan->init_uid = plan->setup_uid = decision->spec.identity.uid;
		plan->init_gid = plan->setup_gid = decision->spec.identity.gid;
	}
	plan->nproc_limit = decision->enters ? decision->enters_nproc_limit
					     : nproc_limit(decision, plan->ids == IDS_BLOCK);
	for (size_t i = 0; i < PARENT_ROWS; i++)
		plan->parent_wanted[i] =
			parent_rows[i].wanted == NULL || parent_rows[i].wanted(decision);
	for (size_t i = 0; i < CHILD_ROWS; i++)
		plan->child_wanted[i] =
			child_rows[i].wanted == NULL || child_rows[i].wanted(decision);
	if (decision->enters)
		enter_plan(plan);
}

struct row_view cordon_row(const struct decision *decision, size_t index)
{
	if (index < PARENT_ROWS)
		return (struct row_view){.process = "keeper",
					 .name = parent_rows[index].name,
					 .why = parent_rows[index].why,
					 .wanted = decision->plan.parent_wanted[index]};
	index -= PARENT_ROWS;
	if (index < CHILD_ROWS)
		return (struct row_view){.process = index < CHILD_FIRST_IN_WORKLOAD ? "setup"
										    : "workload",
					 .name = child_rows[index].name,
					 .why = child_rows[index].why,
					 .wanted = decision->plan.child_wanted[index]};
	return (struct row_view){0};
}
