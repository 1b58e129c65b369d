/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the spec asks of the kernel's security modules, held against what they can do. The one place
 * where something that is asked for may be left out: below when_possible, by what the host is, and
 * it is written down (decision->not_enforced).
 */
#include <errno.h>

#include "base/str.h"
#include "launcher/preflight.h"

static void leave_out(struct decision *d, const char *key)
{
	if (d->n_not_enforced < RESULT_NOT_ENFORCED_MAX)
		d->not_enforced[d->n_not_enforced++] = key;
}

static void check_landlock(struct decision *d, struct misses *misses)
{
	const struct spec_landlock *landlock = &d->spec.landlock;
	int abi = d->facts.landlock_abi;
	char missing[128];
	struct miss *m;

	if (landlock->demand == DEMAND_NONE || landlock_is_whole(d, missing, sizeof(missing)))
		return;
	if (landlock->demand == DEMAND_WHEN_POSSIBLE) {
		leave_out(d, "landlock");
		return;
	}
	m = preflight_miss(misses, "landlock", landlock->origin);
	if (abi == -ENOSYS)
		str_format(m->text, sizeof(m->text), "landlock: this kernel has no Landlock");
	else if (abi == -EOPNOTSUPP)
		str_format(m->text, sizeof(m->text),
			   "landlock: this kernel was booted without Landlock");
	else
		str_format(m->text, sizeof(m->text),
			   "landlock: version %d of this kernel's Landlock cannot restrict %s",
			   abi > 0 ? abi : 0, missing);
	str_format(m->hint, sizeof(m->hint),
		   "%s, or ask for what there is: when_possible: {landlock: auto}; or give it up: "
		   "--waive landlock=REASON.",
		   abi == -ENOSYS ? "Boot a kernel of 6.12 or later with "
				    "CONFIG_SECURITY_LANDLOCK=y"
		   : abi == -EOPNOTSUPP
			   ? "Put landlock first in the kernel's parameter lsm= (or in "
			     "CONFIG_LSM)"
			   : "Boot a kernel of 6.12 or later");
}

void preflight_lsm(struct decision *decision, struct misses *misses)
{
	check_landlock(decision, misses);
}
