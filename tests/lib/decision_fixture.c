/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made-up decisions; see decision_fixture.h. */
#include "tests/lib/decision_fixture.h"

#include <string.h>

static const char *const no_strings[] = {NULL};

void decision_as_root(struct decision *ret_decision)
{
	struct decision *d = ret_decision;

	memset(d, 0, sizeof(*d));
	d->facts = (struct host_facts){.kernel_major = 6,
				       .kernel_minor = 1,
				       .caps_effective = UINT64_MAX,
				       .in_initial_userns = true,
				       .maps_all_ids = true,
				       .userns = USERNS_OK,
				       .seccomp_filter = true,
				       .overlay = true,
				       .keyrings = true};
	for (size_t i = 0; i < FACTS_NAMESPACES; i++)
		d->facts.namespaces[i] = true;
	for (size_t i = 0; i < FACTS_RLIMITS; i++)
		d->facts.rlimit_hard[i] = SPEC_UNLIMITED;
	d->spec.identity = (struct spec_identity){.uid = 500, .gid = 600};
	d->spec.rootfs = (struct spec_rootfs){.kind = ROOTFS_HOST, .dir = ""};
	d->spec.process = (struct spec_process){.argv = no_strings,
						.envp = no_strings,
						.program = "/bin/true",
						.path = "",
						.working_dir = "",
						.hostname = "sandbox"};
	d->spec.network.sandbox = "";
	d->spec.limits.nproc = 64;
	d->spec.limits.wall_time_ms = SPEC_UNLIMITED;
	strcpy(d->state_path, "/run/cordon");
}

void decision_as_user(struct decision *ret_decision)
{
	decision_as_root(ret_decision);
	ret_decision->facts.euid = 1000;
	ret_decision->facts.egid = 1000;
	ret_decision->facts.host_euid = 1000;
	ret_decision->facts.caps_effective = 0;
	ret_decision->facts.maps_all_ids = false;
}
