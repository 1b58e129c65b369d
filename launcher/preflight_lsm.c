/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the spec asks of the kernel's security modules, held against what they can do. The one place
 * where something that is asked for may be left out: below when_possible, by what the host is, and
 * it is written down (decision->not_enforced).
 */
#include <errno.h>

#include "base/str.h"
#include "launcher/preflight.h"

static void check_landlock(struct decision *d, struct misses *misses)
{
	const struct spec_landlock *landlock = &d->spec.landlock;
	int abi = d->facts.landlock_abi;
	char missing[128];
	struct miss *m;

	if (landlock->demand == DEMAND_NONE || landlock_is_whole(d, missing, sizeof(missing)))
		return;
	if (landlock->demand == DEMAND_WHEN_POSSIBLE) {
		preflight_leave_out(d, "landlock");
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

static void miss_apparmor(const struct decision *d, struct miss *m)
{
	const struct spec_apparmor *apparmor = &d->spec.apparmor;

	if (!d->facts.apparmor) {
		str_format(m->text, sizeof(m->text),
			   "apparmor: this kernel runs without AppArmor: no profile %s",
			   apparmor->profile);
		str_format(
			m->hint, sizeof(m->hint),
			"Put apparmor into the kernel's parameter lsm=, or write apparmor: auto, "
			"which wants a profile only where there is AppArmor.");
	} else if (d->facts.apparmor_profile == APPARMOR_NOT_LOADED) {
		str_format(m->text, sizeof(m->text), "apparmor: the profile %s is not loaded",
			   apparmor->profile);
		str_format(m->hint, sizeof(m->hint), "%s",
			   apparmor->is_auto
				   ? "Load it as root: `cordon doctor` prints the line. Or give it "
				     "up: --waive apparmor=REASON."
				   : "As root: apparmor_parser -r, with the file that has it.");
	} else {
		str_format(
			m->text, sizeof(m->text),
			"apparmor: the profile that cordon itself is under does not let it use %s",
			apparmor->profile);
		str_format(m->hint, sizeof(m->hint),
			   "Add to that profile: change_profile -> &%s, (aa-status names it).",
			   apparmor->profile);
	}
}

static void check_apparmor(struct decision *d, struct misses *misses)
{
	const struct spec_apparmor *apparmor = &d->spec.apparmor;

	if (apparmor->demand == DEMAND_NONE || apparmor_is_wanted(d) ||
	    (apparmor->is_auto && !d->facts.apparmor))
		return;
	if (apparmor->demand == DEMAND_WHEN_POSSIBLE)
		preflight_leave_out(d, "apparmor");
	else
		miss_apparmor(d, preflight_miss(misses, "apparmor", apparmor->origin));
}

void preflight_lsm(struct decision *decision, struct misses *misses)
{
	check_apparmor(decision, misses);
	check_landlock(decision, misses);
}
