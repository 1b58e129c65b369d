/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The shipped profiles as part of the program: `default` must start wherever the program is, and a
 * file beside it could be another one than the one that was tested. The Makefile writes each
 * profile as a C string `profile_NAME` into $(O)/policy/profile_NAME.inc and rebuilds this when it
 * changes.
 */
#include "policy/policy.h"

#include "policy/profile_base.inc"
#include "policy/profile_build.inc"
#include "policy/profile_default.inc"

const struct policy_shipped policy_shipped_profiles[] = {
	{"base", profile_base, sizeof(profile_base) - 1, digest_base},
	{"build", profile_build, sizeof(profile_build) - 1, digest_build},
	{"default", profile_default, sizeof(profile_default) - 1, digest_default},
};

const size_t policy_n_shipped_profiles =
	sizeof(policy_shipped_profiles) / sizeof(policy_shipped_profiles[0]);
